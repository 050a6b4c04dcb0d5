"""Points of a pixel or two between printed digits are marks; what is no point, or of a dotted line, is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.points import with_points
from digit_recognizer.pictures.paper import Contrast
from digit_recognizer.recognizer import Recognizer


def added(*blobs: tuple[int, int, int, int, int], tall: int = 24, gap: int = 14, digits: int = 2) -> list[list[int]]:
    """The boxes of points found between boxes of ink, 12 pixels broad, the second ``tall``; blobs: box and depth."""
    depth, labels = np.zeros((60, 20 + digits * (12 + gap)), np.float32), None
    boxes = []
    for place in range(digits):
        height = tall if place == 1 else 24
        boxes.append((10 + place * (12 + gap), 10, 12, height))
    labels = np.zeros(depth.shape, np.int32)
    for number, (x, y, width, height) in enumerate(boxes, 1):
        depth[y : y + height, x : x + width] = 100
        labels[y : y + height, x : x + width] = number
    for x, y, width, height, deep in blobs:
        depth[y : y + height, x : x + width] = deep
    found = with_points(labels, np.array(boxes), [list(range(digits))], Contrast(depth, 14.0, 4.0))
    assert np.array_equal(np.bincount(found[0].ravel())[1:] > 0, np.ones(len(found[1]), np.bool_))
    return [box for box in found[1].tolist() if tuple(box) not in boxes]


@pytest.mark.parametrize("point", [(28, 31, 2, 4), (28, 29, 4, 4), (28, 25, 3, 3)])
def test_a_small_point_is_a_mark(point: tuple[int, int, int, int]) -> None:
    assert added((*point, 60)) == [list(point)]


def test_one_that_would_be_dirt_is_as_large_as_its_soft_edge() -> None:
    assert added((28, 32, 1, 1, 60)) == [[27, 31, 3, 3]]


@pytest.mark.parametrize(
    ("blob", "kept"),
    [
        ((28, 31, 2, 3, 30), {}),  # as pale as noise
        ((28, 12, 2, 3, 90), {}),  # at the digits' heads
        ((28, 20, 2, 14, 90), {}),  # a stroke
        ((22, 31, 14, 3, 90), {}),  # from digit to digit
        ((28, 31, 2, 3, 90), {"tall": 40}),  # beside no two digits of a height
        ((42, 31, 2, 3, 90), {"gap": 40}),  # at the end of a sentence
    ],
)
def test_what_is_no_point(blob: tuple[int, int, int, int, int], kept: dict[str, int]) -> None:
    assert added(blob, **kept) == []


def test_dots_in_every_gap_are_a_dotted_line() -> None:
    dots = [(28 + 26 * place, 31, 2, 2, 80) for place in range(4)]
    assert added(*dots, digits=5) == []
    assert len(added(*dots[:1], digits=5)) == 1


def test_a_dash_of_a_dashed_line_is_no_point() -> None:
    assert len(added((28, 36, 3, 2, 80))) == 1
    assert added((28, 36, 3, 2, 80), (38, 37, 3, 2, 80)) == []


def test_a_price_whose_point_hardly_shows_is_one_number_and_not_accepted() -> None:
    page = np.full((120, 420), 240, np.uint8)
    cv2.putText(page, "345", (30, 80), cv2.FONT_HERSHEY_DUPLEX, 1.5, 20, 3, cv2.LINE_AA)
    cv2.putText(page, "97", (138, 80), cv2.FONT_HERSHEY_DUPLEX, 1.5, 20, 3, cv2.LINE_AA)
    recognizer = Recognizer(threads=1)
    assert recognizer.read(page).text == "345 97"
    page[79:81, 126:128] = 130
    (line,) = recognizer.read(page).lines
    assert (line.text, line.accepted) == ("34597", False)
