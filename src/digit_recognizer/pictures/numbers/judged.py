"""A word by itself becomes a number with its text, or none: by how many of its parts are letters, or digits unlikely.

What else stands on the page has no say here. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.numbers.beside import UNLIKELY, number_beside
from digit_recognizer.pictures.numbers.read_word import ReadWord, refused_digits
from digit_recognizer.pictures.words.within import is_tall
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around

TOO_SMALL = "too small to be sure"
DOUBTED = "a digit of it is unlikely"

_LETTERS = 0.3  # letters, or digits that may be some, for each digit of a word from which on it is not read
_DOUBTED = 0.5  # share of the digits of a word that may be unlikely where nothing on the page is a letter
_SMALLEST = 8  # pixels: lower than that, a bit of a rule looks like a digit
_SPELT = 2  # letters that a word of letters has at least, before it was cut: halves of an A or an H look like ones


def judged(
    word: ReadWord, none: Sequence[Box], signs: Sequence[tuple[float, str]], expectation: Expectation
) -> ReadWord:
    """A word with its text, or without digits where it is no number after all; what it falls short of is told.

    word: its digits as they were found. none: boxes of its parts that are none. signs: of a decimal number, (where from
    left to right, sign).

    >>> word = ReadWord(0, 20.0, "", (), ())
    >>> judged(word, [(0, 0, 9, 20)], [], Expectation()).rejected
    (Rejected(box=(0, 0, 9, 20), reason='not a digit'),)
    """
    word = replace(word, signs=tuple(signs))
    digits = word.digits
    letters = [box for box in none if is_tall(box, word.height)]
    rejected = [*word.rejected, *(Rejected(box, NOT_A_DIGIT) for box in letters)]
    unlikely = [digit for digit in digits if digit.confidence < UNLIKELY]
    spelt = word.letters >= _SPELT and word.letters > _LETTERS * (word.letters + word.familiar)
    if not digits or spelt or len(letters) > _LETTERS * len(digits) or len(unlikely) > _LETTERS * len(digits):
        if not letters and not digits:
            return replace(word, text="")
        whole = around([digit.box for digit in digits] + list(none))
        # Of small print that runs together, single marks tell nothing; what became of their parts does.
        count = max(word.letters, len(letters))
        is_doubted = not none and not word.letters and len(unlikely) <= _DOUBTED * len(digits)
        beside = number_beside(word.parts, word.height)
        return replace(
            word,
            text="",
            digits=(),
            rejected=(Rejected(whole, NOT_A_DIGIT),),
            letters=count,
            doubted=refused_digits(digits, DOUBTED) if is_doubted else (),
            beside=beside if beside and count <= len(beside.marks) else None,
        )
    return number_of(word, digits, rejected, expectation)


def number_of(
    word: ReadWord, digits: tuple[PlacedReading, ...], rejected: list[Rejected], expectation: Expectation
) -> ReadWord:
    """The word with these digits, left to right; what they fall short of is told beside what was ``rejected``."""
    # Pieces of digits that touch come as they begin, be it below or within the digit before: middles tell more.
    digits = tuple(sorted(digits, key=lambda digit: digit.box[0] + digit.box[2] / 2))
    complaint = expectation.complaint([digit.digit for digit in digits])
    if complaint is not None:
        digits = refused_digits(digits, complaint)
        rejected.append(Rejected(around(digit.box for digit in digits), complaint))
    if max(digit.box[3] for digit in digits) < _SMALLEST:
        digits = refused_digits(digits, TOO_SMALL)
        rejected.append(Rejected(around(digit.box for digit in digits), TOO_SMALL))
    return replace(word, text=_text(digits, word.signs), digits=digits, rejected=tuple(rejected))


def _text(digits: Sequence[PlacedReading], signs: Sequence[tuple[float, str]]) -> str:
    characters = [str(digit.digit) for digit in digits]
    for place, sign in sorted(signs, reverse=True):
        before = next((at for at, digit in enumerate(digits) if digit.box[0] >= place), len(digits))
        characters.insert(before, sign)
    return "".join(characters)


__all__ = ["DOUBTED", "TOO_SMALL", "judged", "number_of"]
