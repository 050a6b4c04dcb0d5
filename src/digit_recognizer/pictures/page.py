"""A picture of numbers becomes a Page: ink, marks, lines, words, candidates for digits, and the best way through them.

All candidates of a page are scored together by ``answer``, which is all that is known of a model here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.pictures.among import displays_among
from digit_recognizer.pictures.apart import numbers_of
from digit_recognizer.pictures.at_once import read_at_once
from digit_recognizer.pictures.boxed import read_boxes, together
from digit_recognizer.pictures.cells import ReadViews, read_cells, shared_cells
from digit_recognizer.pictures.chosen import company_of, digits_of, parts_of
from digit_recognizer.pictures.chosen_grid import chosen_grid
from digit_recognizer.pictures.coarseness import has_even_ground, is_drawing
from digit_recognizer.pictures.context import ReadWord, judged, without_text
from digit_recognizer.pictures.cutting import Candidate, Piece, frame_of
from digit_recognizer.pictures.display import Shown, read_display
from digit_recognizer.pictures.dots import joined_dots
from digit_recognizer.pictures.edges import EDGE, is_edge
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.fields import find_uprights, parted_marks
from digit_recognizer.pictures.grid import Grid, crossed_cells
from digit_recognizer.pictures.holes import with_holes
from digit_recognizer.pictures.ink_map import FindInk
from digit_recognizer.pictures.lines import find_lines
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.lone import lone_digit
from digit_recognizer.pictures.operators import find_operators, with_minus
from digit_recognizer.pictures.page_ink import MANY, box_of, ink_of_page, levelled, marks_of
from digit_recognizer.pictures.paper import Contrast, Mask, PageInk, ink_of
from digit_recognizer.pictures.paths import best_path
from digit_recognizer.pictures.rings import RING, find_rings
from digit_recognizer.pictures.runs import ReadStrips, run_scores
from digit_recognizer.pictures.slashes import find_slashes
from digit_recognizer.pictures.steps import Watch, unwatched
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.words import words_of
from digit_recognizer.reading import (
    NOT_A_DIGIT,
    Line,
    Page,
    PlacedReading,
    Rejected,
    around,
    readings,
)

Scores = npt.NDArray[np.float32]
Answer = Callable[[Images], tuple[Scores, Scores | None]]

_FILLED = 0.15  # share of the cells that hold a digit in a grid that nobody told of: sudokus begin with 17 of 81
# Of 24 photographed grids 0.96 at least; tables of numbers 0.6 at most, of digits across squares 0.17 to 0.35.
_READABLE = 0.8  # mean confidence that a grid's digits have at least, 0 for ink that is none
_BARS = 0.6  # of a grid's digits that are 1s at most: the lines of bent squares look like these
# Cells that hold several: none on these photos and on 48 drawn grids; on 48 tables of 0 to 12 all but a few that do.
_SHARED = 0.02  # of the cells that hold ink, at most
_CROSSED = 0.1  # cells across a side of which ink runs there, for each of these digits, at most
_ONE_DIGIT = 0.9  # confidence from which on a cell counts neither as shared nor as crossed
_CERTAIN = 0.95  # confidence from which on all ink is one digit, whatever was read in its parts
# Digits that a page holds at most which may be bits of one, where so many times more stands out from the ground
# than the network takes for ink. Of 50 photographed digits, 360 pixels tall, pens of 3 to 14, 22 were right before.
_FRAGMENTS, _MISSED = 8, 1.25
# Of a line of so many digits fewer than this share sure: letters, a few of which look like digits.
_LONG_LINE, _SURE_SHARE = 5, 0.25
# Words on either side whose gaps tell how wide a space is in their line.
_NEAR = 8


def read_page(
    grey: Grey,
    answer: Answer,
    expectation: Expectation | None = None,
    *,
    min_confidence: float = 0.0,
    name: str = "",
    watch: Watch = unwatched,
    read_strips: ReadStrips | None = None,
    find_ink: FindInk | None = None,
    read_views: ReadViews | None = None,
) -> Page:
    """Read all numbers on a picture.

    grey: uint8 (H, W), any size. answer: gives for frames, uint8 (N, 28, 28), probabilities float32 (N, 10), which are
    short of 1 by unfamiliarity, float32 (N,); None for that where the model cannot tell. expectation: what the numbers
    look like; a number that does not is not accepted. min_confidence: 0-1, digits below are not accepted. name: what
    the picture is called. watch: is told of each step on the way. read_strips: a line reader, asked about marks that
    may be several digits in touch; left out, they are cut along seams. find_ink: a network that sees where there is
    ink, asked about all but plain drawings; left out, ink is what stands out from the ground and is no printed line.
    read_views: a cell reader, asked about the cells of grids beside ``answer``.

    >>> read_page(np.full((60, 80), 255, np.uint8), lambda frames: (np.zeros((len(frames), 10), np.float32), None))
    Page(lines=(), rejected=(), name='')
    """
    expectation = expectation or Expectation()
    if expectation.grid is not None or not expectation.asks:
        page = _read_grid(grey, answer, expectation.grid, min_confidence, name, watch, find_ink, read_views)
        if page is not None:
            return page
    view, contrast, left_out = levelled(grey)
    page = Page(name=name)
    if contrast is not None:
        page = _read_level(
            grey, view, contrast, answer, expectation, min_confidence, name, watch, read_strips, find_ink, read_views
        )
    return replace(page, rejected=page.rejected + left_out)


def _read_level(
    grey: Grey,
    view: View,
    contrast: Contrast,
    answer: Answer,
    expectation: Expectation,
    min_confidence: float,
    name: str,
    watch: Watch,
    read_strips: ReadStrips | None,
    find_ink: FindInk | None,
    read_views: ReadViews | None,
) -> Page:
    """Read all numbers of a page that is no grid.

    view, contrast: of it, level. Other arguments as for ``read_page``.
    """

    def rest(covered: Mask, find_ink: FindInk | None) -> Page:
        """The page without what is covered, which was read."""
        inside = ~covered if view.inside is None else view.inside & ~covered
        uncovered = view._replace(inside=inside)
        left = contrast._replace(depth=np.where(covered, 0, contrast.depth))
        ink = ink_of_page(uncovered, left, ink_of(left), find_ink, has_even_ground(grey), watch)
        if ink is None:
            return Page(name=name)
        return _read_ink(uncovered, left, ink, answer, expectation, min_confidence, name, watch, read_strips)

    boxed = read_views and read_boxes(view, answer, read_views, find_ink, expectation, min_confidence, watch)
    if boxed:
        in_boxes, boxes = boxed
        return together(rest(boxes, find_ink), in_boxes)
    everything = ink_of(contrast)
    shown = read_display(everything) if everything is not None else []
    if everything is not None and shown:
        return _of_display(view, everything, shown, expectation, min_confidence, name, watch)
    find_ink = None if is_drawing(grey) else find_ink
    among = displays_among(everything) if everything is not None else None
    if everything is not None and among is not None:
        display = _of_display(view, everything, among.shown, expectation, min_confidence, name, watch)
        return together(rest(among.covered, find_ink), display)
    dotted = joined_dots(everything) if everything is not None else None
    if dotted is not None:
        watch("ground removed", dotted)
        return _read_ink(view, contrast, dotted, answer, expectation, min_confidence, name, watch, read_strips)
    ink = ink_of_page(view, contrast, everything, find_ink, has_even_ground(grey), watch)
    if ink is None:
        page = Page(name=name)
    else:
        page = _read_ink(view, contrast, ink, answer, expectation, min_confidence, name, watch, read_strips)
    if not expectation.allows_length(1):
        return page
    # The network knows strokes that are thin for their length in bits alone, which look like 1s.
    may_miss = find_ink is not None and len(page.digits) <= _FRAGMENTS
    if may_miss and everything is not None and (ink is None or everything.mask.sum() > _MISSED * ink.mask.sum()):
        one = _as_one_digit(page, view, everything, ink, answer, min_confidence)
        # Where it sees nothing at all, a bar is a crease.
        if one is not None and (ink is not None or one.digits[0].digit != 1):
            return one
    if len(page.lines) == 1:
        return page
    return _as_one_digit(page, view, ink if find_ink else everything, ink, answer, min_confidence) or page


def _read_grid(
    grey: Grey,
    answer: Answer,
    expected: tuple[int, int] | None,
    min_confidence: float,
    name: str,
    watch: Watch,
    find_ink: FindInk | None,
    read_views: ReadViews | None,
) -> Page | None:
    """Read the cells of a grid; None where nobody told of one and there is none that is meant.

    expected: (rows, columns) of the grid that somebody told of. Other arguments as for ``read_page``.
    """
    grid = chosen_grid(grey, expected, read_views)
    if grid is None:
        if expected is None:
            return None
        whole, (rows, columns) = (0, 0, grey.shape[1], grey.shape[0]), expected
        return Page((), (Rejected(whole, f"expected a grid of {rows} x {columns} cells, found none"),), name)
    told = expected is not None
    page, sure = read_cells(
        grid,
        answer,
        min_confidence=min_confidence,
        name=name,
        expected=told,
        find_ink=find_ink,
        read_views=read_views,
    )
    rows, columns = grid.shape
    if not told and not _holds_single_digits(grid, page, sure):
        return None
    watch("grid", grid)
    return page


def _holds_single_digits(grid: Grid, page: Page, sure: Scores) -> bool:
    """Whether a grid that nobody told of is meant for one digit a cell. page, sure: as read_cells gives them.

    Squared paper has cells, too, but digits lie across them, and not in each; a table's cells hold numbers.
    """
    rows, columns = grid.shape
    count = len(page.digits)
    inked = count + len(page.rejected)
    if count < _FILLED * rows * columns or sure.sum() < _READABLE * inked:
        return False
    if sum(digit.digit == 1 for digit in page.digits) > _BARS * count:
        return False
    doubted = sure < _ONE_DIGIT
    crossed, shared = (int((cells & doubted).sum()) for cells in (crossed_cells(grid), shared_cells(grid)))
    return crossed <= _CROSSED * count and shared <= _SHARED * inked


def _read_ink(
    view: View,
    contrast: Contrast,
    ink: PageInk,
    answer: Answer,
    expectation: Expectation,
    min_confidence: float,
    name: str,
    watch: Watch,
    read_strips: ReadStrips | None,
) -> Page:
    """Read all numbers of a page whose ink is found. contrast: what stands out from it, printed lines included.

    Other arguments as for ``read_page``.
    """
    watch("ink", ink)
    labels, boxes, is_all = marks_of(ink)
    rings = find_rings(labels, boxes)
    lines = find_lines(boxes, rings)
    fields = parted_marks(boxes, lines, find_uprights(contrast, ink.mask))
    operators = with_minus(find_operators(labels, boxes), boxes, lines)
    words = list(words_of(ink, labels, boxes, lines, fields, expectation, read_strips, operators))
    watch("pieces", [(word.line, word.pieces) for word in words])
    frames = [frame_of(ink, labels, word.pieces, found) for word in words for found in word.candidates]
    around_others = tuple(Rejected(view.box(box_of(boxes[ring])), RING) for ring in rings)
    around_others += tuple(Rejected(view.box(box_of(boxes[sign])), NOT_A_DIGIT) for sign in sorted(operators))
    if not is_all:
        around_others += (Rejected(view.box((0, 0, *view.grey.shape[::-1])), MANY),)
    if not words:
        return Page((), around_others, name)
    images = np.stack(frames) if frames else np.zeros((0, SIDE, SIDE), np.uint8)
    probabilities, unfamiliarity = answer(images) if frames else (np.zeros((0, CLASSES), np.float32), None)
    strange = np.zeros(len(images), np.float32) if unfamiliarity is None else unfamiliarity

    read: list[ReadWord] = []
    start = 0
    for word in words:
        part = slice(start, start + len(word.candidates))
        start = part.stop
        if not word.candidates:
            whole = around([piece.box for piece in word.pieces])
            read.append(ReadWord(word.line, word.height, "", (), (Rejected(whole, NOT_A_DIGIT),)))
            continue
        weighed, scores, unfamiliar = run_scores(word.candidates, word.runs, probabilities[part], strange[part])
        # A number's length is asked for once slashes are told from its digits.
        for asked in (Expectation(), expectation) if expectation.asks else (expectation,):
            path = best_path(len(word.pieces), weighed, scores, unfamiliar, word.height, asked)
            digits = digits_of(word, path, images[part], scores, unfamiliar, min_confidence)
            if find_slashes(parts_of(word, path, digits), word.height).found:
                break
        if len(digits) == 1 and is_edge(view.grey, ink.mask, digits[0].box):
            read.append(ReadWord(word.line, word.height, "", (), (Rejected(digits[0].box, EDGE),)))
            continue
        letters, familiar = company_of(word, path, digits, probabilities[part], strange[part])
        parts = parts_of(word, path, digits)
        if (
            read_strips
            and not letters
            and len(digits) == len(path)
            and not any(sign for _, sign in word.signs)
            and not expectation.asks
        ):
            again = read_at_once(word, digits, ink, labels, read_strips, min_confidence)
            if again is not None:
                digits, parts = again, tuple(again)
        signs = tuple(word.signs)
        seen = ReadWord(word.line, word.height, "", tuple(digits), (), letters, familiar, word.tallest, parts, signs)
        read.append(seen)
    read = [one for number in range(len(read)) for one in _apart(read, number, expectation)]
    found = with_holes(without_text(read, expectation), np.delete(boxes, [*rings, *operators], 0))
    page = _page(found, view, name)
    page = replace(page, rejected=page.rejected + around_others)
    return page if is_all else _not_accepted(page)


def _of_display(
    view: View,
    ink: PageInk,
    shown: Sequence[Shown],
    expectation: Expectation,
    min_confidence: float,
    name: str,
    watch: Watch,
) -> Page:
    """The page of a display's digits. ink: all of it. Other arguments as for ``read_page``."""
    watch("ground removed", ink)
    watch("ink", ink)
    labels = ink.mask.astype(np.int32)
    read = []
    for number in sorted({one.number for one in shown}):
        mine = [one for one in shown if one.number == number]
        frames = np.stack([frame_of(ink, labels, [Piece(1, one.box, 0)], Candidate(0, 1, one.box)) for one in mine])
        sure = np.array([one.confidence for one in mine], np.float32)
        probabilities = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1).astype(np.float32)
        probabilities[np.arange(len(mine)), [one.digit for one in mine]] = sure
        found = readings(probabilities, [""] * len(mine), min_confidence, frames=frames)
        digits = tuple(PlacedReading.of(reading, one.box) for reading, one in zip(found, mine, strict=True))
        height = float(max(one.box[3] for one in mine))
        read.append(judged(ReadWord(mine[0].line, height, "", digits, ()), [], [], expectation))
    return _page(read, view, name)


