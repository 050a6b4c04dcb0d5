"""Numbers by hand beside printed words stay numbers; what is as tall and as level as the letters does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer.pictures.numbers.by_hand import Letters, are_uneven, is_by_hand, is_of_digits, letters_of
from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, without_text
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.reading import Box, PlacedReading, Reading

FOOT = 100
# "Customer" in a font whose capitals are 24 pixels tall: level, in three heights.
PRINT: tuple[Box, ...] = tuple(
    (14 * place, FOOT - tall, 11, tall) for place, tall in enumerate((24, 16, 16, 21, 16, 16, 16, 16))
)
UNEVEN = ((30, 0), (36, 3), (33, -4), (38, 1), (31, -2), (35, 4))  # heights, and how far feet are below the line


def word_of(parts: tuple[Box, ...], line: int = 0) -> ReadWord:
    return ReadWord(line, 20.0, "", (), (), len(parts), 0, 24.0, parts)


def number(text: str, sizes: tuple[tuple[int, int], ...], line: int = 0, confidence: float = 0.995) -> ReadWord:
    digits = []
    for place, (value, (tall, low)) in enumerate(zip(map(int, text), sizes, strict=False)):
        row = np.full(10, (1 - confidence) / 9, np.float32)
        row[value] = confidence
        reading = Reading(value, confidence, confidence >= 0.9, 0, 0.0, row, np.full((28, 28), 255, np.uint8))
        digits.append(PlacedReading.of(reading, (200 + 40 * place, FOOT + low - tall, 26, tall)))
    return ReadWord(line, 30.0, text, tuple(digits), (), 0, len(text), 38.0, tuple(digits))


@pytest.mark.parametrize("text", ["162", "6", "55", "908152", "28"])
def test_a_number_by_hand_beside_a_printed_word_is_read_and_accepted(text: str) -> None:
    words = [word_of(PRINT), number(text, UNEVEN)]
    assert without_text(words) == words


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("50", ((16, 0), (16, 0))),  # so
        ("09", ((16, 0), (23, 7))),  # og
        ("19", ((24, 0), (23, 7))),  # lg
        ("1055", ((24, 0), (16, 0), (16, 0), (16, 0))),  # loss
        ("0", ((38, 0),)),
        ("1", ((38, 0),)),
        ("6", ((16, 0),)),
    ],
)
def test_what_is_as_tall_as_letters_are_is_no_number_among_them(text: str, sizes: tuple[tuple[int, int], ...]) -> None:
    hanging: tuple[Box, ...] = ((120, FOOT - 16, 11, 23),)
    _, read = without_text([word_of(PRINT + hanging), number(text, sizes)])
    assert not read.digits
    assert [found.reason for found in read.rejected] == [AMONG_LETTERS]


def test_print_of_another_size_is_read_and_not_accepted() -> None:
    _, read = without_text([word_of(PRINT), number("58", ((40, 0),) * 2)])
    assert read.text == "58"
    assert {digit.reason for digit in read.digits} == {AMONG_LETTERS}


def test_a_number_by_hand_right_after_a_printed_word_is_told_from_it() -> None:
    parts = (
        *PRINT,
        *(replace(digit, box=(digit.box[0] - 60, *digit.box[1:])) for digit in number("803", UNEVEN).parts),
    )
    found = without_text([replace(word_of(parts), letters=8, tallest=38.0, height=30.0)])
    assert [word.text for word in found if word.digits] == ["803"]


def test_letters_that_stand_level_nowhere_are_no_print_and_only_larger_digits_stand_out() -> None:
    tumbling = tuple((x, y + 5 * (place % 2), width, tall) for place, (x, y, width, tall) in enumerate(PRINT))
    letters = letters_of([word_of(tumbling)])
    assert letters is not None
    assert not letters.are_print
    assert is_by_hand(number("162", UNEVEN).digits, letters)
    assert not is_by_hand(number("162", ((20, 0), (18, 3), (22, -3))).digits, letters)


def test_a_height_that_one_letter_of_hundreds_has_is_none_of_the_print() -> None:
    letters = Letters(np.array([16] * 200 + [24] * 80 + [36]), are_print=True)
    assert [letters.has((0, 0, 9, tall)) for tall in (16, 24, 36)] == [True, True, False]


def test_a_word_with_a_mark_that_is_no_digit_is_not_of_digits() -> None:
    word = number("162", UNEVEN)
    assert is_of_digits(word)
    assert not is_of_digits(replace(word, parts=(*word.parts, (400, 70, 20, 30))))


def test_digits_of_a_font_are_even_and_those_of_a_hand_are_not() -> None:
    assert are_uneven(number("162", UNEVEN).digits)
    assert not are_uneven(number("162", ((30, 0),) * 3).digits)
