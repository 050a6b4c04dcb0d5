"""A turned page is looked at upright, and what is found there is placed where it stands in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.upright import turned, view_of


@pytest.mark.parametrize("degrees", [-17.0, -3.0, 0.5, 12.0])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_mark_in_a_turned_view_is_where_it_was_drawn(degrees: float, scale: float) -> None:
    page = np.full((120, 200), 240, np.uint8)
    page[70:90, 140:150] = 20
    view = turned(view_of(page, scale, (round(120 / scale), round(200 / scale))), degrees)
    rows, columns = np.nonzero(view.grey < 130)
    left, top = int(columns.min()), int(rows.min())
    box = view.box((left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top))
    # The box of a turned box is a little larger.
    expected = np.array([140, 70, 150, 90]) / scale
    found = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])
    assert (found[:2] <= expected[:2] + 2).all()
    assert (found[2:] >= expected[2:] - 2).all()
    assert np.abs(found - expected).max() <= 12 / scale


def test_what_falls_to_the_right_is_level_afterwards_and_nothing_is_cut_off() -> None:
    page = np.full((200, 300), 255, np.uint8)
    slope = np.tan(np.radians(8))
    cv2.line(page, (0, 60), (299, round(60 + 299 * slope)), 0, 2)
    found = turned(view_of(page, 1.0, (200, 300)), 8.0).grey
    rows = np.flatnonzero((found < 128).any(axis=1))
    assert rows[-1] - rows[0] <= 5
    assert (found < 128).any(axis=0).sum() >= 295


def test_an_unturned_view_gives_boxes_back_as_they_are() -> None:
    assert view_of(np.zeros((9, 9), np.uint8), 1.0, (9, 9)).box((2, 3, 4, 5)) == (2, 3, 4, 5)
    assert view_of(np.zeros((9, 9), np.uint8), 0.5, (18, 18)).box((2, 3, 4, 5)) == (4, 6, 8, 10)


@pytest.mark.parametrize("scale", [1.0, 2 / 3, 0.6, 1 / 3, 0.29])
@pytest.mark.parametrize("degrees", [0.0, 0.7, -8.0])
def test_a_box_in_the_picture_is_the_smallest_around_that_in_the_view(scale: float, degrees: float) -> None:
    view = view_of(np.full((120, 200), 240, np.uint8), scale, (round(120 / scale), round(200 / scale)))
    if degrees:
        view = turned(view, degrees)
    for left, top in ((40, 30), (41, 57), (83, 64)):
        x, y, across, down = view.box((left, top, 17, 24))
        corners = np.array([[left, top], [left + 17, top], [left, top + 24], [left + 17, top + 24]])
        placed = corners @ view.to_picture[:, :2].T + view.to_picture[:, 2]
        room = [*(placed.min(0) - (x, y)), *((x + across, y + down) - placed.max(0))]
        assert all(-1e-5 < one < 1 for one in room)


@pytest.mark.parametrize("degrees", [-9.0, 14.0])
def test_what_stands_at_the_edges_of_a_turned_view_is_placed_within_the_picture(degrees: float) -> None:
    view = turned(view_of(np.full((120, 200), 240, np.uint8), 1.0, (120, 200)), degrees)
    height, width = view.grey.shape
    for left, top in ((0, 0), (width - 30, 0), (0, height - 30), (width - 30, height - 30), (width // 2, height - 9)):
        x, y, across, down = view.box((left, top, 30, 30))
        assert x >= 0
        assert y >= 0
        assert 1 <= across <= 200 - x
        assert 1 <= down <= 120 - y


def test_a_shrunk_picture_has_no_pixel_beyond_its_edge() -> None:
    view = view_of(np.zeros((1802, 2400), np.uint8), 2400 / 4003, (3005, 4003))
    x, y, width, height = view.box((2390, 1790, 10, 12))
    assert (x + width, y + height) == (4003, 3005)
