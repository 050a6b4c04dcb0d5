"""Marks on a page become lines of writing, and lines become words: who stands beside whom.

A mark is a connected piece of ink, known by its box alone. Knows nothing of pixels or of what is written.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.marks.bent import fall_of_bent
from digit_recognizer.pictures.marks.segments import joined_segments

# Shares of a mark's or a line's height.
_OVERLAP = 0.45  # of the smaller of two heights that neighbours in a line share
_ALIKE = 2.6  # times one may be taller than its neighbour
_SMALL = 0.45  # of the height of a mark near by: marks below belong to a line but never found one
_COMMA, _NARROW, _LOW = 0.6, 0.4, 0.65  # so tall and broad is one that hangs, at most, and so far down it begins
NESTED = 0.2  # of the height of a mark all around it: what is taller is no part of that, but a number in a ring
_IN_ROW = 1.5  # times one mark of a row of small ones may be taller than the next,
_LEVEL = 0.6  # share of the lower one's height that both share at least,
_NEXT = 1.0  # and heights between them at most
_NO_DOT = 0.22  # of the tall mark's height: what is lower may be a row of dots
_DOT = 0.36  # of the tall mark's height that a dot of a colon is broad and tall at most
_REACH = 14.0  # heights between neighbours at most
_SPACE = 0.62  # heights between two words at least
_TALL = 0.5  # share of a word's height that marks are tall at least which tell it
_OTHER_SIZE = 1.3  # times a word is taller, or lower, than its line at least where it is of another size
_AROUND = 5  # marks whose feet tell where the line stands
_WIDER = 1.9  # times a space is wider than the gaps between a number's digits
# A space after a point or comma makes what is free after it wider than what is free before it by so much; where all
# characters of a font are of one breadth, it lies in the middle of a gap as wide as a space, this wide on either side.
WIDER_AFTER, _BESIDE_POINT = 0.3, 1.0
_ALWAYS = 1.6  # heights from which on a gap is a space, though all are as wide: in combs they are narrower
# Marks that tell whether lines rise: heights between them at most, times one is taller, pairs of them at least.
_CLOSE, _OF_A_HEIGHT, _FEWEST = 1.5, 1.35, 12
_BENDS = (2, 3)  # degrees of what lines of bent paper are taken for
_LEAST_SLOPE = 0.01  # what is less tears no line
_SURE_SLOPE = 4.6  # times the median deviation over the root of their number, 2.5 standard errors, that a slope is sure

Boxes = npt.NDArray[np.int64]


class Begins:
    """Marks by where they begin, from top to bottom: those near a height are found without a look at all others.

    >>> Begins(np.array([[0, 9, 5, 5], [0, 2, 5, 5], [0, 0, 5, 5]])).between(1, 9).tolist()
    [0, 1]
    """

    def __init__(self, boxes: Boxes) -> None:
        """boxes: int64 (N, 4), x, y, width, height."""
        self._order = np.argsort(boxes[:, 1], kind="stable")
        self._tops = boxes[self._order, 1]

    def between(self, first: float, last: float) -> npt.NDArray[np.int64]:
        """The marks, ascending, whose upper side lies within those heights, or less than a pixel beyond."""
        start = np.searchsorted(self._tops, first - 0.5)
        end = np.searchsorted(self._tops, last + 0.5)
        return np.sort(self._order[start:end])


def find_lines(boxes: Boxes, left_out: Sequence[int] = ()) -> list[list[int]]:
    """Group marks into lines: indices into ``boxes``, lines top to bottom, marks left to right.

    boxes: int64 (N, 4), x, y, width, height. left_out: indices of marks that are in no line. Tall marks find their
    lines first: neighbours overlap by about half of their heights. Small ones (the flag of a 5, a dot, dirt) then join
    the line that they lie in; those that lie in none are left out, too. Where the lines of a page rise or fall, as the
    marks that are close to each other tell, this is done once more with them made level: else wide gaps tear them.

    >>> find_lines(np.array([[30, 2, 10, 20], [0, 0, 10, 20], [2, 40, 10, 20]]))
    [[1, 0], [2]]
    """
    if left_out:
        kept = np.setdiff1d(np.arange(len(boxes)), left_out)
        return [kept[line].tolist() for line in find_lines(boxes[kept])]
    lines = _grouped(boxes)
    pairs = _close_pairs(boxes, lines)
    middles = boxes[:, 0] + boxes[:, 2] / 2
    falls = [slope * middles] if (slope := _slope(boxes, *pairs)) else []
    bent = (fall_of_bent(boxes, *pairs, degree) for degree in _BENDS)
    falls += [fall for fall in bent if fall is not None]
    for fall in falls:
        level = boxes.copy()
        level[:, 1] -= np.rint(fall).astype(np.int64)
        fewer = _grouped(level)
        # A hand may rise within each number, and the numbers stand level: then more lines are found.
        lines = fewer if len(fewer) < len(lines) else lines
    return lines


def _close_pairs(boxes: Boxes, lines: Sequence[list[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Marks of a height that are close to each other in a line, and the next one of each: int64 (P,) both."""
    before = np.array([mark for line in lines for mark in line[:-1]], np.int64)
    after = np.array([mark for line in lines for mark in line[1:]], np.int64)
    x, _, width, height = (side.astype(float) for side in boxes.T)
    taller = np.maximum(height[before], height[after])
    close = (x[after] - x[before] - width[before] <= _CLOSE * taller) & (x[after] > x[before])
    close &= taller <= _OF_A_HEIGHT * np.minimum(height[before], height[after])
    return before[close], after[close]


