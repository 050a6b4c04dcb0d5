"""A grey crop becomes ink on black: which of the two is ink is found, the ground is taken away, specks and noise too.

Knows nothing of digits but that they are drawn with strokes, and nothing of which strokes belong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# How much each piece of evidence says that the bright class is the ground: logistic regression on 26,000 tight crops of
# MNIST training digits (8x8 to 60x60, grey and black-and-white, stretched and not), each in both polarities.
_RING, _CORNERS, _AREA, _THICKNESS = 11.9, 7.2, -10.4, 3.0
_FLAT = 2  # grey levels: a border that mostly keeps this close to its median needs no flattening
_MIN_CONTRAST = 16  # grey levels between background and the strongest ink; less is a blank picture
_NOISES = 3.0  # standard deviations of the ground's noise that are taken for ground
_IMPULSE = 48  # grey levels by which a pixel must stand out from all its neighbours to be a speck
_MOST_NOISE = 0.12  # of the ink's contrast: what stands out more is no noise
_BAND_STEP = 64  # grey levels between two bands of ground at least
_BROAD = 0.15  # share of the crop's side that a band is broad at least; strokes and rules are thinner
_SMALL_SIDE = 32  # pixels: the ground is found in a picture of about that size,
_FINEST_SIDE = 128  # and where nothing but light is seen in it, in ever larger ones up to that
# Edges of ink in that small picture, in grey levels per pixel. Measured where flattening was needed: blurred print on
# photographed cells has 3.35 and more and is up to 0.18 thick, 0.3 % of composed digits are below these bounds,
# bare paper in uneven light in 81 %.
_EDGE, _BROAD_EDGE = 3.0, 6.0
_BROAD_INK = 0.2  # share of the side: what is thicker is no stroke, unless its edge is sharp
_FLATTENED_FROM = 20  # pixels of the shorter side: below, there is no room for a ground beside the strokes

_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)

_Grey = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float32]


def ink_on_black(grey: _Grey) -> _Grey | None:
    """Background to 0, ink bright: uint8 (H, W); None where there is no ink. Exact on a clean black or white ground.

    grey: uint8 (H, W), dark ink on light ground or the reverse. The inverse picture gives the same.

    >>> picture = np.full((40, 40), 230, np.uint8)
    >>> picture[10:30, 18:22] = 30                                 # a dark stroke on grey
    >>> ink = ink_on_black(picture)
    >>> int(ink[0, 0]), int(ink[20, 20])
    (0, 255)
    """
    grey = _without_bands(_without_impulses(grey))
    marked = _classes(grey)
    inside = _inside(marked)
    bright = _ink_is_bright(marked[inside])
    ink = grey if bright else 255 - grey
    ground = marked != bright
    ring = _ring(ink[inside])
    if bright and not ring.any():  # cut out of a page, its ground is black
        return ink.copy() if ink.max() >= 254 else _strengthened(ink.astype(np.float32), 0.0)
    ring_ground = _ring(ground[inside])
    share = _share(ring_ground)
    ring = ring[ring_ground] if share >= 0.5 else ring[:0]
    level = _middle(ring) if ring.size else _common_level(ink, ground)
    near = np.abs((ring if ring.size else ink[ground]) - level)
    if _share(near <= _FLAT) >= 0.5 and (share >= 0.85 or _is_thin(marked)):
        noise = 0.0 if _share(near == 0) >= 0.5 else 1.0
        return _strengthened(np.maximum(ink - np.float32(level + 3 * noise), 0), noise)
    if min(grey.shape) >= _FLATTENED_FROM and (ring.size or not _is_thin(marked)):
        return _flattened(grey)
    return _strengthened(np.maximum(ink - np.float32(level), 0), 0.0)


def _flattened(grey: _Grey, side: int = _SMALL_SIDE) -> _Grey | None:
    """The same where light, shadow or paper change over the crop: the median around each pixel is its ground.

    side: pixels of the picture in which the ground is found, about.
    """
    height, width = grey.shape
    times = max(1, min(grey.shape) // side)
    small = grey
    if times > 1:
        small = np.asarray(cv2.resize(grey, (width // times, height // times), interpolation=cv2.INTER_AREA), np.uint8)
    light = _median(small, 0.6)
    marked = _classes(np.clip(small.astype(np.int16) - light + 128, 0, 255).astype(np.uint8))
    bright = _ink_is_bright(marked[_inside(marked)])
    if not bright:
        grey, small, marked = 255 - grey, 255 - small, ~marked
    light = _median(_filled(small, marked), 0.3)
    if _is_light(small.astype(np.float32) - light, marked):
        # A stroke much thinner than a pixel of the small picture has no edge in it.
        return _flattened(grey, 2 * side) if side < _FINEST_SIDE and times > 1 else None
    ground = ~marked
    if times > 1:
        light = np.asarray(cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        ground = cv2.resize(ground.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).view(np.bool_)
    difference = grey.astype(np.float32) - light
    noise = _deviation(difference[ground])
    contrast = _middle(difference[~ground]) if not ground.all() else 0.0
    noise = min(noise, _MOST_NOISE * contrast)
    # Half the light is half the contrast: what a stroke takes away is counted in shares of the light.
    ink = np.maximum(difference - _NOISES * noise, 0) * (255 / np.maximum(255.0 - light, 32)).astype(np.float32)
    return _strengthened(ink, noise)


def _is_light(difference: _Floats, marked: _Mask) -> bool:
    """Are the marks what is left of light and shadow? They have no edges; strokes do, be they pale or blurred."""
    if not marked.any():
        return True
    smooth = cv2.GaussianBlur(difference, (0, 0), 1)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    inner = cv2.erode(marked.view(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).view(np.bool_)
    rim = marked & ~inner
    if not rim.any():
        return True
    edge = _middle(np.hypot(across, down)[rim])
    room = cv2.copyMakeBorder(marked.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    broad = _thickness(np.asarray(room).view(np.bool_)) > _BROAD_INK * max(marked.shape)
    return edge < (_BROAD_EDGE if broad else _EDGE)


def _classes(grey: _Grey) -> _Mask:
    """The bright of the two classes (Otsu, 1979): bool (H, W)."""
    _, marked = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(marked).view(np.bool_)


def _ink_is_bright(marked: _Mask) -> bool:
    """Which class is drawn with strokes? The ground holds border and corners, and is wider than a stroke is thick.

    marked: the bright class, without the sides of a frame. What lies outside of the crop is unknown: thickness is the
    largest distance to a pixel of the other class.
    """
    ring = _share(_ring(marked))
    corners = sum(bool(marked[corner]) for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1))) / 4
    area = _share(marked)
    evidence = _RING * (2 * ring - 1) + _CORNERS * (2 * corners - 1) + _AREA * (2 * area - 1)
    if 0 < area < 1:
        evidence += _THICKNESS * math.log(_thickness(marked) / _thickness(~marked))
    return bool(evidence < 0)


def _inside(marked: _Mask) -> tuple[slice, slice]:
    """The crop without the sides of a frame along its edges, which say nothing about the ground."""
    height, width = marked.shape
    bright = np.ascontiguousarray(marked).view(np.uint8)
    rows = [count / width for count in cv2.reduce(bright, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().tolist()]
    columns = [count / height for count in cv2.reduce(bright, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().tolist()]
    top, bottom, left, right = (_frame(shares) for shares in (rows, rows[::-1], columns, columns[::-1]))
    return slice(top, height - bottom), slice(left, width - right)


def _frame(shares: Sequence[float]) -> int:
    """How many rows from the edge on hold a line along it; shares: of the bright class in each row."""
    if len(shares) < _FLATTENED_FROM:
        return 0
    mean = sum(shares) / len(shares)
    near = shares[: max(3, len(shares) // 8)]
    if (max(near) <= 0.92) if mean <= 0.5 else (min(near) >= 0.08):  # as nearly always
        return 0
    line = [row for row, share in enumerate(near) if abs(share - mean) > 0.5 and abs(share - 0.5) > 0.42]
    if not 0 < len(line) <= max(1, len(shares) // 20):
        return 0
    # Beside a rule there is ground at once; a digit's bar is bent, or goes on.
    end = line[-1] + 1
    return end if abs(shares[end] - near[end - 1]) > 0.6 else 0


def _share(mask: npt.NDArray[np.bool_]) -> float:
    """How much of a mask is set, 0 of none: its mean, in a tenth of the time that NumPy's takes for small ones."""
    return np.count_nonzero(mask) / max(1, mask.size)


