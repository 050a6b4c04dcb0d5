"""Ink that is as bright as its paper is seen by its colour, and no other picture changes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer import Recognizer
from digit_recognizer.pictures.collect import Picture
from digit_recognizer.pictures.hues import grey_of_hues
from digit_recognizer.pictures.load import grey_of_array, grey_of_image, load_grey

PAIRS = (
    ((60, 150, 60), (210, 60, 50)),
    ((90, 150, 230), (240, 120, 30)),
    ((150, 190, 230), (240, 150, 190)),
    ((120, 20, 20), (20, 90, 20)),
    ((110, 110, 110), (220, 60, 60)),
)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(threads=1)


def drawn(paper: tuple[int, int, int], ink: tuple[int, int, int], noise: float = 0.0) -> Image.Image:
    """A 7 of two strokes: RGB of 240 x 200 pixels."""
    pixels = np.full((200, 240, 3), paper, np.float64)
    pixels[50:62, 90:150] = ink
    for row in range(62, 150):
        left = 138 - (row - 62) // 2
        pixels[row, left : left + 12] = ink
    pixels += np.random.default_rng(3).normal(0, noise, pixels.shape) if noise else 0
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(("paper", "ink"), PAIRS)
def test_ink_as_bright_as_its_paper_becomes_dark_on_light(
    paper: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    grey = grey_of_image(drawn(paper, ink))
    assert grey[56, 120] < 5
    assert grey[20, 20] > 250


@pytest.mark.parametrize(("paper", "ink"), PAIRS)
def test_a_digit_as_bright_as_its_paper_is_read_with_noise_and_as_jpeg(
    recognizer: Recognizer, paper: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    for image in (drawn(paper, ink), drawn(paper, ink, noise=4), jpeg(drawn(paper, ink, noise=3), 60)):
        reading = recognizer.predict(image)
        assert (reading.digit, reading.reason) == (7, None)
        assert recognizer.read(image).text == "7"


def test_colours_of_one_brightness_look_alike_through_every_door(tmp_path: Path) -> None:
    image = drawn(*PAIRS[0])
    path = tmp_path / "seven.png"
    image.save(path)
    expected = grey_of_image(image)
    assert np.ptp(expected) == 255
    clear = np.dstack([np.asarray(image), np.full((200, 240), 255, np.uint8)])
    for grey in (
        load_grey(path),
        load_grey(path.read_bytes()),
        grey_of_array(np.asarray(image)),
        grey_of_array(np.asarray(image) / 255),
        grey_of_array(clear),
        grey_of_image(image.convert("P", palette=Image.Palette.ADAPTIVE)),
        Picture("seven", path).grey(),
    ):
        np.testing.assert_array_equal(grey, expected)


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((255, 255, 255), (255, 235, 60)),  # yellow, 34 grey levels apart
        ((200, 200, 200), (180, 180, 180)),
        ((240, 120, 30), (240, 120, 30)),
        ((235, 90, 110), (40, 110, 250)),
        ((250, 250, 245), (30, 40, 130)),
        ((200, 210, 190), (190, 212, 192)),  # hardly differs in colour either
    ],
)
def test_where_brightness_shows_ink_or_nothing_shows_any_grey_is_luma(
    paper: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    for image in (drawn(paper, ink), drawn(paper, ink, noise=5), jpeg(drawn(paper, ink, noise=5), 15)):
        np.testing.assert_array_equal(grey_of_image(image), luma(image))


@pytest.mark.parametrize("quality", [5, 20, 60])
def test_the_faint_colours_of_noise_and_jpeg_are_no_picture(quality: int) -> None:
    rng = np.random.default_rng(quality)
    ramp = np.linspace(0.8, 1.0, 240)[None, :, None] * np.array([1.0, 0.97, 0.94])
    for grain in (rng.normal(0, 8, (200, 240, 1)), rng.normal(0, 8, (200, 240, 3))):
        sheet = jpeg(Image.fromarray(np.clip(200 * ramp + grain, 0, 255).astype(np.uint8)), quality)
        np.testing.assert_array_equal(grey_of_image(sheet), luma(sheet))


def test_dark_ink_beside_ink_of_one_brightness_is_what_is_read() -> None:
    pixels = np.asarray(drawn(*PAIRS[0])).copy()
    pixels[150:190, 30:40] = 20
    image = Image.fromarray(pixels)
    np.testing.assert_array_equal(grey_of_image(image), luma(image))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 2)])
def test_the_smallest_pictures_are_looked_at_without_complaint(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, (60, 150, 60))
    assert grey_of_hues(image, luma(image)) is None
