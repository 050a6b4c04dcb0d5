"""Frames of digits become corrupted frames: the 15 corruptions of MNIST-C at their published severities.

The list and its parameters are those of MNIST-C (N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer
Vision", 2019, arXiv:1906.02337; parameters from corruptions.py of google-research/mnist-c, the default severity of each
function). Written anew with numpy and OpenCV, so pictures differ from the published arrays in their random draws and,
where a library is another one (Canny, warping), in single pixels. Knows nothing of models, and training knows nothing
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 28
MIDDLE = (SIDE - 1) / 2  # warps keep this point, counted from 0

Images = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]
_Corruption = Callable[[_Floats, np.random.Generator], npt.NDArray[Any]]

# Severity 5 of 5 unless said otherwise.
SHOT_PHOTONS = 3  # photons of a white pixel
IMPULSE_SHARE = 0.17  # severity 4: pixels that become black or white
GLASS_SIGMA, GLASS_SHIFT, GLASS_ROUNDS = 0.7, 1, 2  # severity 1
MOTION_RADIUS, MOTION_SIGMA, MOTION_ANGLE = 10, 3.0, 45.0  # severity 1; pixels, pixels, degrees to either side
SHEAR = 0.4  # severity 2, radians, to either side
SCALE = 0.7  # severity 3
ROTATION = 0.4  # severity 2, radians (23 degrees), to either side
BRIGHTNESS = 0.5  # added, of full range
TRANSLATION = 3  # severity 3: pixels, both ways at once, signs at random
STRIPES = (slice(0, 7), slice(21, SIDE))  # columns that are inverted
FOG, FOG_DECAY, FOG_SIDE = 3.0, 1.4, 256
SPATTER_MEAN, SPATTER_SD, SPATTER_SIGMA, SPATTER_LEVEL, SPATTER_SOFT = 0.65, 0.3, 1.0, 0.65, 1.5  # severity 4
SPATTER_SOLID, SPATTER_GREY = 0.8, 63 / 255
LINE_REACH = 2.3  # pixels above and below a line at which its brightness, 1 + log(1 - d / reach), is cut off
ZIGZAG_TOOTH, ZIGZAG_COLUMNS, ZIGZAG_SLOPE = 2.0, (2, 25), 5
CANNY_SIGMA, CANNY_LOW, CANNY_HIGH = 1.0, 0.1, 0.2


def corrupt(images: Images, name: str, seed: int = 0) -> Images:
    """Corrupt frames: uint8 (N, 28, 28) from uint8 (N, 28, 28), ink bright on black.

    name: a key of CORRUPTIONS. seed: same seed, same result. Raises KeyError for another name.

    >>> int(corrupt(np.zeros((1, 28, 28), np.uint8), "brightness").max())
    127
    """
    corruption = CORRUPTIONS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    if not len(images):
        return images.copy()
    result = corruption(np.asarray(images / 255, np.float32), rng)
    # The published arrays hold whole grey levels; what is beyond is cut off. (The epsilon undoes float32's rounding.)
    return (np.clip(result, 0, 1) * 255 + 1e-3).astype(np.uint8)


def shot_noise(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Few photons: each pixel a Poisson count around its brightness."""
    return rng.poisson(images * SHOT_PHOTONS) / SHOT_PHOTONS


