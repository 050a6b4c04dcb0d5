"""Composed cells: labelled, the same however many work, dark ink where a digit is and none where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.cell_reader import EMPTY, OTHER
from digit_recognizer.digits import Digits
from digit_recognizer.errors import InputError
from digit_recognizer.pictures.cell_view import PAPER, cell_view
from digit_recognizer.training.cells.compose import Cells, compose_cells
from digit_recognizer.training.cells.scenes import cell_of
from digit_recognizer.training.ship.material import Ingredients
from tests.conftest import draw_digits

INGREDIENTS = Ingredients(draw_digits(30, seed=4))


def test_the_same_cells_come_from_one_process_and_from_two() -> None:
    alone = compose_cells(INGREDIENTS, 520, seed=3, workers=1)
    together = compose_cells(INGREDIENTS, 520, seed=3, workers=2)
    assert alone.pictures.shape == (520, 64, 64)
    assert (alone.pictures == together.pictures).all()
    assert (alone.labels == together.labels).all()


def test_other_seeds_give_other_cells() -> None:
    one, other = (compose_cells(INGREDIENTS, 4, seed=seed, workers=1) for seed in (0, 1))
    assert (one.pictures != other.pictures).any()


def test_every_digit_occurs_and_some_cells_hold_nothing_or_no_digit() -> None:
    labels = compose_cells(INGREDIENTS, 500, seed=0, workers=1).labels
    assert set(labels.tolist()) == set(range(10)) | {EMPTY, OTHER}
    assert 0.75 < (labels < 10).mean() < 0.9


def test_a_view_shows_ink_where_a_block_was_written_and_paper_where_none_was() -> None:
    block = np.full((60, 40), 255, np.uint8)
    written, empty = [], []
    for seed in range(60):
        written.append(cell_view(cell_of(block, (), np.random.default_rng(seed), printed=True))[20:28, 20:28].mean())
        empty.append(cell_view(cell_of(None, (), np.random.default_rng(seed)))[20:28, 20:28].mean())
    assert np.median(written) > PAPER + 100
    assert abs(np.median(empty) - PAPER) < 30


def test_without_labelled_digits_there_is_nothing_to_compose_from() -> None:
    with pytest.raises(InputError, match="found none"):
        compose_cells(Ingredients(Digits.join([])), 5, seed=0)


def test_cells_and_labels_must_be_as_many() -> None:
    with pytest.raises(InputError, match="one label per cell"):
        Cells(np.zeros((2, 64, 64), np.uint8), np.zeros(3, np.int64))
