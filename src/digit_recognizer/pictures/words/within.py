"""A line of print, digits and letters in it, becomes the numbers that stand between its words, by its spaces.

Knows nothing of pixels or models, nor of what makes digits a number: that is asked of whoever calls.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from digit_recognizer.reading import Box, PlacedReading

Part = PlacedReading | Box

# Shares of the height of the line's digits.
TALL = 0.5  # what is no digit and lower is a dot, a comma or dirt, and parts nothing
_LEAST = 0.2  # a narrower gap is none between words
APART = 0.3  # and what stands clear of a number, as a word does, is that far from it at least
_ONE = 0.55  # of its own height: how much room a 1 takes, as every digit of most fonts does
SIGN = 0.3  # and a point, comma or minus

IsNumber = Callable[[Sequence[PlacedReading], float, float], bool | None]


def numbers_within(
    parts: Sequence[Part], signs: Sequence[float], height: float, is_number: IsNumber
) -> list[list[PlacedReading]]:
    """Cut a line at its widest gap, and what comes of it again, until a part is a number or has no gap.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. signs: where points,
    commas and such stand, from left to right. height: of the line's digits, in pixels. is_number: of digits that stand
    together, of the narrower of the gaps beside them, and of the widest between them, in heights; None where they may
    be one, but nobody can tell: a part of them would be a wrong number. Returns the digits of each number.
    """
    tall = [part for part in parts if is_tall(part, height)]
    gaps = _gaps(tall, signs, height)
    others = [place for place, part in enumerate(tall) if not isinstance(part, PlacedReading)]
    found: list[list[PlacedReading]] = []
    # What is left to look at, the leftmost last: from which part to which, and how wide the gaps beside these are.
    waiting = [(0, len(tall), math.inf, math.inf)] if tall else []
    while waiting:
        first, end, before, after = waiting.pop()
        widest = max(gaps[first : end - 1], default=0.0)
        if bisect_left(others, first) == bisect_left(others, end):
            digits = [part for part in tall[first:end] if isinstance(part, PlacedReading)]
            answer = is_number(digits, min(before, after), widest)
            if answer:
                found.append(digits)
            if answer is None or answer:
                continue
        if widest >= _LEAST:
            cut = gaps.index(widest, first) + 1
            waiting += [(cut, end, widest, after), (first, cut, before, widest)]
    return found


def is_tall(part: Part, height: float) -> bool:
    """Whether a part is a digit, or as tall as a letter. height: of the line's digits, in pixels."""
    return isinstance(part, PlacedReading) or part[3] >= TALL * height


def _gaps(parts: Sequence[Part], signs: Sequence[float], height: float) -> list[float]:
    """The gaps between the parts, in heights. A 1 is as broad as the other digits, or 1s would part numbers."""
    gaps = []
    reach = -1.0
    for number, part in enumerate(parts):
        left, right = room_of(part)
        if number:
            x = box_of(part)[0]
            sign = max((place for place in signs if reach - SIGN * height <= place <= x), default=reach)
            last = max(reach, sign + SIGN * height if sign > reach else reach)
            gaps.append((left - last) / height)
        reach = max(reach, right)
    return gaps


def room_of(part: Part) -> tuple[float, float]:
    """From where to where a part takes up room: a 1 as much as other digits do."""
    x, _, width, tall = box_of(part)
    is_one = isinstance(part, PlacedReading) and part.digit == 1
    more = max(0.0, _ONE * tall - width) / 2 if is_one else 0.0
    return x - more, x + width + more


def box_of(part: Part) -> Box:
    """Where a part stands, (x, y, w, h)."""
    return part.box if isinstance(part, PlacedReading) else part


__all__ = ["APART", "SIGN", "TALL", "IsNumber", "Part", "box_of", "is_tall", "numbers_within", "room_of"]
