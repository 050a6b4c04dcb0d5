"""How large a picture need be for its strokes to be seen: drawings with a thick pen are read as well much smaller.

Knows nothing of what the strokes mean, nor of light: a picture that is no plain drawing is left as large as it is.
"""

from __future__ import annotations

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


def longest_needed(grey: npt.NDArray[np.uint8]) -> int:
    """How many pixels the longer side must have for reading; at most paper.LONGEST. The rest takes time for nothing.

    grey: uint8 (H, W). Of a drawing in two levels, ink and ground, no more than gives its thinnest strokes seven, and
    112 at least.

    >>> drawing = np.full((280, 280), 255, np.uint8)
    >>> drawing[40:240, 130:158] = 0
    >>> longest_needed(drawing), longest_needed(drawing[::4, ::4])
    (112, 2400)
    """
    ink = _drawn(grey)
    if ink is None:
        return LONGEST
    inside = cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 3)
    ridge = (inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    thinnest = 2 * float(np.percentile(inside[ridge], _FINE)) - 1
    return LONGEST if thinnest <= _THICK else max(_LEAST, round(max(grey.shape) * _THICK / thinnest))


def is_drawing(grey: npt.NDArray[np.uint8]) -> bool:
    """Whether a picture was drawn on a screen: small, in two levels, ink and ground, and the ground one level indeed.

    grey: uint8 (H, W).

    >>> drawing = np.full((280, 280), 255, np.uint8)
    >>> drawing[40:240, 130:158] = 0
    >>> noise = np.random.default_rng(0).integers(0, 9, drawing.shape, np.uint8)
    >>> is_drawing(drawing), is_drawing(drawing // 2 + noise)
    (True, False)
    """
    ink = _drawn(grey, soft=True)
    return ink is not None and _is_flat(grey, ink)


def is_of_strokes(grey: npt.NDArray[np.uint8]) -> bool:
    """Whether a picture is a drawing whose ink is strokes alone, and no panel, disc or half of the picture.

    grey: uint8 (H, W).

    >>> drawing = np.full((280, 280), 255, np.uint8)
    >>> drawing[40:240, 130:158] = 0
    >>> panel = drawing.copy()
    >>> panel[:, 150:] = 0
    >>> is_of_strokes(drawing), is_of_strokes(panel)
    (True, False)
    """
    ink = _drawn(grey, soft=True)
    if ink is None or not _is_flat(grey, ink):
        return False
    too_thick = 2 * cv2.distanceTransform(ink, cv2.DIST_L2, 3) > _THICKEST * len(grey)
    if not too_thick.any():
        return True
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
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


def _is_flat(grey: npt.NDArray[np.uint8], ink: npt.NDArray[np.uint8]) -> bool:
    """Whether the ground of a drawing, all that is not ``ink`` and its soft edges, is of one level."""
    ground = grey[cv2.dilate(ink, _AROUND) == 0]
    return len(ground) > 0 and _near_usual(ground) >= _FLAT


def _near_usual(values: npt.NDArray[np.uint8]) -> float:
    """The share of values, uint8 (N,), one at least, that lie near the most frequent one."""
    levels = _levels(values)
    usual = int(levels.argmax())
    return float(levels[max(0, usual - _STEADY) : usual + _STEADY + 1].sum() / max(1, levels.sum()))


def _drawn(grey: npt.NDArray[np.uint8], *, soft: bool = False) -> npt.NDArray[np.uint8] | None:
    """The ink of a plain drawing, 1 on it and 0 on the ground: uint8 (H, W); None of any other picture.

    soft: whether the edges of its strokes may be so where it is small: there they are much of it.
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
    if 1 - found[between].sum() / grey.size < _PLAIN:
        edges = cv2.dilate(mask, _AROUND) != cv2.erode(mask, _AROUND)
        if not soft or min(grey.shape) > _SMALL or 1 - np.count_nonzero(between[grey] & ~edges) / grey.size < _PLAIN:
            return None
    return np.asarray(1 - mask if found[~dark].sum() > grey.size / 2 else mask, np.uint8)


def _levels(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """How many of the values have each grey level, float32 (256,)."""
    # Not numpy's bincount, which makes eight bytes of each.
    return np.asarray(cv2.calcHist([values], [0], None, [256], [0, 256]).ravel(), np.float32)


__all__ = ["has_even_ground", "is_drawing", "is_of_strokes", "longest_needed"]
