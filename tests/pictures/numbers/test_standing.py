"""Print that stands upright is told by its level feet, and is not read any other way up."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.numbers.standing import stands_upright
from digit_recognizer.pictures.turned import read_any_way_up
from digit_recognizer.pictures.watch import Watch
from digit_recognizer.reading import NOT_A_DIGIT, Box, Page, Rejected

# How tall letters are, and how far below the line: the same word with one g, again and again.
HEIGHTS = ((21, 0), (15, 0), (15, 0), (21, 0), (21, 0), (20, 0), (15, 0), (21, 6), (15, 0), (21, 0), (15, 0), (21, 0))


def text(lines: int = 8) -> list[list[Box]]:
    return [
        [(14 * place, 40 * line + 30 + low - tall, 11, tall) for place, (tall, low) in enumerate(HEIGHTS)]
        for line in range(lines)
    ]


def upside_down(words: list[list[Box]]) -> list[list[Box]]:
    return [[(400 - x - width, 400 - y - tall, width, tall) for x, y, width, tall in reversed(word)] for word in words]


def test_print_stands_upright_where_its_feet_are_level_and_its_heads_are_not() -> None:
    assert stands_upright(text())
    assert not stands_upright(upside_down(text()))


@pytest.mark.parametrize(
    "words",
    [
        text(lines=5),  # too little of it
        [[(14 * place, 40 * line, 11, 20) for place in range(12)] for line in range(8)],  # digits: level at both ends
        [[(14 * place, 7 * (place % 3), 11, 20) for place in range(12)] for line in range(8)],  # level at none
    ],
)
def test_of_other_pages_nothing_is_told(words: list[list[Box]]) -> None:
    assert not stands_upright(words)


@pytest.mark.parametrize(("words", "ways"), [(text(), 1), (upside_down(text()), 4)])
def test_print_that_stands_upright_is_read_once(words: list[list[Box]], ways: int) -> None:
    seen: list[tuple[int, ...]] = []
    told: list[str] = []

    class Piece:
        def __init__(self, box: Box) -> None:
            self.box = box

    def read(grey: np.ndarray, /, *, watch: Watch, sample: bool = False) -> Page:
        seen.append(grey.shape)
        watch("pieces", [(line, [Piece(box) for box in word]) for line, word in enumerate(words)])
        return Page((), tuple(Rejected((0, 40 * line, 160, 20), NOT_A_DIGIT) for line in range(len(words))))

    page = read_any_way_up(np.zeros((400, 300), np.uint8), read, lambda step, value: told.append(step))
    assert len(seen) == ways
    assert told == ["pieces"]
    assert page.turned == 0
