"""Small marks beside digits become signs: point, comma, colon and a leading minus, by shape and place.

A mark is known by its box alone. Knows nothing of pixels.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import Boxes

POINT, COMMA, MINUS, COLON = ".", ",", "-", ":"
NO_SIGN = ""  # a point or comma at the end of a line, or where nobody asked for decimal numbers

# Shares of the height of the line's digits.
_SMALL, _TALL_COMMA = 0.42, 0.6  # a point or comma is no taller, a comma that ends far below the digits
_NARROW = 0.4  # and no broader
_LOW = 0.7  # from the top of the digits: where its middle lies at least
_BELOW = 0.14  # below the digits' feet: where a comma's end lies at least, or it is much taller than broad
_FLAT = 1.6  # times a minus is broader than tall
_BROAD = (0.15, 0.9)
_MIDDLE = (0.25, 0.8)  # between the top and the bottom of the digits
_NEAR = 1.1  # to the digit after it
_GROUP = 3  # digits of a group of thousands
_DOT = (0.04, 0.36)  # how broad and how tall a colon's dots are
_EVEN = 1.7  # times one of them is broader or taller than the other at most
_SLANT = (-0.1, 0.35)  # of how far one is above the other, by which it is farther right, as italics are
_BETWEEN = (0.4, 4.5)  # of the taller one's height that is free between them
_INTO = 0.1  # that digits reach into their columns at most
_UPPER, _LOWER = (0.15, 0.65), (0.62, 1.15)  # from the top of the digits: where their middles lie
_BESIDE = 0.8  # to the digits at their sides at most


def find_signs(boxes: Boxes, line: list[int], height: float) -> dict[int, str]:
    """The marks of a line that are signs: which sign by mark.

    boxes: int64 (N, 4) of all marks. line: the marks of the line, left to right. height: of its digits, in pixels.

    >>> import numpy as np
    >>> boxes = np.array([[0, 9, 8, 3], [12, 0, 10, 20], [25, 17, 3, 7], [30, 0, 10, 20]])
    >>> find_signs(boxes, [0, 1, 2, 3], 20.0)
    {0: '-', 2: ','}
    """
    found: dict[int, str] = {}
    tall_at = [place for place, mark in enumerate(line) if boxes[mark, 3] > 0.6 * height]
    tall = [line[place] for place in tall_at]
    middles = boxes[tall, 0] + boxes[tall, 2] / 2
    for place, mark in enumerate(line):
        x, y, width, tallness = (float(side) for side in boxes[mark])
        if tallness > _TALL_COMMA * height or not tall:
            continue
        near = tall[int(np.abs(middles - x - width / 2).argmin())]
        top, foot = float(boxes[near, 1]), float(boxes[near, 1] + boxes[near, 3])
        middle = (y + tallness / 2 - top) / max(1.0, foot - top)
        if tallness > _SMALL * height and (y + tallness < foot + _BELOW * height or middle < _LOW):
            continue
        following = bisect(tall_at, place)
        after = tall[following] if following < len(tall) else None
        before = tall[following - 1] if following else None
        if width >= _FLAT * tallness and _BROAD[0] <= width / height <= _BROAD[1]:
            close = after is not None and boxes[after, 0] - x - width <= _NEAR * height
            # Between two digits it could be a stroke of either, or mean "to".
            alone = before is None or x - boxes[before, 0] - boxes[before, 2] > 0.4 * height
            if close and alone and _MIDDLE[0] <= middle <= _MIDDLE[1]:
                found[mark] = MINUS
        elif width <= _NARROW * height and middle >= _LOW and before is not None:
            if after is None:  # of a sentence
                found[mark] = NO_SIGN
                continue
            long = y + tallness > foot + _BELOW * height or tallness > 1.7 * width
            found[mark] = COMMA if long else POINT
    return found


def find_colons(boxes: Boxes, line: Sequence[int], height: float) -> list[tuple[int, int]]:
    """The colons between tall marks of a line: the upper and the lower dot of each.

    Two dots, as large as each other, one above the other, nothing else above or below them.

    boxes: int64 (N, 4) of all marks. line: the marks of the line, left to right. height: of its digits, in pixels.

    >>> import numpy as np
    >>> boxes = np.array([[0, 0, 10, 20], [14, 6, 3, 3], [14, 16, 3, 3], [21, 0, 10, 20]])
    >>> find_colons(boxes, [0, 1, 2, 3], 20.0)
    [(1, 2)]
    """
    least, most = _DOT[0] * height, _DOT[1] * height
    small = [mark for mark in line if least <= min(boxes[mark, 2:]) and max(boxes[mark, 2:]) <= most]
    tall = [mark for mark in line if boxes[mark, 3] > 0.6 * height]
    starts, ends = boxes[line, 0], boxes[line, 0] + boxes[line, 2]
    found = []
    for one, other in pairwise(sorted(small, key=lambda mark: (boxes[mark, 0] + boxes[mark, 2] / 2, boxes[mark, 1]))):
        upper, lower = (one, other) if boxes[one, 1] <= boxes[other, 1] else (other, one)
        if not _are_dots_of_one(boxes[upper], boxes[lower]):
            continue
        x = min(boxes[upper, 0], boxes[lower, 0]) + _INTO * height
        end = max(boxes[upper, 0] + boxes[upper, 2], boxes[lower, 0] + boxes[lower, 2]) - _INTO * height
        if int(((starts < end) & (ends > x)).sum()) > 2:  # both dots share their columns with another mark
            continue
        before = next((mark for mark in reversed(tall) if boxes[mark, 0] + boxes[mark, 2] <= x), None)
        after = next((mark for mark in tall if boxes[mark, 0] >= end), None)
        if (
            before is not None
            and after is not None
            and _is_between(boxes[[upper, lower]], boxes[[before, after]], height)
        ):
            found.append((upper, lower))
    return found


def _is_between(dots: Boxes, sides: Boxes, height: float) -> bool:
    """Whether two dots are near the marks at their sides, and as high beside these as a colon's are.

    dots: int64 (2, 4), the upper one first. sides: int64 (2, 4), the left one first. height: of the line's digits.
    """
    x, end = dots[:, 0].min() + _INTO * height, (dots[:, 0] + dots[:, 2]).max() - _INTO * height
    if max(x - sides[0, 0] - sides[0, 2], sides[1, 0] - end) > _BESIDE * height:
        return False
    top, foot = sides[:, 1].mean(), (sides[:, 1] + sides[:, 3]).mean()
    upper, lower = (dots[:, 1] + dots[:, 3] / 2 - top) / max(1.0, foot - top)
    return bool(_UPPER[0] <= upper <= _UPPER[1] and _LOWER[0] <= lower <= _LOWER[1])


def _are_dots_of_one(upper: npt.NDArray[np.int64], lower: npt.NDArray[np.int64]) -> bool:
    """Whether two boxes are as large as each other, one above the other, room between them."""
    across = upper[0] + upper[2] / 2 - lower[0] - lower[2] / 2
    down = lower[1] + lower[3] / 2 - upper[1] - upper[3] / 2
    free = (lower[1] - upper[1] - upper[3]) / max(upper[3], lower[3])
    alike = all(max(upper[side], lower[side]) <= _EVEN * min(upper[side], lower[side]) for side in (2, 3))
    return bool(alike and _SLANT[0] * down <= across <= _SLANT[1] * down and _BETWEEN[0] <= free <= _BETWEEN[1])


def are_thousands(places: Sequence[float], starts: Sequence[float]) -> bool:
    """Whether points or commas part a number as thousands are parted: three digits after each, one to three before the
    first.

    places: where they are, from left to right. starts: where each digit begins.

    >>> are_thousands([15.0], [0.0, 20.0, 30.0, 40.0]), are_thousands([25.0], [0.0, 10.0, 30.0, 40.0])
    (True, False)
    """
    bounds = [-math.inf, *sorted(places), math.inf]
    first, *groups = (sum(left < start <= right for start in starts) for left, right in pairwise(bounds))
    return 1 <= first <= _GROUP and all(group == _GROUP for group in groups)


__all__ = [
    "COLON",
    "COMMA",
    "MINUS",
    "NO_SIGN",
    "POINT",
    "are_thousands",
    "find_colons",
    "find_signs",
]
