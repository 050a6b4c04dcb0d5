"""Plus and equals signs part numbers wherever they stand, and are no digits; a 4, a t and an x are neither."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.words.operators import find_operators, with_minus
from digit_recognizer.recognizer import Recognizer


def operators_in(page: np.ndarray) -> frozenset[int]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((page < 128).astype(np.uint8), connectivity=8)
    return find_operators(labels, stats[1:, :4].astype(np.int64))


def drawn(*strokes: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    page = np.full((60, 60), 255, np.uint8)
    for first, last in strokes:
        cv2.line(page, first, last, 0, 4)
    return page


def test_a_plus_is_two_strokes_that_cross_in_the_middle() -> None:
    assert operators_in(drawn(((10, 30), (50, 30)), ((30, 10), (30, 50)))) == {0}
    assert operators_in(drawn(((10, 28), (50, 28)), ((28, 12), (28, 50)))) == {0}


@pytest.mark.parametrize(
    "strokes",
    [
        (((10, 10), (50, 50)), ((10, 50), (50, 10))),  # x
        (((10, 20), (50, 20)), ((30, 10), (30, 50)), ((30, 50), (45, 50))),  # t
        (((10, 12), (50, 12)), ((30, 10), (30, 50))),  # T
        (((10, 30), (50, 30)),),  # a dash
        (((40, 10), (40, 50)), ((40, 10), (10, 36)), ((10, 36), (50, 36))),  # 4
        (((10, 30), (50, 30)), ((14, 10), (14, 50)), ((46, 10), (46, 50))),  # H
    ],
)
def test_what_is_no_plus(strokes: tuple[tuple[tuple[int, int], tuple[int, int]], ...]) -> None:
    assert operators_in(drawn(*strokes)) == frozenset()


@pytest.mark.parametrize("down", [0, 8, -8])
def test_a_plus_as_tall_as_letters_parts_numbers(down: int) -> None:
    page = np.full((120, 420), 245, np.uint8)
    cv2.putText(page, "52", (30, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)
    cv2.line(page, (110, 62 + down), (142, 62 + down), 20, 4)
    cv2.line(page, (126, 46 + down), (126, 78 + down), 20, 4)
    cv2.putText(page, "37", (158, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page)
    assert [line.text for line in found.lines] == ["52 37"]
    assert [rejected.reason for rejected in found.rejected] == ["not a digit"]


def test_an_equals_sign_is_two_level_strokes() -> None:
    assert operators_in(drawn(((10, 22), (50, 22)), ((10, 38), (50, 38)))) == {0, 1}
    assert operators_in(drawn(((10, 22), (50, 22)), ((30, 38), (50, 38)))) == frozenset()
    assert operators_in(drawn(((10, 5), (50, 5)), ((10, 55), (50, 55)))) == frozenset()
    assert operators_in(drawn(((20, 8), (40, 8)), ((20, 44), (40, 44)))) == frozenset()  # what is left of a 0


@pytest.mark.parametrize(("text", "expected"), [("52+37=89", "52 37 89"), ("89-52=37", "89 52 37")])
def test_a_sum_is_three_numbers(text: str, expected: str) -> None:
    page = np.full((120, 520), 245, np.uint8)
    cv2.putText(page, text, (30, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page)
    assert [(line.text, line.accepted) for line in found.lines] == [(expected, True)]


def test_a_small_cross_beside_digits_is_a_comma() -> None:
    boxes = np.array([[0, 0, 20, 40], [24, 34, 8, 9], [36, 0, 20, 40]])
    assert with_minus(frozenset({1}), boxes, [[0, 1, 2]]) == frozenset()
    assert with_minus(frozenset({1}), boxes * [1, 1, 2, 2], [[0, 1, 2]]) == frozenset()
    assert with_minus(frozenset({1}), np.array([[0, 0, 20, 40], [24, 14, 18, 18], [50, 0, 20, 40]]), [[0, 1, 2]]) == {1}