def impulse_noise(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Salt and pepper in equal shares."""
    hit = rng.random(images.shape) < IMPULSE_SHARE
    return np.where(hit, rng.integers(0, 2, images.shape), images)


def glass_blur(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """A blur, then pixels change places with a neighbour above or left, one after another, then a blur."""
    result = _blur_each(images, GLASS_SIGMA)
    every = np.arange(len(result))
    # As published, the upper end of the shift is left out: it is -1 or 0. Rows and columns 2 to 27 take part.
    places = range(SIDE - GLASS_SHIFT, GLASS_SHIFT, -1)
    for _ in range(GLASS_ROUNDS):
        for row in places:
            for column in places:
                moved = rng.random(len(result)) < 0.5
                shift = rng.integers(-GLASS_SHIFT, GLASS_SHIFT, (2, len(result))) * moved
                other = (every, row + shift[0], column + shift[1])
                here = result[:, row, column].copy()
                result[:, row, column] = result[other]
                result[other] = here
    return _blur_each(result, GLASS_SIGMA)


def motion_blur(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """ImageMagick's motion blur: a half Gaussian tail to one side, within 45 degrees of the horizontal."""
    taps = np.arange(2 * MOTION_RADIUS + 1)
    weights = np.exp(-(taps**2) / (2 * MOTION_SIGMA**2))
    weights /= weights.sum()
    centre = len(taps) - 1
    result = np.empty_like(images)
    for image, out in zip(images, result, strict=True):
        angle = np.radians(rng.uniform(-MOTION_ANGLE, MOTION_ANGLE))
        across, down = (np.ceil(taps * part - 0.5).astype(int) for part in (np.cos(angle), np.sin(angle)))
        kernel = np.zeros((2 * centre + 1, 2 * centre + 1), np.float32)
        np.add.at(kernel, (centre + down, centre + across), weights)
        out[:] = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return result


def shear(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Slanted to either side; as published a little taller too, by 1 / cos."""
    angles = SHEAR * _signs(rng, len(images))
    return _warp(images, [[[1, -np.sin(angle)], [0, np.cos(angle)]] for angle in angles])


def scale(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Shrunk around the middle."""
    return _warp(images, [[[1 / SCALE, 0], [0, 1 / SCALE]]] * len(images))


def rotate(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Turned to either side."""
    angles = ROTATION * _signs(rng, len(images))
    return _warp(images, [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])


def brightness(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Brighter by half the range, the brightest cut off."""
    return images + BRIGHTNESS


def translate(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Shifted along both axes."""
    result = np.zeros_like(images)
    size = SIDE - TRANSLATION
    for image, out, (down, right) in zip(images, result, _signs(rng, (len(images), 2)) > 0, strict=True):
        rows, columns = (TRANSLATION * int(down), TRANSLATION * int(right))
        from_row, from_column = TRANSLATION - rows, TRANSLATION - columns
        out[rows : rows + size, columns : columns + size] = image[
            from_row : from_row + size, from_column : from_column + size
        ]
    return result


def stripe(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """The left and the right quarter inverted."""
    result = images.copy()
    for columns in STRIPES:
        result[:, :, columns] = 1 - result[:, :, columns]
    return result


def fog(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """The corner of a plasma cloud added, three times as strong as the digit."""
    result = np.empty_like(images)
    step = 32  # clouds at a time, for memory
    for start in range(0, len(images), step):
        part = images[start : start + step]
        strongest = part.max(axis=(1, 2), keepdims=True)
        clouds = plasma(rng, len(part))[:, :SIDE, :SIDE]
        result[start : start + step] = (part + FOG * clouds) * strongest / (strongest + FOG)
    return result


def spatter(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Blots of dark grey mud that cover the digit."""
    liquid = rng.normal(SPATTER_MEAN, SPATTER_SD, images.shape).astype(np.float32)
    wet = (_blur_each(liquid, SPATTER_SIGMA) > SPATTER_LEVEL).astype(np.float32)
    mud = _blur_each(wet, SPATTER_SOFT)
    mud[mud < SPATTER_SOLID] = 0
    return images * (1 - mud) + SPATTER_GREY * mud


def dotted_line(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """A bright line from the left to the right edge, two columns on, two off."""
    gaps = np.arange(SIDE) // 2 % 2 == 0
    result = images.copy()
    for image, (left, right) in zip(result, rng.integers(0, SIDE - 1, (len(images), 2)), strict=True):
        stroke = _line(0, float(left), SIDE - 1, float(right))
        stroke[:, gaps] = 0
        image += stroke
    return result


def zigzag(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """A bright zigzag across, its teeth 2 pixels high and 4 long; the last, cut tooth is a piece of a whole one."""
    first, last = ZIGZAG_COLUMNS
    result = images.copy()
    for image in result:
        start = int(rng.integers(0, SIDE - 1))
        rise = int(rng.integers(-ZIGZAG_SLOPE, ZIGZAG_SLOPE))
        angle = np.arctan2(rise, last - first)
        length = (last - first) / np.cos(angle)
        tips = np.arange(ZIGZAG_TOOTH, length, 2 * ZIGZAG_TOOTH)
        along = np.concatenate([[0], tips, [length]])
        heights = ZIGZAG_TOOTH * np.concatenate([[0], (-1.0) ** np.arange(len(tips)), [0]])
        heights[-1] = heights[-2] * (1 - (length - tips[-1]) / ZIGZAG_TOOTH)
        columns = first + along * np.cos(angle) - heights * np.sin(angle)
        rows = start + along * np.sin(angle) + heights * np.cos(angle)
        for index in range(len(along) - 1):
            image[:] = np.minimum(image + _line(columns[index], rows[index], columns[index + 1], rows[index + 1]), 1)
    return result


def canny_edges(images: _Floats, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Nothing but Canny's edges (sigma 1, hysteresis from 0.1 to 0.2 of full range), white on black."""
    unit = 4096  # the gradients go in as whole numbers: 4 units at most, within int16
    result = np.empty_like(images)
    for image, out in zip(images, result, strict=True):
        smooth = cv2.GaussianBlur(image, _kernel(CANNY_SIGMA), CANNY_SIGMA, borderType=cv2.BORDER_CONSTANT)
        across, down = (
            np.rint(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) * unit).astype(np.int16)
            for order in ((1, 0), (0, 1))
        )
        out[:] = cv2.Canny(across, down, CANNY_LOW * unit, CANNY_HIGH * unit, L2gradient=True) > 0
    return result


CORRUPTIONS: Mapping[str, _Corruption] = MappingProxyType(
    {
        "shot noise": shot_noise,
        "impulse noise": impulse_noise,
        "glass blur": glass_blur,
        "motion blur": motion_blur,
        "shear": shear,
        "scale": scale,
        "rotate": rotate,
        "brightness": brightness,
        "translate": translate,
        "stripe": stripe,
        "fog": fog,
        "spatter": spatter,
        "dotted line": dotted_line,
        "zigzag": zigzag,
        "canny edges": canny_edges,
    }
)


def plasma(rng: np.random.Generator, count: int, side: int = FOG_SIDE, decay: float = FOG_DECAY) -> _Floats:
    """Clouds by the diamond-square method on a torus (Fournier, Fussell, Carpenter 1982): float32 (count, side, side).

    side: a power of two. decay: by its square the roughness falls at each halving. Each cloud spans 0 to 1.
    """
    clouds = np.zeros((count, side, side), np.float32)
    step, roughness = side, 1.0

    def settle(total: _Floats) -> _Floats:
        """The mean of four points, and a little chance."""
        return np.asarray(total / 4 + rng.uniform(-roughness, roughness, total.shape), np.float32)

    while step > 1:
        half = step // 2
        corners = clouds[:, ::step, ::step]
        pairs = corners + np.roll(corners, -1, axis=1)
        clouds[:, half::step, half::step] = settle(pairs + np.roll(pairs, -1, axis=2))
        corners, centres = clouds[:, ::step, ::step], clouds[:, half::step, half::step]
        beside = corners + np.roll(corners, -1, axis=2) + centres + np.roll(centres, 1, axis=1)
        below = corners + np.roll(corners, -1, axis=1) + centres + np.roll(centres, 1, axis=2)
        clouds[:, ::step, half::step] = settle(beside)
        clouds[:, half::step, ::step] = settle(below)
        step, roughness = half, roughness / decay**2
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    result: _Floats = clouds / clouds.max(axis=(1, 2), keepdims=True)
    return result


def _signs(rng: np.random.Generator, shape: int | tuple[int, ...]) -> npt.NDArray[np.int64]:
    return rng.integers(0, 2, shape) * 2 - 1


def _kernel(sigma: float) -> tuple[int, int]:
    size = 2 * round(4 * sigma) + 1  # cut off at four standard deviations, as scikit-image does
    return size, size


def _blur_each(images: _Floats, sigma: float) -> _Floats:
    size = _kernel(sigma)
    return np.stack([cv2.GaussianBlur(image, size, sigma, borderType=cv2.BORDER_REPLICATE) for image in images])


def _warp(images: _Floats, maps: list[list[list[float]]]) -> _Floats:
    """Each image as its map, (2, 2) from a point of the result to one of the image, around the middle, shows it."""
    result = np.empty_like(images)
    middle = np.array([MIDDLE, MIDDLE])
    for image, out, inverse in zip(images, result, maps, strict=True):
        linear = np.asarray(inverse, np.float64)
        affine = np.column_stack([linear, middle - linear @ middle])
        out[:] = cv2.warpAffine(image, affine, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return result


def _line(column_0: float, row_0: float, column_1: float, row_1: float) -> _Floats:
    """A straight stroke, brightest in its middle, between two points: float32 (28, 28), 0-1."""
    stroke = np.zeros((SIDE, SIDE), np.float32)
    if column_1 <= column_0:
        return stroke
    columns = np.arange(max(int(np.floor(column_0)), 0), min(int(np.ceil(column_1)), SIDE))
    height = row_0 + (columns - column_0) * (row_1 - row_0) / (column_1 - column_0)
    distance = np.minimum(np.abs(np.arange(SIDE)[:, None] - height), LINE_REACH - 1e-9)
    stroke[:, columns] = np.clip(1 + np.log(1 - distance / LINE_REACH), 0, 1)
    return stroke


__all__ = ["CORRUPTIONS", "corrupt", "plasma"]
