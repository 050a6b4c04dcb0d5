"""Colours of one brightness become grey along the direction in which they differ most: red ink on green paper.

Asked of every colour picture, and silent on nearly all: only where luma shows nothing. Knows nothing of files.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from digit_recognizer.pictures.paper import MIN_CONTRAST, deviation

_SIDE = 640  # pixels: of larger pictures every so-manyth pixel is looked at
_NARROW = 96  # grey levels that luma spans, light's fall-off included, where it may show nothing
_TAIL = 0.001  # share of the pixels at each end that the span leaves out
_GROUND_SIDE = 64  # pixels of the small picture whose medians are the ground's colour
_WINDOW = 0.5  # of its shorter side, over which these are taken
# The least between two colours, as the length of their difference; black to white is 441. Red on green, orange on blue
# and the like lie 120 to 250 apart. Sheets without such ink, noisy, in light of two colours, JPEG of quality 5 to 90:
# 29 of 360 have 20 somewhere, 5 of 432 others 30, none of 360 has 40.
_LEAST = 50
_NOISES = 4.0  # standard deviations of the ground's noise that are taken for ground
_ONE_WAY = 0.8  # share of what stands out that lies along one direction; of noise a third does
_SEEN = 0.1  # share of the pixels that stand out in colour: where more do in luma, other ink is seen
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601

Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


def grey_of_hues(image: Image.Image, luma: Grey) -> Grey | None:
    """What colours show where their brightness shows nothing: uint8 (H, W), ink dark; None of every other picture.

    image: RGB, or RGBA, which is laid on white. luma: uint8 (H, W), its brightness. The direction is the first
    principal component (Pearson, 1901; Hotelling, 1933) of the colours that stand out from their ground; what lies
    along it is stretched to 0-255.

    >>> pixels = np.full((40, 60, 3), (60, 150, 60), np.uint8)
    >>> pixels[10:30, 28:33] = 210, 60, 50
    >>> image = Image.fromarray(pixels)
    >>> found = grey_of_hues(image, np.asarray(image.convert("L")))
    >>> found[20, [30, 50]].tolist()
    [0, 255]
    """
    if not _is_narrow(luma):
        return None
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    height, width = luma.shape
    step = -(-max(luma.shape) // _SIDE)
    sample = image if step == 1 else image.resize((-(-width // step), -(-height // step)), Image.Resampling.NEAREST)
    colours = np.asarray(sample, np.uint8)
    direction = _direction(colours)
    if direction is None:
        return None
    shades = cv2.transform(colours.astype(np.float32), direction[None])
    low, high = float(shades.min()), float(shades.max())
    scale = 255 / (high - low)
    stretched = np.array([[*(scale * direction), -scale * low]], np.float64)
    return np.asarray(cv2.transform(np.asarray(image, np.uint8), stretched), np.uint8)


def _is_narrow(luma: Grey) -> bool:
    """Whether nearly all pixels have nearly one brightness. A sample is looked at: half a ms of 12 megapixels."""
    if luma.size * _TAIL < 1:
        low, high, _, _ = cv2.minMaxLoc(luma)
        return bool(high - low < _NARROW)
    step = -(-max(luma.shape) // _SIDE)
    counts = cv2.calcHist([np.ascontiguousarray(luma[::step, ::step])], [0], None, [256], [0, 256]).ravel()
    share = np.cumsum(counts) / counts.sum()
    low, high = np.searchsorted(share, [_TAIL, 1 - _TAIL])
    return bool(high - low < _NARROW)


def _direction(colours: Grey) -> _Floats | None:
    """The direction in which ink differs from its ground, a unit vector float32 (3,), the ground's end up.

    colours: uint8 (H, W, 3). None where nothing stands out in colour, or luma shows it, too.
    """
    away = colours.astype(np.float32) - _ground(colours)
    size = np.sqrt(np.square(away).sum(axis=2))
    strong = size > max(_LEAST, 0.5 * float(np.quantile(size, 1 - _TAIL)))
    if not strong.any():
        return None
    marked = away[strong]
    spread, axes = np.linalg.eigh((marked.T @ marked).astype(np.float64))
    if spread[-1] < _ONE_WAY * spread.sum():
        return None
    direction = axes[:, -1].astype(np.float32)
    direction *= 1 if float((marked @ direction).sum()) < 0 else -1
    if float(np.median(np.abs(marked @ direction))) < _NOISES * deviation(away @ direction):
        return None
    luma = np.abs(away @ _LUMA)
    elsewhere = np.count_nonzero(luma > MIN_CONTRAST + _NOISES * deviation(luma))
    is_seen = float(np.median(luma[strong])) > MIN_CONTRAST or elsewhere > _SEEN * np.count_nonzero(strong)
    return None if is_seen else direction


def _ground(colours: Grey) -> _Floats:
    """The colour of the ground under every pixel, float32 (H, W, 3): medians far wider than strokes are."""
    height, width = colours.shape[:2]
    step = -(-max(height, width) // _GROUND_SIDE)
    small = cv2.resize(colours, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    window = min(255, max(3, int(_WINDOW * min(small.shape[:2])) | 1))
    return np.asarray(cv2.resize(cv2.medianBlur(small, window), (width, height)), np.float32)


__all__ = ["grey_of_hues"]
