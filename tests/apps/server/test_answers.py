"""Readings as JSON: however it is written down, the bytes are those of the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from digit_recognizer.apps.server.answers import json_bytes, json_list, page_answer, page_bytes
from digit_recognizer.reading import Line, Page, PlacedReading, Rejected


def digit(shown: int) -> PlacedReading:
    """A digit that was read, with a frame of noise."""
    frame = np.random.default_rng(shown).integers(0, 256, (28, 28), np.uint8)
    probabilities = np.eye(10, dtype=np.float32)[shown]
    return PlacedReading(shown, 1.0, True, 0, 0.0, probabilities, frame, box=(1, 2, 3, 4))


@pytest.mark.parametrize("details", [True, False])
@pytest.mark.parametrize(
    "page",
    [
        Page(),
        Page((Line("0", (digit(0),)),), name='a "b" \u00fc \U0001f600\\.png'),
        Page((Line("12", (digit(1), digit(2))), Line("3", (digit(3),))), (Rejected((5, 6, 7, 8), "not a digit"),)),
    ],
)
def test_a_page_written_digit_by_digit_is_the_same_json(page: Page, details: bool) -> None:
    whole = json.dumps(page_answer(page, details), ensure_ascii=False).encode()
    assert page_bytes(page, details) == whole


def test_a_list_written_entry_by_entry_is_the_same_json() -> None:
    for values in ([], [1], [{"a": []}, None, "\u00fc"]):
        assert json_list(map(json_bytes, values)).body == json.dumps(values, ensure_ascii=False).encode() + b"\n"
