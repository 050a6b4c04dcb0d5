"""Displays of seven segments among other ink, in a case or beside words, are found by their rows of bars.

Knows how such a row looks from afar; what its bars show is told by ``display``. Where a row may go on, or a word may
begin in it, it is left to others, as is a lone digit of few bars, and 1s alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.displays.bars import LONG, Marks, broadest, drawn, find_marks, thickness_of_bars
from digit_recognizer.pictures.displays.display import Shown, read_display
from digit_recognizer.pictures.paper import Mask, PageInk, stroke_width

# Chosen on 36 photographs, drawn, of thermometers, score boards and price boards (84 numbers), and on 96 displays with
# a word above or beside them, drawn and in DSEG fonts.
_SIDE = 1000  # pixels of the longer side of the page in which rows are looked for
_LEAST = 24  # pixels there that a digit is tall at least
_MOST = 400  # bars, and marks of bars; a page with more of them is no display
_NEAR = 0.58  # of a segment's length between two of a digit at most; digits that are nearer yet are told apart later
_AS_LONG = 2.5  # times another that is near is a segment as long at most
_AS_THICK = 1.6  # and as thick
_AS_TALL = 0.72  # of a digit's height: a 4 and a 1 lack the bars at top and bottom
_APART = 1.35  # heights between two digits of a row at most: a 1 stands at the right of its place
_CLEAR = 0.35  # heights around a row in which nothing is that may be a letter, or a digit that was not seen
_LETTER = 0.3, 1.35  # heights that this is tall; what is in the row's way counts, too, where it is as wide
_SOLID = 1.8  # times as thick as all bars are what is no letter, but a part of the case
_SEGMENT = 0.7  # heights: letters are longer than the bars of a digit
_PIECE = 0.2  # heights: dots are shorter than the bars of a digit
_SLIM = 0.05  # thickness of a display's bars in heights at least; a form's boxes have thinner sides
_FEWEST = 4  # bars that tell a digit which stands alone
_SURE = 0.85  # confidence in each digit at least; of words in 1,369 fonts, those in one passed for digits without
_ROOM = 0.2  # heights around a row that belong to it: its points lie there

_Places = npt.NDArray[np.int64]


class Among(NamedTuple):
    """Displays among other ink. shown: their digits, row by row. covered: bool (H, W), where they are."""

    shown: list[Shown]
    covered: Mask


def displays_among(ink: PageInk) -> Among | None:
    """The displays of a page that holds other ink as well; None where there is none.

    >>> mask = np.zeros((80, 160), np.bool_)
    >>> mask[10:28, 40:45] = mask[32:50, 40:45] = mask[5:10, 22:38] = mask[25:30, 67:83] = mask[50:55, 67:83] = True
    >>> mask[10:28, 85:90] = mask[5:10, 67:83] = mask[32:50, 60:65] = mask[50:78, 120:150] = True
    >>> [shown.digit for shown in displays_among(PageInk(mask * np.uint8(255), mask, 5.0)).shown]
    [7, 2]
    """
    times = max(1, -(-max(ink.mask.shape) // _SIDE))
    small = np.ascontiguousarray(ink.mask[::times, ::times])
    marks = find_marks(small)
    shown: list[Shown] = []
    covered = np.zeros(ink.mask.shape, np.bool_)
    thickness = thickness_of_bars(small, marks)
    boxes = []
    for row in _rows(marks.boxes, thickness):
        for box, found in _read(ink.mask, small, marks, row, times):
            boxes.append(box)
            line, number = (shown[-1].line + 1, shown[-1].number + 1) if shown else (0, 0)
            shown += [one._replace(line=line, number=number + one.number) for one in found]
            x, y, wide, tall = (times * box).tolist()
            room = round(_ROOM * tall)
            covered[max(0, y - room) : y + tall + room, max(0, x - room) : x + wide + room] = True
    return Among(shown, covered) if shown and not _are_parts(boxes, marks.boxes, thickness) else None


def _are_parts(
    rows: Sequence[npt.NDArray[np.int64]], boxes: npt.NDArray[np.int64], thickness: npt.NDArray[np.float64]
) -> bool:
    """Whether segments stand beside rows that were read, as thick as theirs: of digits that were not.

    rows: the boxes (4,) of these. boxes, thickness: of all marks, as for ``_rows``.
    """
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    long = boxes[:, 2:].max(1)
    bars = (thickness > 0) & (long >= LONG * boxes[:, 2:].min(1))
    inside = [((middle >= row[:2]) & (middle <= row[:2] + row[2:])).all(1) for row in rows]
    left_over = bars & ~np.any(inside, axis=0)
    for row, mine in zip(rows, inside, strict=True):
        usual = float(np.median(thickness[mine & (thickness > 0)])) if (mine & (thickness > 0)).any() else 0.0
        apart = np.maximum(boxes[:, 0] - row[0] - row[2], row[0] - boxes[:, 0] - boxes[:, 2])
        near = left_over & (apart <= _APART * row[3]) & (middle[:, 1] >= row[1]) & (middle[:, 1] <= row[1] + row[3])
        near &= (long >= _PIECE * row[3]) & (long <= _SEGMENT * row[3])
        if (near & (np.maximum(thickness, usual) <= _AS_THICK * np.minimum(thickness, usual) + 1)).any():
            return True
    return False


def _rows(boxes: npt.NDArray[np.int64], thickness: npt.NDArray[np.float64]) -> list[list[_Places]]:
    """What may be rows of digits, left to right: the bars of each digit, or of several that are close together.

    boxes: int64 (N, 4). thickness: float (N,), of bars, 0 for what is none.
    """
    made = np.flatnonzero(thickness)
    if not 2 <= len(made) <= _MOST:
        return []
    thick, (wide, tall) = thickness[made], boxes[made, 2:].T
    length = np.where(tall >= LONG * wide, tall, np.where(wide >= LONG * tall, wide, tall / 2))
    linked = _gaps(boxes[made]).max(axis=2) <= _NEAR * np.maximum.outer(length, length) + 1
    linked &= np.maximum.outer(length, length) <= _AS_LONG * np.minimum.outer(length, length)
    linked &= np.maximum.outer(thick, thick) <= _AS_THICK * np.minimum.outer(thick, thick) + 1
    digits = [made[group] for group in _groups(linked)]
    spans = np.array([_span(boxes[one]) for one in digits])
    digits = [one for one, span in zip(digits, spans, strict=True) if span[3] >= _LEAST]
    spans = spans[spans[:, 3] >= _LEAST]
    if not digits:
        return []
    tall = spans[:, 3]
    lower = np.minimum.outer(tall, tall)
    across, down = np.moveaxis(_gaps(spans), 2, 0)
    beside = (lower >= _AS_TALL * np.maximum.outer(tall, tall)) & (-down >= _AS_TALL * lower)
    beside &= across <= _APART * np.maximum.outer(tall, tall)
    return [[digits[one] for one in group[np.argsort(spans[group, 0])]] for group in _groups(beside)]


def _gaps(boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How far apart boxes (N, 4) are, to the side and down: (N, N, 2); less than 0 where they overlap."""
    first, last = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    return np.asarray(np.maximum(first[:, None], first[None]) - np.minimum(last[:, None], last[None]))


