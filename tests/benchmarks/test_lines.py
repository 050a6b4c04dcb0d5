"""The lines that the benchmark composes are what it says they are: seeded, touching or apart, and labelled rightly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.sources.sample import load_sample
from line_peers import digits_of
from line_pictures import OTHERS, SPACINGS, TOUCHING, WITH_GAPS, _drawn, _placed, compose_line
from lines import compose

DIGITS = load_sample().labelled()


def whole_digits() -> list[np.ndarray]:
    """Images of the sample whose ink is in one piece once it is drawn anew."""
    rng = np.random.default_rng(0)
    found = []
    for image in DIGITS.images[:60]:
        ink = _drawn(image, 50, 0.0, 0.3, rng)
        if cv2.connectedComponents((ink > 0.5).astype(np.uint8))[0] == 2:
            found.append(ink)
    return found


@pytest.mark.parametrize("spacing", SPACINGS)
def test_digits_touch_where_they_are_said_to_and_nowhere_else(spacing: str) -> None:
    sprites = whole_digits()[:12]
    assert len(sprites) == 12
    counts = []
    for seed in range(8):
        strip = _placed(sprites, spacing, 50.0, np.random.default_rng(seed))
        counts.append(cv2.connectedComponents((strip > 0.5).astype(np.uint8))[0] - 1)
    if spacing in WITH_GAPS:
        assert counts == [12] * 8
    elif spacing == "all touch":
        assert np.mean(counts) < 3  # but for the few that could only touch by lying on each other
    else:
        assert 5 < np.mean(counts) < 11


def test_the_same_seed_gives_the_same_pictures_and_texts_are_the_labels() -> None:
    first, again = compose(DIGITS, 4, 7), compose(DIGITS, 4, 7)
    longer = compose(DIGITS, 6, 7)
    assert all(np.array_equal(one.grey, other.grey) for one, other in zip(first, again, strict=True))
    assert [line.text for line in longer[:4]] == [line.text for line in first[:4]]
    assert {len(line.text) for line in first if line.spacing in TOUCHING} == {2, 3, 4, 5}
    labels = DIGITS.known_labels()
    rng = np.random.default_rng(3)
    line = compose_line(DIGITS, "normal", 5, rng)
    chosen = np.random.default_rng(3).integers(0, len(DIGITS), 5)
    assert line.text == "".join(str(labels[index]) for index in chosen)
    assert line.grey.dtype == np.uint8


@pytest.mark.parametrize("kind", list(OTHERS))
def test_pictures_without_digits_are_pictures(kind: str) -> None:
    for seed in range(12):
        picture = OTHERS[kind](np.random.default_rng(seed))
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
        assert min(picture.shape) >= 40


def test_of_what_a_peer_says_the_digits_count() -> None:
    assert digits_of("No. 47-11\n 3\f") == "47113"
