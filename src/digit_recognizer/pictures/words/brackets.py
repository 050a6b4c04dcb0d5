"""Round brackets are told from 1s by how they bow: around what stands between them, or away from what they end.

Known by each mark's pixels, row by row, and by the boxes beside it. Knows nothing of what is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.paper import Labels

_LOWEST = 12  # pixels: how far a lower stroke bows nobody can tell
# Shares of a bracket's own height.
_BROADEST, _STROKE = 0.55, 0.3  # all of it, and its stroke along a row, at most
# How far its middle bows from the line between its ends, at least, one of a pair and one alone. Of 337 of MNIST's 1s
# 12 bow to one side by the former and 17 to the other, one and five by the latter.
_BOWS, _BOWS_ALONE = 0.06, 0.1
_OTHER_WAY = 0.04  # and the other way at most: so does an S
_LEANS = 0.35  # from one end to the other at most
_MIDDLE = (0.25, 0.75)  # where it bows most
_ENDS = 8  # a part of it as long as this one is an end
_BOWS_MUCH = 0.12  # and where it need be no taller than what is inside: so bow four of the 1s, all as an opening one
# Shares of the height of the mark inside it.
_ABOVE, _BELOW, _TALLER = -0.02, 0.05, 0.12  # how far it reaches above and below that, and both together, at least
_ALMOST = -0.05  # and each of them where it bows much
_NEAR = 0.6  # and how far from it it stands at most
_APART, _WIDER = 0.35, 1.3  # room after one that stands alone, at least, and times that is wider than the room before
_TALL = 0.3  # of the tallest mark of its line: what is lower is a dot, or dirt
_ITEM = 3  # marks before one that stands alone at most: an item's number is short


def find_brackets(labels: Labels, boxes: Boxes, lines: Sequence[Sequence[int]]) -> frozenset[int]:
    """Which marks are round brackets: indices into ``boxes``.

    labels: int32 (H, W), 0 on the ground, 1 + index on each mark. boxes: int64 (N, 4), x, y, width, height of each.
    lines: the marks of each, from left to right. A bracket is one narrow stroke that bows to the outside, and reaches
    above and below what is next to it inside. They come in pairs; or one closes a short number at the head of a
    line, and room follows, as in ``1) 45``.

    >>> labels = np.zeros((40, 60), np.int32)
    >>> labels[8:32, 5:15] = 1
    >>> bow = np.rint(6 * np.sin(np.linspace(0, np.pi, 32))).astype(int)
    >>> for place, right in enumerate(bow): labels[4 + place, 20 + right : 23 + right] = 2
    >>> sorted(find_brackets(labels, np.array([[5, 8, 10, 24], [20, 4, 9, 32]]), [[0, 1]]))
    [1]
    """
    found: set[int] = set()
    for line in lines:
        tallest = max((boxes[mark, 3] for mark in line), default=0)
        tall = [mark for mark in line if boxes[mark, 3] >= _TALL * tallest]
        opening = None
        for place, mark in enumerate(tall):
            bow = _bow(labels, boxes, mark)
            inside = place + 1 if bow < 0 else place - 1
            if abs(bow) < _BOWS or inside not in range(len(tall)):
                continue
            if not _is_around(boxes[mark], boxes[tall[inside]], bow):
                continue
            if bow < 0:
                opening = place
                continue
            if opening is not None and place - opening > 1:
                found |= {tall[opening], mark}
            elif bow >= _BOWS_ALONE and place <= _ITEM and _has_room(boxes[tall], place):
                found.add(mark)
            opening = None
    return frozenset(found)


def _bow(labels: Labels, boxes: Boxes, mark: int) -> float:
    """How far a mark's stroke bows to the right, in its heights; below 0 to the left, 0 where it is no such stroke."""
    x, y, width, height = boxes[mark].tolist()
    if height < _LOWEST or width > _BROADEST * height:
        return 0.0
    ink: npt.NDArray[np.bool_] = labels[y : y + height, x : x + width] == mark + 1
    starts = ink.argmax(1)
    ends = width - ink[:, ::-1].argmax(1)
    if not ink.any(1).all() or (ends - starts).max() > _STROKE * height:
        return 0.0
    middles = (starts + ends) / 2
    end = max(1, height // _ENDS)
    top, foot = float(middles[:end].mean()), float(middles[-end:].mean())
    off = (middles - np.linspace(top, foot, height)) / height
    most = int(np.abs(off).argmax())
    if abs(foot - top) > _LEANS * height or not _MIDDLE[0] * height <= most <= _MIDDLE[1] * height:
        return 0.0
    bow = float(off[most])
    return 0.0 if (-off * np.sign(bow)).max() > _OTHER_WAY else bow


def _is_around(bracket: npt.NDArray[np.int64], inside: npt.NDArray[np.int64], bow: float) -> bool:
    """Whether a mark is near another and reaches above and below it, as brackets do. Both: x, y, width, height."""
    (x, y, width, tall), (left, top, broad, size) = bracket.tolist(), inside.tolist()
    above, below = (top - y) / size, (y + tall - top - size) / size
    gap = max(left - x - width, x - left - broad)
    is_tall = above >= _ABOVE and below >= _BELOW and above + below >= _TALLER
    is_tall |= abs(bow) >= _BOWS_MUCH and min(above, below) >= _ALMOST
    return bool(is_tall and gap <= _NEAR * size)


def _has_room(boxes: Boxes, place: int) -> bool:
    """Whether a space follows the mark at a place, and parts it from what follows rather than from what is before it.

    boxes: int64 (N, 4), of the tall marks of its line, from left to right.
    """
    gaps = [int(other[0] - one[0] - one[2]) for one, other in pairwise(boxes[max(0, place - 1) : place + 2])]
    return len(gaps) < 2 or gaps[1] >= max(_APART * boxes[place - 1, 3], _WIDER * gaps[0])


__all__ = ["find_brackets"]
