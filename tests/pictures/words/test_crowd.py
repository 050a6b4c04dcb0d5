"""Crowded pages: how much of them is looked at, and that what is left out is told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.page_ink import MANY
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.turned import read_any_way_up
from digit_recognizer.pictures.words import crowd
from digit_recognizer.pictures.words.crowd import OF_A_WAY_UP, SAMPLED, sample_of
from digit_recognizer.pictures.words.ctc import BLANK, OUTPUTS, LogProbabilities
from digit_recognizer.pictures.words.cutting import Piece
from digit_recognizer.pictures.words.words import UncutWord
from digit_recognizer.reading import Page, Rejected
from tests.pictures.test_page import Grey, on_paper

Scores = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Asked:
    """A digit model that counts the frames that it is asked about, and a line reader, its calls and strips.

    digit: what it sees in each frame, None for no digit at all.
    """

    def __init__(self, digit: int | None) -> None:
        self.digit = digit
        self.frames = 0
        self.strips: list[int] = []

    def answer(self, frames: Grey) -> Scores:
        self.frames += len(frames)
        found = np.zeros((len(frames), 10), np.float32)
        if self.digit is not None:
            found[:, self.digit] = 0.99
        return found, np.full(len(frames), 0.01 if self.digit is not None else 1, np.float32)

    def read_strips(self, strips: Sequence[Grey]) -> list[LogProbabilities]:
        self.strips.append(len(strips))
        answers = [np.full((strip.shape[1] // 2, OUTPUTS), -12, np.float32) for strip in strips]
        for frames in answers:
            frames[:, BLANK] = 0
        return answers


def rings(rows: int, columns: int) -> Grey:
    """Rings of 16 pixels, each a word of its own."""
    ring = np.zeros((16, 16), np.float32)
    ring[:, [0, 1, 14, 15]] = ring[[0, 1, 14, 15]] = 1
    return on_paper(np.tile(np.pad(ring, ((10, 10), (20, 20))), (rows, columns)))


def read(grey: Grey, asked: Asked) -> Page:
    return read_page(grey, asked.answer, min_confidence=0.8, read_strips=asked.read_strips)


def test_all_words_of_a_page_are_put_to_the_line_reader_at_once() -> None:
    asked = Asked(None)
    read(rings(10, 12), asked)
    assert asked.strips == [120]


def test_a_crowd_without_digits_is_left_after_some_lines_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "_MOST_WORDS", 400)
    asked, grey = Asked(None), rings(30, 20)
    page = read(grey, asked)
    assert sum(asked.strips) == 400
    assert not page.lines
    assert [found for found in page.rejected if found.reason == MANY] == [
        Rejected((0, 0, grey.shape[1], grey.shape[0]), MANY)
    ]


def test_a_crowd_of_digits_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "_MOST_WORDS", 400)
    page = read(rings(30, 20), Asked(0))
    assert len(page.digits) == 600
    assert all(digit.accepted for digit in page.digits)
    assert not page.rejected


def test_of_a_page_that_makes_no_sense_other_ways_up_are_read_in_part() -> None:
    asked = Asked(None)
    page = read_any_way_up(
        rings(20, 20), partial(read_page, answer=asked.answer, min_confidence=0.8, read_strips=asked.read_strips)
    )
    assert asked.strips == [400, 100, 100, 100]
    assert not any(found.reason == SAMPLED for found in page.rejected)
    assert len(page.rejected) == 400


def test_a_sample_is_of_whole_lines_from_all_over_the_page() -> None:
    mark = Piece(1, (0, 0, 9, 20), 99)
    words = [UncutWord(line, 20.0, [mark] * 5, [], 20.0) for line in range(50) for _ in range(4)]
    found = sample_of(words, OF_A_WAY_UP)
    lines = sorted({word.line for word in found})
    assert sum(len(word.marks) for word in found) == 100
    assert all(sum(word.line == line for word in found) == 4 for line in lines)
    assert lines[0] < 10
    assert lines[-1] >= 40
    one_line = [UncutWord(0, 20.0, [mark], [], 20.0)] * 500
    assert sample_of(one_line, OF_A_WAY_UP) == one_line  # nothing tells what is left out of it
    assert sample_of(words[:40], OF_A_WAY_UP) == words[:40]  # 200 marks are soon read
