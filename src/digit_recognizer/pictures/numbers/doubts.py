"""Numbers that were read, and may be another, or none, are not accepted: every rule that says so, one after the other.

By what stands around a number it may be a half, or one beside a letter, or with another left out: that is told here,
all else in modules of its own. Knows nothing of pixels or models, nor of what is letters: what is none of a page's
numbers is left out before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.numbers.beside import number_beside
from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, BESIDE_LETTER
from digit_recognizer.pictures.numbers.evenness import are_of_a_height
from digit_recognizer.pictures.numbers.heads import heads_refused
from digit_recognizer.pictures.numbers.holes import holes_refused
from digit_recognizer.pictures.numbers.neighbours import Unread, unread_by_line
from digit_recognizer.pictures.numbers.prices import POINT_LEFT_OUT, other_value_refused, torn_prices_refused
from digit_recognizer.pictures.numbers.raised import RAISED
from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted, not_accepted_at
from digit_recognizer.pictures.numbers.strokes import bars_refused, ring_refused, strokes_refused
from digit_recognizer.pictures.numbers.tallies import tallies_refused
from digit_recognizer.pictures.numbers.vouched import vouched_refused
from digit_recognizer.pictures.words.within import APART, Part, box_of, is_tall
from digit_recognizer.reading import Box, PlacedReading, around, overlap

PART = "a part of a number, or all of it"
LEFT_OUT = "another number in its line was left out"
# Their digits are as sure as those of other numbers.
OF_NUMBERS = frozenset((PART, POINT_LEFT_OUT, BESIDE_LETTER, LEFT_OUT, RAISED))

_ITS_REST = 1.0  # heights between a number and what may be the rest of it, at most
_HANGING = 0.4  # and how tall at least what hangs on a ring beside it
_TOUCHING = 0.2  # and between it and what surely is, be it no digit
_WHOLE_NUMBER = 3  # digits, half of them sure, that are no word; of two both are
_AS_TALL = 0.82  # of its line's tallest mark that what may be an unread number is at least
_ENDING = 3  # digits at the end of a word that is not read: two may be letters, as the S and T of GUEST
_NO_MARKS = np.zeros((0, 4), np.int64)


def with_doubts(
    words: Sequence[ReadWord], marks: Boxes = _NO_MARKS, hanging: Sequence[Box] = (), min_confidence: float = 0.0
) -> list[ReadWord]:
    """The same words; no number is accepted that may be half of one, that a letter stands in or touches, in whose line
    another number or ink is left out, or whose value is another without the point that was left out of it, nor are
    bars, strokes, tallies, lone rings and heads of columns, which may be no digits.

    words: of a page, without its text, as ``context.without_text`` gives them. marks: int64 (N, 4), x, y, w, h, of the
    page, without its rings and signs. hanging: boxes, (x, y, w, h), of what hangs on its rings. min_confidence: 0-1,
    from which confidence on a digit is accepted, whatever vouches for it.

    >>> with_doubts([])
    []
    """
    unread = unread_by_line(words)
    words = _left_out_refused(words, unread)
    words = [ring_refused(other_value_refused(_beside_letter_refused(_part_refused(word, unread)))) for word in words]
    for rule in (torn_prices_refused, strokes_refused, bars_refused, tallies_refused, heads_refused):
        words = rule(words)
    words = _hanging_refused(holes_refused(words, marks), hanging)
    return vouched_refused(words, min_confidence)


def _left_out_refused(words: Sequence[ReadWord], unread: Mapping[int, Unread]) -> list[ReadWord]:
    """The same words; no number is accepted in whose line another is left out. unread: what was not read, by line."""
    with_letters = {word.line for word in words if word.letters}
    torn = {
        line
        for line, some in unread.items()
        if any(_is_number_left_out(word) or (line not in with_letters and _is_of_unread(word)) for word in some.words)
    }
    beside = {place for place, word in enumerate(words) if word.line in torn and word.is_stood_by}
    return not_accepted_at(words, beside, LEFT_OUT)


def _hanging_refused(words: Sequence[ReadWord], hanging: Sequence[Box]) -> list[ReadWord]:
    """The same words; no number is accepted that has something beside it that hangs on a ring, as tall as half a digit.

    hanging: boxes of what is none of the ring itself.
    """
    doubted = {
        place for place, word in enumerate(words) if word.digits and any(_is_beside(word, box) for box in hanging)
    }
    return not_accepted_at(words, doubted, PART)


def _is_beside(word: ReadWord, box: Box) -> bool:
    x, y, width, height = word.box
    left, top, broad, tall = box
    shared = min(y + height, top + tall) - max(y, top)
    gap = max(left - x - width, x - left - broad)
    return tall >= _HANGING * word.height and shared >= tall / 2 and gap <= _ITS_REST * word.height


def _part_refused(word: ReadWord, unread: Mapping[int, Unread]) -> ReadWord:
    """The word; none of its digits accepted where it may be a part of a number, the rest of which was left out.

    unread: what was not read, by line.
    """
    if word.line not in unread or not word.is_stood_by:
        return word
    x, _, width, _ = word.box
    for other in unread[word.line].near(x, x + width, _ITS_REST * word.height):
        # What surrounds it was rejected before it and after it.
        gaps = [max(one.box[0] - x - width, x - one.box[0] - one.box[2]) for one in other.rejected]
        near = [one for one, gap in zip(other.rejected, gaps, strict=True) if gap <= _ITS_REST * word.height]
        is_left_out = any(one.reason == AMONG_LETTERS for one in near)
        if min(gaps) <= _TOUCHING * word.height:
            is_left_out |= any(is_tall(part, word.height) for part in other.parts)
        if is_left_out or _ends_in_digits(other, word):
            return not_accepted(word, PART)
    return word


def _left_out(word: ReadWord) -> list[Part]:
    """The tall parts of a word that was not read, but for those that were read within it."""
    parts = (part for part in word.parts if any(overlap(box_of(part), one.box) for one in word.rejected))
    return [part for part in parts if is_tall(part, word.height)]


def _is_number_left_out(word: ReadWord) -> bool:
    """Whether a word that was not read surely is a number, or letters with one before or after them, a space apart."""
    parts = _left_out(word)
    sure = [isinstance(part, PlacedReading) and part.accepted for part in parts]
    if any(one.reason == AMONG_LETTERS for one in word.rejected) and len(parts) > 1 and not word.letters:
        digits = [part for part in parts if isinstance(part, PlacedReading)]
        is_sure = all(sure) or (len(parts) >= _WHOLE_NUMBER and sum(sure) >= len(parts) / 2)
        return is_sure and len(digits) == len(parts) and are_of_a_height(digits, word.tallest)
    boxes = [box_of(part) for part in word.parts]
    return any(_is_apart(some, boxes, word) for some in (_sure_at_end(parts), _sure_at_end(parts[::-1])))


def _is_of_unread(word: ReadWord) -> bool:
    """Whether a word that was not read was taken for digits, unlikely ones, all of it, and is as tall as its line."""
    parts = _left_out(word)
    digits = [part for part in parts if isinstance(part, PlacedReading)]
    if not 0 < len(digits) == len(parts) or any(one.reason == AMONG_LETTERS for one in word.rejected):
        return False
    return max(digit.box[3] for digit in digits) >= _AS_TALL * word.tallest


def _sure_at_end(parts: Sequence[Part]) -> list[PlacedReading]:
    """The sure digits that parts end in, if they do not consist of them."""
    found: list[PlacedReading] = []
    for part in reversed(parts):
        if not isinstance(part, PlacedReading) or not part.accepted:
            return found
        found.append(part)
    return []


def _is_apart(digits: Sequence[PlacedReading], boxes: Sequence[Box], word: ReadWord) -> bool:
    """Whether digits are as tall as what is tall in their line, and stand a space apart from the rest of their word.

    boxes: of all parts of the word.
    """
    if not digits or not are_of_a_height(digits, word.tallest):
        return False
    x, _, width, _ = around(digit.box for digit in digits)
    others = [(left, broad) for left, _, broad, _ in boxes if left < x or left + broad > x + width]
    apart = min((max(x - left - broad, left - x - width) for left, broad in others), default=0)
    return apart >= APART * word.height


def _ends_in_digits(other: ReadWord, word: ReadWord) -> bool:
    """Whether a word that was not read has three digits right before or after a number, as sure and as tall as that."""
    x, _, width, _ = word.box
    parts = _left_out(other)
    before = [part for part in parts if box_of(part)[0] < x][-_ENDING:]
    after = [part for part in parts if box_of(part)[0] >= x][:_ENDING]
    for ends in (before, after):
        found = [part for part in ends if isinstance(part, PlacedReading) and part.accepted]
        if len(found) < _ENDING:
            continue
        left, _, broad, _ = around(digit.box for digit in found)
        is_near = max(left - x - width, x - left - broad) <= _ITS_REST * word.height
        if is_near and are_of_a_height([*found, *word.digits], word.tallest):
            return True
    return False


def _beside_letter_refused(word: ReadWord) -> ReadWord:
    """The word; none of its digits accepted where a mark stands between or right beside them that may be a letter."""
    has_mark = any(is_tall(part, word.height) for part in word.parts if not isinstance(part, PlacedReading))
    if not has_mark or not word.is_stood_by:
        return word
    beside = number_beside(word.parts, word.height)
    return word if beside is not None and beside.is_sure else not_accepted(word, BESIDE_LETTER)


__all__ = ["LEFT_OUT", "OF_NUMBERS", "PART", "with_doubts"]
