"""Ruled and squared paper becomes plain; digits stay, and a turned page becomes level."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.ruling import turn_of_ruling, without_ruling
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import contrast_of_page
from tests.pictures.test_page import answer, on_paper, page_of


def pen(lines: list[str]) -> npt.NDArray[np.float32]:
    """The page in a broader pen than the test's digits are drawn with: ruling is thinner than strokes are."""
    ink = np.pad(page_of(lines), ((0, 0), (40, 40)))
    return np.asarray(cv2.dilate(ink, np.ones((3, 3), np.uint8)), np.float32)


def squared(ink: npt.NDArray[np.float32], step: int, level: float = 0.4) -> npt.NDArray[np.float32]:
    """The same ink on squared paper."""
    found = ink.copy()
    found[::step] = np.maximum(found[::step], level)
    found[:, ::step] = np.maximum(found[:, ::step], level)
    return found


def askew(ink: npt.NDArray[np.float32], degrees: float) -> npt.NDArray[np.uint8]:
    """The middle of a squared page of ink, turned clockwise."""
    grey = on_paper(squared(np.pad(ink, 100), 24))
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    turned = cv2.warpAffine(grey, matrix, (width, height))
    return np.ascontiguousarray(turned[75:-75, 75:-75].astype(np.uint8))


@pytest.mark.parametrize("offset", [28, 44, 50])
def test_numbers_on_ruled_paper_are_read_as_on_plain_paper(offset: int) -> None:
    ink = np.pad(page_of(["4071", "3962"]), ((0, 0), (40, 40)))
    ink[20 + offset :: 80] = np.maximum(ink[20 + offset :: 80], 0.6)
    assert read_page(on_paper(ink), answer).text == "4071\n3962"


@pytest.mark.parametrize("step", [23, 27, 31])
@pytest.mark.parametrize("level", [0.25, 0.4])
def test_numbers_on_squared_paper_are_read_as_on_plain_paper(step: int, level: float) -> None:
    ink = pen(["4071", "3962"])
    assert read_page(on_paper(squared(ink, step, level)), answer).text == "4071\n3962"


def test_what_stands_out_from_plain_paper_is_left_as_it_is() -> None:
    contrast = contrast_of_page(on_paper(page_of(["777777777777", "275275275275"], 24)))
    assert contrast is not None
    assert without_ruling(contrast) is contrast
    assert turn_of_ruling(contrast) == 0


def words_in_thin_print() -> npt.NDArray[np.float32]:
    """Rows of letters like b, o and d that all but touch: ink, float32 (460, 900), 0-1."""
    ink = np.zeros((460, 900), np.float32)
    for foot in range(50, 450, 40):
        for left in (start + 13 * letter for start in range(30, 820, 86) for letter in range(6)):
            ink[foot - 12 : foot, left : left + 12] = 0.6
            ink[foot - 10 : foot - 2, left + 1 : left + 11] = 0
            ink[foot - 18 : foot, left] = 1
    return ink


@pytest.mark.parametrize("is_ruled", [False, True])
def test_the_feet_of_print_are_no_ruling_as_that_goes_on_between_words(is_ruled: bool) -> None:
    ink = words_in_thin_print()
    if is_ruled:
        ink[49::40] = np.maximum(ink[49::40], 0.5)
    contrast = contrast_of_page(on_paper(ink))
    assert contrast is not None
    found = without_ruling(contrast)
    assert (found is contrast) is not is_ruled
    assert not found.depth[49::40, 108:116].any()  # between two words


@pytest.mark.parametrize("degrees", [-11.0, -2.0, 4.0, 9.0])
def test_the_turn_of_squared_paper_is_measured_by_its_lines(degrees: float) -> None:
    contrast = contrast_of_page(askew(pen(["4071", "3962"]), degrees))
    assert contrast is not None
    assert turn_of_ruling(contrast) == pytest.approx(degrees, abs=0.4)


def test_a_turned_squared_page_is_read_and_its_boxes_are_in_the_picture() -> None:
    page = read_page(askew(pen(["4071", "3962"]), 7.0), answer)
    assert page.text == "4071\n3962"
    lefts = [digit.box[0] for digit in page.lines[0].digits]
    tops = [digit.box[1] for digit in page.lines[0].digits]
    assert lefts == sorted(lefts)
    assert tops[-1] > tops[0]
