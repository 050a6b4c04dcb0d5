"""How large a picture need be for its strokes to be seen: drawings with a thick pen are read as well much smaller.

Knows nothing of what the strokes mean, nor of light: a picture that is no plain drawing is left as large as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import LONGEST

_DRAWING = 720  # pixels: larger pictures are photos and scans
# On 150 drawings of one to four of MNIST's validation digits, 280 pixels tall, 134 are read right so, 133 at full size,
# in four fifths of the time.
_LEAST = 112  # pixels: below, a single digit gets coarse
_THICK = 7.0  # pixels that the thinnest strokes keep; the pages that the reader was measured on have 2 to 8
_PLAIN = 0.985  # share of the pixels that are clearly ink or clearly ground
_APART = 32  # grey levels from both levels of a drawing from which on a pixel is neither
_AROUND = np.ones((3, 3), np.uint8)
_SMALL = 100  # pixels of the shorter side, up to which a drawing is cut out close; in larger ones thin lines are soft
_STEADY, _FLAT = 2, 0.9  # grey levels about the ground's usual one, and the share of its pixels that lie within
_THICKEST = 0.3  # of a picture's height that a digit's strokes are thick, where they cross, even if it fills that
# Of the box of a mark that is thicker: what fills more is a panel. Of 3,000 digits of MNIST, drawn on 280 pixels, 18
# are thicker, and fill 0.65 at most.
_FULL = 0.7
_EVEN = 0.6  # share of all pixels that do
_FINE = 5  # per cent of the strokes' middles that may be thinner than the thinnest is taken to be


class Drawing(NamedTuple):
    """A plain drawing: a small picture in two levels. ink: uint8 (H, W), 1 on it and 0 on the ground.

    is_sharp: whether hardly a pixel lies between both levels; else it is small, and the edges of its strokes do.
    is_flat: whether the ground is one level indeed, as where it was drawn on a screen.
    """

    ink: npt.NDArray[np.uint8]
    is_sharp: bool
    is_flat: bool


def drawing_of(grey: npt.NDArray[np.uint8]) -> Drawing | None:
    """The drawing that a picture is; None of any other picture. grey: uint8 (H, W).

    >>> page = np.full((280, 280), 255, np.uint8)
    >>> page[40:240, 130:158] = 0
    >>> noise = np.random.default_rng(0).integers(0, 9, page.shape, np.uint8)
    >>> shade = np.tile(np.arange(256, dtype=np.uint8), (280, 1))
    >>> drawing_of(page).is_flat, drawing_of(page // 2 + noise).is_flat, drawing_of(shade)
    (True, False, None)
    """
    if max(grey.shape) > _DRAWING:
        return None
    level, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found = _levels(grey)
    dark, values = np.arange(256) <= level, np.arange(256)
    if not found[dark].any() or not found[~dark].any():
        return None
    means = [float(np.average(values[side], weights=found[side])) for side in (dark, ~dark)]
    between = (np.abs(values - means[0]) > _APART) & (np.abs(values - means[1]) > _APART)
    is_sharp = bool(1 - found[between].sum() / grey.size >= _PLAIN)
    if not is_sharp:
        edges = cv2.dilate(mask, _AROUND) != cv2.erode(mask, _AROUND)
        if min(grey.shape) > _SMALL or 1 - np.count_nonzero(between[grey] & ~edges) / grey.size < _PLAIN:
            return None
    ink = np.asarray(1 - mask if found[~dark].sum() > grey.size / 2 else mask, np.uint8)
    ground = grey[cv2.dilate(ink, _AROUND) == 0]
    return Drawing(ink, is_sharp, len(ground) > 0 and _near_usual(ground) >= _FLAT)


def longest_needed(drawing: Drawing | None) -> int:
    """How many pixels the longer side must have for reading; at most paper.LONGEST. The rest takes time for nothing.

    Of a drawing no more than gives its thinnest strokes seven, and 112 at least; of any other picture, None, all.

    >>> page = np.full((280, 280), 255, np.uint8)
    >>> page[40:240, 130:158] = 0
    >>> longest_needed(drawing_of(page)), longest_needed(drawing_of(page[::4, ::4])), longest_needed(None)
    (112, 2400, 2400)
    """
    if drawing is None or not drawing.is_sharp:
        return LONGEST
    inside = cv2.distanceTransform(np.pad(drawing.ink, 1), cv2.DIST_L2, 3)
    ridge = (inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    thinnest = 2 * float(np.percentile(inside[ridge], _FINE)) - 1
    return LONGEST if thinnest <= _THICK else max(_LEAST, round(max(drawing.ink.shape) * _THICK / thinnest))


def is_of_strokes(drawing: Drawing | None) -> bool:
    """Whether a picture is a drawing on flat ground whose ink is strokes alone, and no panel, disc or half of it.

    >>> page = np.full((280, 280), 255, np.uint8)
    >>> page[40:240, 130:158] = 0
    >>> panel = page.copy()
    >>> panel[:, 150:] = 0
    >>> is_of_strokes(drawing_of(page)), is_of_strokes(drawing_of(panel)), is_of_strokes(None)
    (True, False, False)
    """
    if drawing is None or not drawing.is_flat:
        return False
    too_thick = 2 * cv2.distanceTransform(drawing.ink, cv2.DIST_L2, 3) > _THICKEST * len(drawing.ink)
    if not too_thick.any():
        return True
    _, labels, stats, _ = cv2.connectedComponentsWithStats(drawing.ink, connectivity=8)
    _, _, widths, heights, areas = stats[np.unique(labels[too_thick])].T
    return bool((areas <= _FULL * widths * heights).all())


def has_even_ground(grey: npt.NDArray[np.uint8]) -> bool:
    """Whether most of a picture is ground of one level: made on a screen, or scanned and cleaned, not photographed.

    grey: uint8 (H, W).

    >>> page = np.full((60, 90), 230, np.uint8)
    >>> page[20:40:3, 10:80] = np.arange(40, 180, 2, np.uint8)
    >>> has_even_ground(page), has_even_ground(np.arange(5400).reshape(60, 90).astype(np.uint8))
    (True, False)
    """
    return _near_usual(grey.ravel()) >= _EVEN


def _near_usual(values: npt.NDArray[np.uint8]) -> float:
    """The share of values, uint8 (N,), one at least, that lie near the most frequent one."""
    levels = _levels(values)
    usual = int(levels.argmax())
    return float(levels[max(0, usual - _STEADY) : usual + _STEADY + 1].sum() / max(1, levels.sum()))


def _levels(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """How many of the values have each grey level, float32 (256,)."""
    # Not numpy's bincount, which makes eight bytes of each.
    return np.asarray(cv2.calcHist([values], [0], None, [256], [0, 256]).ravel(), np.float32)


__all__ = ["Drawing", "drawing_of", "has_even_ground", "is_of_strokes", "longest_needed"]
