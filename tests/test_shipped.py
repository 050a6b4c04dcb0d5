"""The model that ships, on shapes that everybody writes: no figures, only what must never be lost again."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import Drawing, draw

SEVEN = ((0.0, 0.0), (30.0, 0.0), (10.0, 90.0))
THREE = ((5.0, 10.0), (30.0, 0.0), (50.0, 15.0), (25.0, 42.0), (55.0, 65.0), (30.0, 95.0), (0.0, 80.0))
EIGHT = tuple((25 + 22 * np.sin(2 * t), 45 - 45 * np.cos(t)) for t in np.linspace(0, 6.3, 60))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def drawing(*strokes: tuple[tuple[float, float], ...]) -> Drawing:
    return Drawing(None, tuple(np.array(stroke, np.float32) for stroke in strokes))


def stroke(lean: float, left: float = 0.0) -> tuple[tuple[float, float], ...]:
    """A straight stroke, 90 long; lean: how far its head is right of its foot."""
    return ((left + lean, 0.0), (left, 90.0))


@pytest.mark.parametrize("lean", [-8, 0, 8, 16])
@pytest.mark.parametrize("pen", [4, 8, 16, 28])
def test_one_straight_stroke_is_a_1(recognizer: Recognizer, pen: int, lean: float) -> None:
    picture = 255 - draw(drawing(stroke(lean)), pen=pen, side=280, fill=0.6)
    reading = recognizer.predict(picture)
    assert reading.digit == 1
    assert reading.unfamiliarity < 0.2
    assert recognizer.read(picture).text == "1"


@pytest.mark.parametrize("pen", [6, 10, 16])
@pytest.mark.parametrize("lean", [0, 6])
def test_a_straight_1_does_not_take_its_neighbour_along(recognizer: Recognizer, pen: int, lean: float) -> None:
    picture = 255 - draw(drawing(SEVEN, stroke(lean, left=70)), pen=pen, side=420, fill=0.5)
    assert recognizer.read(picture).text == "71"


def test_a_stroke_that_lies_is_no_digit(recognizer: Recognizer) -> None:
    picture = 255 - draw(drawing(((0.0, 0.0), (90.0, 0.0))), pen=10, side=280, fill=0.6)
    assert recognizer.predict(picture).reason == "not a digit"


def photographed(ink: np.ndarray, depth: int, seed: int) -> np.ndarray:
    """Pen strokes, uint8 (900, 1200), 255 where ink is, on paper in slanting light with a camera's noise: the same."""
    down, right = np.mgrid[:900, :1200]
    paper = 235 * (0.78 + 0.25 * right / 1200 - 0.12 * down / 900)
    noise = np.random.default_rng(seed).normal(0, 3, paper.shape)
    return np.clip(paper - depth * (ink / 255) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("pen", "depth"), [(3, 150), (4, 110), (6, 60), (10, 50), (14, 150)])
@pytest.mark.parametrize(
    ("text", "strokes"),
    [
        ("7", (SEVEN,)),
        ("4", (((20.0, 0.0), (0.0, 55.0), (55.0, 55.0)), ((40.0, 25.0), (35.0, 100.0)))),
        ("0", (tuple((25 + 25 * np.sin(t), 45 - 45 * np.cos(t)) for t in np.linspace(0, 6.3, 40)),)),
    ],
)
def test_a_large_digit_of_thin_strokes_in_slanting_light_is_read_as_one(
    recognizer: Recognizer, text: str, strokes: tuple[tuple[tuple[float, float], ...], ...], pen: int, depth: int
) -> None:
    ink = np.zeros((900, 1200), np.uint8)
    ink[200:700, 300:800] = draw(drawing(*strokes), pen=pen, side=500, fill=0.72)
    picture = photographed(ink, depth, seed=pen)
    reading = recognizer.predict(picture)
    assert str(reading.digit) == text
    assert reading.reason in (None, "unsure")
    page = recognizer.read(picture)
    assert page.text == text
    left, top, width, height = page.digits[0].box
    assert 300 <= left < left + width <= 800
    assert 200 <= top < top + height <= 700


