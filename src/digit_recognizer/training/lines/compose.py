"""MNIST, pen drawings and fonts become labelled strips: runs of digits that touch, and of characters that are none.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import FileError, InputError, UsageError
from digit_recognizer.files import whole_file
from digit_recognizer.ink_finder import InkFinder
from digit_recognizer.pictures.words.ctc import OTHER
from digit_recognizer.pictures.words.strips import HEIGHT, Grey, own_ink, strip_of
from digit_recognizer.shipped import shipped_model
from digit_recognizer.training.fonts import DIGITS, OTHERS, FontFace, any_face, by_family, render
from digit_recognizer.training.lines.rows import Character, Run, Writing, write_row
from digit_recognizer.training.pool import share_out
from digit_recognizer.training.ship.material import Ingredients
from digit_recognizer.training.ship.sprites import (
    SPRITE_SIDE,
    bent,
    figure,
    scribble,
    sprite_of_drawing,
    sprite_of_frame,
)

CHUNK = 50  # rows that one task makes

_LENGTHS = (3, 14)  # characters of a row
_WORDS, _MIXED = 0.1, 0.1  # shares of rows of letters alone, and of rows with some characters that are no digit
_DRAWINGS, _PRINTED = 0.25, 0.12  # shares of digits that are pen drawings, and printed ones
_ALONE = 0.6  # share of runs of one digit that are not kept: reading them is others' work
_LATIN = 35  # the first of OTHERS, which every font has
_TOGETHER = 0.25  # share of rows whose runs are put together into strips with gaps


@dataclass(frozen=True, eq=False)
class Strips:
    """Labelled strips, as many as ``starts`` has entries, less one.

    columns: uint8 (C, 32), all strips' columns one after the other. starts: int64 (N + 1,), where each begins in it.
    labels: uint8 (L,), 0-9 or OTHER, of all strips, left to right. centres: float32 (L,), the column of its strip that
    each character has its middle in. label_starts: int64 (N + 1,).
    """

    columns: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.uint8]
    centres: npt.NDArray[np.float32]
    label_starts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        consistent = (
            self.columns.ndim == 2
            and self.columns.shape[1] == HEIGHT
            and len(self.starts) == len(self.label_starts) >= 1
            and self.starts[-1] == len(self.columns)
            and self.label_starts[-1] == len(self.labels) == len(self.centres)
        )
        if not consistent:
            raise InputError(f"expected columns of {HEIGHT} pixels and as many labels as told, found others")

    def __len__(self) -> int:
        return len(self.starts) - 1

    def image(self, number: int) -> Grey:
        """One strip, uint8 (32, W)."""
        return self.columns[self.starts[number] : self.starts[number + 1]].T

    def labels_of(self, number: int) -> tuple[int, ...]:
        """The labels of one strip, left to right."""
        return tuple(self.labels[self.label_starts[number] : self.label_starts[number + 1]].tolist())

    def centres_of(self, number: int) -> npt.NDArray[np.float32]:
        """The middles of one strip's characters, columns of it."""
        return self.centres[self.label_starts[number] : self.label_starts[number + 1]]

    def widths(self) -> npt.NDArray[np.int64]:
        """Columns of each strip, int64 (N,)."""
        return np.diff(self.starts)

    def save(self, path: str | Path) -> None:
        """Write to an .npz file, whole or not at all. Raises FileError."""
        with whole_file(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **vars(self))

    @staticmethod
    def load(path: str | Path) -> Strips:
        """Read what ``save`` wrote. Raises FileError where it cannot be read, InputError where it holds others."""
        try:
            with np.load(path, allow_pickle=False) as found:
                return Strips(**{name: found[name] for name in Strips.__dataclass_fields__})
        except OSError as error:
            raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: expected strips as they were saved ({error})") from error

    @staticmethod
    def join(parts: Sequence[Strips]) -> Strips:
        """All parts in order; of no parts, no strips."""
        empty = Strips.of([], [], [])
        parts = parts or [empty]
        return Strips(
            np.concatenate([part.columns for part in parts]),
            _joined_starts([part.starts for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.centres for part in parts]),
            _joined_starts([part.label_starts for part in parts]),
        )

    @staticmethod
    def of(images: Sequence[Grey], labels: Sequence[Sequence[int]], centres: Sequence[Sequence[float]]) -> Strips:
        """Strips from single ones, uint8 (32, W) each.

        >>> len(Strips.of([np.zeros((32, 20), np.uint8)], [[1, 7]], [[6.0, 14.0]]))
        1
        """
        columns = [np.zeros((0, HEIGHT), np.uint8), *(image.T for image in images)]
        return Strips(
            np.concatenate(columns),
            np.cumsum([len(part) for part in columns]).astype(np.int64),
            np.array([label for row in labels for label in row], np.uint8),
            np.array([centre for row in centres for centre in row], np.float32),
            np.cumsum([0, *(len(row) for row in labels)]).astype(np.int64),
        )


