"""Points between printed digits that are too small or too pale to count as ink become marks all the same.

Looked for where they can be alone: at the feet of two marks of a height that stand side by side on one level. Knows
nothing of what is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.paper import Contrast, Labels

_LOWEST = 8  # pixels: of lower print a point is a pixel or two, as noise is
# Shares of the height of the marks beside it.
_EVEN = 0.1  # that these differ by in where they begin or end: a pen hardly keeps to both
_HIGHER = 1.35  # times one is taller than the other at most: some digits of text figures are low
_GAP = (0.12, 0.9)  # between them: a narrower one has no room for a point, in a wider one it ends a sentence
_UP, _DOWN = 0.5, 0.25  # from their feet, where it is looked for
_ABOVE = (0.6, 0.9)  # above their feet: where nothing is
_LARGEST = 0.32  # how broad and tall it is at most
# Shares of how far the marks beside it stand out: what it does at least, and of its own depth, what is beside it and
# above it at most.
_DEEP, _BESIDE = 0.4, 0.65
_BIT = 0.012  # of the square of their height: ink that has been seen of it at most, and what is dirt to who looks at it
_EDGE = 0.45  # share of its depth at which it ends
# How far around its level dashes and such are looked for, how far they stand out, in shares of what a point does, and
# how many pixels around a mark are its soft edge.
_LEVEL, _AS_DEEP, _SOFT = 0.12, 0.5, 2
_RULE = 3  # in a line, and in a third of its gaps: dots of a dotted line


def with_points(
    labels: Labels, boxes: Boxes, lines: Sequence[Sequence[int]], contrast: Contrast
) -> tuple[Labels, Boxes]:
    """The marks of a page, and after them the points that were missing; the same arrays where none was.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.
    lines: the marks of each, from left to right. contrast: of the page.

    >>> depth = np.zeros((40, 60), np.float32)
    >>> labels = np.zeros((40, 60), np.int32)
    >>> depth[8:32, 8:20] = depth[8:32, 32:44] = 100
    >>> labels[8:32, 8:20], labels[8:32, 32:44] = 1, 2
    >>> depth[29:32, 24:27] = 80
    >>> boxes = np.array([[8, 8, 12, 24], [32, 8, 12, 24]])
    >>> with_points(labels, boxes, [[0, 1]], Contrast(depth, 14.0, 3.0))[1].tolist()[2:]
    [[24, 29, 3, 3]]
    """
    points: list[tuple[tuple[int, int, int, int], npt.NDArray[np.bool_]]] = []
    for line in lines:
        tall = _tall(boxes, line)
        found = [point for one, other in pairwise(tall) if (point := _between(labels, boxes, one, other, contrast))]
        if len(found) < _RULE or 3 * len(found) < len(tall):
            points += found
    if not points:
        return labels, boxes
    labels = labels.copy()
    for number, ((x, y, width, height), ink) in enumerate(points, len(boxes) + 1):
        labels[y : y + height, x : x + width][ink] = number
    return labels, np.vstack([boxes, np.array([box for box, _ in points], np.int64)])


def _tall(boxes: Boxes, line: Sequence[int]) -> list[int]:
    """The marks of a line that are half as tall as its tallest at least: from left to right."""
    tallest = max((int(boxes[mark, 3]) for mark in line), default=0)
    return [mark for mark in line if 2 * boxes[mark, 3] >= tallest]


def _between(
    labels: Labels, boxes: Boxes, one: int, other: int, contrast: Contrast
) -> tuple[tuple[int, int, int, int], npt.NDArray[np.bool_]] | None:
    """The point between two marks, its box, (x, y, w, h), and its ink in that; None where there is none."""
    (left, top, broad, tall), (end, upper, _, high) = boxes[one].tolist(), boxes[other].tolist()
    height, start = (tall + high) / 2, left + broad
    even = max(1.0, _EVEN * height)
    if height < _LOWEST or not _GAP[0] * height <= end - start <= _GAP[1] * height:
        return None
    if max(tall, high) > _HIGHER * min(tall, high) or min(abs(top - upper), abs(top + tall - upper - high)) > even:
        return None
    foot = max(top + tall, upper + high)
    first, last = round(foot - _UP * height), min(len(labels), round(foot + _DOWN * height) + 1)
    part = slice(first, last), slice(start, end)
    if np.count_nonzero(labels[part]) > _BIT * height**2:
        return None
    depth = contrast.depth[part]
    y, x = (int(place) for place in np.unravel_index(int(depth.argmax()), depth.shape))
    deepest = float(depth[y, x])
    if deepest < max(2 * contrast.least, _DEEP * min(_depth(labels, boxes, mark, contrast) for mark in (one, other))):
        return None
    across = depth.max(0)
    beside = across[:x].min(initial=np.inf), across[x + 1 :].min(initial=np.inf)
    above = contrast.depth[round(foot - _ABOVE[1] * height) : round(foot - _ABOVE[0] * height), start + x]
    if max(*beside, above.max(initial=0)) > _BESIDE * deepest:
        return None
    point = depth > max(_EDGE * deepest, *beside)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(point.view(np.uint8), connectivity=4)
    number = int(parts[y, x])
    column, row, width, tallness = (int(side) for side in stats[number, :4])
    if max(width, tallness) > _LARGEST * height or row == 0:
        return None
    ink = parts == number
    if np.count_nonzero(ink) < _BIT * height**2:  # with its soft edge, or it is dirt, too
        ink = cv2.dilate(ink.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
        column, row, width, tallness = cv2.boundingRect(ink.view(np.uint8))
    ink = ink[row : row + tallness, column : column + width]
    box = start + column, first + row, width, tallness
    return None if _is_of_rule(labels, boxes[[one, other]], box, contrast, _AS_DEEP * deepest) else (box, ink)


def _is_of_rule(
    labels: Labels, sides: Boxes, point: tuple[int, int, int, int], contrast: Contrast, least: float
) -> bool:
    """Whether something like a point lies right above or below its level at a mark beside it, as dashes do, and the
    line that a comb's ticks stand on.

    sides: int64 (2, 4), the marks beside it. least: how far that stands out at least.
    """
    _, y, _, tall = point
    for x, _, width, height in sides.tolist():
        around = round(_LEVEL * height) + _SOFT
        part = slice(max(0, y - around), y + tall + around), slice(x, x + width)
        near = cv2.dilate((labels[part] > 0).view(np.uint8), np.ones((2 * _SOFT + 1, 2 * _SOFT + 1), np.uint8))
        if ((contrast.depth[part] >= least) & (near == 0)).any():
            return True
    return False


def _depth(labels: Labels, boxes: Boxes, mark: int, contrast: Contrast) -> float:
    """How far a mark stands out from the ground, in its middle."""
    x, y, width, height = boxes[mark].tolist()
    part = slice(y, y + height), slice(x, x + width)
    inked = contrast.depth[part][labels[part] == mark + 1]
    return float(np.median(inked)) if len(inked) else np.inf


__all__ = ["with_points"]
