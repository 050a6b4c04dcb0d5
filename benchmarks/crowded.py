"""Pages crowded with words, marks or printed lines: how the time grows with their number.

    python benchmarks/crowded.py [--rounds 3]

Each page is twice as crowded as the one before, so in proportion to it the time doubles, and where each
is held against each it grows fourfold. Times are the best of the rounds, on one thread; the ratio is what to look at.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from common import print_heading, print_table
from digit_recognizer.pictures.marks.rules import without_lines
from digit_recognizer.pictures.numbers.assembled import page_of
from digit_recognizer.pictures.numbers.context import without_text
from digit_recognizer.pictures.numbers.doubts import with_doubts
from digit_recognizer.pictures.numbers.read_word import ReadWord
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.upright import view_of
from digit_recognizer.pictures.words.signs import find_signs
from digit_recognizer.pictures.words.ticks import find_ticks
from digit_recognizer.reading import PlacedReading
from digit_recognizer.recognizer import Recognizer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    print_heading("Crowded pages", ("numpy", "onnxruntime", "opencv-python-headless"), 1)
    rows = []
    for name, make, counts in (
        ("words of a page, held against each other", _words, (1000, 2000, 4000)),
        ("marks of a line: signs and ticks", _marks, (1250, 2500, 5000)),
        ("printed lines on 2400 x 3000 pixels", _lines, (75, 150, 300)),
        ("a page of specks, read", _specks, (350, 700, 1400)),
        ("lines of printed words and a number, read", _text, (6, 12, 24)),
    ):
        last = 0.0
        for count in counts:
            work = make(count)
            seconds = min(_seconds(work) for _ in range(given.rounds))
            rows.append((name, str(count), f"{seconds:.3f}", f"{seconds / last:.1f}" if last else "-"))
            last = seconds
    print_table(("what", "how many", "s", "times the one before"), rows)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _words(count: int) -> Callable[[], object]:
    """A third words of letters, the others numbers, four in each line."""
    words = []
    for place in range(count):
        line, column = divmod(place, 4)
        digits = tuple(_digit(1 + part, 200 * column + 14 * part, 30 * line) for part in range(3))
        is_number = place % 3 > 0
        words.append(
            ReadWord(line, 20.0, "123", digits, (), 0, 3, 20.0, digits)
            if is_number
            else ReadWord(line, 20.0, "", (), (), 4, 0, 20.0)
        )
    view = view_of(np.zeros((9, 9), np.uint8), 1.0, (9, 9))
    return lambda: page_of(with_doubts(without_text(words)), view, "")


def _digit(digit: int, x: int, y: int) -> PlacedReading:
    nothing = np.zeros(10, np.float32), np.zeros((28, 28), np.uint8)
    return PlacedReading(digit, 0.99, True, 0, 0.0, *nothing, box=(x, y, 10, 20))


def _marks(count: int) -> Callable[[], object]:
    sizes = np.array([(10, 20), (3, 3), (12, 3), (2, 8)])[np.arange(count) % 4]
    boxes = np.column_stack([14 * np.arange(count), 20 - sizes[:, 1], sizes]).astype(np.int64)
    line = list(range(count))
    return lambda: (find_signs(boxes, line, 20.0), find_ticks(boxes, line, 20.0))


def _lines(count: int) -> Callable[[], object]:
    mask = np.zeros((3000, 2400), np.bool_)
    mask[4 :: 3000 // count, 100:2300] = True
    ink = PageInk(mask * np.uint8(255), mask, 4.0)
    return lambda: without_lines(ink)


def _specks(count: int) -> Callable[[], object]:
    """Ellipses, 3 to 8 pixels tall, strewn over 700 x 900 pixels."""
    rng = np.random.default_rng(0)
    page = np.full((700, 900), 245, np.uint8)
    for _ in range(count):
        x, y = int(rng.integers(5, 895)), int(rng.integers(5, 695))
        axes = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        cv2.ellipse(page, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 50, -1, cv2.LINE_AA)
    return _reading(page)


def _text(count: int) -> Callable[[], object]:
    page = np.full((40 * count + 40, 1100), 255, np.uint8)
    for line in range(count):
        text = (
            "which of these lines holds 48213 of them"
            if 2 * line == count
            else "none of these words is a number at all"
        )
        cv2.putText(page, text, (20, 40 * line + 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    return _reading(page)


def _reading(page: npt.NDArray[np.uint8]) -> Callable[[], object]:
    recognizer = Recognizer(threads=1)
    recognizer.read(page[:80])  # opens what else it reads with
    return lambda: recognizer.read(page)


if __name__ == "__main__":
    main()
