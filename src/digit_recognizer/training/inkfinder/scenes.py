"""Rows of characters become scenes: a grey picture of a piece of a page, and where on it there is ink.

What is printed on paper beforehand (rules, squares, boxes), its texture, creases, stains and edges, light and shadow
are no ink; digits, letters and scribbles are. Knows nothing of networks, nor of what characters mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.training.ship.sprites import SPRITE_SIDE, Ink

Sprites = Callable[[], Sequence[Ink]]  # the characters of one row, uint8 (h, w) each, of one hand or font
Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]
_Random = np.random.Generator

_SIZES = (10.0, 110.0)  # heights of digits in pixels
_EMPTY = 0.1  # share of scenes in which nothing is written
_NOTHING = 0.07  # share of scenes that are no page at all
_OUT_OF_FOCUS = 0.15  # share of scenes that are so; the ink to be found is sharp all the same
_SHOWS_THROUGH = 0.06  # share of scenes with something on the other side of the sheet
_INVERTED = 0.22  # share of scenes with light ink on dark ground
_RULES = {"none": 0.4, "ruled": 0.18, "squares": 0.12, "boxes": 0.14, "table": 0.08, "comb": 0.08}


class Scene(NamedTuple):
    """grey: uint8 (H, W). ink: uint8 (H, W), 255 where a stroke covers a pixel."""

    grey: Grey
    ink: Ink


def compose_scene(sprites: Sprites, shape: tuple[int, int], rng: _Random) -> Scene:
    """One scene of ``shape`` = (H, W) pixels."""
    if rng.random() < _NOTHING:
        return Scene(_finished(_nothing(shape, rng), rng, 60.0), np.zeros(shape, np.uint8))
    size = math.exp(rng.uniform(math.log(_SIZES[0]), math.log(_SIZES[1])))
    ink, boxes = np.zeros(shape, np.float32), list[tuple[int, int, int, int]]()
    if rng.random() >= _EMPTY:
        ink, boxes = _written(sprites, shape, size, rng)
    lines = _printed(shape, size, boxes, rng)
    turn, middle = rng.normal(0, 2.5), (shape[1] / 2, shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, turn, 1.0)
    ink = np.asarray(cv2.warpAffine(ink, matrix, shape[::-1], flags=cv2.INTER_LINEAR), np.float32)
    lines = np.asarray(cv2.warpAffine(lines, matrix, shape[::-1], flags=cv2.INTER_LINEAR), np.float32)
    picture = _on_paper(ink, lines, rng, lambda: _written(sprites, shape, size, rng)[0])
    seen = np.ones(shape, np.float32)
    if rng.random() < 0.07:
        seen = _half(shape, rng, 1.0)  # the edge of the sheet: beyond it there is a desk
        picture = picture * seen + (1 - seen) * rng.uniform(0, 255) * _clouds(shape, rng, 0.8, 1.0)
    grey = _finished(np.asarray(picture, np.float32), rng, size)
    return Scene(grey, np.rint(255 * np.clip(ink * seen, 0, 1)).astype(np.uint8))


def photographed(ink: _Floats, size: float, rng: _Random) -> Grey:
    """Take a picture of ink as it lies, on any paper that was printed on or not, in any light: uint8 (H, W).

    ink: float32 (H, W), 0-1. size: height of digits in pixels.
    """
    shape = ink.shape[0], ink.shape[1]
    picture = _on_paper(ink, _printed(shape, size, [], rng), rng)
    return _finished(picture, rng, size)


def _on_paper(ink: _Floats, lines: _Floats, rng: _Random, behind: Callable[[], _Floats] | None = None) -> _Floats:
    """Ink and printed lines, 0-1, on paper, in light: grey levels, float32 (H, W).

    behind: writes on the other side of the sheet, which shows through at times.
    """
    shape = ink.shape[0], ink.shape[1]
    ground = paper(shape, rng)
    contrast = rng.uniform(0.22, 0.97) if rng.random() < 0.8 else rng.uniform(0.12, 0.3)
    pencil = 1 - (rng.uniform(0.1, 0.5) * _grain(shape, rng) if rng.random() < 0.35 else np.float32(0))
    if rng.random() < 0.25:
        pencil = pencil * _clouds(shape, rng, 0.55, 1.0)
    print_contrast = contrast * rng.uniform(0.15, 1.1) if rng.random() < 0.8 else rng.uniform(0.05, 0.9)
    picture = ground * (1 - min(print_contrast, 0.97) * lines)
    if behind is not None and rng.random() < _SHOWS_THROUGH:
        other = behind()
        picture = picture * (1 - rng.uniform(0.03, 0.12) * cv2.GaussianBlur(other[:, ::-1], (0, 0), 1.5))
    picture = picture * (1 - contrast * ink * pencil)
    return np.asarray(picture * light_on(shape, rng), np.float32)


def _written(
    sprites: Sprites, shape: tuple[int, int], size: float, rng: _Random
) -> tuple[_Floats, list[tuple[int, int, int, int]]]:
    """Rows of characters, cut off by the edges as they come: 0-1, float32 (H, W), and their boxes (x, y, w, h)."""
    height, width = shape
    ink = np.zeros(shape, np.float32)
    boxes = []
    step = size * rng.uniform(1.15, 2.6)
    y = rng.uniform(-0.5, 0.5) * size if rng.random() < 0.7 else rng.uniform(0, max(1.0, height - size))
    rows = 1 if rng.random() < 0.35 else 99
    spacing = rng.choice([rng.uniform(-0.06, 0.1), rng.uniform(0.05, 0.4), rng.uniform(0.3, 1.0)])
    while y < height and rows:
        rows -= 1
        x = rng.uniform(-0.6, 1.2) * size if rng.random() < 0.7 else rng.uniform(0, width)
        for sprite in sprites():
            if x >= width:
                break
            scale = size / SPRITE_SIDE * math.exp(rng.normal(0, 0.06))
            sides = max(2, round(sprite.shape[1] * scale)), max(2, round(sprite.shape[0] * scale))
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            one = np.asarray(cv2.resize(sprite, sides, interpolation=method), np.float32) / np.float32(255)
            at = round(y + size - len(one) + rng.normal(0, 0.05) * size)
            put(ink, one, round(x), at)
            boxes.append((round(x), at, sides[0], sides[1]))
            x += sides[0] + spacing * size * rng.uniform(0.7, 1.3)
            if rng.random() < 0.08:
                x += size * rng.uniform(0.5, 2)
        y += step
    return ink, boxes


def put(ink: _Floats, one: _Floats, x: int, y: int) -> None:
    """Add one piece of ink, its upper left corner at (x, y), to ``ink``: where both are, the stronger one."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(len(ink), y + len(one)), min(ink.shape[1], x + one.shape[1])
    if top < bottom and left < right:
        place = ink[top:bottom, left:right]
        np.maximum(place, one[top - y : bottom - y, left - x : right - x], out=place)


