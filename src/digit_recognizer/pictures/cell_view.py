"""A cell of a grid becomes what the cell reader is shown: its light evened, its strongest ink equally dark everywhere.

Nothing is decided here: the lines around a cell, blur and noise are left to the network. Knows nothing of digits.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey

_Floats = npt.NDArray[np.float32]

SIDE = 48  # pixels of a view

_CUT = 0.04  # share of a cell cut away at each side: half of a broad line
_INNER = 0.14  # share of it at each side that ground and ink are not measured in
_GROUND = 60  # percentile of the grey levels that is paper
_INK = 98.5  # percentile of the darkness that is ink
_FAINT = 6.0  # grey levels: what is less dark stays faint
PAPER = 32  # a view's value of paper; what is lighter than the paper is less
_FULL = 192  # and of ink
_OUTER = 4  # pixels of a view at each side that may hold lines
_EDGE, _STROKE = 80, 180  # what becomes black and full ink where a view's ink is framed


def cell_view(cell: Grey) -> npt.NDArray[np.uint8]:
    """View one cell, dark ink on light ground: uint8 (48, 48), ink bright.

    cell: uint8 (H, W), with the lines around it.

    >>> cell = np.full((64, 64), 200, np.uint8); cell[16:48, 28:36] = 120
    >>> view = cell_view(cell); int(view[24, 24]), int(view[8, 8])
    (192, 32)
    """
    height, width = cell.shape
    rows, columns = round(_CUT * height), round(_CUT * width)
    kept = np.ascontiguousarray(cell[rows : height - rows, columns : width - columns])
    small = _resized(kept)
    inset = round(_INNER * SIDE)
    inner = small[inset:-inset, inset:-inset]
    ground = float(np.percentile(inner, _GROUND))
    return _shown(ground - small, ground - float(np.percentile(inner, 100 - _INK)))


def depth_view(depth: _Floats) -> npt.NDArray[np.uint8]:
    """View of what stands out from its ground, in a square without lines around it: uint8 (48, 48), as ``cell_view``.

    depth: float32 (N, N), in grey levels, 0 on the ground.

    >>> depth = np.zeros((96, 96), np.float32)
    >>> depth[20:70, 40:56] = 50
    >>> view = depth_view(depth)
    >>> int(view[24, 24]), int(view[24, 4])
    (192, 32)
    """
    small = _resized(depth)
    return _shown(small, float(np.percentile(small, _INK)))


def ink_of_view(view: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The ink of a view on black, its outer parts with the lines left out: uint8 (H, W).

    view: uint8 (48, 48), as cell_view makes it.

    >>> ink_of_view(np.full((48, 48), PAPER, np.uint8)).any().item()
    False
    """
    inner = view[_OUTER:-_OUTER, _OUTER:-_OUTER].astype(np.float32)
    return np.asarray(np.clip(np.rint((inner - _EDGE) * (255 / (_STROKE - _EDGE))), 0, 255), np.uint8)


def in_cell(point: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    """Where a point of ``ink_of_view``, (x, y), lies in its cell of ``shape`` (height, width).

    >>> in_cell((20, 20), (100, 100))
    (50, 50)
    """
    x, y = (
        round(_CUT * side) + round((at + _OUTER) * (side - 2 * round(_CUT * side)) / SIDE)
        for at, side in zip(point, reversed(shape), strict=True)
    )
    return x, y


def _resized(picture: npt.NDArray[np.uint8] | _Floats) -> _Floats:
    method = cv2.INTER_AREA if min(picture.shape) > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=method), np.float32)


def _shown(depth: _Floats, ink: float) -> npt.NDArray[np.uint8]:
    """A view of what stands out from its ground by so much. ink: how much of it the strongest ink does."""
    shown = PAPER + (_FULL - PAPER) * depth / max(_FAINT, ink)
    return np.asarray(np.clip(np.rint(shown), 0, 255), np.uint8)


__all__ = ["PAPER", "SIDE", "cell_view", "depth_view", "in_cell", "ink_of_view"]
