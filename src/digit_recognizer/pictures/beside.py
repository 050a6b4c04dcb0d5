"""A number with a mark at its ends that is no digit: whether that is a sign or stands clear, or may be a letter.

Known by boxes alone: nothing tells € from A there, but a dollar sign and brackets reach above and below digits, and a
plus hangs in the middle. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from digit_recognizer.pictures.within import TALL, Part
from digit_recognizer.reading import Box, PlacedReading

_UNLIKELY = 0.6  # confidence below which a digit may as well be a sign
_MOST = (1, 2)  # marks before and after the digits: kg, cm
# Shares of the digits' height.
_APART = 0.3  # between a number and what stands clear of it, as between words
_BELOW = 0.1  # that brackets and dollar signs reach below the digits at least
_BROADEST = 0.75  # and are broad at most; a Q reaches below, too
_ABOVE_FEET, _BELOW_TOPS = 0.08, 0.12  # where a plus ends; letters stand on the line


class Beside(NamedTuple):
    """digits: of a number. marks: what stands beside them, (x, y, w, h) each. is_sure: whether none may be a letter."""

    digits: tuple[PlacedReading, ...]
    marks: tuple[Box, ...]
    is_sure: bool


def number_beside(parts: Sequence[Part], height: float) -> Beside | None:
    """The accepted digits of a word with one mark before them at most, and two after them; None for all other words.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. height: of the line's
    digits, in pixels.

    >>> number_beside([(0, 0, 10, 20)], 20.0)
    """
    tall = [_sure_digit(part) for part in parts if isinstance(part, PlacedReading) or part[3] >= TALL * height]
    places = [place for place, part in enumerate(tall) if isinstance(part, PlacedReading)]
    if not places or len(places) == len(tall):
        return None
    first, last = places[0], places[-1] + 1
    digits = [part for part in tall[first:last] if isinstance(part, PlacedReading) and part.accepted]
    before = [part for part in tall[:first] if not isinstance(part, PlacedReading)]
    after = [part for part in tall[last:] if not isinstance(part, PlacedReading)]
    if len(digits) < last - first or len(before) > _MOST[0] or len(after) > _MOST[1]:
        return None
    boxes = [digit.box for digit in digits]
    if any(isinstance(part, PlacedReading) and not part.accepted and not _is_sign(part.box, boxes) for part in parts):
        return None  # a digit that is unlikely, and no bracket
    gaps = [(mark, boxes[0][0] - mark[0] - mark[2]) for mark in before]
    gaps += [(mark, after[0][0] - boxes[-1][0] - boxes[-1][2]) for mark in after]
    is_sure = all(gap >= _APART * height or _is_sign(mark, boxes) for mark, gap in gaps)
    return Beside(tuple(digits), (*before, *after), is_sure)


def _sure_digit(part: Part) -> Part:
    """The part; its box alone where it more likely is a bracket than the digit that it was read as."""
    return part.box if isinstance(part, PlacedReading) and part.confidence < _UNLIKELY else part


def _is_sign(mark: Box, digits: Sequence[Box]) -> bool:
    """Whether a mark lies as no letter does beside these digits."""
    top, foot = median(box[1] for box in digits), median(box[1] + box[3] for box in digits)
    size = foot - top
    _, y, width, tall = mark
    reaches = y <= top and y + tall >= foot + _BELOW * size and width <= _BROADEST * size
    return reaches or (y >= top + _BELOW_TOPS * size and y + tall <= foot - _ABOVE_FEET * size)


__all__ = ["Beside", "number_beside"]
