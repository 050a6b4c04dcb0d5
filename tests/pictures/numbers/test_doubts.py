"""Numbers that may be another, or none, are read and not accepted: halves, values without their points, bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.numbers.context import (
    AMONG_LETTERS,
    BESIDE_LETTER,
    judged,
    without_text,
)
from digit_recognizer.pictures.numbers.doubts import (
    BARS,
    LEFT_OUT,
    MAYBE_RING,
    PART,
    POINT_LEFT_OUT,
    STROKES,
    with_doubts,
)
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.words.within import box_of
from digit_recognizer.reading import NOT_A_DIGIT, Box, PlacedReading, Rejected, around
from tests.pictures.numbers.test_context import digit, letters, number
from tests.pictures.words.test_within import line


def stood_by(words: Sequence[ReadWord]) -> list[ReadWord]:
    return with_doubts(without_text(words))


@pytest.mark.parametrize("words", [[number("1"), number("1", 1)], [number("11111")], [number("11"), number("1", 2)]])
def test_bars_alone_are_not_accepted(words: list[ReadWord]) -> None:
    for before, after in zip(words, stood_by(words), strict=True):
        assert after.text == before.text
        assert not any(digit.accepted for digit in after.digits)
        assert [rejected.reason for rejected in after.rejected] == [BARS]


@pytest.mark.parametrize("words", [[number("1")], [number("111")], [number("1"), number("12", 1)]])
def test_ones_that_stand_for_themselves_or_beside_other_digits_are(words: list[ReadWord]) -> None:
    assert stood_by(words) == words


def test_an_unsure_digit_among_bars_does_not_tell_them_from_bars() -> None:
    unsure = number("8", 1)
    words = [number("111"), number("1", 2), replace(unsure, digits=(replace(unsure.digits[0], accepted=False),))]
    assert not any(digit.accepted for word in stood_by(words) for digit in word.digits)


@pytest.mark.parametrize(("sure", "accepted"), [("4", False), ("42", True)])
def test_hatching_may_look_like_another_digit_once_in_twenty(sure: str, accepted: bool) -> None:
    words = stood_by([*(number("1111", line) for line in range(5)), number(sure, 5)])
    assert {one.accepted for word in words for one in word.digits} == {accepted}


@pytest.mark.parametrize(("gap", "accepted"), [(10, False), (60, True)])
def test_a_number_whose_rest_may_have_been_left_out_among_letters_is_unsure(gap: int, accepted: bool) -> None:
    first, rest = number("47"), number("50", heights=(14, 14))
    moved = tuple(replace(one, box=(24 + gap + one.box[0], *one.box[1:])) for one in rest.digits)
    found = stood_by([letters(7), first, replace(rest, digits=moved), letters(5)])
    assert [one.text for one in found[1:3]] == ["47", ""]
    assert all(one.accepted is accepted for one in found[1].digits)
    assert [one.reason for one in found[1].rejected] == ([] if accepted else [PART])


def test_the_marks_of_a_ruler_are_not_accepted_beside_its_numbers() -> None:
    bars, numbers = stood_by([number("1111111"), number("2345", 1)])
    assert not any(one.accepted for one in bars.digits)
    assert [rejected.reason for rejected in bars.rejected] == [BARS]
    assert all(one.accepted for one in numbers.digits)


@pytest.mark.parametrize(
    ("text", "places", "accepted"),
    [("1999", (26.0,), False), ("1234", (12.0,), True), ("0500", (12.0,), False), ("199", (60.0,), True)],
)
def test_a_number_is_not_accepted_without_a_point_that_changes_its_value(
    text: str, places: tuple[float, ...], accepted: bool
) -> None:
    word = replace(number(text), signs=tuple((place, "") for place in places))
    (kept,) = stood_by([word])
    assert [one.accepted for one in kept.digits] == [accepted] * len(text)
    assert {one.reason for one in kept.digits} == {None if accepted else POINT_LEFT_OUT}
    assert [one.reason for one in kept.rejected] == ([] if accepted else [POINT_LEFT_OUT])


@pytest.mark.parametrize(
    ("texts", "accepted"),
    [
        (["12", "34"], False),
        (["1", "299", "00"], False),
        (["1299", "00"], False),
        (["26", "618.97"], False),
        (["12", "345"], True),
        (["7", "12", "34"], True),  # a list
        (["1299", "345", "00"], True),
    ],
)
def test_a_price_that_a_space_was_read_into_is_not_accepted(texts: list[str], accepted: bool) -> None:
    words, x = [], 0
    for text in texts:
        found = number(text.replace(".", ""))
        digits = tuple(replace(one, box=(x + one.box[0], *one.box[1:])) for one in found.digits)
        within = ((digits[text.index(".")].box[0] - 1.0, ""),) if "." in text else ()
        x = digits[-1].box[0] + digits[-1].box[2] + 16
        words.append(replace(found, digits=digits, parts=digits, signs=(*within, (x - 14.0, ""))))
    words[-1] = replace(words[-1], signs=words[-1].signs[:-1])
    assert {one.accepted for word in with_doubts(words) for one in word.digits} == {accepted}
    apart = [replace(word, signs=()) for word in words]
    assert with_doubts(apart) == apart


@pytest.mark.parametrize(
    ("text", "width", "accepted"), [("0", 26, False), ("0", 22, True), ("8", 26, True), ("10", 26, True)]
)
def test_a_lone_0_as_broad_as_a_ring_is_not_accepted(text: str, width: int, accepted: bool) -> None:
    word = number(text)
    broad = tuple(replace(one, box=(one.box[0], 0, width, 20)) for one in word.digits)
    (found,) = with_doubts([replace(word, digits=broad, parts=broad)])
    assert {one.accepted for one in found.digits} == {accepted}
    assert [one.reason for one in found.rejected] == [MAYBE_RING] * (not accepted)


@pytest.mark.parametrize(
    ("texts", "heights", "accepted"),
    [
        (["7740", "111"], (54, 46, 54), [True, False]),  # l, i, l
        (["7740", "1"], (54,), [True, False]),
        (["7740 11"], (54, 54), [False]),
        (["11 7740"], (50, 46), [False]),
        (["774011"], (54, 54), [True]),  # by hand
        (["7740", "111"], (50, 51, 49), [True, True]),
        (["74", "1"], (54,), [True, True]),  # of two nobody knows how tall others are
    ],
)
def test_1s_of_another_height_than_their_lines_digits_may_be_letters(
    texts: list[str], heights: tuple[int, ...], accepted: list[bool]
) -> None:
    words: list[ReadWord] = []
    ones = list(heights)
    for text in texts:
        tall = tuple(ones.pop(0) if letter == "1" else 50 for letter in text if letter != " ")
        found = number(text.replace(" ", ""), heights=tall, tallest=54.0)
        after = text.find(" ") if " " in text else len(tall)
        boxes = [(box[0] + 20 * (place >= after), *box[1:]) for place, box in enumerate(d.box for d in found.digits)]
        digits = tuple(replace(digit, box=box) for digit, box in zip(found.digits, boxes, strict=True))
        words.append(replace(found, digits=digits))
    doubted = with_doubts(words)
    assert [{one.accepted for one in word.digits} for word in doubted] == [{kept} for kept in accepted]
    assert {one.reason for word in doubted for one in word.rejected} == ({STROKES} if False in accepted else set())


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


@pytest.mark.parametrize(("height", "count", "accepted"), [(12, 4, False), (12, 2, True), (19, 4, True)])
def test_bars_lower_than_the_numbers_of_a_scale_are_its_marks(height: int, count: int, accepted: bool) -> None:
    numbers = [number("10", 0), number("20", 1), number("35", 2), number("40", 3)]
    marks = [number("1", 4 + place, (height,)) for place in range(count)]
    read = stood_by([*numbers, *marks])
    assert all(one.accepted for word in read[:4] for one in word.digits)
    assert {one.reason for word in read[4:] for one in word.digits} == {None if accepted else BARS}


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
