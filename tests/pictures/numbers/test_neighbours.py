"""What is counted once for all words of a page is what each of them would count for itself, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, without_text
from digit_recognizer.pictures.numbers.doubts import PART, with_doubts
from digit_recognizer.pictures.numbers.neighbours import neighbours_of, places_by_line
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import around
from tests.pictures.numbers.test_context import letters, lone_digit, lone_letter, number


def some_words(rng: np.random.Generator, count: int, lines: int) -> list[ReadWord]:
    """Numbers, sure or not, words of letters and lone marks, as they come on a page of that many lines."""
    found = []
    for place in range(count):
        line, kind, is_pointed = int(rng.integers(lines)), int(rng.integers(5)), bool(rng.integers(2))
        if kind == 0:
            word = letters(int(rng.integers(1, 6)), line)
        elif kind == 1:
            word = lone_letter(line, int(rng.integers(40)), pointed=is_pointed)
        elif kind == 2:
            word = lone_digit(int(rng.integers(10)), line, int(rng.integers(40)), pointed=is_pointed)
        else:
            word = number(
                "".join(map(str, rng.integers(0, 10, 1 + place % 4))), line, tallest=float(rng.integers(18, 26))
            )
        if kind == 4:
            word = replace(word, letters=int(rng.integers(2)), digits=word.digits[: int(rng.integers(2))])
        found.append(replace(word, height=float(rng.choice([9, 11, 20, 24, 36, 80]))))
    return found


def company(
    words: Sequence[ReadWord], line: int, lowest: float, tallest: float, elsewhere: float
) -> tuple[float, float]:
    """As the method of that name: word by word."""
    many = sure = 0.0
    for other in words:
        if lowest <= other.height <= tallest:
            counts = 1.0 if other.line == line else elsewhere
            many += counts * other.letters
            if not other.letters and all(digit.accepted for digit in other.digits):
                sure += counts * other.familiar * bool(other.digits)
    return many, sure


@pytest.mark.parametrize("seed", range(20))
def test_the_company_of_a_word_its_row_and_its_column_are_those_of_a_plain_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = some_words(rng, int(rng.integers(60)), int(rng.integers(1, 6)))
    found = neighbours_of(words)
    for word in words:
        row = [other for other in words if other.line == word.line]
        near = (word.line, 0.55 * word.height, 1.8 * word.height, 0.8)
        assert found.company(*near) == company(words, *near)
        assert found.in_line[word.line] == len(row)
        lone = sum(other.letters == 1 and len(other.parts) <= 1 for other in row)
        assert found.row(word.line) == (lone, sum(bool(other.digits) for other in row))
        assert (word.line in found.with_letters) == any(other.letters and not other.beside for other in row)
    for x in range(0, 560, 40):
        column = [
            other
            for other in words
            if len(other.parts) == 1 and other.signs and abs(box_of(other.parts[0])[0] - x) <= 20.0
        ]
        lone = sum(other.letters == 1 for other in column)
        assert found.column(x, 20.0) == (lone, sum(bool(other.digits) for other in column))
    assert found.row(99) == (0, 0)


def test_a_number_is_unsure_beside_what_was_left_out_in_its_line() -> None:
    rng = np.random.default_rng(0)
    told = []
    for _ in range(20):
        words = []
        for word in some_words(rng, 40, 3):
            by = 14 * int(rng.integers(60))
            moved = tuple(replace(one, box=(one.box[0] + by, *one.box[1:])) for one in word.digits)
            words.append(replace(word, digits=moved))
        found = with_doubts(without_text(words))
        left_out = [
            (one.line, around(other.box for other in one.rejected))
            for one in found
            if not one.digits and any(other.reason == AMONG_LETTERS for other in one.rejected)
        ]
        for word, after in zip(words, found, strict=True):
            if after.digits and all(one.accepted for one in word.digits):
                x, _, width, _ = around(one.box for one in word.digits)
                near = [
                    box
                    for line, box in left_out
                    if line == word.line and max(box[0] - x - width, x - box[0] - box[2]) <= word.height
                ]
                told.append(PART in [one.reason for one in after.rejected])
                assert told[-1] == bool(near)
    assert 10 < sum(told) < len(told) - 10


def test_words_are_found_by_their_lines_in_order() -> None:
    words = [letters(1, line) for line in (2, 0, 2, 1)]
    found = places_by_line(words)
    assert list(found) == [0, 1, 2]
    assert found == {0: [1], 1: [3], 2: [0, 2]}
