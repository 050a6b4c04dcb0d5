"""Displays of seven segments, as clocks, meters and calculators have them, are read by which of their bars are there.

Looks at pages whose ink is nothing but bars of one thickness, at the places that digits of seven segments have, be they
apart, in touch or slanted. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask, PageInk
from digit_recognizer.reading import Box

_BARS = 0.75  # share of a page's ink that lies in level or upright bars, slanted ones included
_PLACED = 0.9  # share of the ink of bars that lies where segments of the digits read are
_LONG = 1.5  # thicknesses that a bar is longer than
_SLANTS = tuple(range(-4, 13, 2))  # degrees that displays lean over to the right
_BROAD = 1.6  # times as thick as most is a bar at most
_APART = 2.4  # thicknesses between the two bars of a 1 at most; the 1s of two lines of writing stand further apart
_ONES_APART = 2.0  # and where there is nothing else
_ALIKE = 0.6  # of the longest upright that each is long
_SLIM = 0.14  # thickness of bars that make up nothing but 1s, in their lengths: pens are thinner
_OFF = 0.12  # of a digit's height: how far from its place a bar may lie
_USUAL = 0.55  # breadth of a digit between the middles of its uprights, in heights, where no level bar tells
_BREADTHS = 0.35, 0.9  # what that may be
_SPACE = 1.6  # times the distance of two neighbouring digits that there is between two with a space between them
_NEXT = 0.5  # of a digit's height: room between two of them at most where nothing else tells how far apart they stand
_DOUBLE = 0.62  # of a line's height and the room around it that two uprights in touch are long at least
_TOUCHING = 0.75  # share of uprights at most that are two in touch
_MOST = 400  # bars; a page with more of them is no display
# How far from where two segments meet, in thicknesses, there is no ink in a corner that is round, and there is some. Of
# 3,765 pictures of 0s, 5s, 6s and 8s in print 21 pass for displays, all of them read right; without, a tenth of bold
# ones did, half of them wrong. Of 104 photographed displays in DSEG fonts two are lost.
_BEYOND, _WITHIN = 0.12, (0.42, 0.7)
_ROUND = 0.6  # share of the corners of a page's digits that are round at most
_SURE = 0.999  # confidence in a digit each of whose segments is clearly there, or clearly not

# Where a digit's segments are: middle (x, y) in its breadth and height, and whether they are level.
_PLACES = (
    (0.5, 0.0, True), (1.0, 0.25, False), (1.0, 0.75, False), (0.5, 1.0, True), (0.0, 0.75, False), (0.0, 0.25, False),
    (0.5, 0.5, True),
)  # fmt: skip
# Where two of them meet: (x, y), and which they are.
_CORNERS = ((0.0, 0.0, "af"), (1.0, 0.0, "ab"), (1.0, 1.0, "cd"), (0.0, 1.0, "de"))
_DIGITS = {
    "abcdef": 0, "bc": 1, "abdeg": 2, "abcdg": 3, "bcfg": 4, "acdfg": 5, "acdefg": 6, "cdefg": 6, "abc": 7, "abcf": 7,
    "abcdefg": 8, "abcdfg": 9, "abcfg": 9,
}  # fmt: skip


class Shown(NamedTuple):
    """A digit on a display. box: (x, y, w, h) in the page's pixels. confidence: how clearly its segments are told, 0-1.

    line: counted from the top. number: which one of the page it is part of, numbers being a space apart.
    """

    digit: int
    box: Box
    confidence: float
    line: int
    number: int


class _Cell(NamedTuple):
    """A digit as its cell shows it. rows, columns: int64 (N,), of its pixels. corners: which lit are round."""

    digit: int
    confidence: float
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    corners: list[bool]


class _Bars(NamedTuple):
    """Bars of one direction: middles and lengths, float (N,)."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    length: npt.NDArray[np.float64]

    def chosen(self, which: npt.NDArray[np.bool_]) -> _Bars:
        """Those of them."""
        return _Bars(self.x[which], self.y[which], self.length[which])


