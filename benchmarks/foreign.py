"""Digits become foreign data sets in small: scans of 8 and 16 pixels, pen drawings, old records, print.

Where real sets are not at hand they are imitated from digits that were held out of training, by code of its own:
nothing here is used in training. Each function gives (grey picture, label) pairs; a picture is uint8 (H, W).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from as_sent import Grey, enlarged, grey_of, light, tight, to_bytes
from digit_recognizer.digits import Digits

SCAN_SIDE = 16
PEN_WIDTHS = (6, 10, 14, 20)  # pixels, on PEN_SIDE
PEN_SIDE = 280
PRINT_HEIGHTS = (16, 24, 40, 64)


class Labelled(NamedTuple):
    """One picture, uint8 (H, W), and the digit on it, 0-9."""

    picture: Grey
    label: int


def eight_by_eight() -> Iterator[Labelled]:
    """scikit-learn's 1,797 scans of 43 writers, 8 x 8 with 17 grey levels, ink bright (Alpaydin, Kaynak 1998)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    for image, label in zip(found.images, found.target, strict=True):
        yield Labelled(np.rint(image * (255 / 16)).astype(np.uint8), int(label))


def envelope_scans(path: Path) -> Iterator[Labelled]:
    """9,298 digits cut from scanned envelopes, USPS (Hull 1994): 16 x 16, grey, ink bright.

    path: usps_resampled.mat, as it comes with "Gaussian Processes for Machine Learning" (Rasmussen, Williams 2006):
    patterns (256, N), -1 to 1, and labels (10, N), 1 at the digit, of two parts. Raises LookupError where it is not.
    """
    from scipy.io import loadmat

    found = loadmat(path)
    for part in ("train", "test"):
        if f"{part}_patterns" not in found or f"{part}_labels" not in found:
            raise LookupError(f"{path.name}: expected {part}_patterns and {part}_labels")
        pictures = np.rint((found[f"{part}_patterns"].T + 1) * 127.5).astype(np.uint8)
        for picture, label in zip(pictures, found[f"{part}_labels"].argmax(axis=0).tolist(), strict=True):
            yield Labelled(picture.reshape(SCAN_SIDE, SCAN_SIDE), label)


def grey_scans(inks: Iterable[Labelled], rng: np.random.Generator) -> Iterator[Labelled]:
    """Envelope scans: cut tight, blurred, 16 pixels on the longest side, edges paling, half of them black on white.

    inks: digits of any size, ink bright on black.
    """
    for ink, label in inks:
        cover = cv2.GaussianBlur(_drawn_large(ink), (0, 0), rng.uniform(1.0, 4.0))
        scale = SCAN_SIDE / max(cover.shape)
        height, width = (min(SCAN_SIDE, max(1, round(side * scale))) for side in cover.shape)
        small = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)
        scan = np.zeros((SCAN_SIDE, SCAN_SIDE), np.float32)
        top, left = (SCAN_SIDE - height) // 2, (SCAN_SIDE - width) // 2
        scan[top : top + height, left : left + width] = small / max(float(small.max()), 1e-6)
        picture = to_bytes(255 * scan)
        yield Labelled(picture if rng.random() < 0.5 else 255 - picture, label)


