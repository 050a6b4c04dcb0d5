"""Where a grid of cells may lie in a picture: large four-sided outlines, and the pieces of ground that lines enclose.

Knows nothing of what is inside an outline.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey

SMALLEST = 0.06  # share of the picture that a grid covers at least
_CELL_FROM, _CELL_TO = 4e-4, 0.25  # of the picture that a cell covers, or several whose lines between are faint
_SAME = 4  # pixels between the corners of outlines that are one
_OUTLINES = 10  # the largest ones are tried
_LIGHT, _LEVEL = 0.06, 180  # share of the picture's side that light is measured over; grey level of all ground then

_Floats = npt.NDArray[np.float32]


def evened(small: Grey) -> Grey:
    """The picture in even light, so that lines in a shadow stand out as others do: uint8 (H, W).

    >>> int(evened(np.full((40, 40), 20, np.uint8))[0, 0])
    180
    """
    side = 2 * round(_LIGHT * max(small.shape)) + 1
    light = cv2.blur(small, (side, side), borderType=cv2.BORDER_REPLICATE).astype(np.float32)
    return np.asarray(np.clip(np.rint(small * (_LEVEL / np.maximum(light, 1))), 0, 255), np.uint8)


def ground_pieces(small: Grey, least: float) -> npt.NDArray[np.int64]:
    """The pieces of ground that lines enclose, of ``least`` pixels and more: boxes (x, y, w, h), int64 (N, 4)."""
    flat = cv2.GaussianBlur(small, (5, 5), 0)
    dark = cv2.adaptiveThreshold(flat, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 4)
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(dark), connectivity=4)
    return stats[1:][stats[1:, cv2.CC_STAT_AREA] >= least, :4].astype(np.int64)


def find_outlines(small: Grey) -> list[_Floats]:
    """Large four-sided outlines, their corners clockwise from the upper left: float32 (4, 2)."""
    found: list[_Floats] = []
    flat = cv2.GaussianBlur(small, (5, 5), 0)
    length = max(3, round(max(small.shape) / 25))
    for window, close in ((25, 3), (51, 7), (25, 0)):
        dark = cv2.adaptiveThreshold(flat, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 4)
        if close:
            dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((close, close), np.uint8))
        else:  # lines alone, where text around the grid touches it
            along = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
            dark = cv2.max(along, cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8)))
            dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        for mask in (dark, _cells(np.asarray(dark, np.uint8))):
            outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
            large = [hull for hull in map(cv2.convexHull, outlines) if cv2.contourArea(hull) >= SMALLEST * small.size]
            for hull in sorted(large, key=cv2.contourArea, reverse=True)[:_OUTLINES]:
                corners = _corners(np.asarray(hull, np.int32))
                if corners is not None and all(np.abs(corners - other).max() > _SAME for other in found):
                    found.append(corners)
    return found


def _cells(dark: Grey) -> Grey:
    """What lies between the lines, grown until it meets: uint8 (H, W). Lines that run on beyond a grid are no part."""
    light = cv2.bitwise_not(dark)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(light, connectivity=4)
    box = stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
    area = stats[:, cv2.CC_STAT_AREA]
    kept = (area >= _CELL_FROM * dark.size) & (box <= _CELL_TO * dark.size) & (area >= 0.25 * box)
    kept &= np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= max(dark.shape) / 100
    kept[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False  # the paper around
    side = 2 * round(max(dark.shape) / 250) + 3
    return np.asarray(cv2.dilate(kept[labels].view(np.uint8), np.ones((side, side), np.uint8)), np.uint8)


def _corners(hull: npt.NDArray[np.int32]) -> _Floats | None:
    """The four corners of an outline, clockwise from the upper left, float32 (4, 2); None where it has more."""
    for bend in (0.02, 0.04, 0.07):
        corners = cv2.approxPolyDP(hull, bend * cv2.arcLength(hull, True), True)
        if len(corners) == 4 and cv2.isContourConvex(corners) and cv2.contourArea(corners) > 0:
            return _clockwise(corners[:, 0, :].astype(np.float32))
    return None


def _clockwise(corners: _Floats) -> _Floats:
    middle = corners.mean(axis=0)
    around = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))  # y grows downward
    first = int(corners[around].sum(axis=1).argmin())
    return corners[np.roll(around, -first)]


__all__ = ["SMALLEST", "evened", "find_outlines", "ground_pieces"]
