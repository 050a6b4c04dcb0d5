"""A word that was read mark by mark, some of it unsurely, is read once more at one go: all its ink is one strip.

Marks are read apart first, as gaps tell digits from each other better than anything else. Where that leaves doubt, it
is held against what the line reader makes of the whole word, which sees what stands to either side of each mark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.ctc import OTHER, hypotheses, label_probabilities, places
from digit_recognizer.pictures.cutting import Candidate, Labels, frame_of
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.runs import ReadStrips, share_ink
from digit_recognizer.pictures.strips import COLUMNS_A_FRAME, own_ink, strip_of
from digit_recognizer.pictures.words import Word
from digit_recognizer.reading import PlacedReading, around, readings

# Chosen on lines of validation digits (benchmarks/lines.py, seeds 40 to 57). Doubt: the negative logarithm of how
# likely it is that a reading is right.
_FEWEST = 4  # digits; of shorter words it is wrong as often as it is right, and letters are read as 2 and 3
_SURE_ENOUGH = 0.005  # doubt of the parts up to which nobody is asked again
_DOUBTFUL = 0.6  # doubt of the word at one go from which on it is no better than its parts
_LEAST = 1e-3  # confidence that counts as none


def read_at_once(
    word: Word,
    digits: Sequence[PlacedReading],
    ink: PageInk,
    labels: Labels,
    read: ReadStrips,
    min_confidence: float,
) -> list[PlacedReading] | None:
    """The digits of a word as the line reader reads it at one go; None where its parts are as likely, or the same.

    digits: what the parts were read as, all of the word. labels: int32 (H, W), the page's marks by number; the word's
    get new ones where it is read anew.

    >>> word = Word(0, 20.0, [], [], [], [], 20.0)
    >>> read_at_once(word, [], PageInk(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.bool_), 2.0),
    ...              np.zeros((9, 9), np.int32), list, 0.5)
    """
    doubt = -sum(math.log(max(digit.confidence, _LEAST)) for digit in digits)
    if len(digits) < _FEWEST - 1 or doubt <= _SURE_ENOUGH:
        return None
    numbers, box = [piece.number for piece in word.pieces], around(piece.box for piece in word.pieces)
    strip = strip_of(own_ink(ink.strength, labels, numbers, box))
    if strip is None:
        return None
    (answer,) = read([strip.image])
    likeliest = hypotheses(answer)[0]
    said = likeliest.labels
    if len(said) < _FEWEST or OTHER in said or said == tuple(digit.digit for digit in digits):
        return None
    if -likeliest.log_probability >= min(doubt, _DOUBTFUL):
        return None
    middles = [strip.at((frame + 0.5) * COLUMNS_A_FRAME) for frame in places(answer, said)]
    first = int(labels.max()) + 1
    pieces = share_ink(labels, numbers, box, middles, range(first, first + len(said)))
    if len(pieces) != len(said):  # two of them share all their ink
        return None
    rows = label_probabilities(answer, said)
    frames = [frame_of(ink, labels, pieces, Candidate(at, at + 1, piece.box)) for at, piece in enumerate(pieces)]
    found = readings(
        np.ascontiguousarray(rows[:, :CLASSES]),
        [""] * len(said),
        min_confidence,
        frames=np.stack(frames),
        unfamiliarity=np.asarray(rows[:, OTHER:].sum(axis=1), np.float32),
    )
    return [PlacedReading.of(reading, piece.box) for reading, piece in zip(found, pieces, strict=True)]


__all__ = ["read_at_once"]
