"""B, I, N, G and O above the columns of a bingo card: what of them is read as a digit is not accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.numbers.context import AMONG_LETTERS
from digit_recognizer.pictures.numbers.heads import heads_refused
from digit_recognizer.pictures.numbers.read_word import ReadWord
from tests.pictures.numbers.test_context import number


def head(row: str, apart: int, line: int = 0) -> list[ReadWord]:
    """Marks of a line, each a word, 10 pixels broad and 20 tall, so far apart; letters are not read."""
    words = []
    for place, letter in enumerate(row):
        box = (place * (10 + apart), 0, 10, 20)
        if letter.isdigit():
            word = number(letter, line)
            digits = tuple(replace(one, box=box) for one in word.digits)
            words.append(replace(word, digits=digits, parts=digits))
        else:
            words.append(ReadWord(line, 20.0, "", (), (), 1, 0, 20.0, (box,)))
    return words


@pytest.mark.parametrize("row", ["BING0", "B1NG0", "8INGO"])
def test_a_digit_like_a_letter_in_a_row_of_lone_letters_is_not_accepted(row: str) -> None:
    words = [*head(row, 30), number("47", 1)]
    found = heads_refused(words)
    assert [one.text for one in found] == [one.text for one in words]
    assert {one.reason for word in found[:5] for one in word.digits} == {AMONG_LETTERS}
    assert all(one.accepted for one in found[5].digits)


@pytest.mark.parametrize(
    "words",
    [
        head("BING4", 30),  # hardly a letter
        head("Milk8", 3),  # a word
        head("ab81", 30),  # no more letters than digits
        [*head("xxx", 30), number("80")],  # a number
    ],
)
def test_other_digits_beside_letters_are(words: list[ReadWord]) -> None:
    assert heads_refused(words) == words
