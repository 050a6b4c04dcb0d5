"""The model that ships, on shapes that everybody writes: no figures, only what must never be lost again."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import Drawing, draw

SEVEN = ((0.0, 0.0), (30.0, 0.0), (10.0, 90.0))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def drawing(*strokes: tuple[tuple[float, float], ...]) -> Drawing:
    return Drawing(None, tuple(np.array(stroke, np.float32) for stroke in strokes))


def stroke(lean: float, left: float = 0.0) -> tuple[tuple[float, float], ...]:
    """A straight stroke, 90 long; lean: how far its head is right of its foot."""
    return ((left + lean, 0.0), (left, 90.0))


@pytest.mark.parametrize("lean", [-8, 0, 8, 16])
@pytest.mark.parametrize("pen", [4, 8, 16, 28])
def test_one_straight_stroke_is_a_1(recognizer: Recognizer, pen: int, lean: float) -> None:
    picture = 255 - draw(drawing(stroke(lean)), pen=pen, side=280, fill=0.6)
    reading = recognizer.predict(picture)
    assert reading.digit == 1
    assert reading.unfamiliarity < 0.2
    assert recognizer.read(picture).text == "1"


@pytest.mark.parametrize("pen", [6, 10, 16])
@pytest.mark.parametrize("lean", [0, 6])
def test_a_straight_1_does_not_take_its_neighbour_along(recognizer: Recognizer, pen: int, lean: float) -> None:
    picture = 255 - draw(drawing(SEVEN, stroke(lean, left=70)), pen=pen, side=420, fill=0.5)
    assert recognizer.read(picture).text == "71"


def test_a_stroke_that_lies_is_no_digit(recognizer: Recognizer) -> None:
    picture = 255 - draw(drawing(((0.0, 0.0), (90.0, 0.0))), pen=10, side=280, fill=0.6)
    assert recognizer.predict(picture).reason == "not a digit"
