"""The bars of charts are painted over, so that the numbers beside them are read; what is like them is left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.bar_charts import BAR, bars_removed
from digit_recognizer.pictures.page import read_page
from tests.pictures.test_page import answer, on_paper, page_of

BARS = ((160, 30, 40, 250), (240, 90, 40, 190), (320, 140, 40, 140), (400, 60, 40, 220))


def chart(bars: tuple[tuple[int, int, int, int], ...] = BARS, *, level: float = 0.6) -> npt.NDArray[np.float32]:
    """Ink, 0-1: numbers in a column, a line to the right of them, and on it bars, (x, y, w, h)."""
    ink = np.zeros((300, 480), np.float32)
    numbers = page_of(["60", "50", "40", "30", "20"], 26)
    ink[: len(numbers), : numbers.shape[1]] = numbers
    ink[280:282, 150:470] = 1
    for x, y, width, height in bars:
        ink[y : y + height, x : x + width] = level
    return ink


@pytest.mark.parametrize("level", [0.4, 0.6, 1.0])
def test_the_numbers_beside_the_bars_of_a_chart_are_read(level: float) -> None:
    for grey in (on_paper(chart(level=level)), 255 - on_paper(chart(level=level))):
        page = read_page(grey, answer)
        assert page.text == "60\n50\n40\n30\n20"
        found = sorted(one.box for one in page.rejected if one.reason == BAR)
        assert len(found) == len(BARS)
        assert all(np.abs(np.subtract(one, other)).max() <= 4 for one, other in zip(found, BARS, strict=True))


def test_bars_that_lie_are_painted_over_too() -> None:
    plain, boxes = bars_removed(on_paper(np.ascontiguousarray(np.pad(chart(), ((0, 180), (0, 0))).T)))
    assert len(boxes) == len(BARS)
    assert all(np.ptp(plain[y + 3 : y + h - 3, x + 3 : x + w - 3]) == 0 for x, y, w, h in boxes)


@pytest.mark.parametrize(
    "bars",
    [
        (),
        BARS[:2],
        tuple((x, 30, 40, 250) for x, *_ in BARS),  # all as long
        tuple((160 + 42 * place, *bar[1:]) for place, bar in enumerate(BARS)),  # side by side
        tuple((x, y - 9 * place, w, h) for place, (x, y, w, h) in enumerate(BARS)),  # on no line
        (*BARS[:3], (400, 140, 70, 40)),  # one lies across
        tuple((x, y, 12, h) for x, y, _, h in BARS),  # no broader than strokes are
    ],
)
def test_what_is_not_like_the_bars_of_a_chart_is_left(bars: tuple[tuple[int, int, int, int], ...]) -> None:
    grey = on_paper(chart(bars))
    plain, boxes = bars_removed(grey)
    assert plain is grey
    assert boxes == ()


def test_bars_without_print_beside_them_are_left() -> None:
    ink = chart()
    ink[:, :140] = 0
    assert bars_removed(on_paper(ink))[1] == ()
