"""Patches of another ground, such as a dark column with light digits, a button or a coloured disc, become plain ground.

What is written on them is then as dark on the ground, or as light, as all else. Knows nothing of digits but that their
strokes are thin beside a patch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import shrunk
from digit_recognizer.reading import Box, overlap

PATCH = "a patch of another ground"

_SIDE = 480  # pixels of the picture in which patches are looked for
_SMALLEST = 12  # pixels of their shorter side there, at least
_LARGEST = 0.6  # of the picture that one covers at most: more is the page
_SHEET = 0.12  # of the picture that a lighter one covers at most: what covers more is a sheet, see sheet.py
_STEP = 24  # grey levels that a patch differs from what lies around it, at least
_JAGGED = 40  # times the square of its outline's length is its area at most; of a rectangle of one by five 29
_RECTANGLE, _DISC = 0.92, 0.72  # of the smallest box around it, turned or not, that it fills at least
_ROUND = 1.15  # times a disc is longer than broad, at most
_CIRCULAR = 0.84  # of the area that its outline could hold that it has, at least: thick digits have less
_BESIDE, _UNLIKE = 0.2, 0.85  # how far beside a patch, in shares of its side, how much is unlike it, at least
_WRITTEN = 0.3  # of its step by which what is written on a patch differs from it, at least
_PLAIN, _PLAIN_DISC = 0.5, 0.75  # of a rectangle and of a disc that nothing is written on, at least
_STROKES = 0.77  # of its box that a mark of strokes fills, at most; the loops of an 8 are full
_LOWER = 0.8  # of a patch's height that what is written on it is tall, at most
_TALLER = 1.3  # times a patch is taller than most marks, at least
_LARGER = 1.6  # times a patch on which nothing is written is larger than the marks of its page
_NESTED = 2  # patches that lie in each other, as the wheels of a meter in its frame
_ALIKE = 1.35  # times one patch or mark is taller than another like it, at most
_FEW = 3  # patches or marks alike from which on they are no loops of digits

_Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Patch:
    """mask: uint8 (h, w), 1 on the patch, what is written on it included. level, around: grey, of it and its ground.
    marks: boxes of what is written on it.
    """

    box: Box
    mask: _Grey
    level: float
    around: float
    marks: tuple[Box, ...]
    is_disc: bool


def patches_removed(grey: _Grey) -> tuple[_Grey, tuple[Box, ...]]:
    """The picture with its patches turned into ground, and the boxes of those on which nothing is written; the same
    array where there are none.

    grey: uint8 (H, W). A patch is a rectangle or a disc of one level that meets one side of the picture at most. So may
    a thick 0 be: what tells is that several marks stand side by side on a patch, that there are several patches alike
    with one mark each, or that other marks are as tall as what is written on it. A large one that is lighter than its
    ground is a sheet on a desk, and left.

    >>> picture = np.full((200, 300), 240, np.uint8)
    >>> picture[20:180, 30:90] = 40
    >>> for top in (30, 80, 130):
    ...     picture[top : top + 40, 50:56] = picture[top : top + 6, 50:70] = 230
    >>> plain, _ = patches_removed(picture)
    >>> int(plain[25, 40]), int(plain[60, 53]) < 120
    (240, True)
    """
    plain, bare = grey, list[Box]()
    for _ in range(_NESTED):
        small, scale = shrunk(plain, _SIDE)
        if min(small.shape) < 2 * _SMALLEST:
            break
        found = _found(small)
        heights = _heights(small, found) if found else np.zeros(0)
        ground = float(np.median(np.concatenate([small[:3].ravel(), small[-3:].ravel(), *small[:, [0, 1, -2, -1]].T])))
        taken: list[_Patch] = []
        for patch in sorted(found, key=lambda patch: patch.box[2] * patch.box[3]):
            if not any(overlap(patch.box, other.box) for other in taken) and _is_meant(patch, found, heights, ground):
                taken.append(patch)
        if not taken:
            break
        plain = plain.copy() if plain is grey else plain
        for patch in taken:
            _turn(plain, patch, scale)
        places = (patch.box for patch in taken if not patch.marks)
        bare += [(round(x / scale), round(y / scale), round(w / scale), round(h / scale)) for x, y, w, h in places]
    return plain, tuple(bare)


def _found(small: _Grey) -> list[_Patch]:
    """All that may be a patch; the same may be found at several levels, or in another."""
    found: list[_Patch] = []
    for level in _levels(small):
        # What is lighter than its ground is a hole in what is darker.
        outlines, _ = cv2.findContours(np.asarray(small <= level, np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        long = (outline for outline in outlines if len(outline) >= 3 * _SMALLEST)
        found += [patch for outline in long if (patch := _patch(small, np.asarray(outline, np.int32))) is not None]
    return found


def _levels(small: _Grey) -> list[float]:
    """Grey levels that may part a patch from its ground: of two classes, and of each of these again (Otsu, 1979)."""

    def level(part: _Grey) -> float:
        return float(cv2.threshold(part, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])

    middle = level(small)
    parts = [part.reshape(1, -1) for part in (small[small <= middle], small[small > middle]) if part.size]
    return [middle, *(level(part) for part in parts if int(part.max()) - int(part.min()) >= _STEP)]


def _patch(small: _Grey, outline: npt.NDArray[np.int32]) -> _Patch | None:
    """The patch in an outline; None where it is none."""
    x, y, width, height = cv2.boundingRect(outline)
    if min(width, height) < _SMALLEST or width * height > _LARGEST * small.size:
        return None
    if (x <= 1) + (y <= 1) + (x + width >= small.shape[1] - 1) + (y + height >= small.shape[0] - 1) > 1:
        return None
    area = cv2.contourArea(outline)
    if len(outline) ** 2 > _JAGGED * area:
        return None
    sides = cv2.minAreaRect(outline)[1]
    full = area / max(1.0, sides[0] * sides[1])
    is_disc = full < _RECTANGLE
    if full < _DISC or (is_disc and max(sides) > _ROUND * min(sides)):
        return None
    if is_disc and 4 * math.pi * area < _CIRCULAR * cv2.arcLength(outline, True) ** 2:
        return None
    mask = np.zeros((height, width), np.uint8)
    cv2.drawContours(mask, [outline], -1, 1, cv2.FILLED, offset=(-x, -y))
    part = small[y : y + height, x : x + width]
    inner = cv2.erode(mask, np.ones((5, 5), np.uint8), borderValue=0)
    ring = _ring(small, (x, y, width, height), mask)
    if not inner.any() or not ring.size:
        return None
    level, around = float(np.median(part[inner > 0])), float(np.median(ring))
    step = abs(level - around)
    if level > around and width * height > _SHEET * small.size:
        return None
    if step < _STEP or np.mean(np.abs(ring - around) < 0.3 * step) < 0.7:
        return None
    if not _stands_alone(small, (x, y, width, height), level, step):
        return None
    written = (np.abs(part.astype(np.float32) - level) > max(_STEP / 2, _WRITTEN * step)) & (inner > 0)
    share = np.count_nonzero(written) / np.count_nonzero(inner)
    if share > 1 - (_PLAIN_DISC if is_disc else _PLAIN):
        return None
    _, _, stats, _ = cv2.connectedComponentsWithStats(written.astype(np.uint8), connectivity=8)
    marks = tuple(
        (int(left) + x, int(top) + y, int(wide), int(tall))
        for left, top, wide, tall, size in stats[1:]
        if tall >= 5 and wide >= 2 and size >= 8
    )
    strokes = sum(
        size < _STROKES * wide * tall or wide < 0.4 * tall for _, _, wide, tall, size in stats[1:] if tall >= 5
    )
    if any(tall > _LOWER * height for _, _, _, tall in marks) or 2 * strokes < len(marks):
        return None
    return _Patch((x, y, width, height), mask, level, around, marks, is_disc)


def _stands_alone(small: _Grey, box: Box, level: float, step: float) -> bool:
    """Whether what lies above and below, or to both sides, is unlike a patch: around a ring's inside, a table's field
    and a loop it is like that again, beyond a stroke.
    """
    x, y, width, height = box
    room = max(3, round(_BESIDE * min(width, height)))
    strips = (
        (small[max(0, y - room) : y, x : x + width], small[y + height : y + height + room, x : x + width]),
        (small[y : y + height, max(0, x - room) : x], small[y : y + height, x + width : x + width + room]),
    )
    return any(
        all(not side.size or np.mean(np.abs(side - np.float32(level)) > 0.4 * step) >= _UNLIKE for side in pair)
        for pair in strips
    )


def _ring(small: _Grey, box: Box, mask: _Grey) -> npt.NDArray[np.float32]:
    """The levels right around a patch."""
    x, y, width, height = box
    room = 4
    padded = cv2.copyMakeBorder(mask, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    ring = (cv2.dilate(padded, np.ones((9, 9), np.uint8)) > 0) & (cv2.dilate(padded, np.ones((5, 5), np.uint8)) == 0)
    top, left = max(0, room - y), max(0, room - x)
    around = small[max(0, y - room) : y + height + room, max(0, x - room) : x + width + room]
    ring = ring[top : top + around.shape[0], left : left + around.shape[1]]
    return np.asarray(around[ring], np.float32)


def _heights(small: _Grey, patches: Sequence[_Patch]) -> npt.NDArray[np.float64]:
    """How tall the marks are that stand in no patch."""
    window = max(3, int(0.2 * min(small.shape)) | 1)
    ground = cv2.medianBlur(small, min(window, 255))
    marks = cv2.absdiff(small, ground) >= _STEP
    for x, y, width, height in (patch.box for patch in patches):
        marks[max(0, y - 3) : y + height + 3, max(0, x - 3) : x + width + 3] = False
    _, _, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    return np.asarray([tall for _, _, wide, tall, size in stats[1:] if tall >= 5 and size >= 8], np.float64)


def _is_meant(patch: _Patch, patches: Sequence[_Patch], heights: npt.NDArray[np.float64], ground: float) -> bool:
    """Whether a patch is one, and not a thick digit.

    heights: of the marks in no patch. ground: along the picture's edge.
    """
    height = patch.box[3]
    if not patch.marks:
        others = [mark[3] for other in patches for mark in other.marks]
        tall = np.concatenate([heights, np.asarray(others, np.float64)])
        compact = max(patch.box[2:]) <= 2 * min(patch.box[2:])
        if abs(patch.around - ground) > 0.5 * abs(patch.level - patch.around):
            return False  # the inside of something
        return bool(len(tall) >= _FEW and compact and min(patch.box[2:]) >= _LARGER * np.median(tall))
    tallest = max(patch.marks, key=lambda mark: mark[3])
    like = [mark for mark in patch.marks if _ALIKE * mark[3] >= tallest[3]]
    beside = [mark for mark in like if mark[1] < tallest[1] + tallest[3] and tallest[1] < mark[1] + mark[3]]
    if abs(patch.level - ground) < 0.3 * abs(patch.level - patch.around):
        return False  # the inside of something
    if len(heights) >= _FEW and height < _TALLER * np.median(heights):
        return False  # a mark like all others
    if len(beside) > 1 or len(like) >= _FEW:
        return True
    if len(like) == 2:
        return False  # the loops of an 8
    if np.count_nonzero(np.abs(np.log(np.maximum(heights, 1) / tallest[3])) < np.log(_ALIKE)) >= _FEW:
        return height >= _LARGER * tallest[3]
    if patch.is_disc and height < 2 * tallest[3]:
        return False
    alike = [
        other for other in patches if other.marks and max(other.box[3], height) <= _ALIKE * min(other.box[3], height)
    ]
    thin = sum(_is_open(other) for other in alike)
    return len(alike) >= _FEW and 2 * thin > len(alike)


def _is_open(patch: _Patch) -> bool:
    """Whether what is written on a patch fills its box as digits do, and neither a bar nor the counter of a 0."""
    width, height = max(patch.marks, key=lambda mark: mark[2] * mark[3])[2:]
    return width * height < 0.5 * patch.box[2] * patch.box[3] and height > 0.2 * patch.box[3]


def _turn(grey: _Grey, patch: _Patch, scale: float) -> None:
    """Turn a patch into ground, and what is written on it into what is written around it."""
    x, y, width, height = patch.box
    left, top = max(0, int((x - 2) / scale)), max(0, int((y - 2) / scale))
    right = min(grey.shape[1], round((x + width + 2) / scale))
    bottom = min(grey.shape[0], round((y + height + 2) / scale))
    padded = cv2.copyMakeBorder(patch.mask, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
    disc, size = np.ones((5, 5), np.uint8), (right - left, bottom - top)
    rows, columns = (max(1, round(side * scale)) for side in grey.shape)
    inside = slice(max(0, 2 - y), rows + 2 - y), slice(max(0, 2 - x), columns + 2 - x)  # of the picture
    wide = cv2.resize(cv2.dilate(padded, disc)[inside], size, interpolation=cv2.INTER_NEAREST) > 0
    deep = cv2.resize(cv2.erode(padded, disc, borderValue=0)[inside], size, interpolation=cv2.INTER_NEAREST) > 0
    part = grey[top:bottom, left:right]
    away = np.abs(part.astype(np.float32) - patch.level)
    turned = patch.around - away if patch.around >= 128 else patch.around + away
    plain = np.where(deep, np.clip(turned, 0, 255), patch.around)
    part[wide] = np.rint(plain[wide]).astype(np.uint8)


__all__ = ["PATCH", "patches_removed"]
