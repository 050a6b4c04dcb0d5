"""Numbers that were read, and may be another, or none: a half, a value without its point, bars. They are not accepted.

Knows nothing of pixels or models, nor of what is letters: what is none of a page's numbers is left out before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from statistics import median

from digit_recognizer.pictures.numbers.beside import number_beside
from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, BESIDE_LETTER
from digit_recognizer.pictures.numbers.evenness import are_even, are_of_a_height, levelled
from digit_recognizer.pictures.numbers.neighbours import Unread, places_by_line, unread_by_line
from digit_recognizer.pictures.numbers.raised import RAISED
from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted
from digit_recognizer.pictures.words.signs import MINUS, NO_SIGN, are_thousands
from digit_recognizer.pictures.words.within import TALL, Part, box_of, is_tall
from digit_recognizer.reading import Box, PlacedReading, around, overlap

BARS = "bars, and no other digit to tell them by"
MAYBE_RING = "as broad as a ring, which it may be"
STROKES = "a stroke of another height than the digits of its line, as l, I and | are"
PART = "a part of a number, or all of it"
POINT_LEFT_OUT = "a point or comma in it is left out, unless numbers are decimal"
LEFT_OUT = "another number in its line was left out"
# Their digits are as sure as those of other numbers.
OF_NUMBERS = frozenset((PART, POINT_LEFT_OUT, BESIDE_LETTER, LEFT_OUT, RAISED))

_OTHERS = 0.2  # share of the digits on a page of bars that look like something else, though not surely
_SURELY = 0.05  # and surely: one of twenty
_MARKS = 3  # bars at least, and digits beside them, that are the marks of a scale and its numbers
_LOW_BAR = 0.7  # times as tall as these are the marks at most; of 1s among digits of one size none is lower than 0.9
_COMB = 5  # 1s in a row that may as well be the teeth of a comb
_CENTS, _GROUP = 2, 3  # digits after the last point or comma of a price, and after those before it
_BESIDE_POINT = 1.8  # heights between the digits beside one of them at most
_BROAD = 1.2  # times a ring is broader than tall at least; so are 7 % of MNIST's zeros, and rings around words
# In all but 1 of 880 faces whose other digits are within 0.08 of one height, the 1 is no more than 0.01 taller than the
# tallest and 0.03 lower than the lowest of them; l is taller than 1.03 in 38 of 100, | in 84, / in 73.
_SEVERAL, _TALLER, _LOWER = 3, 0.03, 0.07  # other digits at least, and by how much it differs from them,
_PIXELS = 2  # and by how many pixels
_ITS_REST = 1.0  # heights between a number and what may be the rest of it, at most
_HANGING = 0.4  # and how tall at least what hangs on a ring beside it
_TOUCHING = 0.2  # and between it and what surely is, be it no digit
_APART = 0.3  # between the letters of a word and a number at its end, at least
_WHOLE_NUMBER = 3  # digits, half of them sure, that are no word; of two both are
_AS_TALL = 0.82  # of its line's tallest mark that what may be an unread number is at least
_ENDING = 3  # digits at the end of a word that is not read: two may be letters, as the S and T of GUEST


def with_doubts(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; no number is accepted that may be half of one, that a letter stands in or touches, in whose line
    another number is left out, or whose value is another without the point that was left out of it, nor are bars,
    strokes and lone rings, which may be no digits.

    words: of a page, without its text, as ``context.without_text`` gives them.

    >>> with_doubts([])
    []
    """
    unread = unread_by_line(words)
    with_letters = {word.line for word in words if word.letters}
    torn = {
        line
        for line, some in unread.items()
        if any(_is_number_left_out(word) or (line not in with_letters and _is_of_unread(word)) for word in some.words)
    }
    words = [
        not_accepted(word, LEFT_OUT) if word.line in torn and any(digit.accepted for digit in word.digits) else word
        for word in words
    ]
    words = [of_value(_without_letters(_whole_or_unsure(word, unread))) for word in words]
    return _without_bars(_without_strokes(_whole_prices([_without_ring(word) for word in words])))


def without_hanging(words: Sequence[ReadWord], hanging: Sequence[Box]) -> list[ReadWord]:
    """The same words; no number is accepted that has something beside it that hangs on a ring, as tall as half a digit.

    hanging: boxes, (x, y, w, h), of what is none of the ring itself.
    """
    return [
        not_accepted(word, PART) if word.digits and any(_is_beside(word, box) for box in hanging) else word
        for word in words
    ]


def _is_beside(word: ReadWord, box: Box) -> bool:
    x, y, width, height = around(digit.box for digit in word.digits)
    left, top, broad, tall = box
    shared = min(y + height, top + tall) - max(y, top)
    gap = max(left - x - width, x - left - broad)
    return tall >= _HANGING * word.height and shared >= tall / 2 and gap <= _ITS_REST * word.height


