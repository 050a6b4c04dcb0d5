"""A picture becomes the ink of a page, turned level, and its marks: connected ink, with what is broken joined.

Knows nothing of lines, words and digits.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.bar_charts import BAR, bars_removed
from digit_recognizer.pictures.marks.barcodes import BARCODE, barcodes_removed
from digit_recognizer.pictures.marks.coarseness import Drawing, drawing_of, is_of_strokes, longest_needed
from digit_recognizer.pictures.marks.codes import CODE, codes_removed
from digit_recognizer.pictures.marks.ink_map import FindInk, ink_map, ink_of_map
from digit_recognizer.pictures.marks.lines import Boxes, join_broken
from digit_recognizer.pictures.marks.mended import with_bars
from digit_recognizer.pictures.marks.patches import PATCH, patches_removed
from digit_recognizer.pictures.marks.rings import ink_of_rings
from digit_recognizer.pictures.marks.rules import without_lines
from digit_recognizer.pictures.marks.ruling import turn_of_ruling, without_ruling
from digit_recognizer.pictures.marks.thin import with_thin
from digit_recognizer.pictures.marks.whole import completed, completed_in_table, height_of_most, with_stems
from digit_recognizer.pictures.paper import Contrast, Labels, Mask, PageInk, contrast_of_page, ink_of, shrunk
from digit_recognizer.pictures.sheet import desk_removed
from digit_recognizer.pictures.upright import View, turned, view_of
from digit_recognizer.pictures.watch import Watch
from digit_recognizer.reading import Box, Rejected, around

MANY = "more marks than are looked at, so that digits may be missing"

# The tallest ones of a page: 60 rows of 20 numbers of five digits are 6,000.
_MOST_MARKS = 8_000
_UPRIGHT = 0.25  # of the page's height that the printed uprights of a table are long at least
_TALLER = 1.6  # than most marks are such uprights: of a picture that is cut out close, 1s are a quarter as tall, too
_LEAST_TURN_OF_SHEET = 5.0  # degrees; less may be how a camera saw it from aside
_LEAST_TURN = 0.4  # degrees by which a page is turned before it is turned back


def levelled(grey: Grey, drawing: Drawing | None) -> tuple[View, Contrast | None, tuple[Rejected, ...]]:
    """The picture, shrunk and turned until printed lines on it are level, and what stands out from its ground.

    Of a sheet that lies on a desk the desk is painted over, and it is turned until its sides are level. Barcodes, QR
    codes and the bars of charts are painted over, too, and patches of another ground made plain; at last comes what is
    left out so, and why.
    """
    small, scale = shrunk(grey, longest_needed(drawing))
    small, codes = codes_removed(small)
    small, bars = bars_removed(small)
    small, patches = patches_removed(small)
    small, turn_of_sheet = desk_removed(small)
    small, barcodes = barcodes_removed(small)
    view = view_of(small, scale, (grey.shape[0], grey.shape[1]))
    left_out = tuple(Rejected(view.box(box), BARCODE) for box in barcodes)
    left_out += tuple(Rejected(view.box(box), CODE) for box in codes)
    left_out += tuple(Rejected(view.box(box), PATCH) for box in patches)
    left_out += tuple(Rejected(view.box(box), BAR) for box in bars)
    # Shrunk, strokes have too many soft edges to be told; as it came, the picture may hold what is painted over by now.
    is_drawn = is_of_strokes(drawing) or is_of_strokes(drawing_of(view.grey))
    contrast = contrast_of_page(view.grey, is_drawn=is_drawn)
    turn = 0.0 if contrast is None else turn_of_ruling(contrast)
    if contrast is not None and not turn and abs(turn_of_sheet) >= _LEAST_TURN_OF_SHEET:
        turn = turn_of_sheet
    if abs(turn) >= _LEAST_TURN:
        view = turned(view, turn)
        contrast = contrast_of_page(view.grey, is_drawn=is_drawn)
        if contrast is not None and view.inside is not None:
            contrast = contrast._replace(depth=np.where(view.inside, contrast.depth, np.float32(0)))
    return view, contrast, left_out


def ink_of_page(
    view: View, contrast: Contrast, everything: PageInk | None, find_ink: FindInk | None, is_even: bool, watch: Watch
) -> PageInk | None:
    """The ink of a page, without what is printed for people to write on.

    everything: all that stands out, as ``ink_of`` gives it. is_even: whether the ground is; if so, ``find_ink`` is
    asked only where lines are printed on it. Rings that somebody drew are ink, though their flat parts look like lines.
    """
    rings = None if everything is None else ink_of_rings(everything)
    if rings is None:
        return _ink_without_lines(view, contrast, everything, find_ink, is_even, watch)
    near = cv2.dilate(rings.mask.view(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_)
    rest = contrast._replace(depth=np.where(near, np.float32(0), contrast.depth))
    ink = _ink_without_lines(view, rest, ink_of(rest), find_ink, is_even, watch)
    if ink is None:
        return None
    strength = np.where(near, rings.strength, ink.strength)
    return PageInk(strength, np.where(near, rings.mask, ink.mask), ink.thickness)


def _ink_without_lines(
    view: View, contrast: Contrast, everything: PageInk | None, find_ink: FindInk | None, is_even: bool, watch: Watch
) -> PageInk | None:
    ink = clean = None
    if find_ink is None or is_even or (everything is not None and _has_uprights(everything.mask)):
        unruled = without_ruling(contrast)
        ink = everything if unruled is contrast else ink_of(unruled)
        clean = None if ink is None else without_lines(ink)
        if find_ink is None or (is_even and (ink is None or (unruled is contrast and clean is ink))):
            if ink is not None:
                watch("ground removed", ink)
            return clean
    if everything is not None:
        watch("ground removed", everything)
    found = ink_map(view.grey, contrast.thickness, find_ink)
    seen = ink_of_map(found if view.inside is None else np.where(view.inside, found, np.float32(0)))
    if everything is not None and not is_even:
        seen = with_thin(seen, everything, contrast.depth, find_ink)
    if seen is None or everything is None:
        return seen
    if ink is not None and clean is not None:
        if is_even:
            return completed(seen, clean)
        if _has_uprights(ink.mask & ~clean.mask):
            return completed_in_table(seen, clean)
    usual = height_of_most(seen)
    if ink is None or clean is None or not _has_uprights(everything.mask, _TALLER * usual):
        seen = with_stems(seen, everything, usual)
    return with_bars(seen, everything, contrast.depth, usual)


def _has_uprights(mask: Mask, least: float = 0.0) -> bool:
    """Whether there is something upright in it as long as the printed lines of a table, and as ``least``, in pixels."""
    tall = max(15, round(max(_UPRIGHT * len(mask), least)))
    return bool(cv2.erode(mask.view(np.uint8), np.ones((tall, 1), np.uint8)).any())


def marks_of(ink: PageInk) -> tuple[Labels, Boxes, bool]:
    """Connected ink by number, int32 (H, W), the boxes of marks 1, 2, ..., int64 (N, 4), and whether these are all.

    Dirt is taken away; where there are more marks than a page has, so are the lowest.

    >>> mask = np.zeros((20, 20), np.bool_)
    >>> mask[2:12, 3:5] = mask[2:12, 9:12] = mask[17, 17] = True
    >>> _, boxes, is_all = marks_of(PageInk(mask * np.uint8(255), mask, 2.0))
    >>> boxes.tolist(), is_all
    ([[3, 2, 2, 10], [9, 2, 3, 10]], True)
    """
    labels, stats = ink.connected
    least = max(4.0, 0.5 * ink.thickness**2)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    left_out = np.argsort(-stats[:, cv2.CC_STAT_HEIGHT] * kept, kind="stable")[_MOST_MARKS:]
    is_all = not kept[left_out].any()
    kept[left_out] = False
    boxes = stats[kept, :4].astype(np.int64)
    groups = join_broken(boxes)
    numbers = np.zeros(len(boxes), np.int32)
    for number, group in enumerate(groups, 1):
        numbers[group] = number
    of_label = np.zeros(len(kept), np.int32)
    of_label[kept] = numbers
    joined = [around([box_of(boxes[mark]) for mark in group]) for group in groups]
    return of_label[labels], np.array(joined, np.int64).reshape(-1, 4), is_all


def box_of(sides: npt.NDArray[np.int64]) -> Box:
    """One of the boxes, as a tuple."""
    return int(sides[0]), int(sides[1]), int(sides[2]), int(sides[3])


__all__ = ["MANY", "box_of", "ink_of_page", "levelled", "marks_of"]
