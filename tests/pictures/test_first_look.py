"""Full pages are looked at mark by mark first; words of letters need no closer look, and nothing is asked twice."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.first_look import first_look
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.cutting import Piece, frame_of
from digit_recognizer.pictures.words.words import UncutWord, words_of
from tests.pictures.words.test_runs import reader_of


class Asked:
    """Finds frames with little ink strange, and remembers how many it was shown."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.counts.append(len(frames))
        probabilities = np.zeros((len(frames), 10), np.float32)
        ink = frames.mean(axis=(1, 2))
        probabilities[:, 3] = ink / 255
        return probabilities, (ink < 60).astype(np.float32)


def page(rows: int, full: set[int]) -> tuple[PageInk, np.ndarray, list[UncutWord]]:
    """Rows of ten marks, a word each: full blocks in some, thin frames, which are strange, in the others."""
    mask = np.zeros((rows * 30 + 10, 200), np.bool_)
    labels = np.zeros(mask.shape, np.int32)
    words = []
    for row in range(rows):
        marks = []
        for column in range(10):
            x, y = 5 + 15 * column, 5 + 30 * row
            block = np.ones((20, 14), np.bool_)
            if row not in full:
                block[1:-1, 1:-1] = False
            number = 10 * row + column + 1
            mask[y : y + 20, x : x + 14] = block
            labels[y : y + 20, x : x + 14] = block * number
            marks.append(Piece(number, (x, y, 14, 20), int(block.sum())))
        words.append(UncutWord(row, 20.0, marks, [], 20.0))
    return PageInk(mask * np.uint8(255), mask, 2.0), labels, words


def test_a_page_of_few_marks_is_not_looked_at_twice() -> None:
    ink, labels, words = page(20, set())
    asked = Asked()
    looked, told = first_look(words, ink, labels, asked)
    assert (asked.counts, told, looked.marks) == ([], words, {})


@pytest.mark.parametrize(("full", "spelt"), [({3, 7}, True), (set(range(15)), False)])
def test_words_are_letters_where_most_of_a_full_page_is(full: set[int], spelt: bool) -> None:
    ink, labels, words = page(24, full)
    _, told = first_look(words, ink, labels, Asked())
    assert {word.line for word in told if word.is_spelt} == (set(range(24)) - full if spelt else set())


def test_answers_are_those_of_asking_about_each_candidate_and_nothing_is_asked_twice() -> None:
    ink, labels, words = page(24, {3, 7})
    asked = Asked()
    looked, told = first_look(words, ink, labels, asked)
    cut = words_of(ink, labels, told, Expectation(), reader_of([4], sure=0.9999))
    frames, probabilities, unfamiliarity = looked.answers(cut, ink, labels, asked)
    each = np.stack([frame_of(ink, labels, word.pieces, one) for word in cut for one in word.candidates])
    expected = Asked()(each)
    assert (frames == each).all()
    assert (probabilities == expected[0]).all()
    assert (unfamiliarity == expected[1]).all()
    assert len(each) == 240 + 2 * 9  # neighbours in the two words that are no letters may be one digit
    assert asked.counts == [240, len(each) - 240]
