"""Signs at a number's ends do not take it along: sure ones are left out, what may be a letter makes it unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.apart import numbers_of
from digit_recognizer.pictures.numbers.beside import number_beside, signs_between, without_brackets, without_letters
from digit_recognizer.pictures.numbers.context import BESIDE_LETTER, without_text
from digit_recognizer.pictures.numbers.judged import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading
from tests.pictures.numbers.test_context import letters, number
from tests.pictures.words.test_within import line

LETTER: Box = (0, 0, 12, 20)
DOLLAR: Box = (0, -1, 12, 25)
BRACKET: Box = (0, 0, 5, 25)
PLUS: Box = (0, 5, 12, 12)
Q: Box = (0, 0, 18, 24)


def after(mark: Box, text: str, gap: int = 2) -> list[Part]:
    """A mark and the digits after it."""
    move = mark[2] + gap
    digits = [part for part in line(text) if isinstance(part, PlacedReading)]
    return [mark, *(replace(digit, box=(digit.box[0] + move, *digit.box[1:])) for digit in digits)]


def word(parts: Sequence[Part], at: int = 0) -> ReadWord:
    """Parts as a word, judged."""
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    none = [part for part in parts if not isinstance(part, PlacedReading)]
    found = ReadWord(at, 20.0, "", digits, (), len(none), len(digits), 20.0, tuple(parts))
    return judged(found, none, [], parse_expectation())


@pytest.mark.parametrize("mark", [DOLLAR, BRACKET, PLUS])
@pytest.mark.parametrize("text", ["5", "42", "425"])
def test_a_sign_at_the_start_is_left_out(mark: Box, text: str) -> None:
    (found,) = without_text([word(after(mark, text))])
    assert (found.text, all(digit.accepted for digit in found.digits)) == (text, True)
    assert [(rejected.box, rejected.reason) for rejected in found.rejected] == [(mark, NOT_A_DIGIT)]


def test_brackets_on_both_sides_are_left_out() -> None:
    (found,) = without_text([word([*after(BRACKET, "42"), (36, 0, 5, 25)])])
    assert (found.text, [digit.accepted for digit in found.digits]) == ("42", [True, True])


@pytest.mark.parametrize("mark", [LETTER, Q])
def test_a_number_right_beside_what_may_be_a_letter_is_not_accepted(mark: Box) -> None:
    (found,) = without_text([word(after(mark, "42"))])
    assert (found.text, [digit.accepted for digit in found.digits]) == ("42", [False, False])
    assert [rejected.reason for rejected in found.rejected] == [NOT_A_DIGIT, BESIDE_LETTER]


def test_what_stands_clear_is_no_part_of_the_number() -> None:
    (found,) = without_text([word(after(LETTER, "42", gap=8))])
    assert (found.text, [digit.accepted for digit in found.digits]) == ("42", [True, True])


def test_where_other_letters_stand_in_the_line_a_number_beside_a_sign_is_none() -> None:
    assert without_text([letters(4), word(after(DOLLAR, "42"))])[1].text == ""
    assert without_text([letters(1, line=1), word(after(DOLLAR, "42"))])[1].text == "42"


def test_beside_a_number_in_its_line_letters_do_not_become_digits() -> None:
    assert [found.text for found in without_text([number("42"), word(after(LETTER, "9"))])] == ["42", ""]


@pytest.mark.parametrize(
    "parts",
    [
        [LETTER, (14, 0, 12, 20), *after(LETTER, "42")[1:]],  # two marks before them
        line("4x2"),  # one between them
        line("42xxx"),  # three after them
        line("42"),  # none
        [LETTER],
    ],
)
def test_other_words_are_no_numbers_beside_signs(parts: list[Part]) -> None:
    assert number_beside(parts, 20.0) is None


def test_a_digit_that_is_likely_but_not_accepted_makes_an_unsure_number_beside_a_sign() -> None:
    mark, first, last = after(DOLLAR, "42")
    assert isinstance(last, PlacedReading)
    parts = [mark, first, replace(last, accepted=False)]
    (found,) = without_text([word(parts)])
    assert (found.text, [digit.accepted for digit in found.digits]) == ("42", [True, False])
    assert without_text([word(parts), letters(4, line=1)])[0].text == ""
    assert number_beside([mark, first, replace(last, accepted=False, confidence=0.7)], 20.0) is None


def test_a_bracket_that_looks_a_little_like_a_1_is_a_bracket() -> None:
    mark, first, last = after(DOLLAR, "41")
    assert isinstance(last, PlacedReading)
    unlikely = replace(last, accepted=False, confidence=0.4)
    assert number_beside([mark, first, unlikely], 20.0) is None
    found = number_beside([mark, first, replace(unlikely, box=(30, 0, 5, 25))], 20.0)
    assert found is not None
    assert found.marks == (mark, (30, 0, 5, 25))


def digit(text: str, box: Box, *, accepted: bool = True, confidence: float = 0.99) -> PlacedReading:
    (one,) = line(text)
    assert isinstance(one, PlacedReading)
    return replace(one, box=box, accepted=accepted, confidence=confidence)


SIX = digit("6", (40, 0, 12, 20))
EIGHT = digit("8", (54, 0, 12, 20))
LOW = digit("0", (14, 6, 12, 14), accepted=False)  # an o
DEEP = digit("9", (84, 6, 12, 20))  # a g
K: Box = (74, 0, 9, 20)


@pytest.mark.parametrize(
    ("parts", "marks"),
    [
        ([LETTER, LOW, SIX, EIGHT], [LETTER, LOW.box]),
        ([LETTER, replace(LOW, box=(14, 0, 12, 20), confidence=0.5), SIX, EIGHT], [LETTER, (14, 0, 12, 20)]),
        ([SIX, EIGHT, K, DEEP], [K, DEEP.box]),
        ([SIX, EIGHT, digit("9", (74, 0, 24, 27), accepted=False)], [(74, 0, 24, 27)]),  # kg in touch
        ([digit("4", (16, 8, 9, 9), accepted=False), SIX, EIGHT], []),  # a plus
        ([SIX, EIGHT, (76, 6, 22, 14), digit("1", (101, -1, 4, 21))], [(76, 6, 22, 14), (101, -1, 4, 21)]),  # ml
    ],
)
def test_a_word_that_stands_clear_of_a_number_keeps_no_digits(parts: list[Part], marks: list[Box]) -> None:
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    seen = ReadWord(0, 20.0, "", digits, (), 1, len(digits), 20.0, tuple(parts))
    (parted,) = numbers_of(seen, parse_expectation())
    assert parted.digits == (SIX, EIGHT)
    (found,) = without_text([word(parted.parts)])
    assert (found.text, [one.accepted for one in found.digits]) == ("68", [True, True])
    assert [rejected.box for rejected in found.rejected] == marks


@pytest.mark.parametrize(
    "parts",
    [
        [LETTER, LOW, digit("6", (28, 0, 12, 20)), digit("8", (42, 0, 12, 20))],  # no space
        [LETTER, digit("4", (14, 0, 12, 20)), SIX, EIGHT],  # a digit as those of the number are
        [SIX, EIGHT, DEEP],  # an accepted 9 of old style
        [SIX, EIGHT, digit("1", (84, 6, 5, 14), accepted=False)],  # and a 1
        [SIX, digit("8", (64, 0, 12, 20)), (86, 0, 9, 20), replace(DEEP, box=(96, 6, 12, 20))],  # gaps of a kind
        [SIX, EIGHT, (76, 6, 14, 14), digit("1", (100, 0, 4, 20))],  # times 1
        [SIX, EIGHT, (76, 3, 14, 14), digit("1", (93, 0, 4, 20))],  # not on the line
        [SIX, EIGHT, (76, 6, 22, 14), digit("7", (101, 0, 12, 20))],
        [SIX, digit("8", (54, 5, 12, 20)), (76, 6, 22, 14), digit("1", (101, 0, 4, 20))],  # by hand
        [LETTER, LOW, SIX, digit("8", (54, 0, 12, 20), accepted=False, confidence=0.7)],  # is it a number?
        [SIX],
    ],
)
def test_what_may_be_a_digit_of_the_number_stays(parts: list[Part]) -> None:
    assert without_letters(parts, 20.0) == tuple(parts)


def test_two_marks_before_a_number_must_stand_clear() -> None:
    marks = [LETTER, LOW.box]
    assert number_beside([*marks, SIX, EIGHT], 20.0) is not None
    assert number_beside([*marks, digit("6", (28, 0, 12, 20))], 20.0) is None


def test_brackets_that_were_read_as_1s_are_brackets() -> None:
    left, right = (digit("1", (x, -1, 6, 26), accepted=False) for x in (30, 70))
    assert without_letters([left, SIX, EIGHT, right], 20.0) == (left.box, SIX, EIGHT, right.box)
    for other in (replace(right, accepted=True), replace(right, box=(70, 0, 6, 20))):
        assert without_letters([left, SIX, EIGHT, other], 20.0) == (left, SIX, EIGHT, other)
    assert without_letters([left, right], 20.0) == (left, right)


def sum_of(mark: Box, gap: int = 10) -> list[Part]:
    """4, a mark and 7."""
    four, seven = (part for part in line("47") if isinstance(part, PlacedReading))
    placed = (12 + gap, *mark[1:])
    return [four, placed, replace(seven, box=(placed[0] + mark[2] + gap, *seven.box[1:]))]


@pytest.mark.parametrize(("mark", "gap"), [(PLUS, 2), (PLUS, 10), ((0, 6, 12, 14), 8), ((0, 9, 3, 3), 7)])
def test_a_plus_parts_numbers_and_so_does_a_low_mark_or_a_dot_in_the_middle_that_stands_clear(
    mark: Box, gap: int
) -> None:
    parts = sum_of(mark, gap)
    assert signs_between(parts, 20.0) == (1,)
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    found = ReadWord(0, 20.0, "", digits, (), 1, 2, 20.0, tuple(parts))
    numbers = numbers_of(found, parse_expectation())
    assert [[one.digit for one in number.digits] for number in numbers] == [[4], [7]]
    assert [[one.reason for one in number.rejected] for number in numbers] == [[], [NOT_A_DIGIT]]
    assert [number.letters for number in numbers] == [0, 0]


OTHER_MARKS = [
    (LETTER, 10),
    ((0, 6, 12, 14), 2),
    (BRACKET, 10),
    ((0, 9, 3, 3), 4),
    ((0, 9, 1, 1), 8),
    ((0, 17, 3, 3), 7),
]


@pytest.mark.parametrize(("mark", "gap"), OTHER_MARKS)
def test_other_marks_between_digits_part_nothing(mark: Box, gap: int) -> None:
    assert signs_between(sum_of(mark, gap), 20.0) == ()


def test_brackets_right_beside_digits_are_left_out_of_a_line_of_print_and_letters_stay() -> None:
    opened, closed = (30, 0, 5, 25), (65, 0, 5, 25)
    digits = [replace(one, box=(one.box[0] + 37, *one.box[1:])) for one in line("42") if isinstance(one, PlacedReading)]
    name = [(0, 0, 12, 20), (14, 0, 12, 20)]
    assert without_brackets([*name, opened, *digits, closed], 20.0) == (*name, *digits)
    assert without_brackets([*name, (30, 0, 12, 20), *digits], 20.0) == (*name, (30, 0, 12, 20), *digits)
    assert without_brackets([*name, opened, closed], 20.0) == (*name, opened, closed)


def test_years_in_brackets_after_a_name_are_read() -> None:
    parts: list[Part] = list(line("Karl "))
    start = 4 * 14 + 9
    digits = [one for one in line("1880") if isinstance(one, PlacedReading)]
    parts += [(start, 0, 5, 25), *(replace(one, box=(one.box[0] + start + 7, *one.box[1:])) for one in digits)]
    parts.append((start + 7 + 56, 0, 5, 25))
    found = without_text([replace(word(parts), letters=6)])
    assert [one.text for one in found if one.digits] == ["1880"]


@pytest.mark.parametrize("text", ["8", "00"])
def test_between_two_marks_one_digit_or_two_are_letters(text: str) -> None:
    parts = after(LETTER, text)
    end = parts[-1].box[0] + 12 if isinstance(parts[-1], PlacedReading) else 0
    (found,) = without_text([word([*parts, (end, 0, 12, 20)])])
    assert not found.digits


def test_digits_as_low_as_small_letters_beside_a_capital_are_none() -> None:
    digits = [replace(digit, box=(digit.box[0] + 14, 6, 10, 14)) for digit in number("00").digits]
    (found,) = without_text([word([LETTER, *digits])])
    assert not found.digits
