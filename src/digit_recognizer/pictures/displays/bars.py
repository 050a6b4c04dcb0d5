"""Ink becomes marks by their outlines, and which of them are straight bars, or made of level and upright ones.

Knows nothing of digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask

LONG = 1.5  # times as long as broad is a bar at least

# Chosen on digits of displays, drawn and in four DSEG fonts, among words and in cases.
_SHORTEST = 8  # pixels of a bar
_FULL = 0.7  # share of the narrowest box around it, slanted or not, that a bar fills
_FEWEST = 24  # pixels that a mark of several bars is tall at least
_HOLLOW = 0.7  # share of its box that such a mark fills at most
_WIDEST = 1.9  # times as wide as tall is it at most
_STRAIGHT = 0.7  # share of its outline that is level or upright: of round letters three fifths are
_IN_BARS = 0.75  # share of it that lies in level or upright bars
_THICK = 0.05, 0.35  # how thick those are, in its heights
_EVEN = 1.7  # times that thickness that fits into it where bars meet
_LOOKED_AT = 64  # marks, the tallest ones, that are looked at for that; it takes 30 microseconds each

Outline = npt.NDArray[np.int32]


class Marks(NamedTuple):
    """Connected ink. outlines: int32 (M, 1, 2) each, x and y of all their pixels. boxes: int64 (N, 4), x, y, width,
    height. areas: float (N,), pixels of ink. around: float (N,), pixels of their outlines and of their holes'.
    """

    outlines: Sequence[Outline]
    boxes: npt.NDArray[np.int64]
    areas: npt.NDArray[np.float64]
    around: npt.NDArray[np.float64]


def find_marks(mask: Mask) -> Marks:
    """The connected ink of a page but its dirt. mask: bool (H, W).

    >>> mask = np.zeros((40, 40), np.bool_)
    >>> mask[10:30, 18:22] = True
    >>> marks = find_marks(mask)
    >>> marks.boxes.tolist(), marks.areas.tolist()
    ([[18, 10, 4, 20]], [80.0])
    """
    # A fifth of the time that connected components take.
    found, tree = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = [np.asarray(one, np.int32) for one in found]
    parents = np.zeros(0, np.int64) if tree is None else np.asarray(tree, np.int64)[0, :, 3]
    lengths = np.array([len(one) for one in outlines], np.float64)
    is_hole = parents >= 0
    # Pick, 1899: an outline runs through the middles of pixels, those of holes through what is around them.
    sizes = np.where(is_hole, -1, 1) * lengths / 2 + 1
    for place in np.flatnonzero(lengths >= _SHORTEST).tolist():
        sizes[place] += cv2.contourArea(outlines[place])
    in_holes, around_holes = (
        np.bincount(parents[is_hole], values[is_hole], len(outlines)) for values in (sizes, lengths)
    )
    kept = np.flatnonzero(~is_hole & (lengths >= 1.5 * _SHORTEST))
    boxes = np.array([cv2.boundingRect(outlines[place]) for place in kept], np.int64).reshape(-1, 4)
    return Marks([outlines[place] for place in kept], boxes, (sizes - in_holes)[kept], (lengths + around_holes)[kept])


def thickness_of_bars(mask: Mask, marks: Marks) -> npt.NDArray[np.float64]:
    """How thick the bars are that each mark is made of, in pixels: float (N,), 0 where it is not.

    mask: bool (H, W), whose marks they are.

    >>> mask = np.zeros((60, 90), np.bool_)
    >>> mask[10:50, 10:16] = mask[10:16, 10:40] = True
    >>> cv2.circle(mask.view(np.uint8), (65, 30), 15, 1, 6).shape
    (60, 90)
    >>> sorted(thickness_of_bars(mask, find_marks(mask)).round().tolist())
    [0.0, 6.0]
    """
    wide, tall = marks.boxes[:, 2:].T
    long, short = np.maximum(wide, tall), np.minimum(wide, tall)
    thickness = np.zeros(len(long))
    for place in np.flatnonzero((long >= _SHORTEST) & (long >= LONG * short)).tolist():
        _, sides, _ = cv2.minAreaRect(marks.outlines[place])
        across, along = sorted(side + 1 for side in sides)
        if marks.areas[place] >= _FULL * across * along:
            thickness[place] = marks.areas[place] / along
    usual = 2 * marks.areas / np.maximum(marks.around, 1)
    fits = (thickness == 0) & (tall >= _FEWEST) & (wide <= _WIDEST * tall) & (marks.areas <= _HOLLOW * wide * tall)
    fits &= (usual >= _THICK[0] * tall) & (usual <= _THICK[1] * tall)
    tallest = np.flatnonzero(fits)
    for place in tallest[np.argsort(-tall[tallest], kind="stable")[:_LOOKED_AT]].tolist():
        if _straight(marks.outlines[place]) >= _STRAIGHT and _is_of_bars(mask, marks, place, float(usual[place])):
            thickness[place] = usual[place]
    return thickness


def drawn(mask: Mask, marks: Marks, places: Iterable[int], box: npt.NDArray[np.int64]) -> Mask:
    """Some of the marks alone, in a box, (4,), with a pixel of room around it: bool (height + 2, width + 2)."""
    x, y, wide, tall = box.tolist()
    part = np.zeros((tall + 2, wide + 2), np.uint8)
    for place in places:
        cv2.drawContours(part, [marks.outlines[place]], 0, 1, -1, offset=(1 - x, 1 - y))
    part[1:-1, 1:-1] &= mask[y : y + tall, x : x + wide].view(np.uint8)
    return part.view(np.bool_)


def broadest(mask: Mask, marks: Marks, place: int) -> float:
    """The diameter of the largest disc that fits into a mark, in pixels."""
    return _broadest(drawn(mask, marks, [place], marks.boxes[place]))


def _broadest(ink: Mask) -> float:
    return 2 * float(cv2.distanceTransform(ink.view(np.uint8), cv2.DIST_L2, 3).max()) - 1


def _straight(outline: Outline) -> float:
    """The share of an outline that is level or upright."""
    steps = np.diff(outline[:, 0], axis=0)
    return 1 - np.count_nonzero(steps.all(axis=1)) / len(outline)


def _is_of_bars(mask: Mask, marks: Marks, place: int, thickness: float) -> bool:
    """Whether a mark lies in level and upright bars of that thickness (openings; Serra, 1982)."""
    ink = drawn(mask, marks, [place], marks.boxes[place])
    side = max(3, round(LONG * thickness))
    level, upright = (
        cv2.morphologyEx(ink.view(np.uint8), cv2.MORPH_OPEN, np.ones(size, np.uint8)) for size in ((1, side), (side, 1))
    )
    in_bars = np.count_nonzero(np.asarray(level) | np.asarray(upright))
    return bool(in_bars >= _IN_BARS * np.count_nonzero(ink)) and _broadest(ink) <= _EVEN * thickness + 1


__all__ = ["LONG", "Marks", "broadest", "drawn", "find_marks", "thickness_of_bars"]
