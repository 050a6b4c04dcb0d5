"""Ruled paper, boxes and frames leave the page; digits, and the bars of digits in a row, stay."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.rules import without_lines
from tests.pictures.test_page import answer, on_paper, page_of


def test_a_page_without_lines_is_handed_back_itself() -> None:
    mask = page_of(["6083", "7777", "2222"]) > 0.5
    ink = PageInk((mask * 255).astype(np.uint8), mask, 4.0)
    assert without_lines(ink) is ink


@pytest.mark.parametrize("offset", [28, 44, 50])
def test_numbers_on_ruled_paper_are_read_as_on_plain_paper(offset: int) -> None:
    ink = np.pad(page_of(["4071", "3962"]), ((0, 0), (40, 40)))
    ink[20 + offset :: 80] = np.maximum(ink[20 + offset :: 80], 0.6)
    assert read_page(on_paper(ink), answer).text == "4071\n3962"


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