def read_display(ink: PageInk) -> list[Shown]:
    """The digits of a page that is a display of seven segments, line by line, left to right; none where it is none.

    >>> mask = np.zeros((60, 60), np.bool_)
    >>> mask[10:28, 40:45] = mask[32:50, 40:45] = mask[5:10, 22:38] = True
    >>> [(shown.digit, shown.box) for shown in read_display(PageInk(mask * np.uint8(255), mask, 5.0))]
    [(7, (22, 5, 23, 45))]
    """
    level, upright = _in_bars(ink.mask, ink.thickness)
    if np.count_nonzero(level | upright) < _BARS * np.count_nonzero(ink.mask):
        return []
    if _bars(level, ink.thickness, level=True) is None:  # as they are at any slant
        return []
    times = max(1, round(ink.thickness / 4))
    small = np.ascontiguousarray(ink.mask[::times, ::times])
    best: list[Shown] = []
    for slant in sorted(_SLANTS, key=lambda slant: -_uprightness(small, slant))[:2]:
        shown = _read_upright(ink, float(np.tan(np.radians(slant))))
        if _total(shown) > _total(best):
            best = shown
    return best


def _total(shown: list[Shown]) -> float:
    return sum(one.confidence for one in shown)


def _uprightness(mask: Mask, slant: float) -> float:
    """How much of the ink stands in few columns, made upright from a slant in degrees."""
    columns = _sheared(mask, float(np.tan(np.radians(slant)))).sum(axis=0, dtype=np.float64)
    return float((columns**2).sum())


def _sheared(mask: Mask, lean: float) -> npt.NDArray[np.uint8]:
    """The ink with each row further to the right than the one above, by ``lean`` pixels, with room for it."""
    height, width = mask.shape
    matrix = np.array([[1, lean, max(0.0, -lean) * height], [0, 1, 0]])
    size = width + round(abs(lean) * height), height
    return np.asarray(cv2.warpAffine(mask.view(np.uint8) * 255, matrix, size) > 127, np.uint8)


def _in_bars(mask: Mask, thickness: float) -> tuple[Mask, Mask]:
    """Ink that lies in level bars and in upright ones (openings; Serra, 1982): bool (H, W) each."""
    side = max(3, round(_LONG * thickness))
    level, upright = (
        cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones(size, np.uint8))
        for size in ((1, side), (side, 1))
    )
    return np.asarray(level, np.uint8).view(np.bool_), np.asarray(upright, np.uint8).view(np.bool_)


def _bars(found: Mask, thickness: float, *, level: bool) -> _Bars | None:
    """The bars of one direction; None where some are broader than bars are."""
    _, _, stats, centres = cv2.connectedComponentsWithStats(found.view(np.uint8), connectivity=8)
    stats, centres = stats[1:], centres[1:]
    length, breadth = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    if not level:
        length, breadth = breadth, length
    kept = stats[:, cv2.CC_STAT_AREA] >= 0.5 * _LONG * thickness**2
    if len(stats) > _MOST or (breadth[kept] > _BROAD * thickness + 1).any():
        return None
    return _Bars(centres[kept, 0], centres[kept, 1], length[kept].astype(np.float64))


