"""A number whose digits are not sure enough alone is accepted where a second reader, made up here, reads the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.expectation import Expectation, parse_expectation
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.vouched import may_be_vouched_for, vouched, vouched_refused
from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.words.ctc import LogProbabilities
from digit_recognizer.pictures.words.strips import Grey
from digit_recognizer.reading import NOT_A_DIGIT, UNSURE, Line, PlacedReading, Rejected, refused
from tests.pictures.numbers.test_context import digit
from tests.pictures.test_page import answer, on_paper, page_of
from tests.pictures.words.test_runs import reader_of

THRESHOLD = 0.995


def word_of(*confidences: float) -> list[PlacedReading]:
    """The digits 0, 1, 2, ..., accepted from the threshold on."""
    return [
        replace(digit(at, at, confidence=one), accepted=one >= THRESHOLD, reason=None if one >= THRESHOLD else UNSURE)
        for at, one in enumerate(confidences)
    ]


@pytest.mark.parametrize(
    ("confidences", "agreement", "accepted"),
    [
        ((0.999, 0.97), 0.965, True),
        ((0.97, 0.96, 0.98), 0.945, True),  # each digit for itself, however many there are
        ((0.999, 0.97, 0.97, 0.999, 0.98, 0.999), 0.89, True),  # a longer text may be less likely
        ((0.999, 0.97), 0.95, False),  # the line reader is not sure enough
        ((0.91, *[0.999] * 7), 0.93, False),  # 0.09 x 0.07 is more than 0.005
        ((0.91, *[0.999] * 7), 0.95, True),
        ((0.999, 0.89), 0.999, False),  # the digit is unlikely, whoever agrees
    ],
)
def test_both_readers_are_hardly_wrong_together(
    confidences: tuple[float, ...], agreement: float, accepted: bool
) -> None:
    found = vouched(word_of(*confidences), agreement, THRESHOLD)
    assert (found is not None) is accepted
    if found is not None:
        assert [(one.accepted, one.reason) for one in found] == [(True, None)] * len(confidences)
        assert [one.confidence for one in found] == list(confidences)


@pytest.mark.parametrize(("threshold", "accepted"), [(0.99, True), (0.99995, False), (1.0, False), (2.0, False)])
def test_a_stricter_threshold_asks_for_more(threshold: float, accepted: bool) -> None:
    assert (vouched(word_of(0.98), 0.995, threshold) is not None) is accepted


def test_nobody_vouches_for_what_is_refused_for_another_reason_or_needs_no_voucher() -> None:
    first, second = word_of(0.999, 0.97)
    assert may_be_vouched_for([first, second])
    assert not may_be_vouched_for([first])
    assert not may_be_vouched_for([refused(first, "bars"), second])
    assert vouched([refused(first, "bars"), second], 0.999, THRESHOLD) is None


def line_of(*others: tuple[int, int, int]) -> list[ReadWord]:
    """A number of two digits that was vouched for, from 100 to 124, and words beside it, (from, to, height), unread."""
    digits = tuple(
        replace(one, box=(100 + 14 * at, 0, 10, 20), accepted=True, reason=None)
        for at, one in enumerate(word_of(0.999, 0.97))
    )
    unread = [
        ReadWord(0, 20.0, "", (), (Rejected((start, 20 - height, end - start, height), NOT_A_DIGIT),))
        for start, end, height in others
    ]
    return [*unread, ReadWord(0, 20.0, "01", digits, ())]


@pytest.mark.parametrize(
    ("others", "accepted"),
    [
        ((), True),
        (((60, 90, 20),), False),  # 0.5 heights before it
        (((140, 190, 12),), False),
        (((20, 60, 20),), True),  # 2 heights before it: a label
        (((110, 114, 6),), True),  # dirt
    ],
)
def test_nobody_vouches_where_a_part_of_the_line_may_be_lost(
    others: tuple[tuple[int, int, int], ...], accepted: bool
) -> None:
    words = line_of(*others)
    found = vouched_refused(words, THRESHOLD)
    assert [(one.accepted, one.reason) for one in found[-1].digits] == [
        (True, None),
        (True, None) if accepted else (False, UNSURE),
    ]
    assert found[:-1] == words[:-1]


def test_what_is_accepted_alone_stays_so_beside_what_was_not_read() -> None:
    words = line_of((60, 90, 20))
    assert vouched_refused(words, 0.9) == words
    assert vouched_refused([replace(word, line=at) for at, word in enumerate(words)], THRESHOLD)[-1].digits[1].accepted


def read(said: Sequence[int], expectation: Expectation, sure: float) -> Line:
    """A drawn 3542, each digit of which is read with a confidence of 0.98, and all of them together as ``said``."""

    def doubting(frames: Grey) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        probabilities = np.full((len(frames), 10), 0.02 / 9, np.float32)
        probabilities[np.arange(len(frames)), answer(frames)[0].argmax(axis=1)] = 0.98
        return probabilities, np.zeros(len(frames), np.float32)

    def reader(strips: Sequence[Grey]) -> list[LogProbabilities]:
        return [reader_of(said if strip.shape[1] > 80 else [3], sure)([strip])[0] for strip in strips]

    picture = on_paper(page_of(["3542"], gap=0.15))
    (line,) = read_page(picture, doubting, expectation, min_confidence=THRESHOLD, read_strips=reader).lines
    return line


@pytest.mark.parametrize("expect", [None, 4])
def test_a_page_accepts_a_line_that_both_read_alike(expect: int | None) -> None:
    expectation = parse_expectation(expect)
    line = read([3, 5, 4, 2], expectation, sure=0.9999)
    assert (line.text, line.accepted, line.reason) == ("3542", True, None)
    assert [one.confidence for one in line.digits] == pytest.approx([0.98] * 4)
    for other in (read([3, 5, 2], expectation, sure=0.9999), read([3, 5, 4, 2], expectation, sure=0.99)):
        assert (other.text, other.accepted, other.reason) == ("3542", False, UNSURE)
