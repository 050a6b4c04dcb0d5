"""1s and 0s that may be bars, letters or rings are read and not accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.numbers.doubts import with_doubts
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.numbers.strokes import BARS, MAYBE_RING, STROKES
from tests.pictures.numbers.test_context import number
from tests.pictures.numbers.test_doubts import stood_by


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


def test_the_marks_of_a_ruler_are_not_accepted_beside_its_numbers() -> None:
    bars, numbers = stood_by([number("1111111"), number("2345", 1)])
    assert not any(one.accepted for one in bars.digits)
    assert [rejected.reason for rejected in bars.rejected] == [BARS]
    assert all(one.accepted for one in numbers.digits)


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


@pytest.mark.parametrize(("height", "count", "accepted"), [(12, 4, False), (12, 2, True), (19, 4, True)])
def test_bars_lower_than_the_numbers_of_a_scale_are_its_marks(height: int, count: int, accepted: bool) -> None:
    numbers = [number("10", 0), number("20", 1), number("35", 2), number("40", 3)]
    marks = [number("1", 4 + place, (height,)) for place in range(count)]
    read = stood_by([*numbers, *marks])
    assert all(one.accepted for word in read[:4] for one in word.digits)
    assert {one.reason for word in read[4:] for one in word.digits} == {None if accepted else BARS}
