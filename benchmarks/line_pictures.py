"""MNIST digits become pictures of one line of digits as a camera sees it; and pictures that hold no digit at all.

Drawn by code of its own (contours, not pixels, are scaled, slanted and thickened; papers and light are other ones), so
that no training composed the like. Grey, uint8 (H, W). Knows nothing of readers.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Digits

SPACINGS = ("wide", "normal", "narrow", "some touch", "all touch")
WITH_GAPS = SPACINGS[:3]
TOUCHING = SPACINGS[3:]
# (rule, share of the pictures): there are none for digits in boxes that touch each other.
RULES = (("none", 0.5), ("below", 0.16), ("lines", 0.16), ("dots", 0.08), ("comb", 0.06), ("squares", 0.04))

LONGEST = 10  # digits in a line
_GAPS = {"wide": (0.35, 0.8), "normal": (0.12, 0.35), "narrow": (0.04, 0.12)}  # of the digits' height
_TOUCH = {"some touch": 0.34, "all touch": 1.0}  # share of neighbours that touch
_ON_TOP = 0.12  # of the height: how much further than to the next ink a digit is moved
_FINER = 8  # times the grid on which contours are found

Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


class LinePicture(NamedTuple):
    """A line of digits. grey: uint8 (H, W). text: its digits. spacing, rules, paper: how it was made."""

    grey: Grey
    text: str
    spacing: str
    rules: str
    paper: str


def compose_line(digits: Digits, spacing: str, length: int, rng: np.random.Generator) -> LinePicture:
    """One line of ``length`` digits, 1 to 10, drawn at random."""
    chosen = rng.integers(0, len(digits), length)
    text = "".join(str(label) for label in digits.known_labels()[chosen])
    height = float(rng.uniform(22, 64))
    slant, weight = float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.35, 0.7))
    sprites = [_drawn(digits.images[index], height, slant, weight, rng) for index in chosen]
    ink = _placed(sprites, spacing, height, rng)
    names, shares = zip(*RULES, strict=True)
    rules = str(rng.choice(names, p=shares))
    if rules == "comb" and spacing in TOUCHING:
        rules = "below"
    ink = np.pad(ink, [(int(rng.uniform(0.4, 1.2) * height), int(rng.uniform(0.4, 1.2) * height)) for _ in range(2)])
    paper = str(rng.choice(list(PAPERS)))
    ink = np.maximum(ink, _ruled(ink, rules, height, rng))
    return LinePicture(_photographed(ink, paper, rng), text, spacing, rules, paper)


def blank(rng: np.random.Generator) -> Grey:
    """Paper alone, or paper with rules and nothing on them."""
    ink = np.zeros((int(rng.integers(60, 260)), int(rng.integers(80, 500))), np.float32)
    rules = str(rng.choice([name for name, _ in RULES if name != "comb"]))  # a lone tick is a 1
    ink = np.maximum(ink, _ruled(ink, rules, float(rng.uniform(24, 60)), rng))
    return _photographed(ink, str(rng.choice(list(PAPERS))), rng)


def words(rng: np.random.Generator) -> Grey:
    """One to four lines of words, print or script, no digit in them."""
    faces = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX]
    faces += [cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_PLAIN]
    face = int(rng.choice(faces))
    height = int(rng.integers(18, 48))
    scale = cv2.getFontScaleFromHeight(face, height)
    thickness = max(1, round(height / 14 * float(rng.uniform(0.7, 1.6))))
    known = _WORDS.split()
    lines = [" ".join(rng.choice(known, int(rng.integers(1, 5)))) for _ in range(int(rng.integers(1, 5)))]
    if rng.random() < 0.2:
        lines = [line.upper() for line in lines]
    width = max(cv2.getTextSize(line, face, scale, thickness)[0][0] for line in lines)
    page = np.zeros((2 * height * (len(lines) + 1), width + 2 * height), np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(page, line, (height, 2 * height * (number + 1)), face, scale, 255, thickness, cv2.LINE_AA)
    slant = float(rng.uniform(-0.25, 0.25))
    shift = np.array([[1, slant, -slant * page.shape[0] / 2], [0, 1, 0]], np.float32)
    ink = cv2.warpAffine(page, shift, page.shape[::-1], flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    return _photographed(ink, str(rng.choice(list(PAPERS))), rng)


def noise(rng: np.random.Generator) -> Grey:
    """Nothing that anybody wrote: static, sparse dots, soft clouds, stripes, hair and scratches, an edge."""
    shape = int(rng.integers(60, 260)), int(rng.integers(80, 400))
    kind = int(rng.integers(6))
    if kind == 0:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == 1:
        return np.where(rng.random(shape) < rng.uniform(0.002, 0.05), 20, 235).astype(np.uint8)
    if kind == 2:
        cloud = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), float(rng.uniform(4, 30)))
        return _to_bytes(128 + 70 * cloud / float(np.abs(cloud).max()))
    if kind == 3:
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        turn, pitch = rng.uniform(0, np.pi), rng.uniform(4, 40)
        wave = np.sin((rows * np.cos(turn) + columns * np.sin(turn)) * 2 * np.pi / pitch)
        return _to_bytes(150 + 80 * wave + rng.normal(0, 4, shape))
    if kind == 4:
        page = np.full(shape, 225, np.uint8)
        for _ in range(int(rng.integers(3, 12))):
            points = np.cumsum(rng.normal(0, 14, (12, 2)), axis=0) + rng.uniform(0, 1, 2) * shape[::-1]
            cv2.polylines(page, [points.astype(np.int32)], False, int(rng.integers(60, 150)), 1, cv2.LINE_AA)
        return page
    page = np.full(shape, rng.uniform(30, 110), np.float32)
    corners = rng.uniform(0, 1, (3, 2)) * shape[::-1]
    cv2.fillConvexPoly(page, corners.astype(np.int32), float(rng.uniform(150, 240)))
    return _to_bytes(cv2.GaussianBlur(page, (0, 0), 1.5) + rng.normal(0, 4, shape))


OTHERS: MappingProxyType[str, Callable[[np.random.Generator], Grey]] = MappingProxyType(
    {"blank": blank, "words": words, "noise": noise}
)


def page_of_81(
    digits: Digits, rng: np.random.Generator, side: tuple[int, int] = (3000, 4000)
) -> tuple[Grey, list[str]]:
    """A photo of nine lines of nine digits, and their texts. side: (height, width)."""
    page, texts = np.zeros(side, np.float32), []
    pitch = side[0] / 10.5
    for row in range(9):
        chosen = rng.integers(0, len(digits), 9)
        sprites = [_drawn(digits.images[index], 0.5 * pitch, 0.1, 0.2, rng) for index in chosen]
        line = _placed(sprites, "normal", 0.5 * pitch, rng)[:, : side[1] - 400]
        top = round((row + 0.9) * pitch)
        page[top : top + len(line), 200 : 200 + line.shape[1]] = line
        texts.append("".join(str(label) for label in digits.known_labels()[chosen]))
    rows, columns = np.mgrid[: side[0], : side[1]].astype(np.float32)
    light = 1 - 0.35 * np.hypot(rows / side[0] - 0.3, columns / side[1] - 0.6)
    return _to_bytes((225 - 150 * page) * light + rng.normal(0, 3, side).astype(np.float32)), texts


def _drawn(image: Grey, height: float, slant: float, weight: float, rng: np.random.Generator) -> _Floats:
    """A digit's contour redrawn ``height`` pixels tall, tight: float32 (H, W), 0-1. weight: 28ths that strokes gain."""
    fine = cv2.resize(np.pad(image, 6), None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_CUBIC)
    inside = (fine > 85).astype(np.uint8)  # a third of full ink: at half, thin links that are there would break
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth += _FINER * max(weight, -0.45 * float(depth.max()) / _FINER)
    rows = np.flatnonzero((depth > 0).any(axis=1))
    scale = height * float(rng.uniform(0.88, 1.12)) / (rows[-1] - rows[0] + 1)
    turn = float(rng.normal(0, 0.05))
    lean = slant + float(rng.normal(0, 0.05))
    wide = float(rng.uniform(0.85, 1.2))
    middle = np.array(depth.shape[::-1]) / 2
    linear = scale * np.array([[wide, -lean - turn], [turn * wide, 1.0]])
    size = np.ceil(np.array(depth.shape[::-1]) * scale * 1.7).astype(int)
    matrix = np.hstack([linear, (size / 2 - linear @ middle)[:, None]])
    warped = cv2.warpAffine(depth, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderValue=-999.0)
    ink = np.clip(0.5 + warped * scale, 0, 1).astype(np.float32)
    rows, columns = np.flatnonzero((ink > 0.3).any(1)), np.flatnonzero((ink > 0.3).any(0))
    return np.asarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32)


