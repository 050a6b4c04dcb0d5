"""Plus signs are told from digits and letters by their two strokes. Knows nothing of what stands beside them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.cutting import Labels
from digit_recognizer.pictures.lines import Boxes

# Shares of a mark's breadth or height, unless said otherwise.
_SMALLEST = 6  # pixels a side
_SQUARE = 1.6  # times one side is longer than the other, at most
_WHOLE = 0.85  # that a stroke covers, at least
_THICK = 0.4  # of the side across it, at most
_MIDDLE = (0.3, 0.7)  # where it lies
_ELSEWHERE = 0.08  # of the ink that lies beside both strokes, at most


def find_crosses(labels: Labels, boxes: Boxes) -> frozenset[int]:
    """Which marks are plus signs: indices into ``boxes``.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.

    >>> labels = np.zeros((30, 60), np.int32)
    >>> labels[13:16, 5:25] = labels[5:25, 13:16] = 1
    >>> labels[5:25, 40:43] = 2
    >>> find_crosses(labels, np.array([[5, 5, 20, 20], [40, 5, 3, 20]]))
    frozenset({0})
    """
    if not len(boxes):
        return frozenset()
    sides = boxes[:, 2:]
    square = (sides.min(1) >= _SMALLEST) & (sides.max(1) <= _SQUARE * sides.min(1))
    found = set()
    for mark in np.flatnonzero(square).tolist():
        x, y, width, height = boxes[mark].tolist()
        ink = labels[y : y + height, x : x + width] == mark + 1
        level, upright = _stroke(ink.mean(1)), _stroke(ink.mean(0))
        if level is not None and upright is not None:
            ink = ink.copy()
            total = np.count_nonzero(ink)
            ink[level] = False
            ink[:, upright] = False
            if np.count_nonzero(ink) <= _ELSEWHERE * total:
                found.add(mark)
    return frozenset(found)


def _stroke(shares: npt.NDArray[np.float64]) -> slice | None:
    """Where the one stroke in the middle lies, and a pixel beside it. shares: of each row or column that is ink."""
    whole = np.flatnonzero(shares >= _WHOLE)
    if not len(whole) or whole[-1] - whole[0] + 1 > _THICK * len(shares):
        return None
    first, last = _MIDDLE
    if not first * len(shares) <= (whole[0] + whole[-1] + 1) / 2 <= last * len(shares):
        return None
    return slice(max(0, int(whole[0]) - 1), int(whole[-1]) + 2)


__all__ = ["find_crosses"]
