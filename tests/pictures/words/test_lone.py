"""Ink that is one digit as a whole: two loops above each other, and strokes as straight as printed lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.lone import lone_digit
from digit_recognizer.recognizer import Recognizer

Grey = np.ndarray


def ink_with(*boxes: tuple[int, int, int, int]) -> PageInk:
    mask = np.zeros((200, 200), np.bool_)
    for x, y, width, height in boxes:
        mask[y : y + height, x : x + width] = True
    return PageInk(np.where(mask, 255, 0).astype(np.uint8), mask, 8.0)


def loops(gap: int) -> Grey:
    """An 8 whose loops do not meet, drawn with a pen of 8 pixels."""
    paper = np.full((330, 270), 255, np.uint8)
    cv2.ellipse(paper, (130, 78), (60, 40), 0, 0, 360, 0, 8, cv2.LINE_AA)
    cv2.ellipse(paper, (130, 78 + 40 + 8 + gap + 70), (68, 70), 0, 0, 360, 0, 8, cv2.LINE_AA)
    return paper


def straight_four() -> Grey:
    """A 4 of long straight strokes that fill the picture."""
    paper = np.full((450, 250), 255, np.uint8)
    points = np.array([(62, 36), (46, 160), (60, 240), (214, 240)], np.int32)
    cv2.polylines(paper, [points], False, 0, 8, cv2.LINE_AA)
    cv2.line(paper, (170, 140), (162, 412), 0, 8, cv2.LINE_AA)
    return paper


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


def test_one_mark_and_a_little_dirt_is_a_digit_and_its_box_leaves_the_dirt_out() -> None:
    found = lone_digit(ink_with((40, 30, 50, 120), (150, 5, 6, 6)))
    assert found is not None
    frame, box = found
    assert box == (40, 30, 50, 120)
    assert frame.shape == (28, 28)
    assert frame.any()


def test_three_pieces_are_one_wherever_they_lie_and_four_are_not() -> None:
    pieces = (20, 60, 40, 60), (70, 20, 60, 30), (90, 100, 50, 50), (150, 150, 30, 30)
    assert lone_digit(ink_with(*pieces[:3])) is None
    found = lone_digit(ink_with(*pieces[:3]), in_pieces=True)
    assert found is not None
    assert found[1] == (20, 20, 120, 130)
    assert lone_digit(ink_with(*pieces), in_pieces=True) is None


@pytest.mark.parametrize(
    ("boxes", "is_one"),
    [
        ([(60, 20, 60, 60), (50, 84, 70, 80)], True),  # close above each other
        ([(60, 20, 60, 60), (50, 100, 70, 80)], False),  # two lines
        ([(20, 20, 50, 80), (74, 20, 50, 80)], False),  # side by side
        ([(60, 20, 60, 40), (60, 62, 60, 40), (60, 104, 60, 40)], False),
        ([], False),
    ],
)
def test_two_marks_are_one_digit_where_one_lies_close_above_the_other(
    boxes: list[tuple[int, int, int, int]], is_one: bool
) -> None:
    assert (lone_digit(ink_with(*boxes)) is not None) == is_one


def test_an_8_whose_loops_do_not_meet_is_no_pair_of_0s(recognizer: Recognizer) -> None:
    assert recognizer.read(loops(4)).text == "8"
    assert recognizer.read(loops(60)).text == "0\n0"


def test_a_4_of_straight_strokes_is_no_ruling(recognizer: Recognizer) -> None:
    page = recognizer.read(straight_four())
    assert page.text == "4"
    x, y, width, height = page.digits[0].box
    assert x == pytest.approx(42, abs=4)
    assert y == pytest.approx(32, abs=4)
    assert width == pytest.approx(176, abs=8)
    assert height == pytest.approx(384, abs=8)


def test_where_nothing_is_sure_what_was_read_in_parts_stands() -> None:
    def doubtful(frames: Grey) -> tuple[Grey, Grey]:
        rows = np.full((len(frames), 10), 0.02, np.float32)
        rows[:, 0] = 0.8
        return rows, np.full(len(frames), 0.02, np.float32)

    assert len(read_page(loops(4), doubtful).lines) == 2


@pytest.mark.parametrize(("room", "pen"), [(12, 20), (17, 17), (16, 30), (40, 30)])
def test_a_1_that_fills_the_picture_cut_out_around_it_is_read(recognizer: Recognizer, room: int, pen: int) -> None:
    paper = np.full((210 + 2 * room, pen + 2 * room), 255, np.uint8)
    paper[room:-room, room:-room] = 20
    page = recognizer.read(paper)
    assert page.text == "1"
    x, y, width, height = page.digits[0].box
    assert (x, y, width, height) == pytest.approx((room, room, pen, 210), abs=4)
