"""Boxes, frames and tables leave the page; digits, and the bars of digits in a row, stay."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.marks.rules import without_lines
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import PageInk
from tests.pictures.test_page import answer, on_paper, page_of


def test_a_page_without_lines_is_handed_back_itself() -> None:
    mask = page_of(["6083", "7777", "2222"]) > 0.5
    ink = PageInk((mask * 255).astype(np.uint8), mask, 4.0)
    assert without_lines(ink) is ink


def test_numbers_in_form_boxes_are_read_without_the_boxes() -> None:
    ink = np.zeros((100, 420), np.float32)
    digits = page_of(["50927"], 40, gap=0.5)
    ink[10 : 10 + len(digits), 20 : 20 + digits.shape[1]] = digits[:90]
    lefts = np.flatnonzero(np.diff((ink > 0.4).any(0).astype(int)) == 1) + 1
    edges = [int(left) - 10 for left in lefts] + [int(np.flatnonzero(ink.any(0))[-1]) + 10]
    ink[[18, 19, 82, 83], edges[0] : edges[-1] + 2] = 1
    for edge in edges:
        ink[18:84, edge : edge + 2] = 1
    page = read_page(on_paper(ink), answer)
    assert page.text == "50927"


def test_hundreds_of_printed_lines_are_taken_off_a_page_and_a_stem_stays() -> None:
    mask = np.zeros((3000, 2400), np.bool_)
    mask[4::10, 100:2300] = True
    mask[500:530, 1000:1004] = True
    found = without_lines(PageInk(mask * np.uint8(255), mask, 4.0)).mask
    assert not found[:, 100:900].any()
    assert found[500:530, 1001].all()


@pytest.mark.parametrize("with_marks", [True, False])
def test_two_lines_that_cross_are_a_table_where_marks_stand_around_them(with_marks: bool) -> None:
    mask = np.zeros((240, 260), np.bool_)
    mask[60:63, 30:230] = mask[20:220, 128:131] = True
    if with_marks:
        for top in (80, 120, 160):
            for left in (60, 180):
                mask[top : top + 20, left : left + 12] = True
    found = without_lines(PageInk((mask * 255).astype(np.uint8), mask, 3.0)).mask
    assert [bool(found[61, 40]), bool(found[100, 129])] == [not with_marks] * 2
    assert bool(found[90, 185]) is with_marks


def test_upright_stems_of_large_digits_are_no_columns_of_a_table() -> None:
    """Two of a third of the picture's height, thin and straight: lines where numbers stand between them."""
    mask = np.zeros((280, 440), np.bool_)
    mask[40:230, 120:125] = mask[150:154, 40:180] = mask[40:230, 330:335] = mask[228:232, 280:390] = True
    stems = PageInk(mask * np.uint8(255), mask, 4.0)
    assert without_lines(stems) is stems
    columns = np.zeros((280, 440), np.bool_)
    columns[10:270, 140:144] = columns[10:270, 290:294] = True
    for top in (40, 120, 200):
        columns[top : top + 30, 60:80] = columns[top : top + 30, 210:230] = True
    found = without_lines(PageInk(columns * np.uint8(255), columns, 4.0)).mask
    assert found[:, 139:146].sum() < 10  # of 1,040, where one ends
    assert found[40:70, 60:80].all()
