"""Barcodes are painted over, whatever their size and light; what else has many uprights stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.pictures.marks.barcodes import BARCODE, barcodes_removed
from digit_recognizer.pictures.page import read_page
from digit_recognizer.recognizer import Recognizer

MODULES = "10100011010100111010111101001101011000101010101100110101110010110110011100101000100101"


def barcode(module: int, tall: int, *, guards: int = 0, paper: int = 240, ink: int = 20) -> np.ndarray:
    """A page with a barcode. guards: pixels by which the outer bars are longer."""
    page = np.full((tall + 120, module * len(MODULES) + 80), paper, np.uint8)
    for place, bar in enumerate(MODULES):
        if bar == "1":
            more = guards if place < 3 or place > len(MODULES) - 4 else 0
            page[30 : 30 + tall + more, 40 + place * module : 40 + (place + 1) * module] = ink
    return page


@pytest.mark.parametrize("module", [2, 3, 5, 8])
@pytest.mark.parametrize(("paper", "ink"), [(240, 20), (30, 220), (200, 120)])
def test_a_barcode_becomes_paper(module: int, paper: int, ink: int) -> None:
    page = barcode(module, 45 * module, guards=10, paper=paper, ink=ink)
    cleaned, boxes = barcodes_removed(page)
    assert len(boxes) >= 1
    assert np.abs(cleaned.astype(int) - paper).max() <= 4
    left = min(x for x, _, _, _ in boxes)
    right = max(x + width for x, _, width, _ in boxes)
    assert abs(left - 40) <= 2 * module + 4
    assert abs(right - (page.shape[1] - 40)) <= 2 * module + 4


def test_a_barcode_in_poor_light_and_out_of_focus_is_found() -> None:
    page = barcode(4, 160).astype(np.float32) * np.linspace(0.5, 1, 4 * len(MODULES) + 80, dtype=np.float32)
    noisy = cv2.GaussianBlur(page, (0, 0), 1.2) + np.random.default_rng(0).normal(0, 4, page.shape)
    assert len(barcodes_removed(np.clip(noisy, 0, 255).astype(np.uint8))[1]) == 1


@pytest.mark.parametrize(
    "uprights",
    [
        [slice(40 + 30 * place, 43 + 30 * place) for place in range(12)],  # the lines of a table
        [slice(40 + 25 * place, 46 + 25 * place) for place in range(12)],  # 111111111111
        [slice(40, 43), slice(50, 53), slice(60, 63)],  # |||
    ],
)
def test_a_few_uprights_are_no_barcode(uprights: list[slice]) -> None:
    page = np.full((160, 460), 240, np.uint8)
    for one in uprights:
        page[40:110, one] = 20
    cleaned, boxes = barcodes_removed(page)
    assert boxes == ()
    assert cleaned is page


@pytest.mark.parametrize("turn", [0.0, 1.5])
def test_rows_of_print_below_each_other_are_no_barcode(turn: float) -> None:
    """Shrunk to a sixth, letters of one breadth in rows look like bars from top to bottom."""
    picture, font = Image.new("L", (900, 344), 18), ImageFont.load_default(24)
    for row, (day, hour) in enumerate([(11, 9), (13, 12), (4, 15), (27, 20), (19, 23), (6, 8), (22, 17), (15, 4)]):
        for column, letter in enumerate(f"2024 {row + 2:02} {day:02} {hour:02} {day + 31} {hour + 22}  {7531 * hour}"):
            ImageDraw.Draw(picture).text((20 + 16 * column, 20 + 38 * row), letter, 230, font)
    page = np.asarray(picture)
    across = cv2.getRotationMatrix2D((450, 172), turn, 1)
    page = np.asarray(cv2.warpAffine(page, across, (900, 344), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    cleaned, boxes = barcodes_removed(page)
    assert boxes == ()
    assert cleaned is page


def test_the_number_below_is_read_and_the_barcode_told() -> None:
    page = barcode(4, 160)
    cv2.putText(page, "4071", (150, 262), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 20, 3, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page)
    assert [line.text for line in found.lines] == ["4071"]
    assert BARCODE in [rejected.reason for rejected in found.rejected]


def test_a_page_of_nothing_but_a_barcode_holds_no_digit() -> None:
    found = read_page(barcode(4, 160), lambda frames: (np.full((len(frames), 10), 0.1, np.float32), None))
    assert found.lines == ()
    assert {rejected.reason for rejected in found.rejected} == {BARCODE}
