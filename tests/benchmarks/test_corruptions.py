"""Each corruption does what its published description says, checked by another road."""

from __future__ import annotations

import doctest
import math

import numpy as np
import numpy.typing as npt
import pytest

import corruptions
from corruptions import CORRUPTIONS, corrupt, plasma
from tests.conftest import draw_digits

Images = npt.NDArray[np.uint8]

FIXED = ("scale", "brightness", "stripe", "canny edges")  # nothing about them is random


def dots(count: int, row: int, column: int) -> Images:
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, row, column] = 255
    return images


def centre(image: Images) -> tuple[float, float]:
    total = image.sum(dtype=float)
    return (
        float(image.sum(axis=1, dtype=float) @ np.arange(28) / total),
        float(image.sum(axis=0, dtype=float) @ np.arange(28) / total),
    )


def test_the_list_is_the_published_one() -> None:
    published = (
        "shot noise, impulse noise, glass blur, motion blur, shear, scale, rotate, brightness, translate, stripe, fog, "
        "spatter, dotted line, zigzag, canny edges"
    )
    assert ", ".join(CORRUPTIONS) == published


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_gives_other_frames_and_leaves_its_own_alone(name: str) -> None:
    images = draw_digits(20).images.copy()
    before = images.copy()
    result = corrupt(images, name)
    assert result.shape == images.shape
    assert result.dtype == np.uint8
    assert (result != before).any(axis=(1, 2)).all()
    assert (images == before).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_seed_alone_decides(name: str) -> None:
    images = draw_digits(20).images
    assert (corrupt(images, name, 1) == corrupt(images, name, 1)).all()
    assert (corrupt(images, name, 1) == corrupt(images, name, 2)).all() == (name in FIXED)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_images_stay_no_images(name: str) -> None:
    assert corrupt(np.zeros((0, 28, 28), np.uint8), name).shape == (0, 28, 28)


def test_another_name_is_refused() -> None:
    with pytest.raises(KeyError):
        corrupt(draw_digits(1).images, "frost")


def test_translate_shifts_by_three_pixels_along_both_axes() -> None:
    images = np.pad(draw_digits(40).images[:, 4:24, 4:24], ((0, 0), (4, 4), (4, 4)))  # nothing leaves the frame
    seen = set()
    for image, result in zip(images, corrupt(images, "translate"), strict=True):
        rolled = {(dy, dx): np.roll(image, (dy, dx), (0, 1)) for dy in (-3, 3) for dx in (-3, 3)}
        matching = [shift for shift, other in rolled.items() if (other == result).all()]
        assert len(matching) == 1
        seen.update(matching)
    assert len(seen) == 4


def test_rotate_moves_a_dot_along_its_circle_to_either_side() -> None:
    images = dots(30, 5, 13)
    images[:, 5, 14] = 255  # the two together lie at column 13.5, 8.5 above the middle
    angles = []
    for result in corrupt(images, "rotate"):
        row, column = centre(result)
        angles.append(math.atan2(column - 13.5, 13.5 - row))
        assert math.hypot(row - 13.5, column - 13.5) == pytest.approx(8.5, abs=0.1)
    assert np.abs(angles) == pytest.approx(np.full(30, 0.4), abs=0.02)
    assert min(angles) < 0 < max(angles)


def test_shear_moves_a_row_in_proportion_to_its_height() -> None:
    images = dots(30, 5, 13)
    images[:, 5, 14] = 255
    for result in corrupt(images, "shear"):
        row, column = centre(result)
        height = 8.5 / math.cos(0.4)
        assert 13.5 - row == pytest.approx(height, abs=0.1)
        assert abs(column - 13.5) == pytest.approx(height * math.sin(0.4), abs=0.1)


def test_scale_shrinks_twenty_pixels_to_fourteen() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[:, 4:24, 4:24] = 255
    result = corrupt(image, "scale")[0]
    assert math.sqrt(result.sum() / 255) == pytest.approx(14, abs=0.1)
    assert centre(result) == pytest.approx((13.5, 13.5), abs=0.01)


