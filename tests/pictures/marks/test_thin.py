"""Large digits in thin strokes: given back where a network knows them in a broader pen."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.thin import with_thin
from digit_recognizer.pictures.paper import PageInk

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def sees_broad_strokes(grey: Grey) -> npt.NDArray[np.float32]:
    """A network that takes what is thinner than three pixels for no stroke."""
    ink = (grey < 180).astype(np.uint8)
    return cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.float32)


def sees_nothing(grey: Grey) -> npt.NDArray[np.float32]:
    return np.zeros(grey.shape, np.float32)


def seven(left: int, tall: int = 210, top: int = 40) -> list[tuple[int, int]]:
    return [(left, top), (left + tall // 2, top), (left + tall // 5, top + tall)]


def page(*strokes: list[tuple[int, int]], pen: int = 3) -> tuple[PageInk, npt.NDArray[np.float32]]:
    drawn = np.zeros((300, 500), np.uint8)
    cv2.polylines(drawn, [np.array(stroke) for stroke in strokes], False, 255, pen)
    mask = drawn > 0
    return PageInk(drawn, mask, float(pen)), np.where(mask, np.float32(110), np.float32(0))


def bits(everything: PageInk) -> PageInk:
    """What is seen of it: every other twenty rows."""
    seen = everything.mask & (np.arange(300) // 20 % 2 == 0)[:, None]
    return PageInk(np.where(seen, everything.strength, 0).astype(np.uint8), seen, everything.thickness)


@pytest.mark.parametrize("pen", [2, 3, 6])
@pytest.mark.parametrize("is_seen", [True, False])
def test_large_thin_digits_are_given_back_whole(pen: int, is_seen: bool) -> None:
    everything, depth = page(seven(60), seven(280), pen=pen)
    found = with_thin(bits(everything) if is_seen else None, everything, depth, sees_broad_strokes)
    assert found is not None
    assert (found.mask == everything.mask).all()


def test_what_is_no_ink_in_a_broad_pen_either_is_not() -> None:
    everything, depth = page(seven(60), seven(280))
    seen = bits(everything)
    assert with_thin(seen, everything, depth, sees_nothing) is seen
    assert with_thin(None, everything, depth, sees_nothing) is None


def test_a_mark_beside_a_known_one_is_known_and_one_elsewhere_is_not() -> None:
    everything, depth = page(seven(60, 100, 10), seven(280, 100, 10), seven(60, 100, 170))

    def sees_the_first(grey: Grey) -> npt.NDArray[np.float32]:
        found = sees_broad_strokes(grey)
        found[:, len(found[0]) // 2 :] = found[len(found) // 2 :] = 0
        return found

    found = with_thin(None, everything, depth, sees_the_first)
    assert found is not None
    assert (found.mask[:150] == everything.mask[:150]).all()
    assert not found.mask[160:].any()


@pytest.mark.parametrize(
    "stroke",
    [
        [(200, 0), (180, 299)],  # a crease, from edge to edge
        [(60, 40), (380, 40), (380, 200)],  # broader than a digit
        seven(60, 70),  # not large
    ],
)
def test_the_network_is_not_asked_about_what_is_no_large_digit(stroke: list[tuple[int, int]]) -> None:
    everything, depth = page(stroke)

    def ask(grey: Grey) -> npt.NDArray[np.float32]:
        raise AssertionError("asked")

    seen = bits(everything)
    assert with_thin(seen, everything, depth, ask) is seen


def test_strokes_as_thick_as_most_and_marks_that_are_seen_are_not_asked_about() -> None:
    everything, depth = page(seven(60), seven(280), pen=24)
    assert with_thin(None, everything, depth, sees_broad_strokes) is None
    everything, depth = page(seven(60), seven(280))
    assert with_thin(everything, everything, depth, sees_nothing) is everything


def test_squares_and_tables_are_no_large_digits() -> None:
    squares = [[(x, 40), (x, 240)] for x in range(60, 261, 40)] + [[(60, y), (260, y)] for y in range(40, 241, 40)]
    everything, depth = page(*squares)
    assert with_thin(None, everything, depth, sees_broad_strokes) is None
    box = [(60, 40), (260, 40), (260, 240), (60, 240), (60, 40)]
    numbers = [[(x, y), (x + 10, y), (x, y + 20)] for x in (100, 180) for y in (80, 160)]
    everything, depth = page(box, *numbers)
    assert with_thin(None, everything, depth, sees_broad_strokes) is None
    everything, depth = page(box)
    assert with_thin(None, everything, depth, sees_broad_strokes) is not None
