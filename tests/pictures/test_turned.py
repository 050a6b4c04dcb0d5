"""Pages that lie on their side or upside down: read the way up that makes sense, and boxes where the digits are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from digit_recognizer.pictures.marks import page_ink
from digit_recognizer.pictures.marks.codes import CODE
from digit_recognizer.pictures.marks.page_ink import MANY
from digit_recognizer.pictures.numbers.apart import MAYBE_SPACE
from digit_recognizer.pictures.numbers.doubts import OF_NUMBERS
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.steps import Steps
from digit_recognizer.pictures.turned import evidence, read_any_way_up
from digit_recognizer.pictures.words.crowd import SAMPLED
from digit_recognizer.reading import Page, PlacedReading, Rejected, refused
from tests.pictures.test_page import Grey, answer, on_paper, page_of


def read_turned(grey: Grey, watch: Any = None) -> Page:
    return read_any_way_up(grey, partial(read_page, answer=answer, min_confidence=0.8), watch)


def ink_inside(grey: Grey, digit: PlacedReading) -> float:
    """How much of a digit's box is ink, 0-1."""
    x, y, width, height = digit.box
    return float((grey[y : y + height, x : x + width] < 140).mean())


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_page_is_read_whichever_way_up_it_lies(turns: int) -> None:
    upright = on_paper(page_of(["4735", "2643", "97"]))
    grey = np.ascontiguousarray(np.rot90(upright, turns))
    page = read_turned(grey)
    assert page.text == "4735\n2643\n97"
    assert page.turned == 90 * turns
    original = read_turned(upright)
    assert len(page.digits) == len(original.digits) == 10
    for one, other in zip(page.digits, original.digits, strict=True):
        assert abs(ink_inside(grey, one) - ink_inside(upright, other)) < 0.02
        assert sorted(one.box[2:]) == sorted(other.box[2:])


def test_boxes_turned_back_are_those_of_the_page_turned_by_hand() -> None:
    upright = on_paper(page_of(["4735", "2643"]))
    height, width = upright.shape
    boxes = [digit.box for digit in read_turned(upright).digits]
    upside_down = read_turned(np.ascontiguousarray(upright[::-1, ::-1]))
    assert [digit.box for digit in upside_down.digits] == [
        (width - x - across, height - y - down, across, down) for x, y, across, down in boxes
    ]
    sideways = read_turned(np.ascontiguousarray(upright.T[:, ::-1]))  # turned clockwise
    assert [digit.box for digit in sideways.digits] == [
        (height - y - down, x, down, across) for x, y, across, down in boxes
    ]


