"""Whether a line stands level, as print does and a hand seldom keeps to. Known by the boxes of its marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digit_recognizer.pictures.marks.lines import Boxes

_TALL = 0.6  # of a line's tallest mark: what is as tall tells whether it is print
_FEET = 0.06  # heights by which feet differ at most that are level
_MOST = 0.6  # share of neighbours whose feet are level in print


def stands_level(boxes: Boxes, line: Sequence[int], *, upside_down: bool = False) -> bool:
    """Whether most tall marks of a line, given from left to right, stand as high as the next one, as those of print do.

    upside_down: whether they hang as high, as those of print that is upside down.

    >>> boxes = np.array([[0, 0, 9, 20], [10, 2, 9, 18], [20, 5, 9, 20], [30, 0, 9, 20]])
    >>> stands_level(boxes, [0, 1]), stands_level(boxes, [0, 1, 2, 3])
    (True, False)
    """
    tall = boxes[list(line)]
    tall = tall[tall[:, 3] >= _TALL * tall[:, 3].max(initial=0)]
    steps = np.abs(np.diff(tall[:, 1] if upside_down else tall[:, 1] + tall[:, 3]))
    most = max(1.0, _FEET * float(np.median(tall[:, 3]))) if len(tall) else 1.0
    return bool(np.count_nonzero(steps <= most) >= _MOST * len(steps))


__all__ = ["stands_level"]
