"""The cells of a straightened grid become the lines of a Page: one digit a cell, a space where a cell is empty.

Knows nothing of what the digits of a row have to do with each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, Images
from digit_recognizer.pictures.cell_view import cell_view, in_cell, ink_of_view
from digit_recognizer.pictures.ground import ink_on_black
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.ink_map import FindInk, InkMap, ink_map
from digit_recognizer.pictures.means import Answer, ReadViews, Scores
from digit_recognizer.pictures.parts import digit_strokes
from digit_recognizer.reading import NOT_A_DIGIT, Box, Line, Page, PlacedReading, Reading, Rejected, readings

# Each cell is looked at as it is and sharpened, (sigma in pixels of 64 a cell, amount), its strokes thinned, and the
# answers averaged: in photos out of focus pale print runs full. Of 972 digits on twelve photos 15 were read wrong so,
# and 21 with more sharpening and strokes as broad as they come; on eleven others 7 and 10.
_LOOKS = ((2.0, 2.0), (0.0, 0.0), (3.0, 4.0))
_THINNED = 0.5  # how much of an erosion by a pixel a frame's strokes are thinned by
# Weight of the cell reader's word against the digit model's, and the power to which their agreement is raised, as both
# are too modest where they agree. Of 2,005 composed digits that neither saw 195 were read wrong by the digit model, 98,
# 96 and 89 with weights of 0.6, 0.7 and 0.8; the likeliest power for 0.7 was 1.1 (of 1.0 to 2.0).
_BY_VIEW, _POWER = 0.7, 1.1
_LEAST = 1e-4  # probability below which nobody's word is taken, lest it be a veto
_STRANGE = 0.95  # unfamiliarity from which on the ink in a cell is left out where nobody expected a digit there
# Probability from which on a cell is empty by the cell reader's word. Of 3,159 composed digits no ink was found of 583
# by what stands out from the paper, and 72 are empty by this; of 298 empty cells 48 and 23 are not.
_SAID_EMPTY = 0.5
_EMPTY = CLASSES  # the cell reader's class of cells without ink
_INSET = 0.1  # share of a cell cut away at each side: the lines, and where they bend
_LINE = 48  # of 255: ink that may be what is left of a line
_ACROSS = 0.85  # of the cell's side that a line's remains are long at least
_BESIDE = 0.3  # of the cell's other side within which they lie
_SMOOTHED = 0.8  # sigma that is blurred with before sharpening, against JPEG's blocks

# Marks that are digits by their height. None of the last 3,000 of MNIST's training digits is two of them side by side.
_STROKE = 110  # of 255: ink that surely is some
_FULL = 0.6  # of the height of most cells' tallest marks that a digit has at least
_ALIKE = 0.6  # of the taller one's height that the lower of two digits side by side has at least
_SIDE_LINE = 0.12  # of a cell's width: what is narrower and at its side is what is left of a line


class Cells(Protocol):
    """Straightened cells in rows: a grid, or a row of boxes. grey: uint8 (H, W), all of them."""

    @property
    def grey(self) -> Grey:
        """All cells in one picture: uint8 (H, W)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""

    def cell(self, row: int, column: int) -> Grey:
        """One cell with the lines around it: uint8 (H, W)."""

    def area(self, row: int, column: int) -> tuple[slice, slice]:
        """The rows and columns of ``grey`` that one cell takes."""

    def box(self, row: int, column: int, part: Box) -> Box:
        """Where a part of a cell, (x, y, w, h) in its pixels, lies in the picture."""


def read_cells(
    grid: Cells,
    answer: Answer,
    *,
    min_confidence: float = 0.0,
    name: str = "",
    expected: bool = False,
    find_ink: FindInk | None = None,
    read_views: ReadViews | None = None,
) -> tuple[Page, Scores]:
    """Read a grid, row by row: its page, and how sure each cell is, float32 (rows, columns), 0 where no digit was read.

    grid: as find_grid or find_box_rows give it. answer, min_confidence, name, find_ink, read_views: as for read_page.
    expected: someone said that there is a grid with a digit in each cell; what looks like none is then read all the
    same, and not accepted. Else a cell whose ink is no digit is told in ``rejected`` and a space in its line's text, as
    an empty one.
    """
    cells = _cells(grid)
    views = np.stack([cell_view(cell) for cell in cells])
    inner = [_inner(cell) for cell in cells]
    boxes = [_ink_box(cell, part) for cell, part in zip(cells, inner, strict=True)]
    by_views = None if read_views is None else read_views(views)
    if by_views is None:
        filled = [number for number, box in enumerate(boxes) if box is not None]
    else:
        filled = np.flatnonzero(by_views[:, _EMPTY] <= _SAID_EMPTY).tolist()
    looks = {number: _looks(cells[number], inner[number]) for number in filled}
    if find_ink is not None and filled:
        found_ink = ink_map(grid.grey, 0.0, find_ink)
        for number in filled:
            looks[number].append(_seen(found_ink[grid.area(*divmod(number, grid.shape[1]))], inner[number]))
    for number, frames in looks.items():
        looks[number] = [frame for frame in frames if frame.any()] or [to_frame(ink_of_view(views[number]))]
    looks = {number: frames for number, frames in looks.items() if frames[0].any()}
    if not looks:
        return Page(name=name), np.zeros(grid.shape, np.float32)
    scores = _mean_answers(list(looks.values()), answer)
    if by_views is not None:
        scores = _agreed(scores, by_views[list(looks)])
    read = readings(
        scores[:, :CLASSES],
        [""] * len(looks),
        min_confidence,
        frames=np.stack([frames[0] for frames in looks.values()]),
        unfamiliarity=scores[:, CLASSES],
    )
    placed = {
        number: (reading, boxes[number] or _box_by_view(cells[number], views[number]))
        for number, reading in zip(looks, read, strict=True)
    }
    return _page_of(grid, placed, name, expected=expected)