def _placed(sprites: list[_Floats], spacing: str, height: float, rng: np.random.Generator) -> _Floats:
    """Digits side by side on a wavering base line: float32 (H, W)."""
    tall = round(1.6 * height) + max(len(sprite) for sprite in sprites)
    strip = np.zeros((tall, sum(sprite.shape[1] for sprite in sprites) + round(len(sprites) * height) + 4), np.float32)
    base = tall - round(0.5 * height)
    last: _Floats | None = None
    end = 2
    for sprite in sprites:
        top = int(np.clip(base - len(sprite) + rng.normal(0, 0.04) * height, 0, tall - len(sprite)))
        alone = np.zeros_like(strip)
        at = end
        touches = spacing in _TOUCH and rng.random() < _TOUCH[spacing]
        if last is not None:
            low, high = _GAPS["narrow" if spacing in _TOUCH else spacing]
            gap = max(2, round(float(rng.uniform(low, high)) * height))
            at = _nearest(last, sprite, top) + (0 if touches else gap)
            if touches:
                at -= round(float(rng.uniform(0.0, 0.05)) * height)
        alone[top : top + len(sprite), at : at + sprite.shape[1]] = sprite
        # Nearer until they touch; what would have to lie on the other to do so is left beside it.
        least = at - round(_ON_TOP * height)
        while touches and last is not None and at > max(1, least) and not _joined(last, alone):
            at -= 1
            alone = np.roll(alone, -1, axis=1)
        np.maximum(strip, alone, out=strip)
        end = at + sprite.shape[1]
        last = alone
    columns = np.flatnonzero((strip > 0.3).any(0))
    rows = np.flatnonzero((strip > 0.3).any(1))
    return strip[rows[0] : rows[-1] + 1, : columns[-1] + 3]


