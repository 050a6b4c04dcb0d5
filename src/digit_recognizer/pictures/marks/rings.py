"""Rings and boxes that somebody drew around a number are told from digits, so that no 0 is read in their place.

A mark is a connected piece of ink. Knows nothing of models: a ring is known by the tall marks inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import NESTED, Begins, Boxes
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.reading import Box

RING = "a ring or box around what is read"

# A mark inside is NESTED of the ring's height at least. The loops of a 0, 6, 8 or 9 hold nothing but dirt and, in some
# fonts, a dot or a bar; of 76 such zeros dots are up to 0.49 tall, and up to 2.2 times as long as they are broad.
_CONVEX = 0.85  # share of its convex hull that a dot or a bar fills at least
_BAR = 2.5  # times a bar is longer than it is broad: what is shorter is a dot
_ROUND = 0.8  # breadth of a ring around a bar, in heights: a 0 with a bar inside is narrower
_SECTORS = 36  # directions that are looked in from a mark inside
_CLOSED = 0.8  # share of them in which the ring is met: people do not always close it

# And several low ones alike, as on the face of a clock: how many, how tall, in pixels and in shares of the ring's
# height, and how many times one is taller than another. Dirt in the loop of a 0 is lower.
_SEVERAL = 4
_LOWEST, _LOW, _ALIKE = 8, 0.05, 1.35

# Of a ring's height: how uneven, and how far away, a digit is that makes it one of its row. A ring is taller than the
# numbers around which and beside which it is drawn.
_LEVEL, _APART, _BESIDE = 0.13, -0.1, 0.8

_FREE = 0.87  # of the narrowest box, turned or not, that a hull fills which is no box's: an ellipse fills 0.79
_DEGREES = 360  # directions in which a ring's course is seen,
_NEIGHBOURS = 20  # and those on either side that agree on it
_OFF = 1.5  # times a ring's thickness that what hangs on it is off its course
_OTHER_LOOPS = 0.1  # of a ring's area that another loop of it has at most; a table's cells have more


def find_rings(labels: Labels, boxes: Boxes) -> list[int]:
    """Which marks are rings or boxes around others: indices into ``boxes``. What is low in them may be joined to them.
    In a row of digits what is no taller than these and stands level with one beside it is a 0, whatever is drawn in it.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.

    >>> labels = np.zeros((60, 60), np.int32)
    >>> labels[5:55, 5:55] = 1
    >>> labels[8:52, 8:52] = 0
    >>> labels[20:40, 22:25] = labels[20:23, 22:36] = 2
    >>> find_rings(labels, np.array([[5, 5, 50, 50], [22, 20, 14, 20]]))
    [0]
    """
    if not len(boxes):
        return []
    left, top, width, height = boxes.T
    right, bottom = left + width, top + height
    rings = []
    begins = Begins(boxes)
    for mark in np.argsort(-height, kind="stable"):
        others = begins.between(top[mark], bottom[mark])
        inside = (left[others] > left[mark]) & (right[others] < right[mark])
        inside &= (top[others] > top[mark]) & (bottom[others] < bottom[mark])
        inside &= height[others] >= NESTED * height[mark]
        found = any(_is_around(labels, boxes, int(mark), int(other)) for other in others[inside])
        if found or _holds_several(labels, boxes, int(mark)):
            rings.append(int(mark))
    return sorted(ring for ring in rings if not _is_in_row(boxes, ring, rings))


def _is_in_row(boxes: Boxes, ring: int, rings: Sequence[int]) -> bool:
    """Whether a mark that is no ring stands beside this one, as tall as it and level with it."""
    x, y, width, height = boxes[ring].tolist()
    left, top, _, tall = boxes.T
    gaps = np.maximum(left - x - width, x - left - boxes[:, 2])
    level = (np.abs(top - y) <= _LEVEL * height) & (np.abs(top + tall - y - height) <= _LEVEL * height)
    level &= (gaps >= _APART * height) & (gaps <= _BESIDE * height)
    level[list(rings)] = False
    return bool(level.any())


def ink_of_rings(ink: PageInk) -> PageInk | None:
    """The ink of a page with a mask of the rings alone that somebody drew around what is written; None without any.

    A box is none: its corners are filled.
    """
    labels, stats = ink.connected
    boxes = stats[1:, :4].astype(np.int64)
    rings = [ring for ring in find_rings(labels, boxes) if _is_round(labels, ring, boxes[ring])]
    if not rings:
        return None
    chosen = np.zeros(len(stats), np.bool_)
    chosen[np.array(rings) + 1] = True
    mask = np.asarray(chosen[labels], np.bool_)
    return replace(ink, mask=mask)


def hanging_on(labels: Labels, boxes: Boxes, ring: int) -> list[Box]:
    """What hangs on a round ring, as a digit that it was drawn across: boxes, (x, y, w, h); none of a box's.

    labels, boxes: as for ``find_rings``. The course of a ring is the median of what is seen in directions close by.
    """
    if not _is_round(labels, ring, boxes[ring]):
        return []
    x, y, width, height = boxes[ring].tolist()
    mark = labels[y : y + height, x : x + width] == ring + 1
    rows, columns = np.nonzero(mark)
    across, down = (columns + 0.5) / (width / 2) - 1, (rows + 0.5) / (height / 2) - 1
    away = np.hypot(across, down) * min(width, height) / 2
    direction = ((np.arctan2(down, across) / (2 * np.pi) + 0.5) * _DEGREES).astype(np.int64) % _DEGREES
    order = np.argsort(direction, kind="stable")
    parts = [part for part in np.split(away[order], np.flatnonzero(np.diff(direction[order])) + 1) if len(part)]
    places = np.unique(direction)
    middles, broad = np.full(_DEGREES, np.nan), float(np.median([np.ptp(part) + 1 for part in parts]))
    middles[places] = [float(np.median(part)) for part in parts]
    near = (np.arange(_DEGREES)[:, None] + np.arange(-_NEIGHBOURS, _NEIGHBOURS + 1)) % _DEGREES
    course = np.array([np.median(seen[~np.isnan(seen)]) if not np.isnan(seen).all() else 0 for seen in middles[near]])
    off = np.zeros(mark.shape, np.uint8)
    far = np.abs(away - course[direction]) > _OFF * broad
    off[rows[far], columns[far]] = 1
    gap = round(broad)  # the ends of a 3 hang on it one by one
    joined = cv2.dilate(off, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))
    labelled = cv2.connectedComponents(joined, connectivity=8)[1] * off
    bounds = (cv2.boundingRect((labelled == number).view(np.uint8)) for number in np.unique(labelled[off > 0]))
    return [(x + left, y + top, wide, tall) for left, top, wide, tall in bounds]


def _is_round(labels: Labels, ring: int, box: npt.NDArray[np.int64]) -> bool:
    """Whether a ring is no box, nor a table: its corners are free, however it is turned, and it goes around one place.

    labels: int32 (H, W), 1 + ring on it. box: int64 (4,), x, y, width, height.
    """
    x, y, width, height = box.tolist()
    mark = (labels[y : y + height, x : x + width] == ring + 1).view(np.uint8)
    outlines, _ = cv2.findContours(mark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    areas = sorted(cv2.contourArea(outline) for outline in outlines)
    hull = cv2.convexHull(cv2.findNonZero(mark))
    if cv2.contourArea(hull) > _FREE * float(np.prod(cv2.minAreaRect(hull)[1])):
        return False
    return len(areas) < 3 or areas[-3] < _OTHER_LOOPS * areas[-1]


def _holds_several(labels: Labels, boxes: Boxes, ring: int) -> bool:
    """Whether several pieces of a mark lie within the largest of it, as tall as each other and taller than dirt."""
    x, y, width, height = boxes[ring].tolist()
    least = max(_LOWEST, _LOW * height)
    if height * NESTED < least:
        return False
    mark = (labels[y : y + height, x : x + width] == ring + 1).view(np.uint8)
    pieces = cv2.connectedComponentsWithStats(mark, connectivity=8)[2][1:]
    around = pieces[pieces[:, cv2.CC_STAT_HEIGHT].argmax()]
    first, last = around[:2], around[:2] + around[2:4]
    inside = (pieces[:, :2] > first).all(axis=1) & (pieces[:, :2] + pieces[:, 2:4] < last).all(axis=1)
    tall = pieces[inside & (pieces[:, cv2.CC_STAT_HEIGHT] >= least), cv2.CC_STAT_HEIGHT]
    usual = float(np.median(tall)) if len(tall) else 0.0
    return bool(np.count_nonzero((tall <= _ALIKE * usual) & (tall >= usual / _ALIKE)) >= _SEVERAL)


def _is_around(labels: Labels, boxes: Boxes, ring: int, mark: int) -> bool:
    """Whether one mark goes round another, and this is more than the dot or the bar in a 0."""
    x, y, width, height = boxes[ring].tolist()
    inner_x, inner_y, inner_width, inner_height = boxes[mark].tolist()
    part = labels[inner_y : inner_y + inner_height, inner_x : inner_x + inner_width] == mark + 1
    hull = cv2.convexHull(cv2.findNonZero(part.view(np.uint8)))
    # Of an outline through the pixels' middles; half a pixel lies outside of it all around.
    area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    if np.count_nonzero(part) >= _CONVEX * area:
        short, long = sorted(cv2.minAreaRect(hull)[1])
        if long + 1 < _BAR * (short + 1) or width < _ROUND * height:
            return False
    rows, columns = np.nonzero(labels[y : y + height, x : x + width] == ring + 1)
    down, across = rows + y - (inner_y + inner_height / 2), columns + x - (inner_x + inner_width / 2)
    sectors = ((np.arctan2(down, across) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.int64) % _SECTORS
    return len(np.unique(sectors)) >= _CLOSED * _SECTORS


__all__ = ["RING", "find_rings", "hanging_on", "ink_of_rings"]
