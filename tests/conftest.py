"""Fixtures shared by all tests: drawn digits, and the real data where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.digits import Digits


@pytest.fixture
def real_data() -> Path:
    """The folder of development data. Skips loudly, naming the variable, where it is not there."""
    folder = os.environ.get("DIGITS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data not found: set DIGITS_DATA to its folder to run this test")
    return Path(folder)


def draw_digits(count: int = 100, seed: int = 0, labelled: bool = True) -> Digits:
    """Digits drawn by the tests themselves: seven-segment strokes with jitter, every class in turn."""
    segments = {
        0: "abcdef", 1: "bc", 2: "abged", 3: "abgcd", 4: "fgbc",
        5: "afgcd", 6: "afgedc", 7: "abc", 8: "abcdefg", 9: "abfgcd",
    }  # fmt: skip
    boxes = {
        "a": (4, 6, 9, 19), "g": (13, 15, 9, 19), "d": (22, 24, 9, 19),
        "f": (4, 15, 8, 10), "b": (4, 15, 18, 20), "e": (13, 24, 8, 10), "c": (13, 24, 18, 20),
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 28, 28), np.uint8)
    labels = np.arange(count) % 10
    for image, label in zip(images, labels, strict=True):
        for segment in segments[int(label)]:
            top, bottom, left, right = boxes[segment]
            image[top:bottom, left:right] = rng.integers(160, 256)
        image[:] = np.roll(image, rng.integers(-2, 3, size=2), axis=(0, 1))
        image[:] = np.clip(image.astype(int) + rng.integers(0, 12, image.shape) * (image > 0), 0, 255)
    return Digits(images, labels if labelled else None)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the cache folder of the person who runs it."""
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def digits() -> Digits:
    return draw_digits()
