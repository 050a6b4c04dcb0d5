"""The numbers in the boxes of a form are read box by box; what else is on the page is read without them.

Knows nothing of how a page is read.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.cells import Answer, ReadViews, read_cells, shared_cells
from digit_recognizer.pictures.context import ReadWord, judged
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.form_boxes import BoxRow, covered, find_box_rows
from digit_recognizer.pictures.ink_map import FindInk
from digit_recognizer.pictures.steps import Watch, unwatched
from digit_recognizer.pictures.upright import View
from digit_recognizer.reading import Line, Page, PlacedReading

_FEWEST = 2  # digits in a row of boxes; one alone may be a drawing beside others
_FILLED = 0.2  # share of a row's boxes that hold one
_READABLE = 0.8  # mean confidence of what is in them, at least, where what is no digit counts as 0
_WIDER = 0.35  # heights by which a gap is wider than most where another number begins
_BESIDE = 0.5  # of the lower height that two lines share which are one


def read_boxes(
    view: View,
    answer: Answer,
    read_views: ReadViews,
    find_ink: FindInk | None,
    expectation: Expectation,
    min_confidence: float,
    watch: Watch = unwatched,
) -> tuple[tuple[Line, ...], npt.NDArray[np.bool_]] | None:
    """The lines that stand in rows of boxes on a page, and where the boxes are, bool (H, W); None where there are none.

    view: the page, turned level. Boxes of lines are in the picture's pixels. Other arguments as for ``read_page``.
    """
    lines, kept = [], []
    for row in find_box_rows(view.grey):
        page, sure = read_cells(row, answer, min_confidence=min_confidence, find_ink=find_ink, read_views=read_views)
        count = len(page.digits)
        inked = count + len(page.rejected)
        meant = count >= max(_FEWEST, _FILLED * len(row.corners)) and sure.sum() >= _READABLE * inked
        if meant and not shared_cells(row).any():
            lines.append(_line_of(row, page.lines[0], sure[0] > 0, view, expectation))
            kept.append(row)
    if not kept:
        return None
    watch("boxes", [row.grey for row in kept])
    return tuple(lines), covered(kept, view.grey.shape)


def _line_of(row: BoxRow, line: Line, filled: npt.NDArray[np.bool_], view: View, expectation: Expectation) -> Line:
    """The line of a row: numbers begin after an empty box, and after a wider gap."""
    gaps = row.gaps()
    begins = np.concatenate([[False], gaps > np.median(gaps) + _WIDER * row.height()]) | ~filled
    words: list[list[PlacedReading]] = [[]]
    waiting = iter(line.digits)
    for is_filled, is_new in zip(filled, begins, strict=True):
        if is_new and words[-1]:
            words.append([])
        if is_filled:
            words[-1].append(next(waiting))
    found = [judged(ReadWord(0, row.height(), "", tuple(word), ()), [], [], expectation) for word in words if word]
    digits = tuple(replace(digit, box=view.box(digit.box)) for word in found for digit in word.digits)
    return Line(" ".join(word.text for word in found), digits)


def with_lines(page: Page, lines: tuple[Line, ...]) -> Page:
    """The page with more lines, each at its height; what stands beside another line becomes a part of that.

    >>> with_lines(Page(), ()).lines
    ()
    """
    result = list(page.lines)
    for line in lines:
        beside = next((place for place, other in enumerate(result) if _are_beside(line, other)), None)
        if beside is None:
            result.append(line)
        else:
            first, last = sorted((line, result[beside]), key=lambda one: one.digits[0].box[0])
            result[beside] = Line(f"{first.text} {last.text}", first.digits + last.digits)
    return replace(page, lines=tuple(sorted(result, key=lambda one: sum(_span(one)))))


def _span(line: Line) -> tuple[int, int]:
    """From where to where a line reaches, from top to bottom."""
    return min(digit.box[1] for digit in line.digits), max(digit.box[1] + digit.box[3] for digit in line.digits)


def _are_beside(one: Line, other: Line) -> bool:
    (top, bottom), (upper, lower) = _span(one), _span(other)
    return min(bottom, lower) - max(top, upper) >= _BESIDE * min(bottom - top, lower - upper)


__all__ = ["read_boxes", "with_lines"]
