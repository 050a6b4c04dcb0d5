"""Rows of boxes on forms are found whatever stands in them, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.grids.form_boxes import covered, find_box_rows

STEP, SIDE, TALL = 44, 34, 40


def form(rows: int = 1, boxes: int = 5, line: int = 2, digits: Sequence[int] = ()) -> np.ndarray:
    """Rows of boxes on paper; in those numbered in ``digits`` a stroke runs from the upper line to the lower one."""
    page = np.full((40 + 70 * rows, 40 + STEP * boxes), 230, np.uint8)
    for row in range(rows):
        for column in range(boxes):
            x, y = 20 + STEP * column, 20 + 70 * row
            cv2.rectangle(page, (x, y), (x + SIDE, y + TALL), 60, line)
            cv2.circle(page, (x + 17, y + 20), 9, 40, 4)
            if column in digits:
                cv2.line(page, (x + 20, y), (x + 14, y + TALL), 40, 4)
    return page


@pytest.mark.parametrize("line", [1, 2, 4])
@pytest.mark.parametrize("rows", [1, 3])
def test_boxes_are_found_where_they_were_drawn(rows: int, line: int) -> None:
    page = form(rows, line=line)
    found = find_box_rows(page)
    assert [row.shape for row in found] == [(1, 5)] * rows
    for number, row in enumerate(found):
        for column in range(5):
            x, y, width, height = row.box(0, column, (0, 0, *row.cell(0, column).shape[::-1]))
            expected = (20 + STEP * column, 20 + 70 * number, SIDE, TALL)
            assert np.abs(np.subtract((x, y, width, height), expected)).max() <= 3


@pytest.mark.parametrize("change", ["inverted", "large", "askew", "noisy"])
def test_light_boxes_large_ones_and_those_askew_are_found(change: str) -> None:
    page = form(2)
    if change == "inverted":
        page = 255 - page
    elif change == "large":
        page = np.asarray(cv2.resize(page, None, fx=9, fy=9, interpolation=cv2.INTER_LINEAR), np.uint8)
    elif change == "askew":
        matrix = cv2.getRotationMatrix2D((130, 90), 6, 1.0)
        page = np.asarray(cv2.warpAffine(page, matrix, page.shape[::-1], borderValue=230), np.uint8)
    else:
        page = np.clip(page + np.random.default_rng(0).normal(0, 8, page.shape), 0, 255).astype(np.uint8)
    assert [row.shape for row in find_box_rows(page)] == [(1, 5)] * 2


@pytest.mark.parametrize("cut", [(2,), (1, 3), (0,), (4,), (3, 4)])
def test_boxes_that_a_stroke_cuts_in_two_are_completed(cut: tuple[int, ...]) -> None:
    (row,) = find_box_rows(form(1, 7, digits=cut))
    assert row.shape == (1, 7)


def test_boxes_with_a_common_line_two_boxes_and_digits_are_no_rows() -> None:
    comb = np.full((80, 260), 230, np.uint8)
    for x in range(20, 240, 34):
        cv2.rectangle(comb, (x, 20), (x + 34, 60), 60, 2)
    assert find_box_rows(comb) == []
    assert find_box_rows(form(1, 2)) == []
    zeros = np.full((80, 260), 230, np.uint8)
    for x in range(40, 240, 40):
        cv2.ellipse(zeros, (x, 40), (12, 18), 0, 0, 360, 40, 3)
    assert find_box_rows(zeros) == []
    assert find_box_rows(np.full((80, 260), 230, np.uint8)) == []


def test_gaps_between_boxes_and_what_they_cover_are_told() -> None:
    page = form()
    (row,) = find_box_rows(page)
    assert np.abs(row.gaps() - (STEP - SIDE)).max() <= 3
    assert row.height() == pytest.approx(TALL, abs=3)
    inside = covered([row], page.shape)
    assert (page[~inside] == 230).all()
    assert inside.sum() < 1.8 * 5 * SIDE * TALL
