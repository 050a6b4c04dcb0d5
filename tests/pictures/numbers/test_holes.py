"""What is left of a digit that was not read is told, and the digits around it are not accepted."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.numbers.holes import MISSED, holes_refused
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.page import read_page
from digit_recognizer.reading import NOT_A_DIGIT, Box, Rejected
from tests.pictures.numbers.test_context import digit
from tests.pictures.test_page import answer, on_paper, page_of

LEFT, RIGHT = digit(4, 0), digit(7, 3)  # boxes (0, 0, 10, 20) and (42, 0, 10, 20)


def words(*rejected: Rejected) -> list[ReadWord]:
    return [ReadWord(0, 20.0, "4", (LEFT,), ()), ReadWord(0, 20.0, "7", (RIGHT,), rejected)]


def missed(marks: list[Box], *rejected: Rejected) -> list[Box]:
    boxes = np.array([LEFT.box, RIGHT.box, *marks], np.int64)
    found = holes_refused(words(*rejected), boxes)
    told = [one.box for word in found for one in word.rejected if one.reason == MISSED]
    assert all(reading.accepted != bool(told) for word in found for reading in word.digits)
    return told


def test_what_is_left_of_a_digit_is_told_and_its_line_not_accepted() -> None:
    assert missed([(22, 0, 7, 6), (20, 14, 11, 6)]) == [(20, 0, 11, 20)]


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [(20, 9, 12, 3)],  # a dash
        [(22, 5, 3, 3), (22, 16, 3, 3)],  # a colon
        [(20, 6, 12, 2), (20, 12, 12, 2)],  # an equals sign
        [(60, 0, 10, 20)],  # after the last digit
        [(20, 40, 10, 20)],  # in another line
        [(20, -30, 11, 80)],  # a frame
        [(1, 2, 8, 16)],  # in a digit
    ],
)
def test_other_ink_is_no_hole(marks: list[Box]) -> None:
    assert missed(marks) == []


def test_what_was_rejected_is_told_once() -> None:
    assert missed([(20, 0, 11, 20)], Rejected((18, 0, 15, 20), NOT_A_DIGIT)) == []


def test_a_digit_whose_middle_is_gone_does_not_vanish_without_a_trace() -> None:
    ink = page_of(["507"])
    assert [(line.text, line.accepted) for line in read_page(on_paper(ink), answer).lines] == [("507", True)]
    columns = np.flatnonzero(ink[40:].any(0))
    starts = columns[np.flatnonzero(np.diff(columns) > 1) + 1]  # of the 0 and the 7
    height = np.flatnonzero(ink.any(1))
    ink[height[0] + 12 : height[-1] - 12, starts[0] : starts[1]] = 0
    page = read_page(on_paper(ink), answer)
    assert [(line.text, line.accepted) for line in page.lines] == [("57", False)]
    assert {one.reason for one in page.digits} == {MISSED}
    assert [(one.box, one.reason) for one in page.rejected] == [((76, 20, 24, 40), MISSED)]
