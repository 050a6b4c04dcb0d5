"""Decimal numbers: a point, a comma and a leading minus are told by shape and place, where they are asked for."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.words.signs import are_thousands, find_colons, find_signs
from digit_recognizer.pictures.words.words import uncut_words
from digit_recognizer.reading import Box
from digit_recognizer.recognizer import Recognizer
from tests.pictures.test_page import answer, on_paper, sprite

HEIGHT = 40


def number_of(text: str) -> npt.NDArray[np.uint8]:
    """A number written with signs, on paper: uint8 (H, W)."""
    ink = np.zeros((90, 60 + 40 * len(text)), np.float32)
    x = 20
    for place, letter in enumerate(text):
        if letter == "-":
            ink[38:42, x : x + 18] = 1
            x += 30
        elif letter == ":":
            for y in (36, 54):
                cv2.circle(ink, (x + 2, y), 3, 1, -1)
            x += 14
        elif letter in ",.":
            cv2.circle(ink, (x + 1, 57), 2, 1, -1)
            if letter == ",":
                cv2.line(ink, (x + 2, 58), (x - 1, 66), 1, 3)
            x += 10
        else:
            digit = sprite(int(letter), HEIGHT, seed=place)
            ink[20 : 20 + HEIGHT, x : x + digit.shape[1]] = digit
            x += digit.shape[1] + 8
    return on_paper(ink)


@pytest.mark.parametrize("text", ["12,90", "3.25", "-47", "-8,05", "604"])
def test_decimal_numbers_are_read_with_their_signs(text: str) -> None:
    page = read_page(number_of(text), answer, parse_expectation(numbers="decimal"))
    assert page.text == text


@pytest.mark.parametrize("text", ["12,90", "3.25", "-47"])
def test_where_digits_alone_are_asked_for_signs_are_left_out(text: str) -> None:
    page = read_page(number_of(text), answer)
    assert "".join(page.text.split()) == text.translate({ord(sign): None for sign in ",.-"})


@pytest.mark.parametrize(("tall", "found"), [(8, {2: ","}), (11, {2: ","}), (13, {})])
def test_a_comma_may_be_half_as_tall_as_digits_where_it_hangs(tall: int, found: dict[int, str]) -> None:
    boxes = np.array([[0, 0, 12, 20], [20, 0, 12, 20], [36, 16, 5, tall], [48, 0, 12, 20]])
    assert find_signs(boxes, [0, 1, 2, 3], 20.0) == found
    boxes[2, 1] = 22 - tall
    assert find_signs(boxes, [0, 1, 2, 3], 20.0) == ({2: "."} if tall == 8 else {})


@pytest.mark.parametrize(
    ("seven", "comma", "is_point"),
    [
        ((20, 0, 14, 20), (29, 16, 4, 10), True),  # in italics, below the bar of the 7
        ((20, 0, 14, 15), (29, 16, 4, 10), False),  # the rest of its broken stem
        ((20, 0, 14, 20), (33, 17, 4, 4), True),
        ((20, 0, 14, 20), (29, 17, 4, 4), False),
    ],
)
def test_a_comma_may_hang_below_a_whole_digit(seven: Box, comma: Box, is_point: bool) -> None:
    boxes = np.array([(0, 0, 12, 20), seven, comma, (38, 0, 12, 20)])
    labels = np.zeros((40, 60), np.int32)
    for mark, (x, y, width, tall) in enumerate(boxes.tolist(), 1):
        labels[y : y + tall, x : x + width] = mark
    line = [0, 1, 2, 3]
    (word,) = uncut_words(labels, boxes, [line], [[0] * 4], parse_expectation())
    assert [sign for _, sign in word.signs] == [""] * is_point


@pytest.mark.parametrize(("text", "read"), [("12.5", "125"), ("3,75", "375"), ("407", "407")])
def test_where_nobody_asks_for_decimals_points_are_no_part_of_a_digit(text: str, read: str) -> None:
    page = read_page(number_of(text), answer)
    assert page.text == read
    sides = [one.box[2:] for one in page.digits]
    assert np.abs(np.subtract(sides, [one.box[2:] for one in read_page(number_of(read), answer).digits])).max() <= 2


@pytest.mark.parametrize(
    ("places", "digits", "wanted"),
    [
        ([10.0], 4, True),  # 1,234
        ([30.0], 6, True),  # 123,456
        ([10.0, 40.0], 7, True),  # 1,234,567
        ([20.0], 4, False),  # 19.99
        ([40.0], 7, False),  # 1234,567
        ([10.0], 2, False),  # 7.5
        ([10.0, 40.0], 6, False),  # 1.234,56
    ],
)
def test_thousands_are_groups_of_three(places: list[float], digits: int, wanted: bool) -> None:
    assert are_thousands(places, [10.0 * place + 1 for place in range(digits)]) == wanted


def test_a_point_at_the_end_of_a_sentence_is_no_part_of_its_number() -> None:
    page = Image.new("L", (500, 160), 250)
    ImageDraw.Draw(page).text((40, 40), "592 017.", font=ImageFont.load_default(64), fill=20)
    for numbers in ("digits", "decimal"):
        (line,) = Recognizer(threads=1).read(np.array(page), numbers=numbers).lines
        assert (line.text, line.accepted) == ("592 017", True)


@pytest.mark.parametrize(("text", "read"), [("12:30", "12 30"), ("9:05", "9 05"), ("07:41:52", "07 41 52")])
def test_colons_part_numbers_as_slashes_do(text: str, read: str) -> None:
    page = read_page(number_of(text), answer)
    assert page.text == read
    assert all(digit.accepted for line in page.lines for digit in line.digits)


def test_a_number_of_which_a_length_is_known_may_have_a_colon_in_it() -> None:
    assert read_page(number_of("12:30"), answer, parse_expectation("4")).text == "1230"
    assert read_page(number_of("23:40"), answer, parse_expectation("2")).text == "23 40"


@pytest.mark.parametrize(
    ("dots", "is_colon"),
    [
        ([(24, 12, 4, 4), (24, 30, 4, 4)], True),
        ([(24, 12, 4, 4), (21, 30, 4, 4)], True),  # of italics
        ([(24, 12, 4, 4), (34, 30, 4, 4)], False),  # one is above nothing
        ([(24, 12, 4, 4), (24, 30, 9, 9)], False),  # not alike
        ([(24, 12, 4, 4), (24, 17, 4, 4)], False),  # hardly apart
        ([(24, 2, 4, 4), (24, 15, 4, 4)], False),  # too high
        ([(24, 30, 4, 4)], False),
    ],
)
def test_a_colon_is_two_dots_one_above_the_other(dots: list[Box], is_colon: bool) -> None:
    boxes = np.array([(0, 0, 20, 40), (34 + 6, 0, 20, 40), *dots], np.int64)
    line = sorted(range(len(boxes)), key=lambda mark: boxes[mark, 0])
    assert find_colons(boxes, line, 40.0) == ([(2, 3)] if is_colon else [])


def test_two_dots_with_digits_far_away_or_on_one_side_alone_are_no_colon() -> None:
    dots = [(24, 12, 4, 4), (24, 30, 4, 4)]
    far = np.array([(0, 0, 20, 40), (99, 0, 20, 40), *dots], np.int64)
    assert find_colons(far, [0, 2, 3, 1], 40.0) == []
    assert find_colons(far[[0, 2, 3]], [0, 1, 2], 40.0) == []
