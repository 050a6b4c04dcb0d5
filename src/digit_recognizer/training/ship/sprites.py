"""Digits of MNIST, pen drawings and printed characters become sprites: their ink alone, large enough to be bent.

A sprite is uint8 (h, w), ink bright on black, cropped tight, its longest side near SPRITE_SIDE. Here too are the things
that are no digit: scribbles, figures, pieces of digits, digits run together. Knows nothing of paper, light or cameras.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.sources.strokes import Drawing, draw

SPRITE_SIDE = 60  # three pixels for each of the twenty that a digit has in its frame

_BAR_HEIGHT, _BAR_WIDTH = 16, 6  # pixels of a frame between its ends at least, from side to side at most
_LEAST_HOLE = 0.004  # of its box that a hole takes; smaller ones are flaws of a font

# Halves of these digits look like no digit; half an 8 is a 0, half a 9 a 1, half a 6 a 0 or a 1.
_CUT_ACROSS = (2, 5)
_CUT_ALONG = (0, 2, 3, 5, 8)
_CUT_ALL = (0, 2, 3, 5, 6, 8)

Ink = npt.NDArray[np.uint8]


def sprite_of_frame(frame: Ink) -> Ink:
    """The ink of a 28x28 frame, three times as large with its edges as sharp as before; at least 1x1.

    frame: uint8 (28, 28), ink bright on black.

    >>> frame = np.zeros((28, 28), np.uint8); frame[4:24, 12:16] = 255
    >>> sprite_of_frame(frame).shape
    (60, 12)
    """
    ink = tight(frame)
    height, width = ink.shape
    scale = SPRITE_SIDE / 20
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    large = cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    # Interpolation smears an edge over a coarse pixel; the steeper contrast gives it back.
    return np.asarray(np.clip((large - 80) * (255 / 100), 0, 255), np.uint8)


def sprite_of_drawing(drawing: Drawing, rng: np.random.Generator) -> Ink:
    """A pen drawing in a pen of random width: 0.5 to 2.6 of the twenty pixels that the digit will have."""
    side = 90
    pen = math.exp(rng.uniform(math.log(1.6), math.log(8.0)))
    return tight(draw(drawing, pen=pen, side=side, fill=SPRITE_SIDE / side))


def bent(ink: Ink, rng: np.random.Generator, dose: float = 1.0) -> Ink:
    """The sprite turned, slanted, stretched and in another pen, cropped tight again.

    dose: 1 turns by up to 12 degrees, slants by up to 0.3, stretches by up to 1.35, thickens by up to 4 pixels.
    """
    height, width = ink.shape
    angle = math.radians(rng.uniform(-12, 12) * dose)
    slant = rng.uniform(-0.3, 0.3) * dose
    stretch = math.exp(rng.uniform(-0.3, 0.3) * dose)
    shear = np.array([[1, slant], [0, 1]])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = turn @ shear @ np.diag([math.sqrt(stretch), 1 / math.sqrt(stretch)])
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]], np.float64)
    low, high = corners.min(1) - 2, corners.max(1) + 2
    size = np.ceil(high - low).astype(int)
    affine = np.column_stack([matrix, -low]).astype(np.float64)
    moved = cv2.warpAffine(ink, affine, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
    return tight(_other_pen(np.asarray(moved, np.uint8), rng, dose))


def is_marked_zero(ink: Ink) -> bool:
    """Whether a 0 has a slash, a bar or a dot within: more than one hole, or more than one part.

    >>> ring = np.zeros((60, 40), np.uint8)
    >>> ring = cv2.ellipse(ring, (20, 30), (16, 26), 0, 0, 360, 255, 6)
    >>> is_marked_zero(ring), is_marked_zero(cv2.line(ring, (14, 40), (26, 20), 255, 5))
    (False, True)
    """
    mask = np.pad((ink > 100).astype(np.uint8), 1)
    parts = cv2.connectedComponents(mask, connectivity=8)[0] - 1
    _, _, grounds, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    holes = int((grounds[1:, cv2.CC_STAT_AREA] > _LEAST_HOLE * mask.size).sum()) - 1  # all around it is one, too
    return parts == 2 or holes == 2


def straight_stroke(rng: np.random.Generator) -> Ink:
    """A 1 of one stroke, straight or nearly so, as many write it; the pen is 0.5 to 4 of its twenty pixels wide."""
    fine = 4  # drawn at four times the size
    side, pen = SPRITE_SIDE * fine, math.exp(rng.uniform(math.log(1.5), math.log(12))) * fine
    lean, bow = rng.normal(0, 0.04) * side, rng.normal(0, 0.015) * side * (rng.random() < 0.5)
    down = np.linspace(0, 1, 9)
    across = side / 2 + lean * (down - 0.5) + bow * np.sin(math.pi * down)
    points = np.column_stack([across, pen / 2 + down * (side - pen)])
    ink = np.zeros((side, side), np.uint8)
    cv2.polylines(ink, [np.rint(points * 16).astype(np.int32)], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
    return tight(np.asarray(cv2.resize(ink, (SPRITE_SIDE, SPRITE_SIDE), interpolation=cv2.INTER_AREA), np.uint8))


def is_upright_bar(frame: Ink) -> bool:
    """Whether a 28x28 frame holds nothing but one upright bar, which may be a 1.

    >>> frame = np.zeros((28, 28), np.uint8); frame[4:24, 13:16] = 255
    >>> is_upright_bar(frame), is_upright_bar(frame.T)
    (True, False)
    """
    marked = frame > 100
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    if not len(rows):
        return False
    return bool(rows[-1] - rows[0] >= _BAR_HEIGHT and columns[-1] - columns[0] < _BAR_WIDTH)


def with_gaps(ink: Ink, rng: np.random.Generator) -> Ink:
    """The sprite with one to three gaps in its strokes, as a dry pen, a bad copy or a hard threshold leave them."""
    broken = ink.copy()
    for _ in range(rng.integers(1, 4)):
        rows, columns = np.nonzero(broken > 128)
        if not len(rows):
            break
        at = rng.integers(len(rows))
        length, angle = rng.uniform(6, 14), rng.uniform(0, math.pi)
        away = np.array([math.cos(angle), math.sin(angle)]) * length / 2
        centre = np.array([columns[at], rows[at]])
        first, last = (tuple(int(v) for v in np.rint(centre + sign * away)) for sign in (-1, 1))
        cv2.line(broken, first, last, 0, int(rng.integers(1, 5)), cv2.LINE_AA)
    return tight(broken) if broken.max() > 128 and (broken > 128).sum() > 0.7 * (ink > 128).sum() else ink


def outlined(ink: Ink, rng: np.random.Generator) -> Ink:
    """The sprite's outline alone, as hollow fonts and block figures have it."""
    pen = int(rng.integers(2, 5))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen + 1, pen + 1))
    return tight(np.asarray(cv2.morphologyEx(np.pad(ink, pen + 2), cv2.MORPH_GRADIENT, kernel), np.uint8))


