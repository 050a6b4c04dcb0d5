"""Barcodes are painted over, so that no bar is read as a 1, nor the digits below are taken for letters beside bars.

Knows nothing of what a barcode says, nor of digits but that their strokes are neither many nor straight and level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.reading import Box, around

BARCODE = "a barcode"

_LENGTH = 24  # pixels that the sides of bars run straight down, at least
_SCALES = (1.0, 0.4, 0.16)  # of the picture, so that large barcodes are seen, too
_STEP = 12  # grey levels between a pixel's two neighbours at the side of a bar, at least
_STRAY = 3  # pixels by which the side of a bar may stray, as in a picture that is askew by some degrees
_NEAR = 12  # pixels between the sides of bars side by side, at most
_BARS = 8  # that a barcode, or the part of one beside a wide bar, has at least
_DENSE = 0.26  # of their length, from one bar to the next, on average: letters and digits stand wider
_FURTHER = 6  # rows between two that are held against each other
_ALIKE = 0.8  # correlation that nine of ten such rows have at least: a grid's lines are crossed by others, and digits
_ACROSS = 0.5  # of a row of a barcode that is seen as such, from which on all of it is
_UNEVEN = 0.12  # of its length, by which bars of a barcode begin higher or lower; twice that, by which they are longer
_CLEAR = 0.25  # of the sides that go on beyond the end of the bars, or letters that begin there, at most
_BEYOND = (2, 6)  # pixels beyond that end
_CLOSER = 2.5  # times larger a barcode is looked at again, where that is not more than the picture's own size
_STRIPS, _NARROWEST = 8, 24  # side by side that it is looked at in then, and how many pixels one has at least
_FAINT = 0.4  # of the edges that most of a strip's rows have at most, below which a row lies between rows of print
_BROKEN = 0.2  # of a strip's rows that are faint at most; rows of print are a quarter apart and more

_Grey = npt.NDArray[np.uint8]


def barcodes_removed(grey: _Grey) -> tuple[_Grey, tuple[Box, ...]]:
    """The picture with paper in the place of its barcodes, and their boxes; the same array where there are none.

    grey: uint8 (H, W). A barcode is many bars, dense, upright within some degrees, with nothing right above them or
    right below them.

    >>> picture = np.full((120, 200), 250, np.uint8)
    >>> for place, bar in enumerate(range(40, 160, 6)):
    ...     picture[20:80, bar : bar + 2 + place % 3] = 20
    >>> cleaned, boxes = barcodes_removed(picture)
    >>> int(cleaned.min()), len(boxes), int(picture.min())
    (250, 1, 20)
    """
    cleaned, boxes = grey, list[Box]()
    for scale in _SCALES:
        small = grey if scale == 1 else cv2.resize(cleaned, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if min(small.shape) < 2 * _LENGTH:
            break
        for mask, (x, y, width, height) in _found(np.asarray(small, np.uint8)):
            left, top = round(x / scale), round(y / scale)
            right, bottom = min(grey.shape[1], round((x + width) / scale)), min(len(grey), round((y + height) / scale))
            if not _runs_through(grey[top:bottom, left:right], min(1.0, _CLOSER * scale)):
                continue
            large = cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
            cleaned = cleaned.copy() if cleaned is grey else cleaned
            _paint(cleaned, large > 0, (left, top, right - left, bottom - top))
            boxes.append((left, top, right - left, bottom - top))
    return cleaned, tuple(boxes)


def _found(grey: _Grey) -> list[tuple[_Grey, Box]]:
    """The barcodes of bars that are no broader than some pixels: what they cover in a box, 1 or 0, and the box."""
    smooth = cv2.blur(grey, (1, 5))
    darker = np.pad(cv2.subtract(smooth[:, :-2], smooth[:, 2:]), ((0, 0), (1, 1))) >= _STEP
    lighter = np.pad(cv2.subtract(smooth[:, 2:], smooth[:, :-2]), ((0, 0), (1, 1))) >= _STEP
    if (np.count_nonzero(darker[:, 1:] & ~darker[:, :-1], axis=1) >= _BARS).sum() < _LENGTH:
        return []
    upright = _straight(darker) | _straight(lighter)
    joined = cv2.morphologyEx(upright, cv2.MORPH_CLOSE, np.ones((1, _NEAR), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    boxes = [(int(x), int(y), int(width), int(height)) for x, y, width, height in stats[1:, :4]]
    codes = [
        box
        for box in boxes
        if box[2] >= 2 * _BARS and _is_barcode(darker, darker | lighter, box) and _are_alike(_part(smooth, box))
    ]
    found, taken = [], set[Box]()
    for code in codes:
        if code not in taken:
            mine = [number for number, box in enumerate(boxes) if _goes_on(box, code)]
            taken.update(boxes[number] for number in mine)
            found.append(_covered(np.asarray(labels, np.int32), mine, around(boxes[number] for number in mine)))
    return found


def _covered(labels: npt.NDArray[np.int32], numbers: Sequence[int], box: Box) -> tuple[_Grey, Box]:
    """What a barcode covers, 1 or 0, and the box that is in: from side to side, and where bars are longer, these."""
    x, y, width, height = box
    left, top = max(0, x - 2), max(0, y - 3)
    bars = np.isin(_part(labels, (left, top, x + width + 2 - left, y + height + 3 - top)), np.add(numbers, 1))
    whole = bars.mean(1) >= _ACROSS
    if whole.any():
        columns = np.flatnonzero(bars[whole].mean(0) >= _ACROSS)
        bars[:, np.setdiff1d(np.arange(bars.shape[1]), columns)] = False  # a digit beside the longer bars
        bars[whole, columns[0] : columns[-1] + 1] = True
    mask = cv2.dilate(bars.view(np.uint8), np.ones((7, 5), np.uint8))
    return np.asarray(mask, np.uint8), (left, top, mask.shape[1], mask.shape[0])


def _part(picture: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
    x, y, width, height = box
    return picture[y : y + height, x : x + width]


def _goes_on(box: Box, code: Box) -> bool:
    """Whether the bars in a box are a barcode's, or others of it that a broad one parts from these."""
    apart = max(code[0] - box[0] - box[2], box[0] - code[0] - code[2])
    level = abs(box[1] - code[1]) <= _UNEVEN * code[3]
    return apart <= code[3] and level and abs(box[3] - code[3]) <= 2 * _UNEVEN * code[3]


