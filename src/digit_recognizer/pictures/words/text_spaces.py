"""Where a line is print with letters in it, the spaces between its words are told from the gaps between its letters.

By their widths alone, which come in two kinds. Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.words.within import Part, box_of, room_of
from digit_recognizer.reading import PlacedReading

# Shares of the height of the line's digits. Chosen on 10,776 lines set in 898 fonts, by the boxes of their letters.
_TALL = 0.38  # what is lower is a dot, a comma or dirt
_FEWEST, _LETTERS = 8, 3  # marks of a line, and letters among them, at least
_LEVEL, _FEET = 0.6, 0.06  # share of neighbours whose feet are level in print, by so much
_WIDEST = 1.0  # what is wider is a space, and no wider than this
_CLEAR = 0.08  # that the narrowest space is wider than the widest gap between letters
_SPACE = 0.15  # and wide at least
_OF_DIGITS = 0.85  # of most spaces beside letters that one between two digits is wide


class _Gap(NamedTuple):
    """Between two marks: how wide, its middle, both in pixels, and whether both are digits."""

    wide: float
    middle: float
    of_digits: bool


def text_spaces(words: Sequence[Sequence[Part]], height: float) -> list[list[float]] | None:
    """Where spaces lie within each of a line's words, from left to right, in pixels: the middle of each.

    words: the parts of each, left to right: digits as they were read, and the boxes, (x, y, w, h), of what is none.
    height: of the line's digits, in pixels. None where nobody can tell: the line has few letters, or is written by
    hand, or its gaps are all alike. Gaps are parted in two so that each kind is most like itself (Otsu 1979).

    >>> text_spaces([[(12 * place + 9 * (place > 3), 0, 10, 20) for place in range(9)]], 20.0)
    [[51.5]]
    """
    tall = [[part for part in parts if box_of(part)[3] >= _TALL * height] for parts in words]
    if not _are_print_with_letters(tall, height):
        return None
    line = _gaps([part for parts in tall for part in parts])
    least = _least_space(np.minimum([gap.wide / height for gap in line], _WIDEST))
    if least is None:
        return None
    beside_letters = [gap.wide for gap in line if gap.wide >= least * height and not gap.of_digits]
    of_digits = max(least * height, _OF_DIGITS * median(beside_letters)) if beside_letters else math.inf
    return [
        [gap.middle for gap in _gaps(parts) if gap.wide >= (of_digits if gap.of_digits else least * height)]
        for parts in tall
    ]


def _are_print_with_letters(words: Sequence[Sequence[Part]], height: float) -> bool:
    letters = sum(not isinstance(part, PlacedReading) for parts in words for part in parts)
    feet = [[box_of(part)[1] + box_of(part)[3] for part in parts] for parts in words]
    steps = [abs(one - other) for some in feet for one, other in pairwise(some)]
    if letters < _LETTERS or sum(map(len, words)) < _FEWEST:
        return False
    return sum(step <= max(1.0, _FEET * height) for step in steps) >= _LEVEL * len(steps)


def _gaps(parts: Sequence[Part]) -> list[_Gap]:
    """What is free between neighbours; a 1 takes as much room as other digits do."""
    found = []
    reach, ink = 0.0, 0.0
    for place, part in enumerate(parts):
        left, right = room_of(part)
        x, _, width, _ = box_of(part)
        if place:
            of_digits = isinstance(part, PlacedReading) and isinstance(parts[place - 1], PlacedReading)
            found.append(_Gap(left - reach, (x + ink) / 2, of_digits))
        reach, ink = max(reach, right), max(ink, float(x + width))
    return found


def _least_space(widths: npt.NDArray[np.float64]) -> float | None:
    """From which width on gaps are spaces; None where there are not two kinds of them."""
    ordered = np.sort(widths)
    if len(ordered) < 2:
        return None
    sides = np.arange(1, len(ordered))
    sums = np.cumsum(ordered)
    # The variance within both kinds is least where that between them is largest.
    means = sums[:-1] / sides, (sums[-1] - sums[:-1]) / (len(ordered) - sides)
    cut = int(np.argmax(sides * (len(ordered) - sides) * (means[0] - means[1]) ** 2)) + 1
    narrow, wide = float(ordered[cut - 1]), float(ordered[cut])
    return None if wide - narrow < _CLEAR or wide < _SPACE else (narrow + wide) / 2


__all__ = ["text_spaces"]
