"""Drawings with a thick pen are made smaller before they are read; all else keeps its pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.coarseness import drawing_of, has_even_ground, is_of_strokes, longest_needed
from digit_recognizer.pictures.marks.page_ink import levelled
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import LONGEST, ink_of
from tests.pictures.test_page import answer, page_of


def bar(width: int, ground: int = 255, mark: int = 0) -> np.ndarray:
    picture = np.full((280, 280), ground, np.uint8)
    picture[40:240, 100 : 100 + width] = mark
    return picture


@pytest.mark.parametrize(("ground", "mark"), [(255, 0), (0, 255), (200, 40)])
def test_the_thinnest_stroke_keeps_seven_pixels(ground: int, mark: int) -> None:
    assert longest_needed(drawing_of(bar(14, ground, mark))) == pytest.approx(280 * 7 / 14, rel=0.15)
    assert longest_needed(drawing_of(bar(28, ground, mark))) == 112
    assert longest_needed(drawing_of(bar(5, ground, mark))) == LONGEST


def test_one_thin_line_beside_a_thick_one_keeps_every_pixel() -> None:
    picture = bar(28)
    picture[60:200, 200:203] = 0
    assert longest_needed(drawing_of(picture)) == LONGEST


def test_photos_shades_and_blank_pictures_keep_every_pixel() -> None:
    shade = np.tile(np.linspace(0, 255, 280).astype(np.uint8), (280, 1))
    for picture in (shade, np.full((280, 280), 255, np.uint8), np.zeros((9, 9), np.uint8), bar(28).repeat(3, axis=1)):
        assert longest_needed(drawing_of(picture)) == LONGEST


def test_a_drawing_is_read_in_pixels_of_its_own() -> None:
    grey = np.where(page_of(["52"], 160) > 0.5, 0, 255).astype(np.uint8)
    assert longest_needed(drawing_of(grey)) < max(grey.shape)
    (line,) = read_page(grey, answer).lines
    assert line.text == "52"
    rows, columns = np.flatnonzero((grey < 128).any(1)), np.flatnonzero((grey < 128).any(0))
    x, y, width, height = line.box
    found, drawn = [x, y, x + width, y + height], [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert np.abs(np.array(found) - np.array(drawn)).max() <= 5


def test_a_page_set_on_a_screen_is_no_photo_and_one_in_uneven_light_is() -> None:
    """Small print has more soft edges than a drawing in two levels; its ground is of one level all the same."""
    page = np.full((120, 400), 240, np.uint8)
    page[20:100:12, 20:380] = 60
    page[21:100:12, 20:380] = 150
    page[19:100:12, 20:380] = 150
    assert has_even_ground(page)
    light = np.linspace(1, 0.7, 400, dtype=np.float32)
    assert not has_even_ground((page * light).astype(np.uint8))
    grain = np.random.default_rng(0).normal(0, 6, page.shape)
    assert not has_even_ground(np.clip(page + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("side", "drawn"), [(60, True), (240, False)])
def test_soft_edges_make_no_photo_of_a_small_drawing(side: int, drawn: bool) -> None:
    picture = np.full((side, 300), 240, np.uint8)
    for x in range(20, 280, 18):
        cv2.line(picture, (x, 10), (x + 6, side - 10), 60, 4)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7)
    found = drawing_of(picture)
    assert (found is not None and found.is_flat, is_of_strokes(found)) == (drawn, drawn)
    noise = np.random.default_rng(0).normal(0, 6, picture.shape)
    found = drawing_of(np.clip(picture + noise, 0, 255).astype(np.uint8))
    assert found is None or not found.is_flat


@pytest.mark.parametrize("pen", [30, 40, 50])
def test_strokes_are_strokes_however_thick_the_pen(pen: int) -> None:
    picture = np.full((280, 280), 255, np.uint8)
    cv2.polylines(picture, [np.array([(80, 70), (200, 70), (120, 140), (200, 210), (80, 210)])], False, 0, pen)
    assert is_of_strokes(drawing_of(picture))
    contrast = levelled(picture, drawing_of(picture))[1]
    assert contrast is not None
    ink = ink_of(contrast)
    assert ink is not None
    small = cv2.resize(picture, ink.mask.shape[::-1], interpolation=cv2.INTER_AREA)
    assert ink.mask[small < 100].all()


@pytest.mark.parametrize("size", [150, 180])
def test_a_panel_with_a_light_digit_on_it_is_no_stroke(size: int) -> None:
    picture = np.full((280, 280), 255, np.uint8)
    picture[20 : 20 + size, 30 : 30 + size] = 0
    cv2.circle(picture, (30 + size // 4, 20 + size // 4), size // 8, 255, size // 20)
    assert not is_of_strokes(drawing_of(picture))