def _straight(sides: npt.NDArray[np.bool_]) -> _Grey:
    """Those sides that run straight down: uint8 (H, W), 1 or 0."""
    wider = cv2.dilate(sides.view(np.uint8), np.ones((1, _STRAY), np.uint8))
    return np.asarray(cv2.morphologyEx(wider, cv2.MORPH_OPEN, np.ones((_LENGTH, 1), np.uint8)), np.uint8)


def _is_barcode(darker: npt.NDArray[np.bool_], sides: npt.NDArray[np.bool_], box: Box) -> bool:
    """Whether the sides in a box are those of a barcode. darker: the left sides of dark bars. sides: all of them."""
    x, y, width, height = box
    rows = darker[y : y + height, x : x + width]
    bars = np.median(np.count_nonzero(rows[:, 1:] & ~rows[:, :-1], axis=1))
    if bars < _BARS or width > _DENSE * height * bars:
        return False
    first, last = _BEYOND
    inked = np.count_nonzero(sides[y + height // 2, x : x + width])
    above = sides[max(0, y - last) : max(0, y - first), x : x + width]
    below = sides[y + height + first : y + height + last, x : x + width]
    return any(len(rows) and rows.any(0).sum() <= _CLEAR * inked for rows in (above, below))


def _are_alike(rows: _Grey) -> bool:
    """Whether rows have the same edges as those that lie somewhat below them, but for the longer bars at their end."""
    levels = rows[len(rows) // 20 : len(rows) - len(rows) // 8].astype(np.float32)
    edges = levels[:, 2:] - levels[:, :-2]
    edges /= np.maximum(np.linalg.norm(edges, axis=1, keepdims=True), 1)
    return float(np.percentile((edges[_FURTHER:] * edges[:-_FURTHER]).sum(1), 10)) >= _ALIKE


def _runs_through(closer: _Grey, scale: float) -> bool:
    """Whether the bars in a part of the picture run through most of it without a break, as rows of letters do not that
    look like bars in a picture shrunk further. scale: what to shrink it by.
    """
    if scale < 1:
        closer = np.asarray(cv2.resize(closer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    levels = closer[len(closer) // 10 : len(closer) - len(closer) // 6].astype(np.float32)
    edges = np.abs(levels[:, 2:] - levels[:, :-2])
    strips = np.array_split(edges, min(_STRIPS, max(1, edges.shape[1] // _NARROWEST)), axis=1)
    rows = [strip.mean(1) for strip in strips]  # each strip for itself, as print may be askew
    return float(np.median([(row < _FAINT * np.percentile(row, 80)).mean() for row in rows])) <= _BROKEN


def _paint(grey: _Grey, mask: npt.NDArray[np.bool_], box: Box) -> None:
    """Put paper where the mask is: as light as beside the box, from one side to the other."""
    left, top, width, height = box
    part = grey[top : top + height, left : left + width]
    before, after = grey[top : top + height, max(0, left - 4) : left], grey[top : top + height, left + width :][:, :4]
    ends = [float(np.median(side)) for side in (before, after) if side.size]
    if not ends:
        ends = [float(np.percentile(part, 90))]
    level = np.linspace(ends[0], ends[-1], width)
    part[mask] = np.broadcast_to(np.rint(level).astype(np.uint8), part.shape)[mask]


__all__ = ["BARCODE", "barcodes_removed"]