def _printed(shape: tuple[int, int], size: float, boxes: Sequence[tuple[int, int, int, int]], rng: _Random) -> _Floats:
    """What was printed on the paper before anybody wrote: rules, squares, boxes, combs. 0-1, float32 (H, W)."""
    lines = np.zeros(shape, np.float32)
    height, width = shape
    kind = str(rng.choice(list(_RULES), p=list(_RULES.values())))
    pen = max(1.0, size / 30)
    thick = max(1, round(pen * rng.uniform(0.3, 1.6)))

    def line(x0: float, y0: float, x1: float, y1: float) -> None:
        first, last = ((round(x * 16), round(y * 16)) for x, y in ((x0, y0), (x1, y1)))
        cv2.line(lines, first, last, 1.0, thick, cv2.LINE_AA, 4)

    if kind in ("ruled", "squares"):
        pitch = size * (rng.uniform(1.1, 2.4) if kind == "ruled" else rng.uniform(0.3, 1.4))
        pitch = max(pitch, 5.0)
        for y in np.arange(rng.uniform(0, pitch), height, pitch):
            line(0, y, width, y)
        if kind == "squares":
            for x in np.arange(rng.uniform(0, pitch), width, pitch):
                line(x, 0, x, height)
        elif rng.random() < 0.15:
            line(at := rng.uniform(0, width), 0, at, height)  # a margin
        if rng.random() < 0.15:
            lines *= (np.arange(width) % max(4, round(4 * pen)) < max(2, round(2 * pen))).astype(np.float32)[None]
    elif kind == "boxes" and boxes:
        margin = rng.uniform(0.02, 0.3) * size
        if rng.random() < 0.5:  # around each character
            for x, y, w, h in boxes:
                cv2.rectangle(
                    lines,
                    (round(x - margin), round(y - margin)),
                    (round(x + w + margin), round(y + h + margin)),
                    1.0,
                    thick,
                )
        else:
            x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
            x1, y1 = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
            corners = (round(x0 - margin), round(y0 - margin)), (round(x1 + margin), round(y1 + margin))
            cv2.rectangle(lines, *corners, 1.0, thick)
    elif kind == "table":
        across, down = size * rng.uniform(1.2, 4), size * rng.uniform(1.2, 2.2)
        for y in np.arange(rng.uniform(0, down), height, down):
            line(0, y, width, y)
        for x in np.arange(rng.uniform(0, across), width, across):
            line(x, 0, x, height)
    elif kind == "comb" and boxes:
        floor = max(box[1] + box[3] for box in boxes) + rng.uniform(-0.1, 0.25) * size
        line(0, floor, width, floor)
        if rng.random() < 0.6:
            tick = rng.uniform(0.2, 0.6) * size
            for x, _, w, _ in boxes:
                at = x + w + 0.1 * size
                line(at, floor - tick, at, floor)
    return lines


