"""Words that were read become the lines of a Page, and Pages of two parts of a picture one. Reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from digit_recognizer.pictures.numbers.neighbours import places_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.upright import View
from digit_recognizer.reading import Line, Page, Rejected, refused

UNSURE_LINE = "most digits of its line are unsure, as letters would be"

# Of a line of so many digits fewer than this share sure: letters, a few of which look like digits.
_LONG_LINE, _SURE_SHARE = 5, 0.25
_BESIDE = 0.5  # of the lower height that two lines share which are one


def page_of(read: Sequence[ReadWord], view: View, name: str) -> Page:
    """Words to lines, boxes to the pixels of the picture as it came. name: of that.

    >>> import numpy as np
    >>> from digit_recognizer.pictures.upright import view_of
    >>> page_of([], view_of(np.zeros((8, 8), np.uint8), 1.0, (8, 8)), "blank.png")
    Page(lines=(), rejected=(), name='blank.png')
    """
    lines = []
    for places in places_by_line(read).values():
        words = [read[place] for place in places if read[place].digits]
        if not words:
            continue
        digits = [replace(digit, box=view.box(digit.box)) for word in words for digit in word.digits]
        if len(digits) >= _LONG_LINE and sum(digit.accepted for digit in digits) < _SURE_SHARE * len(digits):
            digits = [refused(digit, UNSURE_LINE) for digit in digits]
        text = " ".join(word.text for word in words)
        lines.append(Line(text, tuple(digits)))
    rejected = tuple(Rejected(view.box(found.box), found.reason) for word in read for found in word.rejected)
    return Page(tuple(lines), rejected, name)


def not_accepted(page: Page, reason: str) -> Page:
    """The page with none of its digits accepted. reason: why.

    >>> not_accepted(Page(), "too many marks")
    Page(lines=(), rejected=(), name='')
    """
    lines = (tuple(refused(digit, reason) for digit in line.digits) for line in page.lines)
    return replace(page, lines=tuple(Line(line.text, digits) for line, digits in zip(page.lines, lines, strict=True)))


def together(page: Page, other: Page) -> Page:
    """The page with what was read in another part of it, each line at its height; what stands beside another line is a
    part of that, its words among the words there, from left to right.

    >>> together(Page(), Page()).lines
    ()
    """
    result = list(page.lines)
    for line in other.lines:
        beside = next((place for place, one in enumerate(result) if _are_beside(line, one)), None)
        if beside is None:
            result.append(line)
        else:
            words = sorted([*_words(result[beside]), *_words(line)], key=lambda word: word.digits[0].box[0])
            digits = tuple(digit for word in words for digit in word.digits)
            result[beside] = Line(" ".join(word.text for word in words), digits)
    lines = tuple(sorted(result, key=lambda one: sum(_span(one))))
    return replace(page, lines=lines, rejected=page.rejected + other.rejected)


def _words(line: Line) -> list[Line]:
    """The words of a line, each as a line of its own; the signs in their texts are no digits."""
    digits = iter(line.digits)
    counts = ((text, sum(letter.isdecimal() for letter in text)) for text in line.text.split())
    return [Line(text, tuple(islice(digits, count))) for text, count in counts]


def _span(line: Line) -> tuple[int, int]:
    """From where to where a line reaches, from top to bottom."""
    return min(digit.box[1] for digit in line.digits), max(digit.box[1] + digit.box[3] for digit in line.digits)


def _are_beside(one: Line, other: Line) -> bool:
    (top, bottom), (upper, lower) = _span(one), _span(other)
    return min(bottom, lower) - max(top, upper) >= _BESIDE * min(bottom - top, lower - upper)


__all__ = ["UNSURE_LINE", "not_accepted", "page_of", "together"]
