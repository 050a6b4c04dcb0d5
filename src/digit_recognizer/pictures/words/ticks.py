"""The ticks of a comb, which part the places of a form's field, are told from digits: knows boxes alone."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.marks.lines import Boxes

# Shares of the height of the line's digits.
_LOW = 0.5  # a tick is tall at most
_POINT = 0.2  # and at least: the points of condensed print are lower
_NARROW = 0.2  # and broad
_ABOVE = 0.15  # its foot lies above that of the digit beside it, at most
_TALL = 0.6  # a digit is at least
_SLENDER = 1.6  # times a tick is taller than broad
_ALIKE = 1.6  # times one tick is taller than another
_FEWEST = 2


def find_ticks(boxes: Boxes, line: list[int], height: float) -> set[int]:
    """The marks of a line that are ticks: low bars at the digits' feet, beside and between them, two or more alike.

    boxes: int64 (N, 4) of all marks. line: the marks of the line, left to right. height: of its digits, in pixels.

    >>> import numpy as np
    >>> boxes = np.array([[0, 16, 2, 8], [5, 0, 10, 20], [18, 16, 2, 8], [24, 0, 2, 20], [30, 16, 2, 8]])
    >>> sorted(find_ticks(boxes, [0, 1, 2, 3, 4], 20.0))
    [0, 2, 4]
    """
    tall = [mark for mark in line if boxes[mark, 3] >= _TALL * height]
    starts, ends = boxes[tall, 0], boxes[tall, 0] + boxes[tall, 2]
    middles = starts + boxes[tall, 2] / 2
    found = []
    for mark in line:
        x, y, width, tallness = (float(side) for side in boxes[mark])
        is_low = _POINT * height <= tallness <= _LOW * height
        if not tall or not is_low or width > _NARROW * height or tallness < _SLENDER * width:
            continue
        near = tall[int(np.abs(middles - x - width / 2).argmin())]
        if y + tallness < boxes[near, 1] + boxes[near, 3] - _ABOVE * height:
            continue
        # Below or within a digit it is a part of one.
        if (np.minimum(x + width, ends) - np.maximum(x, starts) <= width / 2).all():
            found.append(mark)
    tallest = max((boxes[mark, 3] for mark in found), default=0)
    alike = {mark for mark in found if _ALIKE * boxes[mark, 3] >= tallest}
    return alike if len(alike) >= _FEWEST else set()


__all__ = ["find_ticks"]
