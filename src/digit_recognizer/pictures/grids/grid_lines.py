"""Where the lines of a straightened grid run, and how many cells they part: by their darkness all along.

Knows nothing of pictures, outlines or digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.grids.outlines import evened, ground_pieces
from digit_recognizer.pictures.load import Grey

CELL = 64  # pixels of a cell in the straightened grid
MOST_UNASKED = 12  # cells a side of a grid that nobody told of
CELLS_SEEN = 6  # of its nine cells at least; where lines are broken, cells flow together
CELL_SEEN = 0.3  # share of the smallest cell that the ground inside one must have

# Share of the lines that run down, and of those across, that must be there where nobody told how many: were numbers of
# two digits parted, half or more would be missing (5 of 11 at best).
EACH_SEEN = 0.47
_REACH = 0.2  # of a cell: how far from its place a line is looked for
_FINER = 0.85  # share of the lines between, from which on a grid is finer than was counted
_FEW = 2  # counts of rows, and of columns, by lines some of which are not seen
_GUESSED = 0.12  # less, where that is measured on lines that are not looked for in their own grid
_SLANT = 7  # pixels that a thin line may stray from its column
_STRIDE = 5  # every fifth pixel along a line is looked at
_LINE_WIDTH = 8  # pixels of a line, of MOST_UNASKED cells a side, with the shade beside it that is no ground
_IN_PLACE = 0.5  # what a piece of ground and a cell's place have in common, of both, where the one fills the other
_PLACES_FILLED = 0.5  # share of the places that ground fills where a page is bent, so that no line is straight

_Floats = npt.NDArray[np.float32]


def shapes_of(flat: Grey) -> list[tuple[int, int]]:
    """(rows, columns) that there may be, the likeliest first: by lines that are all there, by cells, by some lines.

    flat: uint8 (H, H), what lies inside an outline, straightened to MOST_UNASKED cells a side.
    """
    even = evened(flat)
    dark = darkness(even)
    looks = [(_profile(dark.T, slant), _profile(dark, slant)) for slant in (_SLANT, 1)]
    shares = [[[_share(profile, count) for count in range(MOST_UNASKED + 1)] for profile in look] for look in looks]
    shapes = [_counted_by_lines(*one) for one in zip(looks, shares, strict=True)]
    shapes.append(_counted_by_cells(even))
    down, across = (np.max([one[side] for one in shares], axis=0).tolist() for side in (0, 1))
    some = [
        sorted(range(3, MOST_UNASKED + 1), key=lambda count: (-seen[count], -count))[:_FEW] for seen in (down, across)
    ]
    shapes.extend(
        (rows, columns)
        for rows in some[0]
        for columns in some[1]
        if min(down[rows], across[columns]) >= EACH_SEEN - _GUESSED
    )
    return list(dict.fromkeys(shape for shape in shapes if shape is not None))


def darkness(flat: Grey) -> _Floats:
    """How much darker each pixel is than its surroundings: float32 (H, W)."""
    light = cv2.blur(flat, (CELL // 2, CELL // 2)).astype(np.float32)
    return np.asarray(np.maximum(light - flat, 0), np.float32)


def lines_down(dark: _Floats, count: int) -> tuple[list[int], list[bool]]:
    """Where the lines of ``count`` cells run down a straightened grid, count + 1 columns; which of the inner are there.

    dark: float32 (H, W), as darkness gives it. Lines that stray from their column are found, and straight ones placed
    to the pixel.
    """
    places, seen = _lines_along(_profile(dark), count)
    exactly, straight = _lines_along(_profile(dark, 1), count)
    for line, is_straight in enumerate(straight, 1):
        if is_straight:
            places[line] = exactly[line]
    return places, [bent or upright for bent, upright in zip(seen, straight, strict=True)]


def _profile(dark: _Floats, slant: int = _SLANT) -> _Floats:
    """How dark each column is all along, or one beside it: float32 (W,). Of digits the median sees nothing."""
    rows = np.ascontiguousarray(dark[::_STRIDE])
    if slant > 1:
        rows = np.asarray(cv2.dilate(rows, np.ones((1, slant), np.uint8)), np.float32)
    low, middle = round(0.35 * (len(rows) - 1)), len(rows) // 2
    rows.partition((low, middle), axis=0)
    return np.asarray(np.minimum(rows[middle], 2 * rows[low] + 1), np.float32)


def _lines_along(profile: _Floats, count: int) -> tuple[list[int], list[bool]]:
    """Where the lines of ``count`` cells run down a straightened grid, count + 1 columns; which of the inner are there.

    profile: float32 (W,), as _profile gives it.
    """
    width = len(profile)
    cell = width / count
    reach = max(2, round(_REACH * cell))
    places, seen = [0], []
    for line in range(1, count):
        at = round(line * cell)
        near = profile[at - reach : at + reach + 1]
        peak = int(near.argmax())
        middle = [profile[round(at + side * cell / 2) - reach // 2 : round(at + side * cell / 2) + reach // 2 + 1].max()
                  for side in (-1, 1)]  # fmt: skip
        seen.append(bool(near[peak] > max(middle) + 2))
        if seen[-1]:
            # A broad line's middle.
            level = np.flatnonzero(near >= 0.7 * near[peak])
            at += round(float(level.mean())) - reach
        places.append(at)
    return [*places, width], seen


def _share(profile: _Floats, count: int) -> float:
    """The share of the inner lines of ``count`` cells that are there, 0-1; 0 where there are none."""
    seen = _lines_along(profile, count)[1] if count else []
    return float(np.mean(seen)) if seen else 0.0


def _counted_by_lines(profiles: tuple[_Floats, _Floats], shares: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """(rows, columns) by the lines that are there; None where they are no clear grid.

    profiles: down and across, as _profile gives them. shares: of the lines of so many rows, columns, those found.
    """
    counts = []
    for profile, seen in zip(profiles, shares, strict=True):
        all_there = [count for count in range(3, MOST_UNASKED + 1) if seen[count] == 1]
        # Of finer grids every second or third line would be seen.
        if not all_there or max(_share(profile, times * max(all_there)) for times in (2, 3)) > _FINER:
            return None
        counts.append(max(all_there))
    return counts[0], counts[1]


def _counted_by_cells(even: Grey) -> tuple[int, int] | None:
    """(rows, columns) by the pieces of ground between the lines, which a bent page leaves nearly in their places; None
    where these are no cells. even: uint8 (H, H), in even light, straightened to MOST_UNASKED cells a side.
    """
    side = len(even)
    boxes = ground_pieces(even, CELL_SEEN * CELL**2)
    if len(boxes) < CELLS_SEEN:
        return None
    columns, rows = (round(side / (float(np.median(boxes[:, size])) + _LINE_WIDTH)) for size in (2, 3))
    if not (3 <= columns <= MOST_UNASKED and 3 <= rows <= MOST_UNASKED):
        return None
    width, height = side / columns, side / rows
    left, top = (places.ravel() for places in np.meshgrid(np.arange(columns) * width, np.arange(rows) * height))
    x, y, broad, tall = boxes.T[:, :, None]  # (N, 1) each, against (rows * columns,)
    common_across = np.minimum(x + broad, left + width) - np.maximum(x, left)
    common_down = np.minimum(y + tall, top + height) - np.maximum(y, top)
    common = np.maximum(common_across, 0) * np.maximum(common_down, 0)
    filled = common / (broad * tall + width * height - common) > _IN_PLACE  # intersection over union
    return (rows, columns) if filled.any(0).mean() >= _PLACES_FILLED else None


__all__ = [
    "CELL",
    "CELLS_SEEN",
    "CELL_SEEN",
    "EACH_SEEN",
    "MOST_UNASKED",
    "darkness",
    "lines_down",
    "shapes_of",
]
