"""Bars of digits that an ink finder took for printed lines are given back: that of a 7, the foot of a 2.

A printed line goes on beyond the strokes that cross it; such a bar ends where its digit does. Knows nothing of models.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.whole import given_back
from digit_recognizer.pictures.paper import Mask, PageInk, stroke_width

# Share of a mark that a network sees: what it sees less of is no stroke, and of what it sees more nothing is gone.
_LEAST_SEEN, _MOST_SEEN = 0.1, 0.92
_TALL, _BROAD = 1.25, 1.1  # a digit's size at most, in heights of most, or of what is seen of it
_LONG = 0.2  # of its mark's height that a bar is long at least,
_SLENDER = 2.0  # times it is longer than thick,
_THICK = 1.6  # times it is thicker than most of its mark at most,
_SLANT = 15.0  # degrees that it is off level or upright at most,
_DEEP = 0.7  # of the depth of what is seen of its mark that it has at least: faint lines of ruled paper have less
_ACROSS = 2.0  # times the bar's thickness that what is seen of its mark reaches across it


def with_bars(seen: PageInk, everything: PageInk, depth: npt.NDArray[np.float32], usual: float) -> PageInk:
    """The ink that a network sees, the bars of its digits whole; the same object where none is missing.

    seen: what the network takes for ink. everything: all that stands out from the ground. depth: float32 (H, W), how
    far. usual: how tall most marks are, in pixels. A mark no larger than a digit is given back where a straight bar of
    it is missing that is as deep as the rest, level or upright, and the rest is more than a piece of such a bar.

    >>> mask = np.zeros((40, 40), np.bool_)
    >>> mask[8:32, 24:27] = mask[8:11, 12:27] = True                   # a 7
    >>> whole = PageInk(mask * np.uint8(255), mask, 3.0)
    >>> stem = mask & (np.arange(40) > 22)
    >>> int(with_bars(PageInk(whole.strength, stem, 3.0), whole, mask * np.float32(90), 24.0).mask.sum())
    108
    """
    labels, stats = everything.connected
    share = np.bincount(labels[seen.mask], minlength=len(stats)) / stats[:, cv2.CC_STAT_AREA]
    partly = (share >= _LEAST_SEEN) & (share <= _MOST_SEEN)
    partly[0] = False
    back = np.zeros(seen.mask.shape, np.bool_)
    for number in np.flatnonzero(partly):
        left, top, broad, tall = stats[number, :4].tolist()
        # With a pixel around, as edges are compared.
        part = slice(max(0, top - 1), top + tall + 1), slice(max(0, left - 1), left + broad + 1)
        mark = labels[part] == number
        rows = np.flatnonzero((mark & seen.mask[part]).any(axis=1))
        height = max(usual, float(rows[-1] - rows[0] + 1))
        if tall <= _TALL * height and broad <= _BROAD * height:
            missing = _has_lost_bar(mark, mark & seen.mask[part], depth[part])
            back[part] |= mark & missing
    return given_back(seen, everything, back) if back.any() else seen


def _has_lost_bar(mark: Mask, seen: Mask, depth: npt.NDArray[np.float32]) -> bool:
    """Whether a bar of a mark was not seen. All bool or float (h, w), with a pixel around the mark."""
    near = cv2.dilate(seen.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    lost = (mark & ~near).view(np.uint8)
    if np.count_nonzero(lost) < _LONG * len(mark):
        return False
    count, labels, _, _ = cv2.connectedComponentsWithStats(lost, connectivity=8)
    usual, thickness = float(np.median(depth[seen])), stroke_width(mark)
    for number in range(1, count):
        bar = labels == number
        points = cv2.findNonZero(bar.view(np.uint8))
        (_, sides, _) = rect = cv2.minAreaRect(points)
        short, long = sorted(side + 1 for side in sides)
        if long < max(_LONG * len(mark), _SLENDER * short) or short > _THICK * thickness + 1:
            continue
        if float(np.median(depth[bar])) < _DEEP * usual:
            continue
        corners = cv2.boxPoints(rect)
        along = max(corners[1] - corners[0], corners[2] - corners[1], key=lambda side: float(np.hypot(*side)))
        angle = np.degrees(np.arctan2(along[1], along[0]))
        if abs((angle + 45) % 90 - 45) > _SLANT:
            continue
        direction = along / np.hypot(*along)
        y, x = np.nonzero(seen)
        across = x * -direction[1] + y * direction[0]
        if np.ptp(across) >= _ACROSS * short:
            return True
    return False


__all__ = ["with_bars"]
