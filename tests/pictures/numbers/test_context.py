"""In the company of letters, what may be a letter itself is no number; numbers among words, and beside labels, stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, without_text
from digit_recognizer.pictures.numbers.judged import DOUBTED, judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Reading, Rejected


def digit(value: int, place: int = 0, height: int = 20, confidence: float = 0.99) -> PlacedReading:
    row = np.full(10, (1 - confidence) / 9, np.float32)
    row[value] = confidence
    frame = np.full((28, 28), 255, np.uint8)
    reading = Reading(value, confidence, confidence >= 0.9, (value + 1) % 10, 0.0, row, frame)
    return PlacedReading.of(reading, (place * 14, 20 - height, 10, height))


def number(text: str, line: int = 0, heights: tuple[int, ...] = (), tallest: float = 20.0) -> ReadWord:
    sizes = heights or (20,) * len(text)
    digits = tuple(digit(int(letter), place, sizes[place]) for place, letter in enumerate(text))
    return ReadWord(line, 20.0, text, digits, (), 0, len(text), tallest)


def letters(count: int, line: int = 0, height: float = 20.0) -> ReadWord:
    return ReadWord(line, height, "", (), (), count, 0, height)


@pytest.mark.parametrize("text", ["4711", "3", "7", "26", "555", "2026"])
def test_a_number_among_words_is_still_read(text: str) -> None:
    words = [letters(7), number(text), letters(5)]
    assert without_text(words) == words


@pytest.mark.parametrize(
    ("text", "heights"),
    [
        ("1", (20,)),  # I, l
        ("0", (14,)),  # o
        ("10", (20, 14)),  # lo
        ("50", (14, 14)),  # so
        ("15", (20, 20)),  # IS
        ("60", (20, 20)),  # GO
        ("1055", (20, 14, 14, 14)),  # loss
        ("200", (14, 14, 14)),  # zoo
        ("3", (14,)),  # as low as small letters are
    ],
)
def test_what_spells_a_word_is_left_out_among_words(text: str, heights: tuple[int, ...]) -> None:
    found = without_text([letters(7), number(text, 0, heights), letters(5)])[1]
    assert (found.text, found.digits) == ("", ())
    assert [rejected.reason for rejected in found.rejected] == [AMONG_LETTERS]


@pytest.mark.parametrize("text", ["0", "1", "10", "505"])
def test_without_letters_near_by_the_same_is_a_number(text: str) -> None:
    heights = (20, 14, 14)[: len(text)]
    words = [number(text, 0, heights), number("81", 1), letters(2, 0)]
    assert without_text(words) == words


def test_letters_of_quite_another_size_say_nothing() -> None:
    words = [letters(30, 0, height=6.0), number("10", 1)]
    assert without_text(words) == words


def test_a_page_of_numbers_outweighs_a_heading() -> None:
    words = [letters(9, 0), *(number("10", line) for line in range(1, 6))]
    assert without_text(words) == words


def test_an_unsure_digit_among_letters_makes_no_number() -> None:
    word = number("4711")
    unsure = ReadWord(0, 20.0, "4711", (*word.digits[:3], digit(1, 3, confidence=0.7)), (), 0, 4, 20.0)
    assert without_text([letters(8), unsure])[1].digits == ()


def doubtful(*confidences: float, letters: int = 0) -> ReadWord:
    """A word read as 345..., each digit as sure as told."""
    digits = tuple(digit(3 + place, place, confidence=value) for place, value in enumerate(confidences))
    word = ReadWord(0, 20.0, "", digits, (), letters, 0, 20.0, digits)
    return judged(word, [], [], parse_expectation())


@pytest.mark.parametrize("confidences", [(0.45, 0.99), (0.99, 0.99, 0.4), (0.99, 0.5, 0.99, 0.5)])
def test_an_unlikely_digit_takes_the_word_along_only_where_there_are_letters(confidences: tuple[float, ...]) -> None:
    word = doubtful(*confidences)
    assert (word.text, [rejected.reason for rejected in word.rejected]) == ("", [NOT_A_DIGIT])
    (alone,) = without_text([word])
    assert alone.text == "3456"[: len(confidences)]
    assert [(rejected.box, rejected.reason) for rejected in alone.rejected] == [(word.rejected[0].box, DOUBTED)]
    assert not any(reading.accepted for reading in alone.digits)
    assert without_text([word, letters(1, line=3)])[0] == word


@pytest.mark.parametrize("word", [doubtful(0.5), doubtful(0.5, 0.5, 0.99), doubtful(0.5, 0.99, letters=1)])
def test_what_is_more_than_half_unlikely_or_has_a_letter_is_no_number(word: ReadWord) -> None:
    assert without_text([word])[0].digits == ()


def test_a_doubted_number_that_is_too_short_says_so() -> None:
    (found,) = without_text([doubtful(0.5, 0.99)], parse_expectation(3))
    assert [rejected.reason for rejected in found.rejected] == [DOUBTED, "expected 3 digits, found 2"]


def joined(text: str, spaces: dict[int, int], heights: dict[int, int] | None = None) -> ReadWord:
    """A line of print that was taken for one word and rejected; ``x`` is a letter, spaces: pixels before each part."""
    parts: list[PlacedReading | tuple[int, int, int, int]] = []
    left = 0
    for place, letter in enumerate(text):
        left += spaces.get(place, 2)
        tall = (heights or {}).get(place, 20)
        box = (left, 20 - tall, 10, tall)
        parts.append(box if letter == "x" else replace(digit(int(letter), 0, tall), box=box))
        left += 10
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    none = [part for part in parts if not isinstance(part, PlacedReading)]
    word = ReadWord(0, 20.0, "", digits, (), len(none), len(digits), 20.0, tuple(parts))
    return judged(word, none, [], parse_expectation())


def test_a_number_that_print_joins_with_words_is_read_between_its_spaces() -> None:
    found = without_text([joined("xxxx1234xxx", {4: 9, 8: 9})])
    assert [word.text for word in found] == ["", "1234"]
    assert [rejected.box for rejected in found[0].rejected] == [(2, 0, 46, 20), (112, 0, 34, 20)]


@pytest.mark.parametrize(
    ("text", "heights"),
    [
        ("xxxx505xxx", {}),  # SOS
        ("xxxx42xxxx", {4: 14, 5: 14}),  # lower than the capitals are
        ("xxxx7xxxxx", {}),  # one digit
    ],
)
def test_between_letters_what_may_be_letters_is_not_read(text: str, heights: dict[int, int]) -> None:
    spaces = {4: 9, len(text.rstrip("x")): 9}
    (found,) = without_text([joined(text, spaces, heights)])
    assert (found.text, found.digits) == ("", ())
    assert [(rejected.box, rejected.reason) for rejected in found.rejected] == [((2, 0, 132, 20), NOT_A_DIGIT)]


@pytest.mark.parametrize(("inner", "is_read"), [(2, True), (7, False)])
def test_uneven_digits_need_clear_space_around_them(inner: int, is_read: bool) -> None:
    word = joined("xxxx4726xx", {4: 9, 5: inner, 6: inner, 7: inner, 8: 9}, {4: 14})
    assert ("4726" in [found.text for found in without_text([word])]) == is_read


def test_without_a_space_beside_it_digits_are_part_of_a_word() -> None:
    assert [word.text for word in without_text([joined("xxxx1234xxx", {4: 9})])] == [""]


@pytest.mark.parametrize(("gap", "is_read"), [(3, False), (5, True)])
def test_many_even_digits_stand_apart_from_words_in_narrow_print(gap: int, is_read: bool) -> None:
    words = [found.text for found in without_text([joined("xxxx4726xxx", {4: gap, 8: gap})])]
    assert ("4726" in words) == is_read
    assert "472" not in [found.text for found in without_text([joined("xxxx472xxx", {4: gap, 7: gap})])]


@pytest.mark.parametrize(("confidence", "is_read"), [(0.85, False), (0.95, True)])
def test_a_likely_number_between_words_is_read_and_accepted_in_no_part(confidence: float, is_read: bool) -> None:
    word = joined("xxxx4726xxx", {4: 9, 8: 9})
    unsure = word.parts[4]
    assert isinstance(unsure, PlacedReading)
    unsure = replace(unsure, confidence=confidence, accepted=False)
    word = replace(word, parts=(*word.parts[:4], unsure, *word.parts[5:]))
    found = [one for one in without_text([word]) if one.text]
    assert [one.text for one in found] == ["4726"] * is_read
    assert not any(one.accepted for word in found for one in word.digits)


def test_two_numbers_a_space_apart_between_words_are_two() -> None:
    word = joined("xxxx472638xxx", {4: 12, 7: 8, 10: 12})
    assert [one.text for one in without_text([word])] == ["", "472", "638"]
    even = joined("xxxx472638xxx", {4: 12, 10: 12})
    assert [one.text for one in without_text([even])] == ["", "472638"]


def test_half_of_a_number_is_not_read_where_the_other_half_is_unsure() -> None:
    word = joined("xxxx046621xx", {4: 9, 6: 8, 10: 9})
    unsure = replace(word.parts[4], accepted=False) if isinstance(word.parts[4], PlacedReading) else word.parts[4]
    word = replace(word, parts=(*word.parts[:4], unsure, *word.parts[5:]))
    assert [found.text for found in without_text([word])] == [""]


def test_a_number_between_words_has_to_be_as_expected() -> None:
    found = without_text([joined("xxxx1234xxx", {4: 9, 8: 9})], parse_expectation(5))[1]
    assert [reading.accepted for reading in found.digits] == [False] * 4
    assert [rejected.reason for rejected in found.rejected] == ["expected 5 digits, found 4"]


def unsure(text: str) -> ReadWord:
    """A number whose last digit is likely, and not accepted; its digits are all of its parts."""
    found = number(text)
    digits = (*found.digits[:-1], replace(found.digits[-1], accepted=False, confidence=0.95))
    return replace(found, digits=digits, parts=digits)


def test_a_likely_number_among_words_is_read_and_accepted_in_no_part() -> None:
    found = without_text([letters(7), unsure("4735"), letters(5)])[1]
    assert (found.text, [one.accepted for one in found.digits]) == ("4735", [False] * 4)


def test_a_lone_digit_an_unlikely_one_and_a_word_stay_out_among_letters() -> None:
    doubtful = unsure("4735")
    digits = (*doubtful.digits[:-1], replace(doubtful.digits[-1], confidence=0.85))
    for word in (
        unsure("4"),
        replace(doubtful, digits=digits, parts=digits),
        unsure("505"),
        replace(doubtful, letters=1),
    ):
        assert without_text([letters(7), word, letters(5)])[1].digits == ()


def test_a_point_between_digits_makes_a_number_of_what_else_spells_a_word() -> None:
    word = unsure("5055")
    price = replace(word, signs=((16.0, ""),))  # 50.55, wherever the point is
    assert without_text([letters(7), word, letters(5)])[1].digits == ()
    assert without_text([letters(7), price, letters(5)])[1].text == "5055"
    bars = replace(unsure("1151"), signs=((16.0, ""),))
    assert without_text([letters(7), bars, letters(5)])[1].digits == ()


def test_several_points_are_no_price() -> None:
    word = replace(unsure("5055"), signs=((12.0, ""), (26.0, "")))
    assert without_text([letters(7), word, letters(5)])[1].digits == ()


def lone_letter(line: int, place: int, *, pointed: bool = False) -> ReadWord:
    box = (14 * place, 0, 10, 20)
    signs = ((14.0 * place + 12, ""),) if pointed else ()
    return ReadWord(line, 20.0, "", (), (), 1, 0, 20.0, (box,), signs)


def lone_digit(value: int, line: int, place: int, *, pointed: bool = False) -> ReadWord:
    one = digit(value, place)
    signs = ((14.0 * place + 12, ""),) if pointed else ()
    return ReadWord(line, 20.0, str(value), (one,), (), 0, 1, 20.0, (one,), signs)


def test_letters_at_the_head_of_a_calendar_are_no_digits_though_the_page_is_full_of_numbers() -> None:
    head = [*(lone_letter(0, 5 * place) for place in range(5)), lone_digit(5, 0, 25), lone_digit(5, 0, 30)]
    found = without_text([*head, *(number("1234567", line) for line in range(1, 5))])
    assert [word.text for word in found] == ["", "", "", "", "", "", "", *["1234567"] * 4]


def test_letters_that_number_the_lines_of_a_list_are_no_digits() -> None:
    letters_in_front = [lone_letter(0, 0, pointed=True), lone_digit(8, 1, 0, pointed=True)]
    letters_in_front += [lone_letter(2, 0, pointed=True), lone_digit(0, 3, 0, pointed=True)]
    found = without_text([*letters_in_front, *(number("34775", line) for line in range(4))])
    assert [word.text for word in found] == ["", "", "", "", *["34775"] * 4]


def test_digits_that_number_the_lines_of_a_list_stay() -> None:
    in_front = [lone_digit(value, value, 0, pointed=True) for value in (5, 6, 8, 9)]
    found = without_text([*in_front, *(number("34775", line) for line in (5, 6, 8, 9))])
    assert [word.text for word in found] == ["5", "6", "8", "9", *["34775"] * 4]


@pytest.mark.parametrize(
    ("box", "stays"), [((-14, -8, 12, 18), False), ((-40, -8, 12, 18), True), ((-14, -60, 12, 18), True)]
)
def test_a_lone_digit_right_beside_a_letter_of_another_line_is_none(box: Box, stays: bool) -> None:
    letter = ReadWord(0, 20.0, "", (), (Rejected(box, NOT_A_DIGIT),), 1, 0, 20.0, (box,))
    lone = replace(number("8", 1), parts=number("8").digits)
    numbers = [number("4711", 2), number("4711", 3)]
    assert bool(without_text([letter, lone, *numbers])[1].digits) == stays


def in_column(words: list[ReadWord]) -> list[ReadWord]:
    """The words of lines below each other, each with its digits as parts where these stand."""
    moved = []
    for word in words:
        digits = tuple(replace(one, box=(one.box[0] + 200, 40 * word.line, *one.box[2:])) for one in word.digits)
        moved.append(replace(word, digits=digits, parts=digits))
    return moved


def test_what_may_be_letters_stays_unsure_below_a_number_of_a_form() -> None:
    numbers = in_column([number("4711"), number("8", 1), number("10", 2, (20, 14))])
    words = [*(letters(9, line) for line in range(3)), *numbers]
    found = without_text(words)[3:]
    assert [word.text for word in found] == ["4711", "8", "10"]
    assert [[one.accepted for one in word.digits] for word in found] == [[True] * 4, [False], [False] * 2]
    assert [word.text for word in without_text([*words[:3], *words[4:]])[3:]] == ["", ""]


def test_a_number_with_an_unlikely_digit_stays_whole_below_another_and_is_not_cut() -> None:
    sure, doubtful = in_column([number("4711"), number("712116", 1)])
    digits = tuple(
        replace(one, confidence=0.4, accepted=False, box=(one.box[0] + 12, *one.box[1:])) if place in (3, 4) else one
        for place, one in enumerate(doubtful.digits)
    )
    digits = (*digits[:3], *(replace(one, box=(one.box[0] + 12, *one.box[1:])) for one in digits[3:]))
    word = judged(replace(doubtful, digits=digits, parts=digits, text=""), [], [], parse_expectation())
    labels = [letters(9, 0), letters(9, 1)]
    found = without_text([*labels, sure, word])
    assert [one.text for one in found[2:]] == ["4711", "712116"]
    assert not any(one.accepted for one in found[3].digits)


def set_in_text(text: str) -> ReadWord:
    """A number that stands a space apart from the words of its line."""
    found = number(text)
    return replace(found, parts=found.digits, is_parted=True)


@pytest.mark.parametrize(("text", "tallest"), [("1", 20.0), ("0", 20.0), ("50", 26.0), ("5", 26.0)])
def test_what_may_be_a_word_is_never_sure_beside_words(text: str, tallest: float) -> None:
    found = without_text([letters(2), replace(set_in_text(text), tallest=tallest), number("4711")])[1]
    assert found.text == text
    assert [(digit.accepted, digit.reason) for digit in found.digits] == [(False, AMONG_LETTERS)] * len(text)


@pytest.mark.parametrize("text", ["4711", "15", "5"])
def test_a_number_as_tall_as_capitals_is_sure_beside_few_words(text: str) -> None:
    found = without_text([letters(2), set_in_text(text), number("4711")])[1]
    assert found.text == text
    assert all(digit.accepted for digit in found.digits)


def spelt(*heights: int) -> ReadWord:
    """A word of letters that are so tall."""
    parts = tuple((12 * place, 20 - tall, 10, tall) for place, tall in enumerate(heights))
    return replace(letters(len(heights)), parts=parts)


@pytest.mark.parametrize("text", ["6", "50", "111"])
def test_among_small_letters_digits_as_tall_as_capitals_are_read_and_not_sure(text: str) -> None:
    found = without_text([spelt(20, 14, 14, 20, 14, 14, 14, 14, 14), set_in_text(text)])[1]
    assert found.text == text
    assert [(digit.accepted, digit.reason) for digit in found.digits] == [(False, AMONG_LETTERS)] * len(text)


@pytest.mark.parametrize("text", ["0", "1"])
def test_a_lone_o_or_i_among_words_is_left_out(text: str) -> None:
    assert without_text([spelt(20, 14, 14, 20, 14, 14, 14, 14, 14), set_in_text(text)])[1].text == ""


@pytest.mark.parametrize("text", ["6", "50", "111"])
def test_among_capitals_what_may_be_some_is_left_out(text: str) -> None:
    assert without_text([spelt(*[20] * 9), set_in_text(text)])[1].text == ""


def test_a_lone_digit_lower_than_capitals_is_a_small_letter() -> None:
    assert without_text([spelt(26, *[20] * 8), replace(set_in_text("5"), tallest=26.0)])[1].text == ""
