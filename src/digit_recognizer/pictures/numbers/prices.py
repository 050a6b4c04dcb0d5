"""Values that are others without the point that was left out of them, and parts of such, are not accepted.

Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from digit_recognizer.pictures.numbers.neighbours import places_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted, not_accepted_at
from digit_recognizer.pictures.words.signs import MINUS, NO_SIGN, are_thousands

POINT_LEFT_OUT = "a point or comma in it is left out, unless numbers are decimal"

_CENTS, _GROUP = 2, 3  # digits after the last point or comma of a price, and after those before it
_BESIDE_POINT = 1.8  # heights between the digits beside one of them at most


def other_value_refused(word: ReadWord) -> ReadWord:
    """The word; none of its digits accepted where a point was left out between them that does not part thousands.

    >>> word = ReadWord(0, 20.0, "", (), ())
    >>> other_value_refused(word) == word
    True
    """
    if not word.is_stood_by:
        return word
    starts = [digit.box[0] for digit in word.digits]
    places = [place for place, sign in word.signs if sign == NO_SIGN and starts[0] < place < starts[-1]]
    if not places or (word.digits[0].digit != 0 and are_thousands(places, starts)):
        return word
    return not_accepted(word, POINT_LEFT_OUT)


def torn_prices_refused(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; none accepted that looks like a part of a price, torn at a point or comma: two digits after the
    last one, three after those before it. In italics and where all characters are of one breadth, what is free beside
    a comma is as wide as a space.
    """
    doubted: set[int] = set()
    for places in places_by_line(words).values():
        found = sorted((place for place in places if words[place].digits), key=lambda at: words[at].digits[0].box[0])
        chain: list[int] = []
        for place, at in enumerate(found, 1):
            chain.append(at)
            if place == len(found) or not _are_parted_by_point(words[at], words[found[place]]):
                if len(chain) > 1 and _are_of_price([count for one in chain for count in _groups(words[one])]):
                    doubted.update(one for one in chain if words[one].is_stood_by)
                chain = []
    return not_accepted_at(words, doubted, POINT_LEFT_OUT)


def _groups(word: ReadWord) -> list[int]:
    """How many digits stand before, between and after the points or commas within a number."""
    starts = [digit.box[0] for digit in word.digits]
    places = sorted(place for place, sign in word.signs if sign != MINUS and starts[0] < place < starts[-1])
    bounds = [-math.inf, *places, math.inf]
    return [sum(first < start <= last for start in starts) for first, last in pairwise(bounds)]


def _are_of_price(counts: Sequence[int]) -> bool:
    """Whether a price may be parted so. counts: of the digits before, between and after points or commas."""
    first, *between, last = counts
    return last == _CENTS and all(count == _GROUP for count in between) and (first <= _GROUP or not between)


def _are_parted_by_point(before: ReadWord, after: ReadWord) -> bool:
    """Whether a point or comma stands between two numbers of a line, and no wide gap."""
    left, right = before.digits[-1].box, after.digits[0].box
    places = [place for place, sign in (*before.signs, *after.signs) if sign != MINUS]
    is_near = right[0] - left[0] - left[2] <= _BESIDE_POINT * before.height
    return is_near and any(left[0] < place < right[0] for place in places)


__all__ = ["POINT_LEFT_OUT", "other_value_refused", "torn_prices_refused"]
