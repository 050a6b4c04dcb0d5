"""Printed numbers one space apart are several; numbers by hand, and even digits with a gap that is none, stay whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from digit_recognizer.pictures.expectation import Expectation, parse_expectation
from digit_recognizer.pictures.numbers.apart import numbers_of
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.spaces import find_spaces, may_have_spaces
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.words.within import Part
from digit_recognizer.reading import PlacedReading
from tests.pictures.test_page import answer, on_paper, page_of
from tests.pictures.words.test_within import line


def texts(parts: Sequence[Part], signs: Sequence[tuple[float, str]] = (), expect: str | None = None) -> list[str]:
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    word = ReadWord(0, 20.0, "", digits, (), 0, len(digits), 20.0, tuple(parts), tuple(signs))
    return ["".join(str(digit.digit) for digit in one.digits) for one in numbers_of(word, parse_expectation(expect))]


def lowered(parts: Sequence[Part], by: int) -> list[Part]:
    """Every other digit stands lower, as by hand."""
    result: list[Part] = []
    for number, part in enumerate(parts):
        assert isinstance(part, PlacedReading)
        x, y, width, tall = part.box
        result.append(PlacedReading.of(part, (x, y + by * (number % 2), width, tall)))
    return result


@pytest.mark.parametrize("text", ["13412 38336 40316", "52 7", "2 22 3 44", "4711 0815", "20 55 1 36"])
@pytest.mark.parametrize("thin", [False, True])
def test_one_printed_space_parts_numbers(text: str, thin: bool) -> None:
    assert texts(line(text, space=8, thin=thin)) == text.split()


@pytest.mark.parametrize("text", ["134123833640316", "5 2 7", "52", "4711", "5 2"])
@pytest.mark.parametrize("thin", [False, True])
def test_where_gaps_are_alike_there_is_no_space(text: str, thin: bool) -> None:
    assert len(texts(line(text, space=8, thin=thin))) == 1


def test_uneven_digits_are_handwriting_whose_gaps_are_of_all_sizes() -> None:
    assert len(texts(lowered(line("4722 9365", space=8), 1))) == 2
    assert len(texts(lowered(line("4722 9365", space=8), 3))) == 1


def test_narrow_1s_tell_nothing_of_the_gaps_between_other_digits() -> None:
    """Digits that stand equally far apart, as by hand: the 1 is no broader than its stroke."""
    boxes = {3: (0, 0, 10, 20), 1: (16, 0, 3, 20), 4: (25, 0, 10, 20), 2: (41, 0, 10, 20)}
    digits = [part for part in line("3142") if isinstance(part, PlacedReading)]
    assert find_spaces([PlacedReading.of(digit, boxes[digit.digit]) for digit in digits], [], 20.0) == []


def test_a_point_fills_its_gap() -> None:
    parts = line("12.99")
    assert texts(parts) == ["1299"]
    left = parts[2]
    assert not isinstance(left, PlacedReading)
    assert texts([part for part in parts if part is not left], [(left[0], ".")]) == ["1299"]


@pytest.mark.parametrize(("point", "numbers"), [(56.0, ["151", "65"]), (64.0, ["15165"]), (72.0, ["151", "65"])])
def test_a_point_in_the_middle_fills_a_gap_as_wide_as_a_space(point: float, numbers: list[str]) -> None:
    """Where all characters are of one breadth, points have as much room as digits."""
    digits = placed("15165", [(x, 0, 14, 20) for x in (0, 20, 40, 80, 100)])
    assert texts(digits, [(point, "")]) == numbers


def test_a_minus_belongs_to_the_number_after_it() -> None:
    parts = line("345 678", space=16)
    digits = tuple(part for part in parts if isinstance(part, PlacedReading))
    word = ReadWord(0, 20.0, "", digits, (), 0, 6, 20.0, digits, ((48.0, "-"),))
    assert [one.signs for one in numbers_of(word, parse_expectation())] == [(), ((48.0, "-"),)]


def test_among_letters_nothing_is_cut() -> None:
    assert len(texts(line("4722x 9365", space=8))) == 1


def test_what_is_asked_for_may_be_printed_in_groups() -> None:
    assert texts(line("4722 9365", space=8), expect="8") == ["47229365"]
    assert texts(line("4722 9365", space=8), expect="4") == ["4722", "9365"]


def test_a_page_tells_even_numbers_a_space_apart() -> None:
    assert read_page(on_paper(page_of(["5927 3684"], gap=0.12, space=0.5)), answer).text == "5927 3684"
    assert read_page(on_paper(page_of(["59273684"], gap=0.5)), answer).text == "59273684"


@pytest.mark.parametrize(("top", "numbers"), [(9, ["123456"]), (17, ["123", "456"])])
def test_around_a_dash_there_is_no_space_but_after_a_comma_there_is(top: int, numbers: list[str]) -> None:
    parts = line("123 456", space=20)
    assert texts([*parts[:3], (43, top, 3, 3), *parts[3:]]) == numbers


def test_where_a_shadow_joins_two_digits_the_gaps_between_the_others_are_no_spaces() -> None:
    """The 0 is broader by a shadow's edge: nearer to the 6, no farther from the 8 than that from the 3."""
    boxes = ((40, 20, 24, 40), (65, 20, 35, 40), (112, 20, 24, 40), (148, 20, 22, 40))
    digits = [part for part in line("6083") if isinstance(part, PlacedReading)]
    parts = [PlacedReading.of(digit, box) for digit, box in zip(digits, boxes, strict=True)]
    assert find_spaces(parts, [], 40.0) == []