@pytest.mark.parametrize("seed", range(6))
def test_bare_paper_in_slanting_light_holds_no_number(recognizer: Recognizer, seed: int) -> None:
    picture = photographed(np.zeros((900, 1200), np.uint8), 0, seed)
    assert not recognizer.predict(picture).accepted
    assert recognizer.read(picture).lines == ()


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("pen", [3, 4])
@pytest.mark.parametrize("text", ["31", "317"])
def test_an_upright_1_in_a_photo_that_is_cut_out_close_is_not_lost(
    recognizer: Recognizer, text: str, pen: int, is_dark: bool
) -> None:
    strokes = {"1": stroke(2.0), "3": THREE, "7": SEVEN}
    page = np.zeros((900, 1200), np.uint8)
    for number, letter in enumerate(text):
        ink = draw(drawing(strokes[letter]), pen=pen, side=50, fill=0.8)
        page[60:110, 60 + 40 * number : 110 + 40 * number] |= ink
    close = photographed(page, 40, seed=3)[45:125, 50 : 90 + 40 * len(text)]
    assert recognizer.read(255 - close if is_dark else close).text == text


@pytest.mark.parametrize("pen", [6, 8])
def test_thick_digits_of_a_drawing_that_is_cut_out_close_are_read(recognizer: Recognizer, pen: int) -> None:
    page = np.full((42, 90), 240, np.uint8)
    for left, strokes in ((0, SEVEN), (40, EIGHT)):
        part = page[:, left : left + 44]
        part -= draw(drawing(strokes), pen=pen, side=44, fill=0.9)[:42] // 2
    assert recognizer.read(page).text == "78"


@pytest.mark.parametrize("pen", [10, 20, 36, 44, 50])
@pytest.mark.parametrize(("text", "shape"), [("8", EIGHT), ("3", THREE)])
def test_a_digit_drawn_with_a_pen_of_any_breadth_is_read(
    recognizer: Recognizer, text: str, shape: tuple[tuple[float, float], ...], pen: int
) -> None:
    page = 255 - draw(drawing(shape), pen=pen, side=280, fill=0.75)
    assert recognizer.read(page).text == text


IN_PIECES = {
    "2": (((5, 12), (25, 0), (48, 10), (44, 32), (30, 50)), ((18, 62), (6, 88), (30, 84), (58, 90))),
    "3": (((5, 8), (30, 0), (50, 14), (25, 42)), ((36, 48), (55, 62), (40, 92), (0, 88))),
    "5": (((20, 8), (14, 40)), ((26, 48), (40, 50), (42, 80), (15, 95), (0, 85)), ((36, 4), (60, 0))),
}


@pytest.mark.parametrize("pen", [12, 20])
@pytest.mark.parametrize(("text", "strokes"), IN_PIECES.items())
def test_a_digit_drawn_in_pieces_is_read_whole_and_not_accepted(
    recognizer: Recognizer, text: str, strokes: tuple[tuple[tuple[float, float], ...], ...], pen: int
) -> None:
    """The upper half of such a 2 or 3 is a 7 by itself, which was accepted."""
    page = recognizer.read(255 - draw(drawing(*strokes), pen=pen, side=280, fill=0.75))
    assert (page.text, page.lines[0].accepted) == (text, False)


@pytest.mark.parametrize(("text", "strokes"), IN_PIECES.items())
def test_a_photographed_digit_in_pieces_is_read_whole_and_not_accepted(
    recognizer: Recognizer, text: str, strokes: tuple[tuple[tuple[float, float], ...], ...]
) -> None:
    ink = np.zeros((900, 1200), np.uint8)
    ink[250:650, 400:800] = draw(drawing(*strokes), pen=16, side=400, fill=0.6)
    page = recognizer.read(photographed(ink, 90, 16))
    assert (page.text, page.lines[0].accepted) == (text, False)


