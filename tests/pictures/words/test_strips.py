"""Strips: runs brought to one height, and the way back to where they stood."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.words.strips import (
    HEIGHT,
    INK_HEIGHT,
    MARGIN,
    WIDEST,
    batches,
    own_ink,
    padded,
    stacked,
    strip_of,
)


def bars(height: int, width: int, columns: list[int]) -> np.ndarray:
    """Upright strokes, a tenth of the height broad, the first column of each given."""
    ink = np.zeros((height, width), np.uint8)
    for column in columns:
        ink[:, column : column + max(1, height // 10)] = 255
    return ink


@pytest.mark.parametrize("height", [12, 28, 60, 300])
def test_ink_of_any_size_fills_the_same_rows(height: int) -> None:
    strip = strip_of(np.pad(bars(height, 2 * height, [0, height]), height // 2))
    assert strip is not None
    rows = np.flatnonzero((strip.image >= 64).any(axis=1))
    assert strip.image.shape[0] == HEIGHT
    assert strip.image.shape[1] % 2 == 0
    assert rows[-1] - rows[0] + 1 == pytest.approx(INK_HEIGHT, abs=1)
    assert not strip.image[:, :MARGIN].any()


@pytest.mark.parametrize("height", [14, 45, 200])
def test_a_column_of_the_strip_is_found_again_in_the_run(height: int) -> None:
    columns = [3, height, 2 * height]
    strip = strip_of(bars(height, 3 * height, columns))
    assert strip is not None
    inked = (strip.image >= 128).any(axis=0)
    starts = np.flatnonzero(inked[1:] & ~inked[:-1]) + 1
    assert [strip.at(float(start)) for start in starts] == pytest.approx(columns, abs=1.5 / strip.scale)


def test_no_ink_and_endless_ink_give_no_strip() -> None:
    assert strip_of(np.zeros((20, 30), np.uint8)) is None
    assert strip_of(np.full((20, WIDEST), 255, np.uint8)) is None


def test_a_dash_stays_flat() -> None:
    strip = strip_of(np.full((2, 40), 255, np.uint8))
    assert strip is not None
    assert (strip.image >= 64).any(axis=1).sum() <= 14


def test_a_neighbour_is_left_out_but_soft_edges_stay() -> None:
    strength = np.array([[255, 90, 0, 60, 255], [255, 90, 0, 60, 255]], np.uint8)
    marks = np.array([[1, 0, 0, 0, 2]] * 2, np.int32)
    assert own_ink(strength, marks, [1], (0, 0, 5, 2)).tolist() == [[255, 90, 0, 0, 0]] * 2


def test_batches_hold_every_strip_once_and_unchanged() -> None:
    rng = np.random.default_rng(0)
    strips = [rng.integers(0, 256, (HEIGHT, int(width)), np.uint8) for width in rng.integers(8, 40, 60) * 2]
    seen = []
    for numbers, batch in batches(strips):
        for number, image in zip(numbers, batch, strict=True):
            assert np.array_equal(image, strips[number])
        seen += numbers
    assert sorted(seen) == list(range(60))
    assert len(list(batches(strips))) == len({strip.shape[1] for strip in strips})
    assert stacked(strips[:1]).shape[1:] == strips[0].shape


def test_a_words_strips_are_made_as_wide_as_those_of_like_width() -> None:
    rng = np.random.default_rng(0)
    strips = [rng.integers(1, 256, (HEIGHT, width), np.uint8) for width in (40, 300, 76, 20, 46)]
    found = padded(strips)
    assert [strip.shape[1] for strip in found] == [46, 300, 76, 46, 46]
    for strip, wide in zip(strips, found, strict=True):
        assert np.array_equal(wide[:, : strip.shape[1]], strip)
        assert not wide[:, strip.shape[1] :].any()
