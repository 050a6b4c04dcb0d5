"""1s and 0s that may be no digits, but bars, letters of one stroke, or rings, are not accepted.

Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from statistics import median

from digit_recognizer.pictures.numbers.evenness import are_even, levelled
from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted, not_accepted_at
from digit_recognizer.pictures.words.within import APART
from digit_recognizer.reading import PlacedReading, around

BARS = "bars, and no other digit to tell them by"
MAYBE_RING = "as broad as a ring, which it may be"
STROKES = "a stroke of another height than the digits of its line, as l, I and | are"

_OTHERS = 0.2  # share of the digits on a page of bars that look like something else, though not surely
_SURELY = 0.05  # and surely: one of twenty
_MARKS = 3  # bars at least, and digits beside them, that are the marks of a scale and its numbers
_LOW_BAR = 0.7  # times as tall as these are the marks at most; of 1s among digits of one size none is lower than 0.9
_COMB = 5  # 1s in a row that may as well be the teeth of a comb
_BROAD = 1.2  # times a ring is broader than tall at least; so are 7 % of MNIST's zeros, and rings around words
# In all but 1 of 880 faces whose other digits are within 0.08 of one height, the 1 is no more than 0.01 taller than the
# tallest and 0.03 lower than the lowest of them; l is taller than 1.03 in 38 of 100, | in 84, / in 73.
_SEVERAL, _TALLER, _LOWER = 3, 0.03, 0.07  # other digits at least, and by how much it differs from them,
_PIXELS = 2  # and by how many pixels


def ring_refused(word: ReadWord) -> ReadWord:
    """The word; not accepted where it is a lone 0 that may be a ring."""
    if len(word.digits) != 1 or not word.digits[0].accepted:
        return word
    return not_accepted(word, MAYBE_RING) if may_be_ring(word.digits[0]) else word


def may_be_ring(digit: PlacedReading) -> bool:
    """Whether a lone digit is a 0 broader than tall, as a ring around a word, or around nothing, is."""
    _, _, width, height = digit.box
    return digit.digit == 0 and width >= _BROAD * height


def strokes_refused(words: Sequence[ReadWord]) -> list[ReadWord]:
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

    doubted = {
        place
        for place, word in enumerate(words)
        if word.line in even and any(is_stroke(one, *even[word.line]) for one in _ones_apart(word))
    }
    return not_accepted_at(words, doubted, STROKES)


def _ones_apart(word: ReadWord) -> list[PlacedReading]:
    """The 1s that a word begins or ends with, or all of it, a space apart from its other digits."""
    found: list[PlacedReading] = []
    for digits in (word.digits, word.digits[::-1]):
        ones = list(takewhile(lambda digit: digit.digit == 1, digits))
        if len(ones) == len(digits):
            return ones
        (x, _, width, _), (left, _, broad, _) = around(one.box for one in ones or digits[:1]), digits[len(ones)].box
        found += ones if max(left - x - width, x - left - broad) >= APART * word.height else []
    return found


def bars_refused(words: Sequence[ReadWord]) -> list[ReadWord]:
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
    bars = _low_bars(words) | {
        place for place, word in enumerate(words) if word.digits and (is_hatched or word.line in combs)
    }
    return not_accepted_at(words, bars, BARS)


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


__all__ = ["BARS", "MAYBE_RING", "STROKES", "bars_refused", "may_be_ring", "ring_refused", "strokes_refused"]
