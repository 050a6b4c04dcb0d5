"""The best path through a word becomes its readings, and what the word tells of the words around it.

Knows nothing of how paths are found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.cutting import Candidate
from digit_recognizer.pictures.words.paths import Step
from digit_recognizer.pictures.words.text_spaces import Spaces, text_spaces
from digit_recognizer.pictures.words.within import Part, box_of
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import MAX_UNFAMILIARITY, Box, PlacedReading, readings

ALTERNATIVE = "not its likeliest digit, but one that fits the check digit"

Scores = npt.NDArray[np.float32]

_CHARACTER = 0.4  # of the line's height from which on a mark counts as a digit or letter
_BROADEST = 0.9  # heights that one is broad at most; two digits that touch are broader
_SURE = 0.9  # probability of a digit from which on a mark surely is one


@dataclass(frozen=True, eq=False)
class Chosen:
    """The best way through a word, and the digits on it. probabilities: float32 (N, 10) of the word's candidates, and
    strange: float32 (N,), how unfamiliar each is.
    """

    word: Word
    path: Sequence[Step]
    digits: Sequence[PlacedReading]
    probabilities: Scores
    strange: Scores

    @property
    def parts(self) -> tuple[Part, ...]:
        """The digits, and the boxes of what is none, left to right."""
        return parts_of(self.word, self.path, self.digits)

    @property
    def taken(self) -> list[Candidate]:
        """What the digits were read from, left to right."""
        return [self.word.candidates[step.candidate] for step in self.path if step.digit is not None]

    def words(self, spaces: Spaces | None) -> list[ReadWord]:
        """What was read, parted at these spaces; whole where there are none. None: nobody can tell."""
        word, whole = self.word, self.parts
        found = []
        for between in pairwise((-math.inf, *(spaces.middles if spaces else ()), math.inf)):
            parts = tuple(part for part in whole if _is_between(box_of(part), between))
            digits = tuple(part for part in parts if isinstance(part, PlacedReading))
            signs = tuple((place, sign) for place, sign in word.signs if between[0] < place <= between[1])
            letters, familiar = company_of(word, self.path, self.digits, self.probabilities, self.strange, between)
            is_print = spaces is not None and all(digit.box in spaces.printed for digit in digits)
            one = ReadWord(word.line, word.height, "", digits, (), letters, familiar, word.tallest, parts, signs)
            found.append(replace(one, is_parted=is_print))
        return found


def spaces_within(ways: Sequence[Chosen]) -> list[Spaces | None]:
    """Where the spaces between the words of printed text lie within each of a page's words, which are lines then; None
    where nobody can tell.
    """
    lines: dict[int, list[int]] = {}
    for place, way in enumerate(ways):
        lines.setdefault(way.word.line, []).append(place)
    found: list[Spaces | None] = [None for _ in ways]
    for places in lines.values():
        spaces = text_spaces([ways[place].parts for place in places], ways[places[0]].word.height)
        for place, some in zip(places, spaces or (), strict=spaces is not None):
            found[place] = some
    return found


def digits_of(
    word: Word, path: Sequence[Step], images: Images, probabilities: Scores, strange: Scores, min_confidence: float
) -> list[PlacedReading]:
    """The digits of a path, left to right."""
    chosen = [step.candidate for step in path if step.digit is not None]
    found = readings(
        probabilities[chosen].reshape(-1, CLASSES),
        [""] * len(chosen),
        min_confidence,
        frames=images[chosen].reshape(-1, SIDE, SIDE),
        unfamiliarity=strange[chosen],
    )
    result = []
    for step, reading in zip((step for step in path if step.digit is not None), found, strict=True):
        if step.digit is not None and step.digit != reading.digit:  # a check digit asked for another one
            confidence = float(reading.probabilities[step.digit])
            reading = replace(
                reading,
                digit=step.digit,
                confidence=confidence,
                second=reading.digit,
                second_confidence=reading.confidence,
                accepted=False,
                reason=ALTERNATIVE,
            )
        result.append(PlacedReading.of(reading, word.candidates[step.candidate].box))
    return result


def parts_of(word: Word, path: Sequence[Step], digits: Sequence[PlacedReading]) -> tuple[Part, ...]:
    """The digits of a path and the boxes of what is none, left to right."""
    read = iter(digits)
    return tuple(next(read) if step.digit is not None else word.candidates[step.candidate].box for step in path)


def company_of(
    word: Word,
    path: Sequence[Step],
    digits: Sequence[PlacedReading],
    probabilities: Scores,
    strange: Scores,
    between: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[int, int]:
    """How many whole marks of a word are no digits, and how many surely are: what it tells of the words around it.

    between: from where to where, in pixels. A mark that was cut into digits, all of them sure, is neither; into ones
    alone, it is still a letter: an H. Nor is a mark that makes up a sure digit with others: its strokes are broken.
    """
    chosen = [word.candidates[step.candidate] for step in path if step.digit is not None]
    broken = [one for one, digit in zip(chosen, digits, strict=True) if not one.whole and digit.confidence >= _SURE]
    letters = familiar = 0
    for number, found in enumerate(word.candidates):
        if not found.whole or found.box[3] < _CHARACTER * word.height or found.box[2] > _BROADEST * word.height:
            continue
        if not _is_between(found.box, between):
            continue
        familiar += bool(probabilities[number].max() >= _SURE)
        if strange[number] > MAX_UNFAMILIARITY:
            if any(one.start <= found.start and found.end <= one.end for one in broken):
                continue
            cut = [
                digit
                for one, digit in zip(chosen, digits, strict=True)
                if found.start <= one.start and one.end <= found.end
            ]
            sure = len(cut) > 1 and all(digit.accepted for digit in cut) and any(digit.digit != 1 for digit in cut)
            letters += not sure
    return letters, familiar


def _is_between(box: Box, between: tuple[float, float]) -> bool:
    """Whether the middle of a box lies from one place to another."""
    return between[0] < box[0] + box[2] / 2 <= between[1]


__all__ = ["Chosen", "company_of", "digits_of", "parts_of", "spaces_within"]