def test_shot_noise_counts_three_photons_at_most_often_and_keeps_the_mean() -> None:
    grey = np.full((50, 28, 28), 85, np.uint8)  # a third of the range: one photon on average
    result = corrupt(grey, "shot noise")
    assert set(np.unique(result)) == {0, 85, 170, 255}
    expected = sum(min(k, 3) * math.exp(-1) / math.factorial(k) for k in range(12)) * 85
    assert result.mean() == pytest.approx(expected, rel=0.02)


def test_impulse_noise_hits_seventeen_in_a_hundred_pixels_half_of_them_white() -> None:
    result = corrupt(np.full((50, 28, 28), 100, np.uint8), "impulse noise")
    assert (result != 100).mean() == pytest.approx(0.17, abs=0.01)
    assert (result == 255).mean() == pytest.approx((result == 0).mean(), abs=0.01)


def test_stripe_applied_twice_is_nothing() -> None:
    images = draw_digits(5).images
    once = corrupt(images, "stripe")
    assert (corrupt(once, "stripe") == images).all()
    assert (once[:, :, 7:21] == images[:, :, 7:21]).all()


def test_motion_blur_draws_a_tail_to_one_side_only() -> None:
    for result in corrupt(dots(20, 14, 14), "motion blur"):
        assert result[:, 15:].sum() == 0
        assert result[14, 14] > 50
        assert result.sum(dtype=float) == pytest.approx(255, abs=30)  # spread, less what rounding down takes
        row, column = centre(result)
        assert 10 < column < 13.5
        assert abs(row - 14) <= 14 - column + 0.5  # within 45 degrees of the horizontal


def test_glass_blur_keeps_most_of_the_ink_near_its_place() -> None:
    image = np.zeros((10, 28, 28), np.uint8)
    image[:, 10:18, 10:18] = 255
    result = corrupt(image, "glass blur")
    assert result.sum(axis=(1, 2), dtype=float) == pytest.approx(np.full(10, 64 * 255.0), rel=0.03)
    assert result[:, :5].max() == 0


def test_fog_is_weaker_where_the_digit_is_and_spans_clouds_from_0_to_1() -> None:
    clouds = plasma(np.random.default_rng(0), 6)
    assert clouds.shape == (6, 256, 256)
    assert clouds.min(axis=(1, 2)).tolist() == [0] * 6
    assert clouds.max(axis=(1, 2)).tolist() == [1] * 6
    # Neighbours resemble each other far more than pixels apart: it is a cloud, no noise. It wraps around its edges.
    assert np.abs(np.diff(clouds, axis=2)).mean() < 0.5 * np.abs(clouds - np.roll(clouds, 64, axis=2)).mean()
    black = corrupt(np.zeros((4, 28, 28), np.uint8), "fog")
    assert black.max() == 0  # scaled by the image's own brightest pixel
    white = np.full((40, 28, 28), 255, np.uint8)
    assert corrupt(white, "fog").min() >= 255 / 4 - 1


@pytest.mark.parametrize("name", ["dotted line", "zigzag"])
def test_lines_only_add_light(name: str) -> None:
    images = draw_digits(30).images
    result = corrupt(images, name)
    assert (result >= images).all()
    added = corrupt(np.zeros_like(images), name)
    assert ((added > 0).any(axis=1).sum(axis=1) >= 10).all()  # it crosses the frame
    if name == "dotted line":
        off = np.arange(28) // 2 % 2 == 0
        assert added[:, :, off].max() == 0


def test_spatter_covers_with_dark_grey() -> None:
    white = np.full((20, 28, 28), 255, np.uint8)
    result = corrupt(white, "spatter")
    assert 63 <= result.min() < 110
    assert 0.02 < (result < 255).mean() < 0.6


def test_canny_gives_white_outlines_and_nothing_on_a_flat_frame() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 8:20, 8:20] = 255
    result = corrupt(square, "canny edges")[0]
    assert set(np.unique(result)) == {0, 255}
    assert result[10:18, 10:18].max() == 0
    assert 36 <= (result > 0).sum() <= 60  # an outline of a square of twelve, one pixel wide
    assert corrupt(np.full((1, 28, 28), 200, np.uint8), "canny edges")[0, 2:-2, 2:-2].max() == 0


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(corruptions) == (0, 1)
