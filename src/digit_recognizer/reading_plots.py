"""Readings, lines and pages are drawn with matplotlib, for notebooks; ``digits read --annotate`` does without.

Loaded by the ``plot`` methods alone. Knows nothing of models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from digit_recognizer.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from digit_recognizer.reading import Box, Page, Reading

# Blue, vermilion and grey of Okabe and Ito (2008), as --annotate draws them.
ACCEPTED, UNSURE, REJECTED = "#0072B2", "#E66E00", "#969696"
_AROUND = 0.5  # heights of a line that are shown around it


def plot_reading(reading: Reading, axes: Axes | None) -> Axes:
    """The frame that the network saw, with what it said above."""
    axes = _axes(axes)
    axes.imshow(reading.frame, cmap="gray_r", vmin=0, vmax=255)
    said = (
        reading.reason if reading.reason in ("blank", "not a digit") else f"{reading.digit}, {reading.confidence:.1%}"
    )
    axes.set_title(said, color=ACCEPTED if reading.accepted else UNSURE)
    axes.set_axis_off()
    return axes


def plot_page(page: Page, picture: Any, axes: Axes | None, part: Box | None = None) -> Axes:
    """The picture with a box around each digit and what it is above. part: the box to show; all where left out."""
    pixels = _pixels(picture)
    axes = _axes(axes)
    axes.imshow(pixels, cmap="gray")
    for found in page.rejected:
        _box(axes, found.box, REJECTED)
    for digit in page.digits:
        colour = ACCEPTED if digit.accepted else UNSURE
        _box(axes, digit.box, colour)
        x, y, width, _ = digit.box
        text = f"{digit.digit}" if digit.accepted else f"{digit.digit}?"
        axes.annotate(text, (x + width / 2, y), (0, 3), textcoords="offset points", ha="center", color=colour)
    if part is not None:
        x, y, width, height = part
        room = _AROUND * height
        axes.set_xlim(x - room, x + width + room)
        axes.set_ylim(y + height + room, y - room)
    axes.set_axis_off()
    return axes


def _pixels(picture: Any) -> npt.NDArray[Any]:
    """The picture as ``read`` saw it, upright, transparency laid on white: (H, W), or (H, W, 3) or (H, W, 4)."""
    if isinstance(picture, Image.Image):
        picture = ImageOps.exif_transpose(picture)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        if picture.mode not in ("1", "L", "I;16", "F"):
            picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "uifb" or not pixels.size:
        raise UsageError("expected the picture that was read, as an array (H, W) or (H, W, 3) or a PIL image")
    return pixels


def _axes(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtra("report", "drawing plots") from error
    return pyplot.subplots(layout="constrained")[1]


def _box(axes: Axes, box: Box, colour: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(box[:2], box[2], box[3], fill=False, edgecolor=colour))


__all__ = ["plot_page", "plot_reading"]
