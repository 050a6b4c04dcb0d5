"""What the reader saw on its way: each picture against what it was drawn from."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.steps import Steps, frame_sheet
from tests.pictures.test_page import answer, on_paper, page_of, sprite


def test_watching_changes_nothing_of_what_is_read() -> None:
    grey = on_paper(page_of(["5283", "41"]))
    assert read_page(grey, answer, watch=Steps()).to_dict() == read_page(grey, answer).to_dict()


def test_ink_is_white_where_it_was_drawn_and_a_rule_is_orange() -> None:
    ink = page_of(["5283"], 40)
    ink[70:72] = 1  # a rule below the digits, from edge to edge
    steps = Steps()
    page = read_page(on_paper(ink), answer, watch=steps)
    shown = steps.pictures(on_paper(ink), page)
    assert list(shown) == ["1-picture", "2-ground-removed", "3-ink", "4-pieces", "5-frames"]
    white = (shown["3-ink"] == 255).all(axis=2)
    assert ((ink[:65] > 0.5) == white[:65]).mean() > 0.99
    orange = np.ptp(shown["3-ink"].astype(int), axis=2) > 100
    assert orange[70:72].mean() > 0.95
    assert not orange[:65].any()
    assert (shown["2-ground-removed"][:65][ink[:65] > 0.9] > 200).mean() > 0.95


def test_pieces_are_framed_and_cuts_are_marked_where_marks_were_cut() -> None:
    apart, touching = page_of(["11"], 40), page_of(["5283"], 40, gap=0.1)
    left, right = np.flatnonzero(touching.any(0))[[0, -1]]
    touching[38:41, left : right + 1] = 1
    colours = []
    for ink in (apart, touching):
        steps = Steps()
        page = read_page(on_paper(ink), answer, watch=steps)
        drawn = steps.pictures(on_paper(ink), page)["4-pieces"]
        colours.append({tuple(map(int, colour)) for colour in drawn.reshape(-1, 3)})
    blue, orange = (0, 114, 178), (230, 110, 0)
    assert blue in colours[0]
    assert orange not in colours[0]
    assert {blue, orange} <= colours[1]


def test_a_grid_is_shown_straightened() -> None:
    page = np.full((330, 330), 255, np.uint8)
    page[30:302:30, 30:301] = 0
    page[30:301, 30:302:30] = 0
    five = sprite(5, 20)
    page[35:55, 40 : 40 + five.shape[1]] = on_paper(five, ground=255, mark=0)
    steps = Steps()
    read = read_page(page, answer, parse_expectation("9x9"), watch=steps)
    shown = steps.pictures(page, read)
    assert list(shown) == ["1-picture", "2-grid", "5-frames"]
    assert shown["2-grid"].shape == (576, 576, 3)


def test_a_blank_picture_shows_itself_alone() -> None:
    blank = np.full((60, 80), 250, np.uint8)
    steps = Steps()
    assert list(steps.pictures(blank, read_page(blank, answer, watch=steps))) == ["1-picture"]


def test_the_sheet_holds_the_very_frames_sixteen_in_a_row() -> None:
    digits = read_page(on_paper(page_of(["52839", "41763", "28190", "55"])), answer).digits
    sheet = frame_sheet(digits)
    assert len(digits) == 17
    assert sheet.shape == (2 * (84 + 18), 16 * 88, 3)
    np.testing.assert_array_equal(sheet[:84:3, :84:3, 0], digits[0].frame)
    np.testing.assert_array_equal(sheet[102:186:3, :84:3, 1], digits[16].frame)
