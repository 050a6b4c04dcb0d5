"""Of a crowded page some lines tell what the rest is like: a text on its side, or specks, need not be read in full.

Knows nothing of how words are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from digit_recognizer.pictures.words.words import UncutWord
from digit_recognizer.reading import Page

SAMPLED = "crowded, so that only some of its lines were looked at"

_FEW = 200  # marks, all of which are looked at
# Marks that tell what the others are like, in whole lines: whether a page lies the right way up, and whether a crowd is
# one of numbers, some of which may stand among words.
OF_A_WAY_UP, OF_A_CROWD = 100, 400
# More than a person writes on a page, or prints: 60 rows of 20 numbers are 1,200. Of a page with more words some lines
# are read first, and the others only where there are digits among those.
_MOST_WORDS = 2_000
_LEAST = 0.02  # accepted digits for each mark of these


def is_crowd(words: Sequence[UncutWord]) -> bool:
    """Whether a page has more words than a person writes on one."""
    return len(words) > _MOST_WORDS


def sample_of(words: Sequence[UncutWord], most: int) -> list[UncutWord]:
    """The words of some lines, evenly spread, with about ``most`` marks in all; every word where there are few.

    words: of a page, those of a line together.

    >>> sample_of([], OF_A_WAY_UP)
    []
    """
    count = sum(len(word.marks) for word in words)
    if count <= max(_FEW, most):
        return list(words)
    passed = taken = 0
    result: list[UncutWord] = []
    for _, line in groupby(words, key=lambda word: word.line):
        mine = list(line)
        marks = sum(len(word.marks) for word in mine)
        passed += marks
        if taken + marks / 2 <= passed * most / count:
            taken += marks
            result += mine
    return result or list(words)


def has_digits(page: Page, words: Sequence[UncutWord]) -> bool:
    """Whether so many digits of a page are accepted that its words are worth reading. words: those that were read."""
    return sum(digit.accepted for digit in page.digits) >= _LEAST * sum(len(word.marks) for word in words)


__all__ = ["OF_A_CROWD", "OF_A_WAY_UP", "SAMPLED", "has_digits", "is_crowd", "sample_of"]
