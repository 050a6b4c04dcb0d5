"""A sheet of paper that lies somewhere in a picture, a desk around it, becomes a picture of the sheet alone.

Knows nothing of digits but that they are drawn with strokes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import shrunk

SMALLEST = 64  # pixels of the longer side: smaller pictures are crops, in which no sheet is seen

# In shares unless said otherwise. Sheets seen aslant fill 0.9 of the rectangle around them and more, and nine tenths of
# them are paper; what is drawn with a pen so broad that it could be one has larger counters, or nothing on it. Of 144
# composed photos of one digit 92 were read right before, those on a desk never, and 136 are; of 5,200 composed crops
# without a desk 14 are taken for sheets.
_SIDE = 160  # pixels of the picture in which a sheet is looked for
_AROUND = 0.7  # of the picture's edge that is no sheet, at least
_RECTANGULAR = 0.85  # of the smallest rectangle around a sheet, turned as it lies, that it fills at least
_AREA = 0.12  # of the picture that a sheet covers at least
_RIM = 3  # pixels along its edge that may be shadow or desk
_INK = 0.002  # of the sheet that is written on, at least
_DEPTH = 20  # grey levels by which ink differs from the paper around it

_Grey = npt.NDArray[np.uint8]


class _Bounds(NamedTuple):
    """What a sheet is like, in shares. paper: of it that nothing is written on, at least. ink: of it that differs from
    its light as seen in a small picture, at most. breadth: of the picture's shorter side that it is broad, at least.
    beside: of its area that may be as bright elsewhere; where more is, there are several sheets. step: of what it
    differs from the desk that it does right at its edge, at least; light that falls on a board has none.
    """

    paper: float
    ink: float
    breadth: float
    beside: float
    step: float


_OF_DIGIT = _Bounds(paper=0.88, ink=0.3, breadth=0.25, beside=math.inf, step=-math.inf)
_OF_PAGE = _Bounds(paper=0.78, ink=0.8, breadth=0.15, beside=0.2, step=0.6)


def sheet_alone(grey: _Grey) -> _Grey:
    """The part of a picture where a sheet lies on something darker or lighter, or the same array where none does.

    grey: uint8 (H, W). The sheet must lie in the picture nearly whole, be seen as a rectangle more or less, and have
    something written on it. What is left of the desk in the corners is painted over with the paper next to it.

    >>> picture = np.full((300, 400), 60, np.uint8)
    >>> picture[60:240, 80:320] = 230
    >>> sheet_alone(picture) is picture                                # an empty sheet is a box, or a thick stroke
    True
    >>> picture[110:190, 195:203] = 40
    >>> alone = sheet_alone(picture)
    >>> bool(alone.shape < picture.shape), int(alone[0, 0]), int(alone.min())
    (True, 230, 40)
    """
    if max(grey.shape) < SMALLEST or min(grey.shape) < SMALLEST // 2:
        return grey
    small, _ = shrunk(grey, _SIDE)
    inside = _sheet(small, _OF_DIGIT)
    if inside is None:
        return grey
    top, left, height, width = _bounds(inside, small.shape, grey.shape)
    paper, mask = _enlarged(small, inside, grey.shape)
    part = slice(top, top + height), slice(left, left + width)
    return np.asarray(np.where(mask[part], grey[part], paper[part]), np.uint8)


def desk_removed(grey: _Grey) -> tuple[_Grey, float]:
    """The picture with paper all around the one sheet that lies in it, and by how much that sheet is turned.

    grey: uint8 (H, W). As ``sheet_alone``, but for pages: more may be written on the sheet, and nothing is cut away.
    Where no sheet lies in it, or something else is as bright and nearly as large, the same array is returned, and 0.
    The turn is in degrees, positive where the sheet falls to the right, and from -45 to 45: nobody knows which of
    its sides is its top.
    """
    if max(grey.shape) < SMALLEST or min(grey.shape) < SMALLEST // 2:
        return grey, 0.0
    small, _ = shrunk(grey, _SIDE)
    inside = _sheet(small, _OF_PAGE)
    if inside is None:
        return grey, 0.0
    paper, mask = _enlarged(small, inside, grey.shape)
    turn = cv2.minAreaRect(cv2.findNonZero(inside))[2]
    return np.asarray(np.where(mask, grey, paper), np.uint8), (turn + 45) % 90 - 45


def _enlarged(small: _Grey, inside: _Grey, shape: tuple[int, ...]) -> tuple[_Grey, npt.NDArray[np.bool_]]:
    """The sheet's paper, going on around it, uint8 (H, W), and where the sheet is, bool (H, W), as large as that."""
    size = (shape[1], shape[0])
    paper = cv2.resize(_continued(small, inside), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(paper, np.uint8), cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0


def _sheet(small: _Grey, bounds: _Bounds) -> _Grey | None:
    """Where the sheet is, without its rim: uint8 (H, W), 1 or 0; None where there is none."""
    _, bright = cv2.threshold(cv2.blur(small, (3, 3)), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edge = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    share = float(edge.mean())
    if max(share, 1 - share) < _AROUND:
        return None
    paper = np.asarray(bright if share < 0.5 else 1 - bright, np.uint8)
    outlines, _ = cv2.findContours(paper, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    area = cv2.contourArea(outline)
    sides = cv2.minAreaRect(outline)[1]
    if (
        area < _AREA * small.size
        or min(sides) < bounds.breadth * min(small.shape)
        or area < _RECTANGULAR * sides[0] * sides[1]
    ):
        return None
    filled = np.zeros(small.shape, np.uint8)
    cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    sheet = np.count_nonzero(filled)
    if (
        np.count_nonzero(paper & filled) < bounds.paper * sheet
        or np.count_nonzero(paper & (1 - filled)) > bounds.beside * sheet
    ):
        return None
    if _step(small, filled) < bounds.step:
        return None
    rim = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    inside = np.asarray(cv2.erode(filled, rim, borderValue=0), np.uint8)
    return inside if _is_written_on(small, inside, bounds.ink) else None


def _step(small: _Grey, filled: _Grey) -> float:
    """How much of what a sheet differs from what lies around it, it differs at its edge, 0-1 and more."""
    levels = []
    for whole in (filled, 1 - filled):
        rim = cv2.erode(whole, np.ones((3, 3), np.uint8)) > cv2.erode(whole, np.ones((9, 9), np.uint8), borderValue=1)
        if not rim.any():
            return 1.0
        levels.append((float(np.median(small[rim])), float(np.median(small[whole > 0]))))
    (inside, sheet), (outside, desk) = levels
    return (inside - outside) / (sheet - desk) if sheet != desk else 0.0


def _is_written_on(small: _Grey, inside: _Grey, most: float) -> bool:
    count = np.count_nonzero(inside)
    if not count:
        return False
    light = cv2.medianBlur(_continued(small, inside), max(3, int(0.4 * min(small.shape)) | 1))
    inked = np.count_nonzero((cv2.absdiff(small, light) > _DEPTH) & (inside > 0))
    return bool(_INK * count <= inked <= most * count)


def _continued(small: _Grey, inside: _Grey) -> _Grey:
    """The picture, what lies outside of the sheet as the nearest place on it."""
    _, labels = cv2.distanceTransformWithLabels(1 - inside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    levels = np.zeros(int(labels.max()) + 1, np.uint8)
    levels[labels[inside > 0]] = cv2.medianBlur(small, 5)[inside > 0]
    return np.asarray(np.where(inside > 0, small, levels[labels]), np.uint8)


def _bounds(inside: _Grey, small: tuple[int, ...], large: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box around the sheet in the large picture: (top, left, height, width)."""
    x, y, width, height = cv2.boundingRect(inside)
    ends: list[Any] = []
    for axis, first, length in ((0, y, height), (1, x, width)):
        times = large[axis] / small[axis]
        start = int(first * times)
        ends.append((start, max(1, min(large[axis], round((first + length) * times)) - start)))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


__all__ = ["SMALLEST", "desk_removed", "sheet_alone"]
