"""Images of 28x28 pixels become frames: those that lie in MNIST's frame already go through untouched, others by ink.py.

Knows nothing of files. The test is a few sums, so that a batch of ready images costs next to nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.pictures.ink import CENTRE, INK_SIDE, to_frame

# MNIST's own training images lie 0.53 pixels off centre at most; a digit shifted by one pixel is not framed any more.
_OFF_CENTRE = 0.75
# Images looked at together. With more, OpenBLAS would share so small a product among threads (from 2^18 multiplications
# on), which wait for each other many times longer than they work where other programs run, too.
_AT_ONCE = 96


def is_framed(images: Images) -> npt.NDArray[np.bool_]:
    """Whether images lie in MNIST's frame (LeCun, Bottou, Bengio, Haffner, 1998), or are blank: bool (N,).

    images: uint8 (N, 28, 28). Framed is ink on pure black, no longer than 20 pixels either way, its centre of mass in
    the middle. An inverted, shifted, grey or noisy image is not.

    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> image[0, 5:24, 13:16] = 255
    >>> is_framed(image).tolist(), is_framed(255 - image).tolist(), is_framed(np.roll(image, 4, axis=2)).tolist()
    ([True], [False], [False])
    """
    result = np.empty(len(images), bool)
    for start in range(0, len(images), _AT_ONCE):
        result[start : start + _AT_ONCE] = _is_framed(np.ascontiguousarray(images[start : start + _AT_ONCE]))
    return result


def frame_images(images: Images) -> Images:
    """Frames of images uint8 (N, 28, 28): the framed as they are, every other through to_frame.

    Returns ``images`` itself where all are framed.

    >>> digit = np.zeros((28, 28), np.uint8)
    >>> digit[4:24, 13:16] = 255
    >>> frames = frame_images(np.stack([digit, 255 - digit]))
    >>> bool((frames[0] == frames[1]).all())
    True
    """
    ready = is_framed(images)
    if ready.all():
        return images
    frames = images.copy()
    for index in np.flatnonzero(~ready):
        frames[index] = to_frame(images[index])
    return frames


def _is_framed(images: Images) -> npt.NDArray[np.bool_]:
    # Four pixels at a time: whether a row or column holds any ink is an "or" over its bytes.
    words = images.view(np.uint32)  # (N, 28, 7)
    rows = np.bitwise_or.reduce(words, axis=2) != 0
    columns = np.bitwise_or.reduce(words, axis=1).view(np.uint8) != 0
    pixels = images.reshape(len(images), SIDE * SIDE).astype(np.float32)
    mass, down, across = (pixels @ _moments()).T
    middle = np.maximum(mass, 1) * CENTRE
    allowed = np.maximum(mass, 1) * _OFF_CENTRE
    centred = (np.abs(down - middle) <= allowed) & (np.abs(across - middle) <= allowed)
    framed: npt.NDArray[np.bool_] = (_extent(rows) <= INK_SIDE) & (_extent(columns) <= INK_SIDE) & centred
    blank: npt.NDArray[np.bool_] = mass == 0
    return framed | blank


def _moments() -> npt.NDArray[np.float32]:
    """What pixels are weighted with to give mass, mass times row, mass times column: float32 (784, 3)."""
    row, column = np.divmod(np.arange(SIDE * SIDE, dtype=np.float32), SIDE)
    return np.stack([np.ones_like(row), row, column], axis=1)


def _extent(marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """From the first to the last mark of each row: int64 (N,), for bool (N, 28); 28 where there is none."""
    extent: npt.NDArray[np.int64] = SIDE - marked.argmax(axis=1) - marked[:, ::-1].argmax(axis=1)
    return extent


__all__ = ["frame_images", "is_framed"]