def test_what_reads_well_as_it_stands_is_not_turned() -> None:
    read: list[Grey] = []

    def counting(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        read.append(grey)
        return read_page(grey, answer, min_confidence=0.5)

    assert read_any_way_up(on_paper(page_of(["8619", "0168"])), counting).turned == 0
    assert read_any_way_up(np.full((60, 80), 255, np.uint8), counting).text == ""
    assert len(read) == 2


def test_a_lone_digit_is_never_turned() -> None:
    for turns in range(4):
        assert read_turned(np.ascontiguousarray(np.rot90(on_paper(page_of(["4"])), turns))).turned == 0


@pytest.mark.parametrize(("letters", "turned"), [(6, 180), (14, 0)])
def test_print_is_not_turned_for_some_letters_that_look_like_digits_upside_down(letters: int, turned: int) -> None:
    sure = read_page(on_paper(page_of(["4735"])), answer, min_confidence=0.0).lines[0]
    upright = Page((), (Rejected((0, 0, 5, 9), "not a digit"),) * 20)
    upside_down = Page((sure,) * 3, (Rejected((0, 0, 5, 9), "not a digit"),) * letters)
    pages = iter([upright, Page(), upside_down, Page()])

    def read(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        return next(pages)

    assert read_any_way_up(np.zeros((40, 60), np.uint8), read).turned == turned


@pytest.mark.parametrize(("letters", "turned"), [(6, 180), (60, 0)])
def test_of_a_crowded_page_a_way_up_is_read_whole_where_some_lines_show_half_of_what_it_must(
    letters: int, turned: int
) -> None:
    sure = read_page(on_paper(page_of(["4735"])), answer, min_confidence=0.0).lines[0]
    upright = Page((), (Rejected((0, 0, 5, 9), "not a digit"),) * 20)
    some = Page((sure,) * 2, (Rejected((0, 0, 5, 9), "not a digit"),) * letters + (Rejected((0, 0, 60, 40), SAMPLED),))
    asked: list[bool] = []

    def read(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        asked.append(sample)
        turns = asked.count(True)
        return upright if not turns else Page() if turns != 2 else some if sample else Page((sure,) * 9)

    page = read_any_way_up(np.zeros((40, 60), np.uint8), read)
    assert page.turned == turned
    assert asked == ([False, True, True, False, True] if turned else [False, True, True, True])
    assert not any(found.reason == SAMPLED for found in page.rejected)


@pytest.mark.parametrize(
    ("numbers", "turns", "turned"),
    [(["7182", "435"], 2, 180), (["7182"], 2, 0), (["7182", "435"], 1, 270), (["1171", "111"], 1, 0)],
)
def test_numbers_that_were_read_beside_words_must_be_fewer(numbers: list[str], turns: int, turned: int) -> None:
    upright = read_page(on_paper(page_of(["8126"])), answer, min_confidence=0.0)
    upright = Page(upright.lines, (Rejected((0, 0, 5, 9), "not a digit"),) * 4)
    other = read_page(on_paper(page_of(numbers)), answer, min_confidence=0.0)
    assert other.text.splitlines() == numbers
    pages = iter([upright, *(other if way == turns else Page() for way in (1, 2, 3)), other])

    def read(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        return next(pages)

    assert read_any_way_up(np.zeros((40, 60), np.uint8), read).turned == turned


@pytest.mark.parametrize(("numbers", "turned"), [(["8068", "1961"], 0), (["8768", "2351"], 180)])
def test_numbers_of_digits_that_are_such_upside_down_too_turn_no_page_with_others(
    numbers: list[str], turned: int
) -> None:
    upright = read_page(on_paper(page_of(["47"])), answer, min_confidence=0.0)
    upright = Page(upright.lines, (Rejected((0, 0, 5, 9), "not a digit"),) * 4)
    upside_down = read_page(on_paper(page_of(numbers)), answer, min_confidence=0.0)
    assert upside_down.text.splitlines() == numbers
    pages = iter([upright, Page(), upside_down, Page(), upside_down])

    def read(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        return next(pages)

    assert read_any_way_up(np.zeros((40, 60), np.uint8), read).turned == turned


def test_evidence_is_the_confidence_of_what_was_accepted_over_all_that_was_found() -> None:
    sure = read_page(on_paper(page_of(["47"])), answer, min_confidence=0.0)
    unsure = read_page(on_paper(page_of(["47"])), answer, min_confidence=1.01)
    assert evidence(sure) == pytest.approx(sum(digit.confidence for digit in sure.digits) / 2)
    assert evidence(unsure) == 0
    assert evidence(Page()) == 0
    assert evidence(replace(sure, rejected=(Rejected((0, 0, 9, 9), CODE),))) == evidence(sure)


@pytest.mark.parametrize("reason", sorted(OF_NUMBERS))
def test_digits_that_are_sure_in_a_number_that_is_not_are_evidence(reason: str) -> None:
    page = read_page(on_paper(page_of(["47"])), answer, min_confidence=0.0)
    doubted = replace(
        page,
        lines=tuple(replace(line, digits=tuple(refused(one, reason) for one in line.digits)) for line in page.lines),
        rejected=(Rejected(page.lines[0].box, reason),),
    )
    assert not doubted.lines[0].accepted
    assert evidence(doubted) == evidence(page) > 0.9


def test_two_digits_that_may_be_two_numbers_are_too_few_to_be_turned() -> None:
    """Their number is told in ``rejected``, in whose box there is room for two more."""
    page = read_page(on_paper(page_of(["47"])), answer, min_confidence=0.0)
    (line,) = page.lines
    doubted = replace(
        page,
        lines=(replace(line, digits=tuple(refused(one, MAYBE_SPACE) for one in line.digits)),),
        rejected=(Rejected(line.box, MAYBE_SPACE),),
    )
    read: list[int] = []

    def counting(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        read.append(1)
        return doubted

    assert read_any_way_up(np.zeros((80, 200), np.uint8), counting) == doubted
    assert len(read) == 1


def test_whoever_watches_is_shown_the_page_as_it_was_read() -> None:
    grey = np.ascontiguousarray(np.rot90(on_paper(page_of(["4735", "2643"]))))
    steps = Steps()
    page = read_turned(grey, steps)
    shown = steps.pictures(grey, page)
    assert page.turned == 90
    assert shown["1-picture"].shape[:2] == grey.shape
    assert shown["3-ink"].shape[:2] == grey.shape[::-1]


def test_of_a_page_with_too_many_marks_nothing_is_accepted_no_way_up_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_ink, "_MOST_MARKS", 9)
    read: list[Grey] = []

    def counting(grey: Grey, /, *, watch: Any, sample: bool = False) -> Page:
        read.append(grey)
        return read_page(grey, answer, min_confidence=0.8)

    grey = on_paper(page_of(["4735", "2643", "97"]))
    page = read_any_way_up(grey, counting)
    assert len(page.digits) == 9
    assert not any(digit.accepted for digit in page.digits)
    assert [found for found in page.rejected if found.reason == MANY] == [
        Rejected((0, 0, grey.shape[1], grey.shape[0]), MANY)
    ]
    assert len(read) == 1
