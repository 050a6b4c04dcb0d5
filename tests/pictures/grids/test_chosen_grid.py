"""What goes on beyond an outline belongs to its grid where its cells make sense, the fewer digits the more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.cell_reader import EMPTY, OUTPUTS
from digit_recognizer.pictures.grids.chosen_grid import grown_grid
from digit_recognizer.pictures.grids.grid import cut_grid, find_grid

Views = npt.NDArray[np.uint8]


def half_found() -> tuple[npt.NDArray[np.uint8], object]:
    """A page with a grid of five rows and four columns, and the grid without its last column."""
    page = np.full((360, 300), 230, np.uint8)
    page[30:331:60, 30:271] = page[30:331, 30:271:60] = 60
    for row in range(5):
        for column in range(4):
            page[48 + 60 * row : 72 + 60 * row, 54 + 60 * column : 58 + 60 * column] = 90
    whole = find_grid(page)
    assert whole is not None
    assert whole.shape == (5, 4)
    part, *_ = cut_grid(page, whole.corners + np.array([[0, 0], [-60, 0], [-60, 0], [0, 0]], np.float32), 5, 3)
    return page, part


@pytest.mark.parametrize(
    ("digits", "evidence", "is_part"),
    [
        ([3, 5, 7, 1, 4], 0.85, True),
        ([3, 5, 7, 1, 4], 0.75, False),
        ([3, 5, EMPTY, EMPTY, EMPTY], 0.97, True),
        ([3, 5, EMPTY, EMPTY, EMPTY], 0.88, False),  # two corners of a frame that stands beside the grid
        ([1, 1, 1, 1, 1], 0.97, False),  # bars
        ([EMPTY] * 5, 0.97, False),
    ],
)
def test_a_column_beyond_the_outline_belongs_to_the_grid_where_its_cells_make_sense(
    digits: list[int], evidence: float, is_part: bool
) -> None:
    page, part = half_found()

    def read_views(views: Views) -> npt.NDArray[np.float32]:
        said = np.full((len(views), OUTPUTS), (1 - evidence) / (OUTPUTS - 1), np.float32)
        said[np.arange(len(views)), (digits * len(views))[: len(views)]] = evidence
        return said

    assert grown_grid(page, part, read_views).shape == (5, 4 if is_part else 3)  # type: ignore[arg-type]
