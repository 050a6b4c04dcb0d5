"""A picture and its Page become the picture in colour, with boxes around what was read and digits above them."""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np

from digit_recognizer.pictures.load import Colour, Grey
from digit_recognizer.reading import Box, Page

# Red, green, blue. Told apart by people who do not see red and green alike, too (Okabe, Ito, 2008).
ACCEPTED = (0, 114, 178)
UNSURE = (230, 110, 0)
REJECTED = (150, 150, 150)
WHITE = (255, 255, 255)

_LABEL = 14  # pixels of height that a label needs to be read
_SHARE = 0.45  # of a label's height in that of the digits
_DIGIT = 40  # pixels of height below which digits are enlarged, as the labels would cover them
_ENLARGED = 1600  # pixels of the longer side, to which at most a picture is enlarged
_HERSHEY = 22  # pixels of a digit's height in OpenCV's font


def annotated(picture: Grey | Colour, page: Page) -> Colour:
    """Draw what was read: uint8 (H, W, 3), red, green, blue.

    picture: uint8, (H, W) grey or (H, W, 3) colour, that ``page`` was read from. Accepted digits are blue, unsure ones
    orange with a question mark, what is no digit has a thin grey box. The labels of a page are all of one size. A small
    picture with small digits is enlarged by a whole factor, so that they can be read.

    >>> annotated(np.full((40, 60), 255, np.uint8), Page()).shape
    (40, 60, 3)
    """
    heights = [digit.box[3] for digit in page.digits]
    height = float(np.median(heights)) if heights else 0.0
    times = max(1, min(ceil(_DIGIT / height), _ENLARGED // max(picture.shape[:2]))) if height else 1
    drawn: Colour = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    drawn = np.ascontiguousarray(drawn.repeat(times, axis=0).repeat(times, axis=1))
    shortest, longest = sorted(drawn.shape[:2])
    pen = max(1, round(min(longest / 800, shortest / 100)))
    for found in page.rejected:
        _box(drawn, _larger(found.box, times), REJECTED, max(1, pen // 2))
    for digit in page.digits:
        _box(drawn, _larger(digit.box, times), WHITE, pen + 2)
    for digit in page.digits:
        _box(drawn, _larger(digit.box, times), ACCEPTED if digit.accepted else UNSURE, pen)
    size = max(_LABEL, min(_SHARE * height * times, longest / 16))
    for digit in page.digits:
        text = f"{digit.digit}" if digit.accepted else f"{digit.digit}?"
        _label(drawn, _larger(digit.box, times), text, ACCEPTED if digit.accepted else UNSURE, size, 2 * pen)
    return drawn


def png_of(picture: Colour) -> bytes:
    """A picture, uint8 (H, W, 3), as the bytes of a PNG file.

    >>> png_of(np.zeros((4, 4, 3), np.uint8))[1:4]
    b'PNG'
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(encoded)


def _larger(box: Box, times: int) -> Box:
    x, y, width, height = box
    return x * times, y * times, width * times, height * times


def _box(picture: Colour, box: Box, colour: tuple[int, int, int], pen: int) -> None:
    x, y, width, height = box
    cv2.rectangle(picture, (x - pen, y - pen), (x + width + pen, y + height + pen), colour, pen)


def _label(picture: Colour, box: Box, text: str, colour: tuple[int, int, int], size: float, gap: int) -> None:
    """Write ``text``, ``size`` pixels high and with a white halo: above the box, where that ends the picture below it,
    else inside; as much of it as a low picture has room for."""
    x, y, _, height = box
    scale, bold = size / _HERSHEY, max(1, round(size / 9))
    halo = max(2, round(size / 8))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, bold)
    away = gap + halo + bold // 2
    below = y + height + away + high
    base = y - away if y - away - high >= 0 else below if below + halo < picture.shape[0] else y + away + high
    base = max(high, min(base, picture.shape[0] - halo))
    left = max(halo, min(x, picture.shape[1] - wide - halo))
    # The place alone is worked on, its margin wide enough for the halo and what the font has below the line.
    margin = halo + high // 2
    top, edge = max(0, base - high - margin), max(0, left - margin)
    place = picture[top : base + margin, edge : left + wide + margin]
    letters = np.zeros(place.shape[:2], np.uint8)
    cv2.putText(letters, text, (left - edge, base - top), cv2.FONT_HERSHEY_SIMPLEX, scale, (255,), bold, cv2.LINE_AA)
    round_pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * halo + 1, 2 * halo + 1))
    for shade, mask in ((WHITE, cv2.dilate(letters, round_pen)), (colour, letters)):
        share = mask[:, :, None] / 255
        place[:] = np.rint(place * (1 - share) + np.array(shade) * share)


__all__ = ["ACCEPTED", "REJECTED", "UNSURE", "Colour", "annotated", "png_of"]
