"""In a line of very many marks, signs and ticks are the ones that a plain look at each mark beside each gives."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.pictures.marks.lines import Boxes
from digit_recognizer.pictures.words.signs import COMMA, MINUS, NO_SIGN, POINT, find_signs
from digit_recognizer.pictures.words.ticks import find_ticks
from digit_recognizer.pictures.words.words import _points

HEIGHT = 20.0


def some_boxes(rng: np.random.Generator, count: int) -> tuple[Boxes, list[int]]:
    """Digits, points, commas, dashes and ticks, here and there above each other; and a line of most of them."""
    sizes = np.array([(10, 20), (2, 20), (3, 3), (3, 7), (12, 3), (2, 8), (1, 4), (12, 12)])
    found = np.zeros((count, 4), np.int64)
    found[:, 2:] = sizes[rng.integers(len(sizes), size=count)] + rng.integers(0, 2, (count, 2))
    found[:, 0] = np.cumsum(rng.integers(-2, 14, count))
    found[:, 1] = np.where(rng.random(count) < 0.7, 20, rng.integers(8, 24, count)) - found[:, 3]
    line = [mark for mark in range(count) if rng.random() < 0.9]
    return found, sorted(line, key=lambda mark: int(found[mark, 0]))


def nearest(boxes: Boxes, tall: list[int], mark: int) -> int:
    x, _, width, _ = (float(side) for side in boxes[mark])
    return min(tall, key=lambda other: abs(boxes[other, 0] + boxes[other, 2] / 2 - x - width / 2))


def plain_signs(boxes: Boxes, line: list[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    tall = [mark for mark in line if boxes[mark, 3] > 0.6 * HEIGHT]
    for place, mark in enumerate(line):
        x, y, width, tallness = (float(side) for side in boxes[mark])
        if mark in tall or not tall:
            continue
        near = nearest(boxes, tall, mark)
        top, foot = float(boxes[near, 1]), float(boxes[near, 1] + boxes[near, 3])
        middle = (y + tallness / 2 - top) / max(1.0, foot - top)
        hangs = y + tallness >= foot + 0.14 * HEIGHT and middle >= 0.7
        if tallness > (0.6 if hangs else 0.42) * HEIGHT:
            continue
        after = next((other for other in line[place + 1 :] if other in tall), None)
        before = next((other for other in reversed(line[:place]) if other in tall), None)
        if width >= 1.6 * tallness and 0.15 <= width / HEIGHT <= 0.9:
            close = after is not None and boxes[after, 0] - x - width <= 1.1 * HEIGHT
            alone = before is None or x - boxes[before, 0] - boxes[before, 2] > 0.4 * HEIGHT
            if close and alone and 0.25 <= middle <= 0.8:
                found[mark] = MINUS
        elif width <= 0.4 * HEIGHT and middle >= 0.7 and before is not None and after is None:
            found[mark] = NO_SIGN
        elif width <= 0.4 * HEIGHT and middle >= 0.7 and before is not None:
            long = y + tallness > foot + 0.14 * HEIGHT or tallness > 1.7 * width
            found[mark] = COMMA if long else POINT
    return found


def plain_ticks(boxes: Boxes, line: list[int]) -> set[int]:
    tall = [mark for mark in line if boxes[mark, 3] >= 0.6 * HEIGHT]
    found = []
    for mark in line:
        x, y, width, tallness = (float(side) for side in boxes[mark])
        if not tall or tallness > 0.5 * HEIGHT or width > 0.2 * HEIGHT or tallness < 1.6 * width:
            continue
        near = nearest(boxes, tall, mark)
        if y + tallness < boxes[near, 1] + boxes[near, 3] - 0.15 * HEIGHT:
            continue
        if all(
            min(x + width, boxes[other, 0] + boxes[other, 2]) - max(x, boxes[other, 0]) <= width / 2 for other in tall
        ):
            found.append(mark)
    tallest = max((boxes[mark, 3] for mark in found), default=0)
    alike = {mark for mark in found if 1.6 * boxes[mark, 3] >= tallest}
    return alike if len(alike) >= 2 else set()


def plain_points(boxes: Boxes, line: list[int], signs: dict[int, str]) -> dict[int, str]:
    def is_clear(mark: int) -> bool:
        x, width = boxes[mark, 0], boxes[mark, 2]
        foot = boxes[mark, 1] + boxes[mark, 3]
        for other in (boxes[other] for other in line if other != mark):
            is_lower_than_whole = other[3] >= 0.9 * HEIGHT and foot >= other[1] + other[3] + 0.1 * HEIGHT
            shared = min(other[0] + other[2], x + width) - max(other[0], x)
            if shared > 0.6 * width and not is_lower_than_whole:
                return False
        return True

    return {mark: NO_SIGN for mark, sign in signs.items() if sign != MINUS and is_clear(mark)}


@pytest.mark.parametrize("count", [0, 1, 2, 5, 12, 40])
def test_signs_points_and_ticks_are_those_of_a_plain_look_at_every_mark(count: int) -> None:
    rng = np.random.default_rng(count)
    kinds, ticks, points = set(), 0, 0
    for _ in range(100):
        boxes, line = some_boxes(rng, count)
        signs = find_signs(boxes, line, HEIGHT)
        assert list(signs.items()) == list(plain_signs(boxes, line).items())
        assert _points(boxes, line, signs, HEIGHT) == plain_points(boxes, line, signs)
        assert find_ticks(boxes, line, HEIGHT) == plain_ticks(boxes, line)
        kinds |= set(signs.values())
        ticks += len(find_ticks(boxes, line, HEIGHT))
        points += len(_points(boxes, line, signs, HEIGHT))
    if count == 40:
        assert kinds == {POINT, COMMA, MINUS, NO_SIGN}
        assert min(ticks, points) > 20
