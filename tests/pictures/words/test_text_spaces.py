"""In printed text the spaces between words are wider than the gaps between letters; elsewhere nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digit_recognizer.pictures.words.text_spaces import text_spaces
from digit_recognizer.pictures.words.within import Part
from tests.pictures.numbers.test_context import digit


def line(text: str, gap: int = 2, space: int = 8, feet: tuple[int, ...] = (0,)) -> list[Part]:
    """A line's parts, 20 pixels tall: x is a letter, | a space. feet: by how much each hangs, in turn."""
    parts: list[Part] = []
    left = 0
    for place, letter in enumerate(text):
        if letter == "|":
            left += space - gap
            continue
        box = (left, feet[place % len(feet)], 10, 20)
        parts.append(box if letter == "x" else replace(digit(int(letter)), box=box))
        left += 10 + gap
    return parts


def test_words_are_parted_from_numbers_and_from_each_other() -> None:
    assert text_spaces([line("xxx|45|xx|7")], 20.0) == [[38.0, 68.0, 98.0]]


def test_words_that_stand_apart_already_tell_how_wide_a_space_is() -> None:
    second = [replace(part, box=(100, *part.box[1:])) if not isinstance(part, tuple) else part for part in line("3")]
    assert text_spaces([line("xxxx45xx"), second], 20.0) == [[], []]


@pytest.mark.parametrize(
    "parts",
    [
        line("45|23|72|38|94"),  # no letters
        line("xx|45"),  # too few marks
        line("xxxx45xxx"),  # no space
        line("xxx|45|xx|7", gap=7),  # all gaps alike
        line("xxx|45|xx|7", feet=(0, 6, 2, 9)),  # by hand
    ],
)
def test_elsewhere_nobody_can_tell(parts: list[Part]) -> None:
    assert text_spaces([parts], 20.0) is None


@pytest.mark.parametrize(("inner", "is_cut"), [(6, False), (8, True)])
def test_between_digits_a_space_is_as_wide_as_beside_letters(inner: int, is_cut: bool) -> None:
    parts = line("xxx|xxx|42")
    first, second = parts[-2:]
    x = parts[-2].box[0] if not isinstance(first, tuple) else 0
    assert not isinstance(second, tuple)
    parts[-1] = replace(second, box=(x + 10 + inner, *second.box[1:]))
    assert text_spaces([parts], 20.0) == [[38.0, 80.0, *([x + 10 + inner / 2] if is_cut else [])]]


def test_a_one_takes_as_much_room_as_other_digits() -> None:
    narrow: list[Part] = [(0, 0, 10, 20), (12, 0, 10, 20), (24, 0, 10, 20)]
    ones = [replace(digit(1), box=(44 + 12 * place, 0, 3, 20)) for place in range(4)]
    assert text_spaces([[*narrow, *ones, (93, 0, 10, 20), (105, 0, 10, 20)]], 20.0) == [[39.0, 88.0]]
