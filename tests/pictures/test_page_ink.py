"""The ink of pages: what a network sees of it, and what an even ground tells beside that."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures import page_ink
from digit_recognizer.pictures.page_ink import completed, ink_of_page, levelled, marks_of, with_stems
from digit_recognizer.pictures.paper import PageInk, ink_of
from digit_recognizer.pictures.steps import unwatched


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

    view, contrast, _ = levelled(page)
    assert contrast is not None
    ink = ink_of_page(view, contrast, ink_of(contrast), lower_half, True, unwatched)
    assert ink is not None
    assert ink.mask[31:89, 201:205].all()
    assert not ink.mask[:14].any()
    assert not ink.mask[100:].any()
    uneven = ink_of_page(view, contrast, ink_of(contrast), lower_half, False, unwatched)
    assert uneven is not None
    assert not uneven.mask[:58].any()


def test_what_the_network_sees_next_to_nothing_of_is_not_given_back() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[10:50, 10:14] = mask[10:50, 40:44] = True
    clean = PageInk(mask * np.uint8(255), mask, 4.0)
    known = np.zeros_like(mask)
    known[10:14, 10:14] = known[10:30, 40:44] = True
    both = completed(PageInk(known * np.uint8(200), known, 4.0), clean)
    assert both.mask[10:50, 40:44].all()
    assert not both.mask[20:50, 10:14].any()
    assert both.mask[10:14, 10:14].all()


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


def test_a_lone_stem_on_an_even_ground_is_given_back_where_it_is_level_with_a_digit() -> None:
    mask = np.zeros((80, 200), np.bool_)
    mask[10:30, 10:22] = True  # a digit
    mask[10:30, 150:154] = mask[26:30, 146:158] = True  # a 1 with a foot in its row, in another column
    mask[50:70, 90:94] = True  # a stem in no row
    clean = PageInk(mask * np.uint8(255), mask, 4.0)
    known = mask & (np.arange(200) < 30)
    found = completed(PageInk(known * np.uint8(255), known, 4.0), clean).mask
    assert found[:, 140:].sum() == mask[:, 140:].sum()
    assert not found[40:].any()


def test_a_stem_on_any_ground_is_whole_where_the_network_sees_both_its_ends() -> None:
    mask = np.zeros((60, 290), np.bool_)
    mask[10:50, 5:25] = mask[10:50, 40:44] = True
    for x in range(100, 280, 30):
        mask[10:50, x : x + 20] = True
    shadow = mask.copy()
    shadow[5:58, 60:64] = shadow[10:50, 80:84] = True  # taller than digits; and not seen
    seen = shadow.copy()
    seen[:, 70:90] = False
    seen[22:40, 30:70] = False
    whole = with_stems(PageInk(seen * np.uint8(200), seen, 4.0), PageInk(shadow * np.uint8(255), shadow, 4.0))
    assert (whole.mask[:, :50] == mask[:, :50]).all()
    assert (whole.mask[:, 50:] == seen[:, 50:]).all()
