"""The view of a cell: the same for dark and for pale ink, on bright and on dark paper, of any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.cell_view import PAPER, SIDE, cell_view


def cell(paper: int, ink: int, height: int = 64, width: int = 64) -> np.ndarray:
    """A 7 in a cell with its lines: uint8 (H, W)."""
    grey = np.full((64, 64), paper, np.uint8)
    grey[:3] = grey[-3:] = ink
    grey[:, :3] = grey[:, -3:] = ink
    cv2.polylines(grey, [np.array([(22, 18), (42, 18), (30, 46)])], False, ink, 4, cv2.LINE_AA)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize(("paper", "ink"), [(250, 10), (200, 170), (90, 40), (255, 225)])
def test_ink_of_any_strength_looks_alike(paper: int, ink: int) -> None:
    """Compared with black on white, pixel by pixel."""
    found, expected = cell_view(cell(paper, ink)).astype(int), cell_view(cell(255, 0)).astype(int)
    assert np.abs(found - expected).mean() < 3
    assert abs(found[24, 5] - PAPER) <= 1


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 78), (40, 40), (128, 100)])
def test_cells_of_any_size_become_views_of_one(height: int, width: int) -> None:
    view = cell_view(cell(220, 40, height, width))
    assert view.shape == (SIDE, SIDE)
    assert np.abs(view.astype(int) - cell_view(cell(220, 40)).astype(int)).mean() < 12


def test_paper_alone_stays_paper_and_what_is_brighter_is_less() -> None:
    assert (cell_view(np.full((64, 64), 130, np.uint8)) == PAPER).all()
    glossy = np.full((64, 64), 130, np.uint8)
    glossy[20:30, 20:30] = 220
    assert cell_view(glossy)[18, 18] == 0


def test_a_grain_of_a_few_grey_levels_is_not_made_ink() -> None:
    rough = np.clip(np.random.default_rng(0).normal(200, 1, (64, 64)), 0, 255).astype(np.uint8)
    view = cell_view(rough)
    assert np.percentile(view, 95) < PAPER + 90
