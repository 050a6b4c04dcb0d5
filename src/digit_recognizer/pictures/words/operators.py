"""Plus and equals signs are told from digits and letters by their two strokes. Knows nothing of what stands beside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.paper import Labels

# Shares of a mark's breadth or height, unless said otherwise.
_SMALLEST = 6  # pixels a side
_SQUARE = 1.6  # times one side of a plus is longer than the other, at most
_WHOLE = 0.85  # that a stroke covers, at least
_THICK = 0.4  # of the side across it, at most
_MIDDLE = (0.3, 0.7)  # where it lies in a plus
_ELSEWHERE = 0.08  # of the ink that lies beside both strokes, at most
_SMALL, _COMMA = 0.3, 0.55  # of the tallest mark in its line, and of the line from its top: what is smaller or lower
_FLAT = 1.8  # times a stroke of an equals sign is longer than thick, at least
_UNEVEN = 0.2  # of their length, by which the two differ, at most
_LOW = 1.2  # of their length that both together are tall, at most: what is left of a 0 is taller


def find_operators(labels: Labels, boxes: Boxes) -> frozenset[int]:
    """Which marks are plus signs, equals signs, or strokes of these: indices into ``boxes``.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.

    >>> labels = np.zeros((30, 60), np.int32)
    >>> labels[13:16, 5:25] = labels[5:25, 13:16] = 1
    >>> labels[5:25, 40:43] = 2
    >>> find_operators(labels, np.array([[5, 5, 20, 20], [40, 5, 3, 20]]))
    frozenset({0})
    """
    if not len(boxes):
        return frozenset()
    found = _equal_strokes(boxes)
    sides = boxes[:, 2:]
    square = (sides.min(1) >= _SMALLEST) & (sides.max(1) <= 2 * _SQUARE * sides.min(1))
    for mark in np.flatnonzero(square).tolist():
        x, y, width, height = boxes[mark].tolist()
        ink = labels[y : y + height, x : x + width] == mark + 1
        if _is_plus(ink) or _is_equals(ink):
            found.add(mark)
    return frozenset(found)


def with_minus(operators: frozenset[int], boxes: Boxes, lines: Sequence[Sequence[int]]) -> frozenset[int]:
    """The operators that are neither small nor low in their line, as a comma is, and the dashes in the lines of these.

    Elsewhere a dash is part of a number.

    operators: as ``find_operators`` gives them. boxes: int64 (N, 4). lines: the marks of each, from left to right.

    >>> boxes = np.array([[0, 0, 10, 20], [14, 9, 10, 2], [28, 0, 10, 20], [42, 5, 10, 10], [56, 0, 10, 20]])
    >>> sorted(with_minus(frozenset({3}), boxes, [[0, 1, 2, 3, 4]]))
    [1, 3]
    """
    found = set(operators)
    for line in lines:
        mine = [mark for mark in line if mark in operators]
        rest = np.array([mark for mark in line if mark not in operators], np.int64)
        if mine and len(rest):
            _, tops, broad, tall = boxes[rest].T
            top, foot = np.median(tops), np.median(tops + tall)
            low = top + _COMMA * (foot - top)
            small = {mark for mark in mine if boxes[mark, 2:].max() < _SMALL * tall.max() or boxes[mark, 1] > low}
            found -= small
            if len(small) == len(mine):
                continue
            hangs = (tops > top + 0.25 * (foot - top)) & (tops + tall < foot - 0.2 * (foot - top))
            found |= set(rest[(broad >= _FLAT * tall) & (broad >= 0.2 * (foot - top)) & hangs].tolist())
    return frozenset(found)


def _is_plus(ink: npt.NDArray[np.bool_]) -> bool:
    """Whether a mark is two strokes that cross in the middle."""
    if max(ink.shape) > _SQUARE * min(ink.shape):
        return False
    level, upright = _stroke(ink.mean(1)), _stroke(ink.mean(0))
    if level is None or upright is None:
        return False
    beside = ink.copy()
    beside[level] = False
    beside[:, upright] = False
    return bool(np.count_nonzero(beside) <= _ELSEWHERE * np.count_nonzero(ink))


def _stroke(shares: npt.NDArray[np.float64]) -> slice | None:
    """Where the one stroke in the middle lies, and a pixel beside it. shares: of each row or column that is ink."""
    whole = np.flatnonzero(shares >= _WHOLE)
    if not len(whole) or whole[-1] - whole[0] + 1 > _THICK * len(shares):
        return None
    first, last = _MIDDLE
    if not first * len(shares) <= (whole[0] + whole[-1] + 1) / 2 <= last * len(shares):
        return None
    return slice(max(0, int(whole[0]) - 1), int(whole[-1]) + 2)


def _is_equals(ink: npt.NDArray[np.bool_]) -> bool:
    """Whether a mark is two level strokes, one above the other, and nothing between them."""
    shares = ink.mean(1)
    inked = np.flatnonzero(np.diff(np.pad((shares > 0).astype(np.int8), 1)))
    if len(inked) != 4:
        return False
    strokes = [shares[inked[0] : inked[1]], shares[inked[2] : inked[3]]]
    flat = all(_FLAT * len(stroke) <= ink.shape[1] and stroke.max() >= _WHOLE for stroke in strokes)
    return flat and bool(inked[2] > inked[1])


def _equal_strokes(boxes: Boxes) -> set[int]:
    """Marks that are the strokes of an equals sign, which stand one above the other."""
    flat = np.flatnonzero((boxes[:, 2] >= _FLAT * boxes[:, 3]) & (boxes[:, 2] >= _SMALLEST))
    order = flat[np.argsort(boxes[flat, 0], kind="stable")].tolist()
    found = set()
    for place, one in enumerate(order):
        x, y, width, height = boxes[one].tolist()
        for other in order[place + 1 :]:
            left, top, broad, tall = boxes[other].tolist()
            if left - x > _UNEVEN * width:
                break
            apart = max(y, top) - min(y + height, top + tall)
            whole = max(y + height, top + tall) - min(y, top)
            alike = abs(broad - width) <= _UNEVEN * width and max(height, tall) <= 2 * min(height, tall)
            if alike and apart > 0 and whole <= _LOW * width:
                found |= {one, other}
    return found


__all__ = ["find_operators", "with_minus"]