def compose_strips(
    ingredients: Ingredients,
    rows: int,
    seed: int,
    *,
    first_row: int = 0,
    writing: Writing | None = None,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Strips:
    """Write ``rows`` rows and cut them into strips, the same for the same arguments, however many workers there are.

    ingredients: digits, and drawings and fonts where there are any; without fonts, what is no digit is scribbles and
    figures. first_row: the first row's number, by which rows differ; a multiple of CHUNK. workers: processes, one per
    core where left out; 1 works in this process. tell: called with (done, total) rows; what it raises ends the work.
    Raises InputError without labelled digits, UsageError where the first row is no such number.

    >>> from digit_recognizer.digits import Digits
    >>> digits = Digits(np.full((1, 28, 28), 255, np.uint8), np.array([0]))
    >>> len(compose_strips(Ingredients(digits), 0, seed=0))
    0
    """
    if not len(ingredients.digits):
        raise InputError("expected labelled digits to compose lines from, found none")
    ingredients.digits.known_labels()
    writing = writing or Writing()
    if first_row < 0 or first_row % CHUNK:
        raise UsageError(f"--first-row: expected a multiple of {CHUNK}, 0 or more, found {first_row}")
    tasks = [(first_row + done, min(CHUNK, rows - done), seed) for done in range(0, rows, CHUNK)]
    parts: list[Strips] = []

    def keep(task: _Task, part: Strips) -> None:
        parts.append(part)
        tell(task[0] - first_row + task[1], rows)

    share_out(_make, (ingredients, writing), tasks, keep, workers=workers)
    return Strips.join(parts)


_Task = tuple[int, int, int]  # first row, how many, seed


def _make(shared: tuple[Ingredients, Writing], task: _Task) -> Strips:
    ingredients, writing = shared
    first, count, seed = task
    rng = np.random.default_rng([seed, first])
    hand = Hand(ingredients, rng)
    find_ink = _ink_finder().ink
    images: list[Grey] = []
    labels: list[tuple[int, ...]] = []
    centres: list[tuple[float, ...]] = []
    for _ in range(count):
        row = write_row(hand.characters(), writing, rng, find_ink)
        if row is None:
            continue
        for run in _chosen(row.runs, rng):
            strip = strip_of(own_ink(row.strength, row.marks, run.numbers, run.box))
            if strip is None:
                continue
            images.append(strip.image)
            labels.append(run.labels)
            centres.append(tuple((centre - run.box[0] - strip.left) * strip.scale for centre in run.centres))
    return Strips.of(images, labels, centres)


@cache
def _ink_finder() -> InkFinder:
    """The one that ships, opened once in each process, with one thread."""
    file = shipped_model("ink.onnx")
    return InkFinder(file.content, file.name)


def _chosen(runs: Sequence[Run], rng: np.random.Generator) -> list[Run]:
    """The runs that are learnt from: some put together, few of those of one character."""
    if len(runs) > 1 and rng.random() < _TOGETHER:
        size = int(rng.integers(2, 5))
        return [_together(runs[first : first + size]) for first in range(0, len(runs), size)]
    return [run for run in runs if len(run.labels) > 1 or rng.random() >= _ALONE]


def _together(runs: Sequence[Run]) -> Run:
    left, top = min(run.box[0] for run in runs), min(run.box[1] for run in runs)
    right = max(run.box[0] + run.box[2] for run in runs)
    bottom = max(run.box[1] + run.box[3] for run in runs)
    written = sorted((centre, label) for run in runs for centre, label in zip(run.centres, run.labels, strict=True))
    return Run(
        tuple(number for run in runs for number in run.numbers),
        (left, top, right - left, bottom - top),
        tuple(label for _, label in written),
        tuple(centre for centre, _ in written),
    )


class Hand:
    """Chooses what is written, one row after the other. printed: share of rows of digits that are print, 0-1."""

    def __init__(self, ingredients: Ingredients, rng: np.random.Generator, printed: float = _PRINTED) -> None:
        self.ingredients, self.rng, self.print_share = ingredients, rng, printed
        self.families = by_family(ingredients.faces)

    def characters(self) -> list[Character]:
        """A row of them, in one hand or font."""
        rng = self.rng
        count = int(rng.integers(_LENGTHS[0], _LENGTHS[1] + 1))
        dose = rng.uniform(0.1, 0.9)
        kind = rng.random()
        others = 1.0 if kind < _WORDS else 0.3 if kind < _WORDS + _MIXED else 0.0
        printed = rng.random() < (0.5 if others else self.print_share)
        face = self._face() if others or printed else None
        result = []
        for _ in range(count):
            if rng.random() < others:
                one = self._other(face)
            else:
                one = self._printed(face) if face is not None and printed else self._digit()
            result.append(Character(bent(one.ink, rng, dose * rng.random() ** 0.5), one.label))
        return result

    def _digit(self) -> Character:
        rng, ingredients = self.rng, self.ingredients
        if ingredients.drawings and rng.random() < _DRAWINGS:
            drawing = ingredients.drawings[int(rng.integers(len(ingredients.drawings)))]
            return Character(sprite_of_drawing(drawing, rng), drawing.label or 0)
        index = int(rng.integers(len(ingredients.digits)))
        label = int(ingredients.digits.known_labels()[index])
        return Character(sprite_of_frame(ingredients.digits.images[index]), label)

    def _printed(self, face: FontFace) -> Character:
        label = int(self.rng.integers(10))
        glyph = render(face, DIGITS[label], SPRITE_SIDE)
        return self._digit() if glyph is None else Character(glyph, label)

    def _other(self, face: FontFace | None) -> Character:
        kind = self.rng.random()
        if face is not None and kind < 0.85:
            for choice in (OTHERS, OTHERS[:_LATIN]):
                glyph = render(face, choice[int(self.rng.integers(len(choice)))], SPRITE_SIDE)
                if glyph is not None and max(glyph.shape) > 3:
                    return Character(glyph, OTHER)
        return Character(scribble(self.rng) if kind < 0.95 else figure(self.rng), OTHER)

    def _face(self) -> FontFace | None:
        if not self.families:
            return None
        return any_face(self.families, self.rng)


def _joined_starts(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    steps = [np.diff(part) for part in parts]
    return np.concatenate([[0], *steps]).cumsum().astype(np.int64)


__all__ = ["CHUNK", "Hand", "Strips", "compose_strips"]
