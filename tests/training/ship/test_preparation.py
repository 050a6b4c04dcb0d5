"""A whole run of the preset ship, small: composed material, two networks, one calibrated file that tells non-digits."""

from __future__ import annotations

import gzip
import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import Interrupted, UsageError
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.calibration import choose_min_confidence, make_cascade
from digit_recognizer.training.hardware import choose_hardware
from digit_recognizer.training.job import Settings, settings_of, train_run
from digit_recognizer.training.networks import CompactNetwork
from digit_recognizer.training.progress import Progress, StopRequest
from digit_recognizer.training.recipe import Composition, Recipe, fast, ship
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.ship.cascade import Cascade
from digit_recognizer.training.ship.material import NO_DIGIT, Material
from digit_recognizer.training.ship.preparation import prepare, split_drawings
from tests.conftest import draw_digits
from tests.training.test_fonts import save_font


@pytest.fixture
def strokes(tmp_path: Path) -> Path:
    path = tmp_path / "pen.json.gz"
    one = {"label": 1, "strokes": [[[5, 90], [5, 0]]]}
    seven = {"label": 7, "strokes": [[[0, 80], [40, 80], [15, 0]]]}
    path.write_bytes(gzip.compress(json.dumps([one, seven] * 6).encode()))
    return path


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    for family in ("Alpha", "Beta", "Gamma", "Delta", "Epsilon"):
        save_font(tmp_path / "fonts" / f"{family}.ttf", family)
    return tmp_path / "fonts"


def small_ship() -> Recipe:
    recipe = ship()
    assert recipe.scout is not None
    assert recipe.polish is not None
    small = Composition(digits=1, drawings=0.2, printed=0.2, no_digits=0.3, plain=1)
    widths = {"widths": (4, 6, 8), "depths": (1, 1), "epochs": 1}
    polish = replace(recipe.polish, **widths, polish=None, composition=replace(small, no_digits=0.5))
    last = replace(polish, composition=replace(small, straight=0.1))
    return replace(
        recipe,
        **widths,
        composition=small,
        polish=replace(polish, polish=last),
        second=replace(recipe, **widths, composition=small, polish=polish, second=None, scout=None),
        scout=replace(recipe.scout, widths=(4, 4, 4), depths=(1, 1), epochs=1),
    )


def test_a_run_ends_with_one_file_that_tells_how_likely_a_picture_shows_no_digit(
    tmp_path: Path, strokes: Path, fonts: Path
) -> None:
    digits = draw_digits(120, seed=8)
    settings = Settings(small_ship(), seed=3, val=0.2, strokes=str(strokes), fonts=str(fonts), max_error=0.02)
    said: list[str] = []
    folder = RunFolder(tmp_path / "run")
    finished = train_run(
        Dataset("drawn", digits, None), folder, settings, hardware=choose_hardware("cpu"), command="x", tell=said.append
    )
    assert any("10 pen drawings" in note and "held out: 24, 2" in note for note in said)
    recognizer = Recognizer(folder.path)
    assert recognizer.tells_non_digits
    assert recognizer.metadata.data == "drawn + pen strokes + fonts"
    assert recognizer.metadata.command == "x"
    assert recognizer.metadata.max_error == 0.02
    figures = recognizer.metadata.inputs
    assert figures is not None
    assert figures.frames == 24 + 24 + 5 + 5 + 2  # held-out digits, what is composed of them, drawings, fonts, strokes
    rows = recognizer.probabilities(digits.images)
    assert (rows.sum(1) < 1).all()
    assert finished.metrics["parameters"] > 1_000
    assert {"scout_confidence", "scout_answers", "second_asked", "main_accuracy"} <= set(finished.metrics)
    assert [line.split(",")[1] for line in folder.history.read_text().splitlines()] == ["epoch", *"111111"]
    assert settings_of(folder) == settings
    assert not list(folder.path.glob("checkpoints*/*"))


