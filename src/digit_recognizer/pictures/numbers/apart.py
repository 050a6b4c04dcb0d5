"""A word that was read becomes the numbers that stand a space apart in it, without the signs that look like digits.

Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.numbers.beside import signs_between, without_letters
from digit_recognizer.pictures.numbers.raised import without_raised
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.slashes import MAYBE_ONE, MAYBE_SLASH, SLASH, find_slashes
from digit_recognizer.pictures.numbers.spaces import find_spaces, may_have_spaces
from digit_recognizer.pictures.words.signs import COLON
from digit_recognizer.pictures.words.within import Part, box_of
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around, refused

MAYBE_SPACE = "gaps in it that may be spaces"

_NEAR = 1.2  # heights between a slash that stands alone and the digits at its sides, at most


def numbers_of(word: ReadWord, expectation: Expectation, beside: Sequence[ReadWord] = ()) -> list[ReadWord]:
    """A word that was read, with its parts and signs, as the numbers that stand a space apart in it, one or more.

    beside: the other words of its line. It stays one where that is asked for: a card's number may be printed in groups.
    Degree and percent signs after the last one are rejected, and raised digits not accepted; nor is any digit where
    nobody can tell whether a space stands between them. Digits that are letters of a word beside the number are none.
    Slashes part numbers as spaces do, and so do a plus and the like, and colons.

    >>> word = ReadWord(0, 20.0, "", (), (), parts=((0, 0, 9, 20),))
    >>> numbers_of(word, Expectation()) == [word]
    True
    """
    colons = [place for place, sign in word.signs if sign == COLON]
    if colons:
        return _parted(word, colons, expectation, beside)
    word, slashes = _without_doubt(_without_sign(word), beside)
    signs = signs_between(word.parts, word.height)
    if not slashes and not signs:
        return spaced(word, expectation, beside)
    why = dict.fromkeys(slashes, SLASH) | dict.fromkeys(signs, NOT_A_DIGIT)
    cuts = [-1, *sorted(why), len(word.parts)]
    rejected = [word.rejected, *((Rejected(box_of(word.parts[place]), why[place]),) for place in cuts[1:-1])]
    word = replace(word, letters=max(0, word.letters - len(signs)))
    kept = [part for place, part in enumerate(word.parts) if place not in why]
    whole = _of_parts(word, kept, tuple(one for some in rejected for one in some))
    if expectation.asks and expectation.complaint([digit.digit for digit in whole.digits]) is None:
        return [whole]
    sides = [-math.inf, *(box_of(word.parts[place])[0] for place in cuts[1:-1]), math.inf]
    numbers = _shared(
        _of_parts(word, word.parts[first + 1 : last], why_not, between)
        for (first, last), between, why_not in zip(pairwise(cuts), pairwise(sides), rejected, strict=True)
    )
    return [one for number in numbers for one in (spaced(number, expectation, beside) if number.parts else [number])]


def _parted(
    word: ReadWord, colons: Sequence[float], expectation: Expectation, beside: Sequence[ReadWord]
) -> list[ReadWord]:
    """The numbers of a word with colons in it, at these places."""
    whole = replace(word, signs=tuple((place, sign) for place, sign in word.signs if sign != COLON))
    if expectation.asks and expectation.complaint([digit.digit for digit in whole.digits]) is None:
        return numbers_of(whole, expectation, beside)
    some = [
        _of_parts(whole, [part for part in whole.parts if first < box_of(part)[0] <= last], (), (first, last))
        for first, last in pairwise([-math.inf, *sorted(colons), math.inf])
    ]
    of_time = [
        place
        for place, (one, other) in enumerate(pairwise(some))
        if isinstance(next(reversed(one.parts), None), PlacedReading)
        and isinstance(next(iter(other.parts), None), PlacedReading)
    ]
    numbers = [
        replace(one, is_of_time=bool({place - 1, place} & set(of_time))) for place, one in enumerate(some) if one.parts
    ]
    numbers[-1] = replace(numbers[-1], rejected=word.rejected)
    return [one for number in _shared(numbers) for one in numbers_of(number, expectation, beside)]


def _without_sign(word: ReadWord) -> ReadWord:
    """A word without the degree or percent sign at its end."""
    parts, raised = without_raised(word.parts, word.height)
    rejected = (*word.rejected, *(Rejected(box, NOT_A_DIGIT) for box in raised))
    of_sign = sum(not isinstance(part, PlacedReading) for part in word.parts[len(parts) :])
    word = replace(word, letters=max(0, word.letters - of_sign))
    return _of_parts(word, parts, rejected)


def _without_doubt(word: ReadWord, beside: Sequence[ReadWord]) -> tuple[ReadWord, tuple[int, ...]]:
    """A word no digit of which is accepted that may be a slash, and which of its parts are slashes."""
    before = after = None
    if len(word.parts) == 1:  # alone, it may stand between two numbers
        before, after = _neighbours(word, beside)
    slashes = find_slashes(word.parts, word.height, before, after)
    doubted = [box_of(word.parts[place]) for place in slashes.doubted]
    word = _not_accepted(word, doubted, *(Rejected(box, MAYBE_SLASH) for box in doubted))
    unsure = [place for place in slashes.unsure if 0 < place < len(word.parts) - 1]
    beside_it = [box_of(word.parts[place + step]) for place in unsure for step in (-1, 1)]
    why = (Rejected(box_of(word.parts[place]), MAYBE_ONE) for place in unsure)
    return _not_accepted(word, beside_it, *why), slashes.found


def _neighbours(word: ReadWord, beside: Sequence[ReadWord]) -> tuple[Part | None, Part | None]:
    """What stands right before and right after a word in its line."""
    left, _, width, _ = around(box_of(part) for part in word.parts)
    before = after = None
    nearest = [_NEAR * word.height] * 2
    for part in (part for other in beside for part in other.parts):
        x, _, broad, _ = box_of(part)
        if 0 <= left - x - broad < nearest[0]:
            before, nearest[0] = part, left - x - broad
        if 0 <= x - left - width < nearest[1]:
            after, nearest[1] = part, x - left - width
    return before, after


def _shared(numbers: Iterable[ReadWord]) -> list[ReadWord]:
    """The numbers of one word, its letters counted once: in the first that holds something that is no digit, if any."""
    found = list(numbers)
    place = next((at for at, one in enumerate(found) if len(one.digits) < len(one.parts)), 0)
    return [one if at == place else replace(one, letters=0) for at, one in enumerate(found)]


def _of_parts(
    word: ReadWord,
    parts: Sequence[Part],
    rejected: tuple[Rejected, ...],
    between: tuple[float, float] = (-math.inf, math.inf),
) -> ReadWord:
    """The word with some of its parts, and the signs of a decimal number that stand between two places."""
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    signs = tuple((place, sign) for place, sign in word.signs if between[0] < place <= between[1])
    familiar = min(word.familiar, len(digits))
    return replace(word, digits=digits, rejected=rejected, familiar=familiar, parts=tuple(parts), signs=signs)


def spaced(word: ReadWord, expectation: Expectation, beside: Sequence[ReadWord] = ()) -> list[ReadWord]:
    """A word as the numbers that stand a space apart in it, unsure where nobody can tell. Arguments as for
    ``numbers_of``.

    >>> word = ReadWord(0, 20.0, "", (), (), parts=((0, 0, 9, 20),))
    >>> spaced(word, Expectation()) == [word]
    True
    """
    word = _of_parts(word, without_letters(word.parts, word.height), word.rejected)
    if word.is_parted or (expectation.asks and expectation.complaint([digit.digit for digit in word.digits]) is None):
        return [word]
    signs = [place for place, _ in word.signs]
    spaces = find_spaces(word.parts, signs, word.height, [other.parts for other in beside])
    if not spaces:
        return [_doubted(word)] if may_have_spaces(word.parts, signs, word.height) else [word]
    return _shared(
        _of_parts(
            word,
            [part for part in word.parts if first < box_of(part)[0] <= last],
            word.rejected if last == math.inf else (),
            (first, last),
        )
        for first, last in pairwise([-math.inf, *spaces, math.inf])
    )


def _doubted(word: ReadWord) -> ReadWord:
    """The word with none of its digits accepted, and why."""
    boxes = [digit.box for digit in word.digits]
    return _not_accepted(word, boxes, Rejected(around(boxes), MAYBE_SPACE))


def _not_accepted(word: ReadWord, boxes: Sequence[Box], *why: Rejected) -> ReadWord:
    """The word with none of the digits in these boxes accepted, and why."""
    if not boxes or not why:
        return word
    parts = tuple(
        refused(part, why[0].reason) if isinstance(part, PlacedReading) and part.box in boxes else part
        for part in word.parts
    )
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    return replace(word, digits=digits, parts=parts, rejected=(*word.rejected, *why))


__all__ = ["MAYBE_SPACE", "numbers_of", "spaced"]
