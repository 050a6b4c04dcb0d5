"""Printed uprights that the tests draw part a table's numbers, and leave those in combs and on squared paper whole."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import Contrast, contrast_of_page
from digit_recognizer.pictures.words.fields import Upright, find_uprights, parted_marks
from tests.pictures.test_page import answer, on_paper, sprite

Grey = npt.NDArray[np.uint8]

HEIGHT = 36  # pixels of the digits; gaps between those of a number are 8 wide


def fields_page(rows: list[list[str]], level: float = 0.6, room: int = 8) -> Grey:
    """Numbers in printed fields that are ``room`` pixels broader than they are: uint8 (H, W)."""
    inks = [
        [np.concatenate([np.pad(sprite(int(letter), HEIGHT), ((0, 0), (4, 4))) for letter in number], axis=1)
         for number in row]
        for row in rows
    ]  # fmt: skip
    breadths = [max(row[place].shape[1] for row in inks) + room for place in range(len(rows[0]))]
    lefts = 40 + np.cumsum([0, *breadths])
    page = np.zeros((80 + 60 * len(rows), int(lefts[-1]) + 40), np.float32)
    for number in range(len(rows) + 1):
        page[40 + 60 * number : 42 + 60 * number, 40 : lefts[-1] + 2] = level
    for left in lefts:
        page[40 : 42 + 60 * len(rows), left : left + 2] = level
    for number, row in enumerate(inks):
        for left, breadth, ink in zip(lefts, breadths, row, strict=False):
            top, x = 53 + 60 * number, int(left) + 1 + (breadth - ink.shape[1]) // 2
            page[top : top + HEIGHT, x : x + ink.shape[1]] = np.maximum(
                page[top : top + HEIGHT, x : x + ink.shape[1]], ink
            )
    return on_paper(page)


def leaning(page: Grey, degrees: float) -> Grey:
    """The page in light that falls off, its uprights leaning while its level lines stay level."""
    move = np.array([[1, np.tan(np.radians(degrees)), 0], [0, 1, 0]])
    size = page.shape[1] + 20, page.shape[0]
    page = np.asarray(cv2.warpAffine(page, move, size, borderValue=235), np.uint8)
    return np.clip(page * np.linspace(1, 0.7, page.shape[1])[None, :], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0.3, 0.6, 0.9])
def test_numbers_of_a_table_are_parted_at_its_uprights(level: float) -> None:
    rows = [["52", "39", "48"], ["60", "72", "98"]]
    page = fields_page(rows, level)
    assert read_page(page, answer).text.splitlines() == [" ".join(row) for row in rows]
    assert read_page(leaning(page, 2), answer).text.splitlines() == [" ".join(row) for row in rows]


def test_digits_in_a_comb_or_in_boxes_are_one_number() -> None:
    assert read_page(fields_page([list("5239486")]), answer).text == "5239486"


def test_a_table_in_which_few_numbers_have_two_digits_is_parted_as_a_whole() -> None:
    rows = [["5", "3", "48"], ["6", "7", "9"], ["8", "2", "3"]]
    assert read_page(fields_page(rows, room=20), answer).text.splitlines() == [" ".join(row) for row in rows]


def boxes_at(*lefts: int) -> npt.NDArray[np.int64]:
    return np.array([[left, 10, 20, 30] for left in lefts], np.int64)


def uprights_at(*places: float) -> list[Upright]:
    return [Upright(x, 0.0, x, 50.0) for x in places]


def test_a_comb_that_misses_some_uprights_is_one_number() -> None:
    boxes = boxes_at(10, 50, 90, 130, 170)
    assert parted_marks(boxes, [[0, 1, 2, 3, 4]], uprights_at(0, 40, 80, 160, 200)) == [[0] * 5]
    assert parted_marks(boxes, [[0, 1, 2, 3, 4]], uprights_at(80)) == [[0] * 5]
    assert parted_marks(boxes, [[0, 1, 2, 3, 4]], uprights_at(0, 80, 160)) == [[0] * 5]


def test_digits_across_the_squares_of_paper_are_in_no_fields() -> None:
    boxes, line = boxes_at(0, 24, 56, 80, 112, 136), [0, 1, 2, 3, 4, 5]
    assert parted_marks(boxes, [line], uprights_at(-6, 50, 106, 162)) == [[1, 1, 2, 2, 3, 3]]
    assert parted_marks(boxes, [line], uprights_at(-22, 34, 90, 146)) == [[0] * 6]
    assert parted_marks(boxes, [line], uprights_at(-44, -25, -6, 50, 106, 162, 181)) == [[0] * 6]


def test_an_upright_is_followed_behind_a_stroke_that_touches_it_and_a_stroke_is_none() -> None:
    page = np.zeros((300, 200), np.float32)
    strokes = np.zeros(page.shape, np.bool_)
    strokes[100:106, 80:112] = strokes[40:120, 150:155] = True
    page[20:280, 100:102] = page[20:22, 20:180] = page[278:280, 20:180] = 0.5
    page[strokes] = 1
    contrast = contrast_of_page(on_paper(page))
    assert contrast is not None
    (found,) = find_uprights(contrast, strokes)
    assert abs(found.x - 100.5) < 1
    assert found.top <= 21
    assert found.bottom >= 278


def test_stems_of_letters_that_are_no_ink_are_no_uprights() -> None:
    page = np.zeros((120, 300), np.float32)
    for left in range(20, 280, 30):
        page[20:50, left : left + 3] = page[60:90, left : left + 3] = 1
    contrast = contrast_of_page(on_paper(page))
    assert contrast is not None
    assert find_uprights(contrast, np.zeros(page.shape, np.bool_)) == []


@pytest.mark.parametrize(("rows", "found"), [(4, 2), (2, 0)], ids=["across three level lines", "across one"])
def test_uprights_that_go_on_beyond_the_level_lines_are_found_where_they_cross_two(rows: int, found: int) -> None:
    """A table without lines around it; a single crossing may be a plus sign."""
    page = np.zeros((40 + 60 * rows, 380), np.float32)
    for number in range(1, rows):
        page[20 + 60 * number : 22 + 60 * number, 20:360] = 0.6
    for left in (130, 245):
        page[20 : 20 + 60 * rows, left : left + 2] = 0.6
    contrast = contrast_of_page(on_paper(page))
    assert contrast is not None
    assert len(find_uprights(contrast, np.zeros(page.shape, np.bool_))) == found


def test_uprights_below_a_head_of_another_ground_are_told_apart() -> None:
    depth = np.zeros((300, 400), np.float32)
    for x in (40, 150, 260, 370):
        for y in range(60, 290):
            left = round(x - 0.06 * (y - 60))
            depth[y, left : left + 3] = 90
    depth[[60, 61, 120, 121, 180, 181, 288, 289], 20:374] = 90
    depth[20:60, 36:374] = 90  # the head
    found = find_uprights(Contrast(depth, 14.0, 3.0), np.zeros(depth.shape, np.bool_))
    assert [round(upright.at(174)) for upright in found] == pytest.approx([34, 144, 254, 364], abs=2)
