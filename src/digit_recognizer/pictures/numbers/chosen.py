"""The best path through a word becomes its readings, and what the word tells of the words around it.

Knows nothing of how paths are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.pictures.words.paths import Step
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import MAX_UNFAMILIARITY, PlacedReading, readings

ALTERNATIVE = "not its likeliest digit, but one that fits the check digit"

Scores = npt.NDArray[np.float32]

_CHARACTER = 0.4  # of the line's height from which on a mark counts as a digit or letter
_BROADEST = 0.9  # heights that one is broad at most; two digits that touch are broader
_SURE = 0.9  # probability of a digit from which on a mark surely is one


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
    word: Word, path: Sequence[Step], digits: Sequence[PlacedReading], probabilities: Scores, strange: Scores
) -> tuple[int, int]:
    """How many whole marks of a word are no digits, and how many surely are: what it tells of the words around it.

    A mark that was cut into digits, all of them sure, is neither; into ones alone, it is still a letter: an H. Nor is
    a mark that makes up a sure digit with others: its strokes are broken.
    """
    chosen = [word.candidates[step.candidate] for step in path if step.digit is not None]
    broken = [one for one, digit in zip(chosen, digits, strict=True) if not one.whole and digit.accepted]
    letters = familiar = 0
    for number, found in enumerate(word.candidates):
        if not found.whole or found.box[3] < _CHARACTER * word.height or found.box[2] > _BROADEST * word.height:
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


__all__ = ["company_of", "digits_of", "parts_of"]
