"""The numbers in the boxes of a form are read box by box; what else is on the page is read without them.

Knows nothing of how a page is read.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.grids.cells import read_cells, shared_cells
from digit_recognizer.pictures.grids.form_boxes import BoxRow, covered, find_box_rows
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.judged import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.upright import View
from digit_recognizer.reading import Line, Page, PlacedReading

_FEWEST = 2  # digits in a row of boxes; one alone may be a drawing beside others
_FILLED = 0.2  # share of a row's boxes that hold one
_READABLE = 0.8  # mean confidence of what is in them, at least, where what is no digit counts as 0
_WIDER = 0.35  # heights by which a gap is wider than most where another number begins


def read_boxes(view: View, means: Means) -> tuple[Page, npt.NDArray[np.bool_]] | None:
    """What stands in the rows of boxes on a page, and where the boxes are, bool (H, W); None where there are none.

    view: the page, turned level. Places on the Page are in the picture's pixels. Without a cell reader among the means
    none are looked for.
    """
    if means.read_views is None:
        return None
    lines, rejected, kept = [], [], []
    for row in find_box_rows(view.grey):
        page, sure = read_cells(
            row,
            means.answer,
            min_confidence=means.min_confidence,
            find_ink=means.find_ink,
            read_views=means.read_views,
        )
        count = len(page.digits)
        inked = count + len(page.rejected)
        meant = count >= max(_FEWEST, _FILLED * len(row.corners)) and sure.sum() >= _READABLE * inked
        if meant and not shared_cells(row).any():
            words = _words_of(row, page.lines[0], sure[0] > 0, means.expectation)
            read = [word for word in words if word.digits]
            if read:
                lines.append(
                    Line(" ".join(word.text for word in read), tuple(one for word in read for one in word.digits))
                )
            rejected += [*page.rejected, *(one for word in words for one in word.rejected)]
            kept.append(row)
    if not kept:
        return None
    means.watch("boxes", [row.grey for row in kept])
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


__all__ = ["read_boxes"]
