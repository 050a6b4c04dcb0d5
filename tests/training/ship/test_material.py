"""Material: labelled frames composed of digits, drawings and fonts, the same however the work is shared out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.errors import InputError
from digit_recognizer.sources.strokes import Drawing
from digit_recognizer.training.fonts import FontFace
from digit_recognizer.training.ship.material import NO_DIGIT, Amounts, Ingredients, Material, compose
from digit_recognizer.training.ship.sprites import is_upright_bar
from tests.conftest import draw_digits
from tests.training.test_fonts import save_font


@pytest.fixture
def ingredients(tmp_path: Path) -> Ingredients:
    face = FontFace("Plain", "Regular", save_font(tmp_path / "plain.ttf", "Plain"))
    seven = Drawing(7, (np.array([[0, 0], [40, 0], [15, 80]], np.float32),))
    return Ingredients(draw_digits(30, seed=5), [seven], [face])


def test_every_source_gives_as_many_frames_as_asked_with_its_labels(ingredients: Ingredients) -> None:
    made = compose(ingredients, Amounts(digits=30, drawings=12, printed=20, no_digits=25), seed=0, workers=1)
    assert made.images.shape == (87, 28, 28)
    digits, drawings, printed, none = np.split(made.labels, [30, 42, 62])

    def are(found: np.ndarray, expected: np.ndarray | list[int]) -> float:
        """Share with the expected label; where the ink got lost a frame is no digit."""
        assert set(found[found != expected]) <= {NO_DIGIT}
        return float((found == expected).mean())

    assert are(digits, ingredients.digits.known_labels()) > 0.8
    assert are(drawings, [7] * 12) > 0.8
    assert are(printed, list(range(10)) * 2) > 0.8
    assert (none == NO_DIGIT).all()


def test_blank_frames_are_no_digits(ingredients: Ingredients) -> None:
    made = compose(ingredients, Amounts(60, 30, 30, 60), seed=3, workers=1)
    blank = ~made.images.any((1, 2))
    assert (made.labels[blank] == NO_DIGIT).all()


def test_two_processes_make_what_one_makes(ingredients: Ingredients) -> None:
    amounts = Amounts(digits=520, drawings=0, printed=0, no_digits=10)
    alone = compose(ingredients, amounts, seed=4, workers=1)
    shared = compose(ingredients, amounts, seed=4, workers=2)
    assert np.array_equal(alone.images, shared.images)
    assert np.array_equal(alone.labels, shared.labels)


def test_straight_strokes_are_ones_and_then_no_upright_bar_is_no_digit(ingredients: Ingredients) -> None:
    before = compose(ingredients, Amounts(0, 0, 0, 400), seed=2, workers=1)
    after = compose(ingredients, Amounts(0, 0, 0, 400, straight=40), seed=2, workers=1)
    assert any(is_upright_bar(frame) for frame in before.images)
    assert not any(is_upright_bar(frame) for frame in after.images[:400])
    assert set(after.labels[400:]) <= {1, NO_DIGIT}
    assert (after.labels[400:] == 1).mean() > 0.9


def test_print_out_of_focus_has_fewer_steep_edges(ingredients: Ingredients) -> None:
    sharp, soft = (
        compose(ingredients, Amounts(0, 0, 80, 0, out_of_focus=share), seed=1, workers=1).images.astype(int)
        for share in (0.0, 1.0)
    )
    assert (np.abs(np.diff(soft, axis=2)) > 128).mean() < 0.8 * (np.abs(np.diff(sharp, axis=2)) > 128).mean()


def test_another_seed_makes_other_frames(ingredients: Ingredients) -> None:
    first, second = (compose(ingredients, Amounts(10, 0, 0, 0), seed, workers=1) for seed in (0, 1))
    assert not np.array_equal(first.images, second.images)


def test_what_is_wanted_but_missing_is_named() -> None:
    digits = draw_digits(3, seed=0)
    with pytest.raises(InputError, match="pen drawings"):
        compose(Ingredients(digits), Amounts(0, 1, 0, 0), 0)
    with pytest.raises(InputError, match="fonts"):
        compose(Ingredients(digits), Amounts(0, 0, 1, 0), 0)


def test_without_fonts_letters_are_left_out_and_the_rest_is_made() -> None:
    made = compose(Ingredients(draw_digits(10, seed=0)), Amounts(0, 0, 0, 40), 0, workers=1)
    assert (made.labels == NO_DIGIT).all()
    assert made.images.any((1, 2)).sum() > 30


def test_material_needs_a_label_for_every_frame() -> None:
    with pytest.raises(InputError, match="one label per frame"):
        Material(np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.int64))