def _thickness(mask: _Mask) -> float:
    return cv2.minMaxLoc(cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 5))[1]


def _is_thin(marked: _Mask) -> bool:
    """Could one of the two classes be strokes? In light and shadow both are wide."""
    if marked.all() or not marked.any():
        return True
    return bool(min(_thickness(marked), _thickness(~marked)) < 0.2 * max(marked.shape))


def _common_level(ink: _Grey, ground: _Mask) -> float:
    # The ground is the darkest: of a coarse scan's half tones, those nearest to it are the clean ones.
    levels = ink[ground]
    return float(np.partition(levels, len(levels) // 4)[len(levels) // 4]) if len(levels) else 0.0


def _ring(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The pixels along the border of (H, W), a twentieth of the shorter side wide."""
    width = max(1, min(values.shape) // 20)
    if min(values.shape) <= 2 * width:
        return values.ravel()
    sides = values[:width], values[-width:], values[width:-width, :width], values[width:-width, -width:]
    return np.concatenate([side.ravel() for side in sides])


def _without_impulses(grey: _Grey) -> _Grey:
    """Salt and pepper taken out where a picture is strewn with it; any other picture is returned as it is."""
    if min(grey.shape) < 8:
        return grey
    around = _AROUND
    above, below = cv2.subtract(grey, cv2.dilate(grey, around)), cv2.subtract(cv2.erode(grey, around), grey)
    if np.count_nonzero(cv2.max(above, below) > _IMPULSE) < max(8, grey.size // 64):
        return grey
    median = cv2.medianBlur(grey, 3)
    padded = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_REFLECT_101)
    alike = np.zeros(grey.shape, np.uint8)
    height, width = grey.shape
    for top, left in np.argwhere(around):
        alike += cv2.absdiff(grey, padded[top : top + height, left : left + width]) <= _IMPULSE
    # A stroke's pixel has two neighbours like itself, before and behind.
    strewn = (alike <= 1) & (cv2.absdiff(grey, median) > _IMPULSE)
    return np.asarray(np.where(strewn, median, grey), np.uint8)


def _without_bands(grey: _Grey) -> _Grey:
    """Broad bands of another ground, from edge to edge, drawn on black: ink is what differs from its band's ground.

    In an inverted band ink is dark and elsewhere bright, so no polarity fits the whole. Any other picture is returned
    as it is.
    """
    if min(grey.shape) < _FLATTENED_FROM:
        return grey
    for picture, turn in ((grey, False), (grey.T, True)):
        first = picture[0].tobytes()
        if max(first) - min(first) <= _BAND_STEP:  # as nearly always
            continue
        if (cv2.absdiff(picture[0], picture[-1]) > _FLAT).any():
            continue
        ends = picture[[0, 1, -2]]  # a digit's end may reach into the second row, no further
        if (cv2.absdiff(ends[1:], ends[[0, 0]]) > _FLAT).mean() > 0.1:
            continue
        steps = np.flatnonzero(np.abs(np.diff(ends[0].astype(np.int16))) > _BAND_STEP) + 1
        if not 1 <= len(steps) <= 3 or np.diff([0, *steps, picture.shape[1]]).min() < _BROAD * picture.shape[1]:
            continue
        ink = np.asarray(cv2.absdiff(picture, np.tile(ends[0], (len(picture), 1))), np.uint8)
        if (ink > _BAND_STEP).mean() >= 0.02:  # else the bands are all there is: a bar from edge to edge
            return np.ascontiguousarray(ink.T) if turn else ink
    return grey


def _strengthened(ink: _Floats, noise: float) -> _Grey | None:
    """Full ink at 255; None where the strongest is hardly more than noise."""
    peak = float(ink.max())
    if peak < max(_MIN_CONTRAST, 4 * noise):
        return None
    # A clean image of full range is left alone to the last bit; MNIST's own peaks are 254 and 255.
    if peak < 254:
        ink = ink * (255 / _middle(ink[ink > peak / 2]))
    clipped: _Floats = np.rint(np.minimum(ink, np.float32(255)))
    return clipped.astype(np.uint8)


def _filled(grey: _Grey, ink: _Mask) -> _Grey:
    """The strokes painted over with the mean of the ground around them."""
    ground = cv2.erode((~ink).view(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).astype(np.float32)
    if not ground.any():
        return grey
    mean = float((grey * ground).sum() / ground.sum())
    side = max(3, min(grey.shape) // 3)
    share = cv2.blur(ground, (side, side), borderType=cv2.BORDER_REPLICATE) + 1e-3
    around = (cv2.blur(grey * ground, (side, side), borderType=cv2.BORDER_REPLICATE) + 1e-3 * mean) / share
    return np.asarray(np.where(ground > 0, grey, np.rint(around)), np.uint8)


def _median(grey: _Grey, share: float) -> _Grey:
    # The median around each pixel keeps a shadow's edge sharp.
    return np.asarray(cv2.medianBlur(grey, min(max(3, int(share * min(grey.shape)) | 1), 255)), np.uint8)


def _middle(values: npt.NDArray[Any]) -> float:
    half = values.size // 2  # the median, in a third of NumPy's time
    return float(np.partition(values, half, axis=None)[half])


def _deviation(values: _Floats) -> float:
    # Median absolute deviation, scaled to the standard deviation of a normal distribution: deaf to outliers.
    return 1.4826 * _middle(np.abs(values - _middle(values))) if values.size else 0.0


__all__ = ["ink_on_black"]
