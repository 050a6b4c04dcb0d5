"""A word that was read mark by mark, some of it unsurely, is read once more at one go: all its ink is one strip.

Marks are read apart first, as gaps tell digits from each other better than anything else. Where that leaves doubt, it
is held against what the line reader makes of the whole word, which sees what stands to either side of each mark: it may
find another number, or the same (vouched.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.numbers.vouched import may_be_vouched_for, vouched
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.ctc import OTHER, Hypothesis, hypotheses, label_probabilities, places
from digit_recognizer.pictures.words.cutting import Candidate, frame_of
from digit_recognizer.pictures.words.runs import ReadStrips, share_ink
from digit_recognizer.pictures.words.strips import COLUMNS_A_FRAME, Strip, own_ink, strip_of
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import Box, PlacedReading, around, readings

# Chosen on lines of validation digits (benchmarks/lines.py, seeds 40 to 57). Doubt: the negative logarithm of how
# likely it is that a reading is right.
_FEWEST = 4  # digits; of shorter words it is wrong as often as it is right, and letters are read as 2 and 3
_SURE_ENOUGH = 0.005  # doubt of the parts up to which nobody is asked again
_DOUBTFUL = 0.6  # doubt of the word at one go from which on it is no better than its parts
_LEAST = 1e-3  # confidence that counts as none


def read_at_once(
    words: Sequence[tuple[Word, Sequence[PlacedReading]]],
    ink: PageInk,
    labels: Labels,
    read: ReadStrips,
    min_confidence: float,
    *,
    may_change: bool = True,
) -> list[list[PlacedReading] | None]:
    """The digits of words as the line reader reads each at one go; those of its parts, all of them accepted, where it
    reads the same and vouches for them; None where neither is so.

    words: each with the digits that its parts were read as, all of the word. labels: int32 (H, W), the page's marks by
    number; a word's get new ones where it is read anew. read: the line reader, asked once for all that is doubted.
    may_change: whether a word may become another number; one with signs in it never does.

    >>> word = Word(0, 20.0, [], [], [], [], 20.0)
    >>> read_at_once([(word, [])], PageInk(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.bool_), 2.0),
    ...              np.zeros((9, 9), np.int32), list, 0.5)
    [None]
    """
    strips: dict[int, Strip] = {}
    may_be_other = [may_change and _may_be_other(word, digits) for word, digits in words]
    for place, (word, digits) in enumerate(words):
        if may_be_other[place] or may_be_vouched_for(digits):
            numbers, box = _ink_of(word)
            strip = strip_of(own_ink(ink.strength, labels, numbers, box))
            if strip is not None:
                strips[place] = strip
    answers = dict(zip(strips, read([strip.image for strip in strips.values()]), strict=True)) if strips else {}
    likeliest = dict(zip(answers, (found[0] for found in hypotheses(list(answers.values()))), strict=True))
    doubted = [place for place in likeliest if may_be_other[place]]
    said = {place: likeliest[place].labels for place in doubted if _is_better(likeliest[place], words[place][1])}
    answers = {place: answers[place] for place in said}
    middles = places(list(answers.values()), list(said.values()))
    rows = label_probabilities(list(answers.values()), list(said.values()))

    result: list[list[PlacedReading] | None] = [None] * len(words)
    for place, one in likeliest.items():
        if one.labels == tuple(digit.digit for digit in words[place][1]):
            result[place] = vouched(words[place][1], min(1.0, math.exp(one.log_probability)), min_confidence)
    first = int(labels.max()) + 1 if said else 0
    for place, frames, row in zip(said, middles, rows, strict=True):
        numbers, box = _ink_of(words[place][0])
        where = [strips[place].at((frame + 0.5) * COLUMNS_A_FRAME) for frame in frames]
        pieces = share_ink(labels, numbers, box, where, range(first, first + len(said[place])))
        if len(pieces) != len(said[place]):  # two of them share all their ink
            continue
        first += len(pieces)
        images = [frame_of(ink, labels, pieces, Candidate(at, at + 1, piece.box)) for at, piece in enumerate(pieces)]
        found = readings(
            np.ascontiguousarray(row[:, :CLASSES]),
            [""] * len(pieces),
            min_confidence,
            frames=np.stack(images),
            unfamiliarity=np.asarray(row[:, OTHER:].sum(axis=1), np.float32),
        )
        result[place] = [PlacedReading.of(reading, piece.box) for reading, piece in zip(found, pieces, strict=True)]
    return result


def _ink_of(word: Word) -> tuple[list[int], Box]:
    """Which marks a word is, and the box around them."""
    return [piece.number for piece in word.pieces], around(piece.box for piece in word.pieces)


def _may_be_other(word: Word, digits: Sequence[PlacedReading]) -> bool:
    """Whether a word is doubted enough to be another number."""
    return len(digits) >= _FEWEST - 1 and _doubt(digits) > _SURE_ENOUGH and not any(sign for _, sign in word.signs)


def _doubt(digits: Sequence[PlacedReading]) -> float:
    return -sum(math.log(max(digit.confidence, _LEAST)) for digit in digits)


def _is_better(likeliest: Hypothesis, digits: Sequence[PlacedReading]) -> bool:
    """Whether a word at one go is another number than its parts, and likelier."""
    said = likeliest.labels
    if len(said) < _FEWEST or OTHER in said or said == tuple(digit.digit for digit in digits):
        return False
    return -likeliest.log_probability < min(_doubt(digits), _DOUBTFUL)


__all__ = ["read_at_once"]
