"""What pictures of everyday.py are made of: ink written by hand or printed, and how a page is photographed.

Knows nothing of what the pictures show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.digits import Digits
from digit_recognizer.sources.strokes import Drawing
from digit_recognizer.training.fonts import FontFace

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Random = np.random.Generator


@dataclass(frozen=True)
class Material:
    """What pictures are made of. drawings, faces: of a kind that needs them there is none where they are empty."""

    digits: Digits
    drawings: Sequence[Drawing]
    faces: Sequence[FontFace]


@dataclass(frozen=True)
class Everyday:
    """picture: uint8 (H, W), (H, W, 3) RGB or (H, W, 4) RGBA. text: what ``digits read`` should print."""

    picture: Pixels
    text: str


Maker = Callable[[Material, Random], Everyday]


def handwritten(material: Material, number: str, height: int, rng: Random) -> Floats:
    """A number of handwritten digits side by side, apart: ink, float32 (H, W), 0-1."""
    labels = material.digits.known_labels()
    sprites = []
    for digit in number:
        frame = material.digits.images[int(rng.choice(np.flatnonzero(labels == int(digit))))]
        rows, columns = np.flatnonzero(frame.any(1)), np.flatnonzero(frame.any(0))
        ink = frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = height * rng.uniform(0.9, 1.1) / 20
        sides = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
        large = cv2.resize(ink, sides, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        sprites.append(np.clip((large.astype(np.float32) - 70) / 110, 0, 1))
    tall = max(len(ink) for ink in sprites)
    row = np.zeros((tall, 1), np.float32)
    for ink in sprites:
        top = tall - len(ink) - int(rng.integers(0, tall - len(ink) + 1))
        placed = np.pad(ink, ((top, tall - len(ink) - top), (round(rng.uniform(0.12, 0.3) * height), 0)))
        row = np.hstack([row, placed])
    columns = np.flatnonzero(row.max(0) > 0.3)
    return row[:, columns[0] : columns[-1] + 1]


def printed(face: FontFace, text: str, height: int) -> Floats:
    """A line of print: ink, float32 (H, W), 0-1. height: of its tallest digit, in pixels, nearly."""
    size = max(8, round(height * 1.4))
    font = ImageFont.truetype(face.path, size, face.index)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font)
    page = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    ImageDraw.Draw(page).text((2 - left, 2 - top), text, 255, font)
    return np.asarray(page, np.float32) / 255


def any_face(material: Material, rng: Random) -> FontFace:
    return material.faces[int(rng.integers(len(material.faces)))]


def put(page: Floats, ink: Floats, x: int, y: int) -> None:
    """Put ink on a page, its left top corner at x and y, in pixels; what reaches beyond the page is left out."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(len(page), y + len(ink)), min(page.shape[1], x + ink.shape[1])
    place = page[top:bottom, left:right]
    np.maximum(place, ink[top - y : bottom - y, left - x : right - x], out=place)


def on_page(ink: Floats, rng: Random, *, margin: float = 0.5) -> Floats:
    """Ink with room around it, more on one side than on the other. margin: of the ink's height, at least 24 pixels."""
    pads = [max(24, round(rng.uniform(0.6, 1.4) * margin * len(ink))) for _ in range(4)]
    return np.pad(ink, ((pads[0], pads[1]), (pads[2], pads[3])))


def taken(ink: Floats, rng: Random, lines: Floats | None = None) -> Pixels:
    """Half of them as a screen shows them, half photographed: in uneven light, a little soft, noisy, as JPEG."""
    paper, mark = rng.uniform(200, 255), rng.uniform(0, 90)
    covered = ink if lines is None else np.maximum(ink, lines * rng.uniform(0.4, 1.0))
    page = paper + (mark - paper) * covered
    if rng.random() < 0.5:
        return to_bytes(page)
    return photographed(page, rng)


def photographed(page: Floats, rng: Random) -> Pixels:
    height, width = page.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    angle = rng.uniform(0, 6.28)
    along = (columns / width - 0.5) * np.cos(angle) + (rows / height - 0.5) * np.sin(angle)
    light = 1 - rng.uniform(0, 0.4) * (along + 0.7) / 1.4
    if rng.random() < 0.4:  # the soft shadow of a head
        y, x = rng.uniform(0, 1, 2) * (height, width)
        away = ((rows - y) ** 2 + (columns - x) ** 2) / (rng.uniform(0.2, 0.5) * max(height, width)) ** 2
        light = light * (1 - rng.uniform(0.1, 0.35) * np.exp(-away))
    page = page * (light if page.ndim == 2 else light[..., None])
    page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 1.2)) + rng.normal(0, rng.uniform(0.5, 4), page.shape)
    _, encoded = cv2.imencode(".jpg", to_bytes(page), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), np.uint8)


def to_bytes(values: npt.NDArray[np.floating]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


__all__ = [
    "Everyday",
    "Floats",
    "Maker",
    "Material",
    "Pixels",
    "Random",
    "any_face",
    "handwritten",
    "on_page",
    "photographed",
    "printed",
    "put",
    "taken",
    "to_bytes",
]
