"""Figures of frames: each against the picture that it describes, counted by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from digit_recognizer.analysis.inputs import MEASURES, InputFigures, input_figures, measure
from tests.conftest import draw_digits


def by_hand(frame: np.ndarray) -> list[int]:
    """What ``measure`` gives for one frame, pixel by pixel."""
    values = [int(value) for value in frame.ravel()]
    rows, columns = np.nonzero(frame >= 32)
    longer = 0 if not len(rows) else max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    return [sum(values), sum(v >= 128 for v in values), sum(32 <= v < 224 for v in values), longer]


def test_every_measure_is_what_counting_pixels_gives() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    frames = np.concatenate([draw_digits(50).images, noise, np.zeros((1, 28, 28), np.uint8)])
    np.testing.assert_array_equal(measure(frames), [by_hand(frame) for frame in frames])


def test_the_figures_of_a_bar_are_those_of_its_pixels() -> None:
    frames = np.zeros((3, 28, 28), np.uint8)
    frames[0, 4:24, 12:16] = 255  # the third one stays blank: nobody reads it
    frames[1, 4:14, 12:16] = 100
    answers = np.eye(10)[[1, 1, 7]] * np.array([[0.9], [0.4], [1]])
    figures = input_figures(frames, answers, min_confidence=0.3)
    assert figures.frames == 2
    assert figures.shares == (0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    assert figures.inked.mean == pytest.approx(80 / 784 / 2, abs=1e-6)
    assert figures.soft.mean == pytest.approx(40 / 784 / 2, abs=1e-6)
    assert figures.ink.mean == pytest.approx((80 * 255 + 40 * 100) / 784 / 255 / 2, abs=1e-6)
    assert (figures.size.mean, figures.size.deviation) == (15, 5)
    assert (figures.confidence.mean, figures.confidence.deviation) == (0.65, 0.25)
    assert figures.accepted == 0.5  # sure enough are both, but the second is rather no digit


def test_figures_are_the_means_and_deviations_of_the_measures() -> None:
    frames = draw_digits(60, seed=2).images
    figures = input_figures(frames, np.full((60, 10), 0.1), 0.5)
    for place, (name, unit) in enumerate(MEASURES.items()):
        values = measure(frames)[:, place] / unit
        spread = getattr(figures, name)
        assert (spread.mean, spread.deviation) == pytest.approx((values.mean(), values.std()), abs=1e-6)


def test_figures_come_back_from_json() -> None:
    figures = input_figures(draw_digits(30).images, np.full((30, 10), 0.1), 0.05)
    assert InputFigures.from_dict(json.loads(json.dumps(figures.to_dict()))) == figures
    nothing = input_figures(np.zeros((4, 28, 28), np.uint8), np.full((4, 10), 0.1), 0.05)
    assert nothing.frames == 0
    assert InputFigures.from_dict(json.loads(json.dumps(nothing.to_dict()))) == nothing


@pytest.mark.parametrize(
    "change",
    [
        {"ink": None},
        {"ink": {"mean": 1}},
        {"ink": {"mean": "1", "deviation": 0}},
        {"ink": {"mean": True, "deviation": 0}},
        {"ink": {"mean": -1, "deviation": 0}},
        {"size": {"mean": float("inf"), "deviation": 0}},
        {"shares": [0.1] * 9},
        {"shares": 3},
        {"frames": float("nan")},
        {"accepted": []},
    ],
)
def test_what_is_no_figure_is_refused(change: dict[str, Any]) -> None:
    good = input_figures(draw_digits(30).images, np.full((30, 10), 0.1), 0.05).to_dict()
    with pytest.raises(ValueError, match="expected"):
        InputFigures.from_dict({**good, **change})
    for name in change:
        with pytest.raises(ValueError, match=name):
            InputFigures.from_dict({key: value for key, value in good.items() if key != name})