def placed(text: str, boxes: Sequence[tuple[int, int, int, int]]) -> list[PlacedReading]:
    digits = [part for part in line(text) if isinstance(part, PlacedReading)]
    return [PlacedReading.of(digit, box) for digit, box in zip(digits, boxes, strict=True)]


def test_even_steps_tell_a_space_where_gaps_do_not() -> None:
    """Digits of one advance, narrow and broad: between the narrow ones gaps are nearly as wide as the space."""
    broad, narrow = 14, 7
    boxes, x = [], 0
    for width, after in ((broad, 15), (broad, 15), (narrow, 15), (narrow, 21), (broad, 15), (broad, 15)):
        boxes.append((x - width // 2, 0, width, 20))
        x += after
    assert len(find_spaces(placed("827748", boxes), [], 20.0)) == 1


def test_text_figures_are_print() -> None:
    """Low 0, 1 and 2, a 6 that rises above them, others that hang below, 15 apart; a space makes it 23."""
    tops = {"0": (6, 14), "1": (6, 14), "2": (6, 14), "6": (0, 20), "8": (0, 20)}
    text, steps = "36208415", (15, 15, 15, 23, 15, 15, 15, 15)
    boxes, x = [], 0
    for letter, step in zip(text, steps, strict=True):
        top, tall = tops.get(letter, (6, 20))
        boxes.append((x, top, 12, tall))
        x += step
    digits = placed(text, boxes)
    assert len(find_spaces(digits, [], 20.0)) == 1
    wavering = [(x, y + 4 * (number % 2), width, tall) for number, (x, y, width, tall) in enumerate(boxes)]
    assert find_spaces(placed(text, wavering), [], 20.0) == []


def test_two_level_digits_far_apart_are_two_numbers() -> None:
    assert len(find_spaces(placed("65", [(0, 0, 12, 20), (24, 0, 12, 20)]), [], 20.0)) == 1
    assert find_spaces(placed("65", [(0, 0, 12, 20), (24, 2, 12, 20)]), [], 20.0) == []


def test_other_words_of_a_line_tell_how_wide_its_gaps_are() -> None:
    parts, others = placed("65", [(100, 0, 12, 20), (120, 0, 12, 20)]), line("5884")
    assert find_spaces(parts, [], 20.0) == []
    assert find_spaces(parts, [], 20.0, [others]) == [116.0]


@pytest.mark.parametrize(("space", "doubted"), [(8, True), (6, False)])
def test_what_may_be_a_space_is_not_accepted(space: int, doubted: bool) -> None:
    parts = placed("65", [(0, 0, 12, 20), (12 + space, 0, 12, 20)])
    assert may_have_spaces(parts, [], 20.0) is doubted
    word = ReadWord(0, 20.0, "", tuple(parts), (), 0, 2, 20.0, tuple(parts))
    (one,) = numbers_of(word, Expectation())
    assert [digit.accepted for digit in one.digits] == [not doubted] * 2
    assert len(one.rejected) == doubted


def test_a_point_fills_its_gap_and_a_space_after_it_is_one() -> None:
    assert find_spaces(line("4213"), [26.0], 20.0) == []
    assert find_spaces(line("42   13"), [30.0], 20.0) != []


@pytest.mark.parametrize(("space", "doubted"), [(40, True), (30, False)])
def test_even_digits_that_are_not_level_may_be_lone_ones_if_they_stand_very_wide(space: int, doubted: bool) -> None:
    step = 36 + space
    parts = placed("652", [(0, 0, 36, 60), (step, 3, 36, 60), (2 * step, 0, 36, 60)])
    assert may_have_spaces(parts, [], 60.0) is doubted


@pytest.mark.parametrize(("space", "doubted"), [(20, True), (15, False)])
def test_many_digits_far_apart_from_each_other_may_be_on_tiles_a_number_each(space: int, doubted: bool) -> None:
    parts = placed("65249", [(at * (12 + space), 0, 12, 20) for at in range(5)])
    assert may_have_spaces(parts, [], 20.0) is doubted


def rising(parts: Sequence[Part], slope: float, taller: int = 0) -> list[Part]:
    """The line three times as large, rising to the right; every other digit is taller."""
    result: list[Part] = []
    for number, part in enumerate(parts):
        assert isinstance(part, PlacedReading)
        x, y, width, tall = (3 * side for side in part.box)
        more = taller * (number % 2)
        result.append(PlacedReading.of(part, (x, y - round(slope * x) - more, width, tall + more)))
    return result


def test_a_line_that_rises_has_spaces_as_others_have() -> None:
    parts = rising(line("4722 936585", space=8), 0.1)
    assert len(find_spaces(parts, [], 60.0)) == 1


def test_gaps_like_spaces_between_digits_nearly_as_even_as_print_are_doubted() -> None:
    parts = rising(line("4722 936585", space=8), 0.05, taller=7)
    assert not may_have_spaces(rising(line("4722936585"), 0.05, taller=7), [], 60.0)
    assert may_have_spaces(parts, [], 60.0)
    assert not may_have_spaces(parts[:7], [], 60.0)  # of few nobody knows whether they are by hand
    assert not may_have_spaces(rising(line("4722 936585", space=8), 0.05, taller=12), [], 60.0)
