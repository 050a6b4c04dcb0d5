"""A photo of a grid becomes its cells: the outline is found, straightened, and cut along the lines that are there.

Knows nothing of digits, nor of what stands in which cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.grids.grid_lines import (
    CELL,
    CELL_SEEN,
    CELLS_SEEN,
    EACH_SEEN,
    MOST_UNASKED,
    darkness,
    lines_down,
    shapes_of,
)
from digit_recognizer.pictures.grids.outlines import SMALLEST, evened, find_outlines, ground_pieces
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.coarseness import has_even_ground
from digit_recognizer.reading import Box, clipped

ALL_SEEN = 0.97  # share of the lines from which on more say no more

_SIDE = 1000  # pixels: the outline is looked for in a picture of this size
_TRIED = 24  # grids that are looked into at most
_SMOOTH = 2.0  # sigma, pixels of the small picture, against noise
_SEEN = 0.5  # share of the lines that must be found where they belong
_ASIDE = 8  # pixels from a line, of 64 a cell, where there is no line any more
_DEEP, _LEAST_DEEP = 0.4, 20  # share of the contrast in most cells that is ink; grey levels that count as contrast
_ALIKE, _PIECES = 1.4, 300  # times as broad and as tall, at most; the largest pieces are looked at

Side = Literal["left", "top", "right", "bottom"]
SIDES: tuple[Side, ...] = ("left", "top", "right", "bottom")

_Floats = npt.NDArray[np.float32]


class Grid(NamedTuple):
    """A straightened grid. grey: uint8 (rows * CELL, columns * CELL). to_picture: float (3, 3), from its pixels to the
    picture's. corners: float32 (4, 2), its outline there, (x, y). across, down: where the lines are, in pixels of
    ``grey``, columns + 1 and rows + 1 of them. size: (height, width) of the picture. seen: the share of its inner lines
    that were found, 0-1.
    """

    grey: Grey
    to_picture: npt.NDArray[np.float64]
    corners: npt.NDArray[np.float32]
    across: list[int]
    down: list[int]
    size: tuple[int, int]
    seen: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.down) - 1, len(self.across) - 1

    def cell(self, row: int, column: int) -> Grey:
        """One cell with the lines around it: uint8 (H, W)."""
        return self.grey[self.area(row, column)]

    def area(self, row: int, column: int) -> tuple[slice, slice]:
        """The rows and columns of ``grey`` that one cell takes, with the lines around it."""
        return slice(self.down[row], self.down[row + 1]), slice(self.across[column], self.across[column + 1])

    def middles(self) -> npt.NDArray[np.float64]:
        """Where the cells' middles lie in the picture, (x, y): float64 (rows, columns, 2)."""
        rows, columns = self.shape
        x, y = np.meshgrid(CELL * (np.arange(columns) + 0.5), CELL * (np.arange(rows) + 0.5))
        return np.asarray(cv2.perspectiveTransform(np.stack([x, y], axis=-1), self.to_picture), np.float64)

    def box(self, row: int, column: int, part: Box) -> Box:
        """Where a part of a cell, (x, y, w, h) in its pixels, lies in the picture, no more than what does."""
        x, y, width, height = part
        left, top = x + self.across[column], y + self.down[row]
        corners = np.array([[left, top], [left + width, top], [left, top + height], [left + width, top + height]])
        placed = cv2.perspectiveTransform(corners[None].astype(np.float64), self.to_picture)[0]
        x, y = np.floor(placed.min(0)).astype(int).tolist()
        right, bottom = np.ceil(placed.max(0)).astype(int).tolist()
        return clipped((x, y, right - x, bottom - y), self.size[1], self.size[0])


def find_grids(grey: Grey, shape: tuple[int, int] | None = None) -> Iterator[list[Grid]]:
    """What may be a grid of cells in a picture, as far as its lines tell: the likeliest first, at most 24 of each look.

    The picture is looked at as it is and, where its ground is uneven, in even light and without noise.

    grey: uint8 (H, W), dark lines on light ground. shape: (rows, columns) that are expected; None for any from 3 to 12
    a side.

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:30, 30:271] = 0
    >>> page[30:271, 30:272:30] = 0
    >>> next(find_grids(page))[0].shape
    (8, 8)
    """
    scale = min(1.0, _SIDE / max(grey.shape))
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    for look in _looks(small):
        likely: list[Grid] = []
        others: list[Grid] = []
        if shape is not None or _has_cells(look):
            for corners in find_outlines(look):
                first, *more = _straightened(grey, corners / scale, shape) or (None,)
                likely.extend([first] if first else [])
                others.extend(more)
        # Stable: the larger outlines come first.
        found = [*sorted(likely, key=_all_seen, reverse=True), *sorted(others, key=_all_seen, reverse=True)]
        yield found[:_TRIED]


def _all_seen(grid: Grid) -> float:
    """The share of its lines that were found, as far as it matters."""
    return min(grid.seen, ALL_SEEN)


def _looks(small: Grey) -> Iterator[Grey]:
    """The picture as it is and, where its ground is uneven, in even light, and without noise: each uint8 (H, W)."""
    yield small
    if not has_even_ground(small):
        even = evened(small)
        yield even
        yield np.asarray(cv2.GaussianBlur(even, (0, 0), _SMOOTH), np.uint8)


def find_grid(grey: Grey, shape: tuple[int, int] | None = None) -> Grid | None:
    """The likeliest grid of cells in a picture by its lines; None where there is none. Arguments as for ``find_grids``.

    >>> find_grid(np.full((300, 300), 255, np.uint8)) is None
    True
    """
    return next((grids[0] for grids in find_grids(grey, shape) if grids), None)


