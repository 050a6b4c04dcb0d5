"""Relief is read, and not accepted: a shadow across some of a number's digits is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.relief import RELIEF, is_relief
from digit_recognizer.pictures.page import read_page
from tests.pictures.test_page import Grey, answer, page_of


def picture(dark: float, light: float) -> Grey:
    """A number, and beside each of its strokes another, lighter than the ground."""
    ink = page_of(["4711"])
    soft = cv2.GaussianBlur(ink, (0, 0), 0.7)
    lit = np.clip(np.roll(soft, (5, 5), (0, 1)) - 2 * soft, 0, 1)
    return np.rint(150 - dark * soft + light * lit).astype(np.uint8)


@pytest.mark.parametrize(("light", "accepted"), [(0, True), (15, True), (60, False)])
def test_a_number_with_a_light_side_is_not_accepted(light: float, accepted: bool) -> None:
    page = read_page(picture(100, light), answer)
    assert page.text == "4711"
    assert {digit.accepted for digit in page.digits} == {accepted}
    assert (RELIEF in {digit.reason for digit in page.digits}) is not accepted


def test_light_on_one_digit_in_three_tells_nothing() -> None:
    page = np.full((60, 200), 150, np.uint8)
    boxes = [(20 + 60 * place, 10, 4, 40) for place in range(3)]
    for x, y, width, height in boxes:
        page[y : y + height, x : x + width] = 60
    mask = page < 100
    page[10:50, 25:28] = 230
    assert not is_relief(page, mask, boxes)
    assert is_relief(page, mask, boxes[:1])
