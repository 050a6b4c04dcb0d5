"""Which images of 28x28 pixels lie in MNIST's frame already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.pictures.framed import frame_images, is_framed
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.sources.catalog import load
from tests.conftest import draw_digits


@pytest.fixture
def framed() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([to_frame(image) for image in draw_digits(40).images])


def test_what_ink_has_framed_is_framed_and_comes_back_itself(
    framed: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    assert is_framed(framed).all()
    assert frame_images(framed) is framed


def test_blank_images_are_left_alone() -> None:
    assert is_framed(np.zeros((3, 28, 28), np.uint8)).all()


@pytest.mark.parametrize("change", ["inverted", "shifted", "grey ground", "one stray pixel", "too large"])
def test_other_images_are_framed_one_by_one(
    framed: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], change: str
) -> None:
    images = framed.copy()
    if change == "inverted":
        images = 255 - images
    elif change == "shifted":
        images = np.roll(images, 2, axis=1)
    elif change == "grey ground":
        images = np.maximum(images, 40)
    elif change == "one stray pixel":
        images[:, 0, 0] = 90
    else:
        images = images.repeat(2, axis=1).repeat(2, axis=2)[:, 14:42, 14:42]
    mixed = np.concatenate([framed[:5], images])
    assert not is_framed(images).any()
    assert is_framed(mixed)[:5].all()
    assert np.array_equal(frame_images(mixed), np.stack([to_frame(image) for image in mixed]))


def test_memory_order_and_number_do_not_matter(framed: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    images = np.concatenate([framed, 255 - framed] * 20)
    expected = np.tile(np.arange(80) < 40, 20)
    for same in (images, np.asfortranarray(images), np.repeat(images, 2, axis=0)[::2]):
        assert np.array_equal(is_framed(same), expected)
    assert is_framed(images[:0]).shape == (0,)


def test_every_training_image_of_mnist_is_framed(real_data: Path) -> None:
    assert is_framed(load(str(real_data / "mnist")).labelled().images).all()
