"""Any grey crop of one digit becomes the 28x28 frame: ink bright on black, longest side 20, mass in the middle.

The only place where that is done, for photos, folders, drawings and other data sets alike. Knows nothing of files,
labels, or where on a page the crop came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import InputError

INK_SIDE = 20  # longest side of the ink in the frame, in pixels (LeCun et al. 1998)
CENTRE = 14  # MNIST shifts by whole pixels until the centre of mass, counted from 0, rounds to this

# Found by looking at drawn digits, scans and phone photos; none was tuned on test data.
_WORKING_SIDE = 1024  # larger crops are shrunk first: detail finer than this cannot reach 28 pixels
_FLAT = 2  # grey levels: a border that mostly keeps this close to its median needs no flattening
_MIN_CONTRAST = 16  # grey levels between background and the strongest ink; less is a blank picture
_EDGE = 0.25  # share of full ink at which a stroke's edge is taken to be
_STEEP = (80, 180)  # what becomes black and full ink after a coarse digit is drawn large
_LARGE_SIDE = 80  # pixels that a coarse digit is drawn large to: four for each pixel of the frame
_OFF_CENTRE = 0.53  # pixels that MNIST's own training images lie off centre at most, and a little
_SPECK = 0.01  # share of all ink that a blot must hold to count as part of the digit

_Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


def to_frame(grey: _Grey) -> _Grey:
    """Frame one digit as MNIST does (LeCun, Bottou, Bengio, Haffner, 1998).

    grey: uint8 (H, W), any size from 1x1 up, dark ink on light ground or the reverse, one digit.
    Returns uint8 (28, 28), ink bright on black; all zero where the picture is blank. An image that is framed
    already comes back unchanged, so ``to_frame(to_frame(x))`` equals ``to_frame(x)``.
    Raises InputError where ``grey`` is no uint8 array of two dimensions, or holds no pixel.

    >>> picture = np.full((100, 60), 255, np.uint8)
    >>> picture[20:80, 25:35] = 0                              # a dark stroke on white
    >>> frame = to_frame(picture)
    >>> frame.shape, int(frame.max()), int((frame.max(axis=1) > 0).sum())
    ((28, 28), 255, 20)
    """
    if grey.dtype != np.uint8 or grey.ndim != 2 or grey.size == 0:
        raise InputError(f"expected a grey picture as uint8 (H, W), found {grey.dtype} {tuple(grey.shape)}")
    ink = _ink_on_black(_shrink(grey))
    if ink is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    top, bottom, left, right = _box(ink > 0)
    longest = max(bottom - top, right - left)
    if INK_SIDE - 1 <= longest <= INK_SIDE:
        # The size is right already: resampling could only blur it. (19: MNIST holds digits whose outer row faded.)
        if ink.shape == (SIDE, SIDE) and max(abs(c - CENTRE) for c in _centre_of_mass(ink)) < _OFF_CENTRE:
            return _full_contrast(ink)
        return _centred(_full_contrast(ink[top:bottom, left:right]))
    if longest < INK_SIDE:
        ink = _enlarge(ink, math.ceil(_LARGE_SIDE / longest))
    digit = _crop(ink)
    return _centred(_full_contrast(_resample(digit, INK_SIDE / max(digit.shape), cv2.INTER_AREA)))


def to_frames(greys: Iterable[_Grey]) -> Images:
    """Frame many digits of any sizes, one by one: uint8 (N, 28, 28). See to_frame.

    >>> to_frames([np.zeros((8, 8), np.uint8), np.zeros((300, 200), np.uint8)]).shape
    (2, 28, 28)
    """
    frames = [to_frame(grey) for grey in greys]
    return np.stack(frames) if frames else np.zeros((0, SIDE, SIDE), np.uint8)


def _shrink(grey: _Grey) -> _Grey:
    scale = _WORKING_SIDE / max(grey.shape)
    return grey if scale >= 1 else _resample(grey, scale, cv2.INTER_AREA)


def _ink_on_black(grey: _Grey) -> _Grey | None:
    """Background to 0, ink bright: uint8 (H, W); None where there is no ink. Exact on a clean black ground."""
    ground, noise = _background(grey)
    difference = grey - ground
    # Ground is what the border shows; the ink lies wholly on one side of it.
    light, dark = (np.maximum(sign * difference - 3 * noise, 0) for sign in (1, -1))
    ink = light if light.sum() > dark.sum() else dark
    peak = float(ink.max())
    if peak < max(_MIN_CONTRAST, 4 * noise):
        return None
    return _to_bytes(ink * _gain(ink, peak))


def _gain(ink: _Floats, peak: float) -> float:
    # A clean image of full range is left alone to the last bit; MNIST's own peaks are 254 and 255.
    if peak >= 254:
        return 1.0
    strong = ink[ink > peak / 2]
    return 255 / float(np.median(strong))


def _background(grey: _Grey) -> tuple[_Floats | float, float]:
    """The ground, a level or a sloping plane float32 (H, W), and its noise (standard deviation), in grey levels."""
    width = max(1, min(grey.shape) // 20)
    inside = np.zeros(grey.shape, bool)
    inside[width:-width, width:-width] = True
    rows, columns = np.nonzero(~inside)
    ring = grey[rows, columns].astype(np.float32)
    level = _ground_level(grey, ring)
    if (np.abs(ring - level) <= _FLAT).mean() >= 0.5:
        return level, 0.0 if (ring == level).mean() >= 0.5 else 1.0
    # Light falls off across the picture: a plane through the border, its outliers (ink that touches it) left out.
    terms = np.column_stack([np.ones_like(ring), rows, columns]).astype(np.float32)
    kept = np.abs(ring - level) <= 2.5 * _deviation(ring - level) + _FLAT
    plane = np.array([level, 0, 0], np.float32)
    for _ in range(4):
        plane = np.linalg.lstsq(terms[kept], ring[kept], rcond=None)[0]
        residual = ring - terms @ plane
        kept = np.abs(residual) <= 2.5 * _deviation(residual[kept]) + _FLAT
    rise, run = np.ogrid[: grey.shape[0], : grey.shape[1]]
    ground = (plane[0] + plane[1] * rise + plane[2] * run).astype(np.float32)
    return ground, _deviation(residual[kept])


def _ground_level(grey: _Grey, ring: _Floats) -> float:
    """The grey level of the ground: the border's median, or where ink covers much of the border, the larger class."""
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = ring > threshold
    if 0.4 <= bright.mean() <= 0.6:
        bright_ground = (grey > threshold).mean() > 0.5
        return float(np.median(ring[bright == bright_ground]))
    return float(np.median(ring))


