"""The bars of charts become plain ground: they are no strokes, and thicker than any.

Known by being rectangles of one level, several of a breadth, beside smaller print. Knows nothing of digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

import cv2
import numpy as np

from digit_recognizer.pictures.paper import Grey, Mask, shrunk
from digit_recognizer.reading import Box, overlap

BAR = "a bar of a chart"

_SIDE = 640  # pixels of the picture in which bars are looked for
_LEAST_SIDE = 300  # of the longer side of a picture that may hold a chart: drawings have no time for this
_SMALLEST = 11  # pixels of a bar's shorter side there, at least
_FULL = 0.96  # of the box around it that a bar fills, at least
_ALIKE = 1.15  # times one bar is broader than another at most
_SEVERAL = 3  # bars of a breadth at least
_PRINT = 6  # marks of print beside them at least,
_OF_A_HEIGHT = 1.4  # times one of which is taller than another,
_THICK = 0.55  # of whose height bars are broad at least: bold strokes are 0.3
_LONG = 1.5  # times one of them is longer than broad, at least
_UNEVEN = 1.08  # times one is longer than another, of some at least: strokes of digits are not
_LEVEL_WITH = 0.2  # of their breadth by which the ends that they stand on differ at most
_APART = 0.15  # of their breadth that is free between bars at least: those of a display's digits meet
_LEVEL = 12  # grey levels by which a bar's inside differs at most, from pixel to pixel
_STEP = 24  # and by which it differs from what lies around it at least
_FREE = 0.7  # of what lies right around a bar that is none of it, at least: a line may run into it


def bars_removed(grey: Grey) -> tuple[Grey, tuple[Box, ...]]:
    """The picture with the bars of a chart painted over, and their boxes; the same array where there are none.

    grey: uint8 (H, W). Several bars of one breadth stand on one line, apart from each other, not all as long, and none
    of that breadth lies across, as the strokes of displays do. All are broader than half of the height of the print
    beside them, as no stroke is.

    >>> bars_removed(np.full((60, 80), 255, np.uint8))[1]
    ()
    """
    if max(grey.shape) < _LEAST_SIDE:
        return grey, ()
    small, scale = shrunk(grey, _SIDE)
    found: list[Box] = []
    for mask in _masks(small):
        found += [box for box in _bars(small, mask) if not any(overlap(box, other) for other in found)]
    if not found:
        return grey, ()
    plain = grey.copy()
    boxes = []
    for x, y, width, height in found:
        left, top = max(0, int((x - 2) / scale)), max(0, int((y - 2) / scale))
        right, bottom = round((x + width + 2) / scale), round((y + height + 2) / scale)
        plain[top:bottom, left:right] = _around(small, (x, y, width, height))
        boxes.append((round(x / scale), round(y / scale), round(width / scale), round(height / scale)))
    return plain, tuple(boxes)


def _masks(small: Grey) -> Iterator[Mask]:
    """What may be bars, bool (H, W) each: darker or lighter than a level (Otsu, 1979), whichever is less."""
    level = float(cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])
    for part in (small <= level, small > level):
        if np.count_nonzero(part) > 0 and int(small[part].max()) - int(small[part].min()) > 2 * _LEVEL:
            inner = float(cv2.threshold(small[part].reshape(1, -1), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])
            for mask in (small <= inner, small > inner):
                yield np.asarray(mask, np.bool_)
    yield np.asarray(small <= level, np.bool_)
    yield np.asarray(small > level, np.bool_)


def _bars(small: Grey, mask: Mask) -> list[Box]:
    """The bars of a chart among what is set in a mask; none where it has none."""
    if np.count_nonzero(mask) > 0.5 * mask.size:
        return []
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((_SMALLEST, _SMALLEST), np.uint8))
    rectangles = _rectangles(small, mask, np.asarray(opened, np.uint8)) if opened.any() else []
    if len(rectangles) < _SEVERAL:
        return []
    usual = _height_of_print(mask, np.asarray(opened, np.uint8))
    rectangles = [box for box in rectangles if min(box[2:]) >= _THICK * usual] if usual else []
    for side in (2, 3):
        for one in sorted(rectangles, key=lambda box: -box[side]):
            alike = [box for box in rectangles if one[side] / _ALIKE <= box[side] <= one[side] * _ALIKE]
            across = any(
                box[side] >= _LONG * box[5 - side] and one[side] / _ALIKE <= box[5 - side] <= one[side] * _ALIKE
                for box in rectangles
            )
            if not across and _are_bars(alike, side):
                return alike
    return []


def _rectangles(small: Grey, mask: Mask, opened: Grey) -> list[Box]:
    """The boxes of rectangles of one level, on a ground of another."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    ground = float(np.median(small))
    found = []
    for number in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[number])
        if area < _FULL * width * height:
            continue
        inside = small[y + 1 : y + height - 1, x + 1 : x + width - 1].astype(np.float32)
        level = float(np.median(inside))
        rows, columns, ring = _ring(small, (x, y, width, height))
        if (
            float(np.abs(inside - level).mean()) <= _LEVEL
            and np.mean(~mask[rows, columns][ring]) >= _FREE
            and abs(float(np.median(small[rows, columns][ring])) - level) >= _STEP
            and abs(ground - level) >= _STEP
        ):
            found.append((x, y, width, height))
    return found


