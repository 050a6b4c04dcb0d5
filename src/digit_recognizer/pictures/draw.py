"""A picture and its Page become the picture in colour, with boxes around what was read and digits above them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey
from digit_recognizer.reading import Page

# Red, green, blue. Told apart by people who do not see red and green alike, too (Okabe, Ito, 2008).
ACCEPTED = (0, 114, 178)
UNSURE = (230, 110, 0)
REJECTED = (150, 150, 150)

Colour = npt.NDArray[np.uint8]


def annotated(grey: Grey, page: Page) -> Colour:
    """Draw what was read: uint8 (H, W, 3), red, green, blue.

    grey: uint8 (H, W), the picture that ``page`` was read from. Accepted digits are blue, unsure ones orange with a
    question mark, what is no digit has a thin grey box.

    >>> annotated(np.full((40, 60), 255, np.uint8), Page()).shape
    (40, 60, 3)
    """
    picture: Colour = np.repeat(grey[:, :, None], 3, axis=2)
    pen = max(1, round(max(grey.shape) / 800))
    for found in page.rejected:
        _box(picture, found.box, REJECTED, max(1, pen // 2))
    for digit in page.digits:
        colour = ACCEPTED if digit.accepted else UNSURE
        _box(picture, digit.box, colour, pen)
        x, y, _, height = digit.box
        size = max(0.35, height / 60)
        text = f"{digit.digit}" if digit.accepted else f"{digit.digit}?"
        # Above the box, or inside where the picture ends there.
        base = y - 2 * pen if y > 24 * size else y + round(24 * size)
        cv2.putText(picture, text, (x, base), cv2.FONT_HERSHEY_SIMPLEX, size, colour, max(1, round(size * 2)))
    return picture


def png_of(picture: Colour) -> bytes:
    """A picture, uint8 (H, W, 3), as the bytes of a PNG file.

    >>> png_of(np.zeros((4, 4, 3), np.uint8))[1:4]
    b'PNG'
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(encoded)


def _box(picture: Colour, box: tuple[int, int, int, int], colour: tuple[int, int, int], pen: int) -> None:
    x, y, width, height = box
    cv2.rectangle(picture, (x - pen, y - pen), (x + width + pen, y + height + pen), colour, pen)


__all__ = ["ACCEPTED", "REJECTED", "UNSURE", "annotated", "png_of"]
