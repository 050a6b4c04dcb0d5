"""What is read can be drawn: the right boxes, words and colours, on the axes that were given."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra report")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from digit_recognizer.errors import MissingExtra, UsageError
from digit_recognizer.reading import Line, Page, PlacedReading, Rejected, readings

PICTURE = np.full((60, 120), 255, np.uint8)


def axes() -> Axes:
    return Figure().add_subplot()


def page() -> Page:
    rows = np.full((2, 10), 0.01, np.float32)
    rows[0, 7], rows[1, 3] = 0.9, 0.6
    found = readings(rows, ["", ""], 0.8, frames=np.full((2, 28, 28), 255, np.uint8))
    boxes = ((10, 20, 15, 30), (40, 22, 15, 28))
    digits = tuple(PlacedReading.of(one, box) for one, box in zip(found, boxes, strict=True))
    return Page((Line("73", digits),), (Rejected((90, 5, 8, 8), "not a digit"),))


def test_a_page_is_drawn_with_a_box_for_each_digit_and_for_what_is_none() -> None:
    where = axes()
    assert page().plot(PICTURE, where) is where
    boxes = [patch for patch in where.patches if isinstance(patch, Rectangle)]
    assert sorted((*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in boxes) == [
        (10, 20, 15, 30),
        (40, 22, 15, 28),
        (90, 5, 8, 8),
    ]
    assert [text.get_text() for text in where.texts] == ["7", "3?"]
    assert len({patch.get_edgecolor() for patch in boxes}) == 3
    assert where.images[0].get_array().shape == (60, 120)


def test_a_line_is_drawn_alone_with_what_is_around_it() -> None:
    where = page().lines[0].plot(PICTURE, axes())
    assert where.get_xlim() == (-5, 70)
    assert where.get_ylim() == (65, 5)  # downwards, as in pictures
    assert len(where.patches) == 2


def test_a_reading_is_drawn_as_the_network_saw_it() -> None:
    sure, unsure = page().digits
    assert sure.plot(axes()).get_title() == "7, 90.0%"
    where = unsure.plot(axes())
    assert (np.asarray(where.images[0].get_array()) == unsure.frame).all()
    blank = readings(np.zeros((1, 10), np.float32), [""], 0.5, frames=np.zeros((1, 28, 28), np.uint8))[0]
    assert blank.plot(axes()).get_title() == "blank"


def test_new_axes_are_made_where_none_are_given() -> None:
    from matplotlib import pyplot

    where = page().plot(PICTURE)
    assert where in pyplot.gcf().axes
    pyplot.close("all")


@pytest.mark.parametrize("picture", [None, "page.png", np.zeros(3), np.zeros((0, 4))])
def test_what_is_no_picture_is_refused(picture: Any) -> None:
    with pytest.raises(UsageError, match="expected the picture that was read"):
        page().plot(picture, axes())


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return known(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match="report"):
        page().plot(PICTURE)


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_an_image_is_drawn_upright_and_in_its_colours(tmp_path: Path, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    Image.new("RGB", (60, 40), (204, 51, 51)).convert(mode).save(tmp_path / "photo.png", exif=exif)
    with Image.open(tmp_path / "photo.png") as photo:
        where = Page(()).plot(photo, axes())
    pixels = where.images[0].get_array()
    assert pixels is not None
    assert pixels.shape[:2] == (60, 40)
    assert pixels[30, 20, :3].tolist() == [204, 51, 51]
