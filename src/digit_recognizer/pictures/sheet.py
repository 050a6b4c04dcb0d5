"""A sheet of paper that lies somewhere in a picture, a desk around it, becomes a picture of the sheet alone.

Knows nothing of digits but that they are drawn with strokes.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SMALLEST = 64  # pixels of the longer side: smaller pictures are crops, in which no sheet is seen

# In shares unless said otherwise. Sheets seen aslant fill 0.9 of the rectangle around them and more, and nine tenths of
# them are paper; what is drawn with a pen so broad that it could be one has larger counters, or nothing on it. Of 144
# composed photos of one digit 92 were read right before, those on a desk never, and 136 are; of 5,200 composed crops
# without a desk 14 are taken for sheets.
_SIDE = 160  # pixels of the picture in which a sheet is looked for
_AROUND = 0.7  # of the picture's edge that is no sheet, at least
_RECTANGULAR = 0.85  # of the smallest rectangle around a sheet, turned as it lies, that it fills at least
_PAPER = 0.88  # of a sheet that nothing is written on, at least
_PAPER_OF_PAGE = 0.6  # and of one with several numbers
_BESIDE = 0.2  # of its area that may be as bright elsewhere, or there are several sheets
_AREA, _BREADTH = 0.12, 0.25  # of the picture, and of its shorter side, that a sheet covers at least
_RIM = 3  # pixels along its edge that may be shadow or desk
_INK, _MOST_INK = 0.002, 0.3  # of the sheet that is written on
_DEPTH = 20  # grey levels by which ink differs from the paper around it

_Grey = npt.NDArray[np.uint8]


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
    small = _shrunk(grey)
    inside = _sheet(small)
    if inside is None:
        return grey
    top, left, height, width = _bounds(inside, small.shape, grey.shape)
    paper, mask = _enlarged(small, inside, grey.shape)
    part = slice(top, top + height), slice(left, left + width)
    return np.asarray(np.where(mask[part], grey[part], paper[part]), np.uint8)


def desk_removed(grey: _Grey) -> _Grey:
    """The picture with paper all around the one sheet that lies in it, or the same array where none does.

    grey: uint8 (H, W). As ``sheet_alone``, but for pages: more may be written on the sheet, nothing is cut away, and
    where something else is as bright as the sheet and nearly as large, nothing is changed.
    """
    if max(grey.shape) < SMALLEST or min(grey.shape) < SMALLEST // 2:
        return grey
    small = _shrunk(grey)
    inside = _sheet(small, _PAPER_OF_PAGE, _BESIDE)
    if inside is None:
        return grey
    paper, mask = _enlarged(small, inside, grey.shape)
    return np.asarray(np.where(mask, grey, paper), np.uint8)


def _shrunk(grey: _Grey) -> _Grey:
    scale = min(1.0, _SIDE / max(grey.shape))
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8) if scale < 1 else grey


def _enlarged(small: _Grey, inside: _Grey, shape: tuple[int, ...]) -> tuple[_Grey, npt.NDArray[np.bool_]]:
    """The sheet's paper, going on around it, uint8 (H, W), and where the sheet is, bool (H, W), as large as that."""
    size = (shape[1], shape[0])
    paper = cv2.resize(_continued(small, inside), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(paper, np.uint8), cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST) > 0


def _sheet(small: _Grey, least_paper: float = _PAPER, beside: float = 1.0) -> _Grey | None:
    """Where the sheet is, without its rim: uint8 (H, W), 1 or 0; None where there is none.

    least_paper: share of it that nothing is written on. beside: of its area what is as bright elsewhere, at most.
    """
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
        or min(sides) < _BREADTH * min(small.shape)
        or area < _RECTANGULAR * sides[0] * sides[1]
    ):
        return None
    filled = np.zeros(small.shape, np.uint8)
    cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    sheet = np.count_nonzero(filled)
    if np.count_nonzero(paper & filled) < least_paper * sheet or np.count_nonzero(paper & ~filled & 1) > beside * sheet:
        return None
    rim = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    inside = np.asarray(cv2.erode(filled, rim, borderValue=0), np.uint8)
    return inside if _is_written_on(small, inside) else None


def _is_written_on(small: _Grey, inside: _Grey) -> bool:
    count = np.count_nonzero(inside)
    if not count:
        return False
    light = cv2.medianBlur(_continued(small, inside), max(3, int(0.4 * min(small.shape)) | 1))
    inked = np.count_nonzero((cv2.absdiff(small, light) > _DEPTH) & (inside > 0))
    return bool(_INK * count <= inked <= _MOST_INK * count)


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
