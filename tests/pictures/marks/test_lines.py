"""Marks near each other are found without a look at all others: the same lines and groups as by looking at them all.

What looks at all of them is kept here, as it was before.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.lines import (
    NESTED,
    Begins,
    Boxes,
    _slope,
    _usual_height,
    find_lines,
    join_broken,
    own_height,
    split_words,
)

_OVERLAP, _ALIKE, _SMALL, _NO_DOT, _REACH = 0.45, 2.6, 0.45, 0.22, 14.0
_FEWEST = 401  # marks that are no display of seven segments


def layout(seed: int) -> Boxes:
    """Marks of a made-up page: strewn about, in rows, broken, of one size, or of all sizes; int64 (N, 4)."""
    rng = np.random.default_rng(seed)
    kind, count = seed % 4, 60 + int(rng.integers(0, 80))
    places = rng.integers(0, 300, (count, 2))
    if kind == 0:
        return np.hstack([places, rng.integers(1, 40, (count, 2))])
    if kind == 1:
        return np.hstack([places, np.exp(rng.uniform(0, 5, (count, 2))).astype(np.int64)])
    if kind == 2:
        grid = np.stack(np.meshgrid(np.arange(0, 96, 8), np.arange(0, 96, 8)), -1).reshape(-1, 2)
        return rng.permutation(np.hstack([grid, np.full_like(grid, int(rng.integers(2, 9)))]))
    rows = []
    for y in range(0, 240, 34):
        x = 0
        for _ in range(14):
            top, tall, broad = y + int(rng.integers(-3, 4)), int(rng.integers(16, 26)), int(rng.integers(3, 18))
            cut = int(rng.integers(3, tall - 2)) if rng.random() < 0.3 else tall
            rows.append((x, top, broad, cut))
            if cut < tall:
                rows.append((x + int(rng.integers(-2, 3)), top + cut + int(rng.integers(0, 3)), broad, tall - cut))
            elif rng.random() < 0.2:
                rows.append((x + broad // 2, top + int(rng.integers(-4, tall)), *rng.integers(1, 6, 2).tolist()))
            x += broad + int(rng.integers(-3, 12))
    return rng.permutation(np.array(rows, np.int64))


def lines_looking_at_all(boxes: Boxes) -> list[list[int]]:
    left, top = boxes[:, 0].astype(float), boxes[:, 1].astype(float)
    right, bottom, height = left + boxes[:, 2], top + boxes[:, 3], boxes[:, 3].astype(float)
    small = small_looking_at_all(boxes)
    lines: list[list[int]] = []
    for mark in np.argsort(left, kind="stable"):
        if small[mark]:
            continue
        best, best_cost = None, math.inf
        for number, line in enumerate(lines):
            last = line[-1]
            shared = min(bottom[mark], bottom[last]) - max(top[mark], top[last])
            lower, taller = sorted((height[mark], height[last]))
            gap = left[mark] - right[last]
            if shared < _OVERLAP * lower or taller > _ALIKE * lower or gap > _REACH * taller:
                continue
            cost = abs(top[mark] + bottom[mark] - top[last] - bottom[last]) / 2 + 0.2 * max(gap, 0)
            if cost < best_cost:
                best, best_cost = number, cost
        if best is None:
            lines.append([int(mark)])
        else:
            lines[best].append(int(mark))
    tall = [list(line) for line in lines]
    for mark in np.flatnonzero(small):
        owner = owner_looking_at_all(int(mark), lines, tall, boxes)
        if owner is not None:
            lines[owner].append(int(mark))
    for line in lines:
        line.sort(key=lambda mark: (left[mark], top[mark]))
    return sorted(lines, key=lambda line: float(np.median((top[line] + bottom[line]) / 2)))


def small_looking_at_all(boxes: Boxes) -> npt.NDArray[np.bool_]:
    height = boxes[:, 3].astype(float)
    left, right = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    top, bottom = boxes[:, 1], boxes[:, 1] + boxes[:, 3]
    beside = np.zeros(len(boxes))
    for tall in np.argsort(-height):
        if beside[tall]:
            continue
        near = (left < right[tall] + height[tall]) & (right > left[tall] - height[tall])
        near &= (top < bottom[tall] + 0.2 * height[tall]) & (bottom > top[tall] - 0.3 * height[tall])
        hangs = (height < 0.6 * height[tall]) & (boxes[:, 2] <= 0.4 * height[tall])
        hangs &= (top >= top[tall] + 0.65 * height[tall]) & (bottom > bottom[tall])
        near &= (hangs | (height < _SMALL * height[tall])) & (boxes[:, 2] < height[tall])
        beside = np.maximum(beside, near * height[tall])
    result = beside > 0
    for _ in boxes:  # the next mark of each row, as long as there is one
        for mark in np.flatnonzero(result & (height >= _NO_DOT * beside)):
            lower, taller = np.minimum(height, height[mark]), np.maximum(height, height[mark])
            shared = np.minimum(bottom, bottom[mark]) - np.maximum(top, top[mark])
            gap = np.maximum(left - right[mark], left[mark] - right)
            alike = (taller <= 1.5 * lower) & (shared >= 0.6 * lower) & (gap <= taller) & (gap > -lower)
            result[mark] = not (alike & ~result).any()
    return result


def owner_looking_at_all(mark: int, lines: list[list[int]], tall: list[list[int]], boxes: Boxes) -> int | None:
    x, y = boxes[mark, 0] + boxes[mark, 2] / 2, boxes[mark, 1] + boxes[mark, 3] / 2
    best, best_cost = None, math.inf
    for number in range(len(lines)):
        costs = []
        for some in (lines[number], tall[number]):  # of the nearest mark, and of the nearest tall one
            near = min(some, key=lambda other: abs(boxes[other, 0] + boxes[other, 2] / 2 - x))
            height = float(boxes[near, 3])
            beside = max(boxes[near, 0] - x, x - boxes[near, 0] - boxes[near, 2], 0)
            above = max(boxes[near, 1] - y, y - boxes[near, 1] - height, 0)
            is_dot = max(boxes[mark, 2:]) <= 0.36 * height
            fits = beside < 1.0 * height and above < 0.35 * height and (is_dot or some is lines[number])
            costs.append(float(beside + above) if fits else math.inf)
        cost = costs[0] if costs[0] < math.inf else costs[1]
        if cost < best_cost:
            best, best_cost = number, cost
    return best


def groups_looking_at_all(boxes: Boxes) -> list[list[int]]:
    groups = [[mark] for mark in range(len(boxes))]
    usual = _usual_height(boxes)
    left, top = boxes[:, 0].copy(), boxes[:, 1].copy()
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    alive = np.ones(len(boxes), np.bool_)
    for mark in np.argsort(bottom - top, kind="stable"):
        shared = np.minimum(right, right[mark]) - np.maximum(left, left[mark])
        gap = np.maximum(top, top[mark]) - np.minimum(bottom, bottom[mark])
        tall = np.maximum(bottom, bottom[mark]) - np.minimum(top, top[mark])
        narrow = np.minimum(right - left, right[mark] - left[mark])
        fits = alive & (shared >= 0.5 * narrow) & (gap <= 0.12 * usual + 1) & (gap > -0.25 * usual)
        fits &= (tall <= 1.2 * usual) & (right - left < 1.5 * usual)
        around = (left < left[mark]) & (right > right[mark]) & (top < top[mark]) & (bottom > bottom[mark])
        inside = (left > left[mark]) & (right < right[mark]) & (top > top[mark]) & (bottom < bottom[mark])
        lower, taller = np.sort([bottom - top, np.full(len(boxes), bottom[mark] - top[mark])], axis=0)
        fits &= ~(around | inside) | (lower < NESTED * taller)
        fits[mark] = False
        if not fits.any():
            continue
        gap[around] = 2 * usual  # a part of a digit in a ring first looks for the rest of that
        other = int(np.flatnonzero(fits)[gap[fits].argmin()])
        groups[other] += groups[mark]
        left[other], top[other] = min(left[other], left[mark]), min(top[other], top[mark])
        right[other], bottom[other] = max(right[other], right[mark]), max(bottom[other], bottom[mark])
        alive[mark] = False
    return [sorted(group) for group, lives in zip(groups, alive, strict=True) if lives]


@pytest.mark.parametrize("seed", range(16))
def test_lines_are_those_found_by_looking_at_all_marks(seed: int) -> None:
    boxes = layout(seed)
    assert find_lines(boxes) == lines_looking_at_all(boxes)


@pytest.mark.parametrize("seed", range(16))
def test_broken_digits_are_joined_as_by_looking_at_all_marks(seed: int) -> None:
    boxes = layout(seed)
    # No page of so many marks is held for a display of seven segments: the last ones are far from all others.
    more = _FEWEST - len(boxes)
    far = np.stack([np.arange(more) * 99, np.full(more, 5000), np.full(more, 9), np.full(more, 20)], axis=1)
    boxes = np.vstack([boxes, far])
    assert join_broken(boxes) == groups_looking_at_all(boxes)


def test_marks_that_begin_at_the_ends_of_a_stretch_are_in_it() -> None:
    boxes = np.array([[0, 7, 3, 3], [5, 2, 3, 3], [9, 7, 3, 3], [0, 12, 3, 3]])
    begins = Begins(boxes)
    assert begins.between(2, 7).tolist() == [0, 1, 2]
    assert begins.between(3, 6).tolist() == []
    assert begins.between(9, 1).tolist() == []


def test_numbers_far_apart_are_several_though_all_gaps_are_alike() -> None:
    boxes = np.array([[80 * place, 0, 12, 20] for place in range(5)])
    assert split_words(boxes, list(range(5)), 20.0) == [[0], [1], [2], [3], [4]]
    near = np.array([[36 * place, 0, 12, 20] for place in range(5)])
    assert split_words(near, list(range(5)), 20.0) == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("x", "words"), [(36, [[0, 1, 2], [3, 4]]), (44, [[0, 1, 2, 3, 4]]), (52, [[0, 1], [2, 3, 4]])]
)
def test_a_point_in_the_middle_of_a_gap_parts_no_words(x: int, words: list[list[int]]) -> None:
    boxes = np.array([[0, 0, 12, 20], [18, 0, 12, 20], [x, 17, 3, 3], [61, 0, 12, 20], [79, 0, 12, 20]])
    assert split_words(boxes, list(range(5)), 20.0, [2]) == words


def test_a_long_comma_is_in_the_line_of_its_digits() -> None:
    digits = [[x, 36, 28, 35] for x in (0, 40, 120, 160)]
    assert find_lines(np.array([*digits, [90, 63, 9, 19]], np.int64)) == [[0, 1, 4, 2, 3]]


@pytest.mark.parametrize("slope", [-0.12, -0.05, 0.05, 0.12])
def test_rows_that_rise_or_fall_are_not_torn_by_wide_gaps(slope: float) -> None:
    boxes, rows = [], []
    for row in range(4):
        rows.append(range(len(boxes), len(boxes) + 6))
        boxes += [[x, 100 + 44 * row + round(slope * x), 20, 30] for x in (0, 26, 52, 280, 306, 332)]
    found = find_lines(np.array(boxes, np.int64))
    assert [sorted(line) for line in found] == [list(row) for row in rows]


def test_marks_of_uneven_heights_tell_of_no_slope() -> None:
    rng = np.random.default_rng(0)
    boxes = [[26 * place, 100 + int(rng.integers(-9, 9)), 20, 30 + int(rng.integers(-6, 6))] for place in range(14)]
    assert _slope(np.array(boxes, np.int64), np.arange(13), np.arange(1, 14)) == 0.0


def test_numbers_that_rise_each_for_itself_stay_in_their_rows() -> None:
    boxes = [
        [x + 26 * place, 100 + 60 * row - 4 * place, 20, 30]
        for row in range(4)
        for x in (0, 300, 600)
        for place in range(3)
    ]
    found = find_lines(np.array(boxes, np.int64))
    assert [sorted(line) for line in found] == [list(range(9 * row, 9 * row + 9)) for row in range(4)]


def test_small_print_beside_a_large_word_is_a_line_of_its_own() -> None:
    word = [[x, 0, 90, 120] for x in (0, 100, 200)]
    number = [[330 + 30 * place, 80, 25, 39] for place in range(8)]  # the first three as near to it as a full stop
    found = find_lines(np.array(word + number, np.int64))
    assert sorted(map(sorted, found)) == [[0, 1, 2], list(range(3, 11))]


def test_small_marks_that_reach_no_farther_than_a_sign_stay_in_their_line() -> None:
    word = [[x, 0, 90, 120] for x in (0, 100, 200)]
    raised = [[300, 0, 25, 45], [330, 0, 25, 45]]  # as an exponent, or cents
    dots = [[300 + 40 * place, 104, 16, 16] for place in range(8)]
    assert find_lines(np.array(word + raised, np.int64)) == [[0, 1, 2, 3, 4]]
    assert find_lines(np.array(word + dots, np.int64))[0][:4] == [0, 1, 2, 3]


@pytest.mark.parametrize(("tall", "own"), [(20, 20.0), (30, 30.0), (14, 14.0), (24, 20.0), (16, 20.0)])
def test_a_word_has_a_height_of_its_own_where_it_is_of_another_size_than_its_line(tall: int, own: float) -> None:
    word = [[14 * place, 0, 10, tall] for place in range(3)]
    assert own_height(np.array(word, np.int64), [0, 1, 2], 20.0) == own


def test_a_lone_mark_and_a_dash_with_dots_are_measured_by_their_line() -> None:
    assert own_height(np.array([[0, 0, 9, 40]], np.int64), [0], 20.0) == 20.0
    dots = [[0, 10, 12, 3], [20, 9, 3, 4], [30, 9, 3, 4]]
    assert own_height(np.array(dots, np.int64), [0, 1, 2], 20.0) == 20.0
