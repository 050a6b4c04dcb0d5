"""Degree and percent signs are no zeros, and exponents no digits of the number that they stand at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.apart import numbers_of
from digit_recognizer.pictures.numbers.raised import RAISED, without_raised
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading
from tests.pictures.words.test_within import line

RING: Box = (30, 0, 8, 10)


def with_boxes(text: str, boxes: dict[int, Box]) -> list[Part]:
    """Digits 20 pixels tall; some of them, by their place, elsewhere."""
    parts = [part for part in line(text) if isinstance(part, PlacedReading)]
    return [replace(part, box=boxes.get(place, part.box)) for place, part in enumerate(parts)]


def read(parts: list[Part]) -> tuple[str, list[bool]]:
    digits = [part for part in without_raised(parts, 20.0).parts if isinstance(part, PlacedReading)]
    return "".join(str(digit.digit) for digit in digits), [digit.accepted for digit in digits]


def test_a_small_ring_at_the_heads_of_digits_is_a_degree_sign() -> None:
    parts = with_boxes("200", {2: RING})
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    (found,) = numbers_of(ReadWord(0, 20.0, "", digits, (), 0, 3, 20.0, tuple(parts)), parse_expectation())
    assert [digit.digit for digit in found.digits] == [2, 0]
    assert [(rejected.box, rejected.reason) for rejected in found.rejected] == [(RING, NOT_A_DIGIT)]


def test_the_letter_after_a_degree_sign_is_left_out_with_it() -> None:
    parts = [*with_boxes("200", {2: RING}), (42, 0, 14, 20)]
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    (found,) = numbers_of(ReadWord(0, 20.0, "", digits, (), 1, 3, 20.0, tuple(parts)), parse_expectation())
    assert ([digit.digit for digit in found.digits], found.letters) == ([2, 0], 0)
    assert [rejected.box for rejected in found.rejected] == [(30, 0, 26, 20)]
    assert read(with_boxes("2005", {2: RING})) == ("2005", [False] * 4)  # and a digit is not


@pytest.mark.parametrize("bar", ["1", "7", "x"])
def test_two_rings_and_a_stroke_between_them_are_a_percent_sign(bar: str) -> None:
    parts = with_boxes("8501" + "0", {2: (30, 0, 8, 11), 3: (34, 0, 14, 20), 4: (44, 9, 8, 11)})
    stroke = parts[3]
    assert isinstance(stroke, PlacedReading)
    parts[3] = stroke.box if bar == "x" else replace(stroke, digit=int(bar))
    assert read(parts) == ("85", [True, True])
    assert without_raised(parts, 20.0).signs == ((30, 0, 22, 20),)


@pytest.mark.parametrize("ring", [(30, 0, 8, 11), (44, 9, 8, 11)])
def test_a_ring_and_a_stroke_that_ran_into_the_other_are_a_percent_sign(ring: Box) -> None:
    def percent(*, move: int, accepted: bool = False) -> list[Part]:
        parts = with_boxes("8506", {2: ring, 3: (34 + move, 0, 14, 20)})
        *digits, stroke = (part for part in parts if isinstance(part, PlacedReading))
        stroke = replace(stroke, accepted=accepted)
        return [*digits, stroke] if ring[0] < stroke.box[0] else [*digits[:2], stroke, digits[2]]

    assert read(percent(move=0)) == ("85", [True, True])
    merged = [part.box if isinstance(part, PlacedReading) and part.digit == 6 else part for part in percent(move=0)]
    assert read(merged) == ("85", [True, True])
    assert len(read(percent(move=0, accepted=True))[0]) == 4
    bits = [replace(part, digit=1) if isinstance(part, PlacedReading) and part.digit == 0 else part for part in merged]
    assert len(read(bits)[0]) == 3  # a bit of a digit that was cut
    assert len(read(percent(move=8 if ring[1] == 0 else -3))[0]) == 4


@pytest.mark.parametrize(
    ("text", "place", "box"),
    [
        ("102", 2, (30, 0, 8, 11)),  # an exponent
        ("102", 2, (30, 0, 9, 14)),  # a large one
        ("200", 2, (30, 1, 8, 12)),  # a small zero
        ("204", 1, (14, 0, 8, 10)),  # a digit after it
    ],
)
def test_no_number_is_accepted_beside_other_raised_digits(text: str, place: int, box: Box) -> None:
    parts = with_boxes(text, {place: box})
    assert read(parts) == (text, [False] * 3)
    assert {part.reason for part in without_raised(parts, 20.0).parts if isinstance(part, PlacedReading)} == {RAISED}


def test_a_small_0_after_a_raised_digit_is_no_degree_sign() -> None:
    assert read(with_boxes("8430", {2: (32, 0, 7, 11), 3: (42, 0, 7, 10)})) == ("8430", [False] * 4)


@pytest.mark.parametrize(("tall", "accepted"), [(17, False), (20, True)])
def test_cents_are_raised_with_the_rule_below_them(tall: int, accepted: bool) -> None:
    parts = with_boxes("3266", {2: (32, 0, 18, tall), 3: (42, 8, 8, 12)})
    assert read(parts) == ("3266", [accepted] * 4)


@pytest.mark.parametrize("height", [20.0, 11.0])
def test_the_raised_cents_of_a_price_are_no_word_beside_it(height: float) -> None:
    parts = with_boxes("1899", {2: (32, 0, 7, 11), 3: (42, 0, 7, 11)})
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    (found,) = numbers_of(ReadWord(0, height, "", digits, (), 0, 4, 20.0, tuple(parts)), parse_expectation())
    assert [(digit.digit, digit.accepted) for digit in found.digits] == [(digit, False) for digit in (1, 8, 9, 9)]


@pytest.mark.parametrize("box", [(30, 10, 8, 10), (30, 0, 8, 15), (30, 4, 12, 14)])
def test_low_digits_on_the_line_and_others_that_are_a_little_higher_stay(box: Box) -> None:
    assert read(with_boxes("200", {2: box})) == ("200", [True] * 3)


def test_a_small_first_digit_is_raised_above_nothing() -> None:
    assert read(with_boxes("02", {0: (0, 0, 8, 10)})) == ("02", [True, True])


@pytest.mark.parametrize("gap", [2, 8])
def test_what_is_raised_in_a_word_says_nothing_of_a_number_a_space_or_a_letter_away(gap: int) -> None:
    digits = with_boxes("4726", {3: (34 + 8 + gap, 0, 7, 10)})  # a quotation mark, read as a 6
    accepted = gap > 7
    assert read(digits) == ("4726", [accepted] * 3 + [False])
    letter: Box = (43, 0, 3, 20)
    assert read([*digits[:3], letter, *digits[3:]]) == ("4726", [True] * 3 + [False])
