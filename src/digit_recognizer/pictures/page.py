"""A picture of numbers becomes a Page: a grid, a form, a display, dotted print, or lines of writing.

Which of these it is, is found here; each is read elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digit_recognizer.pictures.displays.among import displays_among
from digit_recognizer.pictures.displays.display import read_display
from digit_recognizer.pictures.displays.shown import page_of_display
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.grids.boxed import read_boxes
from digit_recognizer.pictures.grids.grid_page import read_grid
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.cased import ink_of_cased
from digit_recognizer.pictures.marks.coarseness import drawing_of, has_even_ground, is_of_strokes, longest_needed
from digit_recognizer.pictures.marks.dots import joined_dots
from digit_recognizer.pictures.marks.edges import is_edge
from digit_recognizer.pictures.marks.ink_map import FindInk
from digit_recognizer.pictures.marks.lying import LYING, without_lying
from digit_recognizer.pictures.marks.page_ink import ink_of_page, levelled
from digit_recognizer.pictures.means import Answer, Means, ReadViews
from digit_recognizer.pictures.numbers.assembled import together
from digit_recognizer.pictures.numbers.strokes import MAYBE_RING, may_be_ring
from digit_recognizer.pictures.one_mark import digit_in, read_one_mark
from digit_recognizer.pictures.page_words import read_ink
from digit_recognizer.pictures.paper import Contrast, Mask, PageInk, ink_of
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.watch import Watch, unwatched
from digit_recognizer.pictures.words.lone import lone_digit
from digit_recognizer.pictures.words.runs import ReadStrips
from digit_recognizer.reading import NOT_A_DIGIT, Box, Line, Page, Rejected, refused

IN_PIECES = "it is in pieces, one of which may be a digit itself"

_CERTAIN = 0.95  # confidence from which on all ink is one digit, whatever was read in its parts
# Digits that a page holds at most which may be bits of one, where so many times more stands out from the ground
# than the network takes for ink. Of 50 photographed digits, 360 pixels tall, pens of 3 to 14, 22 were right before.
_FRAGMENTS, _MISSED = 8, 1.25


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
    sample: bool = False,
) -> Page:
    """Read all numbers on a picture.

    grey: uint8 (H, W), any size. answer: gives for frames, uint8 (N, 28, 28), probabilities float32 (N, 10), which are
    short of 1 by unfamiliarity, float32 (N,); None for that where the model cannot tell. expectation: what the numbers
    look like; a number that does not is not accepted. min_confidence: 0-1, digits below are not accepted. name: what
    the picture is called. watch: is told of each step on the way. read_strips: a line reader, asked about marks that
    may be several digits in touch; left out, they are cut along seams. find_ink: a network that sees where there is
    ink, asked about all but plain drawings; left out, ink is what stands out from the ground and is no printed line.
    read_views: a cell reader, asked about the cells of grids beside ``answer``. sample: of a crowded page
    only some lines are read, which is told in ``rejected``.

    >>> read_page(np.full((60, 80), 255, np.uint8), lambda frames: (np.zeros((len(frames), 10), np.float32), None))
    Page(lines=(), rejected=(), name='')
    """
    expectation = expectation or Expectation()
    means = Means(answer, expectation, min_confidence, name, watch, read_strips, find_ink, read_views, sample)
    drawing = drawing_of(grey)
    if not expectation.asks and is_of_strokes(drawing):
        page = read_one_mark(grey, longest_needed(drawing), means)
        if page is not None:
            return page
    if expectation.grid is not None or not expectation.asks:
        page = read_grid(grey, means)
        if page is not None:
            return page
    is_drawn = drawing is not None and drawing.is_flat
    view, contrast, left_out = levelled(grey, drawing)
    page = Page(name=name) if contrast is None else _read_level(grey, view, contrast, means, is_drawn=is_drawn)
    return replace(page, rejected=page.rejected + left_out)


def _read_level(grey: Grey, view: View, contrast: Contrast, means: Means, *, is_drawn: bool) -> Page:
    """Read all numbers of a page that is no grid. grey: as it came. view, contrast: of it, level. is_drawn: whether it
    was drawn on a screen.
    """

    def rest(covered: Mask) -> Page:
        """The page without what is covered, which was read."""
        inside = ~covered if view.inside is None else view.inside & ~covered
        uncovered = view._replace(inside=inside)
        left = contrast._replace(depth=np.where(covered, 0, contrast.depth))
        ink = ink_of_page(uncovered, left, ink_of(left), find_ink, is_even, means.watch)
        return Page(name=means.name) if ink is None else read_ink(uncovered, left, ink, means)

    def with_displays(ink: PageInk) -> Page | None:
        """The page where displays stand among that ink; None where there are none."""
        among = displays_among(ink)
        if among is None:
            return None
        return together(rest(among.covered), page_of_display(view, ink, among.shown, means))

    find_ink = None if is_drawn else means.find_ink
    is_even = has_even_ground(grey)
    boxed = read_boxes(view, means)
    if boxed is not None:
        return together(rest(boxed[1]), boxed[0])
    cased = ink_of_cased(view.grey)
    if cased is not None:
        return together(rest(cased[1]), read_ink(view, contrast, cased[0], means))
    everything = ink_of(contrast)
    if everything is not None:
        shown = read_display(everything)
        if shown:
            return page_of_display(view, everything, shown, means)
        if (page := with_displays(everything)) is not None:
            return page
        dotted = joined_dots(everything)
        if dotted is not None:
            means.watch("ground removed", dotted)
            return read_ink(view, contrast, dotted, means)
    ink = ink_of_page(view, contrast, everything, find_ink, is_even, means.watch)
    lying: tuple[Box, ...] = ()
    if ink is not None and everything is not None:
        ink, lying = without_lying(ink, everything)
        # Of a lit display in a dark panel all that stands out is the panel's, too.
        if find_ink is not None and (page := with_displays(ink)) is not None:
            return page
    page = Page(name=means.name) if ink is None else read_ink(view, contrast, ink, means)
    if lying:
        return replace(page, rejected=page.rejected + tuple(Rejected(view.box(box), LYING) for box in lying))
    if not means.expectation.allows_length(1):
        return page
    # The network knows strokes that are thin for their length in bits alone, which look like 1s.
    may_miss = find_ink is not None and len(page.digits) <= _FRAGMENTS
    if may_miss and everything is not None and (ink is None or everything.mask.sum() > _MISSED * ink.mask.sum()):
        one = _as_one_digit(page, view, everything, ink, means)
        # Where it sees nothing at all, a bar is a crease.
        if one is not None and (ink is not None or one.digits[0].digit != 1):
            return one
    in_pieces = _holds_pieces(page)
    if len(page.lines) == 1 and not in_pieces:
        return page
    return _as_one_digit(page, view, ink if find_ink else everything, ink, means, in_pieces=in_pieces) or page


def _holds_pieces(page: Page) -> bool:
    """Whether what stands on a page may be pieces of one digit: one of them is no digit, and at most one is."""
    return {one.reason for one in page.rejected} == {NOT_A_DIGIT} and len(page.digits) <= 1


def _as_one_digit(
    page: Page, view: View, whole: PageInk | None, ink: PageInk | None, means: Means, *, in_pieces: bool = False
) -> Page | None:
    """The page with a single digit, where all its ink surely is one; None elsewhere.

    whole: the ink, printed lines included. ink: without these. Asked where several lines of digits were read, or none
    though something was taken for a line. in_pieces: where there is nothing but pieces, as of a 5 whose flag is loose.
    """
    is_seen = not page.lines and whole is not None and ink is not None and whole.mask.sum() == ink.mask.sum()
    if whole is None or (is_seen and not in_pieces):
        return None
    found = lone_digit(whole, in_pieces=in_pieces)
    if found is None:
        return None
    frame, box = found
    if is_edge(view.grey, whole.mask, box):
        return None
    placed = digit_in(frame, view.box(box), means)
    if placed.confidence < _CERTAIN:
        return None
    if in_pieces and page.digits:
        if placed.digit == page.digits[0].digit:
            return None
        placed = refused(placed, IN_PIECES)
    placed = refused(placed, MAYBE_RING) if may_be_ring(placed) else placed
    return Page((Line(str(placed.digit), (placed,)),), (), page.name)


__all__ = ["Answer", "read_page"]
