"""Varied strips: other pictures of the same text, whose characters are where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.errors import UsageError
from digit_recognizer.training.lines.learn import Learning
from digit_recognizer.training.lines.variation import varied


def bars(columns: list[int], width: int) -> np.ndarray:
    strip = np.zeros((32, width), np.uint8)
    for column in columns:
        strip[4:28, column - 1 : column + 2] = 255
    return strip


@pytest.mark.parametrize("seed", range(20))
def test_characters_are_where_they_are_said_to_be(seed: int) -> None:
    columns = [20, 60, 100, 140]
    strip = bars(columns, 160)
    image, centres = varied(strip, np.array(columns, np.float32), np.random.default_rng(seed))
    assert image.dtype == np.uint8
    assert image.shape[0] == 32
    assert image.shape[1] % 2 == 0
    assert np.all(np.diff(centres) > 20)
    ink = image[13:19].astype(float).sum(axis=0)
    for centre in centres:
        near = slice(max(0, round(float(centre)) - 8), round(float(centre)) + 9)
        found = (ink[near] * np.arange(len(ink))[near]).sum() / ink[near].sum()
        assert abs(found - centre) < 2.5


def test_strips_differ_and_the_same_seed_gives_the_same() -> None:
    strip, centres = bars([10, 30], 40), np.array([10, 30], np.float32)
    first, again, other = (varied(strip, centres, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert first[0].shape != other[0].shape or not np.array_equal(first[0], other[0])
    assert np.array_equal(strip, bars([10, 30], 40))


def test_an_empty_or_narrow_strip_comes_back() -> None:
    for seed in range(20):
        image, centres = varied(np.zeros((32, 2), np.uint8), np.zeros(0, np.float32), np.random.default_rng(seed))
        assert image.shape[0] == 32
        assert len(centres) == 0


def test_an_odd_share_is_refused() -> None:
    with pytest.raises(UsageError, match="varied"):
        Learning(varied=1.5)
