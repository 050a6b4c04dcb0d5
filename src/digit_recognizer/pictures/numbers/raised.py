"""Small marks that hang beside the heads of digits are signs: degrees, percent, exponents. They look like digits.

Known by their boxes and what they were read as. Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from digit_recognizer.pictures.words.within import Part, box_of
from digit_recognizer.reading import Box, PlacedReading, around, refused

RAISED = "raised, as an exponent or a sign is"

# Shares of the height of the line's digits. In 43 families of fonts exponents and the rings of percent signs are 0.4 to
# 0.63 tall and end 0.37 to 0.6 above the line; in all but three degrees are at most 0.52 tall and end from 0.47 on. Of
# other fonts one in ten has degrees of 0.54 or 0.55, and rings of percent signs of 0.7.
_LOW, _ABOVE = 0.72, 0.3  # a raised digit is tall at most, and ends above the feet of the digit before it at least
_RING_LOW, _RING_ABOVE = 0.57, 0.45  # so low and far up, a 0 is hardly one
_UNDERLINED = 0.1  # the rule below cents ends above these feet at least
_BAR = 0.7  # the stroke of a percent sign is tall at least
_ON_LINE = 0.15  # the second ring of one ends above the line at most
_APART = 0.3  # of its own height: the ground from which on what stands beside a raised digit is another number
_LEANS = 0.5  # share of a ring's breadth that a stroke which runs into the other ring reaches over at least


class Raised(NamedTuple):
    """parts: of a word without its signs; what else is raised in it is not accepted. signs: (x, y, w, h) of each."""

    parts: tuple[Part, ...]
    signs: tuple[Box, ...]


def without_raised(parts: Sequence[Part], height: float) -> Raised:
    """Take a degree or percent sign off the end of a word, with the C or F after it; where other digits are raised in
    it, none of the number they stand in is accepted.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. height: of the line's
    digits, in pixels. A sign is a small raised 0 at the end, or before one mark that is no digit there, or a raised
    digit with a stroke and a low one after it; the stroke may have run into one of these two rings, where it reaches
    over the other and is no digit for sure. What else is raised is an exponent or the cents of a price: the digits
    before it alone are another number.

    >>> without_raised([(0, 0, 10, 20)], 20.0)
    Raised(parts=((0, 0, 10, 20),), signs=())
    """
    kept: list[Part] = []
    foot, size = None, height  # of the last digit before that is none of the low ones
    raised: list[int] = []  # places in kept
    for place, part in enumerate(parts):
        if foot is not None and _is_percent(parts[place:], height):
            return Raised(tuple(kept), (around(box_of(one) for one in parts[place:]),))
        _, y, _, tall = box_of(part)
        if not isinstance(part, PlacedReading):
            kept.append(part)
            continue
        above = 0 if foot is None else foot - y - tall
        hangs = tall <= _LOW * size and above >= _ABOVE * size
        hangs |= above >= _UNDERLINED * size and _spans_another(part, parts)
        if foot is None or not hangs:
            kept.append(part)
            if foot is None or tall > _LOW * size:
                foot, size = y + tall, max(height, tall)
            continue
        after = parts[place + 1 :]
        is_degree = part.digit == 0 and tall <= _RING_LOW * height and above >= _RING_ABOVE * height
        is_degree &= not raised and len(after) <= 1 and not any(isinstance(one, PlacedReading) for one in after)
        if is_degree or _ends_percent(after, foot, height):
            return Raised(tuple(kept), (around(box_of(one) for one in parts[place:]),))
        raised.append(len(kept))
        kept.append(part)
    return Raised(_refused(kept, raised), ())


def _spans_another(digit: PlacedReading, parts: Sequence[Part]) -> bool:
    """Whether a digit reaches over all columns of another, as one does with the rule below it and the next one."""
    x, _, width, _ = digit.box
    others = (part.box for part in parts if isinstance(part, PlacedReading) and part is not digit)
    return any(x <= left and left + broad <= x + width for left, _, broad, _ in others)


def _refused(parts: Sequence[Part], raised: Sequence[int]) -> tuple[Part, ...]:
    """The parts, none of a raised digit's number accepted: of the digits that stand together with it."""
    numbers: list[list[int]] = [[]]
    end, before = -math.inf, 0
    for place, part in enumerate(parts):
        x, _, width, tall = box_of(part)
        is_digit = isinstance(part, PlacedReading)
        if not is_digit or x - end > _APART * max(tall, before):
            numbers.append([])
        if is_digit:
            numbers[-1].append(place)
        end, before = max(end, x + width), tall
    doubted = {place for number in numbers if not set(raised).isdisjoint(number) for place in number}
    return tuple(
        refused(part, RAISED) if place in doubted and isinstance(part, PlacedReading) else part
        for place, part in enumerate(parts)
    )


def _ends_percent(after: Sequence[Part], foot: int, height: float) -> bool:
    """Whether what follows a raised ring is the stroke and the second ring of a percent sign."""
    if len(after) != 2:
        return False
    bar, (_, y, _, tall) = after[0], box_of(after[1])
    is_stroke = box_of(bar)[3] >= _BAR * height and (not isinstance(bar, PlacedReading) or bar.digit in (1, 7))
    return is_stroke and tall <= _LOW * height and abs(foot - y - tall) <= _ON_LINE * height


def _is_percent(parts: Sequence[Part], height: float) -> bool:
    """Whether two parts are a ring and, above or below the ring, the other one with the stroke."""
    if len(parts) != 2:
        return False
    ring, other = sorted(parts, key=lambda part: box_of(part)[3])
    x, _, width, tall = box_of(ring)
    left, _, broad, higher = box_of(other)
    if tall > _LOW * height or higher < _BAR * height or not isinstance(ring, PlacedReading) or ring.digit != 0:
        return False
    is_digit = isinstance(other, PlacedReading) and other.accepted
    return not is_digit and min(x + width, left + broad) - max(x, left) >= _LEANS * width


__all__ = ["Raised", "without_raised"]
