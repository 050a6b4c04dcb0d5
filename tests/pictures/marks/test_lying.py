"""Pens that lie on a page: no digits, and nothing of them in the lines."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.lying import LYING, without_lying
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import PageInk
from tests.pictures.test_page import answer, on_paper, page_of

Grey = npt.NDArray[np.uint8]


def ink_of_mask(mask: npt.NDArray[np.uint8], thickness: float) -> PageInk:
    return PageInk((mask * 255).astype(np.uint8), mask > 0, thickness)


def with_pen(grey: Grey, lean: int, shade: int) -> Grey:
    """The page with more room on its right and a pen there that leans by that many pixels."""
    height = len(grey)
    page = np.pad(grey, ((150, 150), (0, 200)), constant_values=int(np.median(grey)))
    x = page.shape[1] - 120
    cv2.line(page, (x, 20), (x + lean, height + 280), shade, 22)
    return page


@pytest.mark.parametrize(("lean", "shade"), [(0, 40), (60, 90)])
def test_a_pen_beside_numbers_is_no_digit_and_parts_no_lines(lean: int, shade: int) -> None:
    grey = with_pen(on_paper(page_of(["4735", "2643"])), lean, shade)
    page = read_page(grey, answer, min_confidence=0.8)
    assert page.text == "4735\n2643"
    assert [found.reason for found in page.rejected] == [LYING]
    x, _, width, height = page.rejected[0].box
    assert x > grey.shape[1] - 150
    assert height > 0.8 * len(grey)
    assert width < 120


def test_bits_at_the_end_of_a_pen_go_with_it() -> None:
    mask = np.zeros((400, 400), np.uint8)
    for x in (25, 75, 125):
        cv2.circle(mask, (x, 60), 18, 1, 4)
    cv2.line(mask, (300, 20), (300, 300), 1, 16)
    mask[318:340, 296:305] = 1
    mask[318:340, 200:209] = 1  # elsewhere
    ink = ink_of_mask(mask, 4.0)
    rest, boxes = without_lying(ink, ink)
    assert len(boxes) == 1
    assert boxes[0][1] + boxes[0][3] == 340
    assert not rest.mask[:, 280:320].any()
    assert rest.mask[318:340, 200:209].all()
    assert rest.mask[:, :180].sum() == mask[:, :180].sum()


@pytest.mark.parametrize(
    ("thickness", "length"),
    [(5, 280), (16, 90)],  # as thin as the strokes, a long line; not much longer than the digits
)
def test_lines_as_thin_as_strokes_and_ones_as_tall_as_digits_stay(thickness: int, length: int) -> None:
    mask = np.zeros((400, 400), np.uint8)
    for x in (25, 75, 125):
        cv2.circle(mask, (x, 60), 18, 1, 4)
    mask[20 : 20 + length, 300 : 300 + thickness] = 1
    ink = ink_of_mask(mask, 4.0)
    assert without_lying(ink, ink) == (ink, ())


def test_a_one_beside_digits_as_tall_stays() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[50:350, 300:330] = 1
    cv2.ellipse(mask, (150, 200), (80, 140), 0, 0, 360, 1, 12)
    mask[300:320, 20:30] = mask[300:320, 35:45] = 1
    ink = ink_of_mask(mask, 12.0)
    assert without_lying(ink, ink)[1] == ()


def test_a_stroke_that_stands_alone_is_no_pen_for_the_edge_of_its_own_ends() -> None:
    mask = np.zeros((280, 280), np.bool_)
    mask[54:227, 136:144] = True
    mask[53, 137:143] = mask[228, 138:142] = True  # torn off by a row
    ink = PageInk(mask * np.uint8(255), mask, 6.0)
    assert without_lying(ink, ink) == (ink, ())
