"""More pictures as people bring them: barcodes, meters, buttons, calendars, dotted print, light digits on dark.

As everyday_pictures.py, whose kinds these join. Knows nothing of readers.
"""

from __future__ import annotations

import calendar

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from everyday_scenes import (
    Everyday,
    Floats,
    Maker,
    Material,
    Random,
    any_face,
    on_page,
    photographed,
    printed,
    taken,
    to_bytes,
)

# The bars of EAN-13: a digit's seven modules at the left of the middle, and which of its codes the first digit tells.
_LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
_PARITY = (0b000000, 0b001011, 0b001101, 0b001110, 0b010011, 0b011001, 0b011100, 0b010101, 0b010110, 0b011010)
# Digits of 5 x 7 dots, a row a number.
_DOTS = (
    (14, 17, 19, 21, 25, 17, 14), (4, 12, 4, 4, 4, 4, 14), (14, 17, 1, 2, 4, 8, 31), (31, 2, 4, 2, 1, 17, 14),
    (2, 6, 10, 18, 31, 2, 2), (31, 16, 30, 1, 1, 17, 14), (6, 8, 16, 30, 17, 17, 14), (31, 1, 2, 4, 8, 8, 8),
    (14, 17, 17, 14, 17, 17, 14), (14, 17, 17, 15, 1, 2, 12),
)  # fmt: skip


def barcode(material: Material, rng: Random) -> Everyday:
    """A barcode of a product, its number below."""
    digits = [int(rng.integers(1, 10)), *rng.integers(0, 10, 11).tolist()]
    digits.append(-sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10)
    module = int(rng.integers(2, 6))
    tall = round(module * rng.uniform(35, 70))
    face = any_face(material, rng)
    font = ImageFont.truetype(face.path, round(11 * module), face.index)
    page = Image.new("L", (107 * module, tall + 16 * module), 0)
    drawn = ImageDraw.Draw(page)
    for place, bar in enumerate(_modules(digits)):
        if bar == "1":
            x = (10 + place) * module
            drawn.rectangle((x, 0, x + module - 1, tall), fill=255)
    text = "".join(map(str, digits))
    drawn.text((57 * module, tall + 2 * module), text, 255, font, anchor="mt")
    return Everyday(taken(np.pad(np.asarray(page, np.float32) / 255, int(rng.integers(15, 50))), rng), text)


def _modules(digits: list[int]) -> str:
    def mirrored(code: str) -> str:
        return code.translate(str.maketrans("01", "10"))

    left = (
        mirrored(_LEFT[digit])[::-1] if _PARITY[digits[0]] >> (5 - place) & 1 else _LEFT[digit]
        for place, digit in enumerate(digits[1:7])
    )
    return "101" + "".join(left) + "01010" + "".join(mirrored(_LEFT[digit]) for digit in digits[7:]) + "101"


def wheels(material: Material, rng: Random) -> Everyday:
    """The wheels of a meter: a light digit in each of a row of dark cells."""
    face, height = any_face(material, rng), int(rng.integers(30, 80))
    number = "".join(map(str, rng.integers(0, 10, int(rng.integers(5, 8)))))
    wide, tall = round(height * rng.uniform(1.0, 1.3)), round(height * rng.uniform(1.4, 1.8))
    room = max(2, round(height * rng.uniform(0.06, 0.25)))
    frame = np.full((tall + 2 * room, (wide + room) * len(number) + room), rng.uniform(70, 190), np.float32)
    for place, digit in enumerate(number):
        x, dark, light = room + place * (wide + room), rng.uniform(5, 35), rng.uniform(205, 250)
        cell = frame[room : room + tall, x : x + wide]
        cell[:] = dark
        ink = _bare(printed(face, digit, height))[: tall - 4, : wide - 2]
        top, left = (tall - len(ink)) // 2 + int(rng.integers(-2, 3)), (wide - ink.shape[1]) // 2
        cell[top : top + len(ink), left : left + ink.shape[1]] += (light - dark) * ink
    return Everyday(photographed(_framed(frame, rng.uniform(150, 240), height), rng), number)


