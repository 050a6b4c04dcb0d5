"""Between the words of a printed line, numbers are found by the spaces around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from digit_recognizer.pictures.words.within import Part, numbers_within
from digit_recognizer.reading import PlacedReading, Reading

FRAME = np.zeros((28, 28), np.uint8)


def line(text: str, space: int = 9, thin: bool = False) -> list[Part]:
    """Parts 20 pixels tall, 12 broad, 2 apart; thin 1s take as much room. Letters are boxes that are no digit."""
    parts: list[Part] = []
    x = 0
    for letter in text:
        if letter == " ":
            x += space - 2
            continue
        box = (x, 17, 3, 3) if letter == "." else (x, 0, 12, 20)
        end = x + box[2]
        if thin and letter == "1":
            box = (x + 5, 0, 2, 20)
        if letter.isdigit():
            row = np.full(10, 0.001, np.float32)
            row[int(letter)] = 0.99
            parts.append(PlacedReading.of(Reading(int(letter), 0.99, True, 0, 0.001, row, FRAME), box))
        else:
            parts.append(box)
        x = end + 2
    return parts


def texts(parts: Sequence[Part], signs: Sequence[float] = (), least: float = 0.3) -> list[str]:
    found = numbers_within(parts, signs, 20.0, lambda digits, apart, widest: len(digits) > 1 and apart >= least)
    return ["".join(str(digit.digit) for digit in digits) for digits in found]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("abc 4711 de", ["4711"]),
        ("4711 abc", ["4711"]),
        ("ab 47 c 3906", ["47", "3906"]),
        ("abc de", []),
        ("ab42", []),  # no space before it
        ("abc 4711.", ["4711"]),  # a full stop is low and parts nothing
        ("4 ab 7", []),
    ],
)
def test_what_stands_between_spaces_is_asked_about(text: str, numbers: list[str]) -> None:
    assert texts(line(text)) == numbers


def test_a_narrow_1_does_not_part_its_number() -> None:
    parts = line("ab 4117 cd", thin=True)
    boxes = [part.box if isinstance(part, PlacedReading) else part for part in parts]
    assert boxes[4][0] - boxes[3][0] - boxes[3][2] > boxes[2][0] - boxes[1][0] - boxes[1][2]  # than the space before
    assert texts(parts) == ["4117"]


def test_a_comma_bridges_the_gap_that_it_stands_in() -> None:
    parts = line("ab 12 90 cd", space=10)
    assert texts(parts) == ["12", "90"]
    comma = float(parts[3].box[0] + 14) if isinstance(parts[3], PlacedReading) else 0.0
    assert texts(parts, [comma]) == ["1290"]


def test_where_nobody_can_tell_no_part_is_taken() -> None:
    parts = line("ab 47 11 cd", space=9)
    parts[4:6] = line("ab 47 11", space=7)[4:6]  # nearer to the 47 than both are to the words
    asked: list[str] = []

    def doubtful(digits: Sequence[PlacedReading], apart: float, widest: float) -> bool | None:
        asked.append("".join(str(digit.digit) for digit in digits))
        return None if len(digits) == 4 else True

    assert numbers_within(parts, [], 20.0, doubtful) == []
    assert asked == ["4711"]


def test_an_empty_line_holds_no_number() -> None:
    assert numbers_within([], [], 20.0, lambda digits, apart, widest: True) == []


def test_a_line_of_thousands_of_letters_is_cut_without_end_of_the_stack() -> None:
    assert texts(line("a " * 3000 + "4711")) == ["4711"]
