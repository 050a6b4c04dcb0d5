"""Annotated pictures: labels of one size that can be read, colours kept, small pictures enlarged."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from digit_recognizer.pictures.draw import ACCEPTED, UNSURE, annotated
from digit_recognizer.pictures.load import load_picture
from digit_recognizer.reading import Box, Line, Page, PlacedReading


def page_of(*boxes: Box, accepted: bool = True) -> Page:
    digits = tuple(
        PlacedReading(
            8, 0.9, accepted, 3, 0.1, np.full(10, 0.1, np.float32), np.zeros((28, 28), np.uint8), reason=None, box=box
        )
        for box in boxes
    )
    return Page(lines=(Line("8" * len(digits), digits),))


def rows_of(drawn: npt.NDArray[np.uint8], colour: tuple[int, int, int], left: int, right: int) -> npt.NDArray[np.int_]:
    """The rows in which the colour stands, exactly, between two columns."""
    return np.asarray((drawn[:, left:right] == colour).all(axis=2).any(axis=1).nonzero()[0])


def test_labels_are_as_high_above_a_large_digit_as_above_a_small_one() -> None:
    drawn = annotated(np.full((900, 1600), 255, np.uint8), page_of((100, 400, 40, 60), (800, 200, 160, 300)))
    small, large = rows_of(drawn[:390], ACCEPTED, 0, 700), rows_of(drawn[:190], ACCEPTED, 700, 1600)
    assert np.ptp(small) == np.ptp(large) >= 12


def test_a_label_on_black_has_a_white_halo() -> None:
    drawn = annotated(np.zeros((900, 1600), np.uint8), page_of((100, 400, 40, 60), accepted=False))
    label = drawn[:390]
    assert (label == UNSURE).all(axis=2).any()
    assert (label.min(axis=2) > 240).sum() > (label == UNSURE).all(axis=2).sum()


@pytest.mark.parametrize(("shape", "box", "times"), [((28, 28), (9, 4, 10, 20), 2), ((900, 1600), (9, 4, 10, 20), 1)])
def test_a_small_picture_is_enlarged_by_a_whole_factor(shape: tuple[int, int], box: Box, times: int) -> None:
    drawn = annotated(np.full(shape, 255, np.uint8), page_of(box))
    assert drawn.shape == (shape[0] * times, shape[1] * times, 3)
    assert (drawn == ACCEPTED).all(axis=2).any()


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((30, 20000), (4000, 4, 12, 22)),
        ((20000, 30), (4, 4000, 12, 22)),
        ((1, 5000), (90, 0, 9, 1)),
        ((5000, 1), (0, 90, 1, 9)),
        ((8, 8), (1, 1, 6, 6)),
        ((8, 8), (0, 0, 8, 8)),
        ((1, 1), (0, 0, 1, 1)),
        ((300, 400), (380, 280, 60, 60)),  # its end beyond the picture
    ],
)
@pytest.mark.parametrize("accepted", [True, False])
def test_a_picture_of_any_shape_can_be_drawn_on(shape: tuple[int, int], box: Box, accepted: bool) -> None:
    drawn = annotated(np.full(shape, 90, np.uint8), page_of(box, accepted=accepted))
    assert drawn.shape[0] / shape[0] == drawn.shape[1] / shape[1]
    assert (drawn == (ACCEPTED if accepted else UNSURE)).all(axis=2).any()


def test_the_pen_on_a_long_strip_is_as_thin_as_that_is() -> None:
    drawn = annotated(np.full((90, 20000), 90, np.uint8), page_of((4000, 40, 20, 36)))
    assert (drawn[:10] == 90).all()
    assert (drawn[30:, :3980] == 90).all()


def test_the_picture_keeps_its_colours_and_is_left_as_it_was() -> None:
    red = np.zeros((900, 1600, 3), np.uint8)
    red[..., 0] = 200
    drawn = annotated(red, page_of((100, 400, 40, 60)))
    assert drawn[0, 0].tolist() == [200, 0, 0]
    assert (red == (200, 0, 0)).all()


def file_of(image: Image.Image, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def test_colours_are_loaded_upright_where_asked_for_and_there_are_any() -> None:
    image = Image.new("RGB", (30, 20), "white")
    image.putpixel((0, 0), (250, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    content = file_of(image, exif=exif)
    loaded = load_picture(content, colour=True)
    assert loaded.colour is not None
    assert loaded.colour.shape == (*loaded.grey.shape, 3) == (30, 20, 3)
    assert loaded.colour[0, 19].tolist() == [250, 10, 20]
    assert load_picture(content).colour is None
    assert load_picture(file_of(Image.new("L", (3, 2))), colour=True).colour is None
    clear = load_picture(file_of(Image.new("RGBA", (3, 2), (200, 0, 0, 0))), colour=True).colour
    assert clear is not None
    assert (clear == 255).all()
