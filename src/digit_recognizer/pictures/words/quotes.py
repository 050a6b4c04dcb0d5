"""Quotation marks are told from digits by their size and place. Known by their boxes alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.level import stands_level
from digit_recognizer.pictures.marks.lines import Boxes

# Shares of the height of the line's digits.
_TALL = 0.6  # marks that tell where the line is are tall at least
_SIZE = (0.12, 0.46)  # how tall a quotation mark is: raised digits are taller
_BROADEST = 0.32
_SLIM = 1.1  # times it is taller than broad at least: what comes off a digit's top is flat
_ENDS = 0.55  # how far below the digits' tops one that stands high ends at most
_ABOVE = 0.2  # how far above them it begins at most
_LOW, _BELOW = 0.3, 0.08  # above the digits' feet a low one begins at most, and below them it ends at least
_SHARED = 0.3  # of its own breadth that it shares with a tall mark at most
_NEAR = 1.0  # from a tall mark at most
_FEWEST = 2  # high ones in a line at least: one may be what is left of a faint 1
_PAIR, _ALIKE = 0.3, 1.35  # between the two of a pair at most, and times one is taller than the other
_CHEVRON, _CHEVRON_BROAD = (0.3, 0.62), (0.18, 0.5)  # how tall and broad the two of a guillemet are
_SAME, _LEVEL = 1.15, 0.06  # times one is larger than the other at most, and by how much their tops differ
_FREE = 0.06  # above the digits' feet, and thrice that below their tops, at least


def find_quotes(boxes: Boxes, lines: Sequence[list[int]]) -> frozenset[int]:
    """Which marks are quotation marks: indices into ``boxes``.

    boxes: int64 (N, 4), x, y, width, height of all marks. lines: the marks of each, from left to right. In lines that
    stand level, as print does, two small ones at least are as high as the tops of the digits, or two hang at their
    feet; two that are as large as each other stand between, as in French and Russian.

    >>> boxes = np.array([[0, 0, 2, 7], [4, 0, 2, 7], [9, 0, 10, 20], [22, 0, 10, 20]])
    >>> sorted(find_quotes(boxes, [[0, 1, 2, 3]]))
    [0, 1]
    """
    found: set[int] = set()
    for line in filter(None, lines):
        heights = boxes[line, 3]
        height = float(np.median(heights[heights >= _TALL * heights.max()]))
        tall = np.array([mark for mark in line if boxes[mark, 3] >= _TALL * height], np.int64)
        small = [mark for mark in line if boxes[mark, 3] < max(_SIZE[1], _CHEVRON[1]) * height]
        if not small or not stands_level(boxes, line):
            continue
        places = {mark: _place(boxes[mark], boxes[tall], height) for mark in small}
        high = {mark for mark, place in places.items() if place == "high"}
        found |= high if len(high) >= _FEWEST else set()
        for one, other in pairwise(small):
            kinds = places[one], places[other]
            if (kinds == ("low", "low") and _are_low_pair(boxes[one], boxes[other], height)) or (
                kinds == ("middle", "middle") and _are_guillemet(boxes[one], boxes[other], height)
            ):
                found |= {one, other}
    return frozenset(found)


def _place(mark: npt.NDArray[np.int64], tall: Boxes, height: float) -> str:
    """Where a small mark stands beside the tall ones of its line: "high", "low", "middle", or nowhere: ""."""
    x, y, width, size = (float(side) for side in mark)
    starts, ends = tall[:, 0], tall[:, 0] + tall[:, 2]
    gaps = np.maximum(starts - x - width, x - ends)
    shared = np.minimum(ends, x + width) - np.maximum(starts, x)
    nearest = int(gaps.argmin())
    if shared.max() > _SHARED * width or gaps[nearest] > _NEAR * height:
        return ""
    top, foot = float(tall[nearest, 1]), float(tall[nearest, 1] + tall[nearest, 3])
    if _SIZE[0] * height <= size <= _SIZE[1] * height and width <= min(_BROADEST * height, size / _SLIM):
        if top - _ABOVE * height <= y and y + size <= top + _ENDS * (foot - top):
            return "high"
        if y >= foot - _LOW * height and y + size >= foot + _BELOW * height:
            return "low"
    if (
        _CHEVRON[0] * height <= size <= _CHEVRON[1] * height
        and _CHEVRON_BROAD[0] * height <= width <= _CHEVRON_BROAD[1] * height
        and y >= top + 3 * _FREE * height
        and y + size <= foot - _FREE * height
    ):
        return "middle"
    return ""


def _are_low_pair(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], height: float) -> bool:
    """Whether two marks that hang are as tall as each other, and close: a comma before a comma makes no number."""
    gap = other[0] - one[0] - one[2]
    return bool(gap <= _PAIR * height and max(one[3], other[3]) <= _ALIKE * min(one[3], other[3]))


def _are_guillemet(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], height: float) -> bool:
    """Whether two marks are as large as each other, level and close."""
    gap = other[0] - one[0] - one[2]
    smaller, larger = np.minimum(one, other)[2:], np.maximum(one, other)[2:]
    alike = (larger <= np.maximum(_SAME * smaller, smaller + 1)).all()
    return bool(alike and abs(one[1] - other[1]) <= max(1.0, _LEVEL * height) and gap <= _PAIR * height)


__all__ = ["find_quotes"]
