"""A drawing of one mark that surely is a digit becomes a Page at once.

What is looked for on other pages (ruled lines, grids, forms, displays, codes, words, digits in touch) is made of
several marks, or is no digit as a whole.
"""

from __future__ import annotations

import numpy as np

from digit_recognizer.digits import Images
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.edges import is_edge
from digit_recognizer.pictures.marks.page_ink import box_of, marks_of
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.strokes import may_be_ring
from digit_recognizer.pictures.paper import contrast_of_page, ink_of, shrunk
from digit_recognizer.pictures.upright import view_of
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.reading import Box, Line, Page, PlacedReading, readings

_SURE = 0.99  # confidence from which on nothing else is looked for


def read_one_mark(grey: Grey, longest: int, means: Means) -> Page | None:
    """The page of a drawing whose only mark is accepted as a digit; None where there are more, or it is not so sure.

    grey: uint8 (H, W), a drawing of strokes on flat ground. longest: pixels of its longer side that are needed. A 1 may
    be a bar or a printed line, and a broad 0 a ring: these are looked at as all else is.

    >>> from digit_recognizer.pictures.expectation import Expectation
    >>> drawing = np.full((280, 280), 255, np.uint8)
    >>> drawing[60:220, 120:145] = drawing[60:85, 120:200] = 0
    >>> seven = np.eye(10, dtype=np.float32)[[7]]
    >>> read_one_mark(drawing, 112, Means(lambda frames: (seven, None), Expectation())).lines[0].digits[0].box
    (120, 60, 80, 160)
    """
    small, scale = shrunk(grey, longest)
    view = view_of(small, scale, (grey.shape[0], grey.shape[1]))
    contrast = contrast_of_page(view.grey, is_drawn=True)
    ink = None if contrast is None else ink_of(contrast)
    if ink is None:
        return None
    labels, boxes, _ = marks_of(ink)
    if len(boxes) != 1:
        return None
    box = box_of(boxes[0])
    piece = Piece(1, box, int(np.count_nonzero(labels)))
    frame = frame_of(ink, labels, [piece], Candidate(0, 1, box))
    digit = digit_in(frame, view.box(box), means)
    if not digit.accepted or digit.confidence < _SURE or digit.digit == 1 or may_be_ring(digit):
        return None
    if is_edge(view.grey, ink.mask, box):
        return None
    for step in ("ground removed", "ink"):
        means.watch(step, ink)
    means.watch("pieces", [(0, [piece])])
    return Page((Line(str(digit.digit), (digit,)),), (), means.name)


def digit_in(frame: Images, box: Box, means: Means) -> PlacedReading:
    """What one frame, uint8 (28, 28), is read as; it stands in that box of the picture."""
    probabilities, unfamiliarity = means.answer(frame[None])
    (reading,) = readings(probabilities, [""], means.min_confidence, frames=frame[None], unfamiliarity=unfamiliarity)
    return PlacedReading.of(reading, box)


__all__ = ["digit_in", "read_one_mark"]
