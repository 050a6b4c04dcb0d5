"""An i is no 1, as it has a dot; what only looks like one from afar is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.words.dotted import find_dotted


def found_in(page: np.ndarray, least: int = 1) -> list[int]:
    """The columns where dotted stems begin. page: ink, bool (H, W). least: pixels of a mark; what has fewer is dirt."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(page.astype(np.uint8), connectivity=8)
    labels = np.zeros(page.shape, np.int32)
    boxes = []
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] >= least:
            labels[numbers == number] = len(boxes) + 1
            boxes.append(stats[number, :4])
    sides = np.array(boxes, np.int64).reshape(-1, 4)
    line = np.argsort(sides[:, 0]).tolist()
    return sorted(int(sides[mark, 0]) for mark in find_dotted(labels, sides, [line], page))


def stem(page: np.ndarray, x: int, top: int, height: int, pen: int = 4, lean: float = 0.0) -> None:
    for row in range(height):
        left = x + round(lean * (height - row))
        page[top + row, left : left + pen] = True


def blank() -> np.ndarray:
    return np.zeros((90, 80), np.bool_)


@pytest.mark.parametrize("lean", [0.0, 0.25])
def test_a_stem_with_a_dot_right_above_is_found_upright_and_in_italics(lean: float) -> None:
    page = blank()
    stem(page, 20, 40, 24, lean=lean)
    top = 20 + round(lean * 34)
    page[29:34, top : top + 4] = True
    assert found_in(page) == [20]


def test_one_that_is_upside_down_is_found_too() -> None:
    page = blank()
    stem(page, 20, 30, 24)
    page[60:64, 20:24] = True
    assert found_in(page) == [20]


def test_a_foot_with_serifs_makes_no_difference() -> None:
    page = blank()
    stem(page, 20, 40, 24)
    page[61:64, 14:30] = True
    page[40:43, 15:24] = True
    page[32:36, 20:24] = True
    assert found_in(page) == [14]


@pytest.mark.parametrize("row", [37, 50])
def test_of_small_print_the_dot_may_be_as_small_as_dirt(row: int) -> None:
    page = blank()
    stem(page, 20, 40, 9, pen=1)
    page[row, 20] = True
    assert found_in(page, least=4) == [20]


@pytest.mark.parametrize(
    "dot",
    [
        (slice(29, 34), slice(34, 38)),  # beside
        (slice(10, 14), slice(20, 24)),  # far above
        (slice(32, 36), slice(10, 36)),  # a bar, as of a broken 7
        (slice(28, 37), slice(20, 24)),  # the upper part of a broken 1
        (slice(37, 38), slice(21, 22)),  # a speck
        (slice(18, 36), slice(18, 30)),  # as tall as a digit
    ],
)
def test_what_is_no_dot_makes_no_letter(dot: tuple[slice, slice]) -> None:
    page = blank()
    stem(page, 20, 40, 24)
    page[dot] = True
    assert found_in(page) == []


def test_what_is_no_stem_has_no_dot() -> None:
    page = blank()
    cv2.ellipse(view := page.view(np.uint8), (30, 55), (10, 14), 0, 0, 360, 1, 4)
    page = view.view(np.bool_)
    page[32:37, 28:33] = True
    assert found_in(page) == []


def test_a_page_without_marks_has_none() -> None:
    assert found_in(blank()) == []


@pytest.mark.parametrize("box", [(20, 30, 4, 34), (20, 40, 4, 40), (20, 4, 4, 9)])
def test_a_mark_some_of_whose_ink_is_anothers_is_no_stem_with_a_dot(box: tuple[int, int, int, int]) -> None:
    page = blank()
    stem(page, 20, 40, 24)
    labels = np.where(page, 1, 0).astype(np.int32)
    assert find_dotted(labels, np.array([box], np.int64), [[0]], page) == frozenset()


@pytest.mark.parametrize(("hangs", "found"), [(0, [20]), (5, [])])
def test_a_1_by_hand_whose_stroke_is_broken_is_no_letter(hangs: int, found: list[int]) -> None:
    page = blank()
    stem(page, 20, 40, 24)
    page[32:36, 20:24] = True
    stem(page, 40, 34 + hangs, 30)
    stem(page, 60, 34 - hangs, 30)
    assert found_in(page) == found
