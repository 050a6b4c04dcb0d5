"""More pictures as people bring them: numbers written by hand beside printed words, on forms and score sheets.

As everyday_pictures.py, whose kinds these join. Knows nothing of readers.
"""

from __future__ import annotations

import numpy as np

from everyday_scenes import Everyday, Maker, Material, Random, any_face, handwritten, on_page, printed, put, taken

_LABELS = (
    "Age", "Weight", "Height", "Phone", "Post code", "Amount", "Room", "Number of guests", "Account", "Year", "Total",
    "Customer no.", "Quantity", "Distance", "Reading", "House number", "Hours", "Points", "Order", "Invoice",
)  # fmt: skip
_NAMES = ("Anna", "Ben", "Clara", "David", "Emil", "Frieda", "Georg", "Hanna", "Max", "Paul", "Mia", "Tom", "Rudi")


def filled_form(material: Material, rng: Random) -> Everyday:
    """Printed labels, a number written by hand after each, half of the forms with a line to write on."""
    face = any_face(material, rng)
    print_height, height = int(rng.integers(16, 30)), int(rng.integers(28, 50))
    count, step = int(rng.integers(2, 7)), round(height * rng.uniform(1.7, 2.4))
    labels = [printed(face, f"{label}:", print_height) for label in rng.choice(_LABELS, count, replace=False)]
    numbers = [_number(rng) for _ in labels]
    inks = [handwritten(material, number, height, rng) for number in numbers]
    start = max(label.shape[1] for label in labels) + round(height * rng.uniform(0.5, 1.5))
    page = np.zeros((step * (count + 1), start + max(ink.shape[1] for ink in inks) + 2 * height), np.float32)
    lines = np.zeros_like(page) if rng.random() < 0.5 else None
    for place, (label, ink) in enumerate(zip(labels, inks, strict=True), 1):
        foot = place * step
        put(page, label, 0, foot - len(label) + round(0.25 * print_height))
        put(page, ink, start + round(rng.uniform(0, 0.5) * height), foot - len(ink))
        if lines is not None:
            lines[foot + 3 : foot + 5, start:] = 1
    room = [round(rng.uniform(0.5, 1.5) * height) for _ in range(4)]
    pads = ((room[0], room[1]), (room[2], room[3]))
    return Everyday(taken(np.pad(page, pads), rng, None if lines is None else np.pad(lines, pads)), "\n".join(numbers))


def score_sheet(material: Material, rng: Random) -> Everyday:
    """Printed names above columns of points written by hand, half of them between lines."""
    face = any_face(material, rng)
    print_height, height = int(rng.integers(18, 30)), int(rng.integers(28, 46))
    columns, rows = int(rng.integers(2, 5)), int(rng.integers(2, 7))
    names = [printed(face, name, print_height) for name in rng.choice(_NAMES, columns, replace=False)]
    wide = max(round(3.4 * height), max(name.shape[1] for name in names) + height)
    tall = round(height * rng.uniform(1.5, 1.9))
    page = np.zeros((tall * (rows + 1), wide * columns), np.float32)
    for column, name in enumerate(names):
        put(page, name, round((column + 0.5) * wide) - name.shape[1] // 2, (tall - len(name)) // 2)
    points = [[str(rng.integers(1, 100)) for _ in range(columns)] for _ in range(rows)]
    for row, numbers in enumerate(points, 1):
        for column, number in enumerate(numbers):
            ink = handwritten(material, number, height, rng)
            x = round((column + 0.5) * wide - ink.shape[1] / 2 + rng.uniform(-0.3, 0.3) * height)
            put(page, ink, x, round((row + 0.5) * tall - len(ink) / 2))
    lines = None
    if rng.random() < 0.5:
        lines = np.zeros_like(page)
        for column in range(1, columns):
            lines[:, column * wide : column * wide + 3] = 1
        lines[tall : tall + 3] = 1
        lines = np.pad(lines, height)
    return Everyday(taken(np.pad(page, height), rng, lines), "\n".join(" ".join(numbers) for numbers in points))


def labelled(material: Material, rng: Random) -> Everyday:
    """One printed word and one number written by hand beside it."""
    label = printed(any_face(material, rng), f"{rng.choice(_LABELS)}:", int(rng.integers(18, 40)))
    height = int(rng.integers(32, 60))
    number = _number(rng)
    ink = handwritten(material, number, height, rng)
    gap = round(height * rng.uniform(0.5, 1.5))
    page = np.zeros((max(len(label), len(ink)) + 8, label.shape[1] + gap + ink.shape[1]), np.float32)
    put(page, label, 0, (len(page) - len(label)) // 2)
    put(page, ink, label.shape[1] + gap, (len(page) - len(ink)) // 2)
    return Everyday(taken(on_page(page, rng), rng), number)


def _number(rng: Random) -> str:
    digits = int(rng.integers(1, 7))
    return str(rng.integers(10 ** (digits - 1), 10**digits))


FORMS: dict[str, Maker] = {
    "a form, filled in by hand": filled_form,
    "a score sheet, filled in by hand": score_sheet,
    "a number by hand beside a printed word": labelled,
}

__all__ = ["FORMS"]
