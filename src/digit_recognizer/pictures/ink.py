"""Any grey crop of one digit becomes the 28x28 frame: ink bright on black, longest side 20, mass in the middle.

The only place where that is done, for photos, folders, drawings and other data sets alike. Knows nothing of files,
labels, or where on a page the crop came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import InputError
from digit_recognizer.pictures.ground import ink_on_black
from digit_recognizer.pictures.parts import Box, box_of, digit_strokes
from digit_recognizer.pictures.sheet import sheet_alone

INK_SIDE = 20  # longest side of the ink in the frame, in pixels (LeCun et al. 1998)
CENTRE = 14  # MNIST shifts by whole pixels until the centre of mass, counted from 0, rounds to this

# Found by looking at drawn digits, scans and phone photos; none was tuned on test data.
_WORKING_SIDE = 128  # larger crops are shrunk first: detail finer than this cannot reach 28 pixels
_FINE_SIDE = 384  # pixels, where nothing is seen so: strokes far thinner than a pixel fade when they are shrunk
_CLOSER = 40  # pixels: a digit that came out smaller is looked at again, in the part of the picture where it lies
_ROOM = 0.25  # border around it then, in shares of its longest side
_EDGE = 64  # of 255: where the edge of a stroke is taken to be
_STEEP = (80, 180)  # what becomes black and full ink after a coarse digit is drawn large
_LARGE_SIDE = 80  # pixels that a coarse digit is drawn large to: four for each pixel of the frame
_OFF_CENTRE = 0.53  # pixels that MNIST's own training images lie off centre at most, and a little

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
    if _is_mnists(grey):
        return grey.copy()
    grey = sheet_alone(grey)
    small = _shrink(grey, _WORKING_SIDE)
    ink = ink_on_black(small)
    if ink is None and max(grey.shape) > _FINE_SIDE:
        small = _shrink(grey, _FINE_SIDE)
        ink = ink_on_black(small)
    if ink is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    whole = box_of(ink)
    if _fits(whole) and (_is_clear(whole, ink.shape) or _is_framed(ink)):
        return _placed(ink, whole)
    found = digit_strokes(ink)
    if found is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    strokes, box = found
    if strokes is ink and _fits(whole):
        return _placed(ink, whole)
    ink = strokes
    top, bottom, left, right = box
    longest = max(bottom - top, right - left)
    if small is not grey and longest < _CLOSER:
        closer = _looked_closer(grey, box, max(small.shape) / max(grey.shape))
        if closer.size < grey.size // 2:
            return to_frame(closer)
    if _fits(box):
        return _placed(ink, box)
    digit = ink[top:bottom, left:right]
    if longest < INK_SIDE:
        digit = _enlarge(digit, math.ceil(_LARGE_SIDE / longest))
        if (strong := digit >= _EDGE).any():  # dots of a pixel may fade altogether
            top, bottom, left, right = box_of(strong)
            digit = digit[top:bottom, left:right]
    return _centred(_full_contrast(_resample(digit, INK_SIDE / max(digit.shape), cv2.INTER_AREA)))


def to_frames(greys: Iterable[_Grey]) -> Images:
    """Frame many digits of any sizes, one by one: uint8 (N, 28, 28). See to_frame.

    >>> to_frames([np.zeros((8, 8), np.uint8), np.zeros((300, 200), np.uint8)]).shape
    (2, 28, 28)
    """
    frames = [to_frame(grey) for grey in greys]
    return np.stack(frames) if frames else np.zeros((0, SIDE, SIDE), np.uint8)


def _shrink(grey: _Grey, side: int) -> _Grey:
    scale = side / max(grey.shape)
    return grey if scale >= 1 else _resample(grey, scale, cv2.INTER_AREA)


def _looked_closer(grey: _Grey, box: Box, scale: float) -> _Grey:
    """The part of the large picture around a box that was found in the shrunk one, with room for a border."""
    top, bottom, left, right = (round(side / scale) for side in box)
    room = round(_ROOM * max(bottom - top, right - left)) + 1
    return grey[max(0, top - room) : bottom + room, max(0, left - room) : right + room]


def _fits(box: Box) -> bool:
    """Has the digit the frame's size already? Then resampling could only blur it."""
    top, bottom, left, right = box
    # 19: MNIST holds digits whose outer row faded.
    return INK_SIDE - 1 <= max(bottom - top, right - left) <= INK_SIDE


def _is_mnists(grey: _Grey) -> bool:
    """Is the picture an image of MNIST's making: full ink on pure black, of the right size, in the middle?"""
    if grey.shape != (SIDE, SIDE) or grey.max() < 254 or grey[[0, -1]].any() or grey[:, [0, -1]].any():
        return False
    return _fits(box_of(grey)) and _is_framed(grey)


def _is_framed(ink: _Grey) -> bool:
    return ink.shape == (SIDE, SIDE) and max(abs(c - CENTRE) for c in _centre_of_mass(ink)) < _OFF_CENTRE


def _is_clear(box: Box, shape: tuple[int, ...]) -> bool:
    top, bottom, left, right = box
    return top > 0 and left > 0 and bottom < shape[0] and right < shape[1]


def _placed(ink: _Grey, box: Box) -> _Grey:
    """What fits goes into the frame as it is, and where it lies centred there already, it stays."""
    if _is_framed(ink):
        return _full_contrast(ink)
    top, bottom, left, right = box
    return _centred(_full_contrast(ink[top:bottom, left:right]))


def _enlarge(ink: _Grey, times: int) -> _Grey:
    """Draw a coarse digit large and smooth, uint8 (times * (H + 2), times * (W + 2)), so that shrinking leaves strokes.

    Cubic interpolation blurs the strokes' edges over a coarse pixel; the steeper contrast gives them back.
    """
    room = np.asarray(cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    return np.asarray(cv2.LUT(_resample(room, times, cv2.INTER_CUBIC), _STEEPER), np.uint8)


def _steeper(low: int, high: int) -> _Grey:
    """What each grey level becomes where ``low`` is made black and ``high`` full ink: uint8 (256,)."""
    return _to_bytes((np.arange(256, dtype=np.float32) - low) * (255 / (high - low)))


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


_STEEPER = _steeper(*_STEEP)


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
    moments = cv2.moments(digit)
    return moments["m01"] / moments["m00"], moments["m10"] / moments["m00"]


__all__ = ["CENTRE", "INK_SIDE", "to_frame", "to_frames"]
