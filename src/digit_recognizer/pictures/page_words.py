"""The ink of a page becomes a Page: marks, lines, words, candidates for digits, and the best way through them.

All candidates of a page are scored together by ``answer``, which is all that is known of a model here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.first_look import FirstLook, first_look
from digit_recognizer.pictures.marks.edges import EDGE, is_edge
from digit_recognizer.pictures.marks.lines import find_lines
from digit_recognizer.pictures.marks.page_ink import MANY, box_of, marks_of
from digit_recognizer.pictures.marks.points import with_points
from digit_recognizer.pictures.marks.relief import RELIEF, is_relief
from digit_recognizer.pictures.marks.rings import RING, find_rings, hanging_on
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.numbers.apart import numbers_of
from digit_recognizer.pictures.numbers.assembled import not_accepted, page_of
from digit_recognizer.pictures.numbers.at_once import read_at_once
from digit_recognizer.pictures.numbers.chosen import Chosen, digits_of, parts_of, spaces_within
from digit_recognizer.pictures.numbers.context import without_text
from digit_recognizer.pictures.numbers.doubts import with_doubts
from digit_recognizer.pictures.numbers.judged import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.slashes import find_slashes
from digit_recognizer.pictures.paper import Contrast, Labels, PageInk
from digit_recognizer.pictures.second_look import looked_at_again, one_after_all
from digit_recognizer.pictures.upright import View
from digit_recognizer.pictures.words.brackets import find_brackets
from digit_recognizer.pictures.words.crowd import OF_A_CROWD, OF_A_WAY_UP, SAMPLED, has_digits, is_crowd, sample_of
from digit_recognizer.pictures.words.dotted import find_dotted
from digit_recognizer.pictures.words.fields import find_uprights, parted_marks
from digit_recognizer.pictures.words.operators import find_operators, with_minus
from digit_recognizer.pictures.words.paths import best_path
from digit_recognizer.pictures.words.quotes import find_quotes
from digit_recognizer.pictures.words.runs import run_scores
from digit_recognizer.pictures.words.words import UncutWord, Word, uncut_words, words_of
from digit_recognizer.reading import NOT_A_DIGIT, Page, PlacedReading, Rejected, around

# Words on either side whose gaps tell how wide a space is in their line.
_NEAR = 8


@dataclass(frozen=True, eq=False)
class _Marked:
    """A page whose marks are known. labels: int32 (H, W), these by number; marks that are cut get new ones in it.

    contrast: what stands out, of which ``ink`` is what was written. dotted: numbers of marks that have dots,
    which no digit has.
    """

    view: View
    contrast: Contrast
    ink: PageInk
    labels: Labels
    dotted: Collection[int]


def read_ink(view: View, contrast: Contrast, ink: PageInk, means: Means) -> Page:
    """Read all numbers of a page whose ink is found. contrast: what stands out from it, printed lines included.

    Where there is more than a person writes, some lines are read first, and all only where these hold digits; what is
    left out is told.
    """
    expectation = means.expectation
    means.watch("ink", ink)
    labels, boxes, is_all = marks_of(ink)
    rings = find_rings(labels, boxes)
    lines = find_lines(boxes, rings)
    seen = len(boxes)
    labels, boxes = with_points(labels, boxes, lines, contrast)
    if len(boxes) > seen:
        lines = find_lines(boxes, rings)
    operators = with_minus(find_operators(labels, boxes), boxes, lines) | find_brackets(labels, boxes, lines)
    quotes = find_quotes(boxes, lines) - operators
    lines = [[mark for mark in line if mark not in quotes] for line in lines]
    fields = parted_marks(boxes, lines, find_uprights(contrast, ink.mask))
    dotted = {mark + 1 for mark in find_dotted(labels, boxes, lines, ink.mask)}
    uncut = list(uncut_words(labels, boxes, lines, fields, expectation, operators))
    around_others = tuple(Rejected(view.box(box_of(boxes[ring])), RING) for ring in rings)
    around_others += tuple(Rejected(view.box(box_of(boxes[sign])), NOT_A_DIGIT) for sign in sorted(operators | quotes))
    others = np.delete(boxes, [*rings, *operators, *quotes], 0)
    hanging = [box for ring in rings for box in hanging_on(labels, boxes, ring)]

    def page_with(read: Sequence[ReadWord], why: str = "") -> Page:
        found = with_doubts(without_text(read, expectation), others, hanging, means.min_confidence)
        page = page_of(found, view, means.name)
        if is_relief(view.grey, ink.mask, [digit.box for word in found for digit in word.digits]):
            page = not_accepted(page, RELIEF)
        whole = (Rejected(view.box((0, 0, *view.grey.shape[::-1])), why),) if why else ()
        return replace(page, rejected=page.rejected + around_others + whole)

    marked = _Marked(view, contrast, ink, labels, dotted)
    if means.sample or not is_all or is_crowd(uncut):
        some = sample_of(uncut, OF_A_WAY_UP if means.sample else OF_A_CROWD)
        if len(some) < len(uncut):
            read = _read_words(some, replace(marked, labels=labels.copy()), means)
            page = page_with(read, SAMPLED if means.sample else MANY)
            if means.sample:
                return page
            if not has_digits(page, some):
                return not_accepted(page, MANY)
    page = page_with(_read_words(uncut, marked, means), "" if is_all else MANY)
    return page if is_all else not_accepted(page, MANY)


def _read_words(uncut: Sequence[UncutWord], page: _Marked, means: Means) -> list[ReadWord]:
    """What was read in words."""
    first, told = first_look(uncut, page.ink, page.labels, means.answer)
    words = words_of(page.ink, page.labels, told, means.expectation, means.read_strips)
    if means.read_views is not None:
        words = one_after_all(words, page.contrast.depth, page.labels, means.read_views)
    means.watch("pieces", [(word.line, word.pieces) for word in words])
    if not words:
        return []
    found = _best_ways(words, first, page, means)
    if means.read_views is not None:
        found = looked_at_again(found, page.contrast.depth, page.labels, means.read_views, means.min_confidence)
    read = _parted(found, page.ink, page.labels, means)
    return [one for number in range(len(read)) for one in _apart(read, number, means.expectation)]


def _best_ways(words: Sequence[Word], first: FirstLook, page: _Marked, means: Means) -> list[Chosen | ReadWord]:
    """The best way through each word, or what the word is where no digit can be in it."""
    images, probabilities, strange = first.answers(words, page.ink, page.labels, means.answer)
    are_letters = _with_any(page.dotted, words)
    probabilities[are_letters], strange[are_letters] = 0, 1
    expectation = means.expectation
    found: list[Chosen | ReadWord] = []
    start = 0
    for word in words:
        part = slice(start, start + len(word.candidates))
        start = part.stop
        if not word.candidates:
            whole = around([piece.box for piece in word.pieces])
            found.append(ReadWord(word.line, word.height, "", (), (Rejected(whole, NOT_A_DIGIT),)))
            continue
        weighed, scores, unfamiliar = run_scores(word.candidates, word.runs, probabilities[part], strange[part])
        # A number's length is asked for once slashes are told from its digits.
        for asked in (Expectation(), expectation) if expectation.asks else (expectation,):
            path = best_path(len(word.pieces), weighed, scores, unfamiliar, word.height, asked)
            digits = digits_of(word, path, images[part], scores, unfamiliar, means.min_confidence)
            if find_slashes(parts_of(word, path, digits), word.height).found:
                break
        if len(digits) == 1 and is_edge(page.view.grey, page.ink.mask, digits[0].box):
            found.append(ReadWord(word.line, word.height, "", (), (Rejected(digits[0].box, EDGE),)))
        else:
            found.append(Chosen(word, path, digits, probabilities[part], strange[part]))
    return found


def _parted(found: Sequence[Chosen | ReadWord], ink: PageInk, labels: Labels, means: Means) -> list[ReadWord]:
    """What was read, lines of print parted at their spaces, and words of doubted digits read at once as well."""
    spaces = iter(spaces_within([way for way in found if isinstance(way, Chosen)]))
    read: list[ReadWord] = []
    doubted: dict[int, Word] = {}
    for way in found:
        some = way.words(next(spaces)) if isinstance(way, Chosen) else [way]
        if isinstance(way, Chosen) and len(some) == 1 and not some[0].letters and len(way.digits) == len(way.path):
            doubted[len(read)] = way.word
        read += some
    if means.read_strips:
        whole_words = [(word, read[number].digits) for number, word in doubted.items()]
        may_change = not means.expectation.asks
        anew = read_at_once(whole_words, ink, labels, means.read_strips, means.min_confidence, may_change=may_change)
        for number, again in zip(doubted, anew, strict=True):
            if again is not None:
                read[number] = replace(read[number], digits=tuple(again), parts=tuple(again))
    return read


def _with_any(marks: Collection[int], words: Sequence[Word]) -> npt.NDArray[np.bool_]:
    """Which candidates of words have any of these marks in them: bool (N,)."""
    return np.array(
        [
            any(piece.number in marks for piece in word.pieces[one.start : one.end])
            for word in words
            for one in word.candidates
        ],
        np.bool_,
    )


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


__all__ = ["read_ink"]
