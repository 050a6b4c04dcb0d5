"""Printed uprights part a line into fields: those of a table hold a number each, a comb's and boxes' a digit each.

Knows nothing of what is written, nor of how the uprights are taken off the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import Boxes, line_height
from digit_recognizer.pictures.paper import Contrast, Mask

_RUN = 13  # pixels of an upright that are seen one below another, once it is a pixel broader on each side
_HIDDEN = 0.04  # of the page's longer side that strokes may hide of an upright at a time
_SHORTEST = 25  # pixels
_SEEN = 0.5  # share of an upright's length
_LEVEL = 41  # pixels of the level lines that it goes from and to: the stems of letters that are no ink do not
_NEAR = 9  # pixels from its ends within which these are
_CROSSES = 2  # level lines that one crosses which goes on beyond them, as in tables without lines around
_SLENDER = 8  # times an upright is longer than broad
_SOLID = 25  # pixels: what is as broad, and as tall as a run, is a head of another ground, and joins uprights below it
_STRAIGHT = 24  # times an upright is longer than it strays from its line
# Shares of a line's height.
_BEYOND = 0.5  # that an upright reaches above and below the middle of the digits beside it
_FULL = 0.6  # that a digit has at least
_ACROSS = 0.2  # share of a mark's width from its sides, within which an upright does not cross it
_CROSSED = 0.1  # of the marks of lines that share uprights: on squared paper digits lie across them
# Where a comb's uprights are not all found, or digits hide some of squared paper's, the digits stand as far from each
# other as the other fields are broad, empty ones too.
_NO_FIELD = 0.3  # what is less broad is the gap of a double line, or between two boxes
_CLOSE = 0.75  # of the breadth of the narrowest fields that the middles of digits in one are apart, at most
# Where fields at the ends are open, the uprights there are not found, and others may not be.
_WITHIN = 0.9  # of the usual distance between neighbours' middles in two fields: what it is in one there at most
# Of 4,500 handwritten digits none is two marks side by side, each as tall as a digit: few fields will do.
_SEVERAL = 0.05  # of the fields that hold digits in a table: those that hold several of them, at least


class Upright(NamedTuple):
    """A printed line from (x, top) down to (foot, bottom), in pixels."""

    x: float
    top: float
    foot: float
    bottom: float

    def at(self, y: float) -> float:
        """Where it is at that height."""
        return self.x + (self.foot - self.x) * (y - self.top) / max(1.0, self.bottom - self.top)


def find_uprights(contrast: Contrast, strokes: Mask) -> list[Upright]:
    """The lines of a page that go down from one level line to another, or across several, from left to right.

    They are looked for among what stands out from its ground and is no stroke. strokes: bool (H, W), as the page.

    >>> depth = np.zeros((100, 60), np.float32)
    >>> depth[10:90, 30:32] = depth[[10, 89]] = 90
    >>> depth[30:70, 10:14] = 90                                       # a 1
    >>> found = find_uprights(Contrast(depth, 14.0, 2.0), np.arange(60) < np.full((100, 1), 20))
    >>> [[round(side) for side in upright] for upright in found]
    [[30, 10, 30, 89]]
    """
    around = cv2.dilate(strokes.view(np.uint8), np.ones((5, 5), np.uint8))  # their soft edges, too
    mask = ((contrast.depth > contrast.least) & (around == 0)).view(np.uint8)
    mask = cv2.subtract(mask, cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_RUN, _SOLID), np.uint8)))
    # Broader by a pixel on each side: lines that lean step from column to column.
    runs = cv2.dilate(mask, np.ones((1, 3), np.uint8))
    runs = cv2.min(cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((_RUN, 1), np.uint8)), mask)
    level = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    level = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((1, _LEVEL), np.uint8))
    if not runs.any() or not level.any():
        return []
    near_level = cv2.dilate(level, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8))
    hidden = round(_HIDDEN * max(mask.shape))
    joined = cv2.dilate(runs, np.ones((2 * (hidden // 2) + 1, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for number, (left, top, width, height, _) in enumerate(stats[1:].tolist(), 1):
        part = slice(top, top + height), slice(left, left + width)
        rows, columns = np.nonzero((labels[part] == number) & (runs[part] > 0))
        tall = int(np.ptp(rows)) + 1
        if tall < _SHORTEST or len(rows) * _SLENDER > tall**2 or len(np.unique(rows)) < _SEEN * tall:
            continue
        steep, start = np.polyfit(rows, columns, 1)
        first, last = int(rows.min()), int(rows.max())
        ends = (int(rows.argmin()), int(rows.argmax()))
        if not all(near_level[top + rows[end], left + columns[end]] for end in ends):
            down = np.arange(first, last + 1)
            along = np.clip(np.rint(left + start + steep * down).astype(int), 0, mask.shape[1] - 1)
            if np.count_nonzero(np.diff(level[top + down, along].astype(int)) > 0) < _CROSSES:
                continue
        if np.std(columns - np.polyval((steep, start), rows)) * _STRAIGHT <= tall:
            x, foot = left + start + steep * first, left + start + steep * last
            found.append(Upright(float(x), float(top + first), float(foot), float(top + last)))
    return sorted(found)


def parted_marks(boxes: Boxes, lines: Sequence[list[int]], uprights: Sequence[Upright]) -> list[list[int]]:
    """For each line the number of the field that each of its marks is in: lists as long as the lines.

    boxes, lines: as find_lines takes and gives them. All is one field, 0, where no uprights part the line, or these
    part digits and no numbers, as in a comb or on squared paper. Lines between the same uprights are judged together,
    by the fields that are closed on both sides.

    >>> boxes = np.array([[5, 10, 10, 20], [18, 10, 10, 20], [35, 10, 10, 20]])
    >>> uprights = [Upright(x, 0.0, x, 40.0) for x in (0.0, 31.0, 62.0)]
    >>> parted_marks(boxes, [[0, 1, 2]], uprights)
    [[1, 1, 2]]
    >>> parted_marks(boxes, [[1, 2]], uprights)
    [[0, 0]]
    """
    sides = [_beside(boxes, line, uprights) for line in lines]
    fields = [[0] * len(line) for line in lines]
    for group in _sharing(sides):
        rows = [_Row(boxes, lines[number], [uprights[side] for side in sides[number]]) for number in group]
        if _is_table(rows):
            for number, row in zip(group, rows, strict=True):
                fields[number] = row.fields()
    return fields


class _Row(NamedTuple):
    """A line of marks and the uprights beside them, from left to right."""

    boxes: Boxes
    line: list[int]
    uprights: list[Upright]

    def fields(self) -> list[int]:
        """The field of each mark: how many uprights are left of its middle."""
        middles = self.boxes[self.line, :2] + self.boxes[self.line, 2:] / 2
        return [sum(upright.at(y) < x for upright in self.uprights) for x, y in middles.tolist()]

    def digits(self) -> tuple[Boxes, npt.NDArray[np.int64]]:
        """The boxes of marks as tall as digits, from left to right, and the field of each: int64 (N,)."""
        boxes = self.boxes[self.line]
        tall = boxes[:, 3] >= _FULL * line_height(self.boxes, self.line)
        return boxes[tall], np.array(self.fields(), np.int64)[tall]

    def filled(self) -> Iterator[tuple[int, Boxes]]:
        """Each field that holds digits, and their boxes from left to right."""
        boxes, fields = self.digits()
        for field in np.unique(fields).tolist():
            yield field, boxes[fields == field]

    def breadths(self) -> list[float]:
        """How broad the fields between the uprights are, empty ones too, but no gaps of double lines."""
        y = float(np.median(self.boxes[self.line, 1] + self.boxes[self.line, 3] / 2))
        least = _NO_FIELD * line_height(self.boxes, self.line)
        places = sorted(upright.at(y) for upright in self.uprights)
        return [breadth for breadth in np.diff(places).tolist() if breadth >= least]

    def distances(self) -> Iterator[tuple[bool, float]]:
        """How far apart the middles of digits next to each other are, and whether both are in one field."""
        boxes, fields = self.digits()
        apart = np.diff(boxes[:, 0] + boxes[:, 2] / 2)
        yield from zip((np.diff(fields) == 0).tolist(), apart.tolist(), strict=True)


def _beside(boxes: Boxes, line: list[int], uprights: Sequence[Upright]) -> list[int]:
    """Which uprights reach above and below the digits of a line that are next to them."""
    if not uprights or not line:
        return []
    height = line_height(boxes, line)
    middles = boxes[line, :2] + boxes[line, 2:] / 2
    found = []
    for number, upright in enumerate(uprights):
        x = (upright.x + upright.foot) / 2
        y = float(middles[np.abs(middles[:, 0] - x).argmin(), 1])
        if upright.top <= y - _BEYOND * height and upright.bottom >= y + _BEYOND * height:
            found.append(number)
    return found


def _sharing(sides: Sequence[list[int]]) -> list[list[int]]:
    """Groups of lines that have uprights in common, one with another; lines without any are in none."""
    groups: list[tuple[set[int], list[int]]] = []
    for number, mine in enumerate(sides):
        if not mine:
            continue
        found, members = set(mine), [number]
        for group in [group for group in groups if group[0] & found]:
            groups.remove(group)
            found |= group[0]
            members = group[1] + members
        groups.append((found, members))
    return [members for _, members in groups]


def _is_table(rows: Sequence[_Row]) -> bool:
    """Whether fields hold numbers: some at least several digits side by side, and hardly a digit lies across a line."""
    marks = crossed = 0
    distances: dict[bool, list[float]] = {True: [], False: []}  # between neighbours in one field, and in two
    filled: list[tuple[float, float]] = []  # how broad a field is, and how far apart the digits in it are
    for row in rows:
        for field, inside in row.filled():
            ends = [upright.at(float(inside[0, 1])) for upright in row.uprights[max(0, field - 1) : field + 1]]
            marks += len(inside)
            crossed += sum(_crosses(box, ends) for box in inside)
            filled.append((ends[1] - ends[0] if len(ends) == 2 else np.inf, _apart(inside)))
        for one, distance in row.distances():
            distances[one].append(distance)
    closed = [apart for breadth, apart in filled if breadth < np.inf]
    if not closed or not any(row.breadths() for row in rows) or crossed > _CROSSED * marks:
        return False
    is_open = len(closed) < len(filled) and all(distances.values())
    if is_open and np.median(distances[True]) > _WITHIN * np.median(distances[False]):
        return False
    narrowest = float(np.percentile([breadth for row in rows for breadth in row.breadths()], 10, method="lower"))
    return sum(apart < _CLOSE * narrowest for apart in closed) >= _SEVERAL * len(closed)


def _apart(inside: Boxes) -> float:
    """How far apart the middles of marks that stand side by side are, the nearest two; infinite where none do."""
    middles = inside[:, 0] + inside[:, 2] / 2
    apart = np.diff(middles)[inside[1:, 0] >= inside[:-1, 0] + inside[:-1, 2] - 2]
    return float(apart.min()) if len(apart) else np.inf


def _crosses(box: npt.NDArray[np.int64], ends: list[float]) -> bool:
    """Whether one of a field's ends goes through a mark's middle."""
    inner = box[0] + _ACROSS * box[2], box[0] + (1 - _ACROSS) * box[2]
    return any(inner[0] < end < inner[1] for end in ends)


__all__ = ["Upright", "find_uprights", "parted_marks"]
