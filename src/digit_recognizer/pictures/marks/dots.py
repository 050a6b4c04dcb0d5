"""Print of single dots, as needles and ink jets make it, becomes strokes: dots side by side are joined.

Knows nothing of digits but that they are taller than a dot and what touches it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import PageInk

_FEWEST = 12  # bits of dotted print, at least; a dot, or some in touch, is a bit
_LONGEST = 7.5  # diameters that a bit is long, at most: seven dots in touch
_LIKE = 1.6  # times a bit is thicker or thinner than most, at most,
_MOST = 0.7  # of so many of them at least
_SHARE = 0.4  # of the ink that is in bits, at least
_WIDTHS = (1.0, 1.6, 2.4, 3.2, 4.0)  # diameters of the discs that gaps are closed with: the least that will do
_TALL, _JOINED = 5.0, 0.85  # diameters that letters are tall, at least, and how much of the ink is in such ones then
_FEWER, _TALLER = 3.0, 2.0  # times there are fewer marks then, and these are taller, at least: bold print only merges
_TALLEST = 25.0  # diameters that they are tall, at most
_FULL = 0.7  # of its box that a broad mark fills, at most: textures become blots; holes in paper are such
_BLOT = 1.8  # diameters that these are broad and tall, at least


def joined_dots(ink: PageInk) -> PageInk | None:
    """The ink with the dots of dotted print joined to strokes (closing, Serra 1982); None where it is none.

    >>> mask = np.zeros((60, 90), np.bool_)
    >>> for column in (10, 34, 58, 76):
    ...     for row in range(7):
    ...         mask[6 + 6 * row : 10 + 6 * row, column : column + 4] = True
    >>> joined = joined_dots(PageInk(mask * np.uint8(255), mask, 4.0))
    >>> count, _ = cv2.connectedComponents(joined.mask.view(np.uint8))
    >>> count - 1
    4
    """
    mask = ink.mask.view(np.uint8)
    broad, tall, area = _sides(ink.connected.stats)
    if len(area) < _FEWEST:
        return None
    thick = np.minimum(broad, tall)
    usual = float(np.median(thick))
    whole = np.minimum(broad, tall) >= _BLOT * usual
    area[whole & (area >= _FULL * broad * tall)] = 0
    bits = np.maximum(broad, tall) <= _LONGEST * usual
    alike = bits & (thick <= _LIKE * usual) & (thick >= usual / _LIKE)
    if (
        np.count_nonzero(alike) < max(_FEWEST, _MOST * np.count_nonzero(bits))
        or not 2 <= usual <= _LIKE * ink.thickness
        or area[alike].sum() < _SHARE * area.sum()
    ):
        return None
    for width in _WIDTHS:
        side = max(3, round(width * usual) | 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        closed = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), np.uint8)
        wide_now, tall_now, area_now = _sides(cv2.connectedComponentsWithStats(closed, connectivity=8)[2])
        blots = (np.minimum(wide_now, tall_now) >= _BLOT * usual) & (area_now >= _FULL * wide_now * tall_now)
        area_now[blots] = 0
        letters = (tall_now >= _TALL * usual) & ~blots
        if area_now[letters].sum() < _JOINED * area_now.sum():
            continue
        if not letters.any() or np.count_nonzero(blots) > np.count_nonzero(letters) + np.count_nonzero(area == 0):
            return None
        height = float(np.median(tall_now[letters]))
        before = float(np.median(tall[np.maximum(broad, tall) >= usual / _LIKE]))
        if _FEWER * len(area_now) > len(area) or not _TALLER * before <= height <= _TALLEST * usual:
            return None
        strength = cv2.morphologyEx(ink.strength, cv2.MORPH_CLOSE, disc)
        return PageInk(np.asarray(strength, np.uint8), closed > 0, usual)
    return None


def _sides(stats: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], ...]:
    """How broad and how tall each mark is, and its area. stats: int (N, 5) as of ``Connected``."""
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 2]
    return tuple(stats[:, side].astype(np.float64) for side in (2, 3, 4))


__all__ = ["joined_dots"]
