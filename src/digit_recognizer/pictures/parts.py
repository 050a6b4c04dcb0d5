"""Ink on black becomes the ink of the one digit: rules and frames, specks and the neighbours' fragments are left out.

Knows nothing of light or paper, nor of the frame that the digit is put in.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_EDGE = 64  # of 255: where a stroke's edge is taken to be
# How much speaks for a part's belonging to the main one: that it touches the crop's edge, that both do, the share of
# its width that lies above or below, the logarithm of its mass against the main one's. Logistic regression on 12,000
# parts of MNIST training digits, whole, cut and pulled apart, composed with others at the crop's edges; of 6,000 held
# out, 1.0 % are judged wrong; 1.9 % where all that touches the edge is dropped.
_BIAS, _AT_EDGE, _BOTH_AT_EDGE, _OVER, _SHARE = 9.7, -11.6, 5.3, 1.1, 1.65
_RULED_FROM = 14  # pixels: in smaller crops a stroke and a rule are the same
_LONG = 0.8  # share of the crop's side that a rule is long at least; MNIST's digits fill 20 of 28 pixels
_THIN = 0.08  # share of the crop's other side that a rule is thick at most
_BAR_END = 0.35  # share of a bar's length, from its end, within which the rest of the digit hangs on it
_SPECK = 0.01  # share of all ink that a blot must hold to count as part of the digit

_Grey = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]


def digit_strokes(ink: _Grey) -> tuple[_Grey, Box] | None:
    """The ink of the digit that is meant, uint8 (H, W), and its box (top, bottom, left, right); None where none is.

    ink: uint8 (H, W), bright on black.

    >>> ink = np.zeros((40, 40), np.uint8)
    >>> ink[10:30, 18:22] = 255
    >>> ink[:, 0] = 255                                            # the edge of a neighbour
    >>> digit_strokes(ink)[1]
    (10, 30, 18, 22)
    """
    ink = without_rules(ink)
    marked = (ink >= _EDGE).astype(np.uint8)
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(marked, connectivity=8)
    if count == 1:
        return None
    if count > 2:
        mass = np.bincount(labels.ravel(), weights=ink.ravel(), minlength=count)
        kept = _chosen(mass, np.asarray(boxes), np.asarray(centres), ink.shape)
        if kept[1:].all():
            return ink, box_of(marked)
        marked = kept[labels]
        ink = np.where(marked | (labels == 0), ink, 0).astype(np.uint8)
    return ink, box_of(marked)


def box_of(mask: npt.NDArray[Any]) -> Box:
    """The smallest box around what is not zero: (top, bottom, left, right), the ends exclusive. Some pixel must be.

    >>> box_of(np.eye(3)[:2])
    (0, 2, 0, 2)
    """
    bytes_ = mask if mask.dtype == np.uint8 else (mask != 0).view(np.uint8)
    left, top, width, height = cv2.boundingRect(bytes_)
    return top, top + height, left, left + width


def _chosen(
    mass: npt.NDArray[Any],
    boxes: npt.NDArray[Any],
    centres: npt.NDArray[Any],
    shape: tuple[int, ...],
) -> _Mask:
    """Which components make up the digit: bool (count,)."""
    mass = mass.copy()
    mass[0] = 0
    height, width = shape
    left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    at_edge = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    away = np.hypot((centres[:, 0] + 0.5) / width - 0.5, (centres[:, 1] + 0.5) / height - 0.5)
    main = int(np.argmax(mass * np.exp(-((away / 0.3) ** 2)) * np.where(at_edge, 0.5, 1)))
    over = np.minimum(right, right[main]) - np.maximum(left, left[main])
    over = np.clip(over / (right - left), -1, 1)
    share = np.log(np.maximum(mass, 1) / mass[main])
    belongs = _BIAS + _AT_EDGE * at_edge + _OVER * over + _SHARE * share
    if at_edge[main]:
        belongs += _BOTH_AT_EDGE * at_edge
    kept = (belongs > 0) & (mass >= _SPECK * mass.sum())
    kept[main] = True
    return np.asarray(kept, np.bool_)


def without_rules(ink: _Grey) -> _Grey:
    """Ruled lines and the sides of a frame redrawn from what lies beside them: uint8 (H, W).

    A rule is thin and straight, and reaches further than the digit: its ends lie clear of all other ink, and so do
    top and bottom. A crop without rules is returned as it is.

    >>> ink = np.zeros((40, 40), np.uint8)
    >>> ink[5:35, 18:22] = 255
    >>> ruled = ink.copy()
    >>> ruled[20] = 200
    >>> bool((without_rules(ruled) == ink).all())
    True
    """
    marked = (ink >= _EDGE).view(np.uint8)
    turned = np.ascontiguousarray(marked.T)
    if not (_has_long_row(marked) or _has_long_row(turned)):  # as most
        return ink
    rows, columns = _rules(marked), _rules(turned).T
    if not rows.any() and not columns.any():
        return ink
    rest = (marked > 0) & ~rows & ~columns
    rows, columns = _reaching(rows, rest), _reaching(columns.T, rest.T).T
    if rows.any():
        ink = _redrawn(ink, rows)
    if columns.any():
        ink = _redrawn(ink.T, columns.T).T
    return np.ascontiguousarray(ink)


def _rules(marked: npt.NDArray[np.uint8]) -> _Mask:
    """Horizontal runs nearly as long as the crop is wide, of few rows: bool (H, W)."""
    height, width = marked.shape
    nothing = np.zeros(marked.shape, np.bool_)
    if not _has_long_row(marked):
        return nothing
    run = cv2.morphologyEx(marked, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    run = cv2.morphologyEx(run, cv2.MORPH_OPEN, np.ones((1, int(_LONG * width)), np.uint8))
    for top, bottom in _runs(np.any(run, axis=1)):
        if bottom - top > max(1, _THIN * height):
            run[top:bottom] = 0
    return run.view(np.bool_)


def _has_long_row(marked: npt.NDArray[np.uint8]) -> bool:
    """Whether enough is marked in some row for a rule."""
    if min(marked.shape) < _RULED_FROM:
        return False
    return bool(cv2.reduce(marked, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).max() >= _LONG * marked.shape[1])


def _runs(flags: Any) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _reaching(rules: _Mask, rest: _Mask) -> _Mask:
    """Those of the rules that reach beyond the rest of the ink at both ends, where that leaves top and bottom free."""
    if not rules.any() or not rest.any():
        return np.zeros_like(rules)
    kept = rules.copy()
    columns = rest.sum(axis=0)
    middle = np.flatnonzero(columns)
    clear = max(1, round(0.03 * rest.shape[1]))
    # Specks and neighbours at the edge do not count: the middle 98 % of the other ink does.
    share = np.cumsum(columns) / columns.sum()
    left, right = int(np.searchsorted(share, 0.01)), int(np.searchsorted(share, 0.99))
    for top, bottom in _runs(np.any(rules, axis=1)):
        ends = np.flatnonzero(rules[top:bottom].any(axis=0))
        free = ends[0] + clear <= left and ends[-1] - clear >= right and middle.size > 0
        if not free or _is_bar(rest, top, bottom, int(ends[0]), int(ends[-1])):
            kept[top:bottom] = False
    return kept


def _is_bar(rest: _Mask, top: int, bottom: int, left: int, right: int) -> bool:
    """Whether a line is the bar of a 7 or the foot of a 2: all other ink lies on one side, and hangs on one end."""
    above, below = rest[:top], rest[bottom:]
    if above.sum() > 0.01 * rest.sum() and below.sum() > 0.01 * rest.sum():
        return False
    near = below[2:4] if below.sum() > above.sum() else above[-4:-2]  # next to it there may be a ragged edge of its own
    touching = np.flatnonzero(near.any(axis=0))
    reach = _BAR_END * (right - left)
    return bool(len(touching)) and bool(touching[0] >= right - reach or touching[-1] <= left + reach)


def _redrawn(ink: _Grey, rules: _Mask) -> _Grey:
    """Each rule's rows drawn anew, from the row above to the row below: strokes that cross it stay."""
    ink = ink.copy()
    height = len(ink)
    for top, bottom in _runs(np.any(rules, axis=1)):
        first, last = max(0, top - 1), min(height, bottom + 1)  # its soft edges too
        above = ink[first - 1] if first > 0 else np.zeros(ink.shape[1], np.uint8)
        below = ink[last] if last < height else np.zeros(ink.shape[1], np.uint8)
        band = ink[first:last]
        level = np.median(band, axis=1, keepdims=True)
        weight = (np.arange(1, last - first + 1) / (last - first + 1))[:, None]
        between = above * (1 - weight) + below * weight
        stronger = np.where(band > level + _EDGE, band, 0)
        ink[first:last] = np.maximum(between, stronger).astype(np.uint8)
    return ink


__all__ = ["Box", "box_of", "digit_strokes", "without_rules"]
