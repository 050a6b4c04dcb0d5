"""Printed lines, as thick as strokes, are taken off the ink of a page: those of tables and form boxes.

They must be straight and all but level or upright; strokes that cross them stay. Knows nothing of digits but how large
ones, in thin strokes, differ from such lines.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask, PageInk

_RUN = 14  # a line holds level runs of at least one fourteenth of the page's width
_SHORTEST_RUN = 24  # pixels
_ALONE = 0.85  # of the page's width that a single line is long at least
_CROSSING = 0.5  # and one that crosses another
_MARKS_AROUND = 6  # that are not on these, at least, and how tall, in pixels
_LOWEST_MARK = 8
_OF_SEVERAL = 0.3  # and one of two or more
# Of a large digit: how broad it is in heights, how many lines it has at most in a direction, and the share of each of
# them that lies in it.
_DIGIT, _MOST_SIDES, _IN_ONE = (0.2, 1.25), 2, 0.9
# Where all are upright, times such lines' height that marks are tall at most, and how many, of which there are some.
_LOWER, _BESIDE_COLUMNS = 0.6, 3
_WHOLE = 0.75  # share of a line that is there, where strokes do not cross it
_SLENDER = 25  # times a line is longer than thick

_Bytes = npt.NDArray[np.uint8]


def without_lines(ink: PageInk) -> PageInk:
    """The ink of a page without printed lines; the same object where there are none.

    A line is level or upright, slender, and reaches across most of the page, or is one of several that reach across a
    third of it; or an upright one from one level line to the next, the side of a box; or one of two that cross, with
    several marks around.

    >>> strength = np.zeros((60, 200), np.uint8)
    >>> strength[50] = 255
    >>> strength[10:53, 90:94] = 255                                   # a stroke that crosses the line
    >>> found = without_lines(PageInk(strength, strength > 0, 3.0)).mask
    >>> bool(found[50, 20]), bool(found[50, 91])
    (False, True)
    """
    mask = ink.mask.view(np.uint8)
    levels, uprights = _slender_lines(mask), _slender_lines(np.ascontiguousarray(mask.T))
    levels, uprights = _without_digits(levels, uprights, ink)
    level, upright = levels.chosen(_ALONE), np.ascontiguousarray(uprights.chosen(_ALONE).T)
    if not (level.any() and upright.any()):
        crossing = levels.chosen(_CROSSING), np.ascontiguousarray(uprights.chosen(_CROSSING).T)
        if _are_of_a_table(*crossing, ink.mask):
            level, upright = crossing
    if upright.any() and not level.any() and not _part_columns(upright, ink):
        upright = np.zeros_like(upright)
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


class _Slender(NamedTuple):
    """Level lines, slender ones, on a page. found: bool (H, W), their pixels and others'. labels: int32 (H, W), which
    line is near. long: float64 (N,), of each, in shares of the page's width, 0 of what is none.
    """

    found: Mask
    labels: npt.NDArray[np.int32]
    long: npt.NDArray[np.float64]

    def chosen(self, alone: float) -> Mask:
        """Pixels of those that reach across the page: bool (H, W). alone: how long a single one is at least."""
        slender = self.long >= _OF_SEVERAL
        chosen = slender if np.count_nonzero(slender) >= 2 else self.long >= alone
        return np.asarray(chosen[self.labels] & self.found, np.bool_)


def _slender_lines(mask: _Bytes) -> _Slender:
    width = mask.shape[1]
    run = max(_SHORTEST_RUN, width // _RUN)
    found = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    found = cv2.min(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((1, run), np.uint8)), mask)
    if not found.any():
        return _Slender(np.zeros(mask.shape, np.bool_), np.zeros(mask.shape, np.int32), np.zeros(1))
    # Strokes that cross a line part it, and a line that is not quite level steps from row to row.
    joined = cv2.dilate(found, np.ones((3, run), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH] - run + 1, 1)
    area = np.bincount(labels[found > 0], minlength=count)
    slender = (area / long * _SLENDER <= long) & (np.arange(count) > 0) & (long >= _OF_SEVERAL * width)
    for number in np.flatnonzero(slender):  # the bars of digits in a row are no line: half of it is missing
        left, top, broad, tall = stats[number, :4]
        part = slice(top, top + tall), slice(left, left + broad)
        mine = (labels[part] == number) & (found[part] > 0)
        slender[number] = np.any(mine, axis=0).sum() >= _WHOLE * long[number]
    return _Slender(found > 0, np.asarray(labels, np.int32), np.where(slender, long / width, 0.0))


def _are_of_a_table(level: Mask, upright: Mask, mask: Mask) -> bool:
    """Whether lines cross and have several marks around: a large 4 or a plus has none."""
    if not (level.any() and upright.any()):
        return False
    near = [cv2.dilate(lines.view(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_) for lines in (level, upright)]
    if not (near[0] & near[1]).any():
        return False
    rest = (mask & ~near[0] & ~near[1]).view(np.uint8)
    heights = cv2.connectedComponentsWithStats(rest, connectivity=8)[2][1:, cv2.CC_STAT_HEIGHT]
    return bool(np.count_nonzero(heights >= _LOWEST_MARK) >= _MARKS_AROUND)


def _without_digits(levels: _Slender, uprights: _Slender, ink: PageInk) -> tuple[_Slender, _Slender]:
    """The lines but for those that are strokes of large digits, as the stem and bar of a 4 are.

    A digit is one mark about as broad as tall, or less so, with nothing else in its box; of a printed box it has not
    all four sides.
    """
    labels, stats = ink.connected
    # The mark that each line lies in, -1 of what lies in several.
    of_level, of_upright = _marks_of(levels, labels), _marks_of(uprights, np.ascontiguousarray(labels.T))
    digits = []
    for mark in np.unique(np.concatenate([of_level, of_upright])):
        x, y, width, height = stats[mark, :4]
        sides = np.count_nonzero(of_level == mark), np.count_nonzero(of_upright == mark)
        is_large = mark > 0 and _DIGIT[0] * height <= width <= _DIGIT[1] * height
        if not is_large or max(sides) > _MOST_SIDES or min(sides) == _MOST_SIDES:
            continue
        inside = labels[y : y + height, x : x + width]
        others = np.setdiff1d(inside, (0, mark))
        if not (stats[others, cv2.CC_STAT_HEIGHT] >= _LOWEST_MARK).any():
            digits.append(mark)
    if not digits:
        return levels, uprights
    return (
        levels._replace(long=np.where(np.isin(of_level, digits), 0.0, levels.long)),
        uprights._replace(long=np.where(np.isin(of_upright, digits), 0.0, uprights.long)),
    )


def _marks_of(lines: _Slender, labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Which mark each line lies in, int64 (N,): -1 where it lies in several, or is none. labels: int32 (H, W)."""
    marks = np.full(len(lines.long), -1)
    at = lines.found & (lines.long > 0)[lines.labels]
    below, place = np.unique(labels[at], return_inverse=True)
    shape = len(lines.long), len(below)
    pixels = np.bincount(lines.labels[at] * shape[1] + place, minlength=shape[0] * shape[1]).reshape(shape)
    for line in np.flatnonzero(lines.long):
        if pixels[line].max(initial=0) >= _IN_ONE * pixels[line].sum() > 0:
            marks[line] = below[pixels[line].argmax()]
    return marks


def _part_columns(upright: Mask, ink: PageInk) -> bool:
    """Whether upright lines have marks beside them that are much lower than they are: the stems of large digits in a
    row, as of 41, have none.
    """
    labels, stats = ink.connected
    are_lines = np.bincount(labels[upright], minlength=len(stats)) > 0
    are_lines[0] = True
    heights = stats[~are_lines, cv2.CC_STAT_HEIGHT]
    long = float(np.median(stats[are_lines, cv2.CC_STAT_HEIGHT][1:]))
    return bool(np.count_nonzero((heights >= _LOWEST_MARK) & (heights <= _LOWER * long)) >= _BESIDE_COLUMNS)


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
