"""A comb's ticks are no digits; ones, broken strokes and single specks are not taken for ticks."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.words.ticks import find_ticks
from tests.pictures.test_page import answer, on_paper, page_of


def boxes(*found: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(found, np.int64)


def test_a_number_on_a_comb_is_read_without_its_ticks() -> None:
    ink = np.pad(page_of(["4171"], gap=0.6), ((0, 10), (40, 40)))
    gaps = np.diff(np.concatenate([[1], (ink > 0.2).any(0), [1]]).astype(int))
    floor = int(np.flatnonzero((ink > 0.2).any(1))[-1]) + 5
    ink[floor : floor + 2] = 0.9
    for start, stop in zip(np.flatnonzero(gaps == -1), np.flatnonzero(gaps == 1), strict=True):
        middle = int(np.clip((start + stop) // 2, 2, ink.shape[1] - 4))
        ink[floor - 14 : floor, middle : middle + 2] = 0.9
    assert read_page(on_paper(ink), answer).text == "4171"


def test_one_low_bar_alone_may_be_anything() -> None:
    assert find_ticks(boxes((0, 0, 10, 20), (14, 16, 2, 8)), [0, 1], 20.0) == set()


def test_bars_that_are_tall_high_up_or_within_a_digit_are_no_ticks() -> None:
    digit = (0, 0, 14, 20)
    for bar in ((20, 4, 2, 16), (20, 0, 2, 8), (4, 13, 2, 8)):
        other = (bar[0] + 20, *bar[1:]) if bar[0] >= 14 else (8, *bar[1:])
        assert find_ticks(boxes(digit, bar, other), [0, 1, 2], 20.0) == set()


def test_bars_of_unlike_height_are_not_the_ticks_of_one_comb() -> None:
    assert find_ticks(boxes((0, 0, 10, 20), (14, 12, 2, 9), (20, 16, 1, 4)), [0, 1, 2], 20.0) == set()


def test_the_points_of_condensed_print_are_no_ticks() -> None:
    found = boxes((0, 0, 8, 21), (11, 18, 2, 4), (16, 0, 8, 21), (27, 18, 2, 4), (32, 0, 8, 21))
    assert find_ticks(found, [0, 1, 2, 3, 4], 21.0) == set()
