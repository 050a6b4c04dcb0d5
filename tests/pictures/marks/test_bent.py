"""Rows of numbers far apart on bent paper stay rows: how steeply they fall changes from left to right."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.marks.bent import fall_of_bent
from digit_recognizer.pictures.marks.lines import find_lines


def rows(bend: float, count: int = 5, pitch: int = 28) -> np.ndarray:
    """Rows of a word of six marks at the left, and one of four far to the right, 20 pixels tall; in rows that follow
    a parabola, so far down at the right."""
    places = [*range(20, 110, 15), *range(330, 390, 15)]
    boxes = []
    for row in range(count):
        boxes += [(x, round(20 + row * pitch + bend * ((x - 20) / 355) ** 2), 10, 20) for x in places]
    return np.array(boxes, np.int64)


@pytest.mark.parametrize("bend", [0, 26, 45, -26])
def test_rows_that_bend_are_whole(bend: int) -> None:
    lines = find_lines(rows(bend))
    assert [sorted(line) for line in lines] == [list(range(10 * row, 10 * row + 10)) for row in range(5)]


def test_what_is_level_straight_or_of_few_marks_does_not_bend() -> None:
    level, steps = rows(0), np.delete(np.arange(49), [9, 19, 29, 39])
    straight = level.copy()
    straight[:, 1] += level[:, 0] // 20
    for boxes in (level, straight):
        assert fall_of_bent(boxes, steps, steps + 1, 2) is None
        assert fall_of_bent(boxes, steps, steps + 1, 3) is None
    assert fall_of_bent(rows(26), steps, steps + 1, 2) is not None
    assert fall_of_bent(rows(26), steps[:12], steps[:12] + 1, 2) is None


def test_marks_at_many_heights_do_not_bend() -> None:
    boxes = rows(0)
    boxes[:, 1] += np.random.default_rng(0).integers(-4, 5, len(boxes))
    steps = np.delete(np.arange(49), [9, 19, 29, 39])
    assert fall_of_bent(boxes, steps, steps + 1, 2) is None
