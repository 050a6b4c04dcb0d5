"""Printed lines are taken off a page's ink: ruled and squared paper, tables, form boxes. Strokes that cross them stay.

Lines must be straight and all but level or upright. Knows nothing of digits but that they are no such lines.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask, PageInk

_RUN = 14  # a line holds level runs of at least one fourteenth of the page's width
_SHORTEST_RUN = 24  # pixels
_ALONE = 0.85  # of the page's width that a single line is long at least
_OF_SEVERAL = 0.3  # and one of two or more
_WHOLE = 0.75  # share of a line that is there, where strokes do not cross it
_SLENDER = 25  # times a line is longer than thick

_Bytes = npt.NDArray[np.uint8]


def without_lines(ink: PageInk) -> PageInk:
    """The ink of a page without printed lines; the same object where there are none.

    A line is level or upright, slender, and reaches across most of the page, or is one of several that reach across a
    third of it; or an upright one from one level line to the next, the side of a box.

    >>> strength = np.zeros((60, 200), np.uint8)
    >>> strength[50] = 255
    >>> strength[10:53, 90:94] = 255                                   # a stroke that crosses the line
    >>> found = without_lines(PageInk(strength, strength > 0, 3.0)).mask
    >>> bool(found[50, 20]), bool(found[50, 91])
    (False, True)
    """
    mask = ink.mask.view(np.uint8)
    level = _level_lines(mask)
    upright = np.ascontiguousarray(_level_lines(np.ascontiguousarray(mask.T)).T)
    if level.any():
        upright |= _sides_of_boxes(mask, level)
    if not level.any() and not upright.any():
        return ink
    thick = _thickness(level, 0), _thickness(upright, 1)
    # Their soft edges, too.
    wide = cv2.dilate(level.view(np.uint8), np.ones((3, 1), np.uint8)).view(np.bool_)
    wide |= cv2.dilate(upright.view(np.uint8), np.ones((1, 3), np.uint8)).view(np.bool_)
    rest = np.where(wide, 0, ink.strength).astype(np.uint8)
    kept = (ink.mask & ~wide).view(np.uint8)
    bridges = np.zeros(kept.shape, np.bool_)
    for found, size in ((level, (thick[0] + 4, 1)), (upright, (1, thick[1] + 4))):
        if found.any():
            near = cv2.dilate(kept, np.ones((1, 3) if size[1] == 1 else (3, 1), np.uint8))  # strokes may be slanted
            closed = cv2.morphologyEx(near, cv2.MORPH_CLOSE, np.ones(size, np.uint8)).view(np.bool_)
            bridges |= closed & wide & ink.mask
    return PageInk(np.where(bridges, ink.strength, rest).astype(np.uint8), kept.view(np.bool_) | bridges, ink.thickness)


def _level_lines(mask: _Bytes) -> Mask:
    """Pixels of the level lines that reach across the page: bool (H, W)."""
    width = mask.shape[1]
    run = max(_SHORTEST_RUN, width // _RUN)
    found = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    found = cv2.min(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((1, run), np.uint8)), mask)
    if not found.any():
        return np.zeros(mask.shape, np.bool_)
    # Strokes that cross a line part it, and a line that is not quite level steps from row to row.
    joined = cv2.dilate(found, np.ones((3, run), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH] - run + 1, 1)
    area = np.bincount(labels[found > 0], minlength=count)
    slender = (area / long * _SLENDER <= long) & (np.arange(count) > 0) & (long >= _OF_SEVERAL * width)
    for number in np.flatnonzero(slender):  # the bars of digits in a row are no line: half of it is missing
        slender[number] = np.any((labels == number) & (found > 0), axis=0).sum() >= _WHOLE * long[number]
    chosen = slender if np.count_nonzero(slender) >= 2 else slender & (long >= _ALONE * width)
    return np.asarray(chosen[labels] & (found > 0), np.bool_)


def _sides_of_boxes(mask: _Bytes, level: Mask) -> Mask:
    """Pixels of upright lines that go from one level line to the next: bool (H, W)."""
    found = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_SHORTEST_RUN, 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    near = cv2.dilate(level.view(np.uint8), np.ones((7, 7), np.uint8))
    chosen = np.zeros(count, np.bool_)
    for number in range(1, count):
        left, top, width, height = (int(side) for side in stats[number, :4])
        middle = left + width // 2
        ends = near[top, middle] > 0 and near[top + height - 1, middle] > 0
        chosen[number] = ends and width * 5 <= height and stats[number, cv2.CC_STAT_AREA] >= 0.7 * width * height
    return np.asarray(chosen[labels], np.bool_)


def _thickness(lines: Mask, axis: int) -> int:
    """Of most lines, in pixels, across their direction."""
    if not lines.any():
        return 0
    counts = np.diff(np.flatnonzero(np.diff(np.pad(lines, 1).T.ravel() if axis == 0 else np.pad(lines, 1).ravel())))
    return int(np.median(counts[::2]))


__all__ = ["without_lines"]
