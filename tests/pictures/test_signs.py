"""Decimal numbers: a point, a comma and a leading minus are told by shape and place, where they are asked for."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.page import read_page
from tests.pictures.test_page import answer, on_paper, sprite

HEIGHT = 40


def number_of(text: str) -> npt.NDArray[np.uint8]:
    """A number written with signs, on paper: uint8 (H, W)."""
    ink = np.zeros((90, 60 + 40 * len(text)), np.float32)
    x = 20
    for place, letter in enumerate(text):
        if letter == "-":
            ink[38:42, x : x + 18] = 1
            x += 30
        elif letter in ",.":
            cv2.circle(ink, (x + 1, 57), 2, 1, -1)
            if letter == ",":
                cv2.line(ink, (x + 2, 58), (x - 1, 66), 1, 3)
            x += 10
        else:
            digit = sprite(int(letter), HEIGHT, seed=place)
            ink[20 : 20 + HEIGHT, x : x + digit.shape[1]] = digit
            x += digit.shape[1] + 8
    return on_paper(ink)


@pytest.mark.parametrize("text", ["12,90", "3.25", "-47", "-8,05", "604"])
def test_decimal_numbers_are_read_with_their_signs(text: str) -> None:
    page = read_page(number_of(text), answer, parse_expectation(numbers="decimal"))
    assert page.text == text


@pytest.mark.parametrize("text", ["12,90", "3.25", "-47"])
def test_where_digits_alone_are_asked_for_signs_are_left_out(text: str) -> None:
    page = read_page(number_of(text), answer)
    assert "".join(page.text.split()) == text.translate({ord(sign): None for sign in ",.-"})