def _page_of(grid: Cells, read: Mapping[int, tuple[Reading, Box]], name: str, *, expected: bool) -> tuple[Page, Scores]:
    """The page of a grid's cells, and how sure each is. read: by their numbers, row by row, boxes within each."""
    rows, columns = grid.shape
    sure = np.zeros(grid.shape, np.float32)
    lines, rejected = [], []
    for row in range(rows):
        letters, digits = [], []
        for column in range(columns):
            letters.append(" ")
            if row * columns + column not in read:
                continue
            reading, part = read[row * columns + column]
            box = grid.box(row, column, part)
            if reading.unfamiliarity > _STRANGE and not expected:
                rejected.append(Rejected(box, NOT_A_DIGIT))
            else:
                letters[-1] = str(reading.digit)
                sure[row, column] = reading.confidence
                digits.append(PlacedReading.of(reading, box))
        if digits:
            lines.append(Line("".join(letters), tuple(digits)))
    return Page(tuple(lines), tuple(rejected), name), sure


def _cells(grid: Cells) -> list[Grey]:
    """All cells, row by row."""
    return [grid.cell(row, column) for row in range(grid.shape[0]) for column in range(grid.shape[1])]


def shared_cells(grid: Cells) -> npt.NDArray[np.bool_]:
    """The cells that hold several marks side by side, each as tall as a digit: numbers. bool (rows, columns).

    >>> from digit_recognizer.pictures.grids.grid import Grid
    >>> page = np.full((300, 300), 255, np.uint8)
    >>> page[30:272:60, 30:271] = 0
    >>> page[30:271, 30:272:60] = 0
    >>> page[45:75, 50:54] = page[45:75, 64:68] = page[45:75, 114:118] = 0
    >>> sides = [0, 60, 120, 180, 240]
    >>> shared_cells(Grid(page[30:271, 30:271], np.eye(3), np.zeros((4, 2)), sides, sides, (241, 241))).sum().item()
    1
    """
    cells = [_marks(cell) for cell in _cells(grid)]
    tallest = [marks[:, 3].max() for marks in cells if len(marks)]
    usual = float(np.median(tallest)) if tallest else 0.0
    return np.array([_has_pair(marks[marks[:, 3] >= _FULL * usual]) for marks in cells], np.bool_).reshape(grid.shape)


def _marks(cell: Grey) -> npt.NDArray[np.int64]:
    """The connected pieces of ink in a cell, what is left of its lines left out: boxes (x, y, w, h), int64 (N, 4)."""
    ink = ink_on_black(np.ascontiguousarray(cell[_inner(cell)]))
    if ink is None:
        return np.zeros((0, 4), np.int64)
    _, _, stats, _ = cv2.connectedComponentsWithStats((ink >= _STROKE).view(np.uint8), connectivity=8)
    left, width = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_WIDTH]
    at_side = ((left == 0) | (left + width == ink.shape[1])) & (width < _SIDE_LINE * ink.shape[1])
    return stats[1:][~at_side, :4].astype(np.int64)


def _has_pair(marks: npt.NDArray[np.int64]) -> bool:
    """Whether one mark stands right of another, both about as tall and at one height. marks: as _marks gives them."""
    for (x, y, width, height), (right, top, _, tall) in pairwise(sorted(marks.tolist())):
        common = min(y + height, top + tall) - max(y, top)
        lower, taller = sorted((height, tall))
        if right >= x + width - 2 and lower >= _ALIKE * taller and common >= lower / 2:
            return True
    return False


