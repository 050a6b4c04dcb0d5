"""A word that was read becomes the numbers that stand a space apart in it, without the signs that look like digits.

Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from digit_recognizer.pictures.beside import without_letters
from digit_recognizer.pictures.context import ReadWord
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.raised import without_raised
from digit_recognizer.pictures.spaces import find_spaces, may_have_spaces
from digit_recognizer.pictures.within import box_of
from digit_recognizer.reading import NOT_A_DIGIT, PlacedReading, Rejected, around

MAYBE_SPACE = "gaps in it that may be spaces"


def numbers_of(word: ReadWord, expectation: Expectation, beside: Sequence[ReadWord] = ()) -> list[ReadWord]:
    """A word that was read, with its parts and signs, as the numbers that stand a space apart in it, one or more.

    beside: the other words of its line. It stays one where that is asked for: a card's number may be printed in groups.
    Degree and percent signs after the last one are rejected, and raised digits not accepted; nor is any digit where
    nobody can tell whether a space stands between them. Digits that are letters of a word beside the number are none.

    >>> word = ReadWord(0, 20.0, "", (), (), parts=((0, 0, 9, 20),))
    >>> numbers_of(word, Expectation()) == [word]
    True
    """
    parts, raised = without_raised(word.parts, word.height)
    parts = without_letters(parts, word.height)
    if parts != word.parts:
        digits = tuple(part for part in parts if isinstance(part, PlacedReading))
        rejected = tuple(Rejected(box, NOT_A_DIGIT) for box in raised)
        word = replace(word, digits=digits, familiar=min(word.familiar, len(digits)), parts=parts, rejected=rejected)
    if expectation.asks and expectation.complaint([digit.digit for digit in word.digits]) is None:
        return [word]
    signs = [place for place, _ in word.signs]
    spaces = find_spaces(word.parts, signs, word.height, [other.parts for other in beside])
    if not spaces:
        return [_doubted(word)] if may_have_spaces(word.parts, signs, word.height) else [word]
    result = []
    for first, last in pairwise([-math.inf, *spaces, math.inf]):
        parts = tuple(part for part in word.parts if first < box_of(part)[0] <= last)
        digits = tuple(part for part in parts if isinstance(part, PlacedReading))
        own = tuple((place, sign) for place, sign in word.signs if first < place <= last)
        familiar = min(word.familiar, len(digits))
        rejected = word.rejected if last == math.inf else ()
        result.append(replace(word, digits=digits, rejected=rejected, familiar=familiar, parts=parts, signs=own))
    return result


def _doubted(word: ReadWord) -> ReadWord:
    """The word with none of its digits accepted, and why."""
    digits = tuple(replace(digit, accepted=False) for digit in word.digits)
    parts = iter(digits)
    return replace(
        word,
        digits=digits,
        parts=tuple(next(parts) if isinstance(part, PlacedReading) else part for part in word.parts),
        rejected=(*word.rejected, Rejected(around(digit.box for digit in digits), MAYBE_SPACE)),
    )


__all__ = ["MAYBE_SPACE", "numbers_of"]
