"""The digits that a display shows become a Page. Knows nothing of how they were read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import cv2
import numpy as np

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.displays.display import Shown
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.assembled import page_of
from digit_recognizer.pictures.numbers.context import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.pictures.words.signs import find_colons
from digit_recognizer.reading import Page, PlacedReading, readings


def page_of_display(view: View, ink: PageInk, shown: Sequence[Shown], means: Means) -> Page:
    """The page of a display's digits, in the picture's pixels. view: the page. ink: all of it. shown: what is read."""
    means.watch("ground removed", ink)
    means.watch("ink", ink)
    labels = ink.mask.astype(np.int32)
    read = []
    for mine in _numbers(ink, shown, means.expectation):
        frames = np.stack([frame_of(ink, labels, [Piece(1, one.box, 0)], Candidate(0, 1, one.box)) for one in mine])
        sure = np.array([one.confidence for one in mine], np.float32)
        probabilities = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1).astype(np.float32)
        probabilities[np.arange(len(mine)), [one.digit for one in mine]] = sure
        found = readings(probabilities, [""] * len(mine), means.min_confidence, frames=frames)
        digits = tuple(PlacedReading.of(reading, one.box) for reading, one in zip(found, mine, strict=True))
        height = float(max(one.box[3] for one in mine))
        read.append(judged(ReadWord(mine[0].line, height, "", digits, ()), [], [], means.expectation))
    return page_of(read, view, means.name)


def _numbers(ink: PageInk, shown: Sequence[Shown], expectation: Expectation) -> Iterator[list[Shown]]:
    """The digits of each number, left to right; a colon parts them where no number with it in was asked for."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.mask.view(np.uint8), connectivity=8)
    marks = stats[1:, : cv2.CC_STAT_AREA].astype(np.int64)
    for _, some in groupby(shown, key=lambda one: one.number):
        mine = list(some)
        if expectation.asks and expectation.complaint([one.digit for one in mine]) is None:
            yield mine
            continue
        colons = _colons(marks, np.array([one.box for one in mine], np.int64))
        for _, part in groupby(mine, key=lambda one: sum(x < one.box[0] + one.box[2] / 2 for x in colons)):
            yield list(part)


def _colons(marks: Boxes, digits: Boxes) -> list[float]:
    """Where colons stand between digits: the middle of each. marks: int64 (N, 4), all ink. digits: int64 (M, 4)."""
    height = float(digits[:, 3].max())
    top, foot = digits[:, 1].min(), (digits[:, 1] + digits[:, 3]).max()
    near = (marks[:, 1] >= top) & (marks[:, 1] + marks[:, 3] <= foot) & (marks[:, 2:].max(1) < height / 2)
    boxes = np.concatenate([digits, marks[near]])
    found = find_colons(boxes, np.argsort(boxes[:, 0], kind="stable").tolist(), height)
    return [float(boxes[dot, 0] + boxes[dot, 2] / 2) for dot, _ in found]


__all__ = ["page_of_display"]
