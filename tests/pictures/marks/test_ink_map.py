"""Ink maps: sizes, scales and what becomes of them; the reader asks for one where the picture is no plain drawing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.ink_map import ink_map, ink_of_map
from digit_recognizer.pictures.page import read_page


class Remembers:
    """Finds what is darker than its mean, and remembers the sizes that it was shown."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        self.shapes.append(grey.shape)
        return (grey < 100).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "thickness", "shown"),
    [
        ((60, 90), 3.0, (60, 90)),  # as it is
        ((300, 600), 24.0, (75, 150)),  # thick strokes: smaller
        ((1600, 2400), 3.0, None),  # too many pixels: smaller
        ((1, 1), 50.0, (1, 1)),
    ],
)
def test_the_map_is_as_large_as_the_picture_whatever_the_network_is_shown(
    shape: tuple[int, int], thickness: float, shown: tuple[int, int] | None
) -> None:
    finder = Remembers()
    assert ink_map(np.full(shape, 200, np.uint8), thickness, finder).shape == shape
    assert sum(np.prod(shape) for shape in finder.shapes) <= 4_000_000
    if shown is not None:
        assert finder.shapes[-1] == shown


def test_tall_digits_are_shown_smaller_though_their_strokes_are_thin() -> None:
    grey = np.full((400, 400), 230, np.uint8)
    grey[50:350, 188:196] = 20  # 300 pixels tall, eight broad
    finder = Remembers()
    found = ink_map(grey, 4.0, finder)
    assert found.shape == (400, 400)
    assert max(finder.shapes[-1]) <= 90
    grey[60:] = 230  # ten pixels tall
    finder = Remembers()
    assert ink_map(grey, 4.0, finder).shape == (400, 400)
    assert finder.shapes[:2] == [(100, 100), (400, 400)]


def test_small_print_is_shown_twice_as_large_and_taller_marks_beside_it_are_not() -> None:
    grey = np.full((300, 400), 230, np.uint8)
    for top in range(20, 280, 30):
        for left in range(20, 300, 20):
            grey[top : top + 14, left : left + 9] = 20
    grey[20:70, 330:350] = 20  # a digit by hand

    def find(shown: np.ndarray) -> np.ndarray:  # loses small marks, and large ones that are shown larger
        found = (shown < 100).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
        seen = shown.size < 30_000 or (stats[:, cv2.CC_STAT_HEIGHT] >= 18) & (stats[:, cv2.CC_STAT_HEIGHT] <= 60)
        lost = np.flatnonzero(~np.broadcast_to(seen, count))[1::2]
        return np.where(np.isin(labels, lost), 0, found).astype(np.float32)

    assert ((ink_map(grey, 5.0, find) > 0.5) == (grey < 100)).all()


def test_what_the_closer_look_loses_altogether_stays_as_it_was_seen_first() -> None:
    grey = np.full((60, 90), 230, np.uint8)
    grey[20:34, 30:39] = 20
    found = ink_map(grey, 3.0, lambda shown: (shown < 100).astype(np.float32) * (shown.size == grey.size))
    assert ((found > 0.5) == (grey < 100)).all()


def test_a_large_picture_is_shown_in_tiles_that_join_without_a_seam() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (900, 1500), np.uint8)
    whole = (grey < 100).astype(np.float32)
    shapes: list[tuple[int, ...]] = []

    def find(tile: np.ndarray) -> np.ndarray:
        shapes.append(tile.shape)
        return (tile < 100).astype(np.float32)

    assert (ink_map(grey, 3.0, find) == whole).all()
    assert len(shapes) == 1 + 12  # a look at a quarter of the size first
    assert max(np.prod(shape) for shape in shapes) <= 480**2


def test_a_map_becomes_ink_and_a_map_of_nothing_none() -> None:
    found = np.zeros((50, 50), np.float32)
    assert ink_of_map(found) is None
    found[10:40, 20:25] = 0.98
    found[10:40, 25] = 0.3  # a soft edge
    ink = ink_of_map(found)
    assert ink is not None
    assert ink.mask[20, 18:28].tolist() == [False] * 2 + [True] * 5 + [False] * 3
    assert ink.strength[20, 24] == 249
    assert ink.strength[20, 25] == 76
    assert 4 <= ink.thickness <= 6


def test_what_the_network_is_nowhere_sure_of_is_no_ink() -> None:
    found = np.zeros((50, 50), np.float32)
    found[10:40, 10:14] = 0.7  # what is left of a tick
    assert ink_of_map(found) is None
    found[10:40, 30:34] = 0.7  # a pale stroke, sure in one place
    found[20, 31] = 0.97
    ink = ink_of_map(found)
    assert ink is not None
    assert ink.mask[10:40, 30:34].all()
    assert ink.mask.sum() == 120


def _answer(frames: np.ndarray) -> tuple[np.ndarray, None]:
    """A 1, whatever it is."""
    probabilities = np.zeros((len(frames), 10), np.float32)
    probabilities[:, 1] = 1
    return probabilities, None


def test_a_photo_is_shown_to_the_network_and_a_drawing_is_not() -> None:
    drawing = np.full((200, 200), 255, np.uint8)
    drawing[40:160, 95:107] = 0
    rng = np.random.default_rng(0)
    light = np.linspace(0.5, 1, 200)[None, :]
    photo = np.clip(drawing * 0.7 + 50 * light + rng.normal(0, 6, drawing.shape), 0, 255).astype(np.uint8)
    for picture, asked in ((drawing, False), (photo, True)):
        finder = Remembers()
        page = read_page(picture, _answer, find_ink=finder)
        assert bool(finder.shapes) == asked
        assert page.text == "1"


def test_where_the_network_sees_no_ink_nothing_is_read() -> None:
    rng = np.random.default_rng(1)
    photo = np.clip(rng.normal(180, 12, (120, 160)), 0, 255).astype(np.uint8)
    photo[30:90, 70:80] = 60
    assert read_page(photo, _answer).text == "1"
    page = read_page(photo, _answer, find_ink=lambda grey: np.zeros(grey.shape, np.float32))
    assert not page.lines
    assert not page.rejected


def test_a_digit_much_taller_than_most_marks_is_shown_once_more_smaller() -> None:
    grey = np.full((400, 460), 230, np.uint8)
    grey[50:350, 400:440] = 20  # a large digit beside small print
    for top in range(60, 340, 40):
        for left in range(20, 360, 20):
            grey[top : top + 20, left : left + 12] = 20
    bits = 0

    def find(shown: np.ndarray) -> np.ndarray:
        nonlocal bits
        found = (shown < 100).astype(np.float32)
        if found.any(axis=1).sum() > 110 and shown.shape == grey.shape:  # what is as tall is seen in bits
            bits += 1
            found[::8, 400:440] = 0
        return found

    found = ink_map(grey, 6.0, find)
    assert bits == 1
    assert (found[60:340, 410:430] > 0.5).all()
    assert (found[60:80, 20:32] > 0.5).all()
    grey[48:352, 364:456] = 20  # a frame is no digit
    grey[52:348, 368:452] = 230
    shapes = Remembers()
    ink_map(grey, 6.0, shapes)
    assert shapes.shapes[:2] == [(100, 115), (400, 460)]
    assert all(min(shape) > 200 for shape in shapes.shapes[2:])  # small print, closer