def crossed_cells(grid: Grid) -> npt.NDArray[np.bool_]:
    """The cells across a side of which ink runs, bool (rows, columns): on squared paper most do that hold any.

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:30, 30:271] = 0
    >>> page[30:271, 30:272:30] = 0
    >>> crossed_cells(find_grid(page)).any().item()
    False
    """
    dark = darkness(grid.grey)
    inner = [grid.cell(row, column) for row in range(grid.shape[0]) for column in range(grid.shape[1])]
    deep = [np.ptp(cell[_ASIDE:-_ASIDE, _ASIDE:-_ASIDE]) for cell in inner]
    least = _DEEP * max(_LEAST_DEEP, float(np.percentile(deep, 90)))
    crossed = np.zeros(grid.shape, np.bool_)
    for sides, cells in (
        (_crossed(dark, grid.across, grid.down, least), crossed),
        (_crossed(dark.T, grid.down, grid.across, least), crossed.T),
    ):
        cells[:, :-1] |= sides
        cells[:, 1:] |= sides
    return crossed


def _crossed(dark: _Floats, lines: list[int], ends: list[int], least: float) -> npt.NDArray[np.bool_]:
    """Which stretches of inner lines that run down are crossed, bool (rows, columns - 1): it is dark on both sides of
    them, at one height.
    """
    both = [np.minimum(dark[:, line - _ASIDE], dark[:, line + _ASIDE]) > least for line in lines[1:-1]]
    found = [[bool(one[top + _ASIDE : end - _ASIDE].any()) for one in both] for top, end in pairwise(ends)]
    return np.array(found, np.bool_).reshape(len(ends) - 1, len(lines) - 2)


def _has_cells(small: Grey) -> bool:
    """Whether lines enclose several pieces of ground, alike in size. Most pictures hold none, and the rest is saved."""
    boxes = ground_pieces(small, CELL_SEEN * SMALLEST * small.size / MOST_UNASKED**2)
    if len(boxes) < CELLS_SEEN:
        return False
    sides = np.log(boxes[np.argsort(-boxes[:, 2] * boxes[:, 3])[:_PIECES], 2:])
    alike = np.abs(sides[:, None] - sides[None]).max(axis=2) <= np.log(_ALIKE)
    return int(alike.sum(axis=1).max()) >= CELLS_SEEN


def _straightened(grey: Grey, corners: _Floats, shape: tuple[int, int] | None) -> list[Grid]:
    """The grids that may lie inside an outline."""
    if shape is not None:
        shapes, each = [shape], 0.0
    else:
        side = MOST_UNASKED * CELL
        flat, _ = _warped(grey, corners, side, side)
        shapes, each = shapes_of(flat), EACH_SEEN
    found = []
    for rows, columns in shapes:
        grid, across, down = cut_grid(grey, corners, rows, columns)
        if grid.seen >= _SEEN and all(np.mean(seen) >= each for seen in (across, down) if seen):
            found.append(grid)
    return found


def cut_grid(grey: Grey, corners: _Floats, rows: int, columns: int) -> tuple[Grid, list[bool], list[bool]]:
    """The grid of so many cells inside an outline; which of its inner lines are there that run down, and across."""
    flat, matrix = _warped(grey, corners, rows * CELL, columns * CELL)
    dark = darkness(evened(flat))
    across, seen_across = lines_down(dark, columns)
    down, seen_down = lines_down(dark.T, rows)
    seen = [*seen_across, *seen_down]
    share = float(np.mean(seen)) if seen else 1.0  # of a single cell there is the outline alone
    to_picture = np.asarray(np.linalg.inv(matrix), np.float64)
    return Grid(flat, to_picture, corners, across, down, (grey.shape[0], grey.shape[1]), share), seen_across, seen_down


def extended(grey: Grey, grid: Grid, side: Side) -> Grid | None:
    """The grid with another row or column on one side; None where no line ends it there, or the picture does.

    grey: the picture that the grid was found in, uint8 (H, W).

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:30, 30:271] = 0
    >>> page[30:271, 30:272:30] = 0
    >>> extended(page, find_grid(page), "left") is None
    True
    """
    rows, columns = grid.shape
    upright = side in ("left", "right")
    if (columns if upright else rows) >= MOST_UNASKED:
        return None
    # Two more are cut, so that the line that ends the first of them is an inner one.
    corners = _moved(grid, side, 2)
    _, seen_across, seen_down = cut_grid(grey, corners, rows + 2 * (not upright), columns + 2 * upright)
    seen = seen_across if upright else seen_down
    if not all(seen[:2] if side in ("left", "top") else seen[-2:]):
        return None
    corners = _moved(grid, side, 1)
    larger, *_ = cut_grid(grey, corners, rows + (not upright), columns + upright)
    height, width = grey.shape
    middles = larger.middles().reshape(-1, 2)
    return larger if ((middles >= 0) & (middles < (width, height))).all() else None


def _moved(grid: Grid, side: Side, cells: int) -> _Floats:
    """The outline of a grid, float32 (4, 2), with one side moved outward by so many cells."""
    rows, columns = grid.shape
    left, top, right, bottom = 0.0, 0.0, float(columns), float(rows)
    if side == "left":
        left -= cells
    elif side == "top":
        top -= cells
    elif side == "right":
        right += cells
    else:
        bottom += cells
    outline = CELL * np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    return np.asarray(cv2.perspectiveTransform(outline[None], grid.to_picture)[0], np.float32)


def _warped(grey: Grey, corners: _Floats, height: int, width: int) -> tuple[Grey, npt.NDArray[np.float64]]:
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8), np.asarray(matrix, np.float64)


__all__ = ["ALL_SEEN", "SIDES", "Grid", "Side", "crossed_cells", "cut_grid", "extended", "find_grid", "find_grids"]
