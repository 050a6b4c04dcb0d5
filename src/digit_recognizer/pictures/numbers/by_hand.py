"""Whether a number among printed words is written by hand: print stands level, and comes in few heights.

Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.numbers.evenness import are_even
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.standing import are_level, letters_among
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import Box, PlacedReading

_SHARE = 0.6  # of neighbours whose feet are level in print; g, p, q and y do not, and a hand seldom keeps to it
_PAIRS = 3  # at least, to tell from
_ALIKE = 0.06  # of its height by which a mark is as tall as a letter of the print
_ODD = 0.02  # share of a page's letters that may be as tall by chance, run together or torn
_LARGER = 1.2  # times as tall as the tallest letter digits are at least, where height alone tells them from letters
_BARS_AND_RINGS = frozenset((0, 1))  # lone, these are read of anything


class Letters(NamedTuple):
    """heights: int64 (N,), of a page's letters, in pixels, the lowest first. are_print: whether they stand level."""

    heights: npt.NDArray[np.int64]
    are_print: bool

    def has(self, box: Box) -> bool:
        """Whether some of them, not just a blot or two, are as tall as a mark is."""
        alike = np.count_nonzero(np.abs(self.heights - box[3]) <= max(1.0, _ALIKE * box[3]))
        return bool(alike > _ODD * len(self.heights))


def letters_of(words: Sequence[ReadWord]) -> Letters | None:
    """The letters of a page; None where it has none.

    words: of a page, with what is letters in them, among these what looks like a digit.

    >>> letters_of([]) is None
    True
    """
    pairs = level = 0
    heights: list[int] = []
    for word in words:
        marks = letters_among([box_of(part) for part in word.parts] if word.letters else [])
        heights += [box[3] for box in marks]
        stand_level = _level(marks)
        pairs, level = pairs + len(stand_level), level + sum(stand_level)
    if not heights:
        return None
    return Letters(np.array(sorted(heights), np.int64), pairs >= _PAIRS and level >= _SHARE * pairs)


def is_by_hand(digits: Sequence[PlacedReading], letters: Letters) -> bool:
    """Whether digits of one number, left to right, are of another hand or size than a page's letters.

    They are where most of them are as tall as no letter, or stand level with no neighbour; of two the latter says
    nothing, as g and y hang. Where letters are no print, or for a lone digit, they must be taller than all of these,
    and a lone 0 or 1 never is.
    """
    boxes = [digit.box for digit in digits]
    if len(boxes) == 1 or not letters.are_print:
        usual = median(box[3] for box in boxes)
        return usual >= _LARGER * letters.heights[-1] and (len(boxes) > 1 or digits[0].digit not in _BARS_AND_RINGS)
    level = _level(boxes)
    are_beside = [len(boxes) == 2 or any(sides) for sides in zip([False, *level], [*level, False], strict=True)]
    printed = sum(letters.has(box) and beside for box, beside in zip(boxes, are_beside, strict=True))
    return 2 * printed < len(boxes)


def are_uneven(digits: Sequence[PlacedReading]) -> bool:
    """Whether digits stand as in no print. Of a lone one nothing can be told, and it passes."""
    return len(digits) == 1 or not are_even(digits, max(digit.box[3] for digit in digits))


def is_of_digits(word: ReadWord) -> bool:
    """Whether all that is tall in a word was read as a digit."""
    return not word.letters and len(word.digits) == word.tall


def _level(boxes: Sequence[Box]) -> list[bool]:
    """Whether each mark's feet are level with those of the next one."""
    tallest = max((box[3] for box in boxes), default=0)
    return [are_level(one[1] + one[3], other[1] + other[3], tallest) for one, other in pairwise(boxes)]


__all__ = ["Letters", "are_uneven", "is_by_hand", "is_of_digits", "letters_of"]
