"""Numbers that may be a part of another, or stand beside a letter or a number left out, are read and not accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.context import AMONG_LETTERS, BESIDE_LETTER, without_text
from digit_recognizer.pictures.numbers.doubts import LEFT_OUT, PART, with_doubts
from digit_recognizer.pictures.numbers.judged import judged
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around
from tests.pictures.numbers.test_context import digit, letters, number
from tests.pictures.words.test_within import line


def stood_by(words: Sequence[ReadWord]) -> list[ReadWord]:
    return with_doubts(without_text(words))


@pytest.mark.parametrize(("gap", "accepted"), [(10, False), (60, True)])
def test_a_number_whose_rest_may_have_been_left_out_among_letters_is_unsure(gap: int, accepted: bool) -> None:
    first, rest = number("47"), number("50", heights=(14, 14))
    moved = tuple(replace(one, box=(24 + gap + one.box[0], *one.box[1:])) for one in rest.digits)
    found = stood_by([letters(7), first, replace(rest, digits=moved), letters(5)])
    assert [one.text for one in found[1:3]] == ["47", ""]
    assert all(one.accepted is accepted for one in found[1].digits)
    assert [one.reason for one in found[1].rejected] == ([] if accepted else [PART])


def unread(*parts: PlacedReading | Box, line: int = 0) -> ReadWord:
    """A word of which nothing was read."""
    whole = Rejected(around(box_of(part) for part in parts), NOT_A_DIGIT)
    return ReadWord(line, 20.0, "", (), (whole,), 3, 0, 20.0, parts)


def test_a_number_right_after_digits_that_were_not_read_may_be_half_of_it() -> None:
    word = replace(number("4711"), digits=tuple(digit(int(one), 6 + at) for at, one in enumerate("4711")))
    code = unread((16, 0, 10, 20), digit(3, 2), digit(8, 3), digit(9, 4))
    assert [one.reason for one in stood_by([code, word])[-1].digits] == [PART] * 4
    for other in (
        unread((0, 0, 10, 20), digit(3, 3), (60, 6, 8, 14)),
        unread((0, 0, 10, 20), digit(3, 3, 14), digit(8, 4, 14)),
    ):
        assert all(one.accepted for one in stood_by([other, word])[-1].digits)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [("xx 4711 xx", True), ("xx 4711 xx xx338", True), ("xx338 4711 xx", False), ("xx 4711 339xx", False)],
)
def test_a_number_between_words_is_whole_unless_digits_right_beside_it_were_not_read(text: str, accepted: bool) -> None:
    parts = tuple(line(text, space=14))
    found = stood_by([ReadWord(0, 20.0, "", (), (), 4, 4, 20.0, parts)])
    assert [(word.text, all(one.accepted for one in word.digits)) for word in found if "4711" in word.text] == [
        ("4711", accepted)
    ]


@pytest.mark.parametrize(("x", "accepted"), [(54, False), (72, True)])
def test_a_number_is_whole_where_nothing_tall_touches_it(x: int, accepted: bool) -> None:
    touching = unread((x, 2, 9, 18))
    kept = stood_by([number("4711"), touching])[0]
    assert [one.reason for one in kept.digits] == [None if accepted else PART] * 4


@pytest.mark.parametrize(("places", "letter"), [((0, 2, 3, 4), (14, 0, 10, 20)), ((0, 1, 2, 3), (55, 0, 10, 20))])
def test_a_letter_in_or_at_a_number_leaves_it_unsure(places: tuple[int, ...], letter: Box) -> None:
    digits = tuple(digit(int(one), at) for at, one in zip(places, "4711", strict=True))
    parts = tuple(sorted((*digits, letter), key=lambda part: box_of(part)[0]))
    word = judged(ReadWord(0, 20.0, "", digits, (), 1, 4, 20.0, parts), [letter], (), parse_expectation())
    words = [unread((0, 60, 10, 20), line=1), word]
    read = stood_by(words)[1]
    assert read.text == "4711"
    assert [one.reason for one in read.digits] == [BESIDE_LETTER] * 4


@pytest.mark.parametrize(("left_out", "accepted"), [("1652", False), ("88", False), ("1", True)])
def test_a_number_is_unsure_in_whose_line_another_was_left_out_among_letters(left_out: str, accepted: bool) -> None:
    other = number(left_out)
    parts = tuple(replace(one, accepted=place > 0 or accepted) for place, one in enumerate(other.digits))
    parts = other.digits if left_out == "88" else parts
    whole = Rejected(around(part.box for part in parts), AMONG_LETTERS)
    far = replace(number("96"), digits=tuple(moved(one, 300) for one in number("96").digits))
    other = replace(other, text="", digits=(), parts=parts, rejected=(whole,))
    elsewhere = number("43", 1)
    found = with_doubts([other, far, elsewhere])
    assert all(one.accepted is accepted for one in found[1].digits)
    assert [one.reason for one in found[1].rejected] == ([] if accepted else [LEFT_OUT])
    assert found[2] == elsewhere


@pytest.mark.parametrize(("gap", "height", "accepted"), [(10, 20, False), (3, 20, True), (10, 14, True)])
def test_so_is_one_beside_a_word_that_ends_in_a_number(gap: int, height: int, accepted: bool) -> None:
    """Not where that digit stands no farther off than letters do, or is as low as small letters are."""
    letter, last = (0, 0, 10, 20), moved(digit(8, 1, height), gap - 4)
    word = replace(letters(1), parts=(letter, last), rejected=(Rejected((0, 0, 40, 20), NOT_A_DIGIT),))
    far = replace(number("96"), digits=tuple(moved(one, 300) for one in number("96").digits))
    found = with_doubts([word, far])
    assert all(one.accepted is accepted for one in found[1].digits)


def test_a_letter_within_the_box_of_a_digit_is_nothing_that_it_stands_apart_from() -> None:
    word = replace(letters(1), parts=((2, 0, 3, 20), digit(8)), rejected=(Rejected((0, 0, 10, 20), NOT_A_DIGIT),))
    far = replace(number("96"), digits=tuple(moved(one, 300) for one in number("96").digits))
    assert with_doubts([word, far]) == [word, far]


def moved(one: PlacedReading, right: int) -> PlacedReading:
    return replace(one, box=(one.box[0] + right, *one.box[1:]))


def test_a_number_is_unsure_beside_what_may_be_another_one_that_was_not_read() -> None:
    first, other = number("47"), number("11")
    strokes = tuple(
        replace(one, confidence=0.4, accepted=False, box=(80 + one.box[0], *one.box[1:])) for one in other.digits
    )
    torn = judged(replace(other, digits=strokes, parts=strokes, text=""), [], [], parse_expectation())
    torn = replace(torn, doubted=())  # too little of it is likely
    page = [letters(9, 1), letters(9, 2), first, torn]
    assert [one.reason for one in stood_by(page)[2].rejected] == [LEFT_OUT]
    low = tuple(replace(one, box=(*one.box[:3], 12)) for one in strokes)
    assert stood_by([*page[:3], replace(torn, parts=low)])[2] == first
    assert stood_by([letters(9), *page[:3], torn])[3] == first