def _apart(words: Sequence[ReadWord], number: int, expectation: Expectation) -> list[ReadWord]:
    """The numbers that stand a space apart in one of a page's words, judged; the word where none of it was read."""
    word = words[number]
    if not word.parts:
        return [word]
    near = (*words[max(0, number - _NEAR) : number], *words[number + 1 : number + 1 + _NEAR])
    beside = [other for other in near if other.line == word.line and other.parts]
    result = []
    for one in numbers_of(word, expectation, beside):
        none = [part for part in one.parts if not isinstance(part, PlacedReading)]
        result.append(judged(one, none, one.signs, expectation))
    return result


def _as_one_digit(
    page: Page, view: View, whole: PageInk | None, ink: PageInk | None, answer: Answer, min_confidence: float
) -> Page | None:
    """The page with a single digit, where all its ink surely is one; None elsewhere.

    whole: the ink, printed lines included. ink: without these. Asked where several lines of digits were read, or none
    though something was taken for a line.
    """
    if whole is None or (not page.lines and ink is not None and whole.mask.sum() == ink.mask.sum()):
        return None
    found = lone_digit(whole)
    if found is None:
        return None
    frame, box = found
    probabilities, unfamiliarity = answer(frame[None])
    (reading,) = readings(probabilities, [""], min_confidence, frames=frame[None], unfamiliarity=unfamiliarity)
    if reading.confidence < _CERTAIN:
        return None
    return Page((Line(str(reading.digit), (PlacedReading.of(reading, view.box(box)),)),), (), page.name)


def _not_accepted(page: Page) -> Page:
    """The page with none of its digits accepted."""
    lines = (tuple(replace(digit, accepted=False) for digit in line.digits) for line in page.lines)
    return replace(page, lines=tuple(Line(line.text, digits) for line, digits in zip(page.lines, lines, strict=True)))


def _page(read: Sequence[ReadWord], view: View, name: str) -> Page:
    """Words to lines, boxes to the pixels of the picture as it came."""
    lines = []
    for number in sorted({word.line for word in read}):
        words = [word for word in read if word.line == number and word.digits]
        if not words:
            continue
        digits = [replace(digit, box=view.box(digit.box)) for word in words for digit in word.digits]
        if len(digits) >= _LONG_LINE and sum(digit.accepted for digit in digits) < _SURE_SHARE * len(digits):
            digits = [replace(digit, accepted=False) for digit in digits]
        text = " ".join(word.text for word in words)
        lines.append(Line(text, tuple(digits)))
    rejected = tuple(Rejected(view.box(found.box), found.reason) for word in read for found in word.rejected)
    return Page(tuple(lines), rejected, name)


__all__ = ["Answer", "read_page"]
