"""Displays of seven segments are read by which of their bars are there; what is no display is left to others."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.display import Shown, read_display
from digit_recognizer.pictures.page_ink import levelled
from digit_recognizer.pictures.paper import ink_of
from digit_recognizer.recognizer import Recognizer
from tests.pictures.test_segments import ENDS

LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def display(text: str, *, thick: int = 10, apart: int = 5, slant: float = 0.0, space: int = 95) -> np.ndarray:
    """Digits 110 pixels tall, dark on light grey, a space for each that is none. apart: pixels from bars to corners."""
    picture = np.full((200, 90 + space * len(text)), 200, np.uint8)
    for place, digit in enumerate(text):
        for name in LIT[int(digit)] if digit.isdigit() else "":
            ends = np.array(ENDS[name], np.float64).reshape(2, 2) * 55
            along = (ends[1] - ends[0]) / 55
            ends += np.outer([apart, -apart], along)
            across = thick / 2 * along[::-1]
            corners = np.array([ends[0] - across, ends[0] + across, ends[1] + across, ends[1] - across])
            corners[:, 0] += slant * (110 - corners[:, 1]) + 40 + space * place
            corners[:, 1] += 45
            cv2.fillPoly(picture, [np.rint(corners * 16).astype(np.int32)], 50, cv2.LINE_AA, 4)
    return picture


def shown_on(picture: np.ndarray) -> list[Shown]:
    _, contrast, _ = levelled(picture)
    ink = None if contrast is None else ink_of(contrast)
    return [] if ink is None else read_display(ink)


def text_of(picture: np.ndarray) -> str:
    return "".join(str(shown.digit) for shown in shown_on(picture))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


@pytest.mark.parametrize("slant", [-0.05, 0.0, 0.1, 0.18])
@pytest.mark.parametrize(("thick", "apart"), [(7, 5), (10, 8), (15, 9)])
def test_all_digits_are_told_however_thick_and_slanted(thick: int, apart: int, slant: float) -> None:
    for text in ("1234567890", "71", "111", "7"):
        assert text_of(display(text, thick=thick, apart=apart, slant=slant)) == text


def test_a_display_is_read_light_on_dark_blurred_in_uneven_light_and_noise(recognizer: Recognizer) -> None:
    picture = display("41790")
    light = np.linspace(0.55, 1.0, picture.shape[1])
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    blurred = cv2.GaussianBlur(picture * light, (0, 0), 1.2) + noise
    shaded = np.clip(np.rint(blurred), 0, 255).astype(np.uint8)
    for one in (picture, 255 - picture, shaded, 255 - shaded):
        page = recognizer.read(one)
        assert page.text == "41790"
        assert page.lines[0].accepted


def test_boxes_lie_around_the_digits_also_slanted_ones(recognizer: Recognizer) -> None:
    picture = display("3817", slant=0.1)
    boxes = [digit.box for digit in recognizer.read(picture).digits]
    for place, (x, y, width, height) in enumerate(boxes):
        part = (picture < 125)[:, 30 + 95 * place : 30 + 95 * (place + 1)]
        rows, columns = np.nonzero(part)
        assert x == pytest.approx(30 + 95 * place + columns.min(), abs=4)
        assert x + width == pytest.approx(31 + 95 * place + columns.max(), abs=4)
        assert (y, y + height) == pytest.approx((rows.min(), rows.max() + 1), abs=3)
    assert all(one[0] < other[0] for one, other in pairwise(boxes))


def test_a_space_parts_numbers_and_a_1_does_not(recognizer: Recognizer) -> None:
    assert recognizer.read(display("21 13")).text == "21 13"
    assert recognizer.read(display("21113")).text == "21113"


def test_lines_of_a_display_are_lines(recognizer: Recognizer) -> None:
    picture = np.vstack([display("2048"), display("1171")])
    assert recognizer.read(picture).text.splitlines() == ["2048", "1171"]


def test_dots_between_digits_are_passed_over() -> None:
    picture = display("305")
    cv2.rectangle(picture, (112, 150), (120, 158), 50, -1)
    assert text_of(picture) == "305"


def test_what_is_asked_for_is_asked_of_a_display(recognizer: Recognizer) -> None:
    assert recognizer.read(display("2048"), expect=4).lines[0].accepted
    assert not recognizer.read(display("2048"), expect=5).lines[0].accepted


@pytest.mark.parametrize(
    "bars",
    [
        [(40, 40, 12, 100), (100, 40, 12, 100)],  # 11, written
        [(40, 20, 8, 60), (40, 110, 8, 60), (100, 20, 8, 60), (100, 110, 8, 60)],  # 11, twice
        [(40, 30, 60, 10), (40, 60, 60, 10)],  # an equals sign
        [(40, 20, 12, 80), (40, 110, 12, 14)],  # an exclamation mark
        [(x, 40, 6, 100) for x in range(40, 160, 14)],  # a barcode
        [(40, 40, 10, 100), (50, 40, 50, 10), (50, 85, 40, 10), (50, 130, 50, 10)],  # E
        [(40, 40, 10, 100), (90, 40, 10, 100), (50, 85, 40, 10)],  # H
        [(40, 40, 60, 8), (40, 132, 60, 8), (40, 40, 8, 100), (92, 40, 8, 100)],  # a box to fill in
    ],
)
def test_other_bars_are_no_display(bars: list[tuple[int, int, int, int]]) -> None:
    picture = np.full((200, 200), 230, np.uint8)
    for x, y, width, height in bars:
        picture[y : y + height, x : x + width] = 30
    assert shown_on(picture) == []
