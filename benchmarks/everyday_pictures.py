"""Pictures as people bring them: sheets on desks, fine pens, tables, forms, print between signs, displays, odd colours.

Each maker draws its own values from a generator, digits and fonts come from outside. None of it is made as training
material is: other desks, other papers, other lines. Knows nothing of readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digit_recognizer.sources.strokes import draw
from everyday_forms import FORMS
from everyday_scenes import (
    Everyday,
    Floats,
    Maker,
    Material,
    Pixels,
    Random,
    any_face,
    handwritten,
    on_page,
    photographed,
    printed,
    put,
    taken,
    to_bytes,
)
from everyday_things import THINGS

# Segments of a display: (x0, y0, x1, y1) in shares of its width and height; and which of them each digit lights.
_SEGMENTS = {
    "a": (0, 0, 1, 0), "b": (1, 0, 1, 0.5), "c": (1, 0.5, 1, 1), "d": (0, 1, 1, 1), "e": (0, 0.5, 0, 1),
    "f": (0, 0, 0, 0.5), "g": (0, 0.5, 1, 0.5),
}  # fmt: skip
_LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
# Ink and paper of one brightness (0.299 R + 0.587 G + 0.114 B), as near as bytes allow.
_ONE_BRIGHTNESS = (((230, 60, 60), (40, 150, 60)), ((60, 120, 230), (200, 90, 40)), ((170, 60, 200), (60, 130, 110)))


def sheet(material: Material, rng: Random) -> Everyday:
    """One digit on a sheet that lies on a desk, seen from above and a little from the side."""
    number = str(rng.integers(10))
    page = np.full((700, 900), 1.0, np.float32)
    ink = handwritten(material, number, int(rng.integers(120, 330)), rng)
    top, left = (700 - len(ink)) // 2, (900 - ink.shape[1]) // 2
    page[top : top + len(ink), left : left + ink.shape[1]] -= ink * rng.uniform(0.6, 0.95)
    corners = np.array([[0, 0], [900, 0], [900, 700], [0, 700]], np.float32)
    seen = corners * (1.0, 1.0) + (150, 100) + rng.uniform(-60, 60, (4, 2))
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    flat = cv2.warpPerspective(page * rng.uniform(215, 250), matrix, (1200, 900), flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones_like(page), matrix, (1200, 900))
    grain = cv2.GaussianBlur(rng.normal(0, 60, (900, 1200)).astype(np.float32), (0, 0), sigmaX=9, sigmaY=2)
    desk = rng.uniform(30, 150) + rng.uniform(0.5, 2) * grain
    return Everyday(photographed(np.asarray(desk * (1 - inside) + flat * inside, np.float32), rng), number)


def listed(material: Material, rng: Random) -> Everyday:
    """Numbers one beneath another on a sheet that lies on a desk, seen from above and a little from the side."""
    height = int(rng.integers(32, 60))
    numbers = [str(rng.integers(10 ** int(rng.integers(1, 7)))) for _ in range(rng.integers(3, 9))]
    inks = [handwritten(material, number, height, rng) for number in numbers]
    page = np.zeros((round((1.7 * len(inks) + 2) * height), max(ink.shape[1] for ink in inks) + 2 * height), np.float32)
    at_right = rng.random() < 0.5
    for place, ink in enumerate(inks):
        edge = round(height * rng.uniform(0.6, 1.0))
        put(page, ink, page.shape[1] - edge - ink.shape[1] if at_right else edge, round((1.7 * place + 1) * height))
    picture = _on_desk(1 - page * rng.uniform(0.6, 0.95), rng)
    return Everyday(picture, "\n".join(numbers))


def _on_desk(page: Floats, rng: Random) -> Pixels:
    """A page, 1 where it is paper, on a desk with a grain, around it a fourth of its sides."""
    height, width = page.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + (width / 4, height / 4) + rng.uniform(-0.07, 0.07, (4, 2)) * (width, height)
    size = round(1.5 * width), round(1.5 * height)
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    flat = cv2.warpPerspective(page * rng.uniform(215, 250), matrix, size, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones_like(page), matrix, size)
    grain = cv2.GaussianBlur(rng.normal(0, 60, size[::-1]).astype(np.float32), (0, 0), sigmaX=9, sigmaY=2)
    desk = rng.uniform(30, 150) + rng.uniform(0.5, 2) * grain
    return photographed(np.asarray(desk * (1 - inside) + flat * inside, np.float32), rng)


def fine_pen(material: Material, rng: Random) -> Everyday:
    """One large digit in a thin stroke, dark or pale."""
    drawing = material.drawings[int(rng.integers(len(material.drawings)))]
    side = int(rng.integers(420, 760))
    ink = draw(drawing, pen=rng.uniform(0.01, 0.03) * side, side=side, fill=0.6).astype(np.float32) / 255
    page = rng.uniform(200, 240) * (1 - rng.uniform(0.35, 0.9) * ink)
    return Everyday(photographed(np.asarray(page, np.float32), rng), str(drawing.label))


def table(material: Material, rng: Random, *, by_hand: bool, outer: bool = True) -> Everyday:
    """A table of numbers of 1 to 4 digits (by hand: 0 to 99), lines between its cells. outer: and around it."""
    rows, columns = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    height = int(rng.integers(26, 48))
    wide, tall = round(height * (3.2 if by_hand else 4.2)), round(height * rng.uniform(1.7, 2.2))
    page = np.zeros((rows * tall + 1, columns * wide + 1), np.float32)
    lines = np.zeros_like(page)
    face = None if by_hand else any_face(material, rng)
    texts = []
    for row in range(rows):
        numbers = []
        for column in range(columns):
            limit = 100 if face is None else 10 ** int(rng.integers(1, 5))
            numbers.append(str(rng.integers(limit)))
            ink = printed(face, numbers[-1], height) if face else handwritten(material, numbers[-1], height, rng)
            put(page, ink, column * wide + (wide - ink.shape[1]) // 2, row * tall + (tall - len(ink)) // 2)
        texts.append(" ".join(numbers))
    first, last = (0, 0) if outer else (1, 1)
    pen = int(rng.integers(1, 4))
    for at in range(first, rows + 1 - last):
        cv2.line(lines, (0, at * tall), (page.shape[1], at * tall), 1.0, pen)
    for at in range(first, columns + 1 - last):
        cv2.line(lines, (at * wide, 0), (at * wide, page.shape[0]), 1.0, pen)
    return Everyday(taken(np.pad(page, 40), rng, np.pad(lines, 40)), "\n".join(texts))


def form(material: Material, rng: Random) -> Everyday:
    """A number in a row of boxes that stand apart, a handwritten digit in each, some of them on the lines."""
    height, count = int(rng.integers(28, 64)), int(rng.integers(4, 9))
    wide, tall = round(height * rng.uniform(1.1, 1.4)), round(height * rng.uniform(1.25, 1.6))
    step, pen = wide + round(height * rng.uniform(0.12, 0.4)), int(rng.integers(1, 4))
    page = np.zeros((tall + 4, count * step + 4), np.float32)
    lines = np.zeros_like(page)
    number = "".join(str(rng.integers(10)) for _ in range(count))
    for place, digit in enumerate(number):
        left = 2 + place * step
        cv2.rectangle(lines, (left, 2), (left + wide, 2 + tall), 1.0, pen)
        ink = handwritten(material, digit, int(height * rng.uniform(0.75, 1)), rng)
        x, y = rng.normal(0, (0.09 * height, 0.07 * height))
        put(page, ink, left + (wide - ink.shape[1]) // 2 + int(x), 2 + (tall - len(ink)) // 2 + int(y))
    return Everyday(taken(np.pad(page, 30), rng, np.pad(lines, 30)), number)


def grid(material: Material, rng: Random) -> Everyday:
    """A square grid that nobody told of, a digit in two of three cells, print or handwriting."""
    side, cell = int(rng.integers(4, 10)), int(rng.integers(36, 64))
    page = np.zeros((side * cell + 1, side * cell + 1), np.float32)
    lines = np.zeros_like(page)
    face = any_face(material, rng) if material.faces else None
    texts = []
    for row in range(side):
        line = ""
        for column in range(side):
            if rng.random() < 1 / 3:
                line += " "
                continue
            line += str(rng.integers(1, 10))
            height = round(cell * rng.uniform(0.45, 0.6))
            ink = printed(face, line[-1], height) if face and rng.random() < 0.5 else None
            ink = handwritten(material, line[-1], height, rng) if ink is None else ink
            put(page, ink, column * cell + (cell - ink.shape[1]) // 2, row * cell + (cell - len(ink)) // 2)
        texts.append(line)
    for at in range(side + 1):
        cv2.line(lines, (0, at * cell), (page.shape[1], at * cell), 1.0, 2)
        cv2.line(lines, (at * cell, 0), (at * cell, page.shape[0]), 1.0, 2)
    kept = [text.rstrip() for text in texts if text.strip()]
    return Everyday(taken(np.pad(page, 40), rng, np.pad(lines, 40)), "\n".join(kept))


def spaced(material: Material, rng: Random) -> Everyday:
    """A printed line of two to four numbers, a space apart."""
    numbers = [str(rng.integers(10 ** int(rng.integers(1, 6)))) for _ in range(rng.integers(2, 5))]
    face = any_face(material, rng)
    ink = printed(face, " ".join(numbers), int(rng.integers(16, 44)))
    return Everyday(taken(on_page(ink, rng), rng), " ".join(numbers))


def signs(material: Material, rng: Random) -> Everyday:
    """A printed number beside a sign that is no part of it."""
    number = str(rng.integers(10 ** int(rng.integers(1, 5))))
    pattern = str(rng.choice(["${}", "+{}", "({})", "#{}", "{}%", "{}°", "€ {}", "{} kg", "No. {}", "{}:"]))
    face = any_face(material, rng)
    ink = printed(face, pattern.format(number), int(rng.integers(20, 48)))
    return Everyday(taken(on_page(ink, rng), rng), number)


def dates(material: Material, rng: Random, *, by_hand: bool) -> Everyday:
    """A date with slashes, which part its numbers."""
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1950, 2030)
    if rng.random() < 0.7:
        numbers = [f"{day:02}", f"{month:02}", str(year)]
    else:
        numbers = [str(day), str(month), f"{year % 100:02}"]
    if by_hand:
        height = int(rng.integers(36, 90))
        slash = _slash(height, rng)
        row = _in_a_row([handwritten(material, numbers[0], height, rng), slash], height, rng)
        row = _in_a_row([row, handwritten(material, numbers[1], height, rng), slash], height, rng)
        ink = _in_a_row([row, handwritten(material, numbers[2], height, rng)], height, rng)
    else:
        face = any_face(material, rng)
        ink = printed(face, "/".join(numbers), int(rng.integers(18, 48)))
    return Everyday(taken(on_page(ink, rng), rng), " ".join(numbers))


def _slash(height: int, rng: Random) -> Floats:
    """A slash somewhat taller than digits of that height, drawn by hand: bent a little."""
    tall, lean, pen = round(height * rng.uniform(1.15, 1.6)), rng.uniform(0.2, 0.6), max(2, height // 12)
    along = np.linspace(0, 1, 12)
    across = lean * tall * (1 - along) + rng.uniform(-0.04, 0.04) * tall * np.sin(np.pi * along)
    ink = np.zeros((tall + pen, round(lean * tall) + 2 * pen + 8), np.float32)
    points = np.column_stack([across + pen + 4, pen / 2 + along * (tall - 1)])
    cv2.polylines(ink, [np.rint(points).astype(np.int32)], False, 1.0, pen, cv2.LINE_AA)
    return ink


def _in_a_row(inks: Sequence[Floats], height: int, rng: Random, gap: tuple[float, float] = (0.12, 0.3)) -> Floats:
    """Ink side by side, the middles at one height. gap: between them, in heights."""
    tall = max(len(ink) for ink in inks)
    row = np.zeros((tall, 0), np.float32)
    for ink in inks:
        above = (tall - len(ink)) // 2
        space = round(rng.uniform(*gap) * height) if row.shape[1] else 0
        row = np.hstack([row, np.pad(ink, ((above, tall - len(ink) - above), (space, 0)))])
    return row


def sums(material: Material, rng: Random) -> Everyday:
    """A handwritten sum or product: two numbers, a sign between them, and mostly what they make."""
    height = int(rng.integers(36, 90))
    first, second = int(rng.integers(1, 200)), int(rng.integers(1, 99))
    is_sum = rng.random() < 0.7
    numbers = [str(first), str(second)]
    inks = [handwritten(material, numbers[0], height, rng), _sign("+" if is_sum else "x", height, rng)]
    inks.append(handwritten(material, numbers[1], height, rng))
    if rng.random() < 0.6:
        numbers.append(str(first + second if is_sum else first * second))
        inks += [_sign("=", height, rng), handwritten(material, numbers[2], height, rng)]
    return Everyday(taken(on_page(_in_a_row(inks, height, rng, (0.35, 0.7)), rng), rng), " ".join(numbers))


def _sign(sign: str, height: int, rng: Random) -> Floats:
    """A plus, a cross or an equals sign of two strokes, half as large as digits of that height."""
    side, pen = round(height * rng.uniform(0.4, 0.6)), max(2, height // 12)
    ends = {
        "+": (((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),
        "x": (((0, 0), (1, 1)), ((1, 0), (0, 1))),
        "=": (((0, 0.25), (1, 0.25)), ((0, 0.75), (1, 0.75))),
    }
    ink = np.zeros((side + 2 * pen, side + 2 * pen), np.float32)
    for stroke in ends[sign]:
        drawn = np.array(stroke) * side + rng.uniform(-0.06, 0.06, (2, 2)) * side + pen
        cv2.polylines(ink, [np.rint(drawn).astype(np.int32)], False, 1.0, pen, cv2.LINE_AA)
    return ink


def thousands(material: Material, rng: Random) -> Everyday:
    """A printed number whose thousands a comma parts."""
    number = f"{rng.integers(1, 1000)},{rng.integers(1000):03}"
    face = any_face(material, rng)
    ink = printed(face, number, int(rng.integers(18, 48)))
    return Everyday(taken(on_page(ink, rng), rng), number.replace(",", ""))


_LABELS = ("Diesel", "Home", "Guest", "kWh", "Level", "Super", "Speed", "Zone", "Tank", "Room")
_ARTICLES = ("Bread", "Milk", "Cheese", "Apples", "Coffee", "Total", "Tax", "Cash", "Change", "Butter", "Rice", "Tea")


def receipt(material: Material, rng: Random) -> Everyday:
    """A printed receipt: articles at the left, prices at the right, the digits of which are asked for."""
    face = any_face(material, rng)
    height, count = int(rng.integers(14, 30)), int(rng.integers(4, 9))
    font = ImageFont.truetype(face.path, round(height * 1.4), face.index)
    articles = [str(rng.choice(_ARTICLES)) for _ in range(count)]
    prices = [f"{rng.integers(1, 60)}.{rng.integers(100):02}" for _ in range(count)]
    wide = int(max(font.getlength(text) for text in articles) + max(font.getlength(text) for text in prices))
    page = Image.new("L", (wide + 4 * height, 2 * height * (count + 1)), 0)
    for place, (article, price) in enumerate(zip(articles, prices, strict=True), 1):
        ImageDraw.Draw(page).text((height // 2, 2 * height * place), article, 255, font, anchor="ls")
        ImageDraw.Draw(page).text((page.width - height // 2, 2 * height * place), price, 255, font, anchor="rs")
    ink = np.pad(np.asarray(page, np.float32) / 255, 20)
    return Everyday(taken(ink, rng), "\n".join(price.replace(".", "") for price in prices))


def ringed(material: Material, rng: Random) -> Everyday:
    """A handwritten number with a ring drawn around it."""
    number = str(rng.integers(1, 1000))
    ink = handwritten(material, number, int(rng.integers(40, 90)), rng)
    page = on_page(ink, rng, margin=1.2)
    rows, columns = np.flatnonzero(page.max(1) > 0.3), np.flatnonzero(page.max(0) > 0.3)
    middle = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
    wide, tall = (columns[-1] - columns[0]) * 0.72 + 14, (rows[-1] - rows[0]) * 0.72 + 14
    around = np.linspace(0, 2 * np.pi, 60) + rng.uniform(0, 6)
    wobble = 1 + 0.04 * np.sin(around * 2 + rng.uniform(0, 6)) + 0.03 * np.sin(around * 3 + rng.uniform(0, 6))
    points = np.column_stack([middle[0] + wide * wobble * np.cos(around), middle[1] + tall * wobble * np.sin(around)])
    cv2.polylines(page, [np.rint(points).astype(np.int32)], True, 1.0, max(2, len(ink) // 18), cv2.LINE_AA)
    return Everyday(taken(page, rng), number)


def display(material: Material, rng: Random) -> Everyday:
    """A number on a display of seven segments, light on dark or dark on light."""
    number = str(rng.integers(10 ** int(rng.integers(2, 6))))
    picture = taken(on_page(_segments(number, int(rng.integers(60, 180)), rng), rng), rng)
    return Everyday(255 - picture if rng.random() < 0.6 else picture, number)


def labelled_display(material: Material, rng: Random) -> Everyday:
    """A number on a display of seven segments, a word printed above it or beside it."""
    number, height = str(rng.integers(10, 10 ** int(rng.integers(3, 6)))), int(rng.integers(60, 140))
    face = any_face(material, rng)
    word = printed(face, str(rng.choice(_LABELS)), round(height * rng.uniform(0.25, 0.6)))
    shown, room = _segments(number, height, rng), round(height * rng.uniform(0.5, 0.9))
    if rng.random() < 0.5:  # above
        page = np.zeros((len(word) + room + len(shown), max(word.shape[1], shown.shape[1])), np.float32)
        page[: len(word), : word.shape[1]] = word
    else:
        page = np.zeros((max(len(word), len(shown)), shown.shape[1] + room + word.shape[1]), np.float32)
        page[-len(word) :, -word.shape[1] :] = word
    page[-len(shown) :, : shown.shape[1]] = shown
    picture = taken(on_page(page, rng), rng)
    return Everyday(255 - picture if rng.random() < 0.6 else picture, number)


def _segments(number: str, height: int, rng: Random) -> Floats:
    wide, pen = round(height * rng.uniform(0.5, 0.62)), max(3, round(height * rng.uniform(0.08, 0.14)))
    step = wide + round(height * 0.22) + pen
    page = np.zeros((height + 2 * pen, step * len(number) + pen), np.float32)
    gap = round(0.75 * pen)
    for place, digit in enumerate(number):
        for name in _LIT[int(digit)]:
            x0, y0, x1, y1 = _SEGMENTS[name]
            left, right = (place * step + pen + round(x * wide) for x in (x0, x1))
            low, high = (pen + round(y * height) for y in (y0, y1))
            if y0 == y1:
                cv2.rectangle(page, (left + gap, low - pen // 2), (right - gap, low + pen // 2), 1.0, -1)
            else:
                cv2.rectangle(page, (left - pen // 2, low + gap), (left + pen // 2, high - gap), 1.0, -1)
    return page


def one_brightness(material: Material, rng: Random) -> Everyday:
    """A number in ink as bright as its paper: only its colour tells."""
    number = str(rng.integers(10 ** int(rng.integers(1, 5))))
    ink = on_page(handwritten(material, number, int(rng.integers(40, 110)), rng), rng)[..., None]
    mark, paper = _ONE_BRIGHTNESS[int(rng.integers(len(_ONE_BRIGHTNESS)))]
    page = np.array(paper, np.float32) + (np.array(mark, np.float32) - np.array(paper, np.float32)) * ink
    return Everyday(to_bytes(page), number)


def transparent(material: Material, rng: Random) -> Everyday:
    """White ink on a transparent ground, as drawing programs export it."""
    number = str(rng.integers(10 ** int(rng.integers(1, 5))))
    ink = on_page(handwritten(material, number, int(rng.integers(40, 110)), rng), rng)
    return Everyday(np.dstack([np.full((*ink.shape, 3), 255, np.uint8), to_bytes(255 * ink)]), number)


PRINTED: dict[str, Maker] = {  # these need fonts
    "table, printed": partial(table, by_hand=False),
    "table without outer lines, printed": partial(table, by_hand=False, outer=False),
    "numbers a space apart, printed": spaced,
    "a number beside a sign, printed": signs,
    "a date with slashes, printed": partial(dates, by_hand=False),
    "thousands with a comma, printed": thousands,
    "prices beside words, printed": receipt,
    **THINGS,
    **FORMS,
    "seven segments beside a word": labelled_display,
}
DRAWN: dict[str, Maker] = {"a large digit, fine pen": fine_pen}  # and these pen drawings
KINDS: dict[str, Maker] = {
    "a digit, sheet on a desk": sheet,
    "a list of numbers, sheet on a desk": listed,
    "a date with slashes, handwritten": partial(dates, by_hand=True),
    "a sum, handwritten": sums,
    **DRAWN,
    "table, handwritten": partial(table, by_hand=True),
    "table without outer lines, handwritten": partial(table, by_hand=True, outer=False),
    "boxes of a form, handwritten": form,
    "grid, nobody told of it": grid,
    **PRINTED,
    "a number in a ring": ringed,
    "seven segments": display,
    "ink as bright as its paper": one_brightness,
    "white on transparency": transparent,
}


__all__ = ["DRAWN", "KINDS", "PRINTED"]
