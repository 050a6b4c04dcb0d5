"""Digits in a row or column of numbers, without letters in it, are one more number; beside letters they may be some."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.numbers.aligned import aligned
from digit_recognizer.pictures.numbers.read_word import ReadWord
from tests.pictures.numbers.test_context import digit


def digits_at(text: str, line: int, x: int, height: int = 20) -> ReadWord:
    found = tuple(
        replace(digit(int(letter), 0, height), box=(x + 14 * place, 50 * line, 10, height))
        for place, letter in enumerate(text)
    )
    return ReadWord(line, float(height), text, found, (), 0, len(found), 20.0, found)


def word_at(line: int, x: int, count: int = 5) -> ReadWord:
    parts = tuple((x + 14 * place, 50 * line, 10, 20) for place in range(count))
    return ReadWord(line, 20.0, "", (), (), count, 0, 20.0, parts)


def form(*numbers: ReadWord) -> list[ReadWord]:
    """A label at the head of each number's line, and the numbers after these."""
    return [*(word_at(number.line, 0) for number in numbers), *numbers]


def test_a_lone_digit_below_a_number_of_a_form_is_aligned_with_it() -> None:
    words = form(digits_at("4711", 0, 200), digits_at("8", 1, 205))
    assert aligned(words, [False, False, True, False]) == {3}


def test_what_stands_elsewhere_or_far_below_is_not() -> None:
    aside = form(digits_at("4711", 0, 200), digits_at("8", 1, 150))
    far = form(digits_at("4711", 0, 200), digits_at("8", 5, 205))
    assert not aligned(aside, [False, False, True, False])
    assert not aligned(far, [False, False, True, False])


def test_letters_end_a_column() -> None:
    words = [digits_at("4711", 0, 200), word_at(1, 200), digits_at("8", 2, 205)]
    assert not aligned(words, [True, False, False])
    assert aligned([words[0], words[2]], [True, False]) == {1}


def test_a_column_goes_on_through_digits_that_nobody_is_sure_of() -> None:
    words = form(digits_at("8", 0, 200), digits_at("6", 1, 200), digits_at("4711", 2, 200))
    assert aligned(words, [False] * 5 + [True]) == {3, 4}


@pytest.mark.parametrize(("height", "stays"), [(14, True), (12, False), (28, True), (32, False)])
def test_digits_of_quite_another_size_are_not_aligned(height: int, stays: bool) -> None:
    words = form(digits_at("4711", 0, 200), digits_at("8", 1, 205, height))
    assert bool(aligned(words, [False, False, True, False])) is stays


def test_digits_in_a_row_of_numbers_are_aligned_where_no_letter_stands() -> None:
    row = [digits_at("47", 0, 0), digits_at("55", 0, 100), digits_at("8", 0, 200)]
    assert aligned(row, [True, False, False]) == {1, 2}
    assert not aligned([*row, word_at(0, 300)], [True, False, False, False])


def test_a_number_with_a_letter_in_it_is_not() -> None:
    mixed = replace(digits_at("88", 1, 200), parts=(*digits_at("88", 1, 200).parts, (230, 50, 10, 20)))
    assert not aligned([digits_at("4711", 0, 200), mixed], [True, False])


def test_where_no_number_is_sure_nothing_is_aligned() -> None:
    assert not aligned([digits_at("8", 0, 0), digits_at("8", 1, 0)], [False, False])


def listed(*quantities: str, bare: int = 0) -> list[ReadWord]:
    """Quantities at the heads of lines, a word after each, and lines without a quantity."""
    lines = [(digits_at(text, line, 0), word_at(line, 60)) for line, text in enumerate(quantities)]
    return [*(word for line in lines for word in line), *(word_at(len(lines) + line, 0) for line in range(bare))]


@pytest.mark.parametrize(
    ("quantities", "bare", "found"),
    [
        (("2", "12", "6"), 0, 3),
        (("2", "12", "6"), 3, 3),
        (("2", "12", "6"), 4, 0),  # fewer than half of the lines
        (("2", "12"), 0, 0),
        (("1", "1", "1", "1"), 0, 0),  # I, or a bar
        (("0012", "0060", "0012"), 0, 0),  # words in an odd face
    ],
)
def test_quantities_at_the_heads_of_lines_are_a_column(quantities: tuple[str, ...], bare: int, found: int) -> None:
    words = listed(*quantities, bare=bare)
    assert len(aligned(words, [False] * len(words))) == found


def test_what_stands_alone_in_its_lines_is_no_head() -> None:
    assert not aligned([digits_at(text, line, 0) for line, text in enumerate("268")], [False] * 3)


def test_what_stands_in_the_head_of_a_table_is_in_no_column() -> None:
    head = [word_at(0, 0, 1), digits_at("5", 0, 100)]
    numbers = [digits_at(text, line, x) for line, x, text in ((1, 0, "47"), (1, 100, "33"), (2, 100, "43"))]
    assert not aligned([*head, *numbers], [False, False, True, True, True])
    assert aligned([*head, *numbers[1:]], [False, False, True, True]) == {1}


def test_a_letter_with_a_point_in_front_of_a_row_of_numbers_is_none() -> None:
    enumerator = digits_at("8", 0, 0)
    row = [digits_at("22", 0, 60), digits_at("45", 0, 120)]
    assert aligned([enumerator, *row], [False, True, True]) == {0}
    assert not aligned([replace(enumerator, signs=((12.0, ""),)), *row], [False, True, True])
