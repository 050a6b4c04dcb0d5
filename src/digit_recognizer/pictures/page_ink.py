"""A picture becomes the ink of a page, turned level, and its marks: connected ink, with what is broken joined.

Knows nothing of lines, words and digits.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.barcodes import BARCODE, barcodes_removed
from digit_recognizer.pictures.coarseness import longest_needed
from digit_recognizer.pictures.cutting import Labels
from digit_recognizer.pictures.ink_map import FindInk, ink_map, ink_of_map
from digit_recognizer.pictures.lines import Boxes, join_broken
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.mended import with_bars
from digit_recognizer.pictures.paper import Contrast, Mask, PageInk, contrast_of_page, ink_of, shrunk
from digit_recognizer.pictures.patches import PATCH, patches_removed
from digit_recognizer.pictures.rings import ink_of_rings
from digit_recognizer.pictures.rules import turn_of_ruling, without_lines, without_ruling
from digit_recognizer.pictures.sheet import desk_removed
from digit_recognizer.pictures.steps import Watch
from digit_recognizer.pictures.upright import View, turned, view_of
from digit_recognizer.reading import Box, Rejected, around

MANY = "more marks than are looked at, so that digits may be missing"

# The tallest ones of a page: 60 rows of 20 numbers of five digits are 6,000.
_MOST_MARKS = 8_000
# Share of a mark on an even ground that the ink finder sees, from which on all of it is ink. Of 160 rows of printed
# tables in five fonts 21 were read wrong without, mostly as stems of 1s were lost.
_SEEN = 0.3
# In tables on any other ground, where what stands out may be a shadow, marks are given back that are no larger than
# digits, in shares of the height of most: those of which it sees a tenth, and stems that stand level with a digit
# beside them. Of 320 tables, half of them photographed, eight more are read right and one less.
_SEEN_IN_TABLES = 0.1
_TALL, _BROAD = 1.25, 1.5
_STEM, _BESIDE, _LEVEL = 0.6, 0.7, 0.15
_STEM_ON_EVEN = 0.75  # on an even ground 1s with a foot, too, however far away from that digit
_UPRIGHT = 0.25  # of the page's height that the printed uprights of a table are long at least
_LEAST_TURN_OF_SHEET = 5.0  # degrees; less may be how a camera saw it from aside
_LEAST_TURN = 0.4  # degrees by which a page is turned before it is turned back


def levelled(grey: Grey) -> tuple[View, Contrast | None, tuple[Rejected, ...]]:
    """The picture, shrunk and turned until printed lines on it are level, and what stands out from its ground.

    Of a sheet that lies on a desk the desk is painted over, and it is turned until its sides are level. Barcodes are
    painted over, too, and patches of another ground made plain; at last comes what is left out so, and why.
    """
    small, scale = shrunk(grey, longest_needed(grey))
    small, patches = patches_removed(small)
    small, turn_of_sheet = desk_removed(small)
    small, barcodes = barcodes_removed(small)
    view = view_of(small, scale, (grey.shape[0], grey.shape[1]))
    left_out = tuple(Rejected(view.box(box), BARCODE) for box in barcodes)
    left_out += tuple(Rejected(view.box(box), PATCH) for box in patches)
    contrast = contrast_of_page(view.grey)
    turn = 0.0 if contrast is None else turn_of_ruling(contrast)
    if contrast is not None and not turn and abs(turn_of_sheet) >= _LEAST_TURN_OF_SHEET:
        turn = turn_of_sheet
    if abs(turn) >= _LEAST_TURN:
        view = turned(view, turn)
        contrast = contrast_of_page(view.grey)
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
    if seen is None or everything is None:
        return seen
    if ink is not None and clean is not None:
        if is_even:
            return completed(seen, clean)
        if _has_uprights(ink.mask & ~clean.mask):
            return completed_in_table(seen, clean)
    if ink is None or clean is None:
        seen = with_stems(seen, everything)
    return with_bars(seen, everything, contrast.depth, _height_of_most(seen))


def with_stems(seen: PageInk, everything: PageInk) -> PageInk:
    """The ink that a network sees on any ground, its 1s whole: it takes the middle of some stems for a line.

    seen: what the network takes for ink. everything: all that stands out from the ground; what is as tall as most
    digits and narrow in it, and seen in part, is ink from top to bottom.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:30, 18:28] = mask[10:30, 34:36] = True
    >>> everything = PageInk(mask * np.uint8(255), mask, 2.0)
    >>> seen = mask.copy()
    >>> seen[16:26, 34:36] = False
    >>> int(with_stems(PageInk(everything.strength, seen, 2.0), everything).mask[:, 30:].sum())
    40
    """
    usual = _height_of_most(seen)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(everything.mask.view(np.uint8), connectivity=8)
    broad, tall = stats[:, 2:4].T
    stems = (np.abs(tall - usual) <= usual - usual / _TALL) & (broad <= _STEM * usual)
    stems &= _seen_of(labels, stats, seen) >= _SEEN_IN_TABLES
    stems[0] = False
    return _with(seen, everything, stems[labels]) if stems.any() else seen


def completed(seen: PageInk, clean: PageInk) -> PageInk:
    """The ink that a network sees on an even ground, its marks as whole as they stand out from that.

    seen: what the network takes for ink; of a stem beside a printed line it may see a part. clean: what stands out from
    the ground and is no printed line. Marks of it are given back of which the network sees a third.

    >>> mask = np.zeros((40, 40), np.bool_)
    >>> mask[10:30, 18:22] = True
    >>> clean = PageInk(mask * np.uint8(255), mask, 4.0)
    >>> lower = PageInk(clean.strength // 2, mask & (np.arange(40) > 19)[:, None], 4.0)
    >>> int(lower.mask.sum()), int(completed(lower, clean).mask.sum())
    (40, 80)
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(clean.mask.view(np.uint8), connectivity=8)
    known = _seen_of(labels, stats, seen) >= _SEEN
    known[0] = False
    return _with(seen, clean, _with_stems(known, stats, _height_of_most(seen), _STEM_ON_EVEN, math.inf)[labels])


def completed_in_table(seen: PageInk, clean: PageInk) -> PageInk:
    """The ink that a network sees in a table on any ground; it takes thin stems for lines of it.

    seen, clean: as for ``completed``. Marks of ``clean`` are given back that are no larger than digits: those of which
    the network sees a tenth, and stems as tall as a digit beside them, at the same height.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:30, 18:28] = mask[10:30, 34:36] = True
    >>> clean = PageInk(mask * np.uint8(255), mask, 2.0)
    >>> seven = mask & (np.arange(60) < 30)
    >>> int(completed_in_table(PageInk(clean.strength, seven, 2.0), clean).mask[:, 30:].sum())
    40
    """
    usual = _height_of_most(seen)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(clean.mask.view(np.uint8), connectivity=8)
    broad, tall = stats[:, 2:4].T
    known = (_seen_of(labels, stats, seen) >= _SEEN_IN_TABLES) & (tall <= _TALL * usual) & (broad <= _BROAD * usual)
    known[0] = False
    return _with(seen, clean, _with_stems(known, stats, usual, _STEM, _BESIDE)[labels])


def _height_of_most(seen: PageInk) -> float:
    """How tall most marks are that are no bits, in pixels."""
    heights = cv2.connectedComponentsWithStats(seen.mask.view(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_HEIGHT]
    return float(np.median(heights[heights >= np.percentile(heights, 90) / 2]))


def _with_stems(
    known: npt.NDArray[np.bool_], stats: npt.NDArray[Any], usual: float, broadest: float, farthest: float
) -> npt.NDArray[np.bool_]:
    """The marks that are known, and stems as tall as a digit that are level with one of them: bool (N,) as ``known``.

    usual: the height of digits. broadest, farthest: how broad stems are, and how far from that mark, in such.
    """
    left, top, broad, tall = stats[:, :4].T
    known = known.copy()
    for stem in np.flatnonzero(~known & (np.abs(tall - usual) <= usual - usual / _TALL) & (broad <= broadest * usual)):
        gaps = np.maximum(left - left[stem] - broad[stem], left[stem] - left - broad)
        uneven = np.maximum(np.abs(top - top[stem]), np.abs(top + tall - top[stem] - tall[stem]))
        known[stem] = (known & (gaps < farthest * usual) & (uneven <= _LEVEL * usual)).any()
    return known


def _seen_of(labels: npt.NDArray[Any], stats: npt.NDArray[Any], seen: PageInk) -> npt.NDArray[np.float64]:
    """The share of each mark that a network sees, 0-1."""
    share = np.bincount(labels[seen.mask], minlength=len(stats)) / stats[:, cv2.CC_STAT_AREA]
    return np.asarray(share, np.float64)


def _with(seen: PageInk, clean: PageInk, back: Mask) -> PageInk:
    strength = np.where(back, np.maximum(seen.strength, clean.strength), seen.strength)
    return PageInk(strength, seen.mask | back, seen.thickness)


def _has_uprights(mask: Mask) -> bool:
    """Whether there is something upright in it that is as long as the printed lines of a table."""
    tall = max(15, round(_UPRIGHT * len(mask)))
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
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.mask.view(np.uint8), connectivity=8)
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


__all__ = ["MANY", "box_of", "completed", "completed_in_table", "ink_of_page", "levelled", "marks_of", "with_stems"]
