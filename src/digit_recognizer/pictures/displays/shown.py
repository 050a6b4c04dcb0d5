"""The digits that a display shows become a Page. Knows nothing of how they were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.displays.display import Shown
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.assembled import page_of
from digit_recognizer.pictures.numbers.context import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.reading import Page, PlacedReading, readings


def page_of_display(view: View, ink: PageInk, shown: Sequence[Shown], means: Means) -> Page:
    """The page of a display's digits, in the picture's pixels. view: the page. ink: all of it. shown: what is read."""
    means.watch("ground removed", ink)
    means.watch("ink", ink)
    labels = ink.mask.astype(np.int32)
    read = []
    for number in sorted({one.number for one in shown}):
        mine = [one for one in shown if one.number == number]
        frames = np.stack([frame_of(ink, labels, [Piece(1, one.box, 0)], Candidate(0, 1, one.box)) for one in mine])
        sure = np.array([one.confidence for one in mine], np.float32)
        probabilities = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1).astype(np.float32)
        probabilities[np.arange(len(mine)), [one.digit for one in mine]] = sure
        found = readings(probabilities, [""] * len(mine), means.min_confidence, frames=frames)
        digits = tuple(PlacedReading.of(reading, one.box) for reading, one in zip(found, mine, strict=True))
        height = float(max(one.box[3] for one in mine))
        read.append(judged(ReadWord(mine[0].line, height, "", digits, ()), [], [], means.expectation))
    return page_of(read, view, means.name)


__all__ = ["page_of_display"]
