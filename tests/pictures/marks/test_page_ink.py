"""The ink of pages: what a network sees of it, and what an even ground tells beside that."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.marks import page_ink
from digit_recognizer.pictures.marks.coarseness import drawing_of
from digit_recognizer.pictures.marks.page_ink import ink_of_page, levelled, marks_of
from digit_recognizer.pictures.paper import PageInk, ink_of
from digit_recognizer.pictures.watch import unwatched


def table() -> np.ndarray:
    """A page of one white with two printed lines and an upright stroke between them: uint8 (120, 400)."""
    page = np.full((120, 400), 255, np.uint8)
    page[10:12, 10:390] = page[105:107, 10:390] = 90
    page[30:90, 200:206] = 20
    return page


def test_a_stroke_on_an_even_ground_is_whole_though_the_network_sees_a_half_of_it() -> None:
    page = table()

    def lower_half(grey: np.ndarray) -> np.ndarray:
        found = np.zeros(grey.shape, np.float32)
        found[60:90, 200:206] = 1
        return found

    view, contrast, _ = levelled(page, drawing_of(page))
    assert contrast is not None
    ink = ink_of_page(view, contrast, ink_of(contrast), lower_half, True, unwatched)
    assert ink is not None
    assert ink.mask[31:89, 201:205].all()
    assert not ink.mask[:14].any()
    assert not ink.mask[100:].any()
    uneven = ink_of_page(view, contrast, ink_of(contrast), lower_half, False, unwatched)
    assert uneven is not None
    assert not uneven.mask[:58].any()


@pytest.mark.parametrize("line", [False, True])
def test_1s_of_a_picture_that_is_cut_out_close_are_no_uprights_of_a_table(line: bool) -> None:
    page = np.full((60, 120), 255, np.uint8)
    page[10:50, 20:24] = page[10:50, 40:60] = 20
    page[20:40, 46:54] = 255  # 10
    if line:
        page[:, 100:103] = 90

    def without_stems(grey: np.ndarray) -> np.ndarray:
        found = np.zeros(grey.shape, np.float32)
        found[10:50, 40:60] = grey[10:50, 40:60] < 128
        return found

    view, contrast, _ = levelled(page, drawing_of(page))
    assert contrast is not None
    ink = ink_of_page(view, contrast, ink_of(contrast), without_stems, False, unwatched)
    assert ink is not None
    assert ink.mask[12:48, 21:23].all() == (not line)
    assert not ink.mask[:, 99:104].any()


def bars(rows: int, columns: int) -> PageInk:
    """Digits of two heights and breadths, far apart, a fifth of them as thin as 1s, and a speck beside each."""
    mask = np.zeros((rows * 20, columns * 20), np.bool_)
    for row in range(rows):
        for column in range(columns):
            y, x = row * 20 + 2, column * 20 + 2
            mask[y : y + 10, x : x + (2 if column % 5 == 0 else 7)] = True
            mask[y + 4 : y + 6, x + 12 : x + 16] = True
    return PageInk(mask * np.uint8(255), mask, 2.0)


def test_a_page_of_two_thousand_digits_and_more_keeps_them_all() -> None:
    _, boxes, is_all = marks_of(bars(45, 50))
    assert is_all
    assert len(boxes) == 2 * 45 * 50


def test_of_more_marks_than_are_looked_at_the_lowest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_ink, "_MOST_MARKS", 70)
    labels, boxes, is_all = marks_of(bars(5, 10))
    assert not is_all
    assert len(boxes) == labels.max() == 70  # no more, though all specks are alike
    assert (boxes[:, 3] == 10).sum() == 50