def test_a_digit_beside_a_scribble_stays_what_it_is(recognizer: Recognizer) -> None:
    picture = np.full((280, 420), 255, np.uint8)
    picture[:, :280] = 255 - draw(drawing(THREE), pen=16, side=280, fill=0.7)
    star = ((0.0, 60.0), (70.0, 20.0), (0.0, 20.0), (70.0, 60.0), (35.0, 0.0), (0.0, 60.0))
    picture[60:220, 260:420] -= draw(drawing(star), pen=8, side=160, fill=0.8)
    page = recognizer.read(picture)
    assert (page.text, page.lines[0].accepted) == ("3", True)
    assert page.rejected


FOUR = (((20.0, 0.0), (0.0, 55.0), (55.0, 55.0)), ((40.0, 0.0), (40.0, 100.0)))
ONE = (((0.0, 30.0), (30.0, 0.0), (30.0, 95.0)), ((5.0, 95.0), (55.0, 95.0)))


@pytest.mark.parametrize("pen", [3, 4, 6])
@pytest.mark.parametrize("is_photo", [False, True])
def test_two_large_digits_in_a_thin_pen_keep_their_stems(recognizer: Recognizer, pen: int, is_photo: bool) -> None:
    """Two straight stems, a third of the picture tall, were taken for the lines of a table; in photos, seen in bits."""
    both = [draw(drawing(*strokes), pen=pen, side=280, fill=0.75)[:, 60:220] for strokes in (FOUR, ONE)]
    picture = 255 - np.hstack(both)
    if is_photo:
        ink = np.zeros((900, 1200), np.uint8)
        ink[300:580, 300:620] = 255 - picture
        picture = photographed(ink, 110, pen)[250:630, 250:670]
    page = recognizer.read(picture)
    assert (page.text, page.lines[0].accepted) == ("41", True)


def test_two_letters_are_no_digit_in_pieces(recognizer: Recognizer) -> None:
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).text((40, 60), "kW", 0, ImageFont.load_default(120))
    assert not recognizer.read(page).lines


@pytest.mark.parametrize("level", [30, 110])
def test_a_digit_on_a_sheet_that_lies_on_a_desk_is_read(recognizer: Recognizer, level: int) -> None:
    sheet = np.full((500, 700), 225.0)
    sheet[100:400, 200:500] -= 0.75 * draw(drawing(SEVEN), pen=14, side=300, fill=0.8)
    picture = np.full((900, 1200), float(level))
    picture[180:680, 240:940] = sheet
    picture += np.random.default_rng(level).normal(0, 4, picture.shape)
    reading = recognizer.predict(np.clip(picture, 0, 255).astype(np.uint8))
    assert (reading.digit, reading.accepted) == (7, True)


def printed(text: str, size: int) -> Image.Image:
    """A line set in the font that comes with Pillow."""
    font = ImageFont.load_default(size)
    picture = Image.new("L", (round(font.getlength(text)) + 60, 3 * size), 245)
    ImageDraw.Draw(picture).text((30, size), text, font=font, fill=20)
    return picture


@pytest.mark.parametrize("size", [18, 24, 36])
@pytest.mark.parametrize("words", ["The code {} is not {}", "Your total is {} of {}", "It is {} and so it is"])
def test_numbers_in_a_printed_sentence_are_read_and_its_short_words_are_not(
    recognizer: Recognizer, words: str, size: int
) -> None:
    numbers = ["836", "9386"][: words.count("{}")]
    assert recognizer.read(printed(words.format(*numbers), size)).text.split() == numbers


@pytest.mark.parametrize("marks", ['"{}"', "“{}”", "'{}'", "‘{}’"])
def test_a_quoted_number_is_read_without_its_quotation_marks(recognizer: Recognizer, marks: str) -> None:
    assert recognizer.read(printed(f"the code {marks.format(4739)} is known", 30)).text == "4739"