def _nearest(last: _Floats, sprite: _Floats, top: int) -> int:
    """Where ``sprite`` stands so that its ink just does not reach the last one's, in any row or the rows beside it."""
    thick = cv2.dilate(last, np.ones((5, 1), np.uint8))[top : top + len(sprite)] > 0.3
    marked = sprite > 0.3
    ends = np.where(thick.any(1), thick.shape[1] - thick[:, ::-1].argmax(1), -9_999)
    starts = np.where(marked.any(1), marked.argmax(1), 9_999)
    nearest = int((ends - starts).max())
    # Digits that share no row stand side by side all the same.
    return nearest if nearest > 0 else int(np.flatnonzero((last > 0.3).any(0))[-1]) + 1


def _joined(last: _Floats, alone: _Floats) -> bool:
    count, labels = cv2.connectedComponents(((last > 0.5) | (alone > 0.5)).astype(np.uint8), connectivity=8)
    return count > 1 and bool(np.intersect1d(labels[last > 0.5], labels[alone > 0.5]).size)


def _ruled(ink: _Floats, rules: str, height: float, rng: np.random.Generator) -> _Floats:
    """The rules alone, 0-1, of the strength that print has beside a pen."""
    lines = np.zeros_like(ink)
    tall, wide = ink.shape
    pen = max(1, round(height / 28))
    strength = float(rng.uniform(0.35, 0.8))
    marked = np.flatnonzero((ink > 0.3).any(1))
    bottom = int(marked[-1]) if len(marked) else round(0.7 * tall)
    if rules in ("below", "dots"):
        at = min(tall - pen - 1, bottom + round(float(rng.uniform(-0.06, 0.14)) * height))
        lines[at : at + pen] = strength
        if rules == "dots":
            lines *= (np.arange(wide) % (4 * pen) < 2 * pen)[None, :]
    elif rules == "lines":
        pitch = round(float(rng.uniform(1.25, 1.9)) * height)
        for at in range((bottom + 2) % pitch, tall - pen, pitch):
            lines[at : at + pen] = strength
    elif rules == "squares":
        pitch = max(9, round(float(rng.uniform(0.45, 0.9)) * height))
        for at in range(int(rng.integers(pitch)), max(tall, wide) - pen, pitch):
            lines[at : at + pen] = np.maximum(lines[at : at + pen], 0.6 * strength)
            lines[:, at : at + pen] = np.maximum(lines[:, at : at + pen], 0.6 * strength)
    elif rules == "comb":
        floor = min(tall - pen - 1, bottom + round(0.15 * height))
        lines[floor : floor + pen] = strength
        gaps = np.flatnonzero(np.diff(np.concatenate([[1], (ink > 0.2).any(0).astype(np.int8), [1]])))
        for start, stop in gaps.reshape(-1, 2):  # a tick in the middle of each gap
            at = min(wide - pen - 1, int(start + stop) // 2)
            lines[max(0, floor - round(0.35 * height)) : floor, at : at + pen] = strength
    return lines


def _photographed(ink: _Floats, paper: str, rng: np.random.Generator) -> Grey:
    """Ink, 0-1, on paper, in light, through a lens and a codec."""
    if paper == "board":
        strokes = 1 - 0.35 * cv2.GaussianBlur(rng.random(ink.shape).astype(np.float32), (0, 0), 0.8)  # chalk
    else:
        strokes = 1 - float(rng.choice([0.0, 0.25])) * rng.random(ink.shape).astype(np.float32)  # a pen, a pencil
    ground = PAPERS[paper](ink.shape, rng)
    mark = float(rng.uniform(185, 235)) if paper == "board" else ground.mean() - float(rng.uniform(95, 190))
    scene = ground + (max(mark, 12.0) - ground) * ink * strokes
    scene *= _light(ink.shape, rng)
    height, width = ink.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.03, 0.03, (4, 2)).astype(np.float32) * min(width, 4 * height)
    angle = np.deg2rad(rng.uniform(-3, 3))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    moved = ((moved - corners.mean(0)) @ turn.T + corners.mean(0)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    scene = cv2.warpPerspective(scene, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    scene = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.2, 0.9)))
    scene += rng.normal(0, 1, scene.shape) * np.sqrt(np.maximum(scene, 0) / 255) * float(rng.uniform(0, 5))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", _to_bytes(scene), quality)[1], cv2.IMREAD_GRAYSCALE), np.uint8)