def _agreed(by_frames: Scores, by_views: Scores) -> Scores:
    """What the digit model and the cell reader say together: a product of experts, weighted (Hinton 2002).

    by_frames: float32 (N, 11), ten digits and none. by_views: float32 (N, 12), ten digits, empty, none. Returns float32
    (N, 11), each row's sum 1.
    """
    other = np.column_stack([by_views[:, :CLASSES], by_views[:, CLASSES:].sum(axis=1)])
    first, second = (np.log(np.maximum(scores, _LEAST)) for scores in (by_frames, other))
    both = np.exp(_POWER * ((1 - _BY_VIEW) * first + _BY_VIEW * second))
    return np.asarray(both / both.sum(axis=1, keepdims=True), np.float32)


def _mean_answers(looks: Sequence[Sequence[Images]], answer: Answer) -> Scores:
    """The digit model's answers to several frames of each cell, averaged: float32 (N, 11), ten digits and none."""
    probabilities, unfamiliarity = answer(np.stack([frame for frames in looks for frame in frames]))
    strange = np.zeros(len(probabilities), np.float32) if unfamiliarity is None else unfamiliarity
    ends = np.cumsum([len(frames) for frames in looks])
    parts = np.split(np.column_stack([probabilities, strange]), ends[:-1])
    return np.stack([part.mean(axis=0) for part in parts])


def _looks(cell: Grey, inner: tuple[slice, slice]) -> list[Images]:
    """The frames of one cell, sharpened in several ways."""
    smooth = cv2.GaussianBlur(cell, (0, 0), _SMOOTHED).astype(np.float32)
    frames = []
    for sigma, amount in _LOOKS:
        look = cell
        if amount:
            sharp = smooth + amount * (smooth - cv2.GaussianBlur(smooth, (0, 0), sigma))
            look = np.clip(sharp, 0, 255).astype(np.uint8)
        frames.append(_thinned(to_frame(np.ascontiguousarray(look[inner]))))
    return frames


def _seen(found: InkMap, inner: tuple[slice, slice]) -> Images:
    """The frame of one cell as a network sees its ink. found: float32 (H, W), 0-1, as large as the cell."""
    return to_frame(np.ascontiguousarray(np.rint(255 * found[inner]).astype(np.uint8)))


def _thinned(frame: Images) -> Images:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.addWeighted(frame, 1 - _THINNED, cv2.erode(frame, cross), _THINNED, 0), np.uint8)


def _inner(cell: Grey) -> tuple[slice, slice]:
    """Rows and columns of a cell between its lines; where paper is bent, they lie further inside than usual."""
    rows, columns = (max(1, round(_INSET * side)) for side in cell.shape)
    inner = slice(rows, cell.shape[0] - rows), slice(columns, cell.shape[1] - columns)
    ink = ink_on_black(np.ascontiguousarray(cell[inner]))
    if ink is None:
        return inner
    _, _, stats, _ = cv2.connectedComponentsWithStats((ink >= _LINE).view(np.uint8), connectivity=8)
    height, width = ink.shape
    top, bottom, left, right = 0, height, 0, width
    for x, y, broad, tall, _ in stats[1:].tolist():
        if broad >= _ACROSS * width and tall <= _BESIDE * height:
            if y + tall <= _BESIDE * height:
                top = max(top, y + tall)
            elif y >= (1 - _BESIDE) * height:
                bottom = min(bottom, y)
        elif tall >= _ACROSS * height and broad <= _BESIDE * width:
            if x + broad <= _BESIDE * width:
                left = max(left, x + broad)
            elif x >= (1 - _BESIDE) * width:
                right = min(right, x)
    return slice(rows + top, rows + bottom), slice(columns + left, columns + right)


def _ink_box(cell: Grey, inner: tuple[slice, slice]) -> Box | None:
    """Where the digit lies in a cell, (x, y, w, h); None where no ink stands out from the paper."""
    ink = ink_on_black(np.ascontiguousarray(cell[inner]))
    strokes = None if ink is None else digit_strokes(ink)
    if strokes is None:
        return None
    top, bottom, left, right = strokes[1]
    return left + inner[1].start, top + inner[0].start, right - left, bottom - top


def _box_by_view(cell: Grey, view: Images) -> Box:
    """Where the ink lies in a cell that only its view shows, (x, y, w, h)."""
    strokes = digit_strokes(ink_of_view(view))
    height, width = cell.shape
    if strokes is None:
        return 0, 0, width, height
    top, bottom, left, right = strokes[1]
    x, y = in_cell((left, top), cell.shape)
    right, bottom = in_cell((right, bottom), cell.shape)
    return x, y, right - x, bottom - y


__all__ = ["Cells", "read_cells", "shared_cells"]
