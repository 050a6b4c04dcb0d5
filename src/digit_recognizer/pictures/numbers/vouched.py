"""Digits of a number that are not sure enough alone are accepted where the line reader, asked about all of the number,
surely reads the same; not where something in their line is left unread.

Two witnesses: the digit model looks at each digit as it was cut out, the line reader at all ink of a word in one strip,
uncut. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from digit_recognizer.pictures.numbers.neighbours import places_by_line, unread_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import TALL, Part
from digit_recognizer.reading import UNSURE, PlacedReading, around

# Chosen on 5,100 lines of validation digits (benchmarks/lines.py, 60 of each spacing, seeds 1001 to 1008, 2001 to 2005,
# 3001 to 3004). Of 2,069 that the model's own threshold accepts 19 are wrong; with what is accepted beside them, 32 of
# 3,031; a lower threshold alone that accepts as many, 0.985, 49. By how likely the line reader finds the text, for each
# digit, of those accepted beside: from 0.99 on 5 of 495, from 0.985 6 of 286, from 0.98 2 of 181, from 0.97 (without
# the last four seeds) 5 of 137. Taken for the whole text it tells less: from 0.8 to 0.95 4 of 340 lines of seven digits
# and more are wrong, of shorter ones 16 of 298.
_AGREES = 0.98  # probability of the text, at least: its geometric mean over the digits
_LIKELY = 0.9  # confidence of each digit, at least; of 11 lines with one below 0.95 none was wrong
# Heights between a number and what is unread in its line. Of 85 lines of everyday pictures (seed 500) that would be
# accepted 2 were wrong, for a number that was lost beside another; 73 were left, none of them wrong.
_REACH = 1.5


def may_be_vouched_for(digits: Sequence[PlacedReading]) -> bool:
    """Whether some digits of a word are not accepted, for their confidence alone, and none of them is unlikely.

    >>> may_be_vouched_for([])
    False
    """
    unsure = [digit for digit in digits if not digit.accepted]
    return bool(unsure) and all(digit.reason == UNSURE and digit.confidence >= _LIKELY for digit in unsure)


def vouched(digits: Sequence[PlacedReading], agreement: float, min_confidence: float) -> list[PlacedReading] | None:
    """All digits of a word, accepted, where it is unlikely enough that both witnesses are wrong; None elsewhere.

    agreement: how likely the line reader finds that the word holds these digits and nothing else, 0-1. min_confidence:
    0-1, from which confidence on a digit is accepted alone. What is missing to a digit's confidence is how likely it is
    wrong, what is missing to the agreement, how likely the line reader is; how likely both are is their product, which
    must not exceed what is missing to ``min_confidence``.

    >>> import numpy as np
    >>> row, frame = np.zeros(10, np.float32), np.zeros((28, 28), np.uint8)
    >>> digit = PlacedReading(7, 0.97, False, 1, 0.02, row, frame, reason=UNSURE)
    >>> [vouched([digit], agreement, 0.995) is not None for agreement in (0.9, 0.995)]
    [False, True]
    """
    if not may_be_vouched_for(digits) or agreement < _AGREES ** len(digits):
        return None
    most = 1 - min_confidence
    if any((1 - digit.confidence) * (1 - agreement) > most for digit in digits if not digit.accepted):
        return None
    return [replace(digit, accepted=True, reason=None) for digit in digits]


def vouched_refused(words: Sequence[ReadWord], min_confidence: float) -> list[ReadWord]:
    """The same words; no digit is accepted without that confidence where something stands beside or between the numbers
    of its line, half as tall as they, that was not read: what is lost there may be a part of the line.

    >>> vouched_refused([], 0.9)
    []
    """
    unread = unread_by_line(words)
    result = list(words)
    for line, places in places_by_line(words).items():
        numbers = [words[place] for place in places if words[place].digits]
        if line not in unread or not any(_is_vouched(digit, min_confidence) for one in numbers for digit in one.digits):
            continue
        height = max(one.height for one in numbers)
        x, _, width, _ = around(digit.box for one in numbers for digit in one.digits)
        near = unread[line].near(x, x + width, _REACH * height)
        if any(one.box[3] >= TALL * height for word in near for one in word.rejected):
            for place in places:
                result[place] = _unsure(words[place], min_confidence)
    return result


def _is_vouched(part: Part, min_confidence: float) -> bool:
    return isinstance(part, PlacedReading) and part.accepted and part.confidence < min_confidence


def _unsure(word: ReadWord, min_confidence: float) -> ReadWord:
    """The word with none of its digits accepted that are less confident than that."""
    digits = tuple(
        replace(digit, accepted=False, reason=UNSURE) if _is_vouched(digit, min_confidence) else digit
        for digit in word.digits
    )
    return replace(word, digits=digits)


__all__ = ["may_be_vouched_for", "vouched", "vouched_refused"]
