"""A number with a mark at its ends that is no digit: whether that is a sign or stands clear, or may be a letter.

Known by boxes, and by how sure digits are, alone: nothing tells € from A there, but a dollar sign and brackets reach
above and below digits, and a plus hangs in the middle. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from digit_recognizer.pictures.numbers.evenness import are_even
from digit_recognizer.pictures.words.within import APART, TALL, Part, box_of, is_tall, room_of
from digit_recognizer.reading import Box, PlacedReading, around

UNLIKELY = 0.6  # confidence below which a digit may as well be a sign or a letter
_LIKELY = 0.8  # confidence from which on a digit counts beside a sign, though it be none that is accepted
_MOST = 2  # marks before and after the digits: No, kg, cm; before them one where it is not clear of them
# Shares of the digits' height.
_LEAST = 0.2  # between a number and what surely is a word
_CLEAR = 1.5  # times a gap is wider there than the widest gap between the number's digits
_LOWER = 0.82  # how tall an o is at most
_RAISED = 0.3  # that it ends above the digits' feet at most: exponents and the cents of a price hang higher
_DEEPER = 0.15  # how far a g hangs below the digits at least
_ON_LINE = 0.1  # and how far from the digits' feet that of an m ends at most
_HIGHEST = 1.45  # and how tall letters are at most: cents are lower than the digits of a price
_BELOW = 0.1  # that brackets and dollar signs reach below the digits at least
_BROADEST = 0.75  # and are broad at most; a Q reaches below, too
_ABOVE_FEET, _BELOW_TOPS = 0.08, 0.12  # where a plus ends; letters stand on the line
_DOT = 0.08  # a dot in the middle that means times is broad at least, and stands clear


class Beside(NamedTuple):
    """digits: of a number. marks: what stands beside them, (x, y, w, h) each. is_sure: whether none may be a letter."""

    digits: tuple[PlacedReading, ...]
    marks: tuple[Box, ...]
    is_sure: bool


def without_letters(parts: Sequence[Part], height: float) -> tuple[Part, ...]:
    """The same parts, with digits that are brackets around a number, or letters of a short word beside it, as boxes.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. height: of the line's
    digits, in pixels. Brackets reach above and below the digits, and none of them is accepted. A word (No. 4, 5 kg)
    stands clear of the number and has two letters at most. One of these is no digit, and the other is unlikely, lower
    than the number's digits, as an o is, or reaches below them, as a g. Where both look like digits, none is accepted,
    each reaches below or is half as tall at most, and the number is print: several digits, and even.

    >>> without_letters([(0, 0, 10, 20)], 20.0)
    ((0, 0, 10, 20),)
    """
    places = [place for place, part in enumerate(parts) if is_tall(part, height)]
    if _in_brackets([parts[place] for place in places]):
        return tuple(box_of(part) if place in (places[0], places[-1]) else part for place, part in enumerate(parts))
    for count in range(min(_MOST, len(places) - 1), 0, -1):
        for some, rest in ((places[:count], places[count:]), (places[-count:], places[:-count])):
            if _are_letters([parts[place] for place in some], [parts[place] for place in rest], height):
                return tuple(box_of(part) if place in some else part for place, part in enumerate(parts))
    return tuple(parts)


def without_brackets(parts: Sequence[Part], height: float) -> tuple[Part, ...]:
    """The parts of a line of print without brackets right beside a digit: a number in them stands apart from words.

    parts, height: as for ``without_letters``.

    >>> without_brackets([(0, 0, 10, 20)], 20.0)
    ((0, 0, 10, 20),)
    """
    tall = [place for place, part in enumerate(parts) if is_tall(part, height)]
    found = set()
    for place, beside in [*pairwise(tall), *((after, before) for before, after in pairwise(tall))]:
        digit, mark = parts[beside], parts[place]
        is_read = isinstance(mark, PlacedReading) and mark.confidence >= UNLIKELY
        is_beside = isinstance(digit, PlacedReading) and digit.accepted and not is_read
        if is_beside and _is_bracket(box_of(mark), [box_of(digit)]):
            found.add(place)
    return tuple(part for place, part in enumerate(parts) if place not in found)


def signs_between(parts: Sequence[Part], height: float) -> tuple[int, ...]:
    """Which parts of a word are signs between two numbers, as a plus is: from left to right.

    parts, height: as for ``number_beside``. What hangs in the middle between two digits is a sign, and what is lower
    than these, or a dot in the middle, if it stands clear of them. Other dashes and dots are part of a number.

    >>> signs_between([(0, 0, 10, 20)], 20.0)
    ()
    """
    places = [place for place, part in enumerate(parts) if isinstance(part, PlacedReading)]
    found: list[int] = []
    for before, after in pairwise(places):
        left, right = parts[before], parts[after]
        if after - before < 2 or not isinstance(left, PlacedReading) or not isinstance(right, PlacedReading):
            continue
        mark = around(box_of(part) for part in parts[before + 1 : after])
        gap = min(mark[0] - left.box[0] - left.box[2], right.box[0] - mark[0] - mark[2])
        size = median((left.box[3], right.box[3]))
        hangs = mark[3] >= TALL * height or (mark[2] >= _LEAST * height and gap >= _LEAST * height)
        hangs |= mark[2] >= _DOT * height and gap >= APART * height
        hangs = hangs and _hangs(mark, [left.box, right.box])
        is_low = TALL * height <= mark[3] <= _LOWER * size and gap >= APART * height
        if _is_likely(left) and _is_likely(right) and (hangs or is_low):
            found += range(before + 1, after)
    return tuple(found)


def number_beside(parts: Sequence[Part], height: float) -> Beside | None:
    """The digits of a word with one mark before them at most, or two that stand clear, and two after them; None for all
    other words, and where a digit is unlikely.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. height: of the line's
    digits, in pixels.

    >>> number_beside([(0, 0, 10, 20)], 20.0)
    """
    tall = [_sure_digit(part) for part in parts if is_tall(part, height)]
    places = [place for place, part in enumerate(tall) if isinstance(part, PlacedReading)]
    if not places or len(places) == len(tall):
        return None
    first, last = places[0], places[-1] + 1
    digits = [part for part in tall[first:last] if isinstance(part, PlacedReading) and _is_likely(part)]
    before = [part for part in tall[:first] if not isinstance(part, PlacedReading)]
    after = [part for part in tall[last:] if not isinstance(part, PlacedReading)]
    if len(digits) < last - first or max(len(before), len(after)) > _MOST:
        return None
    boxes = [digit.box for digit in digits]
    unlikely = [part for part in parts if isinstance(part, PlacedReading) and not _is_likely(part)]
    if any(not _is_sign(part.box, boxes) for part in unlikely):
        return None  # a digit that is unlikely, and no bracket
    gaps = [(mark, boxes[0][0] - mark[0] - mark[2]) for mark in before]
    gaps += [(mark, after[0][0] - boxes[-1][0] - boxes[-1][2]) for mark in after]
    if len(before) == _MOST and gaps[1][1] < APART * height:
        return None
    is_sure = all(gap >= APART * height or _is_sign(mark, boxes) for mark, gap in gaps)
    return Beside(tuple(digits), (*before, *after), is_sure)


def _is_likely(digit: PlacedReading) -> bool:
    return digit.accepted or digit.confidence >= _LIKELY


def _in_brackets(parts: Sequence[Part]) -> bool:
    digits = [part.box for part in parts[1:-1] if isinstance(part, PlacedReading) and _is_likely(part)]
    if not digits or len(digits) < len(parts) - 2:
        return False
    ends = (parts[0], parts[-1])
    is_read = any(isinstance(part, PlacedReading) and part.accepted for part in ends)
    return not is_read and all(_is_bracket(box_of(part), digits) for part in ends)


def _are_letters(some: Sequence[Part], rest: Sequence[Part], height: float) -> bool:
    """Whether some parts are a word beside the rest, which is a number."""
    digits = [part.box for part in rest if isinstance(part, PlacedReading) and _is_likely(part)]
    if len(digits) < len(rest):
        return False
    first, second = sorted((some, rest), key=lambda parts: box_of(parts[0])[0])
    gap = room_of(second[0])[0] - max(room_of(part)[1] for part in first)
    widest = max((room_of(other)[0] - room_of(one)[1] for one, other in pairwise(rest)), default=0.0)
    if gap < max(_LEAST * height, _CLEAR * widest):
        return False
    size, foot = median(box[3] for box in digits), median(box[1] + box[3] for box in digits)
    if some is second and _is_unit(some, gap, foot, size) and _are_print(rest, height):
        return True
    read = [part for part in some if isinstance(part, PlacedReading)]
    if len(read) == len(some) and (any(digit.accepted for digit in read) or not _are_print(rest, height)):
        return False
    low = TALL if len(read) == len(some) else _LOWER
    return all(
        (digit.confidence < UNLIKELY and len(read) < len(some))
        or (digit.box[3] <= low * size and digit.box[1] + digit.box[3] >= foot - _RAISED * size)
        or (digit.box[1] + digit.box[3] >= foot + _DEEPER * size and digit.box[3] <= _HIGHEST * size)
        for digit in read
    )


def _is_unit(parts: Sequence[Part], gap: float, foot: float, size: float) -> bool:
    """Whether parts are the ml or cl after a number: a small letter on the line, and right after it an l, read as a 1.

    gap: before them, in pixels. foot, size: where the number's digits end, and how tall they are.
    """
    first, last = parts[0], parts[-1]
    if len(parts) != 2 or isinstance(first, PlacedReading) or not isinstance(last, PlacedReading) or last.digit != 1:
        return False
    x, y, width, tall = first
    is_right_after = gap >= _CLEAR * (last.box[0] - x - width)  # a times sign stands as far from both numbers
    return tall <= _LOWER * size and abs(y + tall - foot) <= _ON_LINE * size and is_right_after


def _are_print(parts: Sequence[Part], height: float) -> bool:
    """Whether parts are digits, several and even: a pen writes some low, and some below their feet."""
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    return 1 < len(digits) == len(parts) and are_even(digits, height)


def _sure_digit(part: Part) -> Part:
    """The part; its box alone where it more likely is a bracket than the digit that it was read as."""
    return part.box if isinstance(part, PlacedReading) and part.confidence < UNLIKELY else part


def _is_sign(mark: Box, digits: Sequence[Box]) -> bool:
    """Whether a mark lies as no letter does beside these digits."""
    return _is_bracket(mark, digits) or _hangs(mark, digits)


def _hangs(mark: Box, digits: Sequence[Box]) -> bool:
    """Whether a mark hangs in the middle of these digits, as a plus does."""
    top, foot = median(box[1] for box in digits), median(box[1] + box[3] for box in digits)
    size = foot - top
    _, y, _, tall = mark
    return y >= top + _BELOW_TOPS * size and y + tall <= foot - _ABOVE_FEET * size


def _is_bracket(mark: Box, digits: Sequence[Box]) -> bool:
    """Whether a mark reaches above and below these digits, as brackets and dollar signs do."""
    top, foot = median(box[1] for box in digits), median(box[1] + box[3] for box in digits)
    size = foot - top
    _, y, width, tall = mark
    return y <= top and y + tall >= foot + _BELOW * size and width <= _BROADEST * size


__all__ = ["UNLIKELY", "Beside", "number_beside", "signs_between", "without_brackets", "without_letters"]
