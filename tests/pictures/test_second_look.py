"""What is not surely read is shown to a cell reader, made up here, as well: alone, and only where it may help."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer.pictures.cell_view import PAPER
from digit_recognizer.pictures.numbers.chosen import Chosen
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.second_look import looked_at_again, mark_views, one_after_all
from digit_recognizer.pictures.words.cutting import Candidate, Piece
from digit_recognizer.pictures.words.paths import Step
from digit_recognizer.pictures.words.runs import Run
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import PlacedReading, readings

BOX = (20, 20, 10, 20)


class Reader:
    """A cell reader that says the same of every view: (digit, probability); the rest is no digit. Counts its views."""

    def __init__(self, digit: int, probability: float) -> None:
        self.answer = np.zeros(12, np.float32)
        self.answer[digit], self.answer[11] = probability, 1 - probability
        self.views = 0

    def __call__(self, views: np.ndarray) -> np.ndarray:
        self.views += len(views)
        return np.tile(self.answer, (len(views), 1))


def page(*boxes: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The depth and the labels of marks that fill their boxes; around each a pixel of softer edge."""
    depth, labels = np.zeros((60, 80), np.float32), np.zeros((60, 80), np.int32)
    for number, (x, y, width, height) in enumerate(boxes, 1):
        edge = depth[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
        np.maximum(edge, 40, out=edge)
        depth[y : y + height, x : x + width] = 90
        labels[y : y + height, x : x + width] = number
    return depth, labels


def test_a_mark_is_shown_without_its_neighbours_and_their_edges() -> None:
    alone, both = page(BOX), page(BOX, (33, 15, 4, 30))
    views = mark_views(*both, [([1], BOX), ([1, 2], BOX)])
    assert (views[0] == mark_views(*alone, [([1], BOX)])[0]).all()
    assert (views[1] != views[0]).any()


def test_what_lies_beyond_the_page_is_paper() -> None:
    box = (0, 50, 6, 10)
    (view,) = mark_views(*page(box), [([1], box)])
    assert view.max() > 150
    assert (view[:, :6] == PAPER).all()
    assert (view[-2:] == PAPER).all()


def cut_word(one: float) -> Word:
    """A word of one mark that a line reader cut into 0 and 1, and a digit beside it. one: what it costs to be one."""
    pieces = [Piece(1, (20, 20, 10, 20), 200), Piece(2, (30, 20, 6, 20), 120, 0.01), Piece(3, (45, 20, 10, 20), 200)]
    sure = np.eye(10, dtype=np.float32)[[0, 1]]
    run = Run(0, 2, sure, np.zeros(2, np.float32), 0.1, one)
    spans = ((0, 1, 0.1, True), (0, 2, one, False), (1, 2, 0.0, True), (2, 3, 0.0, True))
    found = [Candidate(start, end, pieces[start].box, cost, whole=whole) for start, end, cost, whole in spans]
    return Word(0, 20.0, pieces, found, [], [run], 20.0)


def costs(word: Word) -> dict[tuple[int, int], float]:
    return {(found.start, found.end): found.parting for found in word.candidates}


def test_what_the_cell_reader_reads_as_one_digit_is_one() -> None:
    word, (depth, labels) = cut_word(2.0), page((20, 20, 10, 20), (30, 20, 6, 20), (45, 20, 10, 20))
    (found,) = one_after_all([word], depth, labels, Reader(9, 0.8))
    assert costs(found)[0, 2] == 0 < costs(word)[0, 1] + 5 < costs(found)[0, 1]
    assert next(one for one in found.candidates if one.end == 2).whole
    assert {span: cost for span, cost in costs(found).items() if span[0] > 0} == {(1, 2): 0.0, (2, 3): 0.0}


@pytest.mark.parametrize(("one", "said", "views"), [(2.0, 0.2, 1), (6.0, 0.9, 0)])
def test_several_digits_stay_where_either_reader_says_so(one: float, said: float, views: int) -> None:
    word, reader = cut_word(one), Reader(9, said)
    assert one_after_all([word], *page(BOX), reader) == [word]
    assert reader.views == views


def read(*rows: dict[int, float]) -> Chosen:
    """A word of marks side by side that were read with these probabilities."""
    pieces = [Piece(number, (20 * number, 20, 10, 20), 200) for number in range(1, len(rows) + 1)]
    found = [Candidate(at, at + 1, piece.box, whole=True) for at, piece in enumerate(pieces)]
    probabilities = np.zeros((len(rows), 10), np.float32)
    for row, values in zip(probabilities, rows, strict=True):
        for digit, probability in values.items():
            row[digit] = probability
    strange = (1 - probabilities.sum(axis=1)).astype(np.float32)
    frames = np.full((len(rows), 28, 28), 7, np.uint8)
    digits = [
        PlacedReading.of(reading, piece.box)
        for reading, piece in zip(
            readings(probabilities, [""] * len(rows), 0.99, frames=frames, unfamiliarity=strange), pieces, strict=True
        )
    ]
    path = [Step(at, digit.digit) for at, digit in enumerate(digits)]
    return Chosen(Word(0, 20.0, pieces, found, [], [], 20.0), path, digits, probabilities, strange)


def again(way: Chosen, reader: Reader) -> list[PlacedReading]:
    depth, labels = page(*(piece.box for piece in way.word.pieces))
    (found,) = looked_at_again([way], depth, labels, reader, 0.99)
    assert isinstance(found, Chosen)
    return list(found.digits)


def test_an_unsure_digit_is_what_both_say_together_and_a_sure_one_is_not_shown() -> None:
    way, reader = read({4: 0.5, 9: 0.4}, {7: 0.95, 1: 0.05}), Reader(9, 0.9)
    first, second = again(way, reader)
    assert (first.digit, first.second, first.box, reader.views) == (9, 4, way.digits[0].box, 1)
    four, nine = 0.5**0.7 * 1e-4**0.3, 0.4**0.7 * 0.9**0.3
    nobody = 8 * (1e-4**0.7 * 1e-4**0.3)
    assert first.confidence == pytest.approx(0.9 * nine / (four + nine + nobody), abs=1e-4)
    assert math.isclose(first.unfamiliarity, 0.1, abs_tol=1e-5)  # the digit model's word
    assert (first.frame == 7).all()
    assert second is way.digits[1]


def test_a_digit_that_a_check_digit_asked_for_stays_and_so_do_other_words() -> None:
    way, reader = read({4: 0.5, 9: 0.4}), Reader(9, 0.9)
    asked = replace(way, digits=[replace(way.digits[0], digit=9, confidence=0.4)])
    assert again(asked, reader) == list(asked.digits)
    none = ReadWord(0, 20.0, "", (), ())
    assert looked_at_again([none, asked], *page(BOX), reader, 0.99) == [none, asked]
    assert reader.views == 0
