"""Characters become a written row: one after the other, most of them touching, and which ink is whose.

The row is then drawn or photographed, and its marks are found as on any page. Knows nothing of strips or networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.ink_map import FindInk, ink_map, ink_of_map
from digit_recognizer.pictures.paper import stroke_width
from digit_recognizer.training.inkfinder.scenes import photographed
from digit_recognizer.training.ship.sprites import SPRITE_SIDE, Ink

_INKED = 0.45  # of full ink: where a stroke's edge lies
_LEAST_MARK = 5  # pixels; smaller ones are dirt
_OWN = 0.12  # share of a character's pixels that a mark holds to count as a part of it
_ALL = 0.7  # share of a character's pixels that must be left on the page

Labels = npt.NDArray[np.int32]
_Floats = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Writing:
    """How rows are written. Shares 0-1.

    sizes: heights of digits in pixels. touching: shares of neighbours that touch, of which each row draws one. joined:
    of neighbours that a stroke joins. broken: of characters with a gap in a stroke. photographed: of rows that are
    taken as pictures and go through the page's own ink finder; the others are drawn as ink at once. ruled: of these,
    rows on ruled paper.
    """

    sizes: tuple[int, int] = (12, 60)
    touching: tuple[float, ...] = (0.25, 0.6, 0.85, 0.95)
    joined: float = 0.05
    broken: float = 0.06
    photographed: float = 0.45


class Character(NamedTuple):
    """What is written: its ink, uint8 (h, w), as large as a sprite, and its label."""

    ink: Ink
    label: int


class Run(NamedTuple):
    """Marks that hang together, with the characters that they are made of.

    numbers: the marks in ``Row.marks``. box: (x, y, w, h) around them. labels: left to right. centres: of the
    characters, pixels from the row's left edge.
    """

    numbers: tuple[int, ...]
    box: tuple[int, int, int, int]
    labels: tuple[int, ...]
    centres: tuple[float, ...]


class Row(NamedTuple):
    """strength: uint8 (H, W), the ink. marks: int32 (H, W), connected ink by number. runs: left to right."""

    strength: Ink
    marks: Labels
    runs: list[Run]


def write_row(
    characters: Sequence[Character], writing: Writing, rng: np.random.Generator, find_ink: FindInk
) -> Row | None:
    """Write the characters in a row, take it as a picture, and find its runs; None where no ink is found.

    find_ink: the ink finder, which sees the rows that are photographed as it sees pages.
    Runs that lost a part of a character, or that hold one whose rest lies in another run, are left out.
    """
    page, pieces, size = _written(characters, writing, rng)
    is_photographed = rng.random() < writing.photographed
    found = _photographed(page, size, find_ink, rng) if is_photographed else _drawn(page, rng)
    if found is None:
        return None
    strength, mask = found
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    kept = np.asarray(stats[:, cv2.CC_STAT_AREA] >= _LEAST_MARK)
    kept[0] = False
    marks = np.where(kept[labels], labels, 0).astype(np.int32)
    boxes = np.asarray(stats[:, :4], np.int64)
    return Row(strength, marks, _runs(marks, boxes, count, pieces, [one.label for one in characters]))


class _Placed(NamedTuple):
    """Where a character's ink lies: its mask, bool (h, w), and the place of its upper left corner."""

    mask: _Mask
    x: int
    y: int