def _whole_or_unsure(word: ReadWord, unread: Mapping[int, Unread]) -> ReadWord:
    """The word; none of its digits accepted where it may be a part of a number, the rest of which was left out.

    unread: what was not read, by line.
    """
    if word.line not in unread or not any(digit.accepted for digit in word.digits):
        return word
    x, _, width, _ = around(digit.box for digit in word.digits)
    for other in unread[word.line].near(x, x + width, _ITS_REST * word.height):
        # What surrounds it was rejected before it and after it.
        gaps = [max(one.box[0] - x - width, x - one.box[0] - one.box[2]) for one in other.rejected]
        near = [one for one, gap in zip(other.rejected, gaps, strict=True) if gap <= _ITS_REST * word.height]
        is_left_out = any(one.reason == AMONG_LETTERS for one in near)
        if min(gaps) <= _TOUCHING * word.height:
            is_left_out |= any(is_tall(part, word.height) for part in other.parts)
        if is_left_out or _ends_in_digits(other, word):
            return not_accepted(word, PART)
    return word


def _left_out(word: ReadWord) -> list[Part]:
    """The tall parts of a word that was not read, but for those that were read within it."""
    parts = (part for part in word.parts if any(overlap(box_of(part), one.box) for one in word.rejected))
    return [part for part in parts if is_tall(part, word.height)]


def _is_number_left_out(word: ReadWord) -> bool:
    """Whether a word that was not read surely is a number, or letters with one before or after them, a space apart."""
    parts = _left_out(word)
    sure = [isinstance(part, PlacedReading) and part.accepted for part in parts]
    if any(one.reason == AMONG_LETTERS for one in word.rejected) and len(parts) > 1 and not word.letters:
        digits = [part for part in parts if isinstance(part, PlacedReading)]
        is_sure = all(sure) or (len(parts) >= _WHOLE_NUMBER and sum(sure) >= len(parts) / 2)
        return is_sure and len(digits) == len(parts) and are_of_a_height(digits, word.tallest)
    boxes = [box_of(part) for part in word.parts]
    return any(_is_apart(some, boxes, word) for some in (_sure_at_end(parts), _sure_at_end(parts[::-1])))


def _is_of_unread(word: ReadWord) -> bool:
    """Whether a word that was not read was taken for digits, unlikely ones, all of it, and is as tall as its line."""
    parts = _left_out(word)
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    if not 0 < len(digits) == len(parts) or any(one.reason == AMONG_LETTERS for one in word.rejected):
        return False
    return max(digit.box[3] for digit in digits) >= _AS_TALL * word.tallest


def _sure_at_end(parts: Sequence[Part]) -> list[PlacedReading]:
    """The sure digits that parts end in, if they do not consist of them."""
    found: list[PlacedReading] = []
    for part in reversed(parts):
        if not isinstance(part, PlacedReading) or not part.accepted:
            return found
        found.append(part)
    return []


def _is_apart(digits: Sequence[PlacedReading], boxes: Sequence[Box], word: ReadWord) -> bool:
    """Whether digits are as tall as what is tall in their line, and stand a space apart from the rest of their word.

    boxes: of all parts of the word.
    """
    if not digits or not are_of_a_height(digits, word.tallest):
        return False
    x, _, width, _ = around(digit.box for digit in digits)
    others = [(left, broad) for left, _, broad, _ in boxes if left < x or left + broad > x + width]
    apart = min((max(x - left - broad, left - x - width) for left, broad in others), default=0)
    return apart >= _APART * word.height


def _ends_in_digits(other: ReadWord, word: ReadWord) -> bool:
    """Whether a word that was not read has three digits right before or after a number, as sure and as tall as that."""
    x, _, width, _ = around(digit.box for digit in word.digits)
    parts = _left_out(other)
    before = [part for part in parts if box_of(part)[0] < x][-_ENDING:]
    after = [part for part in parts if box_of(part)[0] >= x][:_ENDING]
    for ends in (before, after):
        found = [part for part in ends if isinstance(part, PlacedReading) and part.accepted]
        if len(found) < _ENDING:
            continue
        left, _, broad, _ = around(digit.box for digit in found)
        is_near = max(left - x - width, x - left - broad) <= _ITS_REST * word.height
        if is_near and are_of_a_height([*found, *word.digits], word.tallest):
            return True
    return False


def _without_letters(word: ReadWord) -> ReadWord:
    """The word; none of its digits accepted where a mark stands between or right beside them that may be a letter."""
    marks = [part for part in word.parts if not isinstance(part, PlacedReading) and part[3] >= TALL * word.height]
    if not marks or not any(digit.accepted for digit in word.digits):
        return word
    beside = number_beside(word.parts, word.height)
    return word if beside is not None and beside.is_sure else not_accepted(word, BESIDE_LETTER)


def of_value(word: ReadWord) -> ReadWord:
    """The word; none of its digits accepted where a point was left out between them that does not part thousands.

    >>> word = ReadWord(0, 20.0, "", (), ())
    >>> of_value(word) == word
    True
    """
    if not any(digit.accepted for digit in word.digits):
        return word
    starts = [digit.box[0] for digit in word.digits]
    places = [place for place, sign in word.signs if sign == NO_SIGN and starts[0] < place < starts[-1]]
    if not places or (word.digits[0].digit != 0 and are_thousands(places, starts)):
        return word
    return not_accepted(word, POINT_LEFT_OUT)


