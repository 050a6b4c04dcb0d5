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


def spaces_in(words: list[list[Part]]) -> list[list[float]]:
    found = text_spaces(words, 20.0)
    assert found is not None
    return [spaces.middles for spaces in found]


def test_words_are_parted_from_numbers_and_from_each_other() -> None:
    assert spaces_in([line("xxx|45|xx|7")]) == [[38.0, 68.0, 98.0]]


def test_words_that_stand_apart_already_tell_how_wide_a_space_is() -> None:
    second = [replace(part, box=(100, *part.box[1:])) if not isinstance(part, tuple) else part for part in line("3")]
    assert spaces_in([line("xxxx45xx"), second]) == [[], []]


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
    assert spaces_in([parts]) == [[38.0, 80.0, *([x + 10 + inner / 2] if is_cut else [])]]


def test_a_one_takes_as_much_room_as_other_digits() -> None:
    narrow: list[Part] = [(0, 0, 10, 20), (12, 0, 10, 20), (24, 0, 10, 20)]
    ones = [replace(digit(1), box=(44 + 12 * place, 0, 3, 20)) for place in range(4)]
    assert spaces_in([[*narrow, *ones, (93, 0, 10, 20), (105, 0, 10, 20)]]) == [[39.0, 88.0]]


def test_a_number_by_hand_is_not_cut_where_its_gaps_are_as_wide_as_its_labels_spaces() -> None:
    printed = line("xxx|xxx|4|2")
    by_hand = [
        replace(part, box=(part.box[0], 4 * place, 10, 20)) if not isinstance(part, tuple) else part
        for place, part in enumerate(printed, -6)
    ]
    found = text_spaces([printed], 20.0), text_spaces([by_hand], 20.0)
    assert [some and some[0].middles for some in found] == [[38.0, 80.0, 98.0], [38.0, 80.0]]
    assert [len(some[0].printed) for some in found if some] == [2, 0]


def test_one_gap_that_is_wider_than_all_does_not_hide_the_spaces() -> None:
    shifted = [
        (x + 200, y, width, tall) for x, y, width, tall in (part for part in line("xx|xx") if isinstance(part, tuple))
    ]
    assert spaces_in([[*line("xxx|45|xx"), *shifted]]) == [[38.0, 68.0, 147.0, 226.0]]
