"""One MNIST digit becomes a picture as people send it: inverted, off centre, in shadow, coloured, ruled, small.

Simulations, not photographs, drawn anew from a generator for each picture; none of it is used in training. Pictures are
grey, uint8 (H, W), as a reader gets them; colours are turned to grey by ITU-R BT.601. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 28
BT601 = (0.299, 0.587, 0.114)  # shares of red, green and blue in grey
TIMES = 4  # how much larger than its frame a digit is on simulated paper

Grey = npt.NDArray[np.uint8]
Cover = npt.NDArray[np.float32]  # share of a pixel that ink covers, 0-1


def inverted(frame: Grey, rng: np.random.Generator) -> Grey:
    """Black on white, as most scans and drawing programs have it."""
    return 255 - frame


def off_centre(frame: Grey, rng: np.random.Generator) -> Grey:
    """As it is, but near a corner of a picture of 100 x 100; half of them black on white."""
    picture = np.zeros((100, 100), np.uint8)
    row, column = (
        int(corner) + int(rng.integers(0, 9)) * (1 if corner == 0 else -1) for corner in rng.choice([0, 72], 2)
    )
    picture[row : row + SIDE, column : column + SIDE] = frame
    return picture if rng.random() < 0.5 else 255 - picture


def shadow(frame: Grey, rng: np.random.Generator) -> Grey:
    """Dark ink on paper, light falling off to a half, and a shadow with a soft edge across."""
    cover = enlarged(frame)
    return to_bytes(on_paper(cover, rng.uniform(30, 80), rng.uniform(200, 245)) * light(cover.shape, rng))


def coloured(frame: Grey, rng: np.random.Generator) -> Grey:
    """Ink of any colour on paper of any colour, at least 50 grey levels apart; either may be the darker."""
    while True:
        ink, paper = rng.uniform(0, 255, (2, 3))
        if abs((ink - paper) @ BT601) >= 50:
            break
    cover = enlarged(frame)[..., None]
    return grey_of(paper * (1 - cover) + ink * cover)


def ruled(frame: Grey, rng: np.random.Generator) -> Grey:
    """Dark ink on paper ruled in a paler colour: slightly tilted lines, some of which cross the digit."""
    cover = enlarged(frame)
    paper, ink = rng.uniform(215, 250), rng.uniform(20, 70)
    lines = rules(cover.shape, rng)
    rule = paper + (ink - paper) * rng.uniform(0.3, 0.7)
    return to_bytes(on_paper(cover, ink, paper + (rule - paper) * lines))


def halved(frame: Grey, rng: np.random.Generator) -> Grey:
    """Shrunk to 14 x 14 by averaging."""
    return np.asarray(cv2.resize(frame, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA), np.uint8)


def tight_crop(frame: Grey, rng: np.random.Generator) -> Grey:
    """Cut to its ink, no border at all; half of them black on white."""
    picture = tight(frame)
    return picture if rng.random() < 0.5 else 255 - picture


def large(frame: Grey, rng: np.random.Generator) -> Grey:
    """400 x 400, black on white."""
    return 255 - np.asarray(cv2.resize(frame, (400, 400), interpolation=cv2.INTER_CUBIC), np.uint8)


def noisy(frame: Grey, rng: np.random.Generator) -> Grey:
    """Dark ink on paper in dim light: Gaussian noise, standard deviation 8 to 20 grey levels, at 56 x 56."""
    cover = enlarged(frame, 2)
    picture = on_paper(cover, rng.uniform(30, 80), rng.uniform(180, 230))
    return to_bytes(picture + rng.normal(0, rng.uniform(8, 20), cover.shape))


def jpeg(frame: Grey, rng: np.random.Generator) -> Grey:
    """84 x 84, black on white, JPEG at quality 10 to 30."""
    picture = to_bytes(on_paper(enlarged(frame, 3), 20, 240))
    _, stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 31))])
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.uint8)


AS_SENT: Mapping[str, Callable[[Grey, np.random.Generator], Grey]] = MappingProxyType(
    {
        "inverted": inverted,
        "off-centre": off_centre,
        "shadow": shadow,
        "coloured ink": coloured,
        "ruled": ruled,
        "14 x 14": halved,
        "tight crop": tight_crop,
        "400 x 400": large,
        "noise": noisy,
        "jpeg": jpeg,
    }
)


def enlarged(frame: Grey, times: float = TIMES) -> Cover:
    """The digit drawn larger with its edges about as sharp as before: float32 (times * H, times * W), 0-1."""
    height, width = (max(1, round(side * times)) for side in frame.shape)
    smooth = cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    # Interpolation spreads an edge over a whole coarse pixel; a steeper slope takes most of that back.
    return np.asarray(np.clip((smooth - 0.3) / 0.4, 0, 1), np.float32)


def tight(frame: Grey) -> Grey:
    """The part of the frame that its ink fills; the whole frame where there is none."""
    rows, columns = np.flatnonzero(frame.max(axis=1)), np.flatnonzero(frame.max(axis=0))
    if not len(rows):
        return frame
    return frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def on_paper(cover: Cover, ink: float, paper: float | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Ink of one grey level on paper of one level or its own at each pixel."""
    return paper * (1 - cover) + ink * cover


def light(shape: tuple[int, ...], rng: np.random.Generator) -> Cover:
    """Light from 0 to 1 for each pixel: a gradient to 45-70 % at a random angle, times a shadow of 50-75 %."""
    down, across = np.mgrid[-0.5 : 0.5 : shape[0] * 1j, -0.5 : 0.5 : shape[1] * 1j]
    angles = rng.uniform(0, 2 * np.pi, 2)
    slope, edge = (np.cos(angle) * across + np.sin(angle) * down for angle in angles)
    gradient = 1 - rng.uniform(0.3, 0.55) * (slope - slope.min()) / (slope.max() - slope.min())
    dark = 1 / (1 + np.exp(-(edge - rng.uniform(-0.25, 0.25)) / rng.uniform(0.01, 0.06)))
    return np.asarray(gradient * (1 - rng.uniform(0.25, 0.5) * dark), np.float32)


def rules(shape: tuple[int, ...], rng: np.random.Generator) -> Cover:
    """Parallel lines over the whole picture, 1-2 pixels wide, 18-32 apart, tilted by up to 2 degrees: cover, 0-1."""
    height, width = shape[:2]
    gap, thickness, tilt = rng.uniform(18, 32), rng.uniform(1, 2), np.radians(rng.uniform(-2, 2))
    down, across = np.mgrid[:height, :width]
    place = down * np.cos(tilt) + across * np.sin(tilt) + rng.uniform(0, gap)
    distance = np.abs((place + gap / 2) % gap - gap / 2)
    return np.asarray(np.clip(thickness / 2 + 0.5 - distance, 0, 1), np.float32)


def grey_of(colour: npt.NDArray[Any]) -> Grey:
    """RGB (H, W, 3), 0-255, to grey by BT.601: uint8 (H, W)."""
    return to_bytes(colour @ np.array(BT601))


def to_bytes(values: npt.NDArray[Any]) -> Grey:
    """Grey levels of any kind, cut off at 0 and 255 and rounded: uint8."""
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


__all__ = ["AS_SENT", "enlarged", "grey_of", "light", "on_paper", "rules", "tight", "to_bytes"]