@pytest.mark.parametrize("stop_after", [2, 3, 5])  # rows: in the first polish, in the second, in the second net's
def test_a_run_stopped_while_it_is_polished_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, strokes: Path, fonts: Path, stop_after: int
) -> None:
    digits = draw_digits(120, seed=8)
    settings = Settings(small_ship(), seed=3, val=0.2, strokes=str(strokes), fonts=str(fonts))
    cpu = choose_hardware("cpu")
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(Dataset("drawn", digits, None), whole, settings, hardware=cpu)
    request, rows = StopRequest(), 0

    def stop_after_a_row(progress: Progress) -> None:
        nonlocal rows
        rows += progress.row is not None
        if rows == stop_after:
            request.signal_number = 15

    with pytest.raises(Interrupted):
        train_run(
            Dataset("drawn", digits, None),
            broken,
            settings,
            hardware=cpu,
            on_progress=stop_after_a_row,
            stop=request,
        )
    assert not broken.is_finished()
    train_run(Dataset("drawn", digits, None), broken, settings, hardware=cpu, resume=True)
    assert broken.weights.read_bytes() == whole.weights.read_bytes()
    assert [line.split(",")[1] for line in broken.history.read_text().splitlines()] == ["epoch", *"111111"]


def test_a_run_asked_to_stop_while_it_composes_stops_before_it_has_all_frames(tmp_path: Path, fonts: Path) -> None:
    digits = draw_digits(1_300, seed=8)
    folder = RunFolder(tmp_path / "run")
    recipe = replace(fast(), classes=11, composition=Composition(1, 0, 0, 3, plain=1))
    settings = Settings(recipe, seed=3, val=0.2, fonts=str(fonts))
    request = StopRequest(15)
    with pytest.raises(Interrupted, match="while composing"):
        train_run(Dataset("drawn", digits, None), folder, settings, hardware=choose_hardware("cpu"), stop=request)
    assert folder.is_started()
    assert not folder.is_finished()
    assert not multiprocessing.active_children()


def test_no_digit_drawing_or_font_is_on_both_sides(strokes: Path, fonts: Path) -> None:
    digits = draw_digits(60, seed=1)
    training, validation = digits.split(0.2, 0)
    compositions = [Composition(1, 0, 0, 0.5, plain=2), Composition(0.5, 0, 0, 1)]
    prepared = prepare(training, validation, compositions, strokes=None, fonts=[fonts], seed=0)
    first, second = prepared.training
    plain = first.images[: 3 * len(training)].reshape(3, len(training), 28, 28)
    assert (plain == training.images).all()  # each digit three times as it is
    assert (prepared.validation.images[: len(validation)] == validation.images).all()
    assert len(first) == 3 * 48 + 48 + 24
    assert len(second) == 48 + 24 + 48
    assert (prepared.validation.labels == NO_DIGIT).sum() >= 12
    assert prepared.sources["fonts"] == 4


def test_the_last_sixth_of_the_drawings_is_held_out() -> None:
    seen, held_out = split_drawings(list(range(12)))  # type: ignore[arg-type]
    assert (list(seen), list(held_out)) == (list(range(10)), [10, 11])


def test_the_scout_is_trusted_where_it_costs_nothing() -> None:
    """A scout that is the main network itself is trusted from the lowest confidence; a useless one never."""
    digits = draw_digits(50, seed=2)
    material = Material(digits.images, digits.known_labels())
    main = CompactNetwork((2, 2, 2), (1, 1), classes=11).eval()
    _, facts = make_cascade(main, main, digits, material)
    assert facts["scout_confidence"] == 0.9
    assert facts["main_accuracy"] == pytest.approx(facts["scout_accuracy"])


def test_the_threshold_keeps_the_error_budget_on_digits_as_they_are() -> None:
    class Known(Cascade):
        def answer(self, images: np.ndarray, batch_size: int = 512) -> np.ndarray:
            """A 0 every time: nine with confidence 0.95, the last one with 0.6."""
            rows = np.zeros((len(images), 11), np.float32)
            rows[:, 0] = 0.95
            rows[-1, 0] = 0.6
            rows[:, 10] = 1 - rows[:, 0]
            return rows

    net = CompactNetwork((2, 2, 2), (1, 1), classes=11)
    cascade = Known(net, net, 1.0, 1.0, 0.5)
    digits = Digits(np.zeros((10, 28, 28), np.uint8), np.array([0] * 9 + [4]))
    assert choose_min_confidence(cascade, digits, max_error=0.3) == pytest.approx(0.6)
    assert choose_min_confidence(cascade, digits, max_error=0.06) == pytest.approx(0.95)


def test_strokes_and_fonts_are_for_recipes_that_compose(strokes: Path) -> None:
    with pytest.raises(UsageError, match="--strokes and --fonts are for the preset ship"):
        Settings(fast(), strokes=str(strokes))
    with pytest.raises(UsageError, match="--max-error"):
        Settings(fast(), max_error=0.0)


def test_the_recipe_with_all_its_parts_comes_back_from_plain_values() -> None:
    recipe = ship()
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
