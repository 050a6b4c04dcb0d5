"""Readings from probabilities: the same as one by one, and a reason for each that is not accepted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.reading import Box, Line, Page, PlacedReading, Reading, readings, refused


def softmax_rows(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    powers = np.exp(np.random.default_rng(seed).normal(0, 2, (count, 10)))
    rows: npt.NDArray[np.float32] = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return rows


def inked(count: int) -> npt.NDArray[np.uint8]:
    return np.full((count, 28, 28), 255, np.uint8)


def test_many_readings_are_what_sorting_each_row_gives() -> None:
    rows = softmax_rows(200)
    found = readings(rows, list(map(str, range(200))), 0.6, frames=inked(200))
    for row, reading in zip(rows, found, strict=True):
        ranked = sorted(range(10), key=lambda digit: -row[digit])
        assert (reading.digit, reading.second) == (ranked[0], ranked[1])
        assert (reading.confidence, reading.second_confidence) == (row[ranked[0]], row[ranked[1]])
        assert reading.accepted == (row[ranked[0]] >= 0.6) == (reading.reason is None)
        assert np.array_equal(reading.probabilities, row)
    assert {reading.reason for reading in found} == {None, "unsure"}


def test_a_reading_is_printed_in_a_line_without_its_pixels() -> None:
    (reading,) = readings(np.full((1, 10), 0.1, np.float32), ["tie"], 0.0, frames=inked(1))
    shown = repr(reading)
    assert shown.startswith("Reading(digit=0, confidence=0.1")
    assert "\n" not in shown
    assert "array" not in shown


def test_pages_are_equal_where_what_they_say_is() -> None:
    def page(digit: int, box: Box = (1, 2, 3, 4)) -> Page:
        (reading,) = readings(np.eye(10, dtype=np.float32)[[digit]], [""], 0.9, frames=inked(1))
        return Page((Line(str(digit), (PlacedReading.of(reading, box),)),), name="a.png")

    assert page(7) == page(7)
    assert len({page(7), page(7), page(7, box=(1, 2, 3, 5)), page(1)}) == 3


def test_of_equal_probabilities_the_smaller_digit_comes_first() -> None:
    (reading,) = readings(np.full((1, 10), 0.1, np.float32), ["tie"], 0.0, frames=inked(1))
    assert (reading.digit, reading.second, reading.accepted) == (0, 1, True)


@pytest.mark.parametrize(
    ("unfamiliarity", "ink", "min_confidence", "reason"),
    [
        (0.0, 255, 0.5, None),
        (0.0, 255, 0.999, "unsure"),
        (0.4, 255, 0.7, "unsure"),
        (0.6, 255, 0.0, "not a digit"),
        (0.6, 255, 0.9, "not a digit"),
        (0.0, 0, 0.0, "blank"),
        (0.9, 0, 0.9, "blank"),
    ],
)
def test_each_reading_that_is_not_accepted_says_why(
    unfamiliarity: float, ink: int, min_confidence: float, reason: str | None
) -> None:
    row = np.full((1, 10), 0.01, np.float32)
    row[0, 3] = 0.91
    (reading,) = readings(
        row * np.float32(1 - unfamiliarity),
        ["a"],
        min_confidence,
        frames=np.full((1, 28, 28), ink, np.uint8),
        unfamiliarity=np.array([unfamiliarity], np.float32),
    )
    assert reading.reason == reason
    assert reading.accepted == (reason is None)
    assert reading.probabilities.sum() == pytest.approx(1 - reading.unfamiliarity, abs=1e-6)
    assert reading.confidence == reading.probabilities.max()
    assert (reading.confidence == 0) == (reason == "blank")


def test_what_was_handed_in_is_left_as_it_was() -> None:
    rows, before = softmax_rows(3), softmax_rows(3)
    frames = inked(3)
    frames[1] = 0
    readings(rows, ["a", "b", "c"], 0.5, frames=frames)
    assert np.array_equal(rows, before)


def test_a_reading_is_small_and_cannot_be_changed() -> None:
    (reading,) = readings(softmax_rows(1), ["a"], 0.5, frames=inked(1))
    assert not hasattr(reading, "__dict__")
    with pytest.raises(AttributeError):
        reading.digit = 3  # type: ignore[misc]
    columns = ["name", "digit", "confidence", "accepted", "second", "second_confidence"]
    assert list(Reading.to_dict(reading)) == columns


def test_names_must_be_as_many_as_rows() -> None:
    with pytest.raises(ValueError, match="zip"):
        readings(softmax_rows(2), ["a"], 0.5, frames=inked(2))


def test_a_line_tells_what_speaks_against_its_number_before_the_doubts_of_single_digits() -> None:
    def digit(reason: str | None) -> PlacedReading:
        nothing = np.zeros(10, np.float32), np.zeros((28, 28), np.uint8)
        return PlacedReading(7, 0.9, reason is None, 1, 0.0, *nothing, reason=reason)

    assert Line("77", (digit(None), digit(None))).reason is None
    assert Line("77", (digit(None), digit("unsure"))).reason == "unsure"
    assert Line("777", (digit("unsure"), digit("bars"), digit("too small"))).reason == "bars"
    assert refused(digit("unsure"), "bars").reason == "unsure"
