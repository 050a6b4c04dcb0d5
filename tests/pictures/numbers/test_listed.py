"""Numbers with a point each that count up, one below the other, are a list's, be there letters all around."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.numbers.context import without_text
from digit_recognizer.pictures.numbers.listed import listed
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.signs import NO_SIGN
from tests.pictures.numbers.test_context import letters, number


def item(text: str, line: int, *, x: int = 0, point: float | None = 1.0) -> ReadWord:
    """A number at the head of a line. point: how far right of it one stands, in pixels."""
    word = number(text, line)
    digits = tuple(replace(one, box=(one.box[0] + x, one.box[1] + 50 * line, *one.box[2:])) for one in word.digits)
    end = digits[-1].box[0] + digits[-1].box[2]
    signs = () if point is None else ((end + point, NO_SIGN),)
    return replace(word, digits=digits, parts=digits, signs=signs)


def text(line: int, x: int = 60) -> ReadWord:
    """Words beside an item."""
    return replace(letters(12, line), parts=((x, 50 * line, 300, 20),))


def page(items: list[ReadWord]) -> list[ReadWord]:
    return [word for one in items for word in (one, text(one.line))]


def test_the_numbers_of_a_list_stay_among_letters() -> None:
    words = page([item(str(value), value, x=2 * value) for value in (1, 2, 3, 4, 5, 6)])
    assert listed(words) == frozenset(range(0, 12, 2))
    assert without_text(words) == words


def test_longer_ones_may_begin_or_end_below_each_other() -> None:
    assert len(listed([item("9", 0), item("10", 1), item("11", 2)])) == 3
    assert len(listed([item("9", 0, x=14), item("10", 1), item("11", 2)])) == 3


@pytest.mark.parametrize(
    "items",
    [
        [item("1", 0), item("2", 1)],  # too few
        [item("1", 0), item("1", 1), item("1", 2)],  # I. I. I.
        [item("1", 0), item("2", 1, x=60), item("3", 2)],
        [item("1", 0, point=None), item("2", 1, point=None), item("3", 2, point=None)],
        [item("1", 0, point=19.0), item("2", 1, point=19.0), item("3", 2, point=19.0)],
        [item("1", 0), item("2", 20), item("3", 40)],
    ],
)
def test_what_does_not_count_up_below_each_other_is_no_list(items: list[ReadWord]) -> None:
    assert listed(items) == frozenset()


def test_a_number_within_a_line_is_none_of_a_list() -> None:
    assert (
        listed(
            [
                word
                for one in (item(str(value), value, x=80) for value in (1, 2, 3))
                for word in (text(one.line, 0), one)
            ]
        )
        == frozenset()
    )