def run_together(left: Ink, right: Ink, rng: np.random.Generator) -> Ink:
    """Two digits that touch, one beside the other: no digit."""
    height = max(left.shape[0], right.shape[0])
    overlap = int(rng.integers(1, 8))
    left = left[:, : _last_column(left) + 1]
    width = max(left.shape[1] + right.shape[1] - overlap, left.shape[1], right.shape[1])
    both = np.zeros((height + 12, width), np.uint8)
    first, second = rng.integers(0, height - left.shape[0] + 13), rng.integers(0, height - right.shape[0] + 13)
    both[first : first + left.shape[0], : left.shape[1]] = left
    place = both[second : second + right.shape[0], width - right.shape[1] :]
    np.maximum(place, right, out=place)
    return tight(both)


def piece(ink: Ink, label: int, rng: np.random.Generator) -> Ink | None:
    """A part of a digit that is no digit any more, or None where its parts may look like digits."""
    if label in _CUT_ALL and rng.random() < 0.4:  # a third of it, any way up, as a crop that misses the digit has it
        turned = np.rot90(ink, int(rng.integers(4)))
        part = turned[: max(2, round(len(turned) * rng.uniform(0.25, 0.42)))]
        return tight(part) if (part > 128).sum() > 20 else None
    share = rng.uniform(0.38, 0.55)
    height, width = ink.shape
    if label in _CUT_ALONG and (label not in _CUT_ACROSS or rng.random() < 0.5):
        cut = max(1, round(width * share))
        part = ink[:, :cut] if rng.random() < 0.5 or label == 3 else ink[:, -cut:]
    elif label in _CUT_ACROSS:
        cut = max(1, round(height * share))
        part = ink[:cut] if label == 5 or rng.random() < 0.5 else ink[-cut:]
    else:
        return None
    return tight(part) if (part > 128).sum() > 20 else None


