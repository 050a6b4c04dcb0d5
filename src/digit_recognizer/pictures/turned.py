"""A page photographed sideways or upside down is read the way up in which its digits make most sense.

Knows nothing of how a page is read.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.marks.barcodes import BARCODE
from digit_recognizer.pictures.marks.codes import CODE
from digit_recognizer.pictures.marks.lying import LYING
from digit_recognizer.pictures.marks.page_ink import MANY
from digit_recognizer.pictures.marks.patches import PATCH
from digit_recognizer.pictures.numbers.apart import MAYBE_SPACE
from digit_recognizer.pictures.numbers.doubts import OF_NUMBERS
from digit_recognizer.pictures.numbers.standing import stands_upright
from digit_recognizer.pictures.watch import Watch, unwatched
from digit_recognizer.pictures.words.crowd import SAMPLED
from digit_recognizer.reading import Box, Page, PlacedReading, Rejected

# On 24 composed lines of MNIST's validation digits evidence was 0.38 to 1.0 upright, median 0.83; upside down 0 to 0.6,
# and 1.0 for one of 0, 1, 6, 8 and 9 alone, which nothing can tell; sideways 0 to 0.5.
_GOOD = 0.65  # evidence from which on a page is believed to stand upright, and no other way up is tried
_SURE = 0.9  # mean confidence, whether accepted or not, that says the same: digits that touch are seldom accepted
_BETTER = 0.2  # by how much more another way up must show
# On 84 turned lines 0.67 at least, the right way up; printed words upside down, taken for numbers, had 0.41 to 0.5.
_LEAST = 0.6  # evidence that another way up must show
_FEWEST = 4  # accepted digits in numbers that another way up must show: 6, 9 and 1 alone tell nothing
# On 36 turned lines at least 0.28 the right way up; print and a number upside down had 0.06 to 0.15.
_SHARE = 0.25  # of the digits that it could hold
_LONGEST = 10  # digits that something rejected could hold at most: rules are long and hold none
_TELLING = frozenset({2, 3, 4, 5, 7})  # digits that are none upside down, as they are drawn by most
_TOLD = 0.2  # share of them among those that make a page of digits one that is upside down
_NARROW = 0.7  # heights that a digit of a number takes in its line


class ReadPage(Protocol):
    """Gives the Page of a picture, uint8 (H, W), as it stands, and tells ``watch`` of the steps."""

    def __call__(self, grey: Grey, /, *, watch: Watch, sample: bool = False) -> Page:
        """Read it. sample: of a crowded page only some lines, and say so."""


def read_any_way_up(grey: Grey, read: ReadPage, watch: Watch | None = None) -> Page:
    """Read a page as it is, and where that makes little sense also turned by 90, 180 and 270 degrees.

    grey: uint8 (H, W). read: as read_page does. watch: is told of the steps in the way up that is taken.
    Evidence for a way up is the mean confidence of its digits, where what was not accepted, or found to be no digit,
    counts as 0. Upside down, 0, 1, 6, 8 and 9 are digits still; so a turn must show clearly more evidence than none
    does, and four digits at least, not all alone in their lines: a lone digit is never turned, and letters on their
    side look like a column of 0 and 2. Of a crowded page some lines are read first, and all of them only where these
    show half of that evidence. And it must show more digits in numbers: upside down, a display has as many as upright,
    whatever became of the words beside it; on its side, its bars are 1s, so that these do not count against numbers
    that were read. Where numbers were read as it stands, some digits upside down must be such that are none the other
    way up: 0, 1, 6, 8 and 9 are. Nor is a page of print turned for some of its letters: most of what is there must be
    digits; and none is whose letters stand upright (``stands_upright``).
    The Page that is returned has its boxes in pixels of ``grey`` as it is, and says in ``turned`` by how much it was
    turned to be read.

    >>> read_any_way_up(np.zeros((20, 30), np.uint8), lambda grey, watch, sample=False: Page()).turned
    0
    """
    words: list[list[Box]] = []

    def listen(step: str, value: Any, /) -> None:
        if step == "pieces":
            words.extend([piece.box for piece in pieces] for _, pieces in value)
        if watch is not None:
            watch(step, value)

    upright = read(grey, watch=listen)
    best, best_turns, most = upright, 0, evidence(upright)
    if most >= _GOOD or _mean_confidence(upright) >= _SURE or _digits_at_most(upright) < _FEWEST:
        return upright
    if stands_upright(words):
        return upright
    if any(found.reason == MANY for found in upright.rejected):  # of as many marks no way up is accepted
        return upright
    least = max(most + _BETTER, _LEAST)
    already = _accepted_in_numbers(upright)
    for turns in (1, 2, 3):
        other = np.ascontiguousarray(np.rot90(grey, turns))
        page = read(other, watch=unwatched, sample=True)
        if any(one.reason == SAMPLED for one in page.rejected):
            if evidence(page) < least / 2:
                continue
            page = read(other, watch=unwatched)
        found = evidence(page)
        accepted = _accepted_in_numbers(page)
        if accepted <= already or (turns != 2 and already >= _FEWEST and _is_mostly_bars(page)):
            continue
        if turns == 2 and already and _told(page) < _TOLD:
            continue
        if found >= least and found > most and accepted >= max(_FEWEST, _SHARE * _digits_at_most(page, _LONGEST)):
            best, best_turns, most = page, turns, found
    if not best_turns:
        return upright
    if watch is not None:
        watch("turned", best_turns)
        read(np.ascontiguousarray(np.rot90(grey, best_turns)), watch=watch)
    return _turned_back(best, best_turns, grey.shape[0], grey.shape[1])


def evidence(page: Page) -> float:
    """How much sense a reading makes, 0-1: the mean confidence of all that was found, only digits counting that are
    accepted, or would be if their number were whole and nothing else.

    >>> evidence(Page())
    0.0
    """
    found = len(page.digits) + len(_rejected(page))
    return sum(digit.confidence for digit in page.digits if _is_sure(digit)) / found if found else 0.0


def _is_sure(digit: PlacedReading) -> bool:
    return digit.accepted or digit.reason in OF_NUMBERS


def _rejected(page: Page) -> list[Rejected]:
    """What was found to be no digit, but for what says nothing of the way up."""
    return [found for found in page.rejected if found.reason not in (BARCODE, CODE, LYING, PATCH, SAMPLED, *OF_NUMBERS)]


def _mean_confidence(page: Page) -> float:
    """The mean confidence of all that was found, 0-1, what is no digit counting as 0."""
    found = len(page.digits) + len(_rejected(page))
    return sum(digit.confidence for digit in page.digits) / found if found else 0.0


def _accepted_in_numbers(page: Page) -> int:
    """How many sure digits stand in lines of two or more."""
    return len(_in_numbers(page))


def _in_numbers(page: Page) -> list[int]:
    """The sure digits in lines of two or more."""
    return [digit.digit for line in page.lines if len(line.digits) > 1 for digit in line.digits if _is_sure(digit)]


def _is_mostly_bars(page: Page) -> bool:
    """Whether more than half of the sure digits in lines of two or more are 1s."""
    accepted = _in_numbers(page)
    return 2 * accepted.count(1) > len(accepted)


def _told(page: Page) -> float:
    """The share of the sure digits in lines of two or more that are none upside down, 0-1."""
    accepted = _in_numbers(page)
    return sum(digit in _TELLING for digit in accepted) / max(1, len(accepted))


def _digits_at_most(page: Page, longest: float = math.inf) -> float:
    """How many digits a page could hold: those read, and what was found to be none by the shape of its box, ``longest``
    at most in each. What may be two numbers was read.
    """
    unread = (found for found in _rejected(page) if found.reason != MAYBE_SPACE)
    fitting = (max(1.0, max(found.box[2:]) / (_NARROW * max(1, min(found.box[2:])))) for found in unread)
    return len(page.digits) + sum(min(longest, each) for each in fitting)


def _turned_back(page: Page, turns: int, height: int, width: int) -> Page:
    """The page with its boxes in the picture as it came, of that height and width, np.rot90(picture, turns) of which
    was read.
    """

    def placed(box: Box) -> Box:
        x, y, across, down = box
        if turns == 1:
            return width - y - down, x, down, across
        if turns == 2:
            return width - x - across, height - y - down, across, down
        return y, height - x - across, down, across

    lines = tuple(
        replace(line, digits=tuple(replace(digit, box=placed(digit.box)) for digit in line.digits))
        for line in page.lines
    )
    rejected = tuple(replace(found, box=placed(found.box)) for found in page.rejected)
    # np.rot90 turns counter-clockwise; people turn a photo clockwise.
    return replace(page, lines=lines, rejected=rejected, turned=360 - 90 * turns)


__all__ = ["evidence", "read_any_way_up"]
