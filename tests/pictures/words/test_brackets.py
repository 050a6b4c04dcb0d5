"""Round brackets by hand are no 1s: they bow to the outside, and around something."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.words.brackets import find_brackets
from tests.pictures.test_page import answer, on_paper, page_of, sprite


def bow(page: np.ndarray, x: float, top: float, foot: float, right: float) -> None:
    """Draw a stroke from top to foot whose middle lies so far to the right of its ends."""
    down = np.linspace(0, 1, 20)
    points = np.column_stack([x + right * np.sin(np.pi * down), top + down * (foot - top)])
    cv2.polylines(page, [np.rint(points * 8).astype(np.int32)], False, 1.0, 4, cv2.LINE_AA, shift=3)


def row(*strokes: tuple[float, float, float, float], digits: tuple[int, ...] = ()) -> np.ndarray:
    """Strokes, as ``bow`` takes them, and 4s, 40 pixels tall, from these columns on: ink, 0-1."""
    page = np.zeros((100, 400), np.float32)
    four = sprite(4, 40)
    for x in digits:
        page[30:70, x : x + four.shape[1]] = four
    for stroke in strokes:
        bow(page, *stroke)
    return page


def brackets_in(page: np.ndarray) -> list[int]:
    """The columns where brackets begin."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((page > 0.4).astype(np.uint8), connectivity=8)
    boxes = stats[1:, :4].astype(np.int64)
    line = np.argsort(boxes[:, 0]).tolist()
    return sorted(round(int(boxes[mark, 0]), -1) for mark in find_brackets(labels, boxes, [line]))


def test_a_bow_after_an_items_number_is_a_bracket() -> None:
    assert brackets_in(row((60, 22, 78, 8), digits=(20, 100))) == [60]
    assert brackets_in(row((60, 22, 78, 8), digits=(20,))) == [60]


def test_two_that_bow_to_the_outside_are_brackets_though_they_bow_little() -> None:
    assert brackets_in(row((22, 22, 78, -4), (70, 22, 78, 4), digits=(30,))) == [20, 70]
    assert brackets_in(row((22, 22, 78, 4), (70, 22, 78, -4), digits=(30,))) == []


@pytest.mark.parametrize(
    ("stroke", "digits"),
    [
        ((60, 22, 78, 0), (20, 110)),  # straight: a tall 1
        ((60, 22, 78, 4), (20, 110)),  # bows as some 1s do
        ((60, 31, 69, 4.5), (20, 110)),  # no taller than the digits
        ((60, 22, 78, 8), (20, 75)),  # no room after it
        ((300, 22, 78, 8), (20, 110)),  # nothing near it
    ],
)
def test_what_is_no_bracket(stroke: tuple[float, float, float, float], digits: tuple[int, ...]) -> None:
    assert brackets_in(row(stroke, digits=digits)) == []


def test_an_items_number_stands_by_itself() -> None:
    ink = page_of(["3 45", "7 286"], space=1.9)
    for top in (14, 94):
        bow(ink, 84, top, top + 52, 8)
    page = read_page(on_paper(ink), answer)
    assert page.text == "3 45\n7 286"
    assert [one.reason for one in page.rejected] == ["not a digit"] * 2
