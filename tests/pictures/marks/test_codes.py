"""QR codes are painted over, turned, seen from the side or out of focus; what else has squares stays."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.codes import CODE, codes_removed
from digit_recognizer.pictures.page import read_page
from digit_recognizer.recognizer import Recognizer


def code(
    module: int, text: str = "https://example.org/4071", *, paper: int = 240, ink: int = 20
) -> npt.NDArray[np.uint8]:
    """A page with a code, and as much room below it as above."""
    squares = np.asarray(cv2.QRCodeEncoder_create().encode(text), np.uint8)
    large = np.kron(squares, np.ones((module, module), np.uint8))
    page = np.pad(large, max(30, 6 * module), constant_values=255)
    return np.where(page > 127, paper, ink).astype(np.uint8)


@pytest.mark.parametrize("module", [3, 5, 9, 16])
@pytest.mark.parametrize("text", ["4071", "WIFI:T:WPA;S:home;P:" + "b7Q/" * 20])
def test_a_code_becomes_paper(module: int, text: str) -> None:
    page = code(module, text, paper=220, ink=60)
    cleaned, ((x, y, width, height),) = codes_removed(page)
    assert np.abs(cleaned.astype(int) - 220).max() <= 4
    rows, columns = np.flatnonzero((page < 100).any(1)), np.flatnonzero((page < 100).any(0))
    assert max(abs(x - columns[0]), abs(y - rows[0])) <= 2 * module
    assert max(abs(x + width - columns[-1]), abs(y + height - rows[-1])) <= 2 * module


@pytest.mark.parametrize("turn", [-100, -12, 4, 45])
def test_a_code_that_is_turned_seen_from_the_side_and_out_of_focus_is_found(turn: float) -> None:
    page = np.pad(code(6), 80, constant_values=240)
    size = len(page)
    spin = np.vstack([cv2.getRotationMatrix2D((size / 2, size / 2), turn, 1), (0, 0, 1)])
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    seen = corners + np.array([[0.06, 0.02], [-0.04, 0.05], [0, 0], [0.03, -0.05]], np.float32) * size
    matrix = cv2.getPerspectiveTransform(corners, seen) @ spin
    photo = cv2.warpPerspective(page, matrix, (size, size), borderValue=240, flags=cv2.INTER_AREA)
    light = np.linspace(0.5, 1, size, dtype=np.float32)
    noisy = cv2.GaussianBlur(photo * light, (0, 0), 1.8) + np.random.default_rng(0).normal(0, 4, photo.shape)
    cleaned, boxes = codes_removed(np.clip(noisy, 0, 255).astype(np.uint8))
    assert len(boxes) == 1
    assert np.abs(cv2.GaussianBlur(cleaned, (0, 0), 2) - 240 * light)[40:-40, 40:-40].max() <= 40


def test_two_codes_side_by_side_are_both_found() -> None:
    page = np.hstack([code(5, "40710815"), code(5, "tel:5550199")])
    assert len(codes_removed(page)[1]) == 2


@pytest.mark.parametrize("missing", [None, 0, 1, 2])
def test_corners_are_no_code_unless_they_are_three_and_squares_lie_between_them(missing: int | None) -> None:
    page = np.full((300, 300), 240, np.uint8)
    for place, (x, y) in enumerate([(30, 30), (200, 30), (30, 200)]):
        for inset, grey in ((0, 20), (8, 240), (16, 20)) if place != missing else ():
            page[y + inset : y + 56 - inset, x + inset : x + 56 - inset] = grey
    cleaned, boxes = codes_removed(page)
    assert boxes == ()
    assert cleaned is page


def test_the_number_below_is_read_and_the_code_told_once() -> None:
    page = code(6)
    cv2.putText(page, "4071", (60, len(page) - 6), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page)
    assert [line.text for line in found.lines] == ["4071"]
    assert [rejected.reason for rejected in found.rejected] == [CODE]


def test_a_page_of_nothing_but_a_code_holds_no_digit() -> None:
    found = read_page(code(6), lambda frames: (np.full((len(frames), 10), 0.1, np.float32), None))
    assert found.lines == ()
    assert [rejected.reason for rejected in found.rejected] == [CODE]
