"""What a network says of where there is ink becomes the ink of a page.

Knows nothing of the network, nor of what is written.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import PageInk, stroke_width

Grey = npt.NDArray[np.uint8]
InkMap = npt.NDArray[np.float32]  # (H, W), how likely a stroke covers each pixel, 0-1
FindInk = Callable[[Grey], InkMap]

_THICK = 9.0  # pixels: pictures with thicker strokes are shown to the network smaller, strokes being _SHOWN thick
_SHOWN = 6.0
_TALL = 90.0  # pixels: pictures with taller digits are shown smaller, digits being _SHOWN_TALL tall
_SHOWN_TALL = 60.0
_TOO_TALL = 80.0  # pixels: taller marks than most are seen in bits, so these are shown once more, smaller
_SMALL = 24.0  # pixels: pictures with lower marks are shown twice as large
_CLOSER = 2.0
_MOST_CLOSER = 9_000_000  # pixels that the network is shown at most then
_AROUND = 3  # pixels, as shown, around such a mark that are seen as it is
_BROADEST = 1.5  # times a digit is broader than tall at most
_FULLEST_FRAME = 0.12  # share of its box that a frame or ring fills, at most
_LARGEST = 2_200_000  # pixels that the network is shown at most
_TILE, _MARGIN = 384, 48  # pixels a side that it is shown at a time, and beyond them on each side
_INKED = 0.5  # from which on a pixel counts as ink,
_SURE = 0.95  # where it hangs together with one that is this sure: what is left of ticks and creases is not


def ink_map(grey: Grey, thickness: float, find_ink: FindInk) -> InkMap:
    """Ask a network where on a picture there is ink: float32 (H, W), 0-1.

    grey: uint8 (H, W). thickness: of most strokes, in pixels, roughly; the network knows those of one to ten.

    >>> ink_map(np.zeros((40, 60), np.uint8), 3.0, lambda grey: grey / np.float32(255)).shape
    (40, 60)
    """
    height, width = grey.shape
    scale = min(1.0, _SHOWN / thickness if thickness > _THICK else 1.0, (_LARGEST / grey.size) ** 0.5)
    tall, tallest = _tallness(grey, find_ink) if min(height, width) > _TALL else (0.0, 0.0)
    if tall > _TALL:
        scale = min(scale, _SHOWN_TALL / tall)
    found = _seen_at(grey, scale, find_ink)
    if scale == 1 and grey.size * _CLOSER**2 <= _MOST_CLOSER and 0 < _height_of_most(_marks(found)) < _SMALL:
        closer = _seen_at(grey, _CLOSER, find_ink)
        if (closer >= _SURE).any():
            found = _with_tall(closer, found, _TOO_TALL / _CLOSER, scale)
    if tallest * scale > _TOO_TALL:
        found = _with_tall(found, _seen_at(grey, _SHOWN_TALL / tallest, find_ink), _TOO_TALL / scale, scale)
    return found


def _with_tall(found: InkMap, other: InkMap, least: float, scale: float) -> InkMap:
    """A map, the marks that are taller than ``least`` pixels in another one as they are there, and what is near them.

    scale: how large the network saw what is kept of the map, around these.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((other >= _INKED).view(np.uint8), connectivity=8)
    taken = stats[:, cv2.CC_STAT_HEIGHT] > least
    taken[0] = False
    around = 2 * round(_AROUND / scale) + 1
    near = cv2.dilate(taken[labels].view(np.uint8), np.ones((around, around), np.uint8))
    return np.where(near > 0, other, found)


def _seen_at(grey: Grey, scale: float, find_ink: FindInk) -> InkMap:
    """The map of a picture that the network sees ``scale`` times as large, of the size of the picture."""
    if scale == 1:
        return _in_tiles(grey, find_ink)
    height, width = grey.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method, back = (cv2.INTER_AREA, cv2.INTER_LINEAR) if scale < 1 else (cv2.INTER_CUBIC, cv2.INTER_AREA)
    found = _in_tiles(np.asarray(cv2.resize(grey, size, interpolation=method), np.uint8), find_ink)
    return np.asarray(cv2.resize(found, (width, height), interpolation=back), np.float32)


def _marks(found: InkMap) -> npt.NDArray[np.int32]:
    """The width, height and area of each mark of a map, in pixels: int32 (N, 3)."""
    stats = cv2.connectedComponentsWithStats((found >= _INKED).view(np.uint8), connectivity=8)[2]
    return np.asarray(stats[1:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_AREA + 1], np.int32)


def _height_of_most(marks: npt.NDArray[np.int32]) -> float:
    """How tall the marks are that make up most of the ink, in pixels; 0 where there is none."""
    _, heights, areas = marks[np.argsort(marks[:, 1])].T
    return float(heights[np.searchsorted(np.cumsum(areas), areas.sum() / 2)]) if len(heights) else 0.0


def ink_of_map(found: InkMap) -> PageInk | None:
    """The strokes of a page from an ink map, float32 (H, W), 0-1: what is ink rather than not and hangs together with
    some that surely is; None where there is none.

    >>> found = np.zeros((40, 40), np.float32)
    >>> found[10:30, 18:22] = 0.99
    >>> int(ink_of_map(found).mask.sum())
    80
    """
    # Two thresholds, the lower one for what touches the higher (hysteresis; Canny, 1986).
    count, labels = cv2.connectedComponents((found >= _INKED).view(np.uint8), connectivity=8)
    sure = np.zeros(count, np.bool_)
    sure[labels[found >= _SURE]] = True
    mask = np.asarray(sure[labels], np.bool_)
    if not mask.any():
        return None
    return PageInk(np.clip(255 * found, 0, 255).astype(np.uint8), mask, stroke_width(mask))


def _tallness(grey: Grey, find_ink: FindInk) -> tuple[float, float]:
    """How tall the marks are that make up most of the ink, and the tallest that may be a digit, in pixels.

    A look at a quarter of the size tells; 0 where it finds none: then they are small. Frames and rings are no digits.
    """
    size = max(1, grey.shape[1] // 4), max(1, grey.shape[0] // 4)
    found = _in_tiles(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8), find_ink)
    marks = _marks(found)
    widths, heights, areas = marks.T
    is_digit = (widths <= _BROADEST * heights) & (areas >= _FULLEST_FRAME * widths * heights)
    return 4.0 * _height_of_most(marks), 4.0 * float(heights[is_digit].max(initial=0))


def _in_tiles(grey: Grey, find_ink: FindInk) -> InkMap:
    """The map of a large picture, tile by tile, each seen with a margin: memory is bounded by a tile's."""
    found = np.zeros(grey.shape, np.float32)
    rows, columns = (_ends(side) for side in grey.shape)
    for top, bottom in rows:
        for left, right in columns:
            first, before = max(0, top - _MARGIN), max(0, left - _MARGIN)
            seen = find_ink(np.ascontiguousarray(grey[first : bottom + _MARGIN, before : right + _MARGIN]))
            found[top:bottom, left:right] = seen[top - first : bottom - first, left - before : right - before]
    return found


def _ends(side: int) -> list[tuple[int, int]]:
    """Where the tiles of a side begin and end: one where it is short, else several of the same length."""
    count = 1 if side <= _TILE + 2 * _MARGIN else -(-side // _TILE)
    cuts = [side * number // count for number in range(count + 1)]
    return list(pairwise(cuts))


__all__ = ["FindInk", "InkMap", "ink_map", "ink_of_map"]
