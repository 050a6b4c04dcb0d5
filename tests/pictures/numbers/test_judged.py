"""A word by itself is a number with its text, or none, and what it falls short of is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.judged import TOO_SMALL, judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.reading import NOT_A_DIGIT
from tests.pictures.numbers.test_context import digit


def test_a_word_with_a_letter_for_every_third_digit_is_rejected_as_a_whole() -> None:
    word = ReadWord(0, 20.0, "", (digit(4), digit(7, 1)), ())
    found = judged(word, [(28, 0, 10, 20)], [], parse_expectation())
    assert found.digits == ()
    assert [(rejected.box, rejected.reason) for rejected in found.rejected] == [((0, 0, 38, 20), NOT_A_DIGIT)]


def test_a_word_whose_marks_are_letters_is_none_however_surely_their_halves_look_like_digits() -> None:
    ones = tuple(digit(1, place) for place in range(9))
    found = judged(ReadWord(0, 20.0, "", ones, (), letters=3, familiar=2), [], [], parse_expectation())
    assert found.digits == ()
    kept = judged(ReadWord(0, 20.0, "", ones, (), letters=2, familiar=7), [], [], parse_expectation())
    assert kept.text == "111111111"


def test_signs_stand_among_the_digits_by_their_place() -> None:
    word = ReadWord(0, 20.0, "", (digit(4, 1), digit(7, 3)), ())
    assert judged(word, [], [(28.0, ","), (0.0, "-")], parse_expectation()).text == "-4,7"


def test_a_number_that_is_too_short_is_not_accepted_and_says_so() -> None:
    word = ReadWord(0, 20.0, "", (digit(4), digit(7, 1)), ())
    found = judged(word, [], [], parse_expectation(3))
    assert [reading.accepted for reading in found.digits] == [False, False]
    assert [rejected.reason for rejected in found.rejected] == ["expected 3 digits, found 2"]


def test_what_is_lower_than_eight_pixels_is_not_accepted() -> None:
    low = tuple(digit(value, place, height=7) for place, value in enumerate((4, 2)))
    found = judged(ReadWord(0, 7.0, "", low, ()), [], [], parse_expectation())
    assert found.text == "42"
    assert not any(digit.accepted for digit in found.digits)
    assert [rejected.reason for rejected in found.rejected] == [TOO_SMALL]


@pytest.mark.parametrize("numbers", ["digits", "decimal"])
def test_digits_that_lie_within_one_another_stand_in_the_same_order_in_the_text(numbers: str) -> None:
    # As of a 3 that an 8 touches: the 8 was taken for both, and begins where the 3 does.
    boxes = [
        (9, (21, 0, 26, 20)),
        (8, (56, 0, 53, 20)),
        (2, (56, 0, 18, 20)),
        (0, (131, 0, 21, 20)),
        (1, (113, 0, 20, 20)),
    ]
    digits = tuple(replace(digit(value), box=box) for value, box in boxes)
    signs = [(112.0, "."), (10.0, "-")] if numbers == "decimal" else []
    word = judged(ReadWord(0, 20.0, "", digits, ()), [], signs, parse_expectation(numbers=numbers))
    assert word.text == ("-928.10" if signs else "92810")
    assert "".join(str(one.digit) for one in word.digits) == word.text.replace("-", "").replace(".", "")
