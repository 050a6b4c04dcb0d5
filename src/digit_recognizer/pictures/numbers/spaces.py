"""The digits of a printed line, read as one number, become several where a space stands between them.

Between the digits of a printed number gaps are alike, or the steps from digit to digit, and a space is wider. A pen
leaves gaps of all sizes, and digits of all heights: what is not even has no spaces here. Knows nothing of pixels or
models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from digit_recognizer.pictures.marks.lines import WIDER_AFTER
from digit_recognizer.pictures.numbers.evenness import are_even, are_level, levelled
from digit_recognizer.pictures.words.within import SIGN, TALL, Part, box_of, room_of
from digit_recognizer.reading import PlacedReading

# Shares of the digits' height. Chosen on 240 lines in held-out faces (everyday.py, seeds 20 to 25), on 4,800 lines set
# with 202 other families, measured without being read (of 1,200 single numbers two are cut), and on 740 composed
# lines of validation digits, of which one is cut. docs/log.md has the figures.
_CLEAR = 0.15  # that a space is wider, or moves the next digit farther on, than anything within a number
_SPREAD = 0.8  # of what those differ by between themselves, it is that, too
_FARTHER = 0.19  # that each space is, by the other of the two measures, beyond the middle of the others
_LEAST = 0.2  # a space is wide at least: that of some fonts hardly makes up for what their digits lack at their sides
_FEW = 3  # gaps within numbers; of fewer nobody knows how they differ
_CLEAR_OF_FEW = 0.2  # and then spaces are wider than they are by that
_LEAST_OF_FEW = 0.3  # and at least so wide, as they are in a line that wider ones have cut into words
_LEAST_OF_TWO = 0.5  # as the only gap, between two digits, is where it is a space
_SHARP = 0.08  # what digits within numbers differ by at least, however even they look
_DOUBTED = 0.33  # a gap that may as well be a space, where it is like all others
_DOUBTED_UNEVEN = 0.6  # the same between digits that are even, but not as level as sharp print
_DOUBTED_MANY = 0.9  # the same between many: on tiles and cards each is a number
_DOUBTED_WIDEST = 0.3  # or where it is wider than others are by _CLEAR
_AFTER_POINT = 0.4  # a space is wide at least beside a point or comma: that of a price fills its gap
_ALMOST, _MANY = 1.4, 8  # times as uneven as print may be digits a space apart, so many at least: fewer are by hand
_DASH = 0.25  # above the digits' feet: where a dash, or the upper dot of a colon, ends at least


class _Gap(NamedTuple):
    """Between two digits. wide: what is free, minus infinity where a dash or colon stands there. step: from the middle
    of one to that of the other. ink: from the ink of one to that of the other. All in heights. has_one:
    whether one is a 1. middle: of what is free, in pixels.
    """

    wide: float
    step: float
    ink: float
    has_one: bool
    middle: float


def find_spaces(
    parts: Sequence[Part], signs: Sequence[float], height: float, beside: Sequence[Sequence[Part]] = ()
) -> list[float]:
    """Where spaces lie between printed digits, from left to right, in pixels: the middle of each.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. signs: where points,
    commas and such of a decimal number stand. height: of the line's digits, in pixels. beside: the parts of each other
    word of the line, whose gaps tell, too, how wide a space is there. A space before a group of thousands is one, too.
    There is none where a tall part is no digit, where digits are uneven as by hand, or where all gaps are alike, but
    for the wide one between two digits as level as sharp print. Dots and signs fill gaps, a point up to 0.4 heights of
    them and all of one in whose middle it lies, and a 1 takes as much room as other digits do; around a dash or colon,
    a mark that ends above the digits' feet, there is no space.

    >>> find_spaces([(0, 0, 10, 20), (30, 0, 10, 20)], [], 20.0)
    []
    """
    gaps = _gaps(parts, signs, height)
    if not gaps:
        return []
    whole = sorted([part for word in (parts, *beside) for part in word], key=lambda part: box_of(part)[0])
    if not _are_print(whole, height):
        return find_spaces(parts, signs, height) if beside else []
    others = [gap for word in beside for gap in _gaps(word, signs, height)]
    if len(gaps) == 1 and not others:
        digits = [part for part in parts if isinstance(part, PlacedReading)]
        return [gaps[0].middle] if gaps[0].wide >= _LEAST_OF_TWO and are_level(digits, height) else []
    spaces = _spaces([*gaps, *others], _LEAST_OF_FEW if beside else _LEAST)
    return [gap.middle for gap in gaps if gap in spaces]


def may_have_spaces(parts: Sequence[Part], signs: Sequence[float], height: float) -> bool:
    """Whether gaps between digits of print may be spaces, though nothing tells them from others.

    Arguments as for ``find_spaces``, which finds none in them.

    >>> may_have_spaces([(0, 0, 10, 20), (30, 0, 10, 20)], [], 20.0)
    False
    """
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    if not _are_print(parts, height):
        return (
            len(digits) >= _MANY
            and _are_digits(parts, height, _ALMOST)
            and bool(_spaces(_gaps(parts, signs, height), _LEAST))
        )
    gaps = [gap for gap in _gaps(parts, signs, height) if gap.wide > -math.inf]
    widest = max((gap.wide for gap in gaps), default=0.0)
    narrowest = min((max(gap.wide, gap.ink) for gap in gaps), default=0.0)
    if narrowest >= _DOUBTED_MANY:
        return True
    # Many that are all alike are how a number is set, a few may be lone digits a space apart.
    if not are_level(digits, height):
        return narrowest >= _DOUBTED_UNEVEN and len(gaps) <= _FEW
    all_wide = narrowest >= _DOUBTED and len(gaps) <= _FEW
    return all_wide or (widest >= _DOUBTED_WIDEST and widest - narrowest >= _CLEAR)


def _spaces(gaps: Sequence[_Gap], least: float) -> list[_Gap]:
    """Those of the gaps that are spaces: none, or all that stand out clearest, by how wide they are or how far apart
    the middles of their digits. least: how wide they are at least.

    Digits of one breadth each, the 1 in the middle of as much room as others, have even steps; others have even gaps.
    """
    gaps = [gap for gap in gaps if gap.wide > -math.inf]
    clearest, spaces = 0.0, list[_Gap]()
    for values in ([gap.wide for gap in gaps], [gap.step for gap in gaps]):
        ordered = sorted(values)
        for count, (narrow, wide) in enumerate(pairwise(ordered), 1):
            clear, spread = wide - narrow, narrow - ordered[0]
            few = count < _FEW
            if clear < max(_CLEAR_OF_FEW if few else _CLEAR, _SPREAD * spread):
                continue
            found = [gap for gap, value in zip(gaps, values, strict=True) if value >= wide]
            within = [gap for gap, value in zip(gaps, values, strict=True) if value < wide]
            is_clearest = clear > clearest * max(_SHARP, spread)
            if is_clearest and _are_farther(found, within, _LEAST_OF_FEW if few else least):
                clearest, spaces = clear / max(_SHARP, spread), found
    return spaces


def _are_farther(spaces: Sequence[_Gap], within: Sequence[_Gap], least: float) -> bool:
    """Whether spaces are wide, and each farther, by either measure, than gaps within numbers are in the middle."""
    if min(gap.wide for gap in spaces) < least:
        return False
    # Where 1s are narrow, their neighbours may stand nearer: as near as the digits that seem a space apart.
    if all(gap.has_one for gap in within):
        widest = max(gap.ink for gap in within)
        if any(gap.ink < widest + _SHARP for gap in spaces):
            return False
    wide, step = median(gap.wide for gap in within), median(gap.step for gap in within)
    return all(gap.wide >= wide + _FARTHER and gap.step >= step + _FARTHER for gap in spaces)


def _are_print(parts: Sequence[Part], height: float) -> bool:
    """Whether what is tall is digits, two at least, and as even as those of a font."""
    return _are_digits(parts, height, 1.0)


def _are_digits(parts: Sequence[Part], height: float, more: float) -> bool:
    """The same of digits that may be more uneven, so many times, once their line is made level."""
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    others = [part for part in parts if not isinstance(part, PlacedReading)]
    if len(digits) < 2 or any(tall >= TALL * height for _, _, _, tall in others):
        return False
    return are_even(digits, height) or are_even(levelled(digits), height, more=more)


def _gaps(parts: Sequence[Part], signs: Sequence[float], height: float) -> list[_Gap]:
    """What is between each two digits: the widest gap."""
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    feet = median(digit.box[1] + digit.box[3] for digit in digits) if digits else 0.0
    sides = [
        (*room_of(part), part if isinstance(part, PlacedReading) else None, _hangs(part, feet, height))
        for part in parts
    ]
    sides += [(place, place + SIGN * height, None, False) for place in signs]
    gaps: list[_Gap] = []
    reach, widest, middle, is_filled = -math.inf, -math.inf, 0.0, False
    points = set(signs)
    is_pointed, before = False, 0.0
    last: PlacedReading | None = None
    for left, right, digit, hangs in sorted(sides, key=lambda side: side[:2]):
        if left - reach > widest:
            widest, middle = left - reach, (left + reach) / 2
        is_filled |= hangs
        if digit is None and left in points:
            is_pointed, before = True, left - reach
        if digit is not None:
            if last is not None:
                step = digit.box[0] + digit.box[2] / 2 - last.box[0] - last.box[2] / 2
                ink = (digit.box[0] - last.box[0] - last.box[2]) / height
                apart = abs(left - reach - max(0.0, before))
                is_filled |= is_pointed and (widest < _AFTER_POINT * height or apart < WIDER_AFTER * height)
                wide = -math.inf if is_filled else widest / height
                gaps.append(_Gap(wide, step / height, ink, 1 in (digit.digit, last.digit), middle))
            widest, last, is_filled, is_pointed, before = -math.inf, digit, False, False, 0.0
        reach = max(reach, right)
    return gaps


def _hangs(part: Part, feet: float, height: float) -> bool:
    """Whether a part is no digit and ends above the feet of the digits."""
    return not isinstance(part, PlacedReading) and part[1] + part[3] <= feet - _DASH * height


__all__ = ["find_spaces", "may_have_spaces"]
