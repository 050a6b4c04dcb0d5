"""Large digits in thin strokes are given back whole: of such an ink finder sees bits.

It knows strokes that are a twentieth of a digit's height thick or more; so these are shown to it once more, in a
broader pen. Knows nothing of the network, nor of what is written.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.ink_map import FindInk
from digit_recognizer.pictures.marks.whole import given_back
from digit_recognizer.pictures.paper import PageInk

# Of 400 photos of two digits, 210 pixels tall, in pens of 3 to 8, 216 were read right without, and 381 are.
_TALL = 90.0  # pixels: lower marks are seen well
_THIN = 12.0  # times a mark is taller at least than strokes are thick
_BROADEST = 1.5  # times a digit is broader than tall at most
_WHOLE = 0.95  # share of a mark from which on it is seen
_EDGE = 3  # pixels from the picture's edge: what is nearer goes on beyond it
_BAR = 0.15  # times its height that a bar is broad at most
_INSIDE = 0.05  # of a mark's height that others in its box are tall at least; lower ones are dirt
_MOST_HOLES, _HOLE = 3, 0.002  # a digit has, where strokes cross once too often; smaller shares of its box are none
_MOST = 30  # such marks at most: what has more is no number, but crumpled paper
_SHOWN_TALL, _PEN = 60.0, 4.0  # pixels: how tall such marks are shown, and how thick their strokes, at least
_INKED = 0.5  # from which on a pixel shown like this is ink,
_KNOWN = 0.5  # and share of a mark that is, from which on all of it is
_BESIDE = 0.7  # of its height that a mark has in common with one that is known: then it is, too


def with_thin(
    seen: PageInk | None, everything: PageInk, depth: npt.NDArray[np.float32], find_ink: FindInk
) -> PageInk | None:
    """The ink that a network sees, and large marks of thin strokes as whole as they stand out from the ground.

    seen: what the network takes for ink; None where it sees none. everything: all that stands out. depth: float32
    (H, W), by how much. find_ink: the network, which says which of these marks are ink in a broader pen; what is about
    as tall as they are and stands beside one, and is seen in bits, is ink as well.
    """
    labels, stats = everything.connected
    left, top, broad, tall, area = stats.T
    thin = (tall > _TALL) & (tall > _THIN * everything.thickness) & (broad <= _BROADEST * tall)
    thin &= (left >= _EDGE) & (top >= _EDGE)
    thin &= (left + broad <= labels.shape[1] - _EDGE) & (top + tall <= labels.shape[0] - _EDGE)
    thin[0] = False
    thin[thin] = [_is_digit_like(everything, mark) for mark in np.flatnonzero(thin)]
    if not 1 <= np.count_nonzero(thin) <= _MOST:
        return seen
    share = np.zeros(len(stats)) if seen is None else np.bincount(labels[seen.mask], minlength=len(stats)) / area
    if (share[thin] >= _WHOLE).all():
        return seen
    # A bar may be a table's line, but for one beside a digit.
    known = thin & (broad > _BAR * tall) & (_share_in_broad_pen(everything, thin, depth, find_ink) >= _KNOWN)
    sure = known.copy()
    for mark in np.flatnonzero(thin & ~sure):
        common = np.minimum(top + tall, top[mark] + tall[mark]) - np.maximum(top, top[mark])
        beside = common >= _BESIDE * np.maximum(tall, tall[mark])
        around = (left < left[mark]) & (left + broad > left[mark] + broad[mark])
        known[mark] = (sure & beside & ~around).any()
    if not known.any():
        return seen
    if seen is None:
        seen = PageInk(np.zeros_like(everything.strength), np.zeros_like(everything.mask), everything.thickness)
    return given_back(seen, everything, known[labels])


def _is_digit_like(everything: PageInk, mark: np.intp) -> bool:
    """Whether a mark has no more holes than a digit, nor several others in its box: tables and squares have both."""
    labels, stats = everything.connected
    left, top, broad, tall = stats[mark, :4]
    x, y = stats[:, 0] + stats[:, 2] / 2, stats[:, 1] + stats[:, 3] / 2
    inside = (x > left) & (x < left + broad) & (y > top) & (y < top + tall) & (stats[:, 3] >= _INSIDE * tall)
    inside[[0, mark]] = False
    if np.count_nonzero(inside) > 1:
        return False
    mine = (labels[top : top + tall, left : left + broad] == mark).view(np.uint8)
    outlines, hierarchy = cv2.findContours(mine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    least = _HOLE * float(broad) * float(tall)
    are_holes = hierarchy[0, :, 3] >= 0
    holes = sum(cv2.contourArea(one) >= least for one, is_hole in zip(outlines, are_holes, strict=True) if is_hole)
    return holes <= _MOST_HOLES


def _share_in_broad_pen(
    everything: PageInk, thin: npt.NDArray[np.bool_], depth: npt.NDArray[np.float32], find_ink: FindInk
) -> npt.NDArray[np.float64]:
    """The share of each mark, 0-1, that is ink where the thin ones, bool (N,), are drawn in a broader pen."""
    labels, stats = everything.connected
    _, _, _, tall, area = stats.T
    scale = _SHOWN_TALL / float(np.median(tall[thin]))
    x, y, width, height = cv2.boundingRect(thin[labels].view(np.uint8))
    room = round(_SHOWN_TALL / scale / 2)
    part = slice(max(0, y - room), y + height + room), slice(max(0, x - room), x + width + room)
    pen = max(1, round(_PEN / scale - everything.thickness)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen, pen))
    bold = cv2.dilate(np.where(thin[labels[part]], depth[part], np.float32(0)), disc)
    grey = np.asarray(255 - np.clip(bold, 0, 255), np.uint8)
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    found = find_ink(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8))
    ink = np.asarray(cv2.resize(found, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)) >= _INKED
    return np.asarray(np.bincount(labels[part][ink], minlength=len(stats)) / area, np.float64)


__all__ = ["with_thin"]