def _read_upright(ink: PageInk, lean: float) -> list[Shown]:
    """The digits of a display, its slant told."""
    mask = _sheared(ink.mask, lean).view(np.bool_)
    in_level, in_upright = _in_bars(mask, ink.thickness)
    level, upright = _bars(in_level, ink.thickness, level=True), _bars(in_upright, ink.thickness, level=False)
    if level is None or upright is None or not len(upright.x):
        return []
    result: list[Shown] = []
    placed = 0
    rounded: list[bool] = []
    shift = max(0.0, -lean) * mask.shape[0]
    number = 0
    for line, (top, bottom) in enumerate(_lines(level, upright, ink.thickness)):
        mine = [bars.chosen((bars.y >= top) & (bars.y <= bottom)) for bars in (level, upright)]
        cells = _cells(mine[0], _halved(mine[1], bottom - top), ink.thickness)
        if cells is None:
            return []
        lefts, first, breadth, height = cells
        distance = np.diff(lefts)
        usual = min([float(np.median(distance)) if len(distance) > 1 else np.inf, breadth + _NEXT * height])
        for place, left in enumerate(lefts):
            number += place > 0 and distance[place - 1] > _SPACE * usual
            found = _read_cell(mask, left, first, breadth, height, ink.thickness)
            if found is None:
                return []
            rounded += found.corners
            placed += len(found.rows)
            columns = np.rint(found.columns - shift - lean * found.rows).astype(np.int64)
            x, y = int(columns.min()), int(found.rows.min())
            box = x, y, int(columns.max()) - x + 1, int(found.rows.max()) - y + 1
            result.append(Shown(found.digit, box, found.confidence, line, number))
        number += 1
    if sum(rounded) > _ROUND * len(rounded):
        return []
    return result if placed >= _PLACED * np.count_nonzero(in_level | in_upright) else []


def _lines(level: _Bars, upright: _Bars, thickness: float) -> Iterator[tuple[float, float]]:
    """From where to where lines of digits reach, from the top down."""
    room = _APART / 2 * thickness
    halves = np.concatenate([np.full(len(level.y), thickness / 2), upright.length / 2]) + room
    middles = np.concatenate([level.y, upright.y])
    order = np.argsort(middles - halves)
    top, bottom = None, -np.inf
    for first, last in zip((middles - halves)[order], (middles + halves)[order], strict=True):
        if first > bottom and top is not None:
            yield top, bottom
        if first > bottom:
            top = float(first)
        bottom = max(bottom, float(last))
    if top is not None:
        yield top, bottom


def _halved(upright: _Bars, tall: float) -> _Bars:
    """The uprights of a line, those that are two in touch parted; unparted where nearly all are: they may be letters.

    tall: how tall the line is, with its room.
    """
    double = upright.length >= _DOUBLE * tall
    if np.count_nonzero(double) > _TOUCHING * len(double):
        return upright
    single, parted = upright.chosen(~double), upright.chosen(double)
    quarter, half = parted.length / 4, parted.length / 2
    return _Bars(
        np.concatenate([single.x, parted.x, parted.x]),
        np.concatenate([single.y, parted.y - quarter, parted.y + quarter]),
        np.concatenate([single.length, half, half]),
    )


def _cells(level: _Bars, upright: _Bars, thickness: float) -> tuple[list[float], float, float, float] | None:
    """Where the digits of a line are: the middles of their left uprights, of their top bars, their breadth and height,
    from middle to middle. None where the bars are no digits."""
    if len(upright.y) < 2:
        return None
    cut = (upright.y.min() + upright.y.max()) / 2
    above, below = upright.chosen(upright.y < cut), upright.chosen(upright.y >= cut)
    if not len(above.y):
        return None
    height = 2 * float(np.median(below.y) - np.median(above.y))
    middle = float(np.median(below.y) + np.median(above.y)) / 2
    first = middle - height / 2
    off = _OFF * height
    if any(np.abs(half.y - np.median(half.y)).max() > off for half in (above, below)):
        return None
    gap = height / 2 - float(np.median(upright.length))
    if (
        upright.length.max() > 0.5 * height + thickness + 1
        or gap > _APART * thickness
        or upright.length.min() < _ALIKE * upright.length.max()
    ):
        return None
    places = np.abs(level.y[:, None] - (first + height * np.array([0, 0.5, 1])))
    if (places.min(axis=1, initial=np.inf) > off).any():
        return None
    columns = _clusters(upright.x, off)
    middles = _clusters(level.x, off)
    breadth = _USUAL * height
    if len(middles):
        aside = np.abs(columns[None] - level.x[:, None])
        aside = aside[(aside >= level.length[:, None] / 2 - off) & (aside <= level.length[:, None] / 2 + 2 * off)]
        if not len(aside):
            return None
        breadth = 2 * float(np.median(aside))
        if not _BREADTHS[0] * height <= breadth <= _BREADTHS[1] * height:
            return None
    elif thickness < _SLIM * float(np.median(upright.length)) or gap > _ONES_APART * thickness:
        return None
    ends = np.concatenate([middles - breadth / 2, middles + breadth / 2])
    alone = [x for x in columns if not len(ends) or np.abs(ends - x).min() > 1.5 * off]
    lefts = sorted([*(middles - breadth / 2).tolist(), *(x - breadth for x in alone)])
    if (np.diff(lefts) < breadth).any() and len(middles):
        return None
    return lefts, first, breadth, height


