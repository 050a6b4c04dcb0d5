"""Nothing, noise, letters and the like become pictures that hold no digit: what a reader should refuse.

Drawn anew from a generator for each picture, by code of its own: nothing here is used in training. Grey, uint8 (H, W).
Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from as_sent import Grey, enlarged, light, tight, to_bytes
from digit_recognizer.digits import Digits
from foreign import with_margin

LETTER_HEIGHTS = (20, 32, 56)
CROP_SIDES = (28, 120)  # pixels of a crop from a photo
PLAIN = 6.0  # grey levels: standard deviation of a crop, smoothed, that holds paper and nothing else

Maker = Callable[[np.random.Generator], Grey]


def scribble(rng: np.random.Generator) -> Grey:
    """One to four pen strokes that wander at random; half of the pictures black on white."""
    side = int(rng.integers(60, 200))
    picture = np.zeros((side, side), np.uint8)
    width = max(1, round(side * rng.uniform(0.02, 0.07)))
    for _ in range(int(rng.integers(1, 5))):
        turns = np.cumsum(rng.normal(0, 0.9, int(rng.integers(8, 30)))) + rng.uniform(0, 2 * np.pi)
        steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * side * rng.uniform(0.08, 0.2)
        points = side * rng.uniform(0.2, 0.8, 2) + np.cumsum(steps, axis=0)
        # Turned back at the edges, as a hand does.
        low, room = 0.08 * side, 0.84 * side
        points = (low + room - np.abs((points - low) % (2 * room) - room)).astype(np.int32)
        cv2.polylines(picture, [points], False, 255, width, cv2.LINE_AA)
    return picture if rng.random() < 0.5 else 255 - picture


def noise(rng: np.random.Generator) -> Grey:
    """Independent pixels, sparse dots, or soft clouds, at 20 to 100 pixels a side."""
    side = int(rng.integers(20, 101))
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(0, 256, (side, side), dtype=np.uint8)
    if kind == 1:
        return np.where(rng.random((side, side)) < rng.uniform(0.02, 0.3), 255, 0).astype(np.uint8)
    cloud = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), side * rng.uniform(0.03, 0.15))
    return to_bytes(128 + 60 * cloud / max(float(cloud.std()), 1e-9))


def blank(rng: np.random.Generator) -> Grey:
    """Empty paper: one grey level, half of the time in uneven light, with a little grain."""
    side = int(rng.integers(20, 200))
    picture = np.full((side, side), rng.uniform(0, 255))
    if rng.random() < 0.5:
        picture = picture * light(picture.shape, rng)
    return to_bytes(picture + rng.normal(0, rng.choice([0.0, 1.0, 3.0]), picture.shape))


def letters(faces: Sequence[Any], *, like_a_digit: bool) -> Maker:
    """Letters and signs of these font faces: those with a digit's shape (O, l, S), or the others."""
    from digit_recognizer.training.fonts import AMBIGUOUS, OTHERS, render

    texts = AMBIGUOUS if like_a_digit else OTHERS

    def letter(rng: np.random.Generator) -> Grey:
        for _ in range(200):
            face, text = faces[int(rng.integers(len(faces)))], texts[int(rng.integers(len(texts)))]
            ink = render(face, text, int(rng.choice(LETTER_HEIGHTS)))
            if ink is not None and ink.any():
                return with_margin(ink, rng)
        raise LookupError("the fonts draw no such letters")

    return letter


def two_digits(digits: Digits) -> Maker:
    """Two held-out digits side by side, up to a tenth of their height apart; half of them black on white."""

    def pair(rng: np.random.Generator) -> Grey:
        parts = [tight(digits.images[int(index)]) for index in rng.integers(0, len(digits), 2)]
        parts = [to_bytes(255 * enlarged(part, 60 / part.shape[0])) for part in parts]
        gap = np.zeros((60, int(rng.integers(0, 7))), np.uint8)
        picture = np.pad(np.hstack([parts[0], gap, parts[1]]), int(rng.integers(2, 20)))
        return picture if rng.random() < 0.5 else 255 - picture

    return pair


def pieces(digits: Digits) -> Maker:
    """A third to a half of a held-out digit, cut by the edge of the picture. Some do look like another digit."""

    def piece(rng: np.random.Generator) -> Grey:
        whole = to_bytes(255 * enlarged(tight(digits.images[int(rng.integers(len(digits)))]), 3))
        kept = rng.uniform(0.33, 0.5)
        for _ in range(int(rng.integers(4))):
            whole = np.rot90(whole)
        part = whole[: max(2, round(kept * whole.shape[0]))]
        part = np.pad(part, ((int(rng.integers(4, 15)), 0), (8, 8)))
        return np.ascontiguousarray(part if rng.random() < 0.5 else 255 - part)

    return piece


def photo_crops() -> Maker:
    """Square crops of scikit-learn's two sample photos, a temple and a flower."""
    from sklearn.datasets import load_sample_images

    photos = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in load_sample_images().images]
    return lambda rng: _crop(photos[int(rng.integers(len(photos)))], rng)


def paper_crops(folder: Path) -> Maker:
    """Crops of phone photos that hold paper alone: next to no contrast once grain is smoothed away."""
    photos = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in sorted(folder.glob("*.jpg"))]
    if not photos:
        raise LookupError(f"{folder} holds no photo")

    def crop(rng: np.random.Generator) -> Grey:
        for _ in range(2_000):
            part = _crop(np.asarray(photos[int(rng.integers(len(photos)))], np.uint8), rng)
            if cv2.GaussianBlur(part, (0, 0), 1.5).std() < PLAIN:
                return part
        raise LookupError(f"{folder} holds no photo with bare paper")

    return crop


DRAWN: Mapping[str, Maker] = MappingProxyType({"scribbles": scribble, "noise": noise, "blank": blank})


def _crop(photo: Grey, rng: np.random.Generator) -> Grey:
    side = int(rng.integers(*CROP_SIDES))
    top, left = (int(rng.integers(0, extent - side)) for extent in photo.shape[:2])
    return photo[top : top + side, left : left + side].copy()


__all__ = [
    "DRAWN",
    "Maker",
    "letters",
    "paper_crops",
    "photo_crops",
    "pieces",
    "two_digits",
]
