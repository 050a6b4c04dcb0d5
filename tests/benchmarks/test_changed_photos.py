"""Photos that the benchmark changes are still pictures, the same in every run, and its counts are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from changed_photos import CHANGES, count_digits
from digit_recognizer.reading import Line, Page, PlacedReading, readings


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_gives_the_same_picture_twice_and_another_than_came_in(name: str) -> None:
    photo = np.random.default_rng(0).integers(60, 200, (480, 640, 3), np.uint8)
    photo[100:200, 200:400] = 20
    once, again = (CHANGES[name](photo.copy(), np.random.default_rng(7)) for _ in range(2))
    assert once.dtype == np.uint8
    assert once.ndim == 3
    assert np.array_equal(once, again)
    assert (once.shape == photo.shape and np.array_equal(once, photo)) == (name == "none")


def line_of(text: str, accepted: bool) -> Line:
    letters = [letter for letter in text if letter != " "]
    sure = np.full((len(letters), 10), 0.01, np.float32)
    sure[np.arange(len(letters)), [int(letter) for letter in letters]] = 0.91
    frames = np.full((len(letters), 28, 28), 255, np.uint8)
    found = readings(sure, [""] * len(letters), 0.9 if accepted else 0.95, frames=frames)
    return Line(text, tuple(PlacedReading.of(one, (0, 0, 1, 1)) for one in found))


def test_digits_count_in_their_places_and_those_in_wrong_ones_only_where_accepted() -> None:
    page = Page((line_of("12 4", True), line_of("5679", True), line_of("90", False)))
    assert count_digits(page, ["1234", "5678", "91"]) == (3 + 3 + 1, 1)
    assert count_digits(page, ["1234", "5678"]) == (0, 0)
