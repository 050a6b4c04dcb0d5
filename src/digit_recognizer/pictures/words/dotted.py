"""The letters i and j are told from 1s by their dots. Known by each mark's pixels and the boxes of others.

Knows nothing of what is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.level import stands_level
from digit_recognizer.pictures.marks.lines import Begins, Boxes
from digit_recognizer.pictures.paper import Labels, Mask

# Shares of the height of the stem, unless said otherwise.
_LOWEST = 5  # pixels of a stem at least
_SMALL = 14  # and of one whose dot is as small as dirt at most
_BROADEST = 0.85  # with its serifs, or the hook of a j
_STROKE = 0.36  # its stroke, and how far the middle of that strays in its middle rows but for its lean
_STRAYS, _MIDDLE = 0.08, (0.25, 0.75)
_DOT = (0.1, 0.42)  # how broad and how tall a dot is
_SQUARE = 1.35  # times one of its sides is longer than the other at most, or a pixel more: what breaks off a 1 is long
_FULL = 0.55  # of its box that it fills at least
_LIKE_STEM = (0.6, 2.4)  # of the stem's stroke that it is broad
_FREE = 0.45  # between dot and stem at most
_BESIDE = 0.25  # how far the dot's middle lies beside the stem's top at most: italics lean
_TOP = 0.2  # of the stem that is its top


def find_dotted(labels: Labels, boxes: Boxes, lines: Sequence[Sequence[int]], mask: Mask) -> frozenset[int]:
    """Which marks are stems with a dot right above, or right below where they are upside down: indices into ``boxes``.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.
    lines: the marks of each, from left to right; only those count that stand level, as print does: broken 1s by hand
    look like an i. mask: bool (H, W), all ink, with what was left out as dirt. The dot may be a mark of its own, or
    joined to the stem as the rest of a broken digit would be, or, of small print, dirt.

    >>> labels = np.zeros((40, 20), np.int32)
    >>> labels[12:36, 5:9] = labels[4:8, 5:9] = 1
    >>> find_dotted(labels, np.array([[5, 4, 4, 32]]), [[0]], labels > 0)
    frozenset({0})
    """
    found = set()
    begins = Begins(boxes)
    for line in lines:
        for upside_down in (False, True):
            if stands_level(boxes, line, upside_down=upside_down):
                found |= {mark for mark in line if _is_dotted(labels, boxes, mask, begins, mark, upside_down)}
    return frozenset(found)


def _is_dotted(labels: Labels, boxes: Boxes, mask: Mask, begins: Begins, mark: int, upside_down: bool) -> bool:
    """Whether a mark is a stem with a dot above, or below where it is upside down. begins: of all marks."""
    left, top, width, height = boxes[mark].tolist()
    if width > _BROADEST * height or height < _LOWEST:
        return False
    way = slice(None, None, -1 if upside_down else 1)  # from where the dot is
    ink: npt.NDArray[np.bool_] = (labels[top : top + height, left : left + width] == mark + 1)[way]
    free = np.flatnonzero(~ink.any(1))
    if len(free):  # in two parts
        is_one = free[-1] - free[0] + 1 == len(free)
        return is_one and _are_dot_and_stem(ink[: free[0]], ink[free[-1] + 1 :], 0, len(free))
    first = top - (_DOT[1] + _FREE) * height
    for dot in begins.between(top + height, top + (1 + _FREE) * height) if upside_down else begins.between(first, top):
        at, above, wide, high = boxes[dot].tolist()
        apart = above - top - height if upside_down else top - above - high
        if max(wide, high) > _DOT[1] * height or apart < 0 or at >= left + width or at + wide <= left:
            continue
        part = (labels[above : above + high, at : at + wide] == dot + 1)[way]
        if part.any(1).all() and _are_dot_and_stem(part, ink, at - left, apart):
            return True
    return height <= _SMALL and _has_dirt(labels, mask, ink, (left, top), upside_down)


def _has_dirt(labels: Labels, mask: Mask, stem: npt.NDArray[np.bool_], at: tuple[int, int], upside_down: bool) -> bool:
    """Whether a bit of ink that is no mark, all of it seen, is the dot of a stem, whose box begins at (x, y)."""
    (x, y), (height, width) = at, stem.shape
    far = round((_DOT[1] + _FREE) * height)
    first = y + height if upside_down else max(0, y - far)
    left = max(0, x - 1)
    rows, columns = slice(first, y + height + far if upside_down else y), slice(left, x + width + 1)
    dirt = mask[rows, columns] & (labels[rows, columns] == 0)
    dirt = dirt[::-1] if upside_down else dirt
    inked = np.flatnonzero(dirt.any(1))
    if not len(inked) or inked[-1] - inked[0] + 1 != len(inked) or inked[0] == 0:
        return False
    return _are_dot_and_stem(dirt[inked[0] : inked[-1] + 1], stem, left - x, len(dirt) - 1 - int(inked[-1]))


def _are_dot_and_stem(dot: npt.NDArray[np.bool_], stem: npt.NDArray[np.bool_], right: int, free: int) -> bool:
    """Whether the upper of two parts is a dot above the lower one.

    right: pixels from where the stem's box begins to where the dot's does. free: those between them.
    """
    height = len(stem)
    columns = np.flatnonzero(dot.any(0))
    if not len(columns) or not height:
        return False
    broad, tall = int(columns[-1] - columns[0] + 1), len(dot)
    least, most = _DOT[0] * height, _DOT[1] * height
    if height < _LOWEST or not least <= min(broad, tall) or max(broad, tall) > most or free > _FREE * height:
        return False
    if max(broad, tall) > 1 + _SQUARE * min(broad, tall) or np.count_nonzero(dot) < _FULL * broad * tall:
        return False
    rows = stem[round(_MIDDLE[0] * height) : max(1, round(_MIDDLE[1] * height))]
    widths = rows.shape[1] - rows[:, ::-1].argmax(1) - rows.argmax(1)
    stroke = float(np.median(widths))
    if not rows.any(1).all() or stroke > _STROKE * height or not _is_straight(rows, height):
        return False
    top = np.flatnonzero(stem[: max(1, round(_TOP * height))].any(0))
    middle = right + columns[0] + broad / 2
    is_above = top[0] - _BESIDE * height <= middle <= top[-1] + 1 + _BESIDE * height
    return bool(is_above and _LIKE_STEM[0] * stroke <= broad <= _LIKE_STEM[1] * stroke)


def _is_straight(rows: npt.NDArray[np.bool_], height: int) -> bool:
    """Whether the middle of each row of a stroke lies on one line, upright or leaning."""
    middles = (rows.argmax(1) + rows.shape[1] - rows[:, ::-1].argmax(1)) / 2
    line = np.linspace(middles[0], middles[-1], len(middles))
    return bool(np.abs(middles - line).max() <= max(1.0, _STRAYS * height))


__all__ = ["find_dotted"]