def _groups(linked: npt.NDArray[np.bool_]) -> list[_Places]:
    """What is linked with each other, by way of others, too."""
    names = np.arange(len(linked))
    while True:
        least = np.where(linked, names, len(names)).min(axis=1)
        if (least == names).all():
            return [np.flatnonzero(names == name) for name in np.unique(names)]
        names = least[least]


def _span(boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The box (4,) around boxes (N, 4)."""
    first = boxes[:, :2].min(axis=0)
    return np.concatenate([first, (boxes[:, :2] + boxes[:, 2:]).max(axis=0) - first])


def _read(
    mask: Mask, small: Mask, marks: Marks, row: Sequence[_Places], times: int
) -> Iterator[tuple[npt.NDArray[np.int64], list[Shown]]]:
    """The digits of a row, and the box around its bars; where these are none, of its parts a gap apart.

    mask: bool (H, W), all ink. small, marks: that, so many times smaller, and what is in it.
    """
    places = np.concatenate(row)
    box = _span(marks.boxes[places])
    if len(row) == 1 and len(places) < _FEWEST and box[2] < box[3]:
        return
    if _stands_clear(small, marks, places, box):
        found = _shown(mask, small, marks, row, box, times)
        if found:
            yield box, found
            return
    if len(row) == 1:
        return
    spans = np.array([_span(marks.boxes[one]) for one in row])
    gaps = spans[1:, 0] - spans[:-1, 0] - spans[:-1, 2]
    widest = int(gaps.argmax())
    if gaps[widest] >= _CLEAR * box[3]:
        parts = row[: widest + 1], row[widest + 1 :]
        for part, other in (parts, parts[::-1]):
            # Of a row that is not read a part says nothing, but for a word beside digits.
            if _has_segments(marks, part, box[3]) and not _has_segments(marks, other, box[3]):
                yield from _read(mask, small, marks, part, times)


def _has_segments(marks: Marks, row: Sequence[_Places], tall: int) -> bool:
    """Whether a part of a row has segments that stand apart: letters of bars are whole."""
    wide, high = marks.boxes[np.concatenate(row), 2:].T
    return bool((np.maximum(wide, high) < _SEGMENT * tall).mean() >= 0.5 or (wide >= LONG * high).any())


def _stands_clear(mask: Mask, marks: Marks, places: _Places, box: npt.NDArray[np.int64]) -> bool:
    """Whether nothing in a row's box or beside it may be a letter, or a digit that was taken for something else."""
    x, y, wide, tall = box
    left, top, broad, high = marks.boxes.T
    gap = np.maximum(left - x - wide, x - left - broad)
    shared = np.minimum(top + high, y + tall) - np.maximum(top, y)
    near = (gap < _CLEAR * tall) & (shared >= high / 2) & (high <= _LETTER[1] * tall)
    near &= np.where(gap < 0, np.maximum(high, broad), high) >= _LETTER[0] * tall
    near[places] = False
    if not near.any():
        return True
    thick = _SOLID * max(broadest(mask, marks, place) for place in places.tolist())
    return all(broadest(mask, marks, place) > thick for place in np.flatnonzero(near).tolist())


def _shown(
    mask: Mask, small: Mask, marks: Marks, row: Sequence[_Places], box: npt.NDArray[np.int64], times: int
) -> list[Shown]:
    """The digits of a row in a box, their places on the page; none where it is no display, or not surely."""
    places = np.concatenate(row)
    mine = drawn(small, marks, places, box)
    left, top = (times * (box[:2] - 1)).tolist()
    if times > 1:
        grown = cv2.dilate(mine.view(np.uint8), np.ones((3, 3), np.uint8))
        mine = np.asarray(cv2.resize(grown, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)).view(np.bool_)
        rows, columns = (np.arange(first, first + size) for first, size in zip((top, left), mine.shape, strict=True))
        inside = np.ix_(rows.clip(0, len(mask) - 1), columns.clip(0, mask.shape[1] - 1))
        mine = mine & mask[inside]
    x, y, wide, tall = np.array([_span(marks.boxes[one]) for one in row], np.float64).T
    across, down = x + wide / 2, y + tall / 2
    # A bar in a frame of bars stands where that does: no line goes through one place.
    fall = float(np.polyfit(across, down, 1)[0]) if np.ptp(across) > 0 else 0.0
    room = round(abs(fall) * mine.shape[1])
    size = mine.shape[1], mine.shape[0] + 2 * room
    level = cv2.warpAffine(mine.view(np.uint8) * 255, np.array([[1, 0, 0], [-fall, 1, room]]), size) > 127
    level = np.asarray(level, np.bool_)
    thickness = stroke_width(level)
    found = read_display(PageInk(level.view(np.uint8) * np.uint8(255), level, thickness))
    if thickness < _SLIM * times * box[3] or not found or len({one.line for one in found}) > 1:
        return []
    if all(one.digit == 1 for one in found) or (len(found) == 1 and len(places) < _FEWEST):
        return []
    if min(one.confidence for one in found) < _SURE:
        return []
    return [one._replace(box=_placed(one.box, left, top - room, fall)) for one in found]


def _placed(box: tuple[int, int, int, int], left: int, top: int, fall: float) -> tuple[int, int, int, int]:
    x, y, wide, tall = box
    return x + left, y + top + round(fall * (x + wide / 2)), wide, tall


__all__ = ["Among", "displays_among"]