def _clusters(values: npt.NDArray[np.float64], near: float) -> npt.NDArray[np.float64]:
    """The means of values that lie close together, in their order."""
    ordered = np.sort(values)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > near) + 1)
    return np.array([part.mean() for part in parts if len(part)])


def _read_cell(mask: Mask, left: float, first: float, breadth: float, height: float, thickness: float) -> _Cell | None:
    """The digit of a cell; None where it is none."""
    shares = np.array([
        _share(mask, left + x * breadth, first + y * height, breadth if is_level else height / 2, thickness, is_level)
        for x, y, is_level in _PLACES
    ])  # fmt: skip
    lit = "".join(name for name, share in zip("abcdefg", shares, strict=True) if share >= 0.5)
    clear = float(np.abs(2 * shares - 1).min())
    confidence = min(1.0, 0.5 + clear) * _SURE
    if lit not in _DIGITS:
        return None
    room = thickness
    top, bottom = max(0, round(first - room)), round(first + height + room) + 1
    start, stop = max(0, round(left - room)), round(left + breadth + room) + 1
    rows, columns = np.nonzero(mask[top:bottom, start:stop])
    rows, columns = rows + top, columns + start
    # Where its ink ends tells more than where all digits' bars are.
    low, far = rows.min() + thickness / 2, columns.min() + thickness / 2
    tall, broad = np.ptp(rows) + 1 - thickness, np.ptp(columns) + 1 - thickness
    corners = [
        _is_round(mask, far + x * broad, low + y * tall, (2 * x - 1) * thickness, (2 * y - 1) * thickness)
        for x, y, names in _CORNERS
        if set(names) <= set(lit)
    ]
    return _Cell(_DIGITS[lit], confidence, rows, columns, corners)


def _is_round(mask: Mask, x: float, y: float, outward: float, downward: float) -> bool:
    """Whether ink runs around a corner of a digit within it: segments end there, or meet in it.

    x, y: where the middles of two segments meet. outward, downward: a thickness, away from the digit.
    """

    def is_ink(share: float) -> bool:
        row, column = round(y + share * downward), round(x + share * outward)
        return 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and bool(mask[row, column])

    return not is_ink(_BEYOND) and all(is_ink(-share) for share in _WITHIN)


def _share(mask: Mask, x: float, y: float, length: float, thickness: float, is_level: bool) -> float:
    """The share of a segment's middle that is ink, where a little to one side it is most."""
    along, across = max(1.0, 0.12 * length), max(1.0, 0.25 * thickness)
    wide, tall = (along, across) if is_level else (across, along)
    shares = []
    for off in (-0.5 * thickness, 0.0, 0.5 * thickness):
        middle_x, middle_y = (x, y + off) if is_level else (x + off, y)
        rows = slice(max(0, round(middle_y - tall)), max(0, round(middle_y + tall)) + 1)
        columns = slice(max(0, round(middle_x - wide)), max(0, round(middle_x + wide)) + 1)
        part = mask[rows, columns]
        shares.append(float(part.mean()) if part.size else 0.0)
    return max(shares)


__all__ = ["Shown", "read_display"]
