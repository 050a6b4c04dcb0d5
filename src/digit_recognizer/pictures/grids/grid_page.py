"""A picture of a grid with a digit in each cell becomes a Page, be the grid told of, or clearly meant.

Knows nothing of how grids are found, nor how a cell is read.
"""

from __future__ import annotations

from digit_recognizer.pictures.grids.cells import read_cells, shared_cells
from digit_recognizer.pictures.grids.chosen_grid import chosen_grid
from digit_recognizer.pictures.grids.grid import Grid, crossed_cells
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.means import Means, Scores
from digit_recognizer.reading import Page, Rejected

_FILLED = 0.15  # share of the cells that hold a digit in a grid that nobody told of: sudokus begin with 17 of 81
# Of 24 photographed grids 0.96 at least; tables of numbers 0.6 at most, of digits across squares 0.17 to 0.35.
_READABLE = 0.8  # mean confidence that a grid's digits have at least, 0 for ink that is none
_BARS = 0.6  # of a grid's digits that are 1s at most: the lines of bent squares look like these
# Cells that hold several: none on these photos and on 48 drawn grids; on 48 tables of 0 to 12 all but a few that do.
_SHARED = 0.02  # of the cells that hold ink, at most
_CROSSED = 0.1  # cells across a side of which ink runs there, for each of these digits, at most
_ONE_DIGIT = 0.9  # confidence from which on a cell counts neither as shared nor as crossed


def read_grid(grey: Grey, means: Means) -> Page | None:
    """Read the cells of a grid; None where nobody told of one and there is none that is meant.

    grey: uint8 (H, W). means: the grid that is told of is part of what is expected.

    >>> import numpy as np
    >>> from digit_recognizer.pictures.expectation import parse_expectation
    >>> means = Means(lambda frames: (np.zeros((len(frames), 10), np.float32), None), parse_expectation("9x9"))
    >>> read_grid(np.full((60, 80), 255, np.uint8), means).rejected[0].reason
    'expected a grid of 9 x 9 cells, found none'
    """
    expected = means.expectation.grid
    grid = chosen_grid(grey, expected, means.read_views)
    if grid is None:
        if expected is None:
            return None
        whole, (rows, columns) = (0, 0, grey.shape[1], grey.shape[0]), expected
        return Page((), (Rejected(whole, f"expected a grid of {rows} x {columns} cells, found none"),), means.name)
    told = expected is not None
    page, sure = read_cells(
        grid,
        means.answer,
        min_confidence=means.min_confidence,
        name=means.name,
        expected=told,
        find_ink=means.find_ink,
        read_views=means.read_views,
    )
    rows, columns = grid.shape
    if not told and not _holds_single_digits(grid, page, sure):
        return None
    means.watch("grid", grid)
    return page


def _holds_single_digits(grid: Grid, page: Page, sure: Scores) -> bool:
    """Whether a grid that nobody told of is meant for one digit a cell. page, sure: as read_cells gives them.

    Squared paper has cells, too, but digits lie across them, and not in each; a table's cells hold numbers.
    """
    rows, columns = grid.shape
    count = len(page.digits)
    inked = count + len(page.rejected)
    if count < _FILLED * rows * columns or sure.sum() < _READABLE * inked:
        return False
    if sum(digit.digit == 1 for digit in page.digits) > _BARS * count:
        return False
    doubted = sure < _ONE_DIGIT
    crossed, shared = (int((cells & doubted).sum()) for cells in (crossed_cells(grid), shared_cells(grid)))
    return crossed <= _CROSSED * count and shared <= _SHARED * inked


__all__ = ["read_grid"]
