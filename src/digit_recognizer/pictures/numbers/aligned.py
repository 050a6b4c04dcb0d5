"""Digits in a row or a column of numbers, or in a column at the heads of lines, are numbers, be there letters around.

Knows nothing of pixels or models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import around

_ALIKE = 1.5  # times one of these is taller than another at most; beside numbers by hand print is lower
_BELOW = 8.0  # heights between one and the next in its column at most
_HEADS = 3  # words at the heads of lines that make a column, at least
_LONGEST = 3  # digits that one of these has; a word in an odd face may look like more
_SHARE = 0.5  # and of the lines that begin there


class _Table(NamedTuple):
    """The words of a page that have parts. boxes: int64 (N, 4), x, y, width, height. lines: int64 (N,).

    numbers, letters: bool (N,), which surely are the ones or hold the others. heads: bool (N,), which are digits that
    begin a line with more in it. begin: bool (N,), which begin a line at all.
    """

    boxes: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.bool_]
    letters: npt.NDArray[np.bool_]
    heads: npt.NDArray[np.bool_]
    begin: npt.NDArray[np.bool_]


def aligned(words: Sequence[ReadWord], are_numbers: Sequence[bool]) -> frozenset[int]:
    """Which of a page's words are digits in a row or a column of numbers of about their height, by their places.

    are_numbers: which of the words surely are some. A row is a line without letters. A column is what stands above and
    below, as far as no letters stand in between: the numbers of a form have their labels beside them. What stands in a
    line with letters that are above or below numbers themselves is in the head of a table. Or a column is at the heads
    of lines, as the quantities of a list are: three at least that are not all alike, in half of the lines.

    >>> aligned([], [])
    frozenset()
    """
    places = [place for place, word in enumerate(words) if word.parts]
    may_be = [_may_be_number(words[place]) for place in places]
    if not any(maybe and not are_numbers[place] for place, maybe in zip(places, may_be, strict=True)):
        return frozenset()
    table = _table_of([words[place] for place in places], [are_numbers[place] for place in places], may_be)
    waiting = [at for at, maybe in enumerate(may_be) if maybe and not table.numbers[at]]
    values = [tuple(digit.digit for digit in words[place].digits or words[place].doubted) for place in places]
    found = {at for at in waiting if _is_head(at, table, values)}
    table.numbers[list(found)] = True
    asked = [at for at in waiting if at not in found]
    while asked:
        more = [at for at in asked if _is_aligned(at, table)]
        found.update(more)
        table.numbers[more] = True  # the next in its row or column is held against these
        beside = _in_column_or_line(more, table)
        asked = [at for at in waiting if beside[at] and at not in found]
    return frozenset(places[at] for at in found)


def _table_of(words: Sequence[ReadWord], are_numbers: Sequence[bool], may_be: Sequence[bool]) -> _Table:
    boxes = np.array([around(box_of(part) for part in word.parts) for word in words], np.int64)
    lines = np.array([word.line for word in words], np.int64)
    numbers, likely = np.array(are_numbers, np.bool_), np.array(may_be, np.bool_)
    in_line = Counter(word.line for word in words)
    several = np.array([in_line[word.line] > 1 for word in words], np.bool_)
    begin = np.zeros(len(words), np.bool_)
    order = np.lexsort((boxes[:, 0], lines))
    begin[order[np.unique(lines[order], return_index=True)[1]]] = True
    return _Table(boxes, lines, numbers, ~numbers & ~likely, likely & begin & several, begin)


def _in_column_or_line(places: Sequence[int], table: _Table) -> npt.NDArray[np.bool_]:
    """Which words, bool (N,), stand above, below or beside one of these."""
    left, _, broad, _ = table.boxes.T
    found = np.zeros(len(left), np.bool_)
    for x, width, line in zip(left[places], broad[places], table.lines[places], strict=True):
        found |= (left < x + width) & (left + broad > x) | (table.lines == line)
    return found


def _is_aligned(place: int, table: _Table) -> bool:
    """Whether a word stands in a row or a column of numbers."""
    x, y, width, tall = table.boxes[place]
    numbers = np.flatnonzero(table.numbers)
    high = table.boxes[numbers, 3]
    numbers = numbers[(high <= _ALIKE * tall) & (tall <= _ALIKE * high)]
    left, top, broad, high = table.boxes[numbers].T
    in_line = table.lines[numbers] == table.lines[place]
    in_column = (left < x + width) & (left + broad > x) & ~in_line
    if in_line.any() and not table.letters[table.lines == table.lines[place]].any():
        return True
    if not in_column.any() or _is_head_of_table(table.lines[place], table):
        return False
    others = table.boxes[table.letters & (table.lines != table.lines[place])]
    others = others[(others[:, 0] < x + width) & (others[:, 0] + others[:, 2] > x)]
    above = others[:, 1] < y
    ceiling = max([y - _BELOW * tall, *others[above, 1:4:2].sum(1)])
    floor = min([y + tall + _BELOW * tall, *others[~above, 1]])
    near = np.where(top < y, top + high >= ceiling, top <= floor)
    return bool((near & in_column).any())


def _is_head_of_table(line: int, table: _Table) -> bool:
    """Whether letters in a line stand in columns of numbers themselves, as those above a table or a calendar do."""
    in_line = table.lines == line
    left, _, broad, _ = table.boxes[table.numbers & ~in_line].T
    letters = table.boxes[table.letters & in_line]
    starts, ends = letters[:, [0]], letters[:, [0]] + letters[:, [2]]
    return bool(((left < ends) & (left + broad > starts)).any())


def _is_head(place: int, table: _Table, values: Sequence[tuple[int, ...]]) -> bool:
    """Whether a word stands in a column at the heads of lines, not all of it of one value. values: of all words."""
    if not table.heads[place] or len(values[place]) > _LONGEST:
        return False
    x, _, width, tall = table.boxes[place]
    left, _, broad, high = table.boxes.T
    column = table.heads & (left < x + width) & (left + broad > x) & (high <= _ALIKE * tall) & (tall <= _ALIKE * high)
    count = int(column.sum())
    lines = int((table.begin & (left < x + width)).sum())
    several = len({values[other] for other in np.flatnonzero(column).tolist()}) > 1
    return count >= _HEADS and count >= _SHARE * lines and several


def _may_be_number(word: ReadWord) -> bool:
    """Whether all that is tall in a word was read as digits, half of them likely. That of ``B.`` may be an 8."""
    digits = word.digits or word.doubted
    is_enumerator = len(word.parts) == 1 and bool(word.signs)
    return bool(digits) and not is_enumerator and len(digits) == word.tall


__all__ = ["aligned"]
