"""Marks that an ink finder sees in part are given back whole: it takes stems, as those of 1s, for printed lines.

Knows nothing of the network, nor of digits but that they are of a height, and 1s as tall as the others.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask, PageInk

# Share of a mark on an even ground that the ink finder sees, from which on all of it is ink. Of 160 rows of printed
# tables in five fonts 21 were read wrong without, mostly as stems of 1s were lost.
_SEEN = 0.3
# In tables on any other ground, where what stands out may be a shadow, marks are given back that are no larger than
# digits, in shares of the height of most: those of which it sees a tenth, and stems that stand level with a digit
# beside them. Of 320 tables, half of them photographed, eight more are read right and one less.
_SEEN_IN_TABLES = 0.1
_TALL, _BROAD = 1.25, 1.5
_STEM, _BESIDE, _LEVEL = 0.6, 0.7, 0.15
_STEM_WITH_FOOT = 0.75  # on an even ground 1s with a foot, too, however far away from that digit
_AS_PRINT = 0.1  # right beside a mark that is no more uneven with it, be most marks lower: a table's line is taller
# On any ground stems are whole, be nothing of them seen, that are as tall as a mark beside them, half of which is seen,
# and level with it. What most marks are like tells nothing there: among words these are small letters. Of 1,549 1s
# among words on pages with printed lines in an even light 101 stayed lost without, and four do.
_MOSTLY_SEEN = 0.5
_LEAST_STEM = 8  # pixels


def with_stems(seen: PageInk, everything: PageInk, usual: float) -> PageInk:
    """The ink that a network sees on any ground, its 1s whole: it takes the middle of some stems for a line, or all.

    seen: what the network takes for ink. everything: all that stands out from the ground; what is as tall as most
    digits and narrow in it, and seen in part, is ink from top to bottom, and so is what is narrow and level with a mark
    right beside it that is seen. usual: how tall most marks are, in pixels.

    >>> mask = np.zeros((40, 60), np.bool_)
    >>> mask[10:30, 18:28] = mask[10:30, 34:36] = True
    >>> everything = PageInk(mask * np.uint8(255), mask, 2.0)
    >>> seen = mask.copy()
    >>> seen[16:26, 34:36] = False
    >>> int(with_stems(PageInk(everything.strength, seen, 2.0), everything, 20.0).mask[:, 30:].sum())
    40
    """
    labels, stats = everything.connected
    broad, tall = stats[:, 2:4].T
    share = _seen_of(labels, stats, seen)
    stems = (np.abs(tall - usual) <= usual - usual / _TALL) & (broad <= _STEM * usual) & (share >= _SEEN_IN_TABLES)
    stems |= _level_stems(share, stats, _STEM_WITH_FOOT)
    stems[0] = False
    return given_back(seen, everything, stems[labels]) if stems.any() else seen


def completed(seen: PageInk, clean: PageInk) -> PageInk:
    """The ink that a network sees on an even ground, its marks as whole as they stand out from that.

    seen: what the network takes for ink; of a stem beside a printed line it may see a part. clean: what stands out from
    the ground and is no printed line. Marks of it are given back of which the network sees a third, and stems as tall
    as a digit at the same height.

    >>> mask = np.zeros((40, 40), np.bool_)
    >>> mask[10:30, 18:22] = True
    >>> clean = PageInk(mask * np.uint8(255), mask, 4.0)
    >>> lower = PageInk(clean.strength // 2, mask & (np.arange(40) > 19)[:, None], 4.0)
    >>> int(lower.mask.sum()), int(completed(lower, clean).mask.sum())
    (40, 80)
    """
    labels, stats = clean.connected
    share = _seen_of(labels, stats, seen)
    known = share >= _SEEN
    known[0] = False
    known = _with_stems(known, stats, height_of_most(seen), _STEM_WITH_FOOT, math.inf)
    known |= _level_stems(share, stats, _STEM_WITH_FOOT, _AS_PRINT)
    return given_back(seen, clean, known[labels])


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
    usual = height_of_most(seen)
    labels, stats = clean.connected
    broad, tall = stats[:, 2:4].T
    known = (_seen_of(labels, stats, seen) >= _SEEN_IN_TABLES) & (tall <= _TALL * usual) & (broad <= _BROAD * usual)
    known[0] = False
    return given_back(seen, clean, _with_stems(known, stats, usual, _STEM, _BESIDE)[labels])


def height_of_most(seen: PageInk) -> float:
    """How tall most marks are that are no bits, in pixels."""
    heights = seen.connected.stats[1:, cv2.CC_STAT_HEIGHT]
    return float(np.median(heights[heights >= np.percentile(heights, 90) / 2]))


def _level_stems(
    share: npt.NDArray[np.float64], stats: npt.NDArray[Any], broadest: float = _STEM, uneven: float = _LEVEL
) -> npt.NDArray[np.bool_]:
    """Which marks are stems, not all of them seen, that are level with another right beside: bool (N,).

    share: of each mark that is seen. broadest: how broad stems are, and ``uneven``, how far they are from level, in
    heights of their own. That other mark is seen for the most part, or is such a stem itself, as in 11.
    """
    broad, tall = stats[:, 2:4].T
    known, stems = share >= _MOSTLY_SEEN, np.zeros(len(stats), np.bool_)
    slender = (share < 1) & (tall >= _LEAST_STEM) & (broad <= broadest * tall)
    known[0] = slender[0] = False
    left = np.flatnonzero(slender)
    while True:
        beside = [_is_level(stem, known | stems, stats, float(tall[stem]), _BESIDE, uneven) for stem in left]
        if not any(beside):
            return stems
        stems[left[beside]] = True
        left = left[~np.array(beside)]


def _with_stems(
    known: npt.NDArray[np.bool_], stats: npt.NDArray[Any], usual: float, broadest: float, farthest: float
) -> npt.NDArray[np.bool_]:
    """The marks that are known, and stems as tall as a digit that are level with one of them: bool (N,) as ``known``.

    usual: the height of digits. broadest, farthest: how broad stems are, and how far from that mark, in such.
    """
    broad, tall = stats[:, 2:4].T
    known = known.copy()
    for stem in np.flatnonzero(~known & (np.abs(tall - usual) <= usual - usual / _TALL) & (broad <= broadest * usual)):
        known[stem] = _is_level(stem, known, stats, usual, farthest)
    return known


def _is_level(
    stem: np.intp,
    known: npt.NDArray[np.bool_],
    stats: npt.NDArray[Any],
    height: float,
    farthest: float,
    most: float = _LEVEL,
) -> bool:
    """Whether a mark is level, but for ``most`` heights, with one that is known, ``farthest`` heights away at most."""
    left, top, broad, tall = stats[:, :4].T
    gaps = np.maximum(left - left[stem] - broad[stem], left[stem] - left - broad)
    uneven = np.maximum(np.abs(top - top[stem]), np.abs(top + tall - top[stem] - tall[stem]))
    level = known & (gaps < farthest * height) & (uneven <= most * height)
    level[stem] = False
    return bool(level.any())


def _seen_of(labels: npt.NDArray[Any], stats: npt.NDArray[Any], seen: PageInk) -> npt.NDArray[np.float64]:
    """The share of each mark that a network sees, 0-1."""
    share = np.bincount(labels[seen.mask], minlength=len(stats)) / stats[:, cv2.CC_STAT_AREA]
    return np.asarray(share, np.float64)


def given_back(seen: PageInk, clean: PageInk, back: Mask) -> PageInk:
    """What is seen, and what is given back of ``clean``: bool (H, W)."""
    strength = np.where(back, np.maximum(seen.strength, clean.strength), seen.strength)
    return PageInk(strength, seen.mask | back, seen.thickness)


__all__ = ["completed", "completed_in_table", "given_back", "height_of_most", "with_stems"]