def _slope(boxes: Boxes, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> float:
    """By how much most lines fall to the right, in heights for each breadth: the median of what marks that are close to
    each other say (O'Gorman, 1993). 0 where they say nothing clear. first, second: those marks, int64 (P,).
    """
    if len(first) < _FEWEST:
        return 0.0
    x, y, width, height = (side.astype(float) for side in boxes.T)
    across = x[second] + width[second] / 2 - x[first] - width[first] / 2
    down = y[second] + height[second] / 2 - y[first] - height[first] / 2
    slopes = down[across > 0] / across[across > 0]
    slope = float(np.median(slopes))
    doubt = _SURE_SLOPE * float(np.median(np.abs(slopes - slope))) / math.sqrt(len(slopes))
    return slope if abs(slope) >= max(_LEAST_SLOPE, doubt) else 0.0


def _grouped(boxes: Boxes) -> list[list[int]]:
    """The lines of marks as they stand. Arguments and result as for ``find_lines``."""
    if not len(boxes):
        return []
    left, top = boxes[:, 0].astype(float), boxes[:, 1].astype(float)
    right, bottom, height = left + boxes[:, 2], top + boxes[:, 3], boxes[:, 3].astype(float)
    small = _without_rows(boxes, _small(boxes))
    lines: list[list[int]] = []
    within = np.zeros(0, np.int64)  # lines whose last mark is not too far to the left yet
    ends = np.zeros(len(boxes), np.int64)  # the last mark of each
    for mark in np.argsort(left, kind="stable"):
        if small[mark]:
            continue
        within = within[left[mark] - right[ends[within]] <= _REACH * (_ALIKE * height[ends[within]])]
        last = ends[within]
        shared = np.minimum(bottom[mark], bottom[last]) - np.maximum(top[mark], top[last])
        lower, taller = np.minimum(height[mark], height[last]), np.maximum(height[mark], height[last])
        gap = left[mark] - right[last]
        fits = (shared >= _OVERLAP * lower) & (taller <= _ALIKE * lower) & (gap <= _REACH * taller)
        if fits.any():
            cost = np.abs(top[mark] + bottom[mark] - top[last] - bottom[last]) / 2 + 0.2 * np.maximum(gap, 0)
            best = int(within[np.where(fits, cost, np.inf).argmin()])
            lines[best].append(int(mark))
        else:
            best = len(lines)
            lines.append([int(mark)])
            within = np.append(within, best)
        ends[best] = mark
    _add_small(np.flatnonzero(small), lines, boxes)
    for line in lines:
        line.sort(key=lambda mark: (left[mark], top[mark]))
    return sorted(lines, key=lambda line: float(np.median((top[line] + bottom[line]) / 2)))


def join_broken(boxes: Boxes) -> list[list[int]]:
    """Group the parts of digits whose strokes are broken: lists of indices, most of them of one mark.

    Parts belong together where one lies right above the other with hardly a gap, neither in a ring that is the other,
    and both together are no taller than the page's digits are.

    >>> join_broken(np.array([[0, 0, 10, 9], [0, 10, 10, 10], [14, 0, 10, 20], [28, 0, 10, 20]]))
    [[0, 1], [2], [3]]
    """
    groups = [[mark] for mark in range(len(boxes))]
    if not len(boxes):
        return groups
    segments = joined_segments(boxes)
    if segments is not None:
        return segments
    usual = _usual_height(boxes)
    left, top = boxes[:, 0].copy(), boxes[:, 1].copy()
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    alive = np.ones(len(boxes), np.bool_)
    begins = Begins(boxes)
    for mark in np.argsort(bottom - top, kind="stable"):
        near = begins.between(bottom[mark] - 1.2 * usual, top[mark] + 1.2 * usual)
        near = near[alive[near] & (near != mark)]
        starts, stops, tops, feet = left[near], right[near], top[near], bottom[near]
        shared = np.minimum(stops, right[mark]) - np.maximum(starts, left[mark])
        gap = np.maximum(tops, top[mark]) - np.minimum(feet, bottom[mark])
        tall = np.maximum(feet, bottom[mark]) - np.minimum(tops, top[mark])
        narrow = np.minimum(stops - starts, right[mark] - left[mark])
        fits = (shared >= 0.5 * narrow) & (gap <= 0.12 * usual + 1) & (gap > -0.25 * usual)
        fits &= (tall <= 1.2 * usual) & (stops - starts < 1.5 * usual)
        around = (starts < left[mark]) & (stops > right[mark]) & (tops < top[mark]) & (feet > bottom[mark])
        inside = (starts > left[mark]) & (stops < right[mark]) & (tops > top[mark]) & (feet < bottom[mark])
        lower = np.minimum(feet - tops, bottom[mark] - top[mark])
        taller = np.maximum(feet - tops, bottom[mark] - top[mark])
        fits &= ~(around | inside) | (lower < NESTED * taller)
        if not fits.any():
            continue
        gap[around] = 2 * usual  # a part of a digit in a ring first looks for the rest of that
        other = int(near[fits][gap[fits].argmin()])
        groups[other] += groups[mark]
        left[other], top[other] = min(left[other], left[mark]), min(top[other], top[mark])
        right[other], bottom[other] = max(right[other], right[mark]), max(bottom[other], bottom[mark])
        alive[mark] = False
    return [sorted(group) for group, lives in zip(groups, alive, strict=True) if lives]


def line_height(boxes: Boxes, line: list[int]) -> float:
    """How tall the digits of a line are, in pixels: most of its ink is in marks of that height.

    >>> line_height(np.array([[0, 0, 9, 20], [10, 0, 9, 22], [20, 18, 2, 2]]), [0, 1, 2])
    22.0
    """
    heights = np.sort(boxes[line, 3].astype(float))
    tall = heights[heights >= 0.5 * heights[-1]]
    return float(tall[len(tall) // 2])


def own_height(boxes: Boxes, word: list[int], height: float) -> float:
    """How tall the digits of a word are, in pixels, where these are of another size than those of its line.

    height: of the latter. A lone mark tells nothing, nor do dots, nor marks of about that height: a 7 may be low, and
    an l tall.

    >>> own_height(np.array([[0, 0, 9, 30], [10, 0, 9, 31]]), [0, 1], 20.0)
    31.0
    """
    own = line_height(boxes, word)
    tall = int((boxes[word, 3] >= _TALL * own).sum())
    is_of_line = height / _OTHER_SIZE < own < _OTHER_SIZE * height
    return height if is_of_line or tall < 2 or own < _NO_DOT * height else own


def tallest_mark(boxes: Boxes, line: list[int]) -> float:
    """How far the tallest mark of a line reaches above the feet of those around it, in pixels.

    A letter whose tail hangs below the line is as tall as a capital, and yet no digit is too low beside it.

    >>> tallest_mark(np.array([[0, 0, 9, 20], [10, 5, 9, 24], [20, 0, 9, 20], [30, 0, 9, 20]]), [0, 1, 2, 3])
    20.0
    """
    marks = boxes[line]
    marks = marks[marks[:, 3] >= _SMALL * np.median(marks[:, 3])]
    marks = marks[np.argsort(marks[:, 0], kind="stable")]
    feet = marks[:, 1] + marks[:, 3]
    tallest = 0.0
    for number, (_, top, _, height) in enumerate(marks):
        first = max(0, min(number - _AROUND // 2, len(marks) - _AROUND))
        tallest = max(tallest, min(float(height), float(np.median(feet[first : first + _AROUND]) - top)))
    return tallest


def split_words(boxes: Boxes, line: list[int], height: float, points: Collection[int] = ()) -> list[list[int]]:
    """Cut a line where its marks stand wide apart: lists of indices, left to right.

    A space is wider than 0.62 heights and than 1.9 times the line's usual gap, so that widely spaced digits stay one
    number, or than 1.6 heights. There is none around a mark of ``points`` that lies in the middle of a gap.

    >>> boxes = np.array([[0, 0, 10, 20], [14, 0, 10, 20], [60, 0, 10, 20]])
    >>> split_words(boxes, [0, 1, 2], 20.0)
    [[0, 1], [2]]
    """
    if len(line) < 2:
        return [list(line)]
    left, right = boxes[line, 0], boxes[line, 0] + boxes[line, 2]
    gaps = left[1:] - np.maximum.accumulate(right)[:-1]
    tall = gaps[gaps > 0]
    usual = float(np.sort(tall)[(len(tall) - 1) // 2]) if len(tall) > 1 else (float(tall[0]) / 2 if len(tall) else 0.0)
    # Of two digits nobody knows how wide their writer spaces; a height and a half is a space for most.
    least = min(max(_SPACE * height, _WIDER * usual), _ALWAYS * height) if len(tall) > 1 else 1.3 * height
    words: list[list[int]] = [[line[0]]]
    within = [
        place
        for place, mark in enumerate(line[1:-1], 1)
        if mark in points
        and max(gaps[place - 1 : place + 1]) <= _BESIDE_POINT * height
        and abs(gaps[place] - max(0, gaps[place - 1])) < WIDER_AFTER * height
    ]
    filled = {*within, *(place + 1 for place in within)}
    for place, (mark, gap) in enumerate(zip(line[1:], gaps, strict=True), 1):
        if gap > least and place not in filled:
            words.append([mark])
        else:
            words[-1].append(mark)
    return words


def _usual_height(boxes: Boxes) -> float:
    """The height of most marks, each counted by its height, so that dots and dirt have little say."""
    heights = np.sort(boxes[:, 3].astype(float))
    share = np.cumsum(heights)
    return float(heights[np.searchsorted(share, 0.6 * share[-1])])


def _small(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Marks that stand beside, in or close to a much taller one: the height of the tallest such one, float64 (N,), 0
    where there is none.
    """
    height = boxes[:, 3].astype(float)
    left, right = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    top, bottom = boxes[:, 1], boxes[:, 1] + boxes[:, 3]
    result = np.zeros(len(boxes))
    begins = Begins(boxes)
    for tall in np.argsort(-height):
        if result[tall]:
            continue
        others = begins.between(top[tall] - (0.3 + _SMALL) * height[tall], bottom[tall] + 0.2 * height[tall])
        near = (left[others] < right[tall] + height[tall]) & (right[others] > left[tall] - height[tall])
        near &= (top[others] < bottom[tall] + 0.2 * height[tall]) & (bottom[others] > top[tall] - 0.3 * height[tall])
        hangs = (height[others] < _COMMA * height[tall]) & (boxes[others, 2] <= _NARROW * height[tall])
        hangs &= (top[others] >= top[tall] + _LOW * height[tall]) & (bottom[others] > bottom[tall])
        near &= (hangs | (height[others] < _SMALL * height[tall])) & (boxes[others, 2] < height[tall])
        found = others[near]
        result[found] = np.maximum(result[found], height[tall])
    return result


def _without_rows(boxes: Boxes, beside: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which marks are small, bool (N,): those of a row that reaches away from the tall mark are none, be they digits
    that stand beside a word in larger print.

    beside: the height of the tall mark beside each, 0 where there is none.
    """
    small = beside > 0
    waiting = np.flatnonzero(small & (boxes[:, 3] >= _NO_DOT * beside))
    left, top, height = (boxes[:, side].astype(float) for side in (0, 1, 3))
    right, bottom = left + boxes[:, 2], top + height
    if not len(waiting) or small.all():
        return small
    begins = Begins(boxes)
    alike: dict[int, npt.NDArray[np.int64]] = {}
    for mark in waiting.tolist():
        others = begins.between(bottom[mark] - _IN_ROW * (1 + _LEVEL) * height[mark], bottom[mark])
        shared = np.minimum(bottom[others], bottom[mark]) - np.maximum(top[others], top[mark])
        lower, taller = np.minimum(height[others], height[mark]), np.maximum(height[others], height[mark])
        gap = np.maximum(left[others] - right[mark], left[mark] - right[others])
        fits = (taller <= _IN_ROW * lower) & (shared >= _LEVEL * lower) & (gap <= _NEXT * taller) & (gap > -lower)
        alike[mark] = others[fits]
    ends = [mark for mark, others in alike.items() if not small[others].all()]
    while ends:  # from where a row is known to be one to the next mark of it
        mark = ends.pop()
        if small[mark]:
            small[mark] = False
            ends += [other for other in alike[mark].tolist() if small[other] and other in alike]
    return small


def _add_small(small: npt.NDArray[np.int64], lines: list[list[int]], boxes: Boxes) -> None:
    """Add small marks to the lines that they lie in, or just above or below the nearest of whose marks; dots, or of
    whose tall ones: those of a colon are nearest to each other.
    """
    left, top, width, height = boxes.T
    middles = (left + width / 2).tolist()
    line_of = np.full(len(boxes), -1)
    for number, line in enumerate(lines):
        line_of[line] = number
    tall = [len(line) for line in lines]
    for mark in small.tolist():
        x, y = middles[mark], top[mark] + height[mark] / 2
        beside = np.maximum(np.maximum(left - x, x - left - width), 0)
        above = np.maximum(np.maximum(top - y, y - top - height), 0)
        fits = (beside < 1.0 * height) & (above < 0.35 * height)
        best, best_cost = None, math.inf
        for number in np.unique(line_of[fits & (line_of >= 0)]).tolist():
            near = min(lines[number], key=lambda other: abs(middles[other] - x))
            if not fits[near]:
                near = min(lines[number][: tall[number]], key=lambda other: abs(middles[other] - x))
                if max(width[mark], height[mark]) > _DOT * height[near]:
                    continue
            if fits[near] and beside[near] + above[near] < best_cost:
                best, best_cost = number, float(beside[near] + above[near])
        if best is not None:
            lines[best].append(mark)
            line_of[mark] = best


__all__ = [
    "NESTED",
    "WIDER_AFTER",
    "Begins",
    "Boxes",
    "find_lines",
    "join_broken",
    "line_height",
    "own_height",
    "split_words",
    "tallest_mark",
]
