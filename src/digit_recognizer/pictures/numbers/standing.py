"""Whether print stands upright: its letters stand on a line, and reach to two heights above it, or three.

Upside down it is their heads that are level, on its side neither; lines of digits are level at both, and tell nothing.
Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from digit_recognizer.reading import Box

# Of ten pages of print 0.84 to 0.93 of the feet were level upright, and 0.33 to 0.69 of the heads; on their sides at
# most 0.83 of either, in a page of 30 pairs, and 0.88 and 0.79 in one of 75.
_PAIRS = 60  # of neighbours that tell, at least
_LEVEL = 0.8  # share of them whose feet are level, at least
_MORE = 0.2  # than those whose heads are
_LETTER = 0.35  # of a word's tallest mark that a letter is tall at least; dots and commas are lower
_STEP = 0.05  # of that height by which level feet differ at most


def stands_upright(words: Iterable[Sequence[Box]]) -> bool:
    """Whether a page is print that stands upright for sure. words: the boxes of each one's marks, left to right.

    >>> stands_upright([])
    False
    """
    pairs = feet = heads = 0
    for boxes in words:
        tallest = max((box[3] for box in boxes), default=0)
        for one, other in pairwise(letters_among(boxes)):
            pairs += 1
            feet += are_level(one[1] + one[3], other[1] + other[3], tallest)
            heads += are_level(one[1], other[1], tallest)
    return pairs >= _PAIRS and feet >= _LEVEL * pairs and feet >= heads + _MORE * pairs


def letters_among(boxes: Sequence[Box]) -> list[Box]:
    """A word's marks, (x, y, w, h) each, without its dots and commas."""
    tallest = max((box[3] for box in boxes), default=0)
    return [box for box in boxes if box[3] >= _LETTER * tallest]


def are_level(one: int, other: int, tallest: int) -> bool:
    """Whether two feet or heads of a word are as high as each other. tallest: of its marks. All in pixels."""
    return abs(one - other) <= max(1.0, _STEP * tallest)


__all__ = ["are_level", "letters_among", "stands_upright"]
