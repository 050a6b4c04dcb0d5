"""A sprite becomes a cell of a grid as a photo has it: its lines, what reaches in from beside it, paper, light, camera.

Print and handwriting differ in darkness and in blur within one grid. Knows nothing of labels or networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.grids.grid_lines import CELL
from digit_recognizer.training.inkfinder.scenes import light_on, paper, put
from digit_recognizer.training.ship.sprites import Ink

_Floats = npt.NDArray[np.float32]
_SIDES = (24.0, 84.0)  # pixels of a cell in the photo; of larger ones nothing more is left when it is straightened
_GOOD = 0.5  # share of photos that are as most people's: near, in focus, in even light, dark ink
_NEAR = 34.0  # pixels of a cell in these at least
_AROUND = 0.3  # of a cell's side that is drawn around it
_OBLONG = 0.25  # share of cells that are no squares
_HEIGHTS = (0.27, 0.86)  # heights of handwriting, of the cell's shorter side
_PRINT_HEIGHTS = (0.36, 0.8)
_INTRUDES = 0.12  # share of sides over which a neighbour's stroke reaches into the cell
_OUT_OF_FOCUS = 0.24  # share of photos so blurred that strokes nearly run together
_ROUGH = 60.0  # grey levels of ink on paper from which on the paper may be as rough as it comes


def cell_of(ink: Ink | None, others: Sequence[Ink], rng: np.random.Generator, *, printed: bool = False) -> Ink:
    """Take a picture of one cell: uint8 (64, 64), dark ink on light ground, with the lines around it.

    ink: uint8 (h, w), ink bright on black; None for an empty cell. others: what stands in the cells around it.
    printed: in its place and size, as print is; else as a hand puts it.
    """
    good = rng.random() < _GOOD
    side = math.exp(rng.uniform(math.log(_NEAR if good else _SIDES[0]), math.log(_SIDES[1])))
    ratio = math.exp(rng.uniform(-0.5, 0.6)) if rng.random() < _OBLONG else math.exp(rng.normal(0, 0.04))
    width, height = side * math.sqrt(ratio), side / math.sqrt(ratio)
    around = _AROUND * side
    shape = math.ceil(height + 2 * around), math.ceil(width + 2 * around)
    left, top = around, around
    written = np.zeros(shape, np.float32)
    if ink is not None:
        put(written, *_placed(ink, (left, top, width, height), rng, printed))
    for right, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        if len(others) and rng.random() < _INTRUDES:
            _intrude(written, others, (left, top, width, height), (right, down), rng)
    lines = _lines(shape, (left, top, width, height), side, rng)
    if rng.random() < 0.3:  # print with soft edges, a pen that bled
        written = np.asarray(cv2.GaussianBlur(written, (0, 0), side * rng.uniform(0.006, 0.04)), np.float32)
    contrast = rng.uniform(0.2, 0.95) if good or rng.random() < 0.6 else rng.uniform(0.07, 0.25)
    if rng.random() < (0.1 if good else 0.4):
        coarse = rng.uniform(0.5, 1.0, (int(rng.integers(2, 7)),) * 2).astype(np.float32)
        written = written * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    ground = paper(shape, rng)
    level = float(ground.mean())
    depth = contrast * level  # grey levels between paper and ink; what is rougher than that cannot be read by anybody
    ground = level + (ground - level) * min(1.0, depth / _ROUGH)
    picture = ground * (1 - rng.uniform(0.1, 0.95) * lines) * (1 - contrast * written)
    if not good and rng.random() < 0.4:
        picture = picture * light_on(shape, rng)
    taken = _through_camera(np.asarray(picture, np.float32), side, depth, rng, good=good)
    return _straightened(taken, (left, top, width, height), side, rng)


def _placed(
    ink: Ink, cell: tuple[float, float, float, float], rng: np.random.Generator, printed: bool
) -> tuple[_Floats, int, int]:
    """The ink in the size that it has in its cell, and where its upper left corner lies, (x, y)."""
    left, top, width, height = cell
    tall = rng.uniform(*(_PRINT_HEIGHTS if printed else _HEIGHTS)) * min(width, height)
    scale = min(tall / ink.shape[0], 0.92 * width / ink.shape[1], 1.6 * tall / ink.shape[1])
    narrow = rng.uniform(0.6, 0.95) if rng.random() < 0.2 else 1.0
    sides = max(2, round(ink.shape[1] * scale * narrow)), max(2, round(ink.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    one = np.asarray(cv2.resize(ink, sides, interpolation=method), np.float32) / np.float32(255)
    spread = 0.03 if printed else 0.09
    x = left + (width - sides[0]) / 2 + rng.normal(0, spread) * width
    y = top + (height - sides[1]) / 2 + rng.normal(0, spread) * height
    if rng.random() < 0.85:  # within its cell
        x = min(max(x, left + 0.03 * width), left + 0.97 * width - sides[0])
        y = min(max(y, top + 0.03 * height), top + 0.97 * height - sides[1])
    return one, round(x), round(y)


def _intrude(
    written: _Floats,
    others: Sequence[Ink],
    cell: tuple[float, float, float, float],
    towards: tuple[int, int],
    rng: np.random.Generator,
) -> None:
    """A neighbour on one side whose strokes reach over the line by a tenth of the cell at most."""
    left, top, width, height = cell
    one, x, y = _placed(others[int(rng.integers(len(others)))], cell, rng, False)
    reach = rng.uniform(-0.05, 0.1)
    if towards[0]:
        x = round(left + reach * width - one.shape[1]) if towards[0] < 0 else round(left + width - reach * width)
    else:
        y = round(top + reach * height - one.shape[0]) if towards[1] < 0 else round(top + height - reach * height)
    put(written, one, x, y)


def _lines(
    shape: tuple[int, int], cell: tuple[float, float, float, float], side: float, rng: np.random.Generator
) -> _Floats:
    """The lines around a cell, each of its own weight: 0-1, float32 (H, W)."""
    left, top, width, height = cell
    lines = np.zeros(shape, np.float32)
    usual = rng.uniform(0.008, 0.05) * side
    for at, upright in ((left, True), (left + width, True), (top, False), (top + height, False)):
        if rng.random() < 0.06:
            continue
        pen = usual if rng.random() < 0.7 else rng.uniform(0.02, 0.11) * side
        at = at + rng.normal(0, 0.012) * side
        lean = rng.normal(0, 0.012) * side
        first, last = ((at - lean, 0.0), (at + lean, float(shape[0])))
        if not upright:
            first, last = (0.0, at - lean), (float(shape[1]), at + lean)
        one = np.zeros(shape, np.float32)
        ends = [tuple(round(16 * v) for v in end) for end in (first, last)]
        cv2.line(one, ends[0], ends[1], 1.0, max(1, round(pen)), cv2.LINE_AA, 4)
        np.maximum(lines, one * min(1.0, max(pen, 0.3)) * rng.uniform(0.5, 1.0), out=lines)
    return lines


def _through_camera(picture: _Floats, side: float, depth: float, rng: np.random.Generator, *, good: bool) -> Ink:
    """Lens, sensor and codec: uint8 (H, W). depth: grey levels between paper and ink. good: in focus, little noise."""
    kind = _OUT_OF_FOCUS + (1 - _OUT_OF_FOCUS) * rng.random() if good else rng.random()
    if kind < _OUT_OF_FOCUS:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), side * rng.uniform(0.03, 0.07)), np.float32)
    elif kind < 0.85:
        sigma = side * math.exp(rng.uniform(math.log(0.005), math.log(0.03 if good else 0.045)))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.2, sigma)), np.float32)
    if rng.random() < 0.6:
        spread = max(0.4, min(8.0, depth * math.exp(rng.uniform(math.log(0.01), math.log(0.06 if good else 0.15)))))
        noise = rng.normal(0, spread, picture.shape).astype(np.float32)
        if rng.random() < 0.5:
            noise = 1.6 * cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.2))
        picture = picture + noise
    if rng.random() < 0.3:  # a phone's sharpening
        picture = picture + rng.uniform(0.3, 1.5) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
        grey = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return grey


def _straightened(grey: Ink, cell: tuple[float, float, float, float], side: float, rng: np.random.Generator) -> Ink:
    """The cell cut out, its corners found a little beside where they are: uint8 (64, 64)."""
    left, top, width, height = cell
    corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    corners = corners + rng.normal(0, 0.012, 2) * side + rng.normal(0, 0.016, (4, 2)) * side
    target = np.array([[0, 0], [CELL, 0], [CELL, CELL], [0, CELL]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(grey, matrix, (CELL, CELL), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


__all__ = ["cell_of"]
