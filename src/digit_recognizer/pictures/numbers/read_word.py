"""A word of a page as it was read, on its way from digits that were found to a number that is stood by.

Knows nothing of how it is read, or why it is not accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digit_recognizer.pictures.numbers.beside import Beside
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.reading import PlacedReading, Rejected, around, refused


@dataclass(frozen=True, slots=True)
class ReadWord:
    """What a word was read as. line: which one it stands in. height: of that line's digits, in pixels. text: its digits
    and signs. digits: left to right. rejected: what of it was not read, and why.

    letters, familiar: how many of its marks, looked at each for itself, are no digits, and how many surely are.
    tallest: of all marks in its line, in pixels. parts: all digits and all that is none, left to right. signs: of a
    decimal number, (where from left to right, sign). doubted: the digits of a word that was not read, where all that
    speaks against it is that some of them are unlikely. beside: those of one that was not read for a mark at its ends.
    is_of_time: whether a colon parts it from another number.
    """

    line: int
    height: float
    text: str
    digits: tuple[PlacedReading, ...]
    rejected: tuple[Rejected, ...]
    letters: int = 0
    familiar: int = 0
    tallest: float = 0.0
    parts: tuple[Part, ...] = ()
    signs: tuple[tuple[float, str], ...] = ()
    doubted: tuple[PlacedReading, ...] = ()
    beside: Beside | None = None
    is_of_time: bool = False


def refused_digits(digits: Sequence[PlacedReading], reason: str) -> tuple[PlacedReading, ...]:
    """The digits, none of them accepted, and why.

    >>> refused_digits([], "too small")
    ()
    """
    return tuple(refused(digit, reason) for digit in digits)


def not_accepted(word: ReadWord, reason: str) -> ReadWord:
    """The word, with a digit at least, none of its digits accepted, and why."""
    whole = Rejected(around(digit.box for digit in word.digits), reason)
    return replace(word, digits=refused_digits(word.digits, reason), rejected=(*word.rejected, whole))


__all__ = ["ReadWord", "not_accepted", "refused_digits"]