def _ring(small: Grey, box: Box) -> tuple[slice, slice, Mask]:
    """Which rows and columns hold a box and what lies right around it, and which of their pixels do, bool (h, w)."""
    x, y, width, height = box
    rows, columns = slice(max(0, y - 5), y + height + 5), slice(max(0, x - 5), x + width + 5)
    ring = np.ones(small[rows, columns].shape, np.bool_)
    top, left = y - rows.start, x - columns.start
    ring[max(0, top - 2) : top + height + 2, max(0, left - 2) : left + width + 2] = False
    if not ring.any():
        ring[:] = True
    return rows, columns, ring


def _height_of_print(mask: Mask, opened: Grey) -> float:
    """How tall most marks are that are no bars, in pixels; 0 where they are few."""
    near = cv2.dilate(opened, np.ones((5, 5), np.uint8)) > 0
    _, _, stats, _ = cv2.connectedComponentsWithStats((mask & ~near).view(np.uint8), connectivity=8)
    tall = [int(height) for _, _, width, height, _ in stats[1:] if height >= 5 and width <= 3 * height]
    if len(tall) < _PRINT:
        return 0.0
    usual = float(median(tall))
    return usual if sum(usual / _OF_A_HEIGHT <= one <= usual * _OF_A_HEIGHT for one in tall) >= _PRINT else 0.0


def _are_bars(boxes: Sequence[Box], side: int) -> bool:
    """Whether rectangles, as broad as each other along one side, are the bars of a chart."""
    if len(boxes) < _SEVERAL or max(box[5 - side] for box in boxes) < max(_LONG * box[side] for box in boxes):
        return False
    lengths = [box[5 - side] for box in boxes]
    starts = [box[3 - side] for box in boxes]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    breadth = min(box[side] for box in boxes)
    return (
        max(lengths) >= _UNEVEN * min(lengths)
        and min(max(ends) - min(ends), max(starts) - min(starts)) <= _LEVEL_WITH * breadth
        and all(_gap(one, other) >= _APART * breadth for one, other in combinations(boxes, 2))
    )


def _gap(one: Box, other: Box) -> int:
    """How far apart two boxes are, in the direction in which they are farther."""
    return max(max(one[at], other[at]) - min(one[at] + one[at + 2], other[at] + other[at + 2]) for at in (0, 1))


def _around(small: Grey, box: Box) -> int:
    """The level of what lies around a box."""
    rows, columns, ring = _ring(small, box)
    return int(np.median(small[rows, columns][ring]))


__all__ = ["BAR", "bars_removed"]
