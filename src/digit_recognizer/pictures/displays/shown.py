"""The digits that a display shows become a Page. Knows nothing of how they were read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.displays.display import Shown
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.assembled import page_of
from digit_recognizer.pictures.numbers.judged import judged
from digit_recognizer.pictures.numbers.prices import other_value_refused
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.pictures.words.signs import MINUS, NO_SIGN, find_colons, find_signs
from digit_recognizer.reading import Page, PlacedReading, readings

_BELOW = 0.14  # of a digit's height: how far below its feet a point ends at most
_LEAST = 0.04  # and how broad and tall it is at least


class _Signs(NamedTuple):
    """Where colons stand between digits, the middle of each, and points and commas: where from, and which sign."""

    colons: tuple[float, ...]
    points: tuple[tuple[float, str], ...]


def page_of_display(view: View, ink: PageInk, shown: Sequence[Shown], means: Means) -> Page:
    """The page of a display's digits, in the picture's pixels. view: the page. ink: all of it. shown: what is read."""
    means.watch("ground removed", ink)
    means.watch("ink", ink)
    labels = ink.mask.astype(np.int32)
    read = []
    for mine, points in _numbers(ink, shown, means.expectation):
        frames = np.stack([frame_of(ink, labels, [Piece(1, one.box, 0)], Candidate(0, 1, one.box)) for one in mine])
        sure = np.array([one.confidence for one in mine], np.float32)
        probabilities = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1).astype(np.float32)
        probabilities[np.arange(len(mine)), [one.digit for one in mine]] = sure
        found = readings(probabilities, [""] * len(mine), means.min_confidence, frames=frames)
        digits = tuple(PlacedReading.of(reading, one.box) for reading, one in zip(found, mine, strict=True))
        height = float(max(one.box[3] for one in mine))
        word = judged(ReadWord(mine[0].line, height, "", digits, ()), [], points, means.expectation)
        read.append(other_value_refused(word))
    return page_of(read, view, means.name)


def _numbers(
    ink: PageInk, shown: Sequence[Shown], expectation: Expectation
) -> Iterator[tuple[list[Shown], list[tuple[float, str]]]]:
    """The digits of each number, left to right, and the points in it; a colon parts numbers where none with it in was
    asked for.
    """
    stats = ink.connected.stats
    marks = stats[1:, : cv2.CC_STAT_AREA].astype(np.int64)
    for _, some in groupby(shown, key=lambda one: one.number):
        mine = list(some)
        colons, points = _signs(marks, np.array([one.box for one in mine], np.int64))
        if expectation.numbers != "decimal":
            points = tuple((place, NO_SIGN) for place, _ in points)
        if expectation.asks and expectation.complaint([one.digit for one in mine]) is None:
            colons = ()
        for _, group in groupby(mine, key=lambda one: sum(x < one.box[0] + one.box[2] / 2 for x in colons)):
            part = list(group)
            yield part, [sign for sign in points if part[0].box[0] < sign[0] < part[-1].box[0]]


def _signs(marks: Boxes, digits: Boxes) -> _Signs:
    """The signs between digits. marks: int64 (N, 4), all ink. digits: int64 (M, 4)."""
    height = float(digits[:, 3].max())
    top, foot = digits[:, 1].min(), (digits[:, 1] + digits[:, 3]).max() + _BELOW * height
    near = (marks[:, 1] >= top) & (marks[:, 1] + marks[:, 3] <= foot) & (marks[:, 2:].max(1) < height / 2)
    near &= marks[:, 2:].min(1) >= _LEAST * height
    boxes = np.concatenate([digits, marks[near]])
    line = np.argsort(boxes[:, 0], kind="stable").tolist()
    found = find_colons(boxes, line, height)
    middles = boxes[:, :1] + boxes[:, 2:3] / 2
    inside = (middles >= digits[:, 0]) & (middles <= digits[:, 0] + digits[:, 2])
    is_segment: npt.NDArray[np.bool_] = np.any(inside, axis=1)
    is_segment[: len(digits)] = False
    dots = {dot for pair in found for dot in pair}
    signs = find_signs(boxes, [mark for mark in line if mark not in dots and not is_segment[mark]], height)
    points = ((float(boxes[mark, 0]), sign) for mark, sign in signs.items() if sign not in (MINUS, NO_SIGN))
    return _Signs(tuple(float(boxes[dot, 0] + boxes[dot, 2] / 2) for dot, _ in found), tuple(points))


__all__ = ["page_of_display"]