def buttons(material: Material, rng: Random) -> Everyday:
    """The keys of a calculator, or of a lock, on a dark screen or a light one."""
    face, height = any_face(material, rng), int(rng.integers(24, 50))
    ground, key, mark = (0.0, 60.0, 255.0) if rng.random() < 0.5 else (255.0, 215.0, 20.0)
    size, step = round(2.6 * height), round(3.2 * height)
    page = np.full((step * 4, step * 3), ground, np.float32)
    rows = ("123", "456", "789") if rng.random() < 0.5 else ("789", "456", "123")
    for row, digits in enumerate((*rows, " 0 ")):
        for column, digit in enumerate(digits):
            middle = round((column + 0.5) * step), round((row + 0.5) * step)
            if digit != " ":
                cv2.circle(page, middle, size // 2, key, -1, cv2.LINE_AA)
                ink = _bare(printed(face, digit, height))
                top, left = middle[1] - len(ink) // 2, middle[0] - ink.shape[1] // 2
                page[top : top + len(ink), left : left + ink.shape[1]] += (mark - key) * ink
    text = "\n".join([*(" ".join(row) for row in rows), "0"])
    return Everyday(to_bytes(_framed(page, ground, height)), text)


def month(material: Material, rng: Random) -> Everyday:
    """A month of a calendar, the letters of the days above."""
    face, height = any_face(material, rng), int(rng.integers(16, 32))
    font = ImageFont.truetype(face.path, round(height * 1.4), face.index)
    weeks = calendar.monthcalendar(int(rng.integers(2000, 2031)), int(rng.integers(1, 13)))
    page = Image.new("L", (round(3.4 * height) * 7, round(2.4 * height) * (len(weeks) + 1)), 0)
    rows = ["MTWTFSS", *([str(day) if day else "" for day in week] for week in weeks)]
    for row, names in enumerate(rows):
        for column, name in enumerate(names):
            place = round(3.4 * height * (column + 0.5)), round(2.4 * height * (row + 0.5))
            ImageDraw.Draw(page).text(place, name, 255, font, anchor="mm")
    ink = np.pad(np.asarray(page, np.float32) / 255, 20)
    return Everyday(taken(ink, rng), "\n".join(" ".join(str(day) for day in week if day) for week in weeks))


def dotted(material: Material, rng: Random) -> Everyday:
    """Numbers one beneath another, printed in dots, some of which touch."""
    numbers = [str(rng.integers(1000, 10**7)) for _ in range(int(rng.integers(1, 5)))]
    step = int(rng.integers(4, 11))
    radius = step * rng.uniform(0.36, 0.52)
    page = np.zeros((len(numbers) * 12 * step, max(map(len, numbers)) * 6 * step), np.float32)
    for line, number in enumerate(numbers):
        for place, digit in enumerate(number):
            for row, dots in enumerate(_DOTS[int(digit)]):
                for column in range(5):
                    if dots >> (4 - column) & 1:
                        x, y = (6 * place + column + 0.5) * step, (12 * line + row + 2) * step
                        x, y = np.array((x, y)) + rng.normal(0, 0.04 * step, 2)
                        middle, size = (round(x * 16), round(y * 16)), round(radius * 16)
                        cv2.circle(page, middle, size, 1.0, -1, cv2.LINE_AA, shift=4)
    return Everyday(taken(on_page(page, rng, margin=0.3), rng), "\n".join(numbers))


def dark_column(material: Material, rng: Random) -> Everyday:
    """A timetable: light hours in a dark column, minutes beside them."""
    face, height = any_face(material, rng), int(rng.integers(16, 32))
    hours = list(range(int(rng.integers(4, 12)), 24))[: int(rng.integers(4, 9))]
    minutes = [sorted(rng.choice(np.arange(10, 60), int(rng.integers(1, 5)), replace=False).tolist()) for _ in hours]
    page = np.zeros((round(2.2 * height * len(hours)), round(3.2 * height * 5.2)), np.float32)
    page[:, : round(2.6 * height)] = 1
    for row, (hour, rest) in enumerate(zip(hours, minutes, strict=True)):
        for column, number in enumerate((hour, *rest)):
            ink = _bare(printed(face, str(number), height))
            top = round(2.2 * height * (row + 0.5)) - len(ink) // 2
            left = round(height * (1.3 + 3.2 * column)) - ink.shape[1] // 2
            page[top : top + len(ink), left : left + ink.shape[1]] += -ink if column == 0 else ink
    text = "\n".join(" ".join(map(str, (hour, *rest))) for hour, rest in zip(hours, minutes, strict=True))
    return Everyday(taken(on_page(page, rng, margin=0.15), rng), text)


def far_apart(material: Material, rng: Random) -> Everyday:
    """Numbers to choose from, each far from the next."""
    face, height = any_face(material, rng), int(rng.integers(18, 40))
    step, count = round(height * rng.uniform(3.2, 5)), int(rng.integers(3, 8))
    page = np.zeros((round(1.6 * height), step * count), np.float32)
    for place in range(count):
        ink = _bare(printed(face, str(place + 1), height))
        top, left = (len(page) - len(ink)) // 2, round((place + 0.5) * step) - ink.shape[1] // 2
        page[top : top + len(ink), left : left + ink.shape[1]] = ink
    return Everyday(taken(on_page(page, rng), rng), " ".join(str(place + 1) for place in range(count)))


def printed_sum(material: Material, rng: Random) -> Everyday:
    """A printed sum of two numbers."""
    first, second = (int(rng.integers(1, 100)) for _ in range(2))
    ink = printed(any_face(material, rng), f"{first}+{second}={first + second}", int(rng.integers(20, 60)))
    return Everyday(taken(on_page(ink, rng), rng), f"{first} {second} {first + second}")


def _bare(ink: Floats) -> Floats:
    rows, columns = np.flatnonzero(ink.max(1) > 0.3), np.flatnonzero(ink.max(0) > 0.3)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else ink


def _framed(page: Floats, level: float, room: int) -> Floats:
    return np.pad(page, room, constant_values=level)


THINGS: dict[str, Maker] = {
    "a barcode and its number": barcode,
    "wheels of a meter": wheels,
    "buttons of a calculator": buttons,
    "a month of a calendar": month,
    "print of dots": dotted,
    "light hours in a dark column": dark_column,
    "numbers far apart": far_apart,
    "a sum, printed": printed_sum,
}

__all__ = ["THINGS"]
