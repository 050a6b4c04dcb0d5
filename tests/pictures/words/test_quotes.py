"""Quotation marks are no 1s and 9s; points, commas, broken strokes and raised digits are no quotation marks."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.words.quotes import find_quotes

DIGITS = [(20, 0, 12, 20), (35, 0, 12, 20), (50, 0, 12, 20)]


def found_beside(*marks: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Which of these marks are quotation marks of a number of three digits, 20 pixels tall, from column 20 to 62."""
    boxes = np.array(sorted([*DIGITS, *marks]), np.int64)
    found = find_quotes(boxes, [list(range(len(boxes)))])
    return [tuple(boxes[mark].tolist()) for mark in sorted(found)]


@pytest.mark.parametrize(
    "marks",
    [
        [(10, 0, 2, 7), (14, 0, 2, 7), (66, 0, 2, 7), (70, 0, 2, 7)],  # "123"
        [(8, -1, 4, 8), (14, -1, 4, 8), (65, -1, 4, 8), (71, -1, 4, 8)],  # curly
        [(16, 0, 2, 7), (65, 0, 2, 7)],  # single
        [(9, 16, 4, 7), (14, 16, 4, 7), (65, 0, 4, 7), (70, 0, 4, 7)],  # low before, high after
        [(4, 7, 6, 10), (11, 7, 6, 10), (65, 7, 6, 10), (72, 7, 6, 10)],  # guillemets
    ],
)
def test_quotation_marks_of_all_kinds_are_found(marks: list[tuple[int, int, int, int]]) -> None:
    assert found_beside(*marks) == marks


@pytest.mark.parametrize(
    "mark",
    [
        (65, 17, 3, 3),  # a point
        (65, 16, 3, 7),  # a comma
        (65, 9, 8, 2),  # a dash
        (48, 0, 9, 5),  # the flag of a 5
        (64, -3, 7, 11),  # a raised digit
        (64, 0, 6, 6),  # a degree sign
        (25, 0, 2, 7),  # a piece of the digit below
        (65, 0, 2, 7),  # one alone
    ],
)
def test_what_is_none_is_not_found(mark: tuple[int, int, int, int]) -> None:
    assert found_beside(mark) == []


def test_marks_far_from_all_digits_are_none() -> None:
    assert found_beside((100, 0, 2, 7), (104, 0, 2, 7)) == []


def test_two_commas_far_from_each_other_are_none() -> None:
    assert found_beside((16, 16, 3, 7), (65, 16, 3, 7)) == []


def test_a_line_of_dots_alone_has_none() -> None:
    boxes = np.array([[0, 0, 2, 7], [9, 0, 2, 7]], np.int64)
    assert find_quotes(boxes, [[]]) == frozenset()
    assert find_quotes(boxes, [[0, 1], []]) == frozenset()


def test_by_hand_what_is_left_of_a_faint_stroke_is_none() -> None:
    boxes = np.array([(0, 0, 12, 20), (30, 1, 2, 6), (36, 3, 12, 20), (60, -2, 12, 20), (84, 4, 12, 20)], np.int64)
    assert find_quotes(boxes, [[0, 1, 2, 3, 4]]) == frozenset()
