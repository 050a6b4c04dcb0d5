"""A strip becomes another one of the same text: bent, slanted, thicker, paler, torn.

Composed rows are few, and a network that meets them often learns them by heart; of these there are as many as it asks
for. Knows nothing of networks.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.words.strips import COLUMNS_A_FRAME, Grey

_STRETCH = 0.15  # logarithm of how much wider or narrower, at most
_SLANT = 0.2  # columns that a row is moved against the next one, at most
_NODE = 10  # columns between two places that are moved on their own
_MOVED = (0.9, 0.8)  # columns and rows that such a place is moved, standard deviation
_TURN = 3.0  # rows that the ends are moved up or down, at most
_INKED = 10  # of 255; grain and contrast leave the ground alone

_Floats = npt.NDArray[np.float32]


def varied(
    strip: Grey, centres: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[Grey, npt.NDArray[np.float32]]:
    """The strip as another hand, pen and light would have it, and where its characters are then.

    strip: uint8 (32, W), ink bright on black. centres: float32 (L,), the columns of its characters' middles. The
    strip that comes back is uint8 (32, W'), W' even.

    >>> centres = np.array([10.0, 30.0], np.float32)
    >>> image, centres = varied(np.zeros((32, 40), np.uint8), centres, np.random.default_rng(0))
    >>> image.shape[0], image.shape[1] % 2, bool(centres[0] < centres[1])
    (32, 0, True)
    """
    columns, rows = _places(strip.shape, rng)
    bent = cv2.remap(strip, columns, rows, cv2.INTER_LINEAR)
    along = np.maximum.accumulate(columns[len(columns) // 2])
    moved = np.interp(centres, along, np.arange(len(along))).astype(np.float32)
    return _torn(_inked(np.asarray(bent, np.uint8), rng), rng), moved


def _places(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[_Floats, _Floats]:
    """Where in the strip each pixel of the other one comes from: columns and rows, float32 (32, W')."""
    height, width = shape
    stretch = math.exp(rng.uniform(-_STRETCH, _STRETCH))
    wanted = round(width * stretch) + 4
    wanted += wanted % COLUMNS_A_FRAME
    x = (np.arange(wanted, dtype=np.float32) - wanted / 2) / stretch + width / 2
    y = np.arange(height, dtype=np.float32) - height / 2
    nodes = rng.normal(0, 1, (2, 4, max(2, width // _NODE) + 1)).astype(np.float32)
    across, down = (
        cv2.resize(part * size, (wanted, height), interpolation=cv2.INTER_LINEAR)
        for part, size in zip(nodes, _MOVED, strict=True)
    )
    slant, taller = rng.uniform(-_SLANT, _SLANT), math.exp(rng.uniform(-0.06, 0.12))
    turn = rng.uniform(-_TURN, _TURN) / max(width, 30)
    columns = x[None, :] + slant * y[:, None] + across
    rows = y[:, None] * taller + height / 2 + turn * (x[None, :] - width / 2) + down
    return np.asarray(columns, np.float32), np.asarray(rows, np.float32)


def _inked(strip: Grey, rng: np.random.Generator) -> Grey:
    """Thicker, thinner, softer or harder, half of the time."""
    kind = rng.random()
    if kind < 0.3:
        change = cv2.dilate if kind < 0.15 else cv2.erode
        share = rng.uniform(0.2, 1)
        strip = np.asarray(
            cv2.addWeighted(strip, 1 - share, change(strip, np.ones((2, 2), np.uint8)), share, 0), np.uint8
        )
    elif kind < 0.4:
        strip = np.asarray(cv2.GaussianBlur(strip, (0, 0), rng.uniform(0.4, 1.0)), np.uint8)
    elif kind < 0.5:
        harder = (strip.astype(np.float32) - 110) * rng.uniform(1.2, 3) + rng.uniform(90, 150)
        strip = np.where(strip > 2 * _INKED, np.clip(harder, 0, 255), 0).astype(np.uint8)
    return strip


def _torn(strip: Grey, rng: np.random.Generator) -> Grey:
    """With a hole, a line that is missing, or grain, one time in five."""
    height, width = strip.shape
    kind = rng.random()
    if kind < 0.08:
        x, y, size = int(rng.integers(0, width - 4)), int(rng.integers(0, height - 4)), int(rng.integers(2, 6))
        strip[y : y + size, x : x + size] = 0
    elif kind < 0.12:
        y = int(rng.integers(6, height - 6))
        strip[y : y + int(rng.integers(1, 3))] = 0
    elif kind < 0.2:
        grain = rng.normal(0, rng.uniform(4, 20), strip.shape)
        strip = np.clip(strip + grain * (strip > _INKED), 0, 255).astype(np.uint8)
    return strip


__all__ = ["varied"]
