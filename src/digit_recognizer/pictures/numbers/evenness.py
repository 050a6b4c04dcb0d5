"""Whether digits of a line are print: as even as those of a font, be they all of a height or text figures.

Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from statistics import median

from digit_recognizer.reading import Box, PlacedReading

# Shares of the digits' height. A pixel more or less is how a font is drawn.
_EVEN = 0.1  # that the heights of printed digits differ at most, and the tops of neighbours
_FEET = 0.08  # and the feet of neighbours
_FIGURES = 0.12  # and all of these for text figures, of which few are alike
_LEVEL = 0.03  # and of two digits, which by hand are often as even as several of a font
# Times a number's tallest digit may be taller than its lowest; small letters and capitals differ more.
_OF_A_HEIGHT = 1.22
_TALL = 0.82  # of the tallest in a line: small letters are lower, digits are not
_RISES = 0.25  # by which a line rises or falls at most, in heights for each breadth
_LOW = (0.55, 0.88)  # how tall the low ones of text figures are, in heights of the others

# Text figures: 0, 1 and 2 are low, 6 and 8 reach above them, the others hang below.
_SHORT = frozenset((0, 1, 2))
_RISING = frozenset((6, 8))
_FEWEST = 4  # of these; of fewer, too little is alike


def are_even(digits: Sequence[PlacedReading], height: float, *, more: float = 1.0) -> bool:
    """Whether digits, left to right, are as even as a font's, or stand as text figures do. height: in pixels. more: how
    much more than those of a font they may differ.

    >>> are_even([], 20.0)
    True
    """
    boxes = [digit.box for digit in digits]
    feet = max(1.0, more * _FEET * height)
    even = max(1.0, more * _EVEN * height)
    lining = _alike(boxes, even) and _stays((y for _, y, _, _ in boxes), even)
    return (lining and _stays((y + tall for _, y, _, tall in boxes), feet)) or _are_text_figures(digits, height)


def are_of_a_height(digits: Sequence[PlacedReading], tallest: float) -> bool:
    """Whether digits, one at least, are of a height, and as tall as what is tall in their line.

    tallest: of the marks there, in pixels.
    """
    heights = [digit.box[3] for digit in digits]
    return max(heights) <= _OF_A_HEIGHT * min(heights) and max(heights) >= _TALL * tallest


def are_level(digits: Sequence[PlacedReading], height: float) -> bool:
    """Whether the tops and feet of digits, left to right, are as level as those of sharp print. height: in pixels."""
    boxes = [digit.box for digit in digits]
    level = max(1.0, _LEVEL * height)
    return _stays((y for _, y, _, _ in boxes), level) and _stays((y + tall for _, y, _, tall in boxes), level)


def levelled(digits: Sequence[PlacedReading]) -> list[PlacedReading]:
    """The digits of a line, left to right, moved up or down until the line is level.

    How much it rises is told by the median of what each two say of their feet (Sen, 1968). Few tell nothing, and what
    is steep is no line of print.

    >>> levelled([])
    []
    """
    boxes = [digit.box for digit in digits]
    if len(digits) < _FEWEST:
        return list(digits)
    pairs = ((one, other) for one, other in combinations(boxes, 2) if other[0] > one[0])
    slopes = [(other[1] + other[3] - one[1] - one[3]) / (other[0] - one[0]) for one, other in pairs]
    slope = median(slopes) if slopes else 0.0
    if not slope or abs(slope) > _RISES:
        return list(digits)
    return [
        replace(digit, box=(x, y - round(slope * (x - boxes[0][0])), width, tall))
        for digit, (x, y, width, tall) in zip(digits, boxes, strict=True)
    ]


def _are_text_figures(digits: Sequence[PlacedReading], height: float) -> bool:
    even = max(1.0, _FIGURES * height)
    short = [digit.box for digit in digits if digit.digit in _SHORT]
    rising = [digit.box for digit in digits if digit.digit in _RISING]
    hanging = [digit.box for digit in digits if digit.digit not in _SHORT | _RISING]
    if len(digits) < _FEWEST or sum(map(bool, (short, rising, hanging))) < 2:
        return False
    if not all(_alike(boxes, even) for boxes in (short, rising, hanging)):
        return False
    tall = median(box[3] for box in rising + hanging)
    if short and not _LOW[0] * tall <= median(box[3] for box in short) <= _LOW[1] * tall:
        return False
    if rising and hanging:
        raised = median(box[1] for box in hanging) - median(box[1] for box in rising)
        if raised < even or abs(median(box[3] for box in rising) - median(box[3] for box in hanging)) > even:
            return False
    tops = (digit.box[1] for digit in digits if digit.digit not in _RISING)
    feet = (digit.box[1] + digit.box[3] for digit in digits if digit.digit in _SHORT | _RISING)
    return _stays(tops, even) and _stays(feet, even)


def _alike(boxes: Sequence[Box], most: float) -> bool:
    heights = [tall for _, _, _, tall in boxes]
    return not heights or max(heights) - min(heights) <= most


def _stays(places: Iterable[float], most: float) -> bool:
    """Whether no place differs by more from the one before: a line may lie askew."""
    return all(abs(one - other) <= most for one, other in pairwise(places))


__all__ = ["are_even", "are_level", "are_of_a_height", "levelled"]
