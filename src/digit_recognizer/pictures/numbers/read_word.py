"""A word of a page as it was read, on its way from digits that were found to a number that is stood by.

Knows nothing of how it is read, or why it is not accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from digit_recognizer.pictures.numbers.beside import Beside
from digit_recognizer.pictures.words.within import Part, is_tall
from digit_recognizer.reading import Box, PlacedReading, Rejected, around, refused


@dataclass(frozen=True, slots=True)
class ReadWord:
    """What a word was read as. line: which one it stands in. height: of that line's digits, in pixels. text: its digits
    and signs. digits: left to right. rejected: what of it was not read, and why.

    letters, familiar: how many of its marks, looked at each for itself, are no digits, and how many surely are.
    tallest: of all marks in its line, in pixels. parts: all digits and all that is none, left to right. signs: of a
    decimal number, (where from left to right, sign). doubted: the digits of a word that was not read, where all that
    speaks against it is that some of them are unlikely. beside: those of one that was not read for a mark at its ends.
    is_of_time: whether a colon parts it from another number. is_parted: whether it is part of a line of printed text,
    and has no space as wide as those of that.
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
    is_parted: bool = False

    @property
    def box(self) -> Box:
        """The smallest box around its digits, one at least."""
        return around(digit.box for digit in self.digits)

    @property
    def tall(self) -> int:
        """How many of its parts are digits, or as tall as letters."""
        return sum(is_tall(part, self.height) for part in self.parts)

    @property
    def is_stood_by(self) -> bool:
        """Whether any of its digits is accepted."""
        return any(digit.accepted for digit in self.digits)


def refused_digits(digits: Sequence[PlacedReading], reason: str) -> tuple[PlacedReading, ...]:
    """The digits, none of them accepted, and why.

    >>> refused_digits([], "too small")
    ()
    """
    return tuple(refused(digit, reason) for digit in digits)


def not_accepted(word: ReadWord, reason: str) -> ReadWord:
    """The word, with a digit at least, none of its digits accepted, and why."""
    whole = Rejected(word.box, reason)
    return replace(word, digits=refused_digits(word.digits, reason), rejected=(*word.rejected, whole))


def not_accepted_at(words: Sequence[ReadWord], places: Collection[int], reason: str) -> list[ReadWord]:
    """The same words; those at these places, with a digit at least each, not accepted, and why.

    >>> not_accepted_at([], frozenset(), "too small")
    []
    """
    return [not_accepted(word, reason) if place in places else word for place, word in enumerate(words)]


__all__ = ["ReadWord", "not_accepted", "not_accepted_at", "refused_digits"]
