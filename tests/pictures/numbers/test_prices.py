"""A value without its point, and a part of a price, are read and not accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.numbers.doubts import with_doubts
from digit_recognizer.pictures.numbers.prices import POINT_LEFT_OUT
from tests.pictures.numbers.test_context import number
from tests.pictures.numbers.test_doubts import stood_by


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