def paper(shape: tuple[int, int], rng: _Random) -> _Floats:
    """Paper in even light: grey levels, float32 (H, W)."""
    page = np.full(shape, rng.uniform(70, 255) if rng.random() < 0.5 else rng.uniform(190, 255), np.float32)
    if rng.random() < 0.25:
        return page
    if rng.random() < 0.5:  # blotches of several sizes
        for nodes in rng.choice([3, 6, 12, 24, 48], int(rng.integers(1, 4)), replace=False):
            page = page + _clouds(shape, rng, -1, 1, int(nodes)) * rng.uniform(1, 14)
    if rng.random() < 0.25:
        page = page * _creased(shape, rng)
    if rng.random() < 0.2:  # fibres
        pale = rng.uniform(3, 16)
        for _ in range(page.size // int(rng.integers(250, 1500))):
            x, y, angle = rng.integers(shape[1]), rng.integers(shape[0]), rng.uniform(0, math.pi)
            length = rng.uniform(2, 12)
            end = int(x + length * math.cos(angle)), int(y + length * math.sin(angle))
            cv2.line(page, (int(x), int(y)), end, float(page[y, x] + rng.normal(0, pale)), 1, cv2.LINE_AA)
    if rng.random() < 0.15:  # corrugation, weave, print raster
        rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        angle, period = rng.uniform(0, math.pi), rng.uniform(2.2, 14)
        wave = np.sin((rows * math.sin(angle) + columns * math.cos(angle)) * 2 * math.pi / period)
        if rng.random() < 0.5:
            wave = wave * np.sin((columns * math.sin(angle) - rows * math.cos(angle)) * 2 * math.pi / period)
        page = page + wave * rng.uniform(1, 10)
    if rng.random() < 0.35:
        page = page + rng.uniform(1, 9) * cv2.GaussianBlur(
            rng.normal(0, 2, shape).astype(np.float32), (0, 0), rng.uniform(0.5, 2.5)
        )
    if rng.random() < 0.1:  # stains
        for _ in range(int(rng.integers(1, 4))):
            stain = np.zeros(shape, np.float32)
            centre = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
            axes = int(rng.uniform(8, 70)), int(rng.uniform(8, 70))
            cv2.ellipse(stain, centre, axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
            page = page * (1 - rng.uniform(0.05, 0.3) * cv2.GaussianBlur(stain, (0, 0), rng.uniform(1, 8)))
    return np.asarray(np.clip(page, 0, 255), np.float32)


def _creased(shape: tuple[int, int], rng: _Random) -> _Floats:
    """Crumpled paper: facets that face the light each in its own way, some with a bright or dark crease between."""
    factors = np.ones(shape, np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for _ in range(int(rng.integers(2, 9))):
        angle, at = rng.uniform(0, 2 * math.pi), rng.uniform(-0.4, 0.4) * shape[1]
        away = (columns - shape[1] / 2) * math.cos(angle) + (rows - shape[0] / 2) * math.sin(angle) - at
        soft = rng.uniform(0.6, 4)
        side = 1 / (1 + np.exp(np.clip(-away / soft, -30, 30)))
        reach = math.exp(rng.uniform(math.log(10), math.log(200)))
        fade = np.exp(-np.abs(away) / reach) if rng.random() < 0.6 else 1.0
        factors = factors * (1 + rng.uniform(-0.16, 0.16) * side * fade)
        if rng.random() < 0.3:
            factors = factors * (1 + rng.uniform(-0.1, 0.1) * np.exp(-((away / rng.uniform(0.7, 3)) ** 2)))
    return np.asarray(factors, np.float32)


def light_on(shape: tuple[int, int], rng: _Random) -> _Floats:
    """Factors, float32 (H, W): even, falling off, and shadows with hard or soft edges, of straight and round things."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    light = np.ones(shape, np.float32)
    if rng.random() < 0.4:
        angle = rng.uniform(0, 2 * math.pi)
        along = (columns / shape[1] - 0.5) * math.cos(angle) + (rows / shape[0] - 0.5) * math.sin(angle)
        light *= 1 - rng.uniform(0.05, 0.5) * (along + 0.7) / 1.4
    if rng.random() < 0.2:
        y, x = rng.uniform(-0.3, 1.3, 2) * shape
        light *= 1 - rng.uniform(0.1, 0.5) * np.hypot(rows - y, columns - x) / max(shape)
    if rng.random() < 0.45:
        for _ in range(int(rng.integers(1, 4))):
            light *= _shadow(shape, rng)
    return np.asarray(np.clip(light, 0.1, 1.5), np.float32)


def _shadow(shape: tuple[int, int], rng: _Random) -> _Floats:
    dark = rng.uniform(0.35, 0.92)
    soft = math.exp(rng.uniform(math.log(0.5), math.log(14)))
    kind = rng.random()
    if kind < 0.35:
        return np.asarray(1 - (1 - dark) * _half(shape, rng, soft), np.float32)
    shade = np.zeros(shape, np.float32)
    if kind < 0.75:  # something with corners
        corners = rng.uniform(-0.3, 1.3, (int(rng.integers(3, 6)), 2)) * shape[::-1]
        cv2.fillConvexPoly(shade, cv2.convexHull(corners.astype(np.int32)), 1.0, cv2.LINE_AA)
    else:  # a hand, a head, a lamp's arm
        points = rng.uniform(-0.3, 1.3, (int(rng.integers(2, 4)), 2)) * shape[::-1]
        broad = int(rng.uniform(0.35, 1.2) * shape[0])
        cv2.polylines(shade, [points.astype(np.int32)], False, 1.0, broad, cv2.LINE_AA)
    return np.asarray(1 - (1 - dark) * cv2.GaussianBlur(shade, (0, 0), soft), np.float32)


def _half(shape: tuple[int, int], rng: _Random, soft: float) -> _Floats:
    """1 on one side of a line across the scene, 0 on the other."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle, at = rng.uniform(0, 2 * math.pi), rng.uniform(-0.35, 0.35)
    away = (columns - shape[1] * (0.5 + at)) * math.cos(angle) + (rows - shape[0] * (0.5 + at)) * math.sin(angle)
    return np.asarray(1 / (1 + np.exp(np.clip(-away / soft, -30, 30))), np.float32)


def _nothing(shape: tuple[int, int], rng: _Random) -> _Floats:
    """No page: static, dots, clouds, stripes, patches. Grey levels, float32 (H, W)."""
    kind = int(rng.integers(5))
    level, depth = rng.uniform(40, 215), rng.uniform(10, 110)
    if kind == 0:
        return np.asarray(rng.normal(level, depth, shape), np.float32)
    if kind == 1:
        dots = rng.random(shape) < math.exp(rng.uniform(math.log(0.001), math.log(0.08)))
        return np.where(dots, rng.uniform(0, 255), level).astype(np.float32)
    if kind == 2:
        parts = [_clouds(shape, rng, -1, 1, nodes) / nodes**0.4 for nodes in (3, 7, 15, 31)]
        return np.asarray(level + 2 * depth * np.sum(parts, 0), np.float32)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    if kind == 3:
        angle, period = rng.uniform(0, math.pi), rng.uniform(3, 60)
        wave = np.sin((rows * math.sin(angle) + columns * math.cos(angle)) * 2 * math.pi / period)
        return np.asarray(level + depth * (np.sign(wave) if rng.random() < 0.5 else wave), np.float32)
    page = np.full(shape, level, np.float32)
    for _ in range(int(rng.integers(1, 6))):
        corners = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 6)), 2)) * shape[::-1]
        cv2.fillConvexPoly(page, cv2.convexHull(corners.astype(np.int32)), float(rng.uniform(0, 255)), cv2.LINE_AA)
    return page


