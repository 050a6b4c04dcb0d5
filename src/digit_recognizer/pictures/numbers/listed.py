"""Numbers that count up, each with a point, one below the other at the head of their lines, are those of a list.

They are digits however many letters are around. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.signs import NO_SIGN, POINT
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import around

_FEWEST = 3  # that count up make a list
_LONGEST = 3  # digits
# Shares of the height of a line's digits.
_ALIGNED = 0.8  # that the next one begins, or ends, farther to the left or right at most: pages lie askew
_POINT = 0.5  # between a number and its point at most
_BELOW = 8.0  # between one and the next at most: an item may have several lines


def listed(words: Sequence[ReadWord]) -> frozenset[int]:
    """Which of a page's words are the numbers of a list, such as 1. 2. 3., by their places.

    >>> listed([])
    frozenset()
    """
    first = _first_in_line(words)
    heads = [place for place in first if _is_head(words[place])]
    heads.sort(key=lambda place: words[place].digits[0].box[1])
    found: set[int] = set()
    for run in _counting(words, heads):
        if len(run) >= _FEWEST:
            found.update(run)
    return frozenset(found)


def _first_in_line(words: Sequence[ReadWord]) -> list[int]:
    """The places of the words that begin a line each."""
    first: dict[int, tuple[int, int]] = {}
    for place, word in enumerate(words):
        boxes = [box_of(part) for part in word.parts] or [one.box for one in word.rejected]
        if boxes:
            begins = around(boxes)[0], place
            first[word.line] = min(first.get(word.line, begins), begins)
    return [place for _, place in first.values()]


def _is_head(word: ReadWord) -> bool:
    """Whether a word is a short number with a point after it, and nothing else."""
    if not 0 < len(word.digits) <= _LONGEST or word.tall != len(word.digits) or len(word.signs) != 1:
        return False
    x, _, width, _ = word.digits[-1].box
    place, sign = word.signs[0]
    return sign in (NO_SIGN, POINT) and -1 <= place - x - width <= _POINT * word.height


def _counting(words: Sequence[ReadWord], heads: Sequence[int]) -> list[list[int]]:
    """Heads of lines, from top to bottom, as those that stand one below the other and count up."""
    runs: list[list[int]] = [[place] for place in heads[:1]]
    for one, other in pairwise(heads):
        if _follows(words[one], words[other]):
            runs[-1].append(other)
        else:
            runs.append([other])
    return runs


def _follows(one: ReadWord, other: ReadWord) -> bool:
    """Whether one number stands below another, in line with it, and is the next."""
    (x, y, width, tall), (left, top, broad, _) = one.box, other.box
    apart = min(abs(left - x), abs(left + broad - x - width))
    is_below = 0 < top - y - tall <= _BELOW * one.height
    return is_below and apart <= _ALIGNED * one.height and _value(other) == _value(one) + 1


def _value(word: ReadWord) -> int:
    return int("".join(str(digit.digit) for digit in word.digits))


__all__ = ["listed"]
