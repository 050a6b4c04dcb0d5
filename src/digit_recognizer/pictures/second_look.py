"""Marks that are not surely read are shown to the cell reader as well, each by itself, as it stands on the page.

The digit model sees frames of ink, of which thick pens and poor light leave too little or too much. Knows nothing of
lines, nor of what makes digits a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, Images
from digit_recognizer.pictures.cell_view import SIDE, depth_view
from digit_recognizer.pictures.means import ReadViews, Scores
from digit_recognizer.pictures.numbers.chosen import Chosen
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.paper import Labels
from digit_recognizer.pictures.words.strips import are_of
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import Box, PlacedReading, around, readings

_AROUND = 1.3  # times a mark's longer side that its view is large; up to 1.75 does alike for digits
_LEAST_SIDE = 8  # pixels of that square
_SOFT = 1  # pixels around other marks that are left out with them: the edges of their strokes
_SURE = 0.9  # confidence from which on a digit is not shown
# Weight of the cell reader's word, which learnt from cells, not from marks. Of 12,615 digits in 2,400 composed lines
# 122 were read wrong without, and 112, 109, 111 and 121 with 0.2, 0.3, 0.4 and 0.5.
_BY_VIEW = 0.3
_LEAST = 1e-4  # probability below which nobody's word is taken, lest it be a veto
# Probability of a digit from which on what the line reader takes for several is one after all, where that is not sure.
# Of 8 marks that so made a number too long in 1,440 lines with gaps 7 are, of 1,013 that are several 3.
_IS_ONE, _SURELY_SEVERAL = 0.4, 3.5
_AT_ONCE = 8  # views that are read together, beside all else that a page takes: 32 take 10 MB more
_NOT_SEVERAL = 9.0  # what it costs then to take it for several

Depth = npt.NDArray[np.float32]
Mark = tuple[Sequence[int], Box]  # the numbers of its pieces in the page's labels, and the box around them


def mark_views(depth: Depth, labels: Labels, marks: Sequence[Mark]) -> Images:
    """What the cell reader is shown of marks: each in the middle of a square, the other marks left out.

    depth: float32 (H, W), how far pixels stand out from the ground. labels: int32 (H, W), the marks by number.
    Returns uint8 (N, 48, 48).

    >>> depth, labels = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.int32)
    >>> depth[20:40, 28:32] = depth[20:40, 36:40] = 90
    >>> labels[20:40, 28:32], labels[20:40, 36:40] = 1, 2
    >>> view = mark_views(depth, labels, [([1], (28, 20, 4, 20))])[0]
    >>> int(view[24, 24]), int(view[24, 38]), int(view[4, 4])
    (192, 32, 32)
    """
    views = np.zeros((len(marks), SIDE, SIDE), np.uint8)
    for place, (numbers, box) in enumerate(marks):
        near, own = _square(depth, box), _square(labels, box)
        mine = are_of(own, numbers)
        others = ((own > 0) & ~mine).view(np.uint8)
        others = cv2.dilate(others, np.ones((2 * _SOFT + 1, 2 * _SOFT + 1), np.uint8)).view(np.bool_)
        views[place] = depth_view(np.where(others & ~mine, np.float32(0), near))
    return views


def one_after_all(words: Sequence[Word], depth: Depth, labels: Labels, read_views: ReadViews) -> list[Word]:
    """The words, in which a mark that the line reader takes for several digits is one where the cell reader reads it.

    depth, labels: as for ``mark_views``. read_views: the cell reader.
    """
    runs = [(place, run) for place, word in enumerate(words) for run in word.runs if run.one < _SURELY_SEVERAL]
    if not runs:
        return list(words)
    said = _shown([mark_of(words[place], run.start, run.end) for place, run in runs], depth, labels, read_views)
    result = list(words)
    for (place, run), probabilities in zip(runs, said, strict=True):
        if probabilities[:CLASSES].max() < _IS_ONE:
            continue
        changed = []
        for one in result[place].candidates:
            if (one.start, one.end) == (run.start, run.end):
                one = replace(one, parting=0.0, whole=True)
            elif one.start == run.start and one.end < run.end:
                one = replace(one, parting=one.parting + _NOT_SEVERAL)
            changed.append(one)
        result[place] = replace(result[place], candidates=changed)
    return result


def looked_at_again(
    found: Sequence[Chosen | ReadWord], depth: Depth, labels: Labels, read_views: ReadViews, min_confidence: float
) -> list[Chosen | ReadWord]:
    """The words of a page, the digits on their best ways read anew where they are not sure: what the digit model and
    the cell reader say together, a product of experts (Hinton 2002).

    depth, labels: as for ``mark_views``. read_views: the cell reader. min_confidence: 0-1, digits below are not
    accepted. Whether a mark is a digit at all remains the digit model's word.
    """
    unsure = [
        (digit, mark_of(way.word, one.start, one.end))
        for way in found
        if isinstance(way, Chosen)
        for digit, one in zip(way.digits, way.taken, strict=True)
        if _is_unsure(digit)
    ]
    if not unsure:
        return list(found)
    said = _shown([mark for _, mark in unsure], depth, labels, read_views)
    anew = {id(digit): one for (digit, _), one in zip(unsure, _together(unsure, said, min_confidence), strict=True)}
    return [
        replace(way, digits=[anew.get(id(digit), digit) for digit in way.digits]) if isinstance(way, Chosen) else way
        for way in found
    ]


def _together(
    unsure: Sequence[tuple[PlacedReading, Mark]], said: Scores, min_confidence: float
) -> Iterator[PlacedReading]:
    """The digits as both read them. said: float32 (N, 12), by the cell reader."""
    digits = [digit for digit, _ in unsure]
    by_frame = np.stack([digit.probabilities for digit in digits])
    strange = np.array([digit.unfamiliarity for digit in digits], np.float32)
    first, second = (np.log(np.maximum(some, _LEAST)) for some in (by_frame, said[:, :CLASSES]))
    both = np.exp((1 - _BY_VIEW) * first + _BY_VIEW * second)
    together = np.asarray(both / both.sum(axis=1, keepdims=True) * (1 - strange[:, None]), np.float32)
    frames = np.stack([digit.frame for digit in digits])
    read = readings(together, [""] * len(digits), min_confidence, frames=frames, unfamiliarity=strange)
    for digit, reading in zip(digits, read, strict=True):
        yield PlacedReading.of(reading, digit.box)


def _is_unsure(digit: PlacedReading) -> bool:
    """Whether a digit is shown to the cell reader; not one that was chosen for another's sake, as a check digit's."""
    return digit.confidence < _SURE and digit.confidence >= float(digit.probabilities.max())


def _shown(marks: Sequence[Mark], depth: Depth, labels: Labels, read_views: ReadViews) -> Scores:
    """What the cell reader says of marks: float32 (N, 12)."""
    views = mark_views(depth, labels, marks)
    return np.concatenate([read_views(views[first : first + _AT_ONCE]) for first in range(0, len(views), _AT_ONCE)])


def mark_of(word: Word, start: int, end: int) -> Mark:
    """Pieces ``start`` to ``end`` (exclusive) of a word as a mark."""
    pieces = word.pieces[start:end]
    return [piece.number for piece in pieces], around([piece.box for piece in pieces])


def _square(page: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
    """A square of the page around the middle of a box; what lies beyond the page is 0."""
    x, y, width, height = box
    side = max(_LEAST_SIDE, round(_AROUND * max(width, height)))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    square = np.zeros((side, side), page.dtype)
    rows, columns = (
        slice(max(0, first), max(0, min(first + side, end)))
        for first, end in ((top, page.shape[0]), (left, page.shape[1]))
    )
    part = page[rows, columns]
    square[
        rows.start - top : rows.start - top + len(part), columns.start - left : columns.start - left + part.shape[1]
    ] = part
    return square


__all__ = ["looked_at_again", "mark_of", "mark_views", "one_after_all"]
