"""Shadows, folds and sheets leave bars with ground on one side alone; strokes have it on both."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.edges import EDGE, is_edge
from digit_recognizer.pictures.page import read_page
from digit_recognizer.reading import Page
from tests.pictures.test_page import Grey, answer


def all_ones(frames: Grey) -> tuple[np.ndarray, np.ndarray]:
    """Whatever it is, it surely is a 1."""
    row = np.zeros(10, np.float32)
    row[1] = 0.999
    return np.tile(row, (len(frames), 1)), np.zeros(len(frames), np.float32)


def shadowed(slant: float = 0.15, softness: float = 1.0) -> Grey:
    columns = np.arange(400)[None, :] - slant * np.arange(240)[:, None]
    page = np.where(columns < 200, 190.0, 120.0).astype(np.float32)
    return np.rint(cv2.GaussianBlur(page, (0, 0), softness)).astype(np.uint8)


def read(page: Grey) -> Page:
    return read_page(page, all_ones)


@pytest.mark.parametrize("ground", [(230, 230), (230, 120), (120, 230), (40, 40)])
def test_a_stroke_is_none_even_along_a_shadow(ground: tuple[int, int]) -> None:
    page = np.full((60, 60), ground[0], np.uint8)
    page[:, 32:] = ground[1]
    mark = 255 if max(ground) < 100 else 20
    page[10:50, 28:34] = mark
    mask = page == mark
    assert not is_edge(page, mask, (28, 10, 6, 40))


@pytest.mark.parametrize("slant", [0, 1])
def test_a_step_is_one_upright_or_slanted(slant: int) -> None:
    rows, columns = np.mgrid[:60, :60]
    page = np.where(columns - slant * rows // 4 >= 30, 120, 230).astype(np.uint8)
    mask = (columns - slant * rows // 4 >= 30) & (columns - slant * rows // 4 < 34)
    marked = np.flatnonzero(mask.any(axis=0))
    assert is_edge(page, mask, (int(marked[0]), 0, int(np.ptp(marked)) + 1, 60))


def test_a_speck_says_nothing() -> None:
    assert not is_edge(np.zeros((9, 9), np.uint8), np.ones((9, 9), np.bool_), (3, 3, 2, 2))


def test_a_neighbours_ink_is_not_taken_for_ground() -> None:
    page = np.full((60, 60), 230, np.uint8)
    page[10:50, 20:24] = page[10:50, 28:32] = 20
    assert not is_edge(page, page < 100, (20, 10, 4, 40))


@pytest.mark.parametrize("softness", [0.6, 1.5])
def test_what_is_left_of_a_shadow_is_no_1_and_the_page_says_why(softness: float) -> None:
    page = read(shadowed(softness=softness))
    assert [digit for digit in page.digits if digit.accepted] == []
    assert EDGE in {found.reason for found in page.rejected}


def test_a_lone_1_on_paper_is_read() -> None:
    page = np.full((120, 120), 225, np.uint8)
    cv2.line(page, (62, 20), (56, 100), 40, 7, cv2.LINE_AA)
    found = read_page(page, answer)
    assert found.text == "1"
    assert EDGE not in {rejected.reason for rejected in found.rejected}


@pytest.mark.parametrize("right", [False, True])
def test_what_lies_along_the_side_of_a_picture_is_the_rest_of_something(right: bool) -> None:
    page = np.full((300, 240), 220, np.float32)
    cv2.fillPoly(page, [np.array([(0, 90), (14, 90), (30, 230), (0, 230)])], 110.0)
    page = cv2.GaussianBlur(page, (0, 0), 3)
    grey = np.rint(page[:, ::-1] if right else page).astype(np.uint8)
    found = read(grey)
    assert found.lines == ()
    assert [one.reason for one in found.rejected] == [EDGE]


def test_a_stroke_in_a_picture_cut_out_close_is_none() -> None:
    page = np.full((60, 60), 230, np.uint8)
    page[2:58, :8] = 20
    assert not is_edge(page, page < 100, (0, 2, 8, 56))
    narrow = page[:, :8]
    assert not is_edge(narrow, narrow < 100, (0, 2, 8, 56))
