"""Boxes that a form has printed for single digits, apart from each other in rows, become cells, each straightened.

Knows nothing of digits, nor of what stands in which box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.grids.grid_lines import CELL
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.paper import shrunk
from digit_recognizer.reading import Box

_SIDE = 1000  # pixels of the page in which boxes are looked for
_THINNER = (11, 25)  # pixels: lines and strokes are
_LEAST_DEEP = 14  # grey levels by which they differ from their ground
_FEWEST = 3  # boxes in a row
_LOWEST = 14  # pixels of a box's inside there
_BROAD = (0.5, 1.8)  # times it is as broad as tall
_MOST_TURN = 15.0  # degrees
_RECTANGULAR = (
    0.88  # of the smallest rectangle around a box's inside that it fills, what a digit takes from it included
)
_OPEN = 0.5  # of that, without
# In heights of a row's boxes.
_ALIKE = 0.15  # that their heights and widths differ at most
_LEVEL = 0.3  # and their middles, from one to the next
_APART = 1.0  # between two boxes of a row at most
# Boxes that share a line are a table or a comb, whose fields may hold whole numbers.
_TWO_LINES = 1.7  # line widths between the insides of boxes that are apart, at least
_PITCH = 0.2  # share of the step from box to box by which one that is missing may lie elsewhere

_DRAWN = 0.8  # share of the lines around a box that are found where they should be

_Mask = npt.NDArray[np.bool_]
_Points = npt.NDArray[np.float32]


class BoxRow(NamedTuple):
    """A row of boxes, from left to right. grey: uint8 (CELL, N * CELL), their insides and lines, straightened, dark on
    light.

    corners: float32 (N, 4, 2), where each lies on the page, (x, y), clockwise from the upper left. line: how broad the
    lines are, in pixels of the page.
    """

    grey: Grey
    corners: _Points
    line: float

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns): one row."""
        return 1, len(self.corners)

    def cell(self, row: int, column: int) -> Grey:
        """One box with its lines: uint8 (CELL, CELL)."""
        return self.grey[self.area(row, column)]

    def area(self, row: int, column: int) -> tuple[slice, slice]:
        """The rows and columns of ``grey`` that one box takes."""
        return slice(0, CELL), slice(column * CELL, (column + 1) * CELL)

    def box(self, row: int, column: int, part: Box) -> Box:
        """Where a part of a box, (x, y, w, h) in its pixels, lies on the page."""
        x, y, width, height = part
        matrix = cv2.getPerspectiveTransform(_SQUARE, self.corners[column])
        ends = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]], np.float32)
        placed = cv2.perspectiveTransform(ends[None], matrix)[0]
        left, top = np.floor(placed.min(0)).astype(int).tolist()
        right, bottom = np.ceil(placed.max(0)).astype(int).tolist()
        return left, top, right - left, bottom - top

    def height(self) -> float:
        """How tall most boxes are, in pixels of the page."""
        return float(np.median(np.linalg.norm(self.corners[:, 3] - self.corners[:, 0], axis=1)))

    def gaps(self) -> npt.NDArray[np.float64]:
        """How far each box is from the next one, in pixels of the page: float64 (N - 1,)."""
        left, right = self.corners[:, [0, 3], 0].mean(axis=1), self.corners[:, [1, 2], 0].mean(axis=1)
        return np.asarray(left[1:] - right[:-1], np.float64)


_SQUARE = np.array([[0, 0], [CELL, 0], [CELL, CELL], [0, CELL]], np.float32)


def find_box_rows(grey: Grey) -> list[BoxRow]:
    """The rows of boxes on a page, from top to bottom, of three boxes and more each.

    grey: uint8 (H, W), dark lines on light ground or light ones on dark.

    >>> page = np.full((60, 200), 255, np.uint8)
    >>> for x in (10, 50, 90, 130):
    ...     page = cv2.rectangle(page, (x, 10), (x + 30, 44), 0, 2)
    >>> [row.shape for row in find_box_rows(page)]
    [(1, 4)]
    """
    small, scale = shrunk(grey, _SIDE)
    most: list[BoxRow] = []
    for whole, look in ((grey, small), (255 - grey, 255 - small)):
        for mask in _masks(look):
            rows = [
                _straightened(whole, [inside.corners / scale for inside in row], line / scale)
                for row, line in _rows_apart(mask)
            ]
            most = max(most, rows, key=lambda rows: sum(len(row.corners) for row in rows))
    return most


