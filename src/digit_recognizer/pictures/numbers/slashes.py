"""Strokes between digits that lean and reach above and below them are slashes, of dates and fractions, and no 1s.

Known by the ink of each digit's frame, by boxes and by what stands beside them. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, takewhile
from statistics import median
from typing import NamedTuple

import numpy as np

from digit_recognizer.pictures.numbers.evenness import are_even, are_level
from digit_recognizer.pictures.words.within import Part, box_of
from digit_recognizer.reading import Box, PlacedReading

SLASH = "a slash"
MAYBE_SLASH = "may be a slash"
MAYBE_ONE = "a slash, or a 1 between the digits beside it"

_INK = 100  # of 255: what of a frame is ink
_SEVERAL = 4  # digits that are even are print; fewer have to be level
_FEWEST_ROWS = 8  # of a frame that a stroke has
# Shares of a stroke's height.
_STRAIGHT = 0.08  # how far its middle strays from a straight line at most
_RULED, _RULED_STRICTLY = 0.035, 0.02  # and that of a printed one, between digits that are level, or even
_NARROW = 0.32  # how broad it is at most, along a row
# How far it moves to the right on its way up. 1s of print that are bars are upright, or lean as their italics do.
_LEANS, _LEANS_IN_PRINT, _MAY_LEAN = 0.12, 0.24, 0.25
_ALIKE = 0.12  # that the slashes of a date lean differently at most
# Heights of the digits around it.
_TALL, _MAY_BE_TALL = 1.15, 1.04
_MAY_REACH = 1.1  # and one that leans less
_ABOVE, _BELOW = 0.02, -0.05  # how far it reaches above and below those at its sides, at least
_REACH, _REACH_FAR = 0.15, 0.3  # and both together
_ALMOST = -0.03  # and as much where it is like another slash

_LONGEST = 4  # digits beside a stroke that may be a 1, as those of a date or a fraction: a longer number is one

_DATES = {5: ((2,),), 7: ((2,), (4,)), 8: ((2, 5),), 10: ((2, 5), (4, 7))}  # where dates of so many parts have slashes
_MONTHS = range(1, 13)
_OF_DATES = ((0.3, _STRAIGHT), (0.08, 0.016))  # how a slash there leans at least, and strays at most: either

_DOUBTED, _NEARLY, _UNSURE, _SURE = 1, 2, 3, 4  # how likely a stroke is a slash


class Slashes(NamedTuple):
    """Which parts of a word are slashes, which of them may be 1s, and which 1s may be slashes: places, in order."""

    found: tuple[int, ...]
    unsure: tuple[int, ...]
    doubted: tuple[int, ...]


def find_slashes(
    parts: Sequence[Part], height: float, before: Part | None = None, after: Part | None = None
) -> Slashes:
    """Find slashes that were read as 1s.

    parts: of a word, left to right, digits as they were read, and the boxes, (x, y, w, h), of what is none. height: of
    the line's digits, in pixels. before, after: what stands beside the word in its line. A slash stands between two
    digits, is one straight stroke that leans to the right, and reaches above and below both; between printed digits, as
    known by how even they are, it need not, nor where it leans as another slash does. Strokes that lean as much, or
    are nearly as tall, may be slashes, and where a printed date would have slashes any straight stroke that leans.
    Where more than four digits in a row stand beside what may be a 1 as well, it is one that may be a slash.

    >>> find_slashes([(0, 0, 10, 20)], 20.0)
    Slashes(found=(), unsure=(), doubted=())
    """
    around = [before, *parts, after]
    strokes = {place: stroke for place, part in enumerate(around[1:-1], 1) if (stroke := _stroke(part)) is not None}
    leaning = [place for place, stroke in strokes.items() if stroke.lean >= _LEANS]
    others = [part for place, part in enumerate(around) if isinstance(part, PlacedReading) and place not in leaning]
    of_date = _of_dates(parts, {place - 1: stroke for place, stroke in strokes.items()}, height)
    if not leaning or all(part.digit == 1 for part in others):
        return Slashes((), (), of_date)
    usual = median(part.box[3] for part in others)
    ruled = 0.0  # how far a printed slash may stray
    if len(others) > 1 and are_level(others, height):
        ruled = _RULED
    elif len(others) >= _SEVERAL and are_even(others, height):
        ruled = _RULED_STRICTLY
    likely = {}
    for place in leaning:
        sides = [part for part in (around[place - 1], around[place + 1]) if isinstance(part, PlacedReading)]
        if len(sides) == 2:
            likely[place] = _likelihood(
                strokes[place], box_of(parts[place - 1]), [part.box for part in sides], usual, ruled
            )

    def has_like(place: int) -> bool:
        return any(
            other != place and likely[other] >= _UNSURE and abs(strokes[place].lean - strokes[other].lean) <= _ALIKE
            for other in likely
        )

    likely |= {place: _SURE for place, one in likely.items() if one in (_NEARLY, _UNSURE) and has_like(place)}
    likely |= {
        place: _NEARLY
        for place, one in likely.items()
        if one == _UNSURE and _longest_beside(parts, place - 1) > _LONGEST
    }
    found = tuple(place - 1 for place, one in likely.items() if one >= _UNSURE)
    doubted = {place - 1 for place, one in likely.items() if one in (_NEARLY, _DOUBTED)} | set(of_date)
    return Slashes(
        found,
        tuple(place - 1 for place, one in likely.items() if one == _UNSURE),
        tuple(sorted(doubted - set(found))),
    )


def _longest_beside(parts: Sequence[Part], place: int) -> int:
    """How many digits stand in a row beside a part, on the side where these are more."""
    sides = reversed(parts[:place]), parts[place + 1 :]
    return max(sum(1 for _ in takewhile(lambda part: isinstance(part, PlacedReading), side)) for side in sides)


def is_stroke(digit: PlacedReading) -> bool:
    """Whether a digit is a 1 of one straight and narrow stroke, without a flag or foot."""
    return _stroke(digit) is not None


def _of_dates(parts: Sequence[Part], strokes: Mapping[int, _Stroke], height: float) -> tuple[int, ...]:
    """The places of strokes that may be the slashes of printed dates, such as 06/28 or 12/03/2024."""
    found: list[int] = []
    first = 0
    for are_digits, some in groupby(parts, lambda part: isinstance(part, PlacedReading)):
        run = list(some)
        if are_digits:
            digits = [part for part in run if isinstance(part, PlacedReading)]
            within = {place - first: stroke for place, stroke in strokes.items()}
            found += [first + place for place in _of_date(digits, within, height)]
        first += len(run)
    return tuple(found)


def _of_date(digits: Sequence[PlacedReading], strokes: Mapping[int, _Stroke], height: float) -> tuple[int, ...]:
    """The same places in one row of digits; none where its other 1s lean as much, as those of italics do."""
    for places in _DATES.get(len(digits), ()):
        slashes = [strokes[place] for place in places if place in strokes]
        slashes = [one for one in slashes if any(one.lean >= lean and one.strays <= most for lean, most in _OF_DATES)]
        others = [place for place in range(len(digits)) if place not in places]
        if len(slashes) < len(places) or not _are_even([digits[place] for place in others], height):
            continue
        least = min(one.lean for one in slashes)
        text = "".join(" " if place in places else str(one.digit) for place, one in enumerate(digits))
        has_month = any(len(group) == 2 and int(group) in _MONTHS for group in text.split())
        if has_month and all(strokes[place].lean < least / 2 for place in others if place in strokes):
            return places
    return ()


def _are_even(digits: Sequence[PlacedReading], height: float) -> bool:
    """Whether digits are even, the 1s among them left out where others are several: some fonts have low ones."""
    others = [digit for digit in digits if digit.digit != 1]
    return are_even(digits, height) or (len(others) >= _SEVERAL and are_even(others, height))


def _likelihood(stroke: _Stroke, box: Box, sides: Sequence[Box], usual: float, ruled: float) -> int:
    """How likely a stroke between two digits is a slash. usual: height of the line's digits, in pixels."""
    _, y, _, tall = box
    above = (sum(top for _, top, _, _ in sides) / 2 - y) / usual
    below = (y + tall - sum(top + height for _, top, _, height in sides) / 2) / usual
    if stroke.strays <= ruled and stroke.lean >= _LEANS_IN_PRINT:
        return _SURE
    if tall >= _TALL * usual and above >= _ABOVE and below >= _BELOW and above + below >= _REACH:
        return _SURE if above + below >= _REACH_FAR else _UNSURE
    if tall < (_MAY_BE_TALL if stroke.lean >= _MAY_LEAN else _MAY_REACH) * usual:
        return 0
    return _NEARLY if min(above, below) >= _ALMOST else _DOUBTED


class _Stroke(NamedTuple):
    """lean: how far it moves to the right on its way up. strays: of its middle from a straight line. In its heights."""

    lean: float
    strays: float


def _stroke(part: Part | None) -> _Stroke | None:
    """The one straight and narrow stroke that a 1 is; None where the part is something else."""
    if not isinstance(part, PlacedReading) or part.digit != 1:
        return None
    inked = part.frame > _INK
    rows = np.flatnonzero(inked.any(1))
    if len(rows) < _FEWEST_ROWS:
        return None
    weights = np.where(inked[rows], part.frame[rows], 0).astype(np.float64)
    middles = weights @ np.arange(weights.shape[1]) / weights.sum(1)
    slope, start = np.polyfit(rows, middles, 1)
    height = rows[-1] - rows[0] + 1
    strays = float(np.abs(slope * rows + start - middles).max() / height)
    spans = weights.shape[1] - inked[rows].argmax(1) - inked[rows, ::-1].argmax(1)
    if strays > _STRAIGHT or spans.max() > _NARROW * height:
        return None
    return _Stroke(-float(slope), strays)


__all__ = ["MAYBE_ONE", "MAYBE_SLASH", "SLASH", "Slashes", "find_slashes", "is_stroke"]
