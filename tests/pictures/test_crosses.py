"""A plus sign parts numbers wherever it stands, and is no digit; a 4, a t and an x are no plus."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.crosses import find_crosses
from digit_recognizer.recognizer import Recognizer


def crosses_in(page: np.ndarray) -> frozenset[int]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats((page < 128).astype(np.uint8), connectivity=8)
    return find_crosses(labels, stats[1:, :4].astype(np.int64))


def drawn(*strokes: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    page = np.full((60, 60), 255, np.uint8)
    for first, last in strokes:
        cv2.line(page, first, last, 0, 4)
    return page


def test_a_plus_is_two_strokes_that_cross_in_the_middle() -> None:
    assert crosses_in(drawn(((10, 30), (50, 30)), ((30, 10), (30, 50)))) == {0}
    assert crosses_in(drawn(((10, 28), (50, 28)), ((28, 12), (28, 50)))) == {0}


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
    assert crosses_in(drawn(*strokes)) == frozenset()


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
