"""Composed strips: the same however the work is shared out, and as they were after they were saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError, UsageError
from digit_recognizer.pictures.words.ctc import OTHER
from digit_recognizer.pictures.words.strips import HEIGHT
from digit_recognizer.sources.strokes import Drawing
from digit_recognizer.training.fonts import FontFace
from digit_recognizer.training.lines.compose import CHUNK, Strips, compose_strips
from digit_recognizer.training.ship.material import Ingredients
from tests.conftest import draw_digits
from tests.training.test_fonts import save_font


@pytest.fixture
def ingredients(tmp_path: Path) -> Ingredients:
    face = FontFace("Plain", "Regular", save_font(tmp_path / "plain.ttf", "Plain"))
    seven = Drawing(7, (np.array([[0, 0], [40, 0], [15, 80]], np.float32),))
    return Ingredients(draw_digits(30, seed=5), [seven], [face])


def same(one: Strips, other: Strips) -> bool:
    return all(np.array_equal(value, getattr(other, name)) for name, value in vars(one).items())


def test_strips_hold_runs_of_digits_and_of_other_characters(ingredients: Ingredients) -> None:
    strips = compose_strips(ingredients, 40, seed=0, workers=1)
    counts = np.bincount(strips.labels, minlength=OTHER + 1)
    assert len(strips) > 50
    assert (counts > 0).all()
    assert len(counts) == OTHER + 1
    assert max(len(strips.labels_of(number)) for number in range(len(strips))) >= 4
    assert strips.columns.shape[1] == HEIGHT


def test_centres_lie_in_their_strip_from_left_to_right(ingredients: Ingredients) -> None:
    strips = compose_strips(ingredients, 20, seed=1, workers=1)
    for number in range(len(strips)):
        centres = strips.centres_of(number)
        assert (np.diff(centres) >= 0).all()
        assert 0 <= centres[0] <= centres[-1] < strips.image(number).shape[1]
        assert len(centres) == len(strips.labels_of(number))


def test_two_processes_make_what_one_makes(ingredients: Ingredients) -> None:
    rows = 2 * CHUNK
    assert same(
        compose_strips(ingredients, rows, seed=4, workers=1), compose_strips(ingredients, rows, seed=4, workers=2)
    )


def test_another_seed_makes_other_strips(ingredients: Ingredients) -> None:
    assert not same(compose_strips(ingredients, 3, seed=0), compose_strips(ingredients, 3, seed=1))


def test_rows_that_follow_are_those_of_a_longer_writing(ingredients: Ingredients) -> None:
    longer = compose_strips(ingredients, 2 * CHUNK, seed=4, workers=1)
    first, rest = (compose_strips(ingredients, CHUNK, seed=4, first_row=row, workers=1) for row in (0, CHUNK))
    assert Strips.join([first, rest]).columns.tobytes() == longer.columns.tobytes()
    for senseless in (-CHUNK, CHUNK + 1):
        with pytest.raises(UsageError, match="first-row"):
            compose_strips(ingredients, 1, seed=4, first_row=senseless)


def test_without_fonts_and_drawings_digits_suffice() -> None:
    strips = compose_strips(Ingredients(draw_digits(10, seed=0)), 10, seed=0)
    assert len(strips) > 5


def test_without_labelled_digits_nothing_is_composed() -> None:
    with pytest.raises(InputError, match="labelled digits"):
        compose_strips(Ingredients(Digits(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64))), 1, seed=0)


def test_saved_strips_come_back_as_they_were(ingredients: Ingredients, tmp_path: Path) -> None:
    strips = compose_strips(ingredients, 5, seed=2)
    strips.save(tmp_path / "strips.npz")
    assert same(Strips.load(tmp_path / "strips.npz"), strips)


def test_what_is_no_file_of_strips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.npz"):
        Strips.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", columns=np.zeros((3, HEIGHT), np.uint8))
    with pytest.raises(InputError, match=r"other\.npz"):
        Strips.load(tmp_path / "other.npz")


def test_strips_that_do_not_fit_their_labels_are_refused() -> None:
    with pytest.raises(InputError, match="as many labels"):
        Strips(
            np.zeros((4, HEIGHT), np.uint8),
            np.array([0, 4]),
            np.zeros(2, np.uint8),
            np.zeros(1, np.float32),
            np.array([0, 2]),
        )


def test_joined_strips_are_those_of_all_parts_in_order(ingredients: Ingredients) -> None:
    first, second = (compose_strips(ingredients, 3, seed=seed) for seed in (0, 1))
    joined = Strips.join([first, second])
    assert len(joined) == len(first) + len(second)
    assert np.array_equal(joined.image(len(first)), second.image(0))
    assert joined.labels_of(len(first)) == second.labels_of(0)
    assert len(Strips.join([])) == 0
