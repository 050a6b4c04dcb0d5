"""Where ink that was not read lies between the digits of a line, and may be what is left of one more.

Known by boxes alone. Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.marks.page_ink import box_of
from digit_recognizer.pictures.numbers.neighbours import places_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.reading import Box, Rejected, around, refused

MISSED = "ink between digits, which may be one more"

# Shares of the height of the line's digits.
_TALL, _BROAD = 0.6, 0.3  # what is left of a digit is together at least; dashes are lower, colons narrower
_TALLEST = 1.3  # and at most: rules and frames are taller
_OVER = 0.3  # of its breadth that it may share with a digit


def holes_refused(words: Sequence[ReadWord], boxes: Boxes) -> list[ReadWord]:
    """The same words; where ink of a digit's size lies unread between digits of a line, none of these is accepted.

    boxes: int64 (N, 4), x, y, w, h, of all marks of the page. Marks above each other count together. What was rejected
    is told already, and is no reason.

    >>> import numpy as np
    >>> holes_refused([], np.zeros((0, 4), np.int64))
    []
    """
    result = list(words)
    for mine in places_by_line(words).values():
        if not any(words[place].digits for place in mine):
            continue
        digits = sorted(digit.box for place in mine for digit in words[place].digits)
        known = digits + [found.box for place in mine for found in words[place].rejected]
        missed = _missed(digits, known, boxes)
        if not missed:
            continue
        for place in mine:
            result[place] = replace(words[place], digits=tuple(refused(digit, MISSED) for digit in words[place].digits))
        last = mine[-1]
        told = tuple(Rejected(box, MISSED) for box in missed)
        result[last] = replace(result[last], rejected=(*result[last].rejected, *told))
    return result


def _missed(digits: Sequence[Box], known: Sequence[Box], boxes: Boxes) -> list[Box]:
    """Unread ink of a digit's size between the first and the last of a line's digits."""
    height = max(box[3] for box in digits)
    top, foot = min(box[1] for box in digits), max(box[1] + box[3] for box in digits)
    first, last = digits[0][0] + digits[0][2], digits[-1][0]
    inside = (boxes[:, 0] >= first) & (boxes[:, 0] + boxes[:, 2] <= last)
    inside &= (boxes[:, 1] >= top - 0.1 * height) & (boxes[:, 1] + boxes[:, 3] <= foot + 0.1 * height)
    groups: list[Box] = []
    lefts, widths = np.array(known, np.int64)[:, [0, 2]].T
    for sides in sorted(map(box_of, boxes[inside])):
        shared = np.minimum(sides[0] + sides[2], lefts + widths) - np.maximum(sides[0], lefts)
        if (shared > _OVER * sides[2]).any():
            continue
        if groups and _shared(sides, groups[-1]) > 0:
            groups[-1] = around((groups[-1], sides))
        else:
            groups.append(sides)
    return [box for box in groups if _TALL * height <= box[3] <= _TALLEST * height and box[2] >= _BROAD * height]


def _shared(one: Box, other: Box) -> int:
    """How many columns two boxes share."""
    return min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])


__all__ = ["MISSED", "holes_refused"]
