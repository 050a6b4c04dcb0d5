"""Ink that may be one digit as a whole, though its parts look like lines or like digits above each other.

The stem and bar of a large 4 are as straight as ruling, and the loops of an 8 that do not meet are two 0s. Knows
nothing of models.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Images
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.reading import Box

_MOST = 400  # marks; a picture with more of them is a page
_PIECES = 3  # that one digit is drawn in at most
_DIRT = 0.04  # of all ink: what is less than that together may lie beside the digit
_GAP = 0.1  # of the smaller one's height: the most that lies between two marks that are one digit
_NESTED = 0.8  # of the smaller one's height: the most that both have in common
_SHARED = 0.6  # of the narrower one's width: the least that lies below, or above, the other


def lone_digit(ink: PageInk, *, in_pieces: bool = False) -> tuple[Images, Box] | None:
    """The frame, uint8 (28, 28), and the box of all ink where it is one mark, or two close above each other.

    None where there are more, or where they lie otherwise. in_pieces: up to three marks may lie as they like.

    >>> mask = np.zeros((60, 60), np.bool_)
    >>> mask[10:50, 20:40] = True
    >>> lone_digit(PageInk(np.where(mask, 255, 0).astype(np.uint8), mask, 4.0))[1]
    (20, 10, 20, 40)
    """
    labels, stats = ink.connected
    if not 2 <= len(stats) <= _MOST:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-areas, kind="stable")
    least = (1 - _DIRT) * areas.sum()
    chosen = order[: 1 + int(np.searchsorted(np.cumsum(areas[order]), least))]
    sides = np.asarray(stats[1 + chosen, :4], np.int64)
    if len(chosen) > (_PIECES if in_pieces else 2):
        return None
    if len(chosen) > 1 and not in_pieces and not _one_above_the_other(sides):
        return None
    left, top = (int(side) for side in sides[:, :2].min(axis=0))
    right, bottom = (int(side) for side in (sides[:, :2] + sides[:, 2:]).max(axis=0))
    box = left, top, right - left, bottom - top
    mine = np.where(np.isin(labels, 1 + chosen), np.int32(1), np.minimum(2 * labels, 2))  # 2: dirt
    return frame_of(ink, mine, [Piece(1, box, int(areas[chosen].sum()))], Candidate(0, 1, box)), box


def _one_above_the_other(sides: npt.NDArray[np.int64]) -> bool:
    """sides: int (2, 4), the boxes of two marks, (x, y, w, h) each."""
    (x, y, wide, tall), (other_x, other_y, other_wide, other_tall) = sides[np.argsort(sides[:, 1])].tolist()
    gap = other_y - (y + tall)
    shared = min(x + wide, other_x + other_wide) - max(x, other_x)
    if gap < -_NESTED * min(tall, other_tall):  # one within the other: a digit in a ring
        return False
    return bool(gap <= _GAP * min(tall, other_tall) and shared >= _SHARED * min(wide, other_wide))


__all__ = ["lone_digit"]
