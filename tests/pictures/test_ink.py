"""Any grey crop of a digit becomes MNIST's frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from digit_recognizer.errors import InputError
from digit_recognizer.pictures.ink import to_frame, to_frames
from digit_recognizer.sources.idx import read_idx
from tests.conftest import draw_digits


def extent(frame: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(frame.max(axis=1)), np.flatnonzero(frame.max(axis=0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def off_centre(frame: np.ndarray) -> float:
    grid = np.arange(28)
    mass = frame.sum(dtype=float)
    return float(max(abs(frame.sum(axis=1) @ grid / mass - 14), abs(frame.sum(axis=0) @ grid / mass - 14)))


def enlarged(image: np.ndarray, times: int) -> np.ndarray:
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


def test_mnist_training_images_come_out_unchanged(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:3000]
    np.testing.assert_array_equal(to_frames(images), images)
    np.testing.assert_array_equal(to_frames(255 - images), images)


def test_mnist_images_moved_in_a_larger_picture_come_back(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:1000]
    np.testing.assert_array_equal(to_frames(np.pad(images, ((0, 0), (7, 0), (0, 9)))), images)


def test_mnist_images_enlarged_and_inverted_come_back_nearly(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:300]
    frames = to_frames([255 - enlarged(image, 5) for image in images])
    correlations = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(frames, images, strict=True)]
    assert np.mean(correlations) > 0.93
    assert np.abs(frames.astype(float) - images).mean() < 9


def test_every_frame_keeps_mnists_rule() -> None:
    for image in draw_digits(40).images:
        for picture in (image, 255 - image, enlarged(image, 3), enlarged(255 - image, 30)):
            frame = to_frame(picture)
            assert frame.shape == (28, 28)
            assert frame.dtype == np.uint8
            assert max(extent(frame)) == 20
            assert off_centre(frame) <= 0.55
            assert frame.max() >= 254


def test_framing_twice_changes_nothing() -> None:
    frames = to_frames(draw_digits(40).images)
    np.testing.assert_array_equal(to_frames(frames), frames)


def test_dark_on_light_and_light_on_dark_agree() -> None:
    for image in draw_digits(20).images:
        large = enlarged(image, 4)
        np.testing.assert_array_equal(to_frame(large), to_frame(255 - large))


def test_the_aspect_is_kept() -> None:
    picture = np.full((300, 300), 255, np.uint8)
    picture[100:200, 140:165] = 0
    assert extent(to_frame(picture)) == (20, 5)
    assert extent(to_frame(picture.T)) == (5, 20)


def test_where_in_the_picture_the_digit_lies_does_not_matter() -> None:
    digit = enlarged(draw_digits(4).images[3], 4)
    corner, middle = np.zeros((400, 500), np.uint8), np.zeros((400, 500), np.uint8)
    corner[3:115, 2:114] = digit
    middle[200:312, 250:362] = digit
    np.testing.assert_array_equal(to_frame(corner), to_frame(middle))


def test_faint_ink_comes_out_strong() -> None:
    image = draw_digits(6).images[5]
    faint = (210 - image.astype(int) // 6).astype(np.uint8)
    frame = to_frame(faint)
    assert frame.max() >= 254
    assert np.corrcoef(frame.ravel(), to_frame(image).ravel())[0, 1] > 0.95


def test_slanting_light_and_noise_are_taken_away() -> None:
    image = draw_digits(8).images[2]
    rows, columns = np.mgrid[:224, :224]
    paper = 210 - 0.3 * columns + 0.15 * rows + np.random.default_rng(0).normal(0, 4, rows.shape)
    photo = np.clip(paper - enlarged(image, 8) * 0.35, 0, 255).astype(np.uint8)
    assert np.corrcoef(to_frame(photo).ravel(), to_frame(image).ravel())[0, 1] > 0.93


def test_a_speck_does_not_move_the_digit() -> None:
    picture = enlarged(draw_digits(1).images[0], 10)
    speckled = picture.copy()
    speckled[2:6, 2:6] = 255
    np.testing.assert_array_equal(to_frame(speckled), to_frame(picture))


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (8, 8), (28, 28), (400, 90)])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_a_blank_picture_gives_an_empty_frame(shape: tuple[int, int], level: int) -> None:
    assert not to_frame(np.full(shape, level, np.uint8)).any()


def test_noise_alone_gives_an_empty_frame() -> None:
    noise = np.random.default_rng(1).normal(200, 5, (300, 200)).clip(0, 255).astype(np.uint8)
    assert not to_frame(noise).any()


@pytest.mark.parametrize("side", [8, 9, 16, 20, 28, 57, 333, 4000])
def test_any_size_is_framed(side: int) -> None:
    picture = np.zeros((side, side), np.uint8)
    picture[side // 8 : side - side // 8, side // 2 - side // 8 : side // 2 + side // 8] = 255
    frame = to_frame(picture)
    assert extent(frame)[0] == 20
    assert off_centre(frame) <= 0.55


def test_pictures_that_are_not_grey_bytes_are_refused() -> None:
    for wrong in (np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4)), np.zeros((0, 4), np.uint8)):
        with pytest.raises(InputError, match=r"uint8 \(H, W\)"):
            to_frame(wrong)


def test_frames_of_nothing_are_an_empty_batch() -> None:
    assert to_frames([]).shape == (0, 28, 28)
