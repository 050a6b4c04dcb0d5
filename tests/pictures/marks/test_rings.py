"""Rings and boxes around numbers are no digits, and what lies in the loops of a 0 makes no ring of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.lines import find_lines, join_broken
from digit_recognizer.pictures.marks.page_ink import marks_of
from digit_recognizer.pictures.marks.rings import RING, find_rings, hanging_on, ink_of_rings
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.lone import lone_digit
from digit_recognizer.recognizer import Recognizer

Grey = np.ndarray


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


def paper() -> Grey:
    return np.full((400, 400), 255, np.uint8)


def four(picture: Grey, x: int, y: int) -> None:
    points = np.array([(x + 34, y), (x, y + 52), (x + 52, y + 52)], np.int32)
    cv2.polylines(picture, [points], False, 0, 8, cv2.LINE_AA)
    cv2.line(picture, (x + 38, y + 24), (x + 38, y + 86), 0, 8, cv2.LINE_AA)


def seven(picture: Grey, x: int, y: int) -> None:
    points = np.array([(x, y), (x + 46, y), (x + 18, y + 84)], np.int32)
    cv2.polylines(picture, [points], False, 0, 8, cv2.LINE_AA)


def ink_of(picture: Grey) -> PageInk:
    return PageInk(255 - picture, picture < 128, 8.0)


def rings_in(picture: Grey) -> int:
    return len(find_rings(*marks_of(ink_of(picture))[:2]))


def zero(picture: Grey) -> None:
    cv2.ellipse(picture, (200, 200), (60, 100), 0, 0, 360, 0, 10, cv2.LINE_AA)


@pytest.mark.parametrize("end", [360, 335])
def test_a_number_in_a_ring_is_read_and_the_ring_told_closed_or_not(recognizer: Recognizer, end: int) -> None:
    picture = paper()
    four(picture, 130, 160)
    seven(picture, 220, 160)
    cv2.ellipse(picture, (198, 200), (130, 120), 0, 0, end, 0, 7, cv2.LINE_AA)
    page = recognizer.read(picture)
    assert page.text == "47"
    (ring,) = page.rejected
    assert ring.reason == RING
    assert np.allclose(ring.box, (65, 77, 267, 247), atol=4)


def test_a_single_digit_in_a_ring_is_no_0(recognizer: Recognizer) -> None:
    picture = paper()
    seven(picture, 175, 160)
    cv2.circle(picture, (198, 200), 130, 0, 8, cv2.LINE_AA)
    assert recognizer.read(picture).text == "7"


def test_a_digit_in_a_box_is_read_without_it() -> None:
    picture = paper()
    four(picture, 170, 160)
    cv2.rectangle(picture, (130, 130), (270, 280), 0, 6)
    assert rings_in(picture) == 1


@pytest.mark.parametrize(("height", "rings"), [(100, 0), (70, 1)])
def test_a_0_with_a_stroke_in_it_is_known_by_the_digit_beside_it(height: int, rings: int) -> None:
    picture = paper()
    cv2.ellipse(picture, (120, 200), (55, 50), 0, 0, 360, 0, 8, cv2.LINE_AA)
    cv2.line(picture, (100, 225), (135, 175), 0, 8, cv2.LINE_AA)
    assert rings_in(picture) == 1
    cv2.line(picture, (220, 200 - height // 2), (210, 200 + height // 2), 0, 8, cv2.LINE_AA)
    assert rings_in(picture) == rings


def test_rings_in_a_row_stay_rings() -> None:
    picture = paper()
    for x in (90, 220):
        cv2.circle(picture, (x, 200), 50, 0, 6, cv2.LINE_AA)
        cv2.line(picture, (x + 4, 178), (x - 4, 222), 0, 8, cv2.LINE_AA)
    assert rings_in(picture) == 2


@pytest.mark.parametrize("radius", [4, 9, 24])
def test_a_speck_or_a_dot_makes_no_ring_of_a_0(radius: int) -> None:
    picture = paper()
    zero(picture)
    cv2.circle(picture, (205, 190), radius, 0, -1, cv2.LINE_AA)
    assert rings_in(picture) == 0


def test_a_bar_makes_no_ring_of_a_narrow_0_and_is_a_1_in_a_round_ring() -> None:
    narrow, round_ring = paper(), paper()
    zero(narrow)
    cv2.circle(round_ring, (200, 200), 100, 0, 10, cv2.LINE_AA)
    for picture in (narrow, round_ring):
        cv2.line(picture, (208, 160), (194, 240), 0, 9, cv2.LINE_AA)
    assert rings_in(narrow) == 0
    assert rings_in(round_ring) == 1


@pytest.mark.parametrize(("height", "rings"), [(24, 1), (5, 0)])
def test_several_low_marks_in_it_make_a_clock_of_a_0_and_dirt_does_not(height: int, rings: int) -> None:
    picture = paper()
    cv2.circle(picture, (200, 200), 150, 0, 10, cv2.LINE_AA)
    for x, y in ((200, 90), (300, 190), (200, 290), (100, 190), (140, 120)):
        cv2.line(picture, (x, y), (x, y + height), 0, 4)
    assert rings_in(picture) == rings


def test_a_7_is_no_ring_around_what_stands_below_its_bar() -> None:
    picture = paper()
    cv2.polylines(picture, [np.array([(80, 60), (300, 60), (240, 340)], np.int32)], False, 0, 10, cv2.LINE_AA)
    four(picture, 110, 150)
    assert rings_in(picture) == 0


def test_marks_left_out_are_in_no_line() -> None:
    boxes = np.array([[0, 0, 90, 80], [20, 20, 20, 40], [50, 20, 20, 40]])
    assert find_lines(boxes, [0]) == [[1, 2]]


def test_a_digit_far_smaller_than_its_ring_is_not_joined_to_it() -> None:
    assert join_broken(np.array([[0, 0, 328, 328], [30, 120, 64, 80]])) == [[0], [1]]


def test_a_broken_digit_in_a_ring_is_joined_with_itself() -> None:
    assert join_broken(np.array([[0, 0, 328, 328], [130, 120, 60, 38], [130, 159, 60, 41]])) == [[0], [1, 2]]


def test_a_digit_in_a_ring_is_no_lone_digit() -> None:
    picture = paper()
    four(picture, 170, 160)
    cv2.circle(picture, (198, 200), 130, 0, 8)
    assert lone_digit(ink_of(picture)) is None


@pytest.mark.parametrize("angle", [0, 8])
def test_a_flat_ring_is_no_pair_of_printed_lines(recognizer: Recognizer, angle: int) -> None:
    picture = np.full((220, 420), 255, np.uint8)
    four(picture, 130, 70)
    seven(picture, 230, 70)
    cv2.ellipse(picture, (206, 112), (160, 75), angle, 0, 360, 0, 5, cv2.LINE_AA)
    light = np.linspace(0.7, 1.0, 420)
    for shown in (picture, np.rint(picture * light).astype(np.uint8)):
        page = recognizer.read(shown)
        assert page.text == "47"
        assert [found.reason for found in page.rejected].count(RING) == 1


def test_boxes_and_tables_are_no_drawn_rings() -> None:
    box, table, turned = paper(), paper(), paper()
    for picture in (box, table, turned):
        four(picture, 170, 160)
    cv2.rectangle(box, (130, 130), (270, 280), 0, 6)
    cv2.rectangle(table, (20, 130), (380, 280), 0, 6)
    for x in (140, 260):
        cv2.line(table, (x, 130), (x, 280), 0, 6)
    corners = cv2.boxPoints(((196, 204), (200, 190), 20.0))
    cv2.polylines(turned, [np.rint(corners).astype(np.int32)], True, 0, 6, cv2.LINE_AA)
    assert [ink_of_rings(ink_of(picture)) for picture in (box, table, turned)] == [None, None, None]


def test_a_0_is_no_drawn_ring_whatever_stands_beside_it() -> None:
    picture = paper()
    zero(picture)
    seven(picture, 300, 160)
    cv2.circle(picture, (205, 190), 9, 0, -1, cv2.LINE_AA)
    assert ink_of_rings(ink_of(picture)) is None


def test_a_drawn_ring_is_all_of_its_ink_and_nothing_else() -> None:
    picture = np.full((220, 420), 255, np.uint8)
    cv2.ellipse(picture, (206, 112), (160, 75), 0, 0, 360, 0, 5, cv2.LINE_AA)
    ring = picture < 128
    four(picture, 130, 70)
    found = ink_of_rings(ink_of(picture))
    assert found is not None
    assert np.array_equal(found.mask, ring)


@pytest.mark.parametrize("sides", [(110, 110), (105, 115)])
def test_what_hangs_on_a_ring_is_told_from_the_ring(sides: tuple[int, int]) -> None:
    picture = paper()
    cv2.ellipse(picture, (230, 200), sides, 0, 0, 360, 0, 6, cv2.LINE_AA)
    seven(picture, 215, 170)
    labels, boxes, _ = marks_of(ink_of(picture))
    (ring,) = find_rings(labels, boxes)
    assert hanging_on(labels, boxes, ring) == []
    left = 230 - sides[0]
    four(picture, left - 26, 160)
    labels, boxes, _ = marks_of(ink_of(picture))
    (ring,) = find_rings(labels, boxes)
    hanging = hanging_on(labels, boxes, ring)
    assert hanging
    assert all(abs(x + width / 2 - left) < 45 and y > 150 and y + height < 260 for x, y, width, height in hanging)
    assert max(height for _, _, _, height in hanging) >= 40


def test_a_number_that_runs_into_a_ring_is_not_accepted(recognizer: Recognizer) -> None:
    free, touched = paper(), paper()
    for picture in (free, touched):
        cv2.circle(picture, (290, 190), 90, 0, 6, cv2.LINE_AA)
        seven(picture, 280, 160)
        four(picture, 20, 160)
        seven(picture, 100, 160)
    four(touched, 172, 160)
    read = recognizer.read(free)
    assert [line.text for line in read.lines] == ["47 7"]
    assert all(digit.accepted for digit in read.digits)
    hidden = recognizer.read(touched)
    assert not any(digit.accepted for digit in hidden.digits if digit.box[0] < 190)
