"""The words of a page as each of them is held against all others: what every word asks of these is counted once.

Knows nothing of what makes a word a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import box_of, is_tall
from digit_recognizer.reading import PlacedReading, around

_Counts = npt.NDArray[np.int64]


class Neighbours(NamedTuple):
    """All words of a page. lines, letters: int64 (N,), of each. heights: float64 (N,). sure: int64 (N,), how many of
    its marks surely are digits; 0 where some are letters or a digit is not accepted.

    in_line, letters_in, numbers_in: how many words stand in each line, are a lone letter there, and have digits.
    with_letters: the lines of words with letters, but for those that may be numbers beside a sign. pointed: int64
    (M, 3), of each lone mark with a sign where it begins, whether it is a letter, and whether it has digits. marks:
    int64 (K, 5), the line, x, y, width and height of what is tall and no digit.
    """

    lines: _Counts
    heights: npt.NDArray[np.float64]
    letters: _Counts
    sure: _Counts
    in_line: Counter[int]
    letters_in: Counter[int]
    numbers_in: Counter[int]
    with_letters: frozenset[int]
    pointed: _Counts
    marks: _Counts

    def company(self, line: int, lowest: float, tallest: float, elsewhere: float) -> tuple[float, float]:
        """How many letters, and digits of sure numbers, are in words of such heights. elsewhere: what those count that
        are not in the line.
        """
        counts = np.where(self.lines == line, 1.0, elsewhere)
        counts *= (lowest <= self.heights) & (self.heights <= tallest)
        return _total(counts * self.letters), _total(counts * self.sure)

    def row(self, line: int) -> tuple[int, int]:
        """How many words in a line are lone letters, and how many have digits."""
        return self.letters_in[line], self.numbers_in[line]

    def column(self, x: float, reach: float) -> tuple[int, int]:
        """How many lone marks that begin near ``x`` and have a sign each are letters, and how many are digits."""
        _, letters, digits = self.pointed[np.abs(self.pointed[:, 0] - x) <= reach].sum(axis=0)
        return int(letters), int(digits)


def neighbours_of(words: Sequence[ReadWord]) -> Neighbours:
    """What the words of a page are to each other.

    >>> neighbours_of([]).company(0, 0.0, 9.0, 0.5)
    (0.0, 0.0)
    """

    def sure(word: ReadWord) -> int:
        is_sure = word.digits and not word.letters and all(digit.accepted for digit in word.digits)
        return word.familiar if is_sure else 0

    pointed = [
        (box_of(word.parts[0])[0], word.letters == 1, bool(word.digits))
        for word in words
        if len(word.parts) == 1 and word.signs
    ]
    marks = [
        (word.line, *part)
        for word in words
        for part in word.parts
        if not isinstance(part, PlacedReading) and is_tall(part, word.height)
    ]
    return Neighbours(
        np.array([word.line for word in words], np.int64),
        np.array([word.height for word in words], np.float64),
        np.array([word.letters for word in words], np.int64),
        np.array([sure(word) for word in words], np.int64),
        Counter(word.line for word in words),
        Counter(word.line for word in words if word.letters == 1 and len(word.parts) <= 1),
        Counter(word.line for word in words if word.digits),
        frozenset(word.line for word in words if word.letters and not word.beside),
        np.array(pointed, np.int64).reshape(-1, 3),
        np.array(marks, np.int64).reshape(-1, 5),
    )


class Unread(NamedTuple):
    """The words of a line that were not read. starts, ends: int64 (N,), from where to where they were rejected."""

    words: tuple[ReadWord, ...]
    starts: _Counts
    ends: _Counts

    def near(self, start: float, end: float, reach: float) -> list[ReadWord]:
        """Those that are ``reach`` away from a part of the line, at most, or in it; in their order."""
        gaps = np.maximum(self.starts - end, start - self.ends)
        return [self.words[place] for place in np.flatnonzero(gaps <= reach)]


def unread_by_line(words: Iterable[ReadWord]) -> dict[int, Unread]:
    """The words of a page of which something was rejected and no digit read, by line.

    >>> unread_by_line([])
    {}
    """
    found: dict[int, list[ReadWord]] = {}
    for word in words:
        if word.rejected and not word.digits:
            found.setdefault(word.line, []).append(word)
    result = {}
    for line, some in found.items():
        boxes = [around(one.box for one in word.rejected) for word in some]
        starts, widths = np.array(boxes, np.int64)[:, [0, 2]].T
        result[line] = Unread(tuple(some), starts, starts + widths)
    return result


def places_by_line(words: Iterable[ReadWord]) -> dict[int, list[int]]:
    """Where among a page's words those of each line are, the lines in order.

    >>> places_by_line([])
    {}
    """
    places: dict[int, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word.line, []).append(place)
    return dict(sorted(places.items()))


def _total(values: npt.NDArray[np.float64]) -> float:
    """The sum, added from first to last: added otherwise it may differ by a rounding, and a tie turn out otherwise."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0


__all__ = ["Neighbours", "Unread", "neighbours_of", "places_by_line", "unread_by_line"]
