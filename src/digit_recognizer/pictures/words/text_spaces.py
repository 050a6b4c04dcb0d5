"""Where a line is print with letters in it, the spaces between its words are told from the gaps between its letters.

By their widths alone, which come in two kinds. Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.words.within import Part, box_of, room_of
from digit_recognizer.reading import Box, PlacedReading

# Shares of the height of the line's digits. Chosen on 10,776 lines set in 898 fonts, by the boxes of their letters.
_TALL = 0.38  # what is lower is a dot, a comma or dirt
_FEWEST, _LETTERS = 8, 3  # marks of a line, and letters among them, at least
_LEVEL, _FEET = 0.6, 0.06  # share of neighbours whose feet are level in print, by so much
_WIDEST = 1.0  # what is wider is a space, and no wider than this
_CLEAR = 0.08  # that the narrowest space is wider than the widest gap between letters
_SPACE = 0.15  # and wide at least
_MOST = 0.5  # share of the gaps that are none, at least
# Below spaces as wide as those of a table, or between quotation marks, there may be those of the text.
_CLEAR_BELOW, _SPACE_BELOW = 0.15, 0.2
_OF_DIGITS = 0.85  # of most spaces beside letters that one between two digits is wide
_PRINTED = 0.05  # how far digits are from the line that the letters around stand on, and how much their heights differ
_LOWER = 0.85  # of a digit's height that small letters are at most, which look like one
_AROUND = 7  # letters that tell where the line is


class Spaces(NamedTuple):
    """Of a word that is a line of print, or a part of one. middles: of the spaces in it, from left to right, in pixels.
    printed: the boxes of the digits that stand on the line that the letters stand on, as all beside them do.
    """

    middles: list[float]
    printed: frozenset[Box]


class _Gap(NamedTuple):
    """Between two marks: how wide, its middle, both in pixels, and whether both are digits."""

    wide: float
    middle: float
    of_digits: bool


def text_spaces(words: Sequence[Sequence[Part]], height: float) -> list[Spaces] | None:
    """Where spaces lie within each of a line's words.

    words: the parts of each, left to right: digits as they were read, and the boxes, (x, y, w, h), of what is none.
    height: of the line's digits, in pixels. None where nobody can tell: the line has few letters, or is written by
    hand, or its gaps are all alike. Gaps are parted in two so that each kind is most like itself (Otsu 1979).

    >>> text_spaces([[(12 * place + 9 * (place > 3), 0, 10, 20) for place in range(9)]], 20.0)[0].middles
    [51.5]
    """
    tall = [[part for part in parts if box_of(part)[3] >= _TALL * height] for parts in words]
    if not _are_print_with_letters(tall, height):
        return None
    line = _gaps([part for parts in tall for part in parts])
    printed = _Line([part for parts in tall for part in parts], height)
    widths = np.minimum([gap.wide / height for gap in line], _WIDEST)
    least = _least_space(widths, _CLEAR, _SPACE)
    if least is None:
        return None
    least = _least_space(widths[widths < least], _CLEAR_BELOW, _SPACE_BELOW) or least
    beside_letters = [gap.wide for gap in line if gap.wide >= least * height and not gap.of_digits]
    of_digits = max(least * height, _OF_DIGITS * median(beside_letters)) if beside_letters else math.inf
    found = []
    for parts in tall:
        wide = [
            gap.middle
            for gap, beside in zip(_gaps(parts), pairwise(parts), strict=True)
            if gap.wide >= (of_digits if gap.of_digits else least * height)
            and (not gap.of_digits or printed.holds(*beside))
        ]
        found.append(Spaces(wide, printed.digits))
    return found


class _Line:
    """Where the letters of a printed line stand, and which digits stand there, too: a number by hand may have gaps as
    wide as the spaces of its label.
    """

    def __init__(self, parts: Sequence[Part], height: float) -> None:
        """parts: of the line, left to right. height: of its digits, in pixels."""
        self._letters = [box_of(part) for part in parts if not isinstance(part, PlacedReading)]
        self._most = max(1.0, _PRINTED * height)
        runs = groupby(parts, key=lambda part: isinstance(part, PlacedReading))
        found = [[box_of(part) for part in run] for of_digits, run in runs if of_digits]
        self.digits = frozenset(box for run in found if all(self._is_on_line(one) for one in run) for box in run)

    def holds(self, one: Part, other: Part) -> bool:
        """Whether two digits side by side are print, as all beside them up to the next letters."""
        low, tall = sorted(box_of(part)[3] for part in (one, other))
        are_alike = tall - low <= self._most or low <= _LOWER * tall
        return are_alike and box_of(one) in self.digits

    def _is_on_line(self, box: Box) -> bool:
        near = sorted(self._letters, key=lambda letter: abs(letter[0] - box[0]))[:_AROUND]
        return abs(box[1] + box[3] - median(letter[1] + letter[3] for letter in near)) <= self._most


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


def _least_space(widths: npt.NDArray[np.float64], clear: float, space: float) -> float | None:
    """From which width on gaps are spaces; None where there are not two kinds of them, so clearly and so wide."""
    ordered = np.sort(widths)
    if len(ordered) < 2:
        return None
    sides = np.arange(1, len(ordered))
    sums = np.cumsum(ordered)
    # The variance within both kinds is least where that between them is largest.
    means = sums[:-1] / sides, (sums[-1] - sums[:-1]) / (len(ordered) - sides)
    cut = int(np.argmax(sides * (len(ordered) - sides) * (means[0] - means[1]) ** 2)) + 1
    narrow, wide = float(ordered[cut - 1]), float(ordered[cut])
    is_space = wide - narrow >= clear and wide >= space and cut >= _MOST * len(ordered)
    return (narrow + wide) / 2 if is_space else None


__all__ = ["Spaces", "text_spaces"]