def _deviation(values: _Floats) -> float:
    # Median absolute deviation, scaled to the standard deviation of a normal distribution: deaf to outliers.
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _crop(ink: _Grey) -> _Grey:
    """The part of ``ink`` that the digit fills, specks left out: uint8 (h, w)."""
    marked = (ink >= 255 * _EDGE).astype(np.uint8)
    count, labels = cv2.connectedComponents(marked, connectivity=8)
    if count > 2:
        mass = np.bincount(labels.ravel(), weights=ink.ravel(), minlength=count)
        mass[0] = 0
        marked = (mass >= _SPECK * mass.sum())[labels]
        ink = np.where(marked | (labels == 0), ink, 0).astype(np.uint8)
    top, bottom, left, right = _box(marked > 0)
    return ink[top:bottom, left:right]


def _box(mask: npt.NDArray[Any]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _enlarge(ink: _Grey, times: int) -> _Grey:
    """Draw a coarse digit large and smooth, uint8 (times * (H + 2), times * (W + 2)), so that shrinking leaves strokes.

    Cubic interpolation blurs the strokes' edges over a coarse pixel; the steeper contrast gives them back.
    """
    smooth = _resample(np.pad(ink, 1), times, cv2.INTER_CUBIC).astype(np.float32)
    low, high = _STEEP
    return _to_bytes((smooth - low) * (255 / (high - low)))


def _resample(grey: _Grey, scale: float, method: int) -> _Grey:
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=method), np.uint8)


def _full_contrast(digit: _Grey) -> _Grey:
    # Thin strokes pale when they are averaged down; MNIST's strokes never do.
    peak = int(digit.max())
    if peak >= 254 or peak == 0:
        return digit
    return _to_bytes(digit * np.float32(255 / peak))


def _to_bytes(values: _Floats) -> _Grey:
    clipped: _Floats = np.rint(np.clip(values, 0, 255))
    return clipped.astype(np.uint8)


def _centred(digit: _Grey) -> _Grey:
    """Place on black so that the centre of mass falls in the middle, by whole pixels: uint8 (28, 28)."""
    frame = np.zeros((SIDE, SIDE), np.uint8)
    height, width = digit.shape
    if not digit.any():
        return frame
    centre_y, centre_x = _centre_of_mass(digit)
    top = min(max(round(CENTRE - centre_y), 0), SIDE - height)
    left = min(max(round(CENTRE - centre_x), 0), SIDE - width)
    frame[top : top + height, left : left + width] = digit
    return frame


def _centre_of_mass(digit: _Grey) -> tuple[float, float]:
    rows, columns = digit.sum(axis=1, dtype=np.float64), digit.sum(axis=0, dtype=np.float64)
    mass = rows.sum()
    return float(rows @ np.arange(len(rows)) / mass), float(columns @ np.arange(len(columns)) / mass)


__all__ = ["CENTRE", "INK_SIDE", "to_frame", "to_frames"]