def _masks(grey: Grey) -> Iterator[_Mask]:
    """What is thinner than so many pixels and darker than all around it: bool (H, W)."""
    for side in _THINNER:
        depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((side, side), np.uint8))
        level, _ = cv2.threshold(depth, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        yield depth > max(_LEAST_DEEP, level)


def _rows_apart(mask: _Mask) -> Iterator[tuple[list[_Inside], float]]:
    """The rows of boxes that are apart, and how broad their lines are."""
    taken: list[_Points] = []
    for row in _rows(_insides(mask)):
        line = _line_width(mask, row)
        middle = row[0].corners.mean(axis=0).tolist()
        if any(cv2.pointPolygonTest(quad, middle, measureDist=False) > 0 for quad in taken):
            continue  # it goes on in a row that was found before
        if min(other.left - one.right for one, other in pairwise(row)) >= _TWO_LINES * line:
            whole = _completed(row, mask)
            taken += [inside.corners for inside in whole]
            yield whole, line


def _straightened(grey: Grey, row: Sequence[_Points], line: float) -> BoxRow:
    corners = np.stack([_grown(quad, line / 2) for quad in row])
    size, border = (CELL, CELL), cv2.BORDER_REPLICATE
    turns = [cv2.getPerspectiveTransform(quad, _SQUARE) for quad in corners]
    cells = [cv2.warpPerspective(grey, turn, size, flags=cv2.INTER_AREA, borderMode=border) for turn in turns]
    return BoxRow(np.asarray(np.hstack(cells), np.uint8), corners, line)


def covered(rows: Sequence[BoxRow], shape: tuple[int, int]) -> _Mask:
    """Where boxes are on a page of that shape, with their lines: bool (H, W)."""
    found = np.zeros(shape, np.uint8)
    for row in rows:
        for quad in row.corners:
            cv2.fillConvexPoly(found, np.rint(_grown(quad, 1.5 * row.line + 2)).astype(np.int32), 1)
    return found.view(np.bool_)


class _Inside(NamedTuple):
    """The inside of a box. corners: float32 (4, 2), clockwise from the upper left. Its sides' middles are left, right,
    top and bottom.
    """

    corners: _Points
    left: float
    right: float
    top: float
    bottom: float


def _inside(corners: _Points) -> _Inside:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners.tolist()
    return _Inside(corners, (x0 + x3) / 2, (x1 + x2) / 2, (y0 + y1) / 2, (y2 + y3) / 2)


def _insides(mask: _Mask) -> list[_Inside]:
    """The holes of a mask that are rectangles, or would be without what a digit takes from them."""
    contours, hierarchy = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour, (_, _, _, parent) in zip(contours, hierarchy[0] if len(contours) else [], strict=True):
        _, _, width, height = cv2.boundingRect(contour)
        if parent < 0 or height < _LOWEST or not _BROAD[0] <= width / height <= _BROAD[1]:
            continue
        hull = cv2.convexHull(contour)
        quad = _upright(np.asarray(cv2.boxPoints(cv2.minAreaRect(hull)), np.float32))
        area = cv2.contourArea(quad)
        turn = np.degrees(np.arctan2(*(quad[1] - quad[0])[::-1]))
        if (
            abs(turn) > _MOST_TURN
            or cv2.contourArea(hull) < _RECTANGULAR * area
            or cv2.contourArea(contour) < _OPEN * area
        ):
            continue
        found.append(_inside(quad))
    return found


def _upright(points: _Points) -> _Points:
    """Four corners, clockwise from the upper left."""
    order = np.argsort(points[:, 1], kind="stable")
    upper, lower = points[order[:2]], points[order[2:]]
    upper, lower = upper[np.argsort(upper[:, 0])], lower[np.argsort(-lower[:, 0])]
    return np.asarray(np.vstack([upper, lower]), np.float32)


def _rows(insides: Sequence[_Inside]) -> list[list[_Inside]]:
    """Boxes alike in rows, from left to right; rows of fewer than three are left out."""
    rows: list[list[_Inside]] = []
    for inside in sorted(insides, key=lambda one: one.left):
        for row in rows:
            if _follows(row[-1], inside):
                row.append(inside)
                break
        else:
            rows.append([inside])
    kept = [row for row in rows if len(row) >= _FEWEST]
    return sorted(kept, key=lambda row: row[0].top)


def _follows(one: _Inside, other: _Inside) -> bool:
    height, width = one.bottom - one.top, one.right - one.left
    alike = max(abs(other.bottom - other.top - height), abs(other.right - other.left - width)) <= _ALIKE * height
    level = abs(other.top - one.top) <= _LEVEL * height
    return alike and level and -2 < other.left - one.right <= _APART * height + width


def _line_width(mask: _Mask, row: Sequence[_Inside]) -> float:
    """How broad the lines of a row's boxes are, above and below their middles, in pixels."""
    widths = []
    for inside in row:
        x = min(mask.shape[1] - 1, max(0, round((inside.left + inside.right) / 2)))
        for column in (mask[: max(0, round(inside.top))][::-1, x], mask[round(inside.bottom) + 1 :, x]):
            inked = np.flatnonzero(column[:_LOWEST])
            if len(inked) and inked[0] <= 2:
                run = column[inked[0] :]
                widths.append(int(np.argmin(run)) if not run.all() else len(run))
    return float(np.median(widths)) if widths else 1.0


def _completed(row: Sequence[_Inside], mask: _Mask) -> list[_Inside]:
    """The row with the boxes that are missing between others and at its ends, where their lines are drawn all the same:
    a digit may have cut their insides in two.
    """
    thick = np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)
    step = min(other.left - one.left for one, other in pairwise(row))
    result = [row[0]]
    for one, other in pairwise(row):
        count = round((other.left - one.left) / step)
        if abs(other.left - one.left - count * step) <= _PITCH * step:
            shares = [place / count for place in range(1, count)]
            between = [_inside((1 - share) * one.corners + share * other.corners) for share in shares]
            result += [inside for inside in between if _is_drawn(thick, inside)]
        result.append(other)
    while _is_drawn(thick, before := _beyond(result[0], result[1])):
        result.insert(0, before)
    while _is_drawn(thick, after := _beyond(result[-1], result[-2])):
        result.append(after)
    return result


def _beyond(last: _Inside, other: _Inside) -> _Inside:
    """The box that comes next in a row after the last one, as far from it as that is from the other."""
    return _inside(2 * last.corners - other.corners)


def _is_drawn(thick: Grey, inside: _Inside) -> bool:
    """Whether there are lines around the inside of a box. thick: uint8 (H, W), 1 at lines and a little around them."""
    ends = np.roll(inside.corners, -1, axis=0)
    shares = np.linspace(0, 1, _LOWEST, endpoint=False)[:, None, None]
    x, y = np.rint((1 - shares) * inside.corners + shares * ends).astype(int).reshape(-1, 2).T
    if x.min() < 0 or y.min() < 0 or x.max() >= thick.shape[1] or y.max() >= thick.shape[0]:
        return False
    return float(thick[y, x].mean()) >= _DRAWN


def _grown(quad: _Points, by: float) -> _Points:
    """A quadrangle that reaches so many pixels further at each of its sides."""
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    across, down = across / max(1.0, float(np.linalg.norm(across))), down / max(1.0, float(np.linalg.norm(down)))
    outward = np.array([-across - down, across - down, across + down, down - across])
    return np.asarray(quad + by * outward, np.float32)


__all__ = ["BoxRow", "covered", "find_box_rows"]
