"""What a display shows becomes numbers: a colon parts them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.numbers.prices import POINT_LEFT_OUT
from digit_recognizer.recognizer import Recognizer
from tests.pictures.displays.test_display import display


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


def clock(text: str, *, dots: int = 2) -> np.ndarray:
    """A display with as many dots, one above the other, in place of each colon, which takes less room than a digit."""
    groups = text.split(":")
    picture = display("".join(groups), space=75)
    for place in np.cumsum([len(group) for group in groups])[-2::-1].tolist():
        x = 30 + 75 * place
        room = np.full((len(picture), 30), 200, np.uint8)
        for y in (75, 125)[-dots:]:
            cv2.circle(room, (15, y), 7, 50, -1, cv2.LINE_AA)
        picture = np.hstack([picture[:, :x], room, picture[:, x:]])
    return picture


@pytest.mark.parametrize(("text", "read"), [("23:58", "23 58"), ("04:26:39", "04 26 39"), ("2358", "2358")])
def test_a_colon_parts_the_numbers_of_a_display(recognizer: Recognizer, text: str, read: str) -> None:
    page = recognizer.read(clock(text))
    assert page.text == read
    assert all(line.accepted for line in page.lines)


def test_where_a_length_is_known_a_colon_may_stand_within_it(recognizer: Recognizer) -> None:
    assert recognizer.read(clock("23:58"), expect="4").text == "2358"


@pytest.mark.parametrize("text", ["23:58", "104:6"])
def test_a_single_dot_is_a_point_and_no_colon(recognizer: Recognizer, text: str) -> None:
    (line,) = recognizer.read(clock(text, dots=1)).lines
    assert (line.text, line.reason) == (text.replace(":", ""), POINT_LEFT_OUT)
    (decimal,) = recognizer.read(clock(text, dots=1), numbers="decimal").lines
    assert (decimal.text, decimal.accepted) == (text.replace(":", "."), True)