def scribble(rng: np.random.Generator) -> Ink:
    """A line that wanders, or hatching: what people try a pen with."""
    side = SPRITE_SIDE
    ink = np.zeros((side + 20, side + 20), np.uint8)
    kind = rng.integers(3)
    pen = int(rng.integers(2, 8))
    if kind == 0:  # a random walk, smooth
        count = int(rng.integers(5, 14))
        nodes = rng.uniform(8, side + 12, (count, 2))
        cv2.polylines(ink, [_smooth(nodes)], False, 255, pen, cv2.LINE_AA, 4)
    elif kind == 1:  # zigzag
        count = int(rng.integers(6, 14))
        along = np.linspace(8, side + 12, count)
        across = np.where(np.arange(count) % 2, rng.uniform(8, 30), rng.uniform(45, side + 12)) + rng.normal(
            0, 4, count
        )
        nodes = np.column_stack([along, across])
        nodes = nodes if rng.random() < 0.5 else nodes[:, ::-1]
        cv2.polylines(ink, [np.rint(nodes * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
    else:  # several separate strokes that cross
        for _ in range(rng.integers(3, 8)):
            nodes = rng.uniform(8, side + 12, (int(rng.integers(2, 5)), 2))
            cv2.polylines(ink, [_smooth(nodes)], False, 255, pen, cv2.LINE_AA, 4)
    return tight(ink)


def figure(rng: np.random.Generator) -> Ink:
    """A drawn figure: polygon, star, cross, arrow, wave, heart-like blob, dots, filled shape."""
    side = SPRITE_SIDE + 20
    ink = np.zeros((side, side), np.uint8)
    kind = rng.integers(7)
    pen = int(rng.integers(2, 8))
    middle, radius = side / 2, rng.uniform(18, 30)
    if kind in (0, 1):  # polygon, star: open or filled
        corners = int(rng.integers(3, 7)) if kind == 0 else 10
        angles = np.arange(corners) * 2 * math.pi / corners + rng.uniform(0, 6)
        radii = np.full(corners, radius) if kind == 0 else np.where(np.arange(10) % 2, radius, radius * 0.42)
        radii = radii * rng.uniform(0.85, 1.15, corners)
        points = np.column_stack([middle + radii * np.cos(angles), middle + radii * np.sin(angles)])
        shifted = np.rint(points * 16).astype(np.int32)
        if rng.random() < 0.4:
            cv2.fillPoly(ink, [shifted], 255, cv2.LINE_AA, 4)
        else:
            cv2.polylines(ink, [shifted], True, 255, pen, cv2.LINE_AA, 4)
    elif kind == 2:  # cross, plus, asterisk
        for angle in np.arange(0, math.pi, math.pi / rng.integers(2, 5)) + rng.uniform(0, 0.8):
            away = radius * np.array([math.cos(angle), math.sin(angle)])
            _line(ink, middle - away, middle + away, pen)
    elif kind == 3:  # arrow, tick
        tip = np.array([middle + radius, middle + rng.uniform(-10, 10)])
        _line(ink, np.array([middle - radius, middle]), tip, pen)
        for sign in (-1, 1):
            _line(ink, tip, tip + np.array([-radius * 0.6, sign * radius * 0.6]), pen)
    elif kind == 4:  # wave
        along = np.linspace(8, side - 8, 40)
        wave = middle + radius * 0.5 * np.sin(along / rng.uniform(3, 8) + rng.uniform(0, 6))
        points = np.rint(np.column_stack([along, wave]) * 16).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, pen, cv2.LINE_AA, 4)
    elif kind == 5:  # blob
        count = 9
        angles = np.arange(count) * 2 * math.pi / count
        radii = rng.uniform(0.5, 1.1, count) * radius
        points = np.column_stack([middle + radii * np.cos(angles), middle + radii * np.sin(angles)])
        cv2.fillPoly(ink, [_smooth(np.vstack([points, points[:1]]))], 255, cv2.LINE_AA, 4)
    else:  # dots
        for _ in range(rng.integers(3, 12)):
            place = tuple(int(v) for v in rng.integers(8, side - 8, 2))
            cv2.circle(ink, place, int(rng.integers(2, 7)), 255, -1, cv2.LINE_AA)
    return tight(ink)


def tight(ink: Ink, floor: int = 40) -> Ink:
    """The part of ``ink`` that holds values of ``floor`` and more; the whole where none does."""
    marked = ink >= floor
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else ink


def line_of(sprites: Sequence[Ink], gap: int) -> Ink:
    """Sprites side by side on a common foot, ``gap`` pixels apart: a word."""
    height = max(sprite.shape[0] for sprite in sprites)
    width = sum(sprite.shape[1] for sprite in sprites) + gap * (len(sprites) - 1)
    row = np.zeros((height, width), np.uint8)
    left = 0
    for sprite in sprites:
        row[height - sprite.shape[0] :, left : left + sprite.shape[1]] = sprite
        left += sprite.shape[1] + gap
    return row


def _other_pen(ink: Ink, rng: np.random.Generator, dose: float) -> Ink:
    change = rng.normal(0, 1.6) * dose
    size = min(round(abs(change)), 4)
    if size == 0:
        return ink
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size + 1, size + 1))
    padded = np.pad(ink, size)
    if change > 0:
        return np.asarray(cv2.dilate(padded, kernel), np.uint8)
    thin = np.asarray(cv2.erode(padded, kernel), np.uint8)
    # A pen that is thin already would vanish.
    return thin if (thin > 128).sum() > 0.45 * (ink > 128).sum() else ink


