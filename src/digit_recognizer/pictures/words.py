"""The marks of a page's lines become words: their pieces, and the candidates for digits among them.

Knows nothing of models: nothing is read here.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from digit_recognizer.pictures.cutting import Candidate, Labels, Piece, candidates, cut_marks
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.lines import Boxes, line_height, split_words, tallest_mark
from digit_recognizer.pictures.page_ink import box_of
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.runs import ReadStrips, Run, cut_runs, with_runs
from digit_recognizer.pictures.signs import MINUS, NO_SIGN, find_signs
from digit_recognizer.pictures.ticks import find_ticks

_DIRT = 0.006  # share of the square of a line's height: smaller marks are no part of a digit
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


def words_of(
    ink: PageInk,
    labels: Labels,
    boxes: Boxes,
    lines: Sequence[list[int]],
    fields: Sequence[list[int]],
    expectation: Expectation,
    read_strips: ReadStrips | None,
    operators: Collection[int] = (),
) -> Iterator[Word]:
    """The words of each line, with their marks cut into pieces; pieces that were cut get numbers of their own.

    fields: for each line which field each of its marks is in; marks of two are no word, however close they stand.
    operators: marks that are plus or equals signs; these are left out, and part words.
    """
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
    number = len(boxes) + 1
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
        signs = find_signs(boxes, line, height)
        points = _points(boxes, line, signs)
        is_decimal = expectation.numbers == "decimal"
        signs = {mark: sign for mark, sign in signs.items() if sign or mark in points} if is_decimal else points
        # Of a comb's ticks some lie where points do.
        others = line if not is_decimal else [mark for mark in line if mark not in signs]
        ticks = find_ticks(boxes, others, height)
        signs = {mark: sign for mark, sign in signs.items() if mark not in ticks}
        line = [mark for mark in line if mark not in ticks]
        waiting: list[tuple[float, str]] = []
        for word in _parted(split_words(boxes, line, height), field_of):
            waiting += [(float(boxes[mark, 0]), signs[mark]) for mark in word if mark in signs]
            marks = [mark for mark in word if mark not in signs]
            if not marks:  # a minus that stands apart belongs to the number after it
                continue
            pieces = [Piece(mark + 1, box_of(boxes[mark]), int(areas[mark + 1])) for mark in marks]
            runs: list[Run] = []
            if height < _LOWEST:
                yield Word(line_number, height, pieces, [], waiting, runs, tallest)
                waiting = []
                continue
            if read_strips is None:
                pieces = cut_marks(labels, pieces, height, ink.thickness, number)
            else:
                pieces, runs = cut_runs(ink, labels, pieces, height, read_strips, number, expectation.allows_length)
            number = max(number, 1 + max(piece.number for piece in pieces))
            found = with_runs(candidates(pieces, height), pieces, runs)
            yield Word(line_number, height, pieces, found, waiting, runs, tallest)
            waiting = []


def _points(boxes: Boxes, line: Sequence[int], signs: Mapping[int, str]) -> dict[int, str]:
    """The points and commas among the signs of a line that stand below no other mark, as bits of broken digits do: they
    are no digits, and no part of one. A dash is told from digits later.
    """

    starts = boxes[line, 0]
    ends = starts + boxes[line, 2]

    def is_clear(mark: int) -> bool:
        x, width = boxes[mark, 0], boxes[mark, 2]
        return int(((starts < x + width) & (ends > x)).sum()) == 1  # it shares its columns with itself alone

    return {mark: NO_SIGN for mark, sign in signs.items() if sign != MINUS and is_clear(mark)}


def _parted(words: Sequence[list[int]], field_of: Mapping[int, tuple[int, int]]) -> Iterator[list[int]]:
    """Words cut where their marks are in different fields, or on different sides of an operator."""
    for word in words:
        for _, marks in groupby(sorted(word, key=field_of.__getitem__), key=field_of.__getitem__):
            yield list(marks)


__all__ = ["Word", "words_of"]
