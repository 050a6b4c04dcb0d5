"""Where light ends, a bar is left once the ground is taken away: told from a stroke, which has ground on both sides.

Knows nothing of digits but where they stand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.reading import Box

EDGE = "the edge of a shadow, sheet or fold"

# How much a bar stands out from its one side, in shares of how much it does from the other: 0.54 and more for 236 lone
# 1s of MNIST on six papers, up to 0.17 for 29 edges of shadows and folds.
_ONE_SIDED = 0.35
_NARROW = 0.5  # of its height that a bar is broad at most
_BESIDE = 0.5  # of the bar's breadth: how far from it its sides are looked at
_FEWEST = 4  # rows that say something
# What lies along a side of the picture for most of its own height is the rest of something else, but in a picture
# that is cut out as close as that on the other sides.
_ALONG, _CLOSE = 0.5, 0.8

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def is_edge(grey: Grey, mask: Mask, box: Box) -> bool:
    """Whether a narrow mark is the edge of a shadow, a sheet or a fold: its one side is as dark, or light, as it is, or
    beyond the picture.

    False for what is broad, and for a mark that fills the picture from top to bottom, or from side to side.

    grey: uint8 (H, W). mask: bool (H, W), the page's ink. box: of the bar, (x, y, w, h).

    >>> page = np.full((60, 60), 230, np.uint8)
    >>> page[:, 30:] = 120                                     # a shadow
    >>> page[10:50, 10:14] = 40                                # a stroke
    >>> mask = np.zeros((60, 60), np.bool_)
    >>> mask[10:50, 10:14] = mask[:, 30:34] = True
    >>> is_edge(page, mask, (10, 10, 4, 40)), is_edge(page, mask, (30, 0, 4, 60))
    (False, True)
    """
    x, y, width, height = box
    if width > _NARROW * height:
        return False
    part = mask[y : y + height, x : x + width]
    rows = np.flatnonzero(part.any(axis=1))
    if len(rows) < _FEWEST:
        return False
    first = x + part.argmax(axis=1)[rows]
    last = x + width - 1 - part[:, ::-1].argmax(axis=1)[rows]
    if _is_along(first, last, grey.shape[1]) and height < _CLOSE * len(grey):
        return True
    beside = 2 + round(_BESIDE * float(np.median(last - first + 1)))
    left, right = first - beside, last + beside
    rows, inside = rows + y, (left >= 0) & (right < grey.shape[1])
    inside[inside] = ~(mask[rows[inside], left[inside]] | mask[rows[inside], right[inside]])  # a neighbour's ink
    if inside.sum() < _FEWEST:
        return False
    values = grey[y : y + height].astype(np.float32)
    bar = (values[:, x : x + width] * part).sum(axis=1)[rows - y] / part.sum(axis=1)[rows - y]
    rows, left, right, bar = rows[inside] - y, left[inside], right[inside], bar[inside]
    sides = float(np.median(values[rows, left] - bar)), float(np.median(values[rows, right] - bar))
    least, most = sorted(sides, key=abs)
    return least * most <= 0 or abs(least) < _ONE_SIDED * abs(most)


def _is_along(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], width: int) -> bool:
    """Whether rows that reach from ``first`` to ``last`` lie along one side of a picture, and none near the other."""
    left, right = float(np.mean(first <= 0)), float(np.mean(last >= width - 1))
    return max(left, right) >= _ALONG and min(left, right) == 0


__all__ = ["EDGE", "is_edge"]