def _smooth(nodes: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """A Catmull-Rom curve through ``nodes`` (n, 2), eight points a stretch, in sixteenths of a pixel."""
    padded = np.vstack([2 * nodes[0] - nodes[1], nodes, 2 * nodes[-1] - nodes[-2]])
    steps = np.linspace(0, 1, 8)[:, None]
    before, start, end, after = (padded[k : len(padded) - 3 + k, None] for k in range(4))
    curve = 0.5 * (
        2 * start
        + (end - before) * steps
        + (2 * before - 5 * start + 4 * end - after) * steps**2
        + (3 * start - before - 3 * end + after) * steps**3
    )
    return np.asarray(np.rint(curve.reshape(-1, 2) * 16), np.int32)


def _line(ink: Ink, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], pen: int) -> None:
    first, last = (tuple(int(v) for v in np.rint(point * 16)) for point in (start, end))
    cv2.line(ink, first, last, 255, pen, cv2.LINE_AA, 4)


def _last_column(ink: Ink) -> int:
    return int(np.flatnonzero((ink > 128).any(0))[-1]) if (ink > 128).any() else ink.shape[1] - 1


__all__ = [
    "SPRITE_SIDE",
    "Ink",
    "bent",
    "figure",
    "is_marked_zero",
    "is_upright_bar",
    "line_of",
    "outlined",
    "piece",
    "run_together",
    "scribble",
    "sprite_of_drawing",
    "sprite_of_frame",
    "straight_stroke",
    "tight",
    "with_gaps",
]
