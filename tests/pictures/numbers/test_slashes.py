"""Slashes of dates and fractions, which a network takes for 1s, part numbers; 1s that lean stay, or are unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.apart import numbers_of
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.slashes import MAYBE_ONE, MAYBE_SLASH, SLASH, find_slashes
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.reading import Box, PlacedReading
from digit_recognizer.recognizer import Recognizer
from tests.pictures.numbers.test_context import digit

LONG: Box = (0, -5, 14, 30)  # reaches above and below digits of 20 pixels
LEVEL: Box = (0, 0, 10, 20)
SHORT: Box = (0, 2, 10, 22)  # a little taller than they are


def stroke(box: Box, lean: float, wave: float = 0.0) -> PlacedReading:
    """One stroke that leans to the right, read as a 1. wave: how far it bends, in pixels of its frame."""
    rows = np.linspace(0, 19, 40)
    middles = 14 - lean * (rows - 9.5) + wave * np.sin(rows / 19 * np.pi)
    frame = np.zeros((28, 28), np.uint8)
    cv2.polylines(frame, [np.rint(8 * np.column_stack([middles, rows + 4])).astype(np.int32)], False, 255, 2, 16, 3)
    return replace(digit(1), frame=frame, box=box)


def parts_of(text: str, *strokes: PlacedReading, uneven: int = 0) -> list[Part]:
    """The digits of a text 14 pixels apart, each / one of the strokes. uneven: how much lower every other digit is."""
    found: list[Part] = []
    waiting = iter(strokes)
    for place, letter in enumerate(text):
        one = next(waiting) if letter == "/" else digit(int(letter))
        x, y, width, height = one.box
        down = uneven * (place % 2) * (letter != "/")
        found.append(replace(one, box=(x + 14 * place, y + down, width, height)))
    return found


def word(parts: Sequence[Part]) -> ReadWord:
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    return ReadWord(0, 20.0, "", digits, (), 0, len(digits), 20.0, tuple(parts))


def texts(parts: Sequence[Part], expect: str | None = None) -> list[str]:
    found = numbers_of(word(parts), parse_expectation(expect))
    return ["".join(str(one.digit) for one in number.digits) for number in found]


@pytest.mark.parametrize("lean", [0.2, 0.35, 0.6])
def test_a_stroke_that_leans_and_reaches_beyond_the_digits_parts_numbers(lean: float) -> None:
    parts = parts_of("12/03/2024", stroke(LONG, lean), stroke(LONG, lean), uneven=3)
    assert texts(parts) == ["12", "03", "2024"]
    assert [one.reason for number in numbers_of(word(parts), parse_expectation()) for one in number.rejected] == [
        SLASH
    ] * 2


@pytest.mark.parametrize(
    "one",
    [
        stroke(LONG, 0.0),  # upright
        stroke(LONG, -0.4),  # to the left
        stroke(LEVEL, 0.2),  # as tall as its neighbours, by hand
        stroke(LONG, 0.3, wave=5.0),  # bent
    ],
)
def test_other_strokes_are_1s(one: PlacedReading) -> None:
    parts = parts_of("42/7", one, uneven=3)
    assert texts(parts) == ["4217"]
    assert all(part.accepted for part in numbers_of(word(parts), parse_expectation())[0].digits)


def test_between_printed_digits_a_slash_need_not_be_taller() -> None:
    assert texts(parts_of("42/7", stroke(LEVEL, 0.4))) == ["42", "7"]
    assert texts(parts_of("42/7", stroke(LEVEL, 0.4), uneven=3)) == ["4217"]


def test_a_stroke_that_may_be_a_slash_is_an_unsure_1() -> None:
    (number,) = numbers_of(word(parts_of("42/7", stroke(SHORT, 0.4), uneven=3)), parse_expectation())
    assert [part.accepted for part in number.digits] == [True, True, False, True]
    assert [one.reason for one in number.rejected] == [MAYBE_SLASH]


@pytest.mark.parametrize(
    ("text", "lean", "wave", "doubted"),
    [
        ("06/28", 0.4, 1.5, (2,)),  # as of OCR-B, whose edges are soft
        ("08/2029", 0.1, 0.0, (2,)),  # of narrow print
        ("2031/12", 0.15, 0.0, (4,)),
        ("42/73", 0.15, 0.0, ()),  # no month
        ("8/2029", 0.15, 0.0, ()),
        ("06/28", 0.15, 1.5, ()),  # a 1 of italics
    ],
)
def test_where_a_date_has_a_slash_a_printed_stroke_that_leans_may_be_one(
    text: str, lean: float, wave: float, doubted: tuple[int, ...]
) -> None:
    one = stroke(LEVEL, lean, wave)
    assert find_slashes(parts_of(text, one), 20.0) == ((), (), doubted)
    assert find_slashes(parts_of(text, one, uneven=4), 20.0).doubted == ()


def test_a_date_may_stand_beside_letters_and_a_1_of_italics_is_known_by_the_others() -> None:
    box: Part = (0, 0, 10, 20)
    date = [box, *(replace(part, box=(part.box[0] + 14, *part.box[1:])) for part in digits_of("06/28"))]
    assert find_slashes(date, 20.0).doubted == (3,)
    italics = stroke(LEVEL, 0.4, 1.5)
    assert find_slashes(parts_of("1//28", italics, italics), 20.0) == ((), (), ())


def digits_of(text: str) -> list[PlacedReading]:
    return [part for part in parts_of(text, stroke(LEVEL, 0.15)) if isinstance(part, PlacedReading)]


def test_a_slash_that_may_be_a_1_makes_the_digits_beside_it_unsure() -> None:
    parts = parts_of("42/73", stroke((0, -2, 10, 24), 0.4), uneven=1)
    parts[0] = replace(digit(4), box=(0, 4, 10, 20))  # no print
    numbers = numbers_of(word(parts), parse_expectation())
    assert [[part.accepted for part in number.digits] for number in numbers] == [[True, False], [False, True]]
    assert [one.reason for one in numbers[1].rejected] == [SLASH]
    assert [one.reason for one in numbers[0].rejected] == [MAYBE_ONE]


@pytest.mark.parametrize(("text", "is_slash"), [("4273/7", True), ("42739/7", False), ("5/42736", False)])
def test_beside_a_long_number_a_stroke_that_may_be_a_1_is_one(text: str, is_slash: bool) -> None:
    parts = parts_of(text, stroke((0, -2, 10, 24), 0.4), uneven=1)
    parts[0] = replace(digit(int(text[0])), box=(0, 4, 10, 20))  # no print
    place = text.index("/")
    assert find_slashes(parts, 20.0) == (((place,), (place,), ()) if is_slash else ((), (), (place,)))
    far = [*parts[:place], replace(parts[place], box=(14 * place, -5, 14, 30)), *parts[place + 1 :]]
    assert find_slashes(far, 20.0).found == (place,)  # one that reaches further is a slash beside any number


def test_the_second_slash_of_a_date_need_only_be_like_the_first() -> None:
    assert texts(parts_of("12/3/24", stroke(LONG, 0.4), stroke(SHORT, 0.4), uneven=1)) == ["12", "3", "24"]


def test_at_the_ends_of_a_number_and_beside_1s_alone_a_stroke_is_no_slash() -> None:
    parts = parts_of("/42/", stroke(LONG, 0.4), stroke(LONG, 0.4))
    assert find_slashes(parts, 20.0).found == ()
    assert find_slashes(parts, 20.0, before=digit(7), after=digit(8)).found == (0, 3)
    assert find_slashes(parts_of("1/1", stroke(LONG, 0.4)), 20.0).found == ()


def test_where_the_length_is_known_the_digits_without_slashes_stay_one_number() -> None:
    parts = parts_of("12/03/2024", stroke(LONG, 0.4), stroke(LONG, 0.4), uneven=3)
    assert texts(parts, "8") == ["12032024"]
    assert texts(parts, "2-4") == ["12", "03", "2024"]


def moved(one: PlacedReading, x: int) -> PlacedReading:
    return replace(one, box=(x, *one.box[1:]))


@pytest.mark.parametrize(("gap", "digits"), [(10, []), (40, [1])])
def test_a_slash_that_stands_alone_is_known_by_the_digits_near_it(gap: int, digits: list[int]) -> None:
    lone = word([moved(stroke(LONG, 0.4), 100)])
    beside = [word([moved(digit(3), 100 - gap - 10)]), word([moved(digit(4), 114 + gap)])]
    found = numbers_of(lone, parse_expectation(), beside)
    assert [one.digit for number in found for one in number.digits] == digits


def test_a_1_at_the_end_of_a_number_is_no_slash_for_the_number_after_it() -> None:
    first = word(parts_of("42/", stroke(LONG, 0.4), uneven=3))
    beside = [word([moved(digit(7), 52)])]
    (number,) = numbers_of(first, parse_expectation(), beside)
    assert [one.digit for one in number.digits] == [4, 2, 1]


def test_the_stroke_of_a_percent_sign_is_no_slash() -> None:
    ring, low = replace(digit(0), box=(44, 0, 7, 9)), replace(digit(0), box=(62, 11, 7, 9))
    parts = [*parts_of("425"), ring, moved(stroke((0, 0, 12, 20), 0.5), 50), low]
    (number,) = numbers_of(word(parts), parse_expectation())
    assert [one.digit for one in number.digits] == [4, 2, 5]


def test_a_sign_of_one_number_is_none_of_the_next() -> None:
    parts = parts_of("125/37", stroke(LONG, 0.4), uneven=3)
    found = replace(word(parts), signs=((11.0, "-"), (26.0, ".")))
    numbers = numbers_of(found, parse_expectation(numbers="decimal"))
    assert [number.signs for number in numbers] == [((11.0, "-"), (26.0, ".")), ()]


@pytest.mark.parametrize(
    ("expect", "read", "accepted"), [("8", "12032024", True), ("2-4", "12 03 2024", True), ("5", "12 03 2024", False)]
)
def test_a_length_is_asked_of_a_date_without_its_slashes(expect: str, read: str, accepted: bool) -> None:
    page = np.full((120, 700), 240, np.uint8)
    for place, letter in enumerate("12/03/2024"):
        x = 40 + 60 * place
        if letter == "/":
            cv2.line(page, (x + 30, 24), (x + 8, 96), 30, 5, cv2.LINE_AA)
        else:
            cv2.putText(page, letter, (x, 82), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 30, 5, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page, expect=expect)
    assert found.text == read
    assert [one.accepted for one in found.digits] == [accepted] * 8


def test_a_low_1_among_the_digits_of_a_date_does_not_hide_its_slash() -> None:
    first, *rest = parts_of("10/2029", stroke(LEVEL, 0.2))
    assert isinstance(first, PlacedReading)
    low = replace(first, box=(first.box[0], 3, 10, 17))
    assert find_slashes([low, *rest], 20.0).doubted == (2,)
    assert find_slashes(parts_of("10/2029", stroke(LEVEL, 0.2), uneven=3), 20.0).doubted == ()
