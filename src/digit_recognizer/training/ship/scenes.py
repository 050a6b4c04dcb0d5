"""A sprite becomes a grey crop as people take it: paper, light, ink, lines, neighbours, cameras and scanners.

Every crop draws its own values. Which are drawn how often stands in ``Odds``, measured in docs/log.md. Knows nothing of
labels or of what becomes of the crop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.training.ship.sprites import SPRITE_SIDE, Ink

_Floats = npt.NDArray[np.float32]
_OUT_OF_FOCUS = (0.05, 0.12)  # the blur's sigma in heights of a digit


@dataclass(frozen=True)
class Odds:
    """How often a crop has each thing, 0-1.

    tight: no margin on any side. neighbours: parts of other characters at the crop's edges. rules: lines of ruled or
    squared paper. crossed: a stray line through the digit. box: a frame around it, or parts of one. paper: texture and
    colour of paper instead of a plain ground. shade: light that falls off, or the edge of a shadow. blur, noise,
    specks, jpeg: of the camera. out_of_focus: so blurred that strokes nearly run together. coarse: taken at 11 to 30
    pixels. stretched: scanned into a square, whatever the digit's shape. hard: black and white only. faded: ink of
    uneven strength. inverted: light ink on dark ground.
    """

    tight: float = 0.3
    neighbours: float = 0.25
    rules: float = 0.12
    crossed: float = 0.1
    box: float = 0.08
    paper: float = 0.4
    shade: float = 0.3
    blur: float = 0.4
    out_of_focus: float = 0.0
    noise: float = 0.3
    specks: float = 0.08
    jpeg: float = 0.12
    coarse: float = 0.3
    stretched: float = 0.08
    hard: float = 0.2
    faded: float = 0.2
    inverted: float = 0.4


def crop_of(ink: Ink, others: Sequence[Ink], rng: np.random.Generator, odds: Odds | None = None) -> Ink:
    """Take a picture of one sprite.

    ink: uint8 (h, w), ink bright on black, longest side about 60. others: sprites from which neighbours are taken.
    Returns a grey crop, uint8 (H, W), 8 to about 200 pixels a side, of any polarity.
    """
    odds = odds or Odds()

    def drawn(share: float) -> bool:
        return bool(rng.random() < share)

    stretched = drawn(odds.stretched)
    is_tight = drawn(odds.tight) or stretched
    coarse, hard = drawn(odds.coarse) or stretched, drawn(odds.hard)
    with_neighbours = drawn(odds.neighbours) and bool(others) and not stretched
    canvas = _placed(ink, rng, 0.0 if is_tight else 0.6)
    if with_neighbours:
        canvas = _with_neighbours(canvas, others, rng)
    if drawn(odds.faded):
        canvas = canvas * _clouds(canvas.shape, rng, 0.45, 1.0)
    lines = np.zeros_like(canvas)
    if not is_tight and drawn(odds.rules):
        lines = np.maximum(lines, _rules(canvas.shape, rng))
    if not is_tight and drawn(odds.box):
        lines = np.maximum(lines, _box(canvas, rng))
    if drawn(odds.crossed):
        lines = np.maximum(lines, _stray_line(canvas.shape, rng))
    strength = rng.uniform(0.25, 1.0)
    covered = np.maximum(canvas, lines * strength)

    ground, mark = _levels(rng, clean=not drawn(odds.paper))
    picture = ground + (mark - ground) * covered
    if ground not in (0.0, 255.0) or mark not in (0.0, 255.0):
        if drawn(0.6):
            picture = picture + _clouds(picture.shape, rng, -1, 1) * rng.uniform(0.02, 0.12) * abs(ground - mark)
        if drawn(0.5):
            picture = picture + rng.normal(0, rng.uniform(0.01, 0.08) * abs(ground - mark), picture.shape)
    if drawn(odds.shade):
        picture = picture * _shade(picture.shape, rng)
    is_soft = odds.out_of_focus > 0 and drawn(odds.out_of_focus)
    if is_soft or drawn(odds.blur):
        sigma = math.exp(rng.uniform(math.log(0.4), math.log(3.0)))
        if is_soft:
            sigma = rng.uniform(*_OUT_OF_FOCUS) * SPRITE_SIDE
        picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)
    if stretched:
        side = int(rng.integers(12, 25))
        picture = _resized(picture, side, side)
    elif coarse:
        longest = max(picture.shape)
        share = rng.uniform(11, 30) / longest
        picture = _resized(picture, max(3, round(picture.shape[0] * share)), max(3, round(picture.shape[1] * share)))
    if drawn(odds.noise):
        spread = float(picture.max() - picture.min())  # noise beyond a fifth of it leaves nothing to read
        picture = picture + rng.normal(0, spread * math.exp(rng.uniform(math.log(0.01), math.log(0.2))), picture.shape)
    if drawn(odds.specks):
        hit = rng.random(picture.shape) < rng.uniform(0.002, 0.03)
        picture = np.where(hit, rng.choice([0, 255], picture.shape), picture)
    if hard:
        low, high = np.percentile(picture, [2, 98])
        picture = np.where(picture > low + (high - low) * rng.uniform(0.3, 0.7), 255, 0)
    if drawn(odds.inverted):
        picture = 255 - picture
    grey: Ink = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if drawn(odds.jpeg) and not hard:
        _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        grey = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return grey


def texture(rng: np.random.Generator) -> Ink:
    """A crop with no character at all: paper, clouds, noise, stripes, gradients, patches. uint8 (H, W)."""
    height, width = (int(v) for v in rng.integers(12, 90, 2))
    kind = rng.integers(6)
    level, depth = rng.uniform(20, 235), math.exp(rng.uniform(1.5, 4.8))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    if kind == 0:
        picture = level + _clouds((height, width), rng, -1, 1) * depth
    elif kind == 1:
        picture = rng.normal(level, depth, (height, width))
    elif kind == 2:
        angle, period = rng.uniform(0, math.pi), rng.uniform(3, 30)
        along = rows * math.sin(angle) + columns * math.cos(angle)
        picture = level + depth * np.sign(np.sin(along * 2 * math.pi / period))
    elif kind == 3:
        picture = level + depth * (rows / height * rng.uniform(-1, 1) + columns / width * rng.uniform(-1, 1))
    elif kind == 4:
        picture = np.full((height, width), level)
        for _ in range(rng.integers(1, 6)):
            top, left = int(rng.integers(0, height)), int(rng.integers(0, width))
            rows_high, columns_wide = int(rng.integers(3, height)), int(rng.integers(3, width))
            picture[top : top + rows_high, left : left + columns_wide] = rng.uniform(0, 255)
    else:
        scales = [_clouds((height, width), rng, -1, 1, nodes) / nodes**0.5 for nodes in (3, 6, 12, 24)]
        picture = level + depth * 2 * np.sum(scales, 0)
    if rng.random() < 0.5:
        picture = picture + rng.normal(0, rng.uniform(1, 20), (height, width))
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _placed(ink: Ink, rng: np.random.Generator, margin: float) -> _Floats:
    """The sprite on an empty canvas, 0-1, with margins up to ``margin`` of its longest side on each side."""
    longest = max(ink.shape)
    top, bottom, left, right = (int(v) for v in rng.uniform(0.02, max(margin, 0.021), 4) * longest * (margin > 0))
    return np.pad(ink.astype(np.float32) / 255, ((top, bottom), (left, right)))


def _with_neighbours(canvas: _Floats, others: Sequence[Ink], rng: np.random.Generator) -> _Floats:
    """Parts of other characters come in from one or two sides, cut off by the crop's edge; the crop grows for them."""
    height, width = canvas.shape
    for side in rng.permutation(4)[: rng.integers(1, 3)]:
        other = others[int(rng.integers(len(others)))].astype(np.float32) / 255
        horizontal = side < 2 or rng.random() < 0.6  # beside it more often than above or below
        if not horizontal:
            other = other.T
        thickness = other.shape[1]
        seen = min(thickness, max(2, round(thickness * rng.uniform(0.06, 0.45))))
        part = other[:, :seen] if side % 2 else other[:, -seen:]
        across = height if horizontal else width
        strip = np.zeros((across, seen), np.float32)
        offset = int(rng.integers(-other.shape[0] // 3, max(1, across - other.shape[0] * 2 // 3)))
        top, bottom = max(0, offset), min(across, offset + other.shape[0])
        if bottom > top:
            strip[top:bottom] = part[top - offset : bottom - offset]
        if not horizontal:
            strip = strip.T
        gap = max(0, round(rng.normal(0.08, 0.08) * SPRITE_SIDE))
        canvas = _beside(canvas, strip, gap, after=bool(side % 2), axis=1 if horizontal else 0)
        height, width = canvas.shape
    return canvas


def _beside(canvas: _Floats, strip: _Floats, gap: int, *, after: bool, axis: int) -> _Floats:
    # The margin that is there already counts as distance.
    marked = np.flatnonzero((canvas > 0.15).any(1 - axis))
    free = 0
    if len(marked):
        free = canvas.shape[axis] - 1 - int(marked[-1]) if after else int(marked[0])
    grow = max(0, gap + strip.shape[axis] - free)
    pads = [(0, 0), (0, 0)]
    pads[axis] = (0, grow) if after else (grow, 0)
    canvas = np.pad(canvas, pads)
    size = strip.shape[axis]
    place = [slice(None), slice(None)]
    place[axis] = slice(canvas.shape[axis] - size, None) if after else slice(0, size)
    region = canvas[tuple(place)]
    np.maximum(region, strip, out=region)
    return canvas


def _rules(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Lines of ruled paper, or of squared paper, slightly askew."""
    lines = np.zeros(shape, np.float32)
    height, width = shape
    pen = int(rng.integers(1, 4))
    tilt = rng.normal(0, 0.03)
    directions = (0, 1) if rng.random() < 0.35 else (int(rng.random() < 0.25),)
    for direction in directions:
        span, across = (width, height) if direction == 0 else (height, width)
        spacing = rng.uniform(0.35, 1.2) * SPRITE_SIDE
        at = rng.uniform(0, spacing)
        while at < across:
            start, end = at - tilt * span / 2, at + tilt * span / 2
            ends = ((0, start), (span, end)) if direction == 0 else ((start, 0), (end, span))
            first, last = (tuple(round(v * 16) for v in point) for point in ends)
            cv2.line(lines, first, last, 1.0, pen, cv2.LINE_AA, 4)
            at += spacing
    return lines


def _box(canvas: _Floats, rng: np.random.Generator) -> _Floats:
    """A frame near the crop's edges, all four sides or some of them."""
    lines = np.zeros_like(canvas)
    height, width = canvas.shape
    pen = int(rng.integers(1, 5))
    insets = rng.uniform(0, 0.06, 4) * max(height, width)
    ends = [
        ((0, insets[0]), (width, insets[0])),
        ((0, height - 1 - insets[1]), (width, height - 1 - insets[1])),
        ((insets[2], 0), (insets[2], height)),
        ((width - 1 - insets[3], 0), (width - 1 - insets[3], height)),
    ]
    shown = rng.random(4) < rng.choice([0.4, 1.0])
    for (start, end), is_shown in zip(ends, shown, strict=True):
        if is_shown:
            first, last = (tuple(round(v * 16) for v in point) for point in (start, end))
            cv2.line(lines, first, last, 1.0, pen, cv2.LINE_AA, 4)
    return lines


def _stray_line(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """A thin line from one side of the crop to the other, straight or bent once or twice."""
    lines = np.zeros(shape, np.float32)
    height, width = shape
    nodes = int(rng.integers(2, 5))
    points = np.column_stack([np.linspace(0, width, nodes), rng.uniform(0, height, nodes)])
    if rng.random() < 0.5:
        points = np.column_stack([rng.uniform(0, width, nodes), np.linspace(0, height, nodes)])
    shifted = np.rint(points * 16).astype(np.int32)
    cv2.polylines(lines, [shifted], False, 1.0, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
    return lines


def _levels(rng: np.random.Generator, *, clean: bool) -> tuple[float, float]:
    """Grey levels of ground and ink; the ground lighter (crops are inverted later)."""
    if clean and rng.random() < 0.7:
        return 255.0, 0.0
    contrast = math.exp(rng.uniform(math.log(45), math.log(250)))
    ground = rng.uniform(contrast, 255)
    return ground, ground - contrast


def _clouds(shape: tuple[int, ...], rng: np.random.Generator, low: float, high: float, nodes: int = 0) -> _Floats:
    """Smooth random values between ``low`` and ``high``."""
    nodes = nodes or int(rng.integers(2, 8))
    coarse = rng.uniform(low, high, (nodes, nodes)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _shade(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Light, 0-1: falling off in one direction, or with the soft edge of a shadow across the crop."""
    height, width = shape
    angle = rng.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    along = (columns / width - 0.5) * math.cos(angle) + (rows / height - 0.5) * math.sin(angle)
    depth = rng.uniform(0.1, 0.55)
    if rng.random() < 0.6:
        return np.asarray(1 - depth * (along + 0.7) / 1.4, np.float32)
    softness, place = rng.uniform(0.02, 0.2), rng.uniform(-0.3, 0.3)
    return np.asarray(1 - depth / (1 + np.exp(-(along - place) / softness)), np.float32)


def _resized(picture: npt.NDArray[np.floating], height: int, width: int) -> _Floats:
    shrinking = height < picture.shape[0]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture.astype(np.float32), (width, height), interpolation=method), np.float32)


__all__ = ["Odds", "crop_of", "texture"]