def _whole_prices(words: Sequence[ReadWord]) -> list[ReadWord]:
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
                    doubted.update(chain)
                chain = []
    return [
        not_accepted(word, POINT_LEFT_OUT)
        if place in doubted and any(digit.accepted for digit in word.digits)
        else word
        for place, word in enumerate(words)
    ]


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


def _without_ring(word: ReadWord) -> ReadWord:
    """The word; not accepted where it is a lone 0 that may be a ring."""
    if len(word.digits) != 1 or not word.digits[0].accepted:
        return word
    return not_accepted(word, MAYBE_RING) if may_be_ring(word.digits[0]) else word


def may_be_ring(digit: PlacedReading) -> bool:
    """Whether a lone digit is a 0 broader than tall, as a ring around a word, or around nothing, is."""
    _, _, width, height = digit.box
    return digit.digit == 0 and width >= _BROAD * height


def _without_strokes(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; none accepted with 1s before or after it, a space apart, one of which is taller than all other
    digits of its line, or lower, where these are print: so are l, I, i, / and | beside it, and no font's 1.
    """
    others: dict[int, list[PlacedReading]] = {}
    heights = {word.line: word.height for word in words}
    for word in words:
        others.setdefault(word.line, []).extend(one for one in word.digits if one.accepted and one.digit != 1)
    even: dict[int, tuple[int, int]] = {}
    for line, some in others.items():
        digits = levelled(sorted(some, key=lambda one: one.box[0]))
        if len(digits) >= _SEVERAL and are_even(digits, heights[line]):
            even[line] = min(one.box[3] for one in digits), max(one.box[3] for one in digits)

    def is_stroke(digit: PlacedReading, lowest: int, tallest: int) -> bool:
        tall = digit.box[3]
        taller = tall - tallest >= max(_PIXELS, _TALLER * tallest)
        return digit.digit == 1 and digit.accepted and (taller or lowest - tall >= max(_PIXELS, _LOWER * lowest))

    return [
        not_accepted(word, STROKES)
        if word.line in even and any(is_stroke(one, *even[word.line]) for one in _ones_apart(word))
        else word
        for word in words
    ]


def _ones_apart(word: ReadWord) -> list[PlacedReading]:
    """The 1s that a word begins or ends with, or all of it, a space apart from its other digits."""
    found: list[PlacedReading] = []
    for digits in (word.digits, word.digits[::-1]):
        ones = list(takewhile(lambda digit: digit.digit == 1, digits))
        if len(ones) == len(digits):
            return ones
        (x, _, width, _), (left, _, broad, _) = around(one.box for one in ones or digits[:1]), digits[len(ones)].box
        found += ones if max(left - x - width, x - left - broad) >= _APART * word.height else []
    return found


def _without_bars(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; where the accepted digits of a page are 1s, all of them or all but one in twenty, in several
    places or in a long row, none is accepted, nor where all digits of a line are, in a long row, nor 1s that are
    several and low beside the page's other digits.

    The rests of rules, folds and hatching look like that, and the marks of a ruler.
    """
    found = [word.digits for word in words if word.digits]
    others = [digit for digits in found for digit in digits if digit.digit != 1]
    count = sum(len(digits) for digits in found)
    few = len(others) <= _OTHERS * count and sum(digit.accepted for digit in others) <= _SURELY * count
    several = len(found) >= 2 or any(len(digits) >= _COMB for digits in found)
    is_hatched = few and several
    in_line: dict[int, list[int]] = {}
    for word in words:
        in_line.setdefault(word.line, []).extend(digit.digit for digit in word.digits)
    combs = {line for line, digits in in_line.items() if len(digits) >= _COMB and set(digits) == {1}}
    marks = _low_bars(words)
    return [
        not_accepted(word, BARS) if word.digits and (is_hatched or word.line in combs or place in marks) else word
        for place, word in enumerate(words)
    ]


def _low_bars(words: Sequence[ReadWord]) -> frozenset[int]:
    """Which words are nothing but 1s that are lower than the sure other digits of a page, where both are several."""
    usual = [digit.box[3] for word in words for digit in word.digits if digit.accepted and digit.digit != 1]
    if len(usual) < _MARKS:
        return frozenset()
    lowest = _LOW_BAR * median(usual)
    found = [
        place
        for place, word in enumerate(words)
        if word.digits and all(digit.digit == 1 and digit.box[3] <= lowest for digit in word.digits)
    ]
    return frozenset(found if sum(len(words[place].digits) for place in found) >= _MARKS else ())


__all__ = [
    "BARS",
    "LEFT_OUT",
    "MAYBE_RING",
    "OF_NUMBERS",
    "PART",
    "POINT_LEFT_OUT",
    "STROKES",
    "may_be_ring",
    "of_value",
    "with_doubts",
    "without_hanging",
]