def _finished(picture: _Floats, rng: _Random, size: float) -> Grey:
    """Through lens, sensor and codec; light ink on dark ground at times."""
    if rng.random() < _INVERTED:
        picture = 255 - picture
        if rng.random() < 0.5:
            picture = picture * rng.uniform(0.6, 1.0)
    kind = rng.random()
    if kind < 0.8:
        sigma = math.exp(rng.uniform(math.log(0.3), math.log(max(0.5, 0.045 * size))))
        if kind < _OUT_OF_FOCUS:
            sigma = rng.uniform(0.045, 0.16) * size
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    if rng.random() < 0.5:
        spread = rng.uniform(0.5, 12)
        noise = rng.normal(0, spread, picture.shape).astype(np.float32)
        if rng.random() < 0.4:
            noise = 1.6 * cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.5, 1.2))
        picture = picture + noise * np.sqrt(np.maximum(picture, 0) / 255 + 0.2)
    if rng.random() < 0.05:
        hit = rng.random(picture.shape) < rng.uniform(0.001, 0.02)
        picture = np.where(hit, rng.choice([0, 255], picture.shape), picture)
    grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
        grey = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return grey


def _clouds(shape: tuple[int, int], rng: _Random, low: float, high: float, nodes: int = 0) -> _Floats:
    nodes = nodes or int(rng.integers(2, 8))
    coarse = rng.uniform(low, high, (nodes, nodes)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _grain(shape: tuple[int, int], rng: _Random) -> _Floats:
    """What paper's tooth leaves out of a pencil's stroke: 0-1, float32 (H, W)."""
    grain = cv2.GaussianBlur(rng.random(shape).astype(np.float32), (0, 0), rng.uniform(0.4, 1.5))
    low, high = np.percentile(grain[::4, ::4], [5, 95])
    return np.asarray(np.clip((grain - low) / (high - low + 1e-6), 0, 1), np.float32)


__all__ = ["Scene", "Sprites", "compose_scene", "light_on", "paper", "photographed", "put"]
