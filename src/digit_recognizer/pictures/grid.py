"""A photo of a grid becomes its cells: the outline is found, straightened, and cut along the lines that are there.

Knows nothing of digits, nor of what stands in which cell.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey
from digit_recognizer.reading import Box, clipped

CELL = 64  # pixels of a cell in the straightened grid

_SIDE = 1000  # pixels: the outline is looked for in a picture of this size
_SMALLEST = 0.12  # share of the picture that a grid covers at least
_CELL_FROM, _CELL_TO = 4e-4, 0.25  # of the picture that a cell covers, or several whose lines between are faint
_SAME = 4  # pixels between the corners of outlines that are one
_OUTLINES = 10  # the largest ones are tried
_SEEN = 0.7  # share of the lines that must be found where they belong
_REACH = 0.2  # of a cell: how far from its place a line is looked for
_FINER = 0.85  # share of the lines between, from which on a grid is finer than was counted
_ASIDE = 8  # pixels from a line, of 64 a cell, where there is no line any more
_DEEP, _LEAST_DEEP = 0.4, 20  # share of the contrast in most cells that is ink; grey levels that count as contrast
_MOST_UNASKED = 12  # cells a side of a grid that nobody told of
_CELLS_SEEN = 6  # of its nine cells at least; where lines are broken, cells flow together
_CELL_SEEN = 0.3  # share of the smallest cell that the ground inside one must have
_LINE_WIDTH = 8  # pixels of a line, of _MOST_UNASKED cells a side, with the shade beside it that is no ground
_IN_PLACE = 0.5  # what a piece of ground and a cell's place have in common, of both, where the one fills the other
_PLACES_FILLED = 0.5  # share of the places that ground fills where a page is bent, so that no line is straight

_Floats = npt.NDArray[np.float32]


class Grid(NamedTuple):
    """A straightened grid. grey: uint8 (rows * CELL, columns * CELL). to_picture: float (3, 3), from its pixels to the
    picture's. across, down: where the lines are, in pixels of ``grey``, columns + 1 and rows + 1 of them.
    size: (height, width) of the picture.
    """

    grey: Grey
    to_picture: npt.NDArray[np.float64]
    across: list[int]
    down: list[int]
    size: tuple[int, int]

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

    def box(self, row: int, column: int, part: Box) -> Box:
        """Where a part of a cell, (x, y, w, h) in its pixels, lies in the picture, no more than what does."""
        x, y, width, height = part
        left, top = x + self.across[column], y + self.down[row]
        corners = np.array([[left, top], [left + width, top], [left, top + height], [left + width, top + height]])
        placed = cv2.perspectiveTransform(corners[None].astype(np.float64), self.to_picture)[0]
        x, y = np.floor(placed.min(0)).astype(int).tolist()
        right, bottom = np.ceil(placed.max(0)).astype(int).tolist()
        return clipped((x, y, right - x, bottom - y), self.size[1], self.size[0])


def find_grid(grey: Grey, shape: tuple[int, int] | None = None) -> Grid | None:
    """Find a grid of cells in a picture; None where there is none.

    grey: uint8 (H, W), dark lines on light ground. shape: (rows, columns) that are expected; None for any from 3 to 12
    a side whose lines are all there.

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:30, 30:271] = 0
    >>> page[30:271, 30:272:30] = 0
    >>> find_grid(page).shape
    (8, 8)
    """
    scale = min(1.0, _SIDE / max(grey.shape))
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    if shape is None and not _has_cells(small):
        return None
    best: tuple[float, Grid] | None = None
    for corners in _outlines(small):
        found = _straightened(grey, corners / scale, shape)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
            if found[0] > 0.97:
                break
    return None if best is None else best[1]


def crossed_sides(grid: Grid) -> int:
    """How many sides of cells ink runs across: on squared paper most digits do, in a grid of cells hardly one does.

    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:30, 30:271] = 0
    >>> page[30:271, 30:272:30] = 0
    >>> crossed_sides(find_grid(page))
    0
    """
    dark = _darkness(grid.grey)
    inner = [grid.cell(row, column) for row in range(grid.shape[0]) for column in range(grid.shape[1])]
    deep = [np.ptp(cell[_ASIDE:-_ASIDE, _ASIDE:-_ASIDE]) for cell in inner]
    least = _DEEP * max(_LEAST_DEEP, float(np.percentile(deep, 90)))
    return _crossed(dark, grid.across, grid.down, least) + _crossed(dark.T, grid.down, grid.across, least)


def _crossed(dark: _Floats, lines: list[int], ends: list[int], least: float) -> int:
    """How many stretches of lines that run down are crossed: where it is dark on both sides of one, at one height."""
    count = 0
    for line in lines[1:-1]:
        both = np.minimum(dark[:, line - _ASIDE], dark[:, line + _ASIDE]) > least
        count += sum(bool(both[top + _ASIDE : end - _ASIDE].any()) for top, end in pairwise(ends))
    return count


def _has_cells(small: Grey) -> bool:
    """Whether lines enclose several pieces of ground. On most pictures they do not, and all else is saved."""
    return len(_ground(small, _CELL_SEEN * _SMALLEST * small.size / _MOST_UNASKED**2)) >= _CELLS_SEEN


def _ground(small: Grey, least: float) -> npt.NDArray[np.int64]:
    """The pieces of ground that lines enclose, of ``least`` pixels and more: boxes (x, y, w, h), int64 (N, 4)."""
    flat = cv2.GaussianBlur(small, (5, 5), 0)
    dark = cv2.adaptiveThreshold(flat, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 4)
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(dark), connectivity=4)
    return stats[1:][stats[1:, cv2.CC_STAT_AREA] >= least, :4].astype(np.int64)


def _outlines(small: Grey) -> list[_Floats]:
    """Large four-sided outlines, their corners clockwise from the upper left: float32 (4, 2)."""
    found: list[_Floats] = []
    flat = cv2.GaussianBlur(small, (5, 5), 0)
    length = max(3, round(max(small.shape) / 25))
    for window, close in ((25, 3), (51, 7), (25, 0)):
        dark = cv2.adaptiveThreshold(flat, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 4)
        if close:
            dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((close, close), np.uint8))
        else:  # lines alone, where text around the grid touches it
            along = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
            dark = cv2.max(along, cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8)))
            dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        for mask in (dark, _cells(np.asarray(dark, np.uint8))):
            outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
            large = [hull for hull in map(cv2.convexHull, outlines) if cv2.contourArea(hull) >= _SMALLEST * small.size]
            for hull in sorted(large, key=cv2.contourArea, reverse=True)[:_OUTLINES]:
                corners = _corners(np.asarray(hull, np.int32))
                if corners is not None and all(np.abs(corners - other).max() > _SAME for other in found):
                    found.append(corners)
    return found


def _cells(dark: Grey) -> Grey:
    """What lies between the lines, grown until it meets: uint8 (H, W). Lines that run on beyond a grid are no part."""
    light = cv2.bitwise_not(dark)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(light, connectivity=4)
    box = stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
    area = stats[:, cv2.CC_STAT_AREA]
    kept = (area >= _CELL_FROM * dark.size) & (box <= _CELL_TO * dark.size) & (area >= 0.25 * box)
    kept &= np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= max(dark.shape) / 100
    kept[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False  # the paper around
    side = 2 * round(max(dark.shape) / 250) + 3
    return np.asarray(cv2.dilate(kept[labels].view(np.uint8), np.ones((side, side), np.uint8)), np.uint8)


def _corners(hull: npt.NDArray[np.int32]) -> _Floats | None:
    """The four corners of an outline, clockwise from the upper left, float32 (4, 2); None where it has more."""
    for bend in (0.02, 0.04, 0.07):
        corners = cv2.approxPolyDP(hull, bend * cv2.arcLength(hull, True), True)
        if len(corners) == 4:
            return _clockwise(corners[:, 0, :].astype(np.float32))
    return None


def _clockwise(corners: _Floats) -> _Floats:
    total, difference = corners.sum(axis=1), corners[:, 1] - corners[:, 0]
    order = [int(total.argmin()), int(difference.argmin()), int(total.argmax()), int(difference.argmax())]
    return corners[order]


def _straightened(grey: Grey, corners: _Floats, shape: tuple[int, int] | None) -> tuple[float, Grid] | None:
    """The grid inside an outline and the share of its lines that were found, 0-1; None where they are too few."""
    if shape is None:
        side = _MOST_UNASKED * CELL
        flat, _ = _warped(grey, corners, side, side)
        shape = _counted_by_lines(flat) or _counted_by_cells(flat)
        if shape is None:
            return None
    rows, columns = shape
    flat, matrix = _warped(grey, corners, rows * CELL, columns * CELL)
    dark = _darkness(flat)
    across, seen_across = _lines(_profile(dark), columns)
    down, seen_down = _lines(_profile(dark.T), rows)
    between = rows + columns - 2  # of a single cell there is the outline alone
    seen = (seen_across * (columns - 1) + seen_down * (rows - 1)) / between if between else 1.0
    if seen < _SEEN:
        return None
    to_picture = np.asarray(np.linalg.inv(matrix), np.float64)
    return seen, Grid(flat, to_picture, across, down, (grey.shape[0], grey.shape[1]))


def _warped(grey: Grey, corners: _Floats, height: int, width: int) -> tuple[Grey, npt.NDArray[np.float64]]:
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8), np.asarray(matrix, np.float64)


def _darkness(flat: Grey) -> _Floats:
    """How much darker each pixel is than its surroundings: float32 (H, W)."""
    light = cv2.blur(flat, (CELL // 2, CELL // 2)).astype(np.float32)
    return np.asarray(np.maximum(light - flat, 0), np.float32)


def _profile(dark: _Floats) -> _Floats:
    """How dark each column is all along: float32 (W,). Of digits the median sees nothing."""
    rows = dark[::3]
    return np.asarray(np.minimum(np.median(rows, axis=0), np.quantile(rows, 0.35, axis=0) * 2 + 1), np.float32)


def _lines(profile: _Floats, count: int) -> tuple[list[int], float]:
    """Where the lines of ``count`` cells run down a straightened grid, count + 1 columns; the share of them found.

    profile: float32 (W,), as _profile gives it.
    """
    width = len(profile)
    cell = width / count
    reach = max(2, round(_REACH * cell))
    places, seen = [0], 0
    for line in range(1, count):
        at = round(line * cell)
        near = profile[at - reach : at + reach + 1]
        peak = int(near.argmax())
        middle = [profile[round(at + side * cell / 2) - reach // 2 : round(at + side * cell / 2) + reach // 2 + 1].max()
                  for side in (-1, 1)]  # fmt: skip
        if near[peak] > max(middle) + 2:
            seen += 1
            # A broad line's middle.
            level = np.flatnonzero(near >= 0.7 * near[peak])
            places.append(at - reach + round(float(level.mean())))
        else:
            places.append(at)
    return [*places, width], seen / max(1, count - 1)


def _counted_by_lines(flat: Grey) -> tuple[int, int] | None:
    """(rows, columns) by the lines that are there; None where they are no clear grid.

    flat: uint8 (H, H), what lies inside an outline, straightened to _MOST_UNASKED cells a side.
    """
    dark = _darkness(flat)
    counts = []
    for seen_from in (_profile(dark.T), _profile(dark)):
        all_there = [count for count in range(3, _MOST_UNASKED + 1) if _lines(seen_from, count)[1] == 1]
        # Of finer grids every second or third line would be seen.
        if not all_there or max(_lines(seen_from, times * max(all_there))[1] for times in (2, 3)) > _FINER:
            return None
        counts.append(max(all_there))
    return counts[0], counts[1]


def _counted_by_cells(flat: Grey) -> tuple[int, int] | None:
    """(rows, columns) by the pieces of ground between the lines, which a bent page leaves nearly in their places; None
    where these are no cells. flat: as for ``_counted_by_lines``.
    """
    side = len(flat)
    boxes = _ground(flat, _CELL_SEEN * CELL**2)
    if len(boxes) < _CELLS_SEEN:
        return None
    columns, rows = (round(side / (float(np.median(boxes[:, size])) + _LINE_WIDTH)) for size in (2, 3))
    if not (3 <= columns <= _MOST_UNASKED and 3 <= rows <= _MOST_UNASKED):
        return None
    width, height = side / columns, side / rows
    left, top = (places.ravel() for places in np.meshgrid(np.arange(columns) * width, np.arange(rows) * height))
    x, y, broad, tall = boxes.T[:, :, None]  # (N, 1) each, against (rows * columns,)
    common_across = np.minimum(x + broad, left + width) - np.maximum(x, left)
    common_down = np.minimum(y + tall, top + height) - np.maximum(y, top)
    common = np.maximum(common_across, 0) * np.maximum(common_down, 0)
    filled = common / (broad * tall + width * height - common) > _IN_PLACE  # intersection over union
    return (rows, columns) if filled.any(0).mean() >= _PLACES_FILLED else None


__all__ = ["CELL", "Grid", "crossed_sides", "find_grid"]
