"""Print of dots is read, whether they touch or not; nothing else is taken for it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.marks.dots import joined_dots
from digit_recognizer.pictures.paper import PageInk, contrast_of_page, ink_of
from digit_recognizer.recognizer import Recognizer

SHAPES = {
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
}


def dotted(text: str, step: int, share: float) -> np.ndarray:
    """A page of dots. share: of the step that a dot is broad."""
    page = np.full((9 * step + 60, 6 * step * len(text) + 60), 245, np.uint8)
    for place, letter in enumerate(text):
        for row, dots in enumerate(SHAPES[letter]):
            for column in range(5):
                if dots >> (4 - column) & 1:
                    middle = 30 + (6 * place + column) * step, 40 + row * step
                    radius = round(share * step / 2 * 16)
                    cv2.circle(page, (middle[0] * 16, middle[1] * 16), radius, 20, -1, cv2.LINE_AA, shift=4)
    return page


@pytest.mark.parametrize("step", [6, 9, 14])
@pytest.mark.parametrize("share", [0.65, 0.8, 0.95])
def test_dots_are_joined_and_read(step: int, share: float) -> None:
    found = Recognizer(threads=1).read(dotted("25743", step, share))
    assert [line.text for line in found.lines] == ["25743"]


def _ink(page: np.ndarray) -> PageInk:
    contrast = contrast_of_page(page)
    assert contrast is not None
    ink = ink_of(contrast)
    assert ink is not None
    return ink


def test_the_digits_stay_apart() -> None:
    joined = joined_dots(_ink(dotted("2573", 10, 0.7)))
    assert joined is not None
    assert cv2.connectedComponents(joined.mask.view(np.uint8))[0] - 1 == 4


@pytest.mark.parametrize(("size", "pen"), [(0.6, 1), (1.0, 2), (1.0, 5), (2.5, 12)])
def test_print_in_rows_is_not_dotted(size: float, pen: int) -> None:
    page = np.full((700, 900), 245, np.uint8)
    for row in range(6):
        for column in range(5):
            place = (30 + 170 * column, 80 + 110 * row)
            cv2.putText(page, "4815", place, cv2.FONT_HERSHEY_SIMPLEX, size, 20, pen, cv2.LINE_AA)
    assert joined_dots(_ink(page)) is None


def test_dots_on_paper_dirt_and_leaders_are_no_print() -> None:
    grid, dirt, leader = (np.full((300, 400), 245, np.uint8) for _ in range(3))
    for y in range(20, 300, 25):
        for x in range(20, 400, 25):
            cv2.circle(grid, (x, y), 2, 60, -1)
    rng = np.random.default_rng(0)
    for x, y in rng.integers(10, 290, (150, 2)):
        cv2.circle(dirt, (int(x), int(y)), int(rng.integers(1, 4)), 60, -1)
    for x in range(20, 380, 8):
        cv2.circle(leader, (x, 150), 2, 60, -1)
    for page in (grid, dirt, leader):
        assert joined_dots(_ink(page)) is None
