"""A word read once more at one go, by a line reader made up here: where that is taken, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from digit_recognizer.pictures.numbers.at_once import read_at_once
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.ctc import OTHER, LogProbabilities
from digit_recognizer.pictures.words.cutting import Piece
from digit_recognizer.pictures.words.runs import share_ink
from digit_recognizer.pictures.words.strips import Grey
from digit_recognizer.pictures.words.words import Word
from digit_recognizer.reading import PlacedReading, Reading
from tests.pictures.test_page import answer, on_paper, page_of
from tests.pictures.words.test_runs import reader_of

FRAME = np.zeros((28, 28), np.uint8)


def four_marks() -> tuple[PageInk, Labels, Word]:
    """Four bars of 10 x 20 pixels, 4 apart, as pieces of one word."""
    labels = np.zeros((24, 60), np.int32)
    pieces = []
    for place in range(4):
        left = 2 + 14 * place
        labels[2:22, left : left + 10] = place + 1
        pieces.append(Piece(place + 1, (left, 2, 10, 20), 200))
    mask = labels > 0
    ink = PageInk(np.where(mask, 255, 0).astype(np.uint8), mask, 4.0)
    return ink, labels, Word(0, 20.0, pieces, [], [], [], 20.0)


def digits(text: str, confidence: float = 0.7) -> list[PlacedReading]:
    found = []
    for place, letter in enumerate(text):
        row = np.full(10, (1 - confidence) / 9, np.float32)
        row[int(letter)] = confidence
        reading = Reading(int(letter), confidence, False, (int(letter) + 1) % 10, 0.0, row, FRAME)
        found.append(PlacedReading.of(reading, (14 * place, 2, 10, 20)))
    return found


def nobody(strips: Sequence[Grey]) -> list[LogProbabilities]:
    raise AssertionError("asked")


def test_what_is_likelier_than_the_parts_is_taken_and_has_its_own_ink() -> None:
    ink, labels, word = four_marks()
    found = read_at_once([(word, digits("4713"))], ink, labels, reader_of([4, 7, 7, 3], sure=0.999), 0.9)[0]
    assert found is not None
    assert [digit.digit for digit in found] == [4, 7, 7, 3]
    assert all(digit.accepted for digit in found)
    lefts = [digit.box[0] for digit in found]
    assert lefts == sorted(lefts)
    assert all(digit.frame.any() for digit in found)
    assert sorted(set(labels.ravel().tolist())) == [0, 5, 6, 7, 8]
    assert (labels > 0).sum() == ink.mask.sum()


def test_one_digit_of_two_marks_and_two_of_one_are_possible() -> None:
    ink, labels, word = four_marks()
    found = read_at_once([(word, digits("4713"))], ink, labels, reader_of([4, 7, 1, 1, 3], sure=0.999), 0.9)[0]
    assert found is not None
    assert [digit.digit for digit in found] == [4, 7, 1, 1, 3]


@pytest.mark.parametrize(
    ("parts", "confidence", "said", "sure"),
    [
        ("4713", 0.7, [4, 7, 1, 3], 0.999),  # says the same
        ("4713", 0.7, [4, 7, OTHER, 3], 0.999),  # sees a letter
        ("4713", 0.7, [4, 7, 3], 0.999),  # too short to be believed
        ("4713", 0.7, [], 0.999),  # sees nothing
        ("4713", 0.7, [4, 7, 7, 3], 0.9),  # doubts more than is let pass
        ("4713", 0.98, [4, 7, 7, 3], 0.98),  # doubts more than the parts do
    ],
)
def test_else_the_parts_stay(parts: str, confidence: float, said: list[int], sure: float) -> None:
    ink, labels, word = four_marks()
    before = labels.copy()
    assert read_at_once([(word, digits(parts, confidence))], ink, labels, reader_of(said, sure), 0.9)[0] is None
    assert (labels == before).all()


@pytest.mark.parametrize("parts", [digits("4713", 0.9995), digits("47", 0.5), []])
def test_a_sure_or_short_word_is_not_asked_about(parts: list[PlacedReading]) -> None:
    ink, labels, word = four_marks()
    assert read_at_once([(word, parts)], ink, labels, nobody, 0.9)[0] is None


def test_no_digit_is_left_without_ink() -> None:
    _, labels, _ = four_marks()
    before = labels.copy()
    assert share_ink(labels, [1, 2, 3, 4], (2, 2, 52, 20), [8.0, 12.4, 15.2, 47.0], [5, 6, 7, 8]) == []
    assert (labels == before).all()


@pytest.mark.parametrize(("confidence", "text"), [(0.7, "2718"), (1.0, "3142")])
def test_a_page_asks_where_its_digits_are_doubtful(confidence: float, text: str) -> None:
    def doubting(frames: Grey) -> tuple[np.ndarray, np.ndarray]:
        probabilities = np.full((len(frames), 10), (1 - confidence) / 9, np.float32)
        probabilities[np.arange(len(frames)), answer(frames)[0].argmax(axis=1)] = confidence
        return probabilities, np.zeros(len(frames), np.float32)

    def read(strips: Sequence[Grey]) -> list[LogProbabilities]:
        """Single marks are one digit, all of them together four."""
        return [reader_of([2, 7, 1, 8] if strip.shape[1] > 80 else [3], 0.999)([strip])[0] for strip in strips]

    page = read_page(on_paper(page_of(["3142"])), doubting, read_strips=read)
    assert [line.text for line in page.lines] == [text]
