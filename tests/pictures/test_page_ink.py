"""The ink of pages: what a network sees of it, and what an even ground tells beside that."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.page_ink import completed, ink_of_page, levelled
from digit_recognizer.pictures.paper import PageInk
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

    view, contrast = levelled(page)
    assert contrast is not None
    ink = ink_of_page(view, contrast, lower_half, True, unwatched)
    assert ink is not None
    assert ink.mask[31:89, 201:205].all()
    assert not ink.mask[:14].any()
    assert not ink.mask[100:].any()
    uneven = ink_of_page(view, contrast, lower_half, False, unwatched)
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
