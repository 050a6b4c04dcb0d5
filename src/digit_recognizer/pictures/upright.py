"""A picture that is turned becomes one that stands upright, and what is found there is placed in the picture again.

Knows nothing of what is on it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.reading import Box, clipped

_PAPER_SIDE = 200  # pixels of the picture in which its paper is looked for
_PAPER_WINDOW = 25  # and of the neighbourhood whose median it is
_ROUNDING = 1e-6  # pixels that a place may be off by calculation

Grey = npt.NDArray[np.uint8]


class View(NamedTuple):
    """A picture as it is looked at. grey: uint8 (H, W). to_picture: float (2, 3), from its pixels to the picture's.

    size: (height, width) of the picture. inside: bool (H, W), what belongs to the picture; None where all does.
    """

    grey: Grey
    to_picture: npt.NDArray[np.float64]
    size: tuple[int, int]
    inside: npt.NDArray[np.bool_] | None = None

    def box(self, box: Box) -> Box:
        """The smallest box in the picture around a box, (x, y, w, h), in this view: what of it lies in the picture."""
        left, top, width, height = box
        corners = np.array([[left, top], [left + width, top], [left, top + height], [left + width, top + height]])
        placed = corners @ self.to_picture[:, :2].T + self.to_picture[:, 2]
        x, y = np.floor(placed.min(0) + _ROUNDING).astype(int).tolist()
        right, bottom = np.ceil(placed.max(0) - _ROUNDING).astype(int).tolist()
        return clipped((x, y, right - x, bottom - y), self.size[1], self.size[0])


def view_of(grey: Grey, scale: float, size: tuple[int, int]) -> View:
    """A picture of that height and width, shrunk: ``grey``, uint8 (H, W), is ``scale`` times as large, 0-1."""
    return View(grey, np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]]), size)


def turned(view: View, degrees: float) -> View:
    """A view turned so that what falls to the right by that many degrees is level, with room for its corners.

    >>> page = np.full((40, 60), 255, np.uint8)
    >>> page[10:20, 30:35] = 0
    >>> found = turned(view_of(page, 1.0, page.shape), 10.0)
    >>> rows, columns = np.nonzero(found.grey < 128)
    >>> x, y, _, _ = found.box((int(columns.min()), int(rows.min()), 5, 10))
    >>> abs(x - 30) <= 2 and abs(y - 10) <= 2
    True
    """
    height, width = view.grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    first, last = corners.min(0), corners.max(0)
    matrix[:, 2] -= first
    size = max(1, round(float(last[0] - first[0]))), max(1, round(float(last[1] - first[1])))
    grey = cv2.warpAffine(view.grey, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Beyond the picture its paper goes on, without what is written or ruled at its edges.
    paper = cv2.warpAffine(_paper(view.grey), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(view.grey.shape, 255, np.uint8), matrix, size) == 255
    grey = np.where(inside, grey, paper)
    back = cv2.invertAffineTransform(matrix)
    both = view.to_picture[:, :2] @ back
    both[:, 2] += view.to_picture[:, 2]
    return View(np.asarray(grey, np.uint8), np.asarray(both, np.float64), view.size, np.asarray(inside, np.bool_))


def _paper(grey: Grey) -> Grey:
    """The ground of a picture in its own light: uint8 (H, W)."""
    times = max(1, max(grey.shape) // _PAPER_SIDE)
    small = cv2.resize(
        grey, (max(1, grey.shape[1] // times), max(1, grey.shape[0] // times)), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(cv2.medianBlur(small, _PAPER_WINDOW), grey.shape[::-1]), np.uint8)


__all__ = ["View", "turned", "view_of"]
