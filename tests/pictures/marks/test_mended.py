"""Bars that an ink finder takes for printed lines: given back where a digit holds them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.coarseness import drawing_of
from digit_recognizer.pictures.marks.page_ink import ink_of_page, levelled
from digit_recognizer.pictures.paper import ink_of
from digit_recognizer.pictures.watch import unwatched

Grey = npt.NDArray[np.uint8]


def on_a_slope_of_light(draw: npt.NDArray[np.uint8]) -> Grey:
    """White strokes on a ground that gets darker downwards: uint8 (H, W). draw: uint8 (H, W), 255 on strokes."""
    rows = np.linspace(120, 60, len(draw)).astype(np.uint8)[:, None]
    return np.maximum(rows, draw).astype(np.uint8)


def without_bars(grey: Grey) -> npt.NDArray[np.float32]:
    """What a network says that takes straight level strokes for printed lines, of twelve pixels of 200 at least."""
    ink = (grey > 128).astype(np.uint8)
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, 13 * grey.shape[1] // 200 - 1), np.uint8))
    return (ink & ~level).astype(np.float32)


def seven(bar: int = 30) -> Grey:
    """A thin 7, 50 tall, whose bar starts ``bar`` before its end: uint8 (120, 200)."""
    page = np.zeros((120, 200), np.uint8)
    cv2.line(page, (110, 30), (95, 80), 255, 3)
    cv2.line(page, (110 - bar, 30), (110, 30), 255, 3)
    return page


def inked(page: Grey) -> npt.NDArray[np.bool_]:
    grey = on_a_slope_of_light(page)
    view, contrast, _ = levelled(grey, drawing_of(grey))
    assert contrast is not None
    ink = ink_of_page(view, contrast, ink_of(contrast), without_bars, False, unwatched)
    assert ink is not None
    return ink.mask


def test_the_bar_of_a_seven_is_no_printed_line() -> None:
    mask = inked(seven())
    assert mask[30, 81:110].all()
    assert mask[50:78].any()


def test_a_line_that_goes_on_beyond_the_stroke_is_not_given_back() -> None:
    page = seven(90)
    assert not inked(page)[30, 20:90].any()


def test_a_line_fainter_than_the_stroke_that_it_touches_is_not_given_back() -> None:
    page = seven()
    page[29:32, :105] = np.where(page[29:32, :105] > 0, 170, 0)
    assert ink_is_joined(page)
    assert not inked(page)[30, 84:95].any()


def ink_is_joined(page: Grey) -> bool:
    """Whether all of it stands out from the ground, as one mark."""
    contrast = levelled(on_a_slope_of_light(page), None)[1]
    assert contrast is not None
    everything = ink_of(contrast)
    assert everything is not None
    return cv2.connectedComponents(everything.mask.view(np.uint8), connectivity=8)[0] == 2


def test_a_bit_of_a_stem_is_no_digit_that_holds_the_rest_of_it() -> None:
    page = np.zeros((120, 200), np.uint8)
    page[60, 60:100] = 255
    page[59:62, 60:71] = page[59:62, 80:120] = 255
    assert not inked(page)[60, 90:118].any()


@pytest.mark.parametrize("height", [24, 60])
def test_the_foot_of_a_large_and_of_a_small_digit_is_given_back(height: int) -> None:
    page = np.zeros((120, 200), np.uint8)
    left, foot = 100 - height // 2, 20 + height
    cv2.line(page, (100, 20), (left, foot), 255, 3)
    cv2.line(page, (left, foot), (left + 2 * height // 3 + 6, foot), 255, 3)
    assert inked(page)[foot, left + 4 : left + 2 * height // 3 + 4].all()
