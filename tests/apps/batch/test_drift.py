"""What came in beside what the model knows: the rule at its edges, and from pictures to the sentence of a command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.analysis.inputs import InputFigures, input_figures
from digit_recognizer.apps.batch.drift import Difference, differences, notable
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.tally import Tally
from digit_recognizer.digits import Images
from digit_recognizer.model_file import with_metadata
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames
from tests.apps.command import Ended
from tests.plain_models import CARD, plain_proto, softmax_by_hand

KNOWN_FRAMES = frames(400, seed=5)


def known() -> InputFigures:
    return input_figures(KNOWN_FRAMES, softmax_by_hand(KNOWN_FRAMES), CARD.min_confidence)


def model_file(path: Path, figures: InputFigures | None) -> str:
    """The plain model, which says of its inputs what it is given to say."""
    path.write_bytes(with_metadata(plain_proto().SerializeToString(), replace(CARD, inputs=figures)))
    return str(path)


def drift_of(tmp_path: Path, images: Images, figures: InputFigures | None) -> tuple[list[str], str, object]:
    """Sentences, page and manifest of a batch over these pixels."""
    source = sources.write_idx(tmp_path / "x-images", images)
    model = model_file(tmp_path / "plain.onnx", figures)
    result = run_batch(Request(str(source), tmp_path / "out", model=model, part_size=150), EngineHere())
    page = (tmp_path / "out" / "summary.html").read_text()
    return list(result.drift), page, json.loads((tmp_path / "out" / "manifest.json").read_text())["drift"]


def difference(here: float, count: int) -> Difference:
    return Difference("ink", "mean ink", here, 0.1, 0.04, count, 10**9, "")


def test_half_a_deviation_is_the_edge_for_many_and_three_standard_errors_for_few() -> None:
    assert not difference(0.1 + 0.019, 10**6).is_notable
    assert difference(0.1 + 0.021, 10**6).is_notable
    assert difference(0.1 - 0.021, 10**6).is_notable
    few = 3 * 0.04 / math.sqrt(30)
    assert not difference(0.1 + 0.99 * few, 30).is_notable
    assert difference(0.1 + 1.01 * few, 30).is_notable
    assert not replace(difference(0.9, 30), here=None).is_notable


@pytest.mark.parametrize("count", [1, 5, 29])
def test_of_a_few_digits_nothing_is_notable(count: int) -> None:
    assert not difference(0.9, count).is_notable
    tally = Tally(read=count, digits=(0, 0, count, *(0,) * 7), confidence_sum=count * 100_000)
    assert notable(differences(tally, known())) == []


def test_by_another_threshold_than_the_models_own_the_share_accepted_is_not_compared() -> None:
    tally = Tally(read=900, digits=(90,) * 10, confidence_sum=900 * 100_000)
    figures = [[each.figure for each in differences(tally, known(), own_threshold=own)] for own in (True, False)]
    assert "accepted" in figures[0]
    assert figures[1] == [figure for figure in figures[0] if figure != "accepted"]


def test_a_model_that_was_validated_on_few_is_not_taken_at_its_word() -> None:
    few = 3 * 0.04 / math.sqrt(9)
    assert not replace(difference(0.1 + 0.99 * few, 10**9), known_count=9).is_notable
    assert replace(difference(0.1 + 1.01 * few, 10**9), known_count=9).is_notable


def test_the_same_digits_have_no_drift_and_every_figure_is_the_models(tmp_path: Path) -> None:
    sentences, page, manifest = drift_of(tmp_path, KNOWN_FRAMES, known())
    assert sentences == []
    assert "Nothing notable." in page
    assert isinstance(manifest, list)
    assert [each["figure"] for each in manifest][:6] == ["ink", "inked", "soft", "size", "confidence", "accepted"]
    for each in manifest:
        assert each["here"] == pytest.approx(each["model"], abs=2e-6)
        assert not each["notable"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda images: images // 3, "fainter or thinner strokes"),
        (lambda images: np.where(images >= 64, 255, 0).astype(np.uint8), "harder edges"),
        (lambda images: images[:, 4:24, 4:24].repeat(2, 1).repeat(2, 2)[:, 6:34, 6:34], "larger in their frames"),
    ],
    ids=["faint", "black and white", "enlarged"],
)
def test_what_came_in_otherwise_is_told_in_a_sentence(
    tmp_path: Path, change: Callable[[Images], Images], told: str
) -> None:
    sentences, page, _ = drift_of(tmp_path, np.ascontiguousarray(change(KNOWN_FRAMES)), known())
    assert any(told in sentence for sentence in sentences)
    assert told in page
    assert "Nothing notable." not in page


def test_a_digit_that_comes_too_often_is_named() -> None:
    figures = replace(known(), shares=(0.1,) * 10)
    tally = Tally(read=1000, digits=(60, 460, *(60,) * 8))
    (sentence,) = [each for each in notable(differences(tally, figures)) if "share" in each]
    assert sentence.startswith("share of the digit 1, 0-1: 0.46, where the model knows 0.1 (1.2 deviations more)")


def test_pages_have_no_frames_and_nothing_is_said_of_them() -> None:
    found = differences(Tally(read=2, digits=(1,) * 10, confidence_sum=10**7, sure=10), known())
    unknown = [each.figure for each in found if each.here is None]
    assert unknown == ["ink", "inked", "soft", "size"]
    nothing = differences(Tally(), known())
    assert notable(nothing) == []
    assert all(each.here is None for each in nothing)


def test_a_model_that_tells_no_figures_is_compared_with_nothing(tmp_path: Path) -> None:
    sentences, page, manifest = drift_of(tmp_path, KNOWN_FRAMES[:20], None)
    assert (sentences, manifest) == ([], None)
    assert "holds no figures of its inputs" in page


def test_the_command_tells_of_drift_on_stderr_and_in_json(digits_command: Callable[..., Ended], tmp_path: Path) -> None:
    source = sources.write_idx(tmp_path / "x-images", KNOWN_FRAMES // 3)
    model = model_file(tmp_path / "plain.onnx", known())
    told = digits_command("batch", source, "-o", "out", "--model", model, "--workers", 1, "--json")
    assert told.code == 0, told.err
    assert "drift: mean ink of a frame" in told.err
    drift = {each["figure"]: each for each in json.loads(told.out)["drift"]}
    assert drift["ink"]["notable"]
    assert drift["ink"]["here"] < drift["ink"]["model"]
