"""Numbers in the boxes of a form are read box by box, beside what else stands on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.grids import boxed as boxed_module
from digit_recognizer.pictures.grids.cells import read_cells
from digit_recognizer.pictures.numbers.assembled import together
from digit_recognizer.pictures.steps import Steps
from digit_recognizer.reading import NOT_A_DIGIT, Line, Page
from digit_recognizer.recognizer import Recognizer
from tests.pictures.numbers.test_context import digit

Grey = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


def boxes(text: str, wide: tuple[int, ...] = ()) -> Grey:
    """A text in boxes, one character each, empty ones for spaces; wider gaps before the places in ``wide``."""
    page = np.full((110, 60 + 56 * len(text) + 30 * len(wide)), 240, np.uint8)
    x = 30
    for place, letter in enumerate(text):
        x += 30 * (place in wide)
        cv2.rectangle(page, (x, 28), (x + 44, 82), 90, 2)
        if letter != " ":
            (width, _), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 1.3, 3)
            cv2.putText(page, letter, (x + 22 - width // 2, 69), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 30, 3, cv2.LINE_AA)
        x += 56
    return page


@pytest.mark.parametrize(
    ("text", "wide", "read"),
    [
        ("4711302", (), "4711302"),
        ("111171", (), "111171"),  # bars among bars
        ("  4735", (), "4735"),
        ("47 35", (), "47 35"),
        ("24071985", (2, 4), "24 07 1985"),
    ],
)
def test_a_number_in_boxes_is_read(recognizer: Recognizer, text: str, wide: tuple[int, ...], read: str) -> None:
    page = recognizer.read(boxes(text, wide))
    assert page.text == read
    assert [line.text for line in page.lines] == [read]


def test_light_digits_in_light_boxes_are_read(recognizer: Recognizer) -> None:
    assert recognizer.read(255 - boxes("4711302")).text == "4711302"


def test_digits_lie_in_their_boxes(recognizer: Recognizer) -> None:
    digits = recognizer.read(boxes("8352")).digits
    assert [found.digit for found in digits] == [8, 3, 5, 2]
    for place, found in enumerate(digits):
        x, y, width, height = found.box
        assert 30 + 56 * place <= x + width / 2 <= 74 + 56 * place
        assert 25 <= y <= y + height <= 85


def test_empty_boxes_alone_and_letters_in_boxes_give_no_accepted_digit(recognizer: Recognizer) -> None:
    assert recognizer.read(boxes("     ")).lines == ()
    assert not any(found.accepted for found in recognizer.read(boxes("KAMRXE")).digits)


def test_what_stands_beside_and_below_boxes_is_read_as_well(recognizer: Recognizer) -> None:
    page = np.full((230, 640), 240, np.uint8)
    form = boxes("83527")
    page[: len(form), 200 : 200 + form.shape[1]] = form
    cv2.putText(page, "46", (60, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 30, 3, cv2.LINE_AA)
    cv2.putText(page, "905", (230, 180), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 30, 3, cv2.LINE_AA)
    assert [line.text for line in recognizer.read(page).lines] == ["46 83527", "905"]


def test_a_length_that_is_asked_for_holds_for_boxes_too(recognizer: Recognizer) -> None:
    assert all(found.accepted for found in recognizer.read(boxes("83527"), expect="5").digits)
    page = recognizer.read(boxes("83527"), expect="6")
    assert not any(found.accepted for found in page.digits)
    assert [one.reason for one in page.rejected] == ["expected 6 digits, found 5"]


def test_a_letter_among_boxed_digits_is_told() -> None:
    page = Recognizer(threads=1).read(boxes("4735K91862"))
    assert page.text == "4735 91862"
    assert [one.reason for one in page.rejected] == [NOT_A_DIGIT]
    x, _, width, _ = page.rejected[0].box
    assert 30 + 56 * 4 <= x + width / 2 <= 74 + 56 * 4


def test_lines_are_put_where_they_stand() -> None:
    upper, lower = (Line(text, (digit(int(text)),)) for text in "47")
    between = Line("3", (digit(3, 5),))
    below = Line("8", tuple(one.__class__.of(one, (0, 90, 10, 20)) for one in (digit(8),)))
    assert [line.text for line in together(Page((lower,)), Page((below, between))).lines] == ["7 3", "8"]
    assert together(Page((upper,)), Page()).lines == (upper,)


def test_a_number_in_boxes_that_is_none_after_all_is_told(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlikely(*given: Any, **more: Any) -> Any:
        page, sure = read_cells(*given, **more)
        first, *others = page.lines[0].digits
        return replace(page, lines=(Line(page.lines[0].text, (replace(first, confidence=0.5), *others)),)), sure

    monkeypatch.setattr(boxed_module, "read_cells", unlikely)
    page = recognizer.read(boxes("835"))
    assert page.lines == ()
    assert [one.reason for one in page.rejected] == [NOT_A_DIGIT]
    assert [line.text for line in recognizer.read(boxes("835 46")).lines] == ["46"]


def line_at(text: str, *places: int) -> Line:
    """A line with its text, each of its digits at a place of its own, from left to right."""
    values = [int(letter) for letter in text if letter.isdecimal()]
    return Line(text, tuple(digit(value, place) for value, place in zip(values, places, strict=True)))


@pytest.mark.parametrize(
    ("text", "places", "between", "inside", "together_read"),
    [
        ("1 9", (0, 20), "34", (7, 8), "1 34 9"),
        ("-1,5 9", (0, 1, 20), "3.4", (7, 8), "-1,5 3.4 9"),
        ("12 9", (10, 11, 30), "3 4 5", (0, 20, 40), "3 12 4 9 5"),
        ("1 9", (0, 20), "5", (40,), "1 9 5"),
    ],
)
def test_what_stands_between_the_words_of_a_line_is_read_between_them(
    text: str, places: tuple[int, ...], between: str, inside: tuple[int, ...], together_read: str
) -> None:
    lines = line_at(text, *places), line_at(between, *inside)
    for one, other in (lines, lines[::-1]):
        (found,) = together(Page((one,)), Page((other,))).lines
        assert found.text == together_read
        assert [one.digit for one in found.digits] == [int(letter) for letter in found.text if letter.isdecimal()]
        assert [one.box[0] for one in found.digits] == sorted(one.box[0] for one in found.digits)


def test_the_boxes_are_shown_among_the_steps(recognizer: Recognizer) -> None:
    steps = Steps()
    picture = boxes("83527")
    page = recognizer.read(picture, watch=steps)
    shown = steps.pictures(picture, page)
    assert list(shown) == ["1-picture", "2-boxes", "5-frames"]
    assert shown["2-boxes"].shape[1] > 4 * shown["2-boxes"].shape[0]
