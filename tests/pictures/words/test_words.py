"""The words of a line: each is measured by its own digits where these are of another size than the line's."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.words.words import uncut_words


def test_small_print_and_tall_digits_in_one_line_have_heights_of_their_own() -> None:
    print_boxes = [(14 * place, 24, 10, 18) for place in range(5)]
    digit_boxes = [(140 + 30 * place, 2, 22, 40) for place in range(3)]
    boxes = np.array(print_boxes + digit_boxes, np.int64)
    labels = np.zeros((50, 240), np.int32)
    for number, (x, y, width, height) in enumerate(boxes.tolist(), 1):
        labels[y : y + height, x : x + width] = number
    fields = [[0] * len(boxes)]
    words = list(uncut_words(labels, boxes, [list(range(len(boxes)))], fields, Expectation()))
    assert [(len(word.marks), word.height) for word in words] == [(5, 18.0), (3, 40.0)]
