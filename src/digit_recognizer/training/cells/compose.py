"""MNIST, pen drawings and fonts become labelled cells of grids, the same for the same seed, however many work.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.cell_reader import EMPTY, OTHER
from digit_recognizer.digits import Labels
from digit_recognizer.errors import InputError
from digit_recognizer.pictures.grids.grid_lines import CELL
from digit_recognizer.training.cells.scenes import cell_of
from digit_recognizer.training.fonts import DIGITS, OTHERS, any_face, by_family, render
from digit_recognizer.training.pool import share_out
from digit_recognizer.training.ship.material import Ingredients
from digit_recognizer.training.ship.sprites import (
    SPRITE_SIDE,
    Ink,
    bent,
    figure,
    is_marked_zero,
    line_of,
    run_together,
    scribble,
    sprite_of_drawing,
    sprite_of_frame,
    straight_stroke,
    with_gaps,
)

CHUNK = 250  # cells that one task makes

_EMPTY, _OTHER = 0.06, 0.1  # shares of cells
_DRAWINGS, _PRINTED, _STRAIGHT = 0.15, 0.27, 0.01  # shares of digits
_GAPS = 0.04  # share of handwriting with broken strokes
_BROAD = 0.15  # share of it in a pen so broad that loops fill up
_MARKED_LEFT_OUT = 0.8  # share of the printed zeros with a slash or dot


@dataclass(frozen=True, eq=False)
class Cells:
    """pictures: uint8 (N, 64, 64), as find_grid straightens them. labels: int64 (N,), 0-9, EMPTY or OTHER."""

    pictures: npt.NDArray[np.uint8]
    labels: Labels

    def __post_init__(self) -> None:
        if self.pictures.shape != (len(self.labels), CELL, CELL):
            raise InputError(f"expected one label per cell, found {len(self.labels)} for {self.pictures.shape}")

    def __len__(self) -> int:
        return len(self.labels)


def compose_cells(
    ingredients: Ingredients,
    count: int,
    seed: int,
    *,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Cells:
    """Compose ``count`` cells.

    workers: processes, one per core where left out; 1 works in this process. tell: called with (done, total) cells;
    what it raises ends the work. Raises InputError without labelled digits.

    >>> from digit_recognizer.digits import Digits
    >>> digits = Digits(np.full((1, 28, 28), 255, np.uint8), np.array([0]))
    >>> compose_cells(Ingredients(digits), 2, seed=0, workers=1).pictures.shape
    (2, 64, 64)
    """
    if not len(ingredients.digits):
        raise InputError("expected labelled digits to compose cells from, found none")
    ingredients.digits.known_labels()
    tasks = [(first, min(CHUNK, count - first), seed) for first in range(0, count, CHUNK)]
    pictures, labels = np.zeros((count, CELL, CELL), np.uint8), np.zeros(count, np.int64)

    def keep(task: _Task, made: Cells) -> None:
        first, size, _ = task
        pictures[first : first + size], labels[first : first + size] = made.pictures, made.labels
        tell(first + size, count)

    share_out(_make, ingredients, tasks, keep, workers=workers)
    return Cells(pictures, labels)


_Task = tuple[int, int, int]  # first cell, how many, seed


def _make(ingredients: Ingredients, task: _Task) -> Cells:
    first, count, seed = task
    maker = _Maker(ingredients, np.random.default_rng([seed, first]))
    made = [maker.cell() for _ in range(count)]
    return Cells(np.stack([picture for picture, _ in made]), np.array([label for _, label in made], np.int64))


class _Maker:
    """Makes one cell after the other from the same ingredients and stream of randomness."""

    def __init__(self, ingredients: Ingredients, rng: np.random.Generator) -> None:
        self.ingredients, self.rng = ingredients, rng
        self.families = by_family(ingredients.faces)
        self.neighbours = [self._digit()[0] for _ in range(24)]

    def cell(self) -> tuple[Ink, int]:
        rng = self.rng
        kind = rng.random()
        if kind < _EMPTY:
            return cell_of(None, self.neighbours, rng), EMPTY
        if kind < _EMPTY + _OTHER:
            ink, printed = self._other()
            return cell_of(ink, self.neighbours, rng, printed=printed), OTHER
        ink, label, printed = self._digit()
        return cell_of(ink, self.neighbours, rng, printed=printed), label

    def _digit(self) -> tuple[Ink, int, bool]:
        rng, ingredients = self.rng, self.ingredients
        choice = rng.random()
        if choice < _PRINTED and self.families:
            label = int(rng.integers(10))
            glyph = self._glyph(DIGITS[label])
            while label == 0 and is_marked_zero(glyph) and rng.random() < _MARKED_LEFT_OUT:
                glyph = self._glyph(DIGITS[label])
            return bent(glyph, rng, 0.35 * rng.random()), label, True
        if choice < _PRINTED + _STRAIGHT:
            return straight_stroke(rng), 1, False
        if choice < _PRINTED + _STRAIGHT + _DRAWINGS and ingredients.drawings:
            drawing = ingredients.drawings[int(rng.integers(len(ingredients.drawings)))]
            sprite, label = sprite_of_drawing(drawing, rng), drawing.label or 0
        else:
            index = int(rng.integers(len(ingredients.digits)))
            sprite = sprite_of_frame(ingredients.digits.images[index])
            label = int(ingredients.digits.known_labels()[index])
        sprite = bent(sprite, rng, rng.random() ** 0.5)
        if rng.random() < _BROAD:
            sprite = _broad(sprite, rng)
        return (with_gaps(sprite, rng) if rng.random() < _GAPS else sprite), label, False

    def _other(self) -> tuple[Ink, bool]:
        rng = self.rng
        kind = rng.random()
        if kind < 0.4 and self.families:
            return bent(self._glyph(OTHERS), rng, 0.5 * rng.random()), True
        if kind < 0.5 and self.families:
            return line_of([self._glyph(OTHERS) for _ in range(rng.integers(2, 5))], int(rng.integers(0, 8))), True
        if kind < 0.75:  # two digits and more, apart or in touch
            parts = [self._digit()[0] for _ in range(2 if rng.random() < 0.7 else 3)]
            if rng.random() < 0.4:
                return run_together(parts[0], parts[1], rng), False
            return line_of(parts, int(rng.integers(3, 25))), rng.random() < 0.5
        return (scribble(rng) if kind < 0.88 else figure(rng)), False

    def _glyph(self, characters: Sequence[str]) -> Ink:
        """One of ``characters`` in any of the fonts that has it."""
        while True:
            face = any_face(self.families, self.rng)
            glyph = render(face, characters[int(self.rng.integers(len(characters)))], SPRITE_SIDE)
            if glyph is not None and max(glyph.shape) > 1:
                return glyph


def _broad(ink: Ink, rng: np.random.Generator) -> Ink:
    """The sprite in a pen that is 2 to 6 pixels broader, of its sixty."""
    size = int(rng.integers(2, 7))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size + 1, size + 1))
    return np.asarray(cv2.dilate(np.pad(ink, size), kernel), np.uint8)


__all__ = ["CHUNK", "Cells", "compose_cells"]