def _written(
    characters: Sequence[Character], writing: Writing, rng: np.random.Generator
) -> tuple[_Floats, list[_Placed], float]:
    """The row as ink from 0 to 1, float32 (H, W), where each character lies, and the height of digits in pixels."""
    low, high = writing.sizes
    size = math.exp(rng.uniform(math.log(low), math.log(high)))
    uneven, wander = rng.uniform(0, 0.12), rng.uniform(0, 0.15) * size
    slope = rng.normal(0, 0.03)
    touching = float(rng.choice(writing.touching))
    spacing = rng.uniform(0.02, 0.45) * size
    inks = [_sized(one.ink, size / SPRITE_SIDE * math.exp(rng.normal(0, uneven)), writing, rng) for one in characters]

    margin = round(0.4 * size) + 4
    height = max(len(ink) for ink in inks) + 2 * margin + round(0.5 * size)
    width = sum(ink.shape[1] for ink in inks) + round((spacing + 0.4 * size) * len(inks)) + 4 * margin
    page = np.zeros((height, width), np.float32)
    foot = height - margin - round(0.25 * size)
    ends = np.full(height, -math.inf)  # how far right the ink of the last character reaches, row by row
    placed: list[_Placed] = []
    x = margin
    for number, ink in enumerate(inks):
        drift = float(np.clip(rng.normal(0, wander) + slope * (x - width / 2), -0.35 * size, 0.35 * size))
        y = int(np.clip(round(foot - len(ink) + drift), 1, height - len(ink) - 1))
        mask = ink > min(_INKED, 0.5 * float(ink.max()))
        if number:
            x = _next_place(placed[-1], mask, y, ends, size, touching, spacing, rng)
            x = int(np.clip(x, 1, width - ink.shape[1] - 1))
        place = page[y : y + len(ink), x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
        if number and rng.random() < writing.joined:
            _join(page, placed[-1], mask, x, y, rng)
        placed.append(_Placed(mask, x, y))
        ends = np.full(height, -math.inf)
        rows = np.flatnonzero(mask.any(axis=1))
        ends[y + rows] = x + ink.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    return page[:, : min(width, x + inks[-1].shape[1] + margin)], placed, size


def _next_place(
    before: _Placed,
    mask: _Mask,
    y: int,
    ends: npt.NDArray[np.float64],
    size: float,
    touching: float,
    spacing: float,
    rng: np.random.Generator,
) -> int:
    """Where the next character begins: in touch with the one before, under or over it, or apart from it."""
    rows = np.flatnonzero(mask.any(axis=1))
    room = mask[rows].argmax(axis=1) - ends[y + rows]  # between both, row by row, were this one at 0
    right = float(before.x + before.mask.shape[1])
    least = float(room.min(initial=math.inf))
    contact = -least if math.isfinite(least) else right
    if rng.random() >= touching:
        if rng.random() < 0.25:  # beside it where there is room, though above or below its outermost ink
            return round(contact + float(rng.uniform(0.04, 0.2)) * size)
        return round(right + spacing * float(rng.uniform(0.6, 1.4)))
    deep = float(rng.uniform(0, 0.05) if rng.random() < 0.6 else rng.uniform(0.05, 0.16))
    return max(round(contact - deep * size), before.x + max(2, round(0.1 * size)))


def _join(page: _Floats, before: _Placed, mask: _Mask, x: int, y: int, rng: np.random.Generator) -> None:
    """Draw a stroke from one character to the next, as quick hands leave it."""
    ends = []
    for one, column, row, last in ((before.mask, before.x, before.y, True), (mask, x, y, False)):
        rows = np.flatnonzero(one.any(axis=1))
        if not len(rows):
            return
        at = int(rng.choice(rows))
        columns = np.flatnonzero(one[at])
        ends.append((column + int(columns[-1 if last else 0]), row + at))
    thickness = max(1, round(len(mask) / 60 * rng.uniform(2, 6)))
    cv2.line(page, ends[0], ends[1], 1.0, thickness, cv2.LINE_AA)


def _sized(ink: Ink, scale: float, writing: Writing, rng: np.random.Generator) -> _Floats:
    width, height = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    sized = cv2.resize(ink, (width, height), interpolation=method).astype(np.float32) / 255
    if rng.random() < writing.broken and min(width, height) >= 8:
        at, gap = rng.uniform(0.2, 0.8), max(1, round(height * rng.uniform(0.03, 0.08)))
        if rng.random() < 0.7:
            sized[int(at * height) : int(at * height) + gap] = 0
        else:
            sized[:, int(at * width) : int(at * width) + gap] = 0
    return np.asarray(np.clip(sized, 0, 1), np.float32)


def _drawn(page: _Floats, rng: np.random.Generator) -> tuple[Ink, _Mask]:
    """The ink itself: sharp or soft, in a steady or a fading pen, hard-edged at times."""
    if rng.random() < 0.5:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 1.0)), np.float32)
    kind = rng.random()
    if kind < 0.15:
        page = (page > rng.uniform(0.3, 0.6)).astype(np.float32)
    elif kind < 0.4:
        fading = cv2.resize(
            rng.uniform(0.65, 1.0, (3, 8)).astype(np.float32), page.shape[::-1], interpolation=cv2.INTER_LINEAR
        )
        page = page * fading
    mask = page > _INKED * rng.uniform(0.8, 1.2)
    strength = np.clip(page * 255, 0, 255).astype(np.uint8)
    return strength, np.asarray(mask, np.bool_)


def _photographed(page: _Floats, size: float, find_ink: FindInk, rng: np.random.Generator) -> tuple[Ink, _Mask] | None:
    """The row on paper, taken as a picture, and what the ink finder makes of that, as for any page."""
    grey = photographed(page, size, rng)
    thickness = stroke_width(page > _INKED) if (page > _INKED).any() else 1.0
    ink = ink_of_map(ink_map(grey, thickness, find_ink))
    return None if ink is None else (ink.strength, ink.mask)


def _runs(
    marks: Labels, boxes: npt.NDArray[np.int64], count: int, pieces: Sequence[_Placed], labels: Sequence[int]
) -> list[Run]:
    """Marks and characters that share ink, together."""
    group = list(range(count + len(pieces)))  # of each mark, then of each character: the one that it was joined to

    def root(one: int) -> int:
        while group[one] != one:
            group[one] = group[group[one]]
            one = group[one]
        return one

    whole = []
    for number, piece in enumerate(pieces):
        height, width = piece.mask.shape
        under = marks[piece.y : piece.y + height, piece.x : piece.x + width]
        area = max(1, int(piece.mask.sum()))
        held = np.bincount(under[piece.mask[:, : under.shape[1]]], minlength=count)
        held[0] = 0
        whole.append(held.sum() >= _ALL * area)
        for mark in np.flatnonzero(held >= _OWN * area):
            group[root(int(mark))] = root(count + number)
    runs = []
    for first in sorted({root(count + number) for number in range(len(pieces))}):
        members = [number for number in range(len(pieces)) if root(count + number) == first]
        numbers = tuple(mark for mark in range(1, count) if root(mark) == first)
        if not numbers or not all(whole[number] for number in members):
            continue
        members.sort(key=lambda number: _middle(pieces[number]))
        left, top = boxes[list(numbers), :2].min(axis=0)
        right, bottom = (boxes[list(numbers), :2] + boxes[list(numbers), 2:]).max(axis=0)
        box = int(left), int(top), int(right - left), int(bottom - top)
        centres = tuple(_middle(pieces[number]) for number in members)
        runs.append(Run(numbers, box, tuple(labels[number] for number in members), centres))
    return sorted(runs, key=lambda run: run.box[0])


def _middle(piece: _Placed) -> float:
    return piece.x + int(piece.mask.shape[1]) / 2


__all__ = ["Character", "Row", "Run", "Writing", "write_row"]