def _white(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    return np.full(shape, rng.uniform(232, 255), np.float32)


def _fibres(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Recycled paper: short pale and dark fibres that lie anyhow."""
    page = np.full(shape, rng.uniform(200, 232), np.float32)
    for _ in range(page.size // 500):
        x, y = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        across, down = (int(part) for part in rng.integers(-7, 8, 2))
        cv2.line(page, (x, y), (x + across, y + down), float(page[y, x] + rng.normal(0, 9)), 1)
    return page


def _crumpled(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Facets between random creases, each with a light of its own."""
    centres = rng.uniform(0, 1, (14, 2)) * shape
    rows, columns = np.mgrid[: shape[0] : 4, : shape[1] : 4]
    nearest = np.hypot(rows[..., None] - centres[:, 0], columns[..., None] - centres[:, 1]).argmin(-1)
    facets = rng.uniform(190, 240, 14).astype(np.float32)[nearest]
    return cv2.GaussianBlur(cv2.resize(facets, shape[::-1], interpolation=cv2.INTER_NEAREST), (0, 0), 2.0)


def _kraft(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Brown paper and cardboard: darker, with the waves inside showing through."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * np.ones(shape, np.float32)
    return np.asarray(rng.uniform(150, 185) + 4 * np.sin(rows / rng.uniform(1.5, 4)), np.float32)


def _newsprint(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """A fine raster of dots."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    raster = np.sin(rows * 1.9) * np.sin(columns * 1.9)
    return np.asarray(rng.uniform(205, 225) + 7 * raster, np.float32)


def _board(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """A blackboard, wiped: light ink on dark ground."""
    wiped = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigmaX=18, sigmaY=5)
    return np.asarray(rng.uniform(35, 75) + 60 * wiped, np.float32)


PAPERS: MappingProxyType[str, Callable[[tuple[int, ...], np.random.Generator], _Floats]] = MappingProxyType(
    {"white": _white, "fibres": _fibres, "crumpled": _crumpled, "kraft": _kraft, "raster": _newsprint, "board": _board}
)


def _light(shape: tuple[int, ...], rng: np.random.Generator) -> _Floats:
    """Even, a lamp from somewhere, or the soft-edged shadow of a hand: factors, float32 (H, W)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    rows, columns = rows / shape[0], columns / shape[1]
    kind = int(rng.integers(3))
    if kind == 0:
        return np.ones(shape, np.float32)
    if kind == 1:
        x, y = rng.uniform(-0.2, 1.2, 2)
        return np.asarray(1 - rng.uniform(0.15, 0.45) * np.hypot(rows - y, columns - x), np.float32)
    shade = np.ones(shape, np.float32)
    corners = rng.uniform(-0.2, 1.2, (4, 2)) * shape[::-1]
    cv2.fillConvexPoly(shade, cv2.convexHull(corners.astype(np.int32)), float(rng.uniform(0.55, 0.85)))
    return cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(2, 12)))


def _to_bytes(values: npt.NDArray[np.floating]) -> Grey:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


_WORDS = (
    "ground river yellow basket evening quick harvest paper winter people garden music friend summer window market "
    "the and with from under please return before morning letter kitchen silver mountain answer question bread "
    "doctor total amount name street city signature received thanks invoice customer address reference"
)

__all__ = [
    "LONGEST",
    "OTHERS",
    "PAPERS",
    "RULES",
    "SPACINGS",
    "TOUCHING",
    "WITH_GAPS",
    "LinePicture",
    "blank",
    "compose_line",
    "noise",
    "page_of_81",
    "words",
]
