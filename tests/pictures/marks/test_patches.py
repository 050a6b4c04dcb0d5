"""What stands on a dark column, a button or a wheel is read like all else; digits are never taken for such patches."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.patches import PATCH, _Patch, _turn, patches_removed
from digit_recognizer.recognizer import Recognizer

FONT = cv2.FONT_HERSHEY_SIMPLEX


def written(page: np.ndarray, text: str, place: tuple[int, int], level: int, size: float = 1.2, pen: int = 3) -> None:
    cv2.putText(page, text, place, FONT, size, level, pen, cv2.LINE_AA)


def wheels(number: str, frame: int = 120, paper: int = 200) -> np.ndarray:
    page = np.full((200, 90 * len(number) + 100), paper, np.uint8)
    page[50:150, 40 : 60 + 90 * len(number)] = frame
    for place, digit in enumerate(number):
        page[60:140, 50 + 90 * place : 130 + 90 * place] = 20
        written(page, digit, (68 + 90 * place, 124), 230, 2.2, 5)
    return page


def test_light_digits_in_the_cells_of_a_meter_become_dark_ones_on_its_paper() -> None:
    plain, bare = patches_removed(wheels("40719"))
    assert bare == ()
    assert abs(int(plain[70, 60]) - 200) <= 40
    assert np.count_nonzero(plain < 100) > 500


@pytest.mark.parametrize("number", ["40719", "222", "860312"])
def test_a_meter_is_read(number: str) -> None:
    assert [line.text for line in Recognizer(threads=1).read(wheels(number)).lines] == [number]


def test_light_hours_in_a_dark_column_are_read_with_the_minutes_beside_them() -> None:
    page = np.full((330, 360), 235, np.uint8)
    page[20:310, 20:100] = 50
    for row, (hour, minute) in enumerate([("15", "28"), ("26", "43"), ("37", "52"), ("48", "36")]):
        written(page, hour, (36, 70 + 70 * row), 240)
        written(page, minute, (180, 70 + 70 * row), 30)
    assert [line.text for line in Recognizer(threads=1).read(page).lines] == ["15 28", "26 43", "37 52", "48 36"]


@pytest.mark.parametrize(("ground", "key", "mark"), [(0, 70, 250), (255, 210, 20)])
def test_the_keys_of_a_calculator_are_read(ground: int, key: int, mark: int) -> None:
    page = np.full((420, 420), ground, np.uint8)
    for row, digits in enumerate(("789", "456", "123")):
        for column, digit in enumerate(digits):
            cv2.circle(page, (80 + 130 * column, 80 + 130 * row), 50, key, -1, cv2.LINE_AA)
            written(page, digit, (66 + 130 * column, 96 + 130 * row), mark, 1.4)
    found = [line.text for line in Recognizer(threads=1).read(page).lines]
    assert found == ["7 8 9", "4 5 6", "1 2 3"]


def test_a_disc_beside_numbers_is_told_and_takes_none_of_them_along() -> None:
    page = np.full((260, 460), 255, np.uint8)
    for row in range(2):
        cv2.circle(page, (70, 70 + 120 * row), 45, 130, -1, cv2.LINE_AA)
        written(page, "4815", (150, 60 + 120 * row), 20)
        written(page, "2367", (150, 104 + 120 * row), 20)
    found = Recognizer(threads=1).read(page)
    assert [line.text for line in found.lines] == ["4815", "2367", "4815", "2367"]
    assert [rejected.reason for rejected in found.rejected].count(PATCH) == 2


@pytest.mark.parametrize("text", ["0", "8", "88", "606", "08689"])
@pytest.mark.parametrize("pen", [6, 14, 22])
def test_digits_however_thick_are_no_patches(text: str, pen: int) -> None:
    page = np.full((220, 130 * len(text) + 80), 255, np.uint8)
    cv2.putText(page, text, (40, 160), FONT, 5, 0, pen, cv2.LINE_AA)
    assert patches_removed(page)[0] is page


def test_rings_boxes_tables_and_filled_shapes_alone_are_no_patches() -> None:
    ring, table, disc = (np.full((300, 300), 250, np.uint8) for _ in range(3))
    cv2.circle(ring, (150, 150), 100, 30, 5)
    written(ring, "47", (105, 170), 20, 2)
    for place in range(20, 300, 65):
        table[place : place + 3, 20:282] = table[20:282, place : place + 3] = 30
        written(table, "52", (28, place + 45), 20, 1)
    cv2.circle(disc, (150, 150), 60, 30, -1)
    for page in (ring, table, disc):
        assert patches_removed(page)[0] is page


@pytest.mark.parametrize("edge", ["left", "top", "right", "bottom", "none"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_patch_at_the_edge_of_a_picture_is_turned_as_within_a_larger_one(edge: str, scale: float) -> None:
    disc = np.zeros((30, 40), np.uint8)
    cv2.ellipse(disc, (20, 15), (19, 14), 0, 0, 360, 1, -1)
    part = {"left": np.s_[:, 12:], "top": np.s_[9:], "right": np.s_[:, :28], "bottom": np.s_[:21], "none": np.s_[:]}
    mask = disc[part[edge]]
    height, width = mask.shape
    x, y = 0 if edge == "left" else 6, 0 if edge == "top" else 6
    rows = y + height + (0 if edge == "bottom" else 6)
    columns = x + width + (0 if edge == "right" else 6)
    patch = _Patch((x, y, width, height), mask, 60.0, 200.0, (), True)
    times = round(1 / scale)
    grey = np.random.default_rng(0).integers(0, 256, (times * rows, times * columns), np.uint8)
    larger = np.pad(grey, 8 * times)
    _turn(larger, replace(patch, box=(x + 8, y + 8, width, height)), scale)
    _turn(grey, patch, scale)
    assert np.array_equal(grey, larger[8 * times : -8 * times, 8 * times : -8 * times])


def test_a_picture_without_anything_on_it_stays_the_same() -> None:
    for shape in ((1, 1), (8, 300), (200, 200)):
        page = np.full(shape, 90, np.uint8)
        assert patches_removed(page)[0] is page
