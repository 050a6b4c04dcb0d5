"""What the reader tells of on its way through a page becomes pictures that a person can look at.

Listens, and changes nothing of what is read. Knows nothing of models or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.draw import ACCEPTED, REJECTED, UNSURE, Colour
from digit_recognizer.pictures.grids.grid import Grid
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.cutting import Piece
from digit_recognizer.reading import Page, PlacedReading

_ZOOM = 3  # pixels of a sheet for each of a frame
_CAPTION = 18  # pixels below a frame
_ACROSS = 16  # frames in a row at most


class Steps:
    """Keeps what it is told of one page. Hand it to ``read_page`` as ``watch``, then ask for ``pictures``.

    >>> steps = Steps()
    >>> list(steps.pictures(np.full((40, 60), 255, np.uint8), Page()))
    ['1-picture']
    """

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def __call__(self, step: str, value: Any, /) -> None:
        if step == "turned":
            self._told.clear()
        self._told[step] = value

    def pictures(self, grey: Grey, page: Page) -> dict[str, Colour]:
        """Pictures by name, in the order of reading, uint8 (H, W, 3) each; those of steps that were not reached lack.

        grey: uint8 (H, W), as it was read. page: what came of it.

        - 1-picture: grey, upright as its file says
        - 2-ground-removed: ink bright on black, light and paper taken away
        - 3-ink: what counts as ink, white; what was taken out as a rule or a form's box, orange
        - 4-pieces: lines in blue, their pieces in grey, orange where a mark was cut
        - 2-boxes, before these: the boxes of a form that were read, straightened, one row below the other
        - 2-grid, in place of the last three: a grid of cells, straightened, with its lines
        - 5-frames: the 28 x 28 pixels that the network saw of each digit, with what it made of them
        """
        found = {"1-picture": _coloured(grey)}
        if "grid" in self._told:
            found["2-grid"] = _of_grid(self._told["grid"])
        if "boxes" in self._told:
            found["2-boxes"] = _of_boxes(self._told["boxes"])
        if "ground removed" in self._told and "grid" not in self._told:
            before: PageInk = self._told["ground removed"]
            found["2-ground-removed"] = _coloured(before.strength)
            if "ink" in self._told:
                found["3-ink"] = _of_ink(before, self._told["ink"])
            if "pieces" in self._told:
                found["4-pieces"] = _of_pieces(before.strength, self._told["pieces"])
        if page.digits:
            found["5-frames"] = frame_sheet(page.digits)
        return found


def frame_sheet(digits: Sequence[PlacedReading]) -> Colour:
    """The frames of digits, three times enlarged, below each its digit and confidence: uint8 (H, W, 3).

    Accepted ones in blue, unsure ones in orange. Sixteen in a row at most.
    """
    side = 28 * _ZOOM
    columns, rows = min(_ACROSS, len(digits)), -(-len(digits) // _ACROSS)
    sheet: Colour = np.full((rows * (side + _CAPTION), columns * (side + 4), 3), 255, np.uint8)
    for place, digit in enumerate(digits):
        row, column = divmod(place, _ACROSS)
        top, left = row * (side + _CAPTION), column * (side + 4)
        sheet[top : top + side, left : left + side] = np.kron(digit.frame, np.ones((_ZOOM, _ZOOM), np.uint8))[..., None]
        caption = f"{digit.digit}{'' if digit.accepted else '?'} {100 * digit.confidence:.0f}%"
        colour = ACCEPTED if digit.accepted else UNSURE
        cv2.putText(sheet, caption, (left + 2, top + side + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    return sheet


def _of_ink(before: PageInk, after: PageInk) -> Colour:
    picture = _coloured(np.where(after.mask, 255, 0).astype(np.uint8))
    picture[before.mask & ~after.mask] = UNSURE
    return picture


def _of_pieces(strength: Grey, words: Sequence[tuple[int, Sequence[Piece]]]) -> Colour:
    """words: the line and the pieces of each, in pixels of ``strength``."""
    picture = _coloured(255 - strength)
    pen = max(1, round(max(strength.shape) / 1200))
    for line in sorted({line for line, _ in words}):
        pieces = [piece for other, of_word in words if other == line for piece in of_word]
        for piece in pieces:
            x, y, width, height = piece.box
            cv2.rectangle(picture, (x, y), (x + width - 1, y + height - 1), REJECTED, pen)
            if piece.parting:
                cv2.line(picture, (x, y), (x, y + height - 1), UNSURE, 2 * pen)
        if pieces:
            left, top = min(piece.box[0] for piece in pieces), min(piece.box[1] for piece in pieces)
            right = max(piece.box[0] + piece.box[2] for piece in pieces)
            bottom = max(piece.box[1] + piece.box[3] for piece in pieces)
            cv2.rectangle(picture, (left - 3 * pen, top - 3 * pen), (right + 3 * pen, bottom + 3 * pen), ACCEPTED, pen)
    return picture


def _of_grid(grid: Grid) -> Colour:
    picture = _coloured(grid.grey)
    height, width = grid.grey.shape
    for x in grid.across:
        cv2.line(picture, (min(x, width - 1), 0), (min(x, width - 1), height - 1), UNSURE, 1)
    for y in grid.down:
        cv2.line(picture, (0, min(y, height - 1)), (width - 1, min(y, height - 1)), UNSURE, 1)
    return picture


def _of_boxes(rows: Sequence[Grey]) -> Colour:
    """rows: uint8 (H, W) each."""
    width = max(row.shape[1] for row in rows)
    return _coloured(np.vstack([np.pad(row, ((0, 8), (0, width - row.shape[1])), constant_values=255) for row in rows]))


def _coloured(grey: npt.NDArray[np.uint8]) -> Colour:
    return np.repeat(grey[:, :, None], 3, axis=2)


__all__ = ["Steps", "frame_sheet"]
