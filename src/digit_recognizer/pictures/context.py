"""The words of a page are held against each other: among letters, what looks like a digit may be one more letter.

Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around

AMONG_LETTERS = "among letters, which it may be itself"

_TALL = 0.5  # share of the line's height from which on a piece that is no digit counts as a letter
_UNLIKELY = 0.6  # confidence below which a digit may as well be a letter
_LETTERS = 0.3  # letters, or digits that may be some, for each digit of a word from which on it is not read

_SPELT = 2  # letters that a word of letters has at least, before it was cut: halves of an A or an H look like ones
_FEW = 3  # letters near by that make no text yet
_ELSEWHERE = 0.8  # what a letter or digit in another line counts
_ALIKE = (0.55, 1.8)  # of a word's height: how tall others are that it is held against
_EVEN = 1.22  # times a number's tallest digit may be taller than its lowest; small letters and capitals differ more
_LOW = 0.82  # of the tallest in a line: small letters are lower, digits are not
# What letters look like: o, l, I, z, s, b, B, g, q. Hardly one looks like 3, 4 or 7.
_LETTERLIKE = frozenset((0, 1, 2, 5, 6, 8, 9))
_LETTERLIKE_PAIR = frozenset((0, 1, 5))  # so, lo, is, IO: of two digits, only these make up words


@dataclass(frozen=True, slots=True)
class ReadWord:
    """What a word was read as. line: which one it stands in. height: of that line's digits, in pixels. text: its digits
    and signs. digits: left to right. rejected: what of it was not read, and why.

    letters, familiar: how many of its marks, looked at each for itself, are no digits, and how many surely are.
    tallest: of all marks in its line, in pixels.
    """

    line: int
    height: float
    text: str
    digits: tuple[PlacedReading, ...]
    rejected: tuple[Rejected, ...]
    letters: int = 0
    familiar: int = 0
    tallest: float = 0.0


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
    digits = word.digits
    letters = [box for box in none if box[3] >= _TALL * word.height]
    rejected = [Rejected(box, NOT_A_DIGIT) for box in letters]
    unlikely = [digit for digit in digits if digit.confidence < _UNLIKELY]
    spelt = word.letters >= _SPELT and word.letters > _LETTERS * (word.letters + word.familiar)
    if not digits or spelt or len(letters) > _LETTERS * len(digits) or len(unlikely) > _LETTERS * len(digits):
        if not letters and not digits:
            return replace(word, text="", rejected=())
        whole = around([digit.box for digit in digits] + list(none))
        return replace(word, text="", digits=(), rejected=(Rejected(whole, NOT_A_DIGIT),))
    complaint = expectation.complaint([digit.digit for digit in digits])
    if complaint is not None:
        digits = tuple(replace(digit, accepted=False) for digit in digits)
        rejected.append(Rejected(around(digit.box for digit in digits), complaint))
    characters = [(float(digit.box[0]), str(digit.digit)) for digit in digits]
    text = "".join(character for _, character in sorted(characters + list(signs)))
    return replace(word, text=text, digits=digits, rejected=tuple(rejected))


def without_text(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; in the company of letters, only what hardly can be letters itself keeps its digits.

    Letters of about a word's size, those of its own line counting most, are held against the digits of sure numbers.
    Where letters prevail, a number stays if all of its digits are accepted and it does not look like a word of
    ``o l I z s b B g q``: a lone 3, 4 or 7, two even digits that are not such a word, or three and more that are
    either even or have one of those in them.
    """
    return [_alone_or_among(word, words) for word in words]


def _alone_or_among(word: ReadWord, words: Sequence[ReadWord]) -> ReadWord:
    if not word.digits:
        return word
    letters = digits = 0.0
    for other in words:
        if _ALIKE[0] * word.height <= other.height <= _ALIKE[1] * word.height:
            counts = 1.0 if other.line == word.line else _ELSEWHERE
            letters += counts * other.letters
            if not other.letters and all(digit.accepted for digit in other.digits):
                digits += counts * other.familiar * bool(other.digits)
    if letters < _FEW or letters <= digits or _is_number(word):
        return word
    whole = Rejected(around(digit.box for digit in word.digits), AMONG_LETTERS)
    return replace(word, text="", digits=(), rejected=(*word.rejected, whole))


def _is_number(word: ReadWord) -> bool:
    """Whether a word is a number even where letters prevail."""
    found = [digit.digit for digit in word.digits]
    heights = [digit.box[3] for digit in word.digits]
    if word.letters or not all(digit.accepted for digit in word.digits):
        return False
    even = max(heights) <= _EVEN * min(heights) and max(heights) >= _LOW * word.tallest
    if len(found) == 1:
        return even and found[0] not in _LETTERLIKE
    if len(found) == 2:
        return even and not _LETTERLIKE_PAIR.issuperset(found)
    return even or not _LETTERLIKE.issuperset(found)


__all__ = ["AMONG_LETTERS", "ReadWord", "judged", "without_text"]
