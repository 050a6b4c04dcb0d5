"""Of several grids that may lie in a picture the one whose cells make most sense is taken, and what it lacks is added.

Lines alone do not tell a grid from every third of its lines, which may be heavier, nor from one of its parts, which a
shadow may have cut off: what a network sees in the cells does.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.cell_view import cell_view
from digit_recognizer.pictures.grids.grid import ALL_SEEN, SIDES, Grid, Side, extended, find_grid, find_grids
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.means import ReadViews

_ASKED = 27  # cells of a grid that are looked at, about
_EVERY = 3  # or those on every third diagonal
_CLEAR, _FILLED = 0.9, 0.1  # mean evidence and share of digits from which on the picture is not looked at otherwise
_CERTAIN = 0.95  # mean evidence from which on the largest outline is taken at once, if all its lines are there
# Mean evidence of the cells beyond an outline from which on they are part of its grid, where half of them hold digits,
# and where fewer do: of 20 rows and columns that were, all full, 0.82 to 0.995, of 57 that were none, most nearly
# empty, 0.63 to 0.91 (changed photographs of full grids).
_GOES_ON, _GOES_ON_SPARSE = 0.8, 0.93
_HALF = 0.5
_NEARLY = 0.8  # of the largest outline's area that counts as the largest
_POWER = 4  # of the evidence: cells that fit count for more than more digits


def chosen_grid(grey: Grey, shape: tuple[int, int] | None, read_views: ReadViews | None) -> Grid | None:
    """The grid of a picture; None where there is none.

    grey, shape: as for find_grids. read_views: a cell reader; None where there is none, and lines alone tell.

    >>> chosen_grid(np.full((300, 300), 255, np.uint8), None, None) is None
    True
    """
    if read_views is None:
        return find_grid(grey, shape)
    best, worth, clear = _best(grey, shape, read_views)
    if shape is None:
        return best and grown_grid(grey, best, read_views)
    if not clear:  # what is found without being told, and grown, may be the grid that was told of
        other, other_worth, _ = _best(grey, None, read_views)
        other = other and grown_grid(grey, other, read_views)
        if other is not None and other.shape == shape and other_worth > worth:
            return other
    return best


def _best(grey: Grey, shape: tuple[int, int] | None, read_views: ReadViews) -> tuple[Grid | None, float, bool]:
    """The grid that makes most sense, how much that is, and whether it is clear."""
    best, most, clear = None, -1.0, False
    for grids in find_grids(grey, shape):
        largest = max((cv2.contourArea(grid.corners) for grid in grids), default=0.0)
        for grid in grids:
            rows, columns = grid.shape
            places = [(row, column) for row in range(rows) for column in range(columns)]
            if len(places) > _ASKED:
                places = [(row, column) for row, column in places if (row + column) % _EVERY == 0]
            sense, share = _sense(_said(grid, places, read_views))
            worth = sense**_POWER * share * rows * columns * grid.seen
            if worth > most:
                best, most, clear = grid, worth, sense >= _CLEAR and share >= _FILLED
                large = cv2.contourArea(grid.corners) >= _NEARLY * largest
                if clear and large and sense >= _CERTAIN and grid.seen >= ALL_SEEN:
                    break
        if clear:
            break
    return best, most, clear


def grown_grid(grey: Grey, grid: Grid, read_views: ReadViews) -> Grid:
    """The grid with what goes on beyond its outline: rows and columns that a line ends, with digits in their cells."""
    sides = list(SIDES)
    while sides:
        larger = extended(grey, grid, sides[0])
        if larger is None or not _goes_on(larger, sides[0], read_views):
            sides.pop(0)
        else:
            grid = larger
    return grid


def _goes_on(grid: Grid, side: Side, read_views: ReadViews) -> bool:
    """Whether the outermost cells on a side hold digits, or nothing; bars beside a grid look like a column of 1s."""
    said = _said(grid, _outer_cells(grid, side), read_views)
    sense, share = _sense(said)
    digits = said[said[:, :CLASSES].max(axis=1) > 0.5].argmax(axis=1)
    least = _GOES_ON if share >= _HALF else _GOES_ON_SPARSE
    return sense >= least and share >= _FILLED and bool((digits != digits[:1]).any())


def _outer_cells(grid: Grid, side: Side) -> list[tuple[int, int]]:
    rows, columns = grid.shape
    if side in ("left", "right"):
        return [(row, 0 if side == "left" else columns - 1) for row in range(rows)]
    return [(0 if side == "top" else rows - 1, column) for column in range(columns)]


def _said(grid: Grid, places: Sequence[tuple[int, int]], read_views: ReadViews) -> npt.NDArray[np.float32]:
    return read_views(np.stack([cell_view(grid.cell(*place)) for place in places]))


def _sense(said: npt.NDArray[np.float32]) -> tuple[float, float]:
    """How surely cells hold one digit each, or nothing, and the share that hold one: means, 0-1."""
    return float(said[:, : CLASSES + 1].max(axis=1).mean()), float(said[:, :CLASSES].sum(axis=1).mean())


__all__ = ["chosen_grid", "grown_grid"]