def black_white_scans(inks: Iterable[Labelled], rng: np.random.Generator) -> Iterator[Labelled]:
    """Cut tight, stretched to fill 16 x 16 whatever their shape, then black and white alone, either way round.

    inks: digits of any size, ink bright on black. A pen stroke (a 1, mostly) is stretched by four at most, as a
    scanner's frame around it would.
    """
    for ink, label in inks:
        cover = _drawn_large(ink)
        height, width = cover.shape
        missing = max(0, -(-max(height, width) // 4) - min(height, width))
        margin = (missing // 2, missing - missing // 2)
        cover = np.pad(cover, (margin, (0, 0)) if height < width else ((0, 0), margin))
        small = cv2.resize(cover, (SCAN_SIDE, SCAN_SIDE), interpolation=cv2.INTER_AREA)
        black = (small > rng.uniform(0.35, 0.55)) != (rng.random() < 0.5)
        yield Labelled(np.where(black, 255, 0).astype(np.uint8), label)


def pen_drawings(path: Path, pen: int | None, rng: np.random.Generator, limit: int) -> Iterator[Labelled]:
    """Drawings of the writers that training leaves out (the last sixth) on 280 x 280, ink bright on black.

    pen: width in pixels; None draws 8 to 20.
    """
    from digit_recognizer.sources.strokes import draw, read_strokes
    from digit_recognizer.training.ship.preparation import split_drawings

    drawings = split_drawings([each for each in read_strokes(path) if each.label is not None])[1]
    for index in np.sort(rng.permutation(len(drawings))[:limit]):
        drawing = drawings[index]
        width = rng.uniform(8, 20) if pen is None else pen
        yield Labelled(draw(drawing, pen=width, side=PEN_SIDE), int(drawing.label or 0))


def either_way_round(pictures: Iterable[Labelled], rng: np.random.Generator) -> Iterator[Labelled]:
    """Half of the pictures inverted."""
    return (Labelled(each if rng.random() < 0.5 else 255 - each, label) for each, label in pictures)


def record_crops(digits: Digits, rng: np.random.Generator) -> Iterator[Labelled]:
    """Crops from old records: ink of uneven strength on coloured, stained paper, neighbours cut by the crop's edges.

    How close neighbours come was set so that a network trained on MNIST alone does about as badly as on real crops.
    """
    for image, label in _pairs(digits):
        digit = enlarged(tight(image), rng.uniform(2.0, 3.5))
        height = round(digit.shape[0] / rng.uniform(0.7, 1.0))
        width = round(max(digit.shape[1] / rng.uniform(0.4, 0.8), 0.5 * height))
        cover = np.zeros((height, width), np.float32)
        top = int(rng.integers(0, height - digit.shape[0] + 1))
        left = (width - digit.shape[1]) // 2 + round(rng.normal(0, 0.03 * width))
        _lay(cover, digit, top, left)
        for side in (-1, 1):
            if rng.random() < 0.85:
                other = digits.images[int(rng.integers(len(digits)))]
                neighbour = enlarged(tight(other), digit.shape[0] / tight(other).shape[0] * rng.uniform(0.85, 1.15))
                gap = round(rng.uniform(-0.12, 0.12) * digit.shape[0])
                at = left - gap - neighbour.shape[1] if side < 0 else left + digit.shape[1] + gap
                _lay(cover, neighbour, top + round(rng.normal(0, 0.06 * height)), at)
        if rng.random() < 0.25:  # the line that the number was written on
            row = min(height - 2, top + digit.shape[0] - int(rng.integers(0, 4)))
            cover[row : row + 2] = np.maximum(cover[row : row + 2], rng.uniform(0.3, 0.6))
        yield Labelled(_old_paper(cover, rng), label)


def printed(faces: Sequence[Any], rng: np.random.Generator, limit: int) -> Iterator[Labelled]:
    """Digits of these font faces, 16 to 64 pixels high, on a margin; half of them black on white."""
    from digit_recognizer.training.fonts import DIGITS, render

    every = [(face, text, height) for face in faces for text in DIGITS for height in PRINT_HEIGHTS]
    for index in np.sort(rng.permutation(len(every))[:limit]):
        face, text, height = every[index]
        ink = render(face, text, height)
        if ink is not None and ink.any():
            yield Labelled(with_margin(ink, rng), int(text))


def held_out_faces(folders: Sequence[Path] | None) -> list[Any]:
    """The fonts that training leaves out, of the system's or of those in ``folders``.

    Which ones depends on which fonts are there: only on the machine of the training, or where ``folders`` hold the
    same fonts, has a model surely not seen them. Raises LookupError where there is none.
    """
    from digit_recognizer.training.fonts import find_fonts, split_faces, usable_for_digits
    from digit_recognizer.training.ship.preparation import FONT_SPLIT_SEED, HELD_OUT_FONTS

    usable = [face for face in find_fonts(folders) if usable_for_digits(face)]
    if not usable:
        raise LookupError("no font with digits was found")
    return list(split_faces(usable, HELD_OUT_FONTS, FONT_SPLIT_SEED)[1])


def with_margin(ink: Grey, rng: np.random.Generator) -> Grey:
    """Bright ink (h, w) on a black margin of up to a half of its height; half of the pictures inverted."""
    margin = max(1, round(float(rng.uniform(0.05, 0.5)) * ink.shape[0]))
    picture = np.pad(ink, margin)
    return picture if rng.random() < 0.5 else 255 - picture


def _old_paper(cover: npt.NDArray[Any], rng: np.random.Generator) -> Grey:
    """Cover (H, W), 0-1, as grey of a colour photograph: stains, grain, fading ink, slight blur."""
    shape = cover.shape
    paper = np.array([rng.uniform(170, 240), rng.uniform(150, 215), rng.uniform(110, 180)])
    ink = np.array([rng.uniform(30, 100), rng.uniform(25, 80), rng.uniform(20, 90)])
    stains = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 0.8)
    ground = paper * (1 + 0.04 * stains + 0.05 * grain)[..., None]
    strength = cv2.resize(rng.uniform(0.55, 1, (5, 5)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    covered = (cover * strength)[..., None]
    colour = ground * (1 - covered) + ink * covered
    if rng.random() < 0.3:
        colour *= light(shape, rng)[..., None]
    return grey_of(cv2.GaussianBlur(colour, (0, 0), rng.uniform(0.4, 1.2)))


def _lay(cover: npt.NDArray[Any], ink: npt.NDArray[Any], top: int, left: int) -> None:
    """Lay ``ink`` over ``cover`` in place; what lies beyond its edges is cut off."""
    rows = slice(max(top, 0), min(top + ink.shape[0], cover.shape[0]))
    columns = slice(max(left, 0), min(left + ink.shape[1], cover.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        cover[rows, columns] = np.maximum(cover[rows, columns], part)


def _drawn_large(ink: Grey) -> npt.NDArray[Any]:
    """The ink alone, its longest side 80 pixels: cover, 0-1."""
    only = tight(ink)
    if max(only.shape) > 80:
        return (
            cv2.resize(only, None, fx=80 / max(only.shape), fy=80 / max(only.shape), interpolation=cv2.INTER_AREA) / 255
        )
    return enlarged(only, 80 / max(only.shape))


def _pairs(digits: Digits) -> Iterator[tuple[Grey, int]]:
    return zip(digits.images, digits.known_labels().tolist(), strict=True)


__all__ = [
    "PEN_WIDTHS",
    "Labelled",
    "black_white_scans",
    "eight_by_eight",
    "either_way_round",
    "envelope_scans",
    "grey_scans",
    "held_out_faces",
    "pen_drawings",
    "printed",
    "record_crops",
    "with_margin",
]
