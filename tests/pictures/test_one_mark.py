"""A drawing of one mark that surely is a digit is read at once, and as it is read when all else is looked for."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures import page as page_module
from digit_recognizer.pictures.expectation import Expectation, parse_expectation
from digit_recognizer.pictures.means import Means
from digit_recognizer.pictures.one_mark import read_one_mark
from digit_recognizer.pictures.page import read_page
from digit_recognizer.reading import Page
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import draw
from tests.test_shipped import EIGHT, SEVEN, THREE, drawing

Grey = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]

ZERO = tuple((25 + 25 * np.sin(t), 45 - 45 * np.cos(t)) for t in np.linspace(0, 6.3, 40))


def picture(*strokes: tuple[tuple[float, float], ...], pen: int = 18) -> Grey:
    return np.asarray(255 - draw(drawing(*strokes), pen=pen, side=280, fill=0.7), np.uint8)


def sure_of(digit: int, confidence: float = 0.999) -> Means:
    def answer(frames: Grey) -> tuple[Scores, None]:
        probabilities = np.full((len(frames), 10), (1 - confidence) / 9, np.float32)
        probabilities[:, digit] = confidence
        return probabilities, None

    return Means(answer, Expectation())


@pytest.mark.parametrize("pen", [8, 14, 20])
@pytest.mark.parametrize("strokes", [SEVEN, THREE, EIGHT, ZERO])
@pytest.mark.parametrize("is_dark", [True, False])
def test_what_is_read_at_once_is_read_so_the_long_way_too(
    strokes: tuple[tuple[float, float], ...], pen: int, is_dark: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Page | None] = []

    def both_ways(grey: Grey, longest: int, means: Means) -> Page | None:
        found.append(read_one_mark(grey, longest, means))
        return None

    monkeypatch.setattr(page_module, "read_one_mark", both_ways)
    grey = picture(strokes, pen=pen)
    page = Recognizer().read(grey if is_dark else 255 - grey)
    assert found[0] is not None
    assert [(line.text, line.accepted, line.box) for line in found[0].lines] == [
        (line.text, line.accepted, line.box) for line in page.lines
    ]
    assert found[0].digits[0].confidence == pytest.approx(page.digits[0].confidence, abs=2e-3)
    assert not page.rejected


def test_what_is_not_sure_is_looked_at_more_closely() -> None:
    grey = picture(SEVEN)
    assert read_one_mark(grey, 280, sure_of(7)) is not None
    assert read_one_mark(grey, 280, sure_of(7, 0.98)) is None
    assert read_one_mark(grey, 280, sure_of(7, 0.992)._replace(min_confidence=0.995)) is None


def test_bars_and_broad_rings_are_looked_at_more_closely() -> None:
    assert read_one_mark(picture(((0.0, 0.0), (0.0, 90.0))), 280, sure_of(1)) is None
    ring = np.full((280, 280), 255, np.uint8)
    cv2.ellipse(ring, (140, 140), (110, 80), 0, 0, 360, 0, 12)
    assert read_one_mark(ring, 280, sure_of(0)) is None
    assert read_one_mark(np.ascontiguousarray(ring.T), 280, sure_of(0)) is not None


def test_two_marks_and_none_are_looked_at_more_closely() -> None:
    two = np.hstack([picture(SEVEN), picture(THREE)])
    assert read_one_mark(two, 560, sure_of(7)) is None
    assert read_one_mark(np.full((280, 280), 255, np.uint8), 280, sure_of(7)) is None


def test_where_something_is_expected_nothing_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(page_module, "read_one_mark", lambda *given: asked.append(1))
    read_page(picture(SEVEN), sure_of(7).answer, parse_expectation("3"))
    assert not asked
    read_page(picture(SEVEN), sure_of(7).answer)
    assert asked
