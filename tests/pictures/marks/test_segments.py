"""Digits of seven segments are put together from their bars, whatever their slant and gaps; other marks are left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.lines import join_broken
from digit_recognizer.pictures.marks.segments import joined_segments
from digit_recognizer.recognizer import Recognizer

SEGMENTS = {"2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "8": "abcdefg", "9": "abcdfg"}
ENDS = {
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2), "e": (0, 1, 0, 2), "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}  # fmt: skip


def display(digits: str, gap: float, slant: float) -> np.ndarray:
    """Digits 100 pixels tall of bars 12 thick, dark on light grey; gap: pixels between bars. slant: run over rise."""
    picture = np.full((190, 60 + 100 * len(digits)), 190, np.uint8)
    for number, digit in enumerate(digits):
        for name in SEGMENTS[digit]:
            ends = np.array(ENDS[name], np.float64).reshape(2, 2) * 50
            along = (ends[1] - ends[0]) / 50
            ends += np.outer([gap, -gap], along)
            across, taper = 6 * along[::-1] * [-1, 1], 6 * along
            outline = np.array([
                ends[0], ends[0] + taper + across, ends[1] - taper + across,
                ends[1], ends[1] - taper - across, ends[0] + taper - across,
            ])  # fmt: skip
            outline[:, 0] += slant * (100 - outline[:, 1]) + 40 + 100 * number
            outline[:, 1] += 45
            cv2.fillPoly(picture, [np.rint(outline * 16).astype(np.int32)], 40, cv2.LINE_AA, 4)
    return picture


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


@pytest.mark.parametrize("gap", [1.5, 3.0])
@pytest.mark.parametrize("slant", [0.0, 0.1, 0.18])
def test_numbers_of_seven_segments_are_read(recognizer: Recognizer, gap: float, slant: float) -> None:
    for digits in ("2986", "5463"):
        assert recognizer.read(display(digits, gap, slant)).text == digits


def test_bars_become_the_digits_that_they_are_next_to() -> None:
    bars = np.array([[40, 0, 8, 38], [40, 42, 8, 38], [60, 0, 30, 8], [86, 10, 8, 28], [86, 42, 8, 38]])
    assert joined_segments(bars) == [[0, 1], [2, 3, 4]]
    assert join_broken(bars) == [[0, 1], [2, 3, 4]]


@pytest.mark.parametrize(
    "boxes",
    [
        [[0, 0, 30, 80], [50, 0, 30, 80], [100, 4, 30, 76]],  # whole digits
        [[0, 0, 8, 80], [30, 0, 8, 80]],  # 11
        [[0, 0, 30, 38], [2, 42, 30, 38], [50, 0, 30, 80], [100, 0, 30, 80]],  # one of them broken
        [[0, 0, 40, 8], [0, 20, 40, 8]],  # an equals sign
        [[0, 0, 40, 8], [44, 0, 40, 8], [88, 0, 40, 8]],  # a dashed line
        [[0, 0, 60, 48], [2, 52, 60, 60]],  # an 8 whose loops do not meet
        [[0, 0, 30, 80]],
    ],
)
def test_other_marks_are_no_segments(boxes: list[list[int]]) -> None:
    assert joined_segments(np.array(boxes)) is None
