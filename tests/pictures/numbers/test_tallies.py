"""Bare strokes in groups are read and not accepted: they may be a tally."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.tallies import TALLY, tallies_refused
from tests.pictures.numbers.test_context import number

STROKE = cv2.line(np.zeros((28, 28), np.uint8), (16, 4), (13, 23), 255, 2)
FLAGGED = cv2.line(STROKE.copy(), (16, 4), (7, 12), 255, 2)


def of(text: str, line: int = 0, frame: np.ndarray = STROKE) -> ReadWord:
    """A number whose 1s look like that."""
    word = number(text, line)
    return replace(word, digits=tuple(replace(one, frame=frame) if one.digit == 1 else one for one in word.digits))


@pytest.mark.parametrize("texts", [["111"], ["1111"], ["59", "1111"], ["59", "11", "97", "11"], ["1111", "11", "1"]])
def test_groups_of_strokes_are_not_accepted(texts: list[str]) -> None:
    words = [of(text, line) for line, text in enumerate(texts)]
    for before, after in zip(words, tallies_refused(words), strict=True):
        is_group = set(before.text) == {"1"} and len(before.text) > 1
        assert after.text == before.text
        assert [one.accepted for one in after.digits] == [not is_group] * len(before.digits)
        assert [one.reason for one in after.rejected] == [TALLY] * is_group


@pytest.mark.parametrize(
    "words",
    [
        [of("11")],
        [of("1"), of("1", 1), of("1", 2)],
        [of("1117")],
        [of("11"), of("115", 1)],
        [of("1111", frame=FLAGGED)],
        [number("111")],
    ],
)
def test_other_1s_are(words: list[ReadWord]) -> None:
    assert tallies_refused(words) == words
