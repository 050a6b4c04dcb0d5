"""Digits of seven segments, as clocks, meters and calculators show them, are put together from their bars.

Knows the bars by their boxes alone, and only where nearly all marks of a page are such bars.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Chosen on 24 numbers drawn of bars and 36 in DSEG fonts, 3 and none of which were read right before: 17 and 22; of as
# many others, in other fonts of that family, 17 and 16. Most that are wrong yet have a space before a 1.
_MOST = 400  # marks; a page with more of them is no display
_LONGEST = 0.68  # of a digit's height: the longest side of a segment at most
_NEAR = 0.2  # of a segment's length between the ends of two of a digit at most; digits stand further apart
_ALIKE = 0.75  # of the height of most digits that all have at least
_SLIM = 0.65  # breadth of a bar in lengths, slanted ones included: the loops of an 8 that do not meet are broader
_NEARLY_ALL = 0.85  # share of the marks that are such bars, and in such digits
_FEWEST = 2.0  # segments of a digit on the average; a 1 has two
_BROADEST = 1.1  # breadth of a digit in heights, slanted ones included


def joined_segments(boxes: npt.NDArray[np.int64]) -> list[list[int]] | None:
    """Group bars into digits of seven segments: lists of indices; None where most marks are no such bars.

    boxes: int64 (N, 4), x, y, width, height.

    >>> joined_segments(np.array([[40, 0, 8, 38], [40, 42, 8, 38], [60, 0, 30, 8], [86, 10, 8, 28], [86, 42, 8, 38]]))
    [[0, 1], [2, 3, 4]]
    """
    if not 2 <= len(boxes) <= _MOST:
        return None
    short, long = np.sort(boxes[:, 2:], axis=1).T
    if np.count_nonzero(short <= _SLIM * long) < _NEARLY_ALL * len(boxes):
        return None
    near = _NEAR * float(np.median(long)) + 1
    first, last = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    gaps = np.maximum(first[:, None], first[None]) - np.minimum(last[:, None], last[None])
    linked = (gaps <= near).all(axis=2)
    while True:
        further = (linked.astype(np.float32) @ linked.astype(np.float32)) > 0
        if (further == linked).all():
            break
        linked = further
    names = linked.argmax(axis=1)
    groups = [np.flatnonzero(names == name) for name in np.unique(names)]
    sizes = np.array([len(group) for group in groups])
    spans = np.array([last[group].max(axis=0) - first[group].min(axis=0) for group in groups])
    heights = np.repeat(spans[:, 1], sizes)
    usual = float(np.median(heights))
    fits = (spans[:, 1] >= _ALIKE * usual) & (spans[:, 1] * _ALIKE <= usual) & (spans[:, 0] <= _BROADEST * usual)
    fits &= [bool((boxes[group, 2:] <= _LONGEST * usual).all()) for group in groups]
    if sizes[fits].sum() < _NEARLY_ALL * len(boxes) or len(boxes) < _FEWEST * len(groups):
        return None
    return [group.tolist() for group in groups]


__all__ = ["joined_segments"]
