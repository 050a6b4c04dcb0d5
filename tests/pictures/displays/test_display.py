"""Displays of seven segments are read by which of their bars are there; what is no display is left to others."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.pictures.displays.among import displays_among
from digit_recognizer.pictures.displays.display import Shown, read_display
from digit_recognizer.pictures.marks.coarseness import drawing_of
from digit_recognizer.pictures.marks.page_ink import levelled
from digit_recognizer.pictures.paper import PageInk, ink_of
from digit_recognizer.recognizer import Recognizer
from tests.pictures.marks.test_segments import ENDS

LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")

PUMP = ("5120", "2751")  # read apart at the 1s where they are not known to be displays


def display(text: str, *, thick: int = 10, apart: int = 5, slant: float = 0.0, space: int = 95) -> np.ndarray:
    """Digits 110 pixels tall, dark on light grey, a space for each that is none. apart: pixels from bars to corners."""
    picture = np.full((200, 90 + space * len(text)), 200, np.uint8)
    for place, digit in enumerate(text):
        for name in LIT[int(digit)] if digit.isdigit() else "":
            ends = np.array(ENDS[name], np.float64).reshape(2, 2) * 55
            along = (ends[1] - ends[0]) / 55
            ends += np.outer([apart, -apart], along)
            across = thick / 2 * along[::-1]
            corners = np.array([ends[0] - across, ends[0] + across, ends[1] + across, ends[1] - across])
            corners[:, 0] += slant * (110 - corners[:, 1]) + 40 + space * place
            corners[:, 1] += 45
            cv2.fillPoly(picture, [np.rint(corners * 16).astype(np.int32)], 50, cv2.LINE_AA, 4)
    return picture


def shown_on(picture: np.ndarray) -> list[Shown]:
    _, contrast, _ = levelled(picture, drawing_of(picture))
    ink = None if contrast is None else ink_of(contrast)
    return [] if ink is None else read_display(ink)


def text_of(picture: np.ndarray) -> str:
    return "".join(str(shown.digit) for shown in shown_on(picture))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


@pytest.mark.parametrize("slant", [-0.05, 0.0, 0.1, 0.18])
@pytest.mark.parametrize(("thick", "apart"), [(7, 5), (10, 8), (15, 9)])
def test_all_digits_are_told_however_thick_and_slanted(thick: int, apart: int, slant: float) -> None:
    for text in ("1234567890", "71", "111", "7"):
        assert text_of(display(text, thick=thick, apart=apart, slant=slant)) == text


def test_a_display_is_read_light_on_dark_blurred_in_uneven_light_and_noise(recognizer: Recognizer) -> None:
    picture = display("41790")
    light = np.linspace(0.55, 1.0, picture.shape[1])
    noise = np.random.default_rng(0).normal(0, 3, picture.shape)
    blurred = cv2.GaussianBlur(picture * light, (0, 0), 1.2) + noise
    shaded = np.clip(np.rint(blurred), 0, 255).astype(np.uint8)
    for one in (picture, 255 - picture, shaded, 255 - shaded):
        page = recognizer.read(one)
        assert page.text == "41790"
        assert page.lines[0].accepted


def test_boxes_lie_around_the_digits_also_slanted_ones(recognizer: Recognizer) -> None:
    picture = display("3817", slant=0.1)
    boxes = [digit.box for digit in recognizer.read(picture).digits]
    for place, (x, y, width, height) in enumerate(boxes):
        part = (picture < 125)[:, 30 + 95 * place : 30 + 95 * (place + 1)]
        rows, columns = np.nonzero(part)
        assert x == pytest.approx(30 + 95 * place + columns.min(), abs=4)
        assert x + width == pytest.approx(31 + 95 * place + columns.max(), abs=4)
        assert (y, y + height) == pytest.approx((rows.min(), rows.max() + 1), abs=3)
    assert all(one[0] < other[0] for one, other in pairwise(boxes))


def test_a_space_parts_numbers_and_a_1_does_not(recognizer: Recognizer) -> None:
    assert recognizer.read(display("21 13")).text == "21 13"
    assert recognizer.read(display("21113")).text == "21113"


def test_lines_of_a_display_are_lines(recognizer: Recognizer) -> None:
    picture = np.vstack([display("2048"), display("1171")])
    assert recognizer.read(picture).text.splitlines() == ["2048", "1171"]


def test_dots_between_digits_are_passed_over() -> None:
    picture = display("305")
    cv2.rectangle(picture, (112, 150), (120, 158), 50, -1)
    assert text_of(picture) == "305"


def test_what_is_asked_for_is_asked_of_a_display(recognizer: Recognizer) -> None:
    assert recognizer.read(display("2048"), expect=4).lines[0].accepted
    assert not recognizer.read(display("2048"), expect=5).lines[0].accepted


@pytest.mark.parametrize(
    "bars",
    [
        [(40, 40, 12, 100), (100, 40, 12, 100)],  # 11, written
        [(40, 20, 8, 60), (40, 110, 8, 60), (100, 20, 8, 60), (100, 110, 8, 60)],  # 11, twice
        [(40, 30, 60, 10), (40, 60, 60, 10)],  # an equals sign
        [(40, 20, 12, 80), (40, 110, 12, 14)],  # an exclamation mark
        [(x, 40, 6, 100) for x in range(40, 160, 14)],  # a barcode
        [(40, 40, 10, 100), (50, 40, 50, 10), (50, 85, 40, 10), (50, 130, 50, 10)],  # E
        [(40, 40, 10, 100), (90, 40, 10, 100), (50, 85, 40, 10)],  # H
        [(40, 40, 60, 8), (40, 132, 60, 8), (40, 40, 8, 100), (92, 40, 8, 100)],  # a box to fill in
    ],
)
def test_other_bars_are_no_display(bars: list[tuple[int, int, int, int]]) -> None:
    picture = np.full((200, 200), 230, np.uint8)
    for x, y, width, height in bars:
        picture[y : y + height, x : x + width] = 30
    assert shown_on(picture) == []


def written(picture: np.ndarray, word: str, at: tuple[int, int], size: float = 2.0) -> np.ndarray:
    """The picture with a word in thin letters, whose first one stands there, x and y of its foot."""
    return np.asarray(cv2.putText(picture.copy(), word, at, cv2.FONT_HERSHEY_SIMPLEX, size, 50, 5, cv2.LINE_AA))


def with_room(picture: np.ndarray, *, above: int = 0, below: int = 0, right: int = 0) -> np.ndarray:
    return np.pad(picture, ((above, below), (0, right)), constant_values=200)


def shown_among(picture: np.ndarray) -> str:
    """What stands on displays among the other ink of a page, dark on light."""
    mask = picture < 125
    found = displays_among(PageInk(mask * np.uint8(255), mask, 5.0))
    return "" if found is None else "".join(str(one.digit) for one in found.shown)


@pytest.mark.parametrize("number", ["2048", "7135", "9647"])
@pytest.mark.parametrize("slant", [0.0, 0.12])
def test_a_display_is_read_beside_and_below_a_word(recognizer: Recognizer, number: str, slant: float) -> None:
    picture = display(number, slant=slant)
    beside = written(with_room(picture, right=300), "HOME", (picture.shape[1], 150))
    below = written(with_room(picture, above=80), "Diesel", (40, 70))
    for one in (beside, below, 255 - beside):
        lines = [line for line in recognizer.read(one).lines if line.accepted]
        digits = [digit for line in recognizer.read(one).lines for digit in line.digits if digit.accepted]
        assert "".join(str(digit.digit) for digit in digits) == number
        assert all(line.text == number for line in lines)


def test_a_display_in_a_case_on_a_desk_is_read(recognizer: Recognizer) -> None:
    number = "3614"
    case = np.pad(display(number), 4, constant_values=110)
    case = np.pad(np.pad(case, 60, constant_values=232), 50, constant_values=70).astype(np.float64)
    noise = np.random.default_rng(0).normal(0, 2, case.shape)
    picture = np.clip(np.rint(cv2.GaussianBlur(case, (0, 0), 0.8) + noise), 0, 255).astype(np.uint8)
    page = recognizer.read(picture)
    assert page.text == number
    assert page.lines[0].accepted


def test_displays_of_two_sizes_and_what_is_printed_between_them_are_read(recognizer: Recognizer) -> None:
    small = cv2.resize(display("1053"), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    large = np.hstack([display("89"), display("  "), display("18")])
    room = np.full((100, large.shape[1]), 200, np.uint8)
    small = np.pad(small, ((0, 0), (0, large.shape[1] - small.shape[1])), constant_values=200)
    page = recognizer.read(np.vstack([small, written(room, "GUEST 2637", (40, 70)), large]))
    assert page.text.splitlines() == ["1053", "2637", "89 18"]
    assert all(digit.accepted for digit in page.digits)


def test_boxes_lie_around_digits_of_a_display_that_is_askew_in_a_large_picture() -> None:
    picture = written(with_room(display("3827"), above=400, right=800), "HOME", (40, 300))
    matrix = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), 2.5, 1.0)
    turned = cv2.warpAffine(picture, matrix, picture.shape[::-1], borderValue=200)
    mask = np.asarray(turned < 125)
    found = displays_among(PageInk(mask * np.uint8(255), mask, 8.0))
    assert found is not None
    assert [one.digit for one in found.shown] == [3, 8, 2, 7]
    left = np.array([[40 + 95 * place, 445] for place in range(4)], np.float64)
    corners = left @ matrix[:, :2].T + matrix[:, 2]
    for one, (x, y) in zip(found.shown, corners, strict=True):
        middle = x + 27, y + 55
        assert one.box[0] - 4 < middle[0] < one.box[0] + one.box[2] + 4
        assert abs(one.box[1] + one.box[3] / 2 - middle[1]) < 8
        assert found.covered[one.box[1] + 1 : one.box[1] + one.box[3], one.box[0] : one.box[0] + one.box[2]].all()


def test_a_bar_in_the_middle_of_a_frame_of_bars_is_no_display() -> None:
    picture = np.full((160, 120), 230, np.uint8)
    cv2.rectangle(picture, (24, 24), (75, 115), 30, 8)
    picture[30:110, 42:58] = 30
    assert shown_among(picture) == ""


@pytest.mark.parametrize("number", ["8012", "5912"])
def test_a_display_beside_a_unit_is_not_turned_upside_down(recognizer: Recognizer, number: str) -> None:
    picture = display(number, slant=0.1)
    page = recognizer.read(written(with_room(picture, right=300), "kWh Tarif", (picture.shape[1] - 30, 150), 1.2))
    assert page.turned == 0
    assert "".join(str(digit.digit) for digit in page.digits if digit.accepted) == number


def test_a_row_is_not_read_in_part_where_one_of_its_bars_is_lost() -> None:
    whole = written(with_room(display("8888", thick=12, apart=8), right=300), "HOME", (480, 150))
    assert shown_among(whole) == "8888"
    for place in range(4):  # without its lowest bar it is an A
        picture = whole.copy()
        picture[144:168, 40 + 95 * place : 96 + 95 * place] = 200
        assert shown_among(picture) == ""


@pytest.mark.parametrize("word", ["HELLO", "LIFE", "SIZE 10", "TILE 1", "111 11"])
def test_words_and_1s_are_no_displays(word: str) -> None:
    for font in (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX):
        page = np.full((400, 700), 220, np.uint8)
        cv2.putText(page, word, (40, 150), font, 3.5, 30, 12, cv2.LINE_AA)
        cv2.putText(page, "in words", (40, 300), font, 1.5, 30, 4, cv2.LINE_AA)
        assert shown_among(page) == ""


def test_boxes_of_a_form_are_no_display() -> None:
    page = written(np.full((300, 900), 220, np.uint8), "Postcode", (40, 80))
    for x in range(60, 660, 90):
        cv2.rectangle(page, (x, 120), (x + 60, 210), 40, 5)
    assert shown_among(page) == ""
    assert shown_among(np.where(page < 125, 40, 220)) == ""


def test_a_lone_1_and_a_lone_digit_of_few_bars_are_left_to_others() -> None:
    for number, read in (("1", ""), ("7", ""), ("5", "5"), ("8", "8")):
        picture = with_room(display(number, apart=8), above=80, right=200)
        assert shown_among(written(picture, "HOME", (40, 70))) == read


def test_print_with_round_corners_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Image.new("L", (400, 180), 250)
    ImageDraw.Draw(page).text((40, 30), "08", font=ImageFont.load_default(80), fill=20)
    print_of_it = np.array(page)
    assert shown_on(print_of_it) == []
    assert text_of(display("086", thick=15, apart=4)) == "086"
    monkeypatch.setattr("digit_recognizer.pictures.displays.display._ROUND", 1.0)
    assert text_of(print_of_it) == "08"


def test_lit_displays_in_a_dark_panel_are_read_of_the_ink_that_is_seen(recognizer: Recognizer) -> None:
    small = [cv2.resize(display(number), None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA) for number in PUMP]
    panel = np.vstack([np.pad(one, ((40, 40), (60, 120)), constant_values=70) for one in small]).astype(np.float64)
    panel *= np.linspace(1, 0.65, panel.shape[1])
    noise = np.random.default_rng(0).normal(0, 2, panel.shape)
    page = recognizer.read(np.clip(np.rint(cv2.GaussianBlur(panel, (0, 0), 1.0) + noise), 0, 255).astype(np.uint8))
    assert [(line.text, line.accepted) for line in page.lines] == [(number, True) for number in PUMP]
