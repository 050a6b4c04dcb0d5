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
) -> tuple[Page, npt.NDArray[np.bool_]] | None:
    """What stands in the rows of boxes on a page, and where the boxes are, bool (H, W); None where there are none.

    view: the page, turned level. Places on the Page are in the picture's pixels. Other arguments as for ``read_page``.
    """
    lines, rejected, kept = [], [], []
    for row in find_box_rows(view.grey):
        page, sure = read_cells(row, answer, min_confidence=min_confidence, find_ink=find_ink, read_views=read_views)
        count = len(page.digits)
        inked = count + len(page.rejected)
        meant = count >= max(_FEWEST, _FILLED * len(row.corners)) and sure.sum() >= _READABLE * inked
        if meant and not shared_cells(row).any():
            words = _words_of(row, page.lines[0], sure[0] > 0, expectation)
            lines.append(
                Line(" ".join(word.text for word in words), tuple(one for word in words for one in word.digits))
            )
            rejected += [*page.rejected, *(one for word in words for one in word.rejected)]
            kept.append(row)
    if not kept:
        return None
    watch("boxes", [row.grey for row in kept])
    placed = tuple(
        Line(line.text, tuple(replace(digit, box=view.box(digit.box)) for digit in line.digits)) for line in lines
    )
    none = tuple(replace(one, box=view.box(one.box)) for one in rejected)
    return Page(placed, none), covered(kept, view.grey.shape)


def _words_of(row: BoxRow, line: Line, filled: npt.NDArray[np.bool_], expectation: Expectation) -> list[ReadWord]:
    """The numbers of a row: one begins after an empty box, and after a wider gap."""
    gaps = row.gaps()
    begins = np.concatenate([[False], gaps > np.median(gaps) + _WIDER * row.height()]) | ~filled
    words: list[list[PlacedReading]] = [[]]
    waiting = iter(line.digits)
    for is_filled, is_new in zip(filled, begins, strict=True):
        if is_new and words[-1]:
            words.append([])
        if is_filled:
            words[-1].append(next(waiting))
    return [judged(ReadWord(0, row.height(), "", tuple(word), ()), [], [], expectation) for word in words if word]


def together(page: Page, boxed: Page) -> Page:
    """The page with what stands in its boxes, each line at its height; what stands beside another line is a part of it.

    >>> together(Page(), Page()).lines
    ()
    """
    result = list(page.lines)
    for line in boxed.lines:
        beside = next((place for place, other in enumerate(result) if _are_beside(line, other)), None)
        if beside is None:
            result.append(line)
        else:
            first, last = sorted((line, result[beside]), key=lambda one: one.digits[0].box[0])
            result[beside] = Line(f"{first.text} {last.text}", first.digits + last.digits)
    lines = tuple(sorted(result, key=lambda one: sum(_span(one))))
    return replace(page, lines=lines, rejected=page.rejected + boxed.rejected)


def _span(line: Line) -> tuple[int, int]:
    """From where to where a line reaches, from top to bottom."""
    return min(digit.box[1] for digit in line.digits), max(digit.box[1] + digit.box[3] for digit in line.digits)


def _are_beside(one: Line, other: Line) -> bool:
    (top, bottom), (upper, lower) = _span(one), _span(other)
    return min(bottom, lower) - max(top, upper) >= _BESIDE * min(bottom - top, lower - upper)


__all__ = ["read_boxes", "together"]
