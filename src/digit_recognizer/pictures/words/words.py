"""The marks of a page's lines become words: their pieces, and the candidates for digits among them.

Knows nothing of models: nothing is read here.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.marks.lines import Boxes, line_height, own_height, split_words, tallest_mark
from digit_recognizer.pictures.marks.page_ink import box_of
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.cutting import BROADEST, Candidate, Piece, candidates, cut_marks
from digit_recognizer.pictures.words.runs import ReadStrips, Run, cut_runs, with_runs
from digit_recognizer.pictures.words.signs import COLON, MINUS, NO_SIGN, find_colons, find_signs
from digit_recognizer.pictures.words.ticks import find_ticks

_DIRT = 0.006  # share of the square of a line's height: smaller marks are no part of a digit
# Of a point's columns, that it shares with another mark at most; not with one that is so tall, in heights of the line,
# and ends so much above the point's foot.
_BELOW_OTHER = 0.6
_WHOLE, _HANGS = 0.9, 0.1
_JOINED_AMONG_LETTERS = 0.95  # heights that marks joined to one digit are broad at most in a word of letters
_LOWEST = 5  # pixels of a line's height: even the digits of the smallest fonts are no lower


@dataclass(frozen=True, slots=True)
class Word:
    """Pieces of one word and its candidates for digits, none where it is too low to hold any. line: where it stands.
    height: of that line's digits. signs: of a decimal number, (where from left to right, sign). runs: which pieces a
    line reader cut. tallest: of the line's marks.
    """

    line: int
    height: float
    pieces: list[Piece]
    candidates: list[Candidate]
    signs: list[tuple[float, str]]
    runs: list[Run]
    tallest: float


@dataclass(frozen=True, slots=True)
class UncutWord:
    """Marks that stand together, none of them cut yet. The rest as of a ``Word``. is_spelt: whether most of them are
    letters, and only what hardly is one need be looked at more closely.
    """

    line: int
    height: float
    marks: list[Piece]
    signs: list[tuple[float, str]]
    tallest: float
    is_spelt: bool = False


def uncut_words(
    labels: Labels,
    boxes: Boxes,
    lines: Sequence[list[int]],
    fields: Sequence[list[int]],
    expectation: Expectation,
    operators: Collection[int] = (),
) -> Iterator[UncutWord]:
    """The words of each line.

    labels: int32 (H, W), the page's marks by number. boxes: of these. fields: for each line which field each of its
    marks is in; marks of two are no word, however close they stand. operators: marks that are plus or equals signs;
    these are left out, and part words.
    """
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
    for line_number, line in enumerate(lines):
        signs_at = sorted(int(boxes[mark, 0]) for mark in line if mark in operators)
        field_of = {
            mark: (field, bisect(signs_at, int(boxes[mark, 0])))
            for mark, field in zip(line, fields[line_number], strict=True)
        }
        line = [mark for mark in line if mark not in operators]
        if not line:
            continue
        height = line_height(boxes, line)
        tallest = tallest_mark(boxes, line)
        line = [mark for mark in line if areas[mark + 1] >= _DIRT * height**2]
        colons = dict(find_colons(boxes, line, height))
        line = [mark for mark in line if mark not in colons.values()]
        signs = find_signs(boxes, [mark for mark in line if mark not in colons], height)
        points = _points(boxes, line, signs, height)
        is_decimal = expectation.numbers == "decimal"
        signs = {mark: sign for mark, sign in signs.items() if sign or mark in points} if is_decimal else points
        # Of a comb's ticks some lie where points do.
        others = [mark for mark in line if mark not in colons and not (is_decimal and mark in signs)]
        ticks = find_ticks(boxes, others, height)
        signs = {mark: sign for mark, sign in signs.items() if mark not in ticks} | dict.fromkeys(colons, COLON)
        line = [mark for mark in line if mark not in ticks]
        waiting: list[tuple[float, str]] = []
        for word in _parted(split_words(boxes, line, height, points), field_of):
            waiting += [(float(boxes[mark, 0]), signs[mark]) for mark in word if mark in signs]
            marks = [mark for mark in word if mark not in signs]
            if not marks:  # a minus that stands apart belongs to the number after it
                continue
            pieces = [Piece(mark + 1, box_of(boxes[mark]), int(areas[mark + 1])) for mark in marks]
            yield UncutWord(line_number, own_height(boxes, marks, height), pieces, waiting, tallest)
            waiting = []


def words_of(
    ink: PageInk, labels: Labels, uncut: Sequence[UncutWord], expectation: Expectation, read_strips: ReadStrips | None
) -> list[Word]:
    """The words with their marks cut into pieces, and the candidates for digits among these.

    labels: int32 (H, W), the page's marks by number; pieces that are cut get new ones in it. read_strips: a line
    reader, asked once for all words; None, and marks are cut along seams.
    """
    number = int(labels.max()) + 1
    tall = [word for word in uncut if word.height >= _LOWEST]
    cut: list[tuple[list[Piece], list[Run]]] = []
    if read_strips is not None:
        asked = [(word.marks, word.height) for word in tall]
        spelt = {place for place, word in enumerate(tall) if word.is_spelt}
        cut = cut_runs(ink, labels, asked, read_strips, number, expectation.allows_length, spelt)
    else:
        for word in tall:
            pieces = cut_marks(labels, word.marks, word.height, ink.thickness, number)
            number = max(number, 1 + max(piece.number for piece in pieces))
            cut.append((pieces, []))
    found = iter(cut)
    words = []
    for word in uncut:
        pieces, runs = next(found) if word.height >= _LOWEST else (word.marks, [])
        broadest = _JOINED_AMONG_LETTERS if word.is_spelt else BROADEST
        found_in = candidates(pieces, word.height, broadest) if word.height >= _LOWEST else []
        digits = with_runs(found_in, pieces, runs)
        words.append(Word(word.line, word.height, pieces, digits, word.signs, runs, word.tallest))
    return words


def _points(boxes: Boxes, line: Sequence[int], signs: Mapping[int, str], height: float) -> dict[int, str]:
    """The points and commas among the signs of a line that do not stand below another mark, as bits of broken digits
    do: they are no digits, and no part of one. Italics lean over them from both sides, and a comma hangs lower than
    what is whole without it. A dash is told from digits later.
    """

    starts, tall = boxes[line, 0], boxes[line, 3]
    ends, feet = starts + boxes[line, 2], boxes[line, 1] + tall

    def is_clear(mark: int) -> bool:
        x, width = boxes[mark, 0], boxes[mark, 2]
        shared = np.minimum(ends, x + width) - np.maximum(starts, x)
        above = shared > _BELOW_OTHER * width
        above &= (tall < _WHOLE * height) | (feet > boxes[mark, 1] + boxes[mark, 3] - _HANGS * height)
        return int(above.sum()) == 1  # itself alone

    return {mark: NO_SIGN for mark, sign in signs.items() if sign != MINUS and is_clear(mark)}


def _parted(words: Sequence[list[int]], field_of: Mapping[int, tuple[int, int]]) -> Iterator[list[int]]:
    """Words cut where their marks are in different fields, or on different sides of an operator."""
    for word in words:
        for _, marks in groupby(sorted(word, key=field_of.__getitem__), key=field_of.__getitem__):
            yield list(marks)


__all__ = ["UncutWord", "Word", "uncut_words", "words_of"]
