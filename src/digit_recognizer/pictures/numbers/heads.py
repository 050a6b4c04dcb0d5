"""A lone 0 or 1 in a row of lone letters, as at the head of a bingo card, may be one of them, and is not accepted.

Numbers elsewhere on the page say nothing of it. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from digit_recognizer.pictures.numbers.context import AMONG_LETTERS
from digit_recognizer.pictures.numbers.neighbours import places_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted_at
from digit_recognizer.pictures.words.within import box_of, is_tall
from digit_recognizer.reading import Box, overlap

_LETTERLIKE = frozenset((0, 1, 5, 6, 8))  # lone: O, I, S, G and B
_FEWEST = 3  # letters beside it, in a row with fewer digits
_APART = 0.5  # heights between neighbours in such a row, mostly; between the letters of words there is less


def heads_refused(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; lone digits that may be letters are not accepted in rows of more marks that stand alone, and were
    not read.

    >>> heads_refused([])
    []
    """
    doubted: set[int] = set()
    for places in places_by_line(words).values():
        read = [place for place in places if words[place].digits]
        if not read or not all(_is_letterlike(words[place]) for place in read):
            continue
        unread = [box for place in places for box in _unread(words[place])]
        boxes = sorted([*unread, *(words[place].digits[0].box for place in read)])
        height = words[read[0]].height
        gaps = [(other[0] - one[0] - one[2]) / height for one, other in pairwise(boxes)]
        if len(unread) >= _FEWEST and len(unread) > len(read) and median(gaps) >= _APART:
            doubted.update(place for place in read if words[place].is_stood_by)
    return not_accepted_at(words, doubted, AMONG_LETTERS)


def _is_letterlike(word: ReadWord) -> bool:
    return len(word.digits) == 1 and word.digits[0].digit in _LETTERLIKE


def _unread(word: ReadWord) -> list[Box]:
    """The tall parts of a word that were not read."""
    boxes = [box_of(part) for part in word.parts if is_tall(part, word.height)]
    read = [digit.box for digit in word.digits]
    return [box for box in boxes if not any(overlap(box, other) for other in read)]


__all__ = ["heads_refused"]
