"""Marks that a network sees in part are whole where what stands out from the ground tells so."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.marks.whole import completed, height_of_most, with_stems
from digit_recognizer.pictures.paper import PageInk


def test_what_the_network_sees_next_to_nothing_of_is_not_given_back() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[10:50, 10:14] = mask[10:50, 50:54] = True
    clean = PageInk(mask * np.uint8(255), mask, 4.0)
    known = np.zeros_like(mask)
    known[10:14, 10:14] = known[10:30, 50:54] = True
    both = completed(PageInk(known * np.uint8(200), known, 4.0), clean)
    assert both.mask[10:50, 50:54].all()
    assert not both.mask[20:50, 10:14].any()
    assert both.mask[10:14, 10:14].all()


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
    shadow[5:58, 60:64] = shadow[16:50, 80:84] = True  # taller than digits; and lower, and not seen
    seen = shadow.copy()
    seen[:, 70:90] = False
    seen[22:40, 30:70] = False
    partly = PageInk(seen * np.uint8(200), seen, 4.0)
    whole = with_stems(partly, PageInk(shadow * np.uint8(255), shadow, 4.0), height_of_most(partly))
    assert (whole.mask[:, :50] == mask[:, :50]).all()
    assert (whole.mask[:, 50:] == seen[:, 50:]).all()


def test_a_stem_on_any_ground_of_which_nothing_is_seen_is_one_that_is_level_with_a_mark_right_beside_it() -> None:
    mask = np.zeros((60, 400), np.bool_)
    mask[10:50, 30:50] = mask[10:50, 12:16] = True  # a 1 and a digit
    for x in range(100, 280, 20):
        mask[25:50, x : x + 16] = True  # small letters, which most marks are
    level = mask.copy()
    mask[10:50, 320:340] = mask[18:58, 350:354] = mask[10:50, 380:384] = True  # a stem that hangs, and one far away
    seen = mask.copy()
    seen[:, :20] = seen[:, 345:] = False
    level[10:50, 320:340] = True
    partly = PageInk(seen * np.uint8(200), seen, 4.0)
    whole = with_stems(partly, PageInk(mask * np.uint8(255), mask, 4.0), height_of_most(partly))
    assert (whole.mask == level).all()


@pytest.mark.parametrize(("foot", "is_back"), [(28, True), (34, False)])
def test_a_stem_on_any_ground_may_have_a_foot(foot: int, is_back: bool) -> None:
    mask = np.zeros((60, 120), np.bool_)
    mask[10:50, 10:30] = mask[10:50, 80:100] = True
    seen = mask.copy()
    mask[10:50, 54:58] = mask[46:50, 56 - foot // 2 : 56 + foot // 2] = True
    partly = PageInk(seen * np.uint8(200), seen, 4.0)
    whole = with_stems(partly, PageInk(mask * np.uint8(255), mask, 4.0), height_of_most(partly))
    assert (whole.mask == (mask if is_back else seen)).all()


def among_small_letters() -> tuple[PageInk, PageInk]:
    """Two 1s with feet and a taller digit in a row of small letters: what is seen, the 1s not, and all of it."""
    mask = np.zeros((60, 400), np.bool_)
    for x in range(100, 380, 20):
        mask[25:50, x : x + 16] = True
    mask[10:50, 30:50] = True
    seen = mask.copy()
    for x in (58, 80):
        mask[10:50, x : x + 4] = mask[46:50, x - 6 : x + 10] = True
    return PageInk(seen * np.uint8(200), seen, 4.0), PageInk(mask * np.uint8(255), mask, 4.0)


def test_stems_taller_than_small_letters_are_given_back_one_beside_the_other_on_an_even_ground() -> None:
    seen, clean = among_small_letters()
    assert (completed(seen, clean).mask == clean.mask).all()


def test_a_piece_of_a_printed_line_beside_a_digit_is_taller_and_not_given_back() -> None:
    seen, clean = among_small_letters()
    mask = clean.mask.copy()
    mask[4:56, 18:22] = True
    whole = completed(seen, PageInk(mask * np.uint8(255), mask, 4.0))
    assert (whole.mask == clean.mask).all()
