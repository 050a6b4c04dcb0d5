"""The digits of a printed line, read as one number, become several where a space stands between them.

Between the digits of a printed number gaps are alike, and a space is much wider. A pen leaves gaps of all sizes, and
digits of all heights: what is not even has no spaces here. Knows nothing of pixels or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from digit_recognizer.pictures.within import ONE, SIGN, TALL, Part
from digit_recognizer.reading import PlacedReading

# Shares of the digits' height. Chosen on 774 lines in 86 faces of 43 families (half of their spaces are 0.36 to 0.55
# wide; of 995 words as they were cut before, 27 stay uncut and five are cut in a number), and on 149 composed lines of
# validation digits and 200 of digits of one height, of which none is cut.
_EVEN = 0.1  # that the heights of printed digits differ at most, and the tops of neighbours
_FEET = 0.08  # and the feet of neighbours
_LEAST = 0.3  # a space is wide at least
_CLEAR = 1.5  # times it is wider than the widest gap within a number
_FARTHER = 1.3  # times it moves the next digit on as far as digits of most fonts do: italic 7s leave wide gaps, too
_NARROWEST = 0.08  # what narrower gaps are taken for
_DASH = 0.25  # above the digits' feet: where a dash, or the upper dot of a colon, ends at least
_FEWEST = 3  # digits; between two there is but one gap


def find_spaces(parts: Sequence[Part], signs: Sequence[float], height: float) -> list[float]:
    """Where spaces lie between printed digits, from left to right, in pixels: the middle of each.

    parts: left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. signs: where points,
    commas and such of a decimal number stand. height: of the line's digits, in pixels. A space before a group of
    thousands is one, too. There is none where a tall part is no digit, where digits are uneven as by hand, or where all
    gaps are alike. Dots and signs fill gaps, and a 1 takes as much room as other digits do; around a dash or colon, a
    mark that ends above the digits' feet, there is no space.

    >>> find_spaces([(0, 0, 10, 20), (30, 0, 10, 20)], [], 20.0)
    []
    """
    if not _are_print(parts, height):
        return []
    gaps, middles = _gaps(parts, signs, height)
    least = _narrowest_space([gap / height for gap in gaps if gap > -math.inf])
    if least is None:
        return []
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    steps = [(2 * after.box[0] + after.box[2] - 2 * one.box[0] - one.box[2]) / 2 for one, after in pairwise(digits)]
    # Beside 1s nothing is known for sure: where they are narrow, their neighbours stand nearer.
    within = [
        step
        for step, gap, pair in zip(steps, gaps, pairwise(digits), strict=True)
        if -math.inf < gap < least * height and all(digit.digit != 1 for digit in pair)
    ]
    if not within:
        return []
    wide = [place for place, gap in enumerate(gaps) if gap >= least * height]
    # One that does not move on as far is none, and then the others are not to be trusted either.
    if any(steps[place] < _FARTHER * median(within) for place in wide):
        return []
    return [middles[place] for place in wide]


def _are_print(parts: Sequence[Part], height: float) -> bool:
    """Whether what is tall is digits, three at least, and as even as those of a font."""
    digits = [part.box for part in parts if isinstance(part, PlacedReading)]
    others = [part for part in parts if not isinstance(part, PlacedReading)]
    if len(digits) < _FEWEST or any(tall >= TALL * height for _, _, _, tall in others):
        return False
    heights = [tall for _, _, _, tall in digits]
    # A pixel more or less is how a font is drawn.
    even, feet = max(1.0, _EVEN * height), max(1.0, _FEET * height)
    return max(heights) - min(heights) <= even and all(
        abs(one[1] - other[1]) <= even and abs(one[1] + one[3] - other[1] - other[3]) <= feet
        for one, other in pairwise(digits)
    )


def _gaps(parts: Sequence[Part], signs: Sequence[float], height: float) -> tuple[list[float], list[float]]:
    """Between each two digits how wide the widest gap is, in pixels, and where its middle lies; minus infinity wide
    where a dash or colon stands between them.
    """
    feet = median(y + tall for _, y, _, tall in (part.box for part in parts if isinstance(part, PlacedReading)))
    sides = [(*room_of(part), isinstance(part, PlacedReading), _hangs(part, feet, height)) for part in parts]
    sides += [(place, place + SIGN * height, False, False) for place in signs]
    gaps: list[float] = []
    middles: list[float] = []
    reach, widest, middle, has_digit, is_filled = -math.inf, -math.inf, 0.0, False, False
    for left, right, is_digit, hangs in sorted(sides):
        if left - reach > widest:
            widest, middle = left - reach, (left + reach) / 2
        is_filled |= hangs
        if is_digit:
            if has_digit:
                gaps.append(-math.inf if is_filled else widest)
                middles.append(middle)
            widest, has_digit, is_filled = -math.inf, True, False
        reach = max(reach, right)
    return gaps, middles


def _hangs(part: Part, feet: float, height: float) -> bool:
    """Whether a part is no digit and ends above the feet of the digits."""
    return not isinstance(part, PlacedReading) and part[1] + part[3] <= feet - _DASH * height


def room_of(part: Part) -> tuple[float, float]:
    """From where to where a part takes up room: a 1 as much as other digits do."""
    if not isinstance(part, PlacedReading):
        return part[0], part[0] + part[2]
    x, _, width, tall = part.box
    more = max(0.0, ONE * tall - width) / 2 if part.digit == 1 else 0.0
    return x - more, x + width + more


def _narrowest_space(gaps: Sequence[float]) -> float | None:
    """The narrowest of the wide gaps, where gaps are of two clear sizes. gaps: in heights."""
    ordered = sorted(gaps)
    times, space = max(
        ((wide / max(narrow, _NARROWEST), wide) for narrow, wide in pairwise(ordered) if wide >= _LEAST),
        default=(0.0, 0.0),
    )
    return space if times >= _CLEAR else None


__all__ = ["find_spaces", "room_of"]
