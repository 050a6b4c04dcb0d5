"""Pens, rulers and other long things that lie on a page are told from its digits and taken off its ink.

Knows nothing of digits but how tall and thick the marks beside such a thing are.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from digit_recognizer.pictures.paper import Mask, PageInk, stroke_width
from digit_recognizer.reading import Box

LYING = "a pen or another long thing that lies there"

# Pens are 14 to 20 times as long as they are broad, pencils up to 25; a printed 1 is 7 times as tall as its stem is
# broad, and printed lines are more than 25 times as long as they are thick.
_SLENDER = (8.0, 27.0)
_STRAIGHT = 0.8  # share of the narrowest box around it, turned as it lies, that it fills
_LONG = 3.0  # heights of most marks that it is long at least,
_THICK = 1.7  # times it is thicker than their strokes,
_FEWEST = 2  # of them at least
_AROUND = (0.3, 1.6)  # how far beyond its ends its bits lie, in lengths, and how far apart, in breadths
_INSIDE = 0.7  # share of such a bit that lies there
_BIT = 0.9  # of the height of most marks that such a bit is tall at most


def without_lying(ink: PageInk, everything: PageInk) -> tuple[PageInk, tuple[Box, ...]]:
    """The ink of a page without long straight things that are none, and their boxes; the same object without any.

    ink: as a network sees it, or what is no printed line. everything: all that stands out from the ground. Such a thing
    is several times as long as most marks are tall, and thicker than their strokes: no 1 beside such digits is.

    >>> mask = np.zeros((200, 200), np.bool_)
    >>> mask[20:40, 20:24] = mask[20:40, 30:34] = mask[20:40, 40:44] = True
    >>> mask[10:190, 120:132] = True
    >>> found = PageInk(mask * np.uint8(255), mask, 4.0)
    >>> without_lying(found, found)[1]
    ((120, 10, 12, 180),)
    """
    # A square fits into a bar that leans by half a right angle where it is thinner than that.
    size = max(3, int(_THICK * ink.thickness / math.sqrt(2)))
    closed = cv2.morphologyEx(everything.mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    thick = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    things = []
    for number in range(1, count):
        left, top, width, height = stats[number, :4].tolist()
        if math.hypot(width, height) >= _SLENDER[0] * size:
            part = labels[top : top + height, left : left + width] == number
            rect = _straight(np.asarray(part, np.bool_), left, top)
            things += [] if rect is None else [rect]
    if not things:
        return ink, ()
    bodies = [_filled(_wider(rect, 0, size), ink.mask.shape) for rect in things]
    rest = ink.mask & ~np.any(bodies, axis=0)
    _, of_rest, marks, _ = cv2.connectedComponentsWithStats(rest.view(np.uint8), connectivity=8)
    heights = marks[1:, cv2.CC_STAT_HEIGHT]
    heights = heights[heights >= size]  # not the soft ends of a stroke that stands alone
    if not len(heights):
        return ink, ()
    tall = heights[heights >= np.percentile(heights, 90) / 2]
    usual, stroke = float(np.median(tall)), stroke_width(rest)
    things = [rect for rect in things if _sides(rect)[1] >= _LONG * usual and _sides(rect)[0] >= _THICK * stroke]
    if not things or len(tall) < _FEWEST:
        return ink, ()
    gone, boxes = np.zeros(ink.mask.shape, np.bool_), []
    for rect in things:
        across, along = _sides(rect)
        near = _filled(_wider(rect, 2 * _AROUND[0] * along, (_AROUND[1] - 1) * across), ink.mask.shape)
        inside = np.bincount(of_rest[near], minlength=len(marks)) >= _INSIDE * marks[:, cv2.CC_STAT_AREA]
        bits = inside & (marks[:, cv2.CC_STAT_HEIGHT] <= _BIT * usual)
        bits[0] = False
        mine = _filled(_wider(rect, 0, size), ink.mask.shape) | bits[of_rest]
        gone |= mine
        x, y, width, height = cv2.boundingRect((mine & (everything.mask | ink.mask)).view(np.uint8))
        boxes.append((x, y, width, height))
    strength = np.where(gone, 0, ink.strength).astype(np.uint8)
    return PageInk(strength, ink.mask & ~gone, stroke), tuple(boxes)


_Turned = tuple[tuple[float, float], tuple[float, float], float]  # as OpenCV has it: middle, sides, degrees


def _straight(mark: Mask, left: int, top: int) -> _Turned | None:
    """The narrowest box around a mark, bool (h, w), where it is straight, and as slender as things are.

    left, top: where the mark's own box begins.
    """
    (x, y), sides, angle = cv2.minAreaRect(cv2.findNonZero(mark.view(np.uint8)))
    rect = (float(x) + left, float(y) + top), (float(sides[0]) + 1, float(sides[1]) + 1), float(angle)
    short, long = _sides(rect)
    is_thing = _SLENDER[0] * short <= long <= _SLENDER[1] * short and mark.sum() >= _STRAIGHT * short * long
    return rect if is_thing else None


def _filled(rect: _Turned, shape: tuple[int, ...]) -> Mask:
    """The pixels of a box on a page of that shape."""
    page = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(page, np.rint(cv2.boxPoints(rect)).astype(np.int32), 1)
    return page.view(np.bool_)


def _sides(rect: _Turned) -> tuple[float, float]:
    """The short one and the long one, in pixels."""
    short, long = sorted(rect[1])
    return short, long


def _wider(rect: _Turned, along: float, across: float) -> _Turned:
    """The same box, that much longer and broader, in pixels."""
    middle, (first, second), angle = rect
    more = (along, across) if first >= second else (across, along)
    return middle, (first + more[0], second + more[1]), angle


__all__ = ["LYING", "without_lying"]
