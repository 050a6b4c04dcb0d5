"""MNIST, pen drawings and fonts become labelled frames: digits as people send them, and things that are no digit.

Every crop goes through pictures/ink.py: the network learns from what it will be shown. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from digit_recognizer.digits import SIDE, Digits, Images, Labels
from digit_recognizer.errors import InputError
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.sources.strokes import Drawing
from digit_recognizer.training.fonts import DIGITS, OTHERS, FontFace, any_face, by_family, render
from digit_recognizer.training.pool import share_out
from digit_recognizer.training.ship.scenes import Odds, crop_of, texture
from digit_recognizer.training.ship.sprites import (
    SPRITE_SIDE,
    Ink,
    bent,
    figure,
    is_marked_zero,
    is_upright_bar,
    line_of,
    outlined,
    piece,
    run_together,
    scribble,
    sprite_of_drawing,
    sprite_of_frame,
    straight_stroke,
    with_gaps,
)

NO_DIGIT = 10  # the label of what is no digit
CHUNK = 500  # frames that one task makes: enough to outweigh its start, few enough to share out evenly

_NEIGHBOURS = 24  # sprites at hand for a chunk's neighbours
_GAPS = 0.1  # share of characters with broken strokes
_OUTLINED = 0.05  # share of them of which only the outline is drawn
_MARKED_LEFT_OUT = 0.8  # share of the printed zeros with a slash or dot: blurred, an 8 looks like them

# What is no digit, and how often of each kind.
_KINDS: dict[str, float] = {
    "letter": 0.33,
    "word": 0.06,
    "scribble": 0.08,
    "figure": 0.08,
    "together": 0.16,
    "piece": 0.14,
    "texture": 0.07,
    "paper": 0.05,
    "noise": 0.02,
    "blank": 0.01,
}


@dataclass(frozen=True)
class Ingredients:
    """What frames are composed from. digits: labelled frames. drawings: with labels. faces: fonts, or none."""

    digits: Digits
    drawings: Sequence[Drawing] = ()
    faces: Sequence[FontFace] = ()


@dataclass(frozen=True)
class Amounts:
    """How many frames: composed of the digits, of the drawings, of printed digits, and of what is no digit.

    straight: of 1s that are one straight stroke; where there are any, an upright bar is no longer shown as no digit.
    out_of_focus: the share of printed crops so blurred that strokes nearly run together; a quarter of it of the others.
    """

    digits: int
    drawings: int
    printed: int
    no_digits: int
    straight: int = 0
    out_of_focus: float = 0.0


@dataclass(frozen=True, eq=False)
class Material:
    """Labelled frames to learn from. images: uint8 (N, 28, 28). labels: int64 (N,), 0-9, or NO_DIGIT.

    Offers what the training loop asks of ``Digits``, which know no eleventh label.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.shape != (len(self.labels), SIDE, SIDE):
            raise InputError(f"expected one label per frame, found {len(self.labels)} for {self.images.shape}")

    def __len__(self) -> int:
        return len(self.labels)

    def known_labels(self) -> Labels:
        """The labels, int64 (N,)."""
        return self.labels

    @staticmethod
    def join(parts: Sequence[Material]) -> Material:
        """All parts in order."""
        return Material(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))


def compose(
    ingredients: Ingredients,
    amounts: Amounts,
    seed: int,
    *,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Material:
    """Make frames, the same for the same ingredients, amounts and seed, however many workers there are.

    workers: processes, one per core where left out; 1 works in this process. tell: called with (done, total) frames;
    what it raises ends the work.
    Raises InputError where drawings or printed digits are wanted and there are none.

    >>> compose(Ingredients(Digits(np.zeros((1, 28, 28), np.uint8), np.array([0]))), Amounts(0, 0, 0, 0), 0).labels
    array([], dtype=int64)
    """
    for wanted, found, what in (
        (amounts.digits, len(ingredients.digits), "labelled digits"),
        (amounts.drawings, len(ingredients.drawings), "pen drawings"),
        (amounts.printed, len(ingredients.faces), "fonts"),
    ):
        if wanted and not found:
            raise InputError(f"expected {what} to compose training frames from, found none")
    tasks = list(_tasks(amounts, seed))
    total = sum(size for _, _, size, _ in tasks)
    parts: list[tuple[Images, Labels]] = []

    def keep(task: _Task, part: tuple[Images, Labels]) -> None:
        parts.append(part)
        tell(sum(len(labels) for _, labels in parts), total)

    share_out(_make, _Shared(ingredients, amounts, {}), tasks, keep, workers=workers)
    if not parts:
        return Material(np.zeros((0, SIDE, SIDE), np.uint8), np.zeros(0, np.int64))
    return Material(np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts]))


_SOURCES = ("digits", "drawings", "printed", "no_digits", "straight")  # each draws from its own randomness
_Task = tuple[str, int, int, int]  # source, first, size, seed


def _tasks(amounts: Amounts, seed: int) -> Iterator[_Task]:
    for number, source in enumerate(_SOURCES):
        amount = getattr(amounts, source)
        for first in range(0, amount, CHUNK):
            drawn = np.random.SeedSequence([seed, number, first]).generate_state(1, np.uint64)[0]
            yield source, first, min(CHUNK, amount - first), int(drawn)


_Glyphs = dict[tuple[FontFace, str], Ink | None]


@dataclass(frozen=True)
class _Shared:
    """What all tasks share. glyphs: the characters drawn so far, by the same process."""

    ingredients: Ingredients
    amounts: Amounts
    glyphs: _Glyphs


def _make(shared: _Shared, task: _Task) -> tuple[Images, Labels]:
    source, first, size, seed = task
    rng = np.random.default_rng(seed)
    maker = _Maker(shared.ingredients, shared.amounts, rng, shared.glyphs)
    one = {
        "digits": maker.digit,
        "drawings": maker.drawing,
        "printed": maker.printed,
        "no_digits": maker.no_digit,
        "straight": maker.straight,
    }[source]
    frames = np.zeros((size, SIDE, SIDE), np.uint8)
    labels = np.zeros(size, np.int64)
    for index in range(size):
        frames[index], labels[index] = one(first + index)
    # Where the ink got lost nothing is left to read.
    labels[~frames.any((1, 2))] = NO_DIGIT
    return frames, labels


class _Maker:
    """Makes one frame after the other from the same ingredients and stream of randomness."""

    def __init__(self, ingredients: Ingredients, amounts: Amounts, rng: np.random.Generator, glyphs: _Glyphs) -> None:
        self.ingredients, self.rng, self.glyphs = ingredients, rng, glyphs
        self.bars_are_ones = amounts.straight > 0
        self.odds = Odds(out_of_focus=amounts.out_of_focus / 4)
        self.print_odds = Odds(out_of_focus=amounts.out_of_focus)
        self.families = by_family(ingredients.faces)
        self.neighbours = [self._any_digit()[0] for _ in range(_NEIGHBOURS)]

    def digit(self, index: int) -> tuple[Ink, int]:
        digits = self.ingredients.digits
        index %= len(digits)
        return self._taken(sprite_of_frame(digits.images[index])), int(digits.known_labels()[index])

    def drawing(self, index: int) -> tuple[Ink, int]:
        drawing = self.ingredients.drawings[index % len(self.ingredients.drawings)]
        assert drawing.label is not None
        return self._taken(sprite_of_drawing(drawing, self.rng)), drawing.label

    def printed(self, index: int) -> tuple[Ink, int]:
        label = index % 10
        glyph = self._glyph(DIGITS[label])
        if label == 0 and is_marked_zero(glyph) and self.rng.random() < _MARKED_LEFT_OUT:
            return self.printed(index)
        return self._taken(glyph, odds=self.print_odds), label

    def straight(self, index: int) -> tuple[Ink, int]:
        return self._taken(straight_stroke(self.rng), dose=0.5), 1

    def no_digit(self, index: int) -> tuple[Ink, int]:
        frame = self._no_digit()
        while self.bars_are_ones and is_upright_bar(frame):
            frame = self._no_digit()
        return frame, NO_DIGIT

    def _no_digit(self) -> Ink:
        kind = self.rng.choice(list(_KINDS), p=list(_KINDS.values()))
        if kind in ("letter", "word") and not self.ingredients.faces:
            kind = "scribble"
        make: dict[str, Callable[[], Ink | None]] = {
            "letter": lambda: self._taken(self._glyph(OTHERS)),
            "word": lambda: self._taken(self._word()),
            "scribble": lambda: self._taken(scribble(self.rng), dose=0.3),
            "figure": lambda: self._taken(figure(self.rng), dose=0.5),
            "together": lambda: self._taken(
                run_together(self._any_digit()[0], self._any_digit()[0], self.rng), dose=0.5
            ),
            "piece": self._piece,
            "texture": lambda: to_frame(texture(self.rng)),
            "paper": self._paper,
            "noise": lambda: self.rng.integers(0, 256, (SIDE, SIDE), np.uint8),
            "blank": lambda: np.zeros((SIDE, SIDE), np.uint8),
        }
        frame = make[str(kind)]()
        return np.zeros((SIDE, SIDE), np.uint8) if frame is None else frame

    def _taken(self, sprite: Ink, dose: float = 1.0, odds: Odds | None = None) -> Ink:
        """The sprite bent, taken as a crop, and framed as the reader frames it."""
        rng = self.rng
        if max(sprite.shape) < 2:
            return np.zeros((SIDE, SIDE), np.uint8)
        sprite = bent(sprite, rng, dose * rng.random() ** 0.5)
        if rng.random() < _GAPS:
            sprite = with_gaps(sprite, rng)
        if rng.random() < _OUTLINED:
            sprite = outlined(sprite, rng)
        return to_frame(crop_of(sprite, self.neighbours, rng, odds or self.odds))

    def _any_digit(self) -> tuple[Ink, int]:
        """A sprite of any source, and its label: of the digits mostly, of a drawing or a font else."""
        rng, ingredients = self.rng, self.ingredients
        choice = rng.random()
        if choice < 0.2 and ingredients.drawings:
            drawing = ingredients.drawings[int(rng.integers(len(ingredients.drawings)))]
            return sprite_of_drawing(drawing, rng), drawing.label or 0
        if choice < 0.4 and ingredients.faces:
            label = int(rng.integers(10))
            return self._glyph(DIGITS[label]), label
        index = int(rng.integers(len(ingredients.digits)))
        return sprite_of_frame(ingredients.digits.images[index]), int(ingredients.digits.known_labels()[index])

    def _piece(self) -> Ink | None:
        for _ in range(20):
            part = piece(*self._any_digit(), self.rng)
            if part is not None:
                return self._taken(part, dose=0.5)
        return None

    def _paper(self) -> Ink:
        """A crop in which nothing is written."""
        height, width = (int(side) for side in self.rng.integers(20, 80, 2))
        return to_frame(crop_of(np.zeros((height, width), np.uint8), (), self.rng, self.odds))

    def _glyph(self, characters: Sequence[str]) -> Ink:
        """One of ``characters`` in any of the fonts that has it."""
        while True:
            key = (any_face(self.families, self.rng), characters[int(self.rng.integers(len(characters)))])
            if key not in self.glyphs:
                self.glyphs[key] = render(*key, SPRITE_SIDE)
            glyph = self.glyphs[key]
            if glyph is not None and max(glyph.shape) > 1:
                return glyph

    def _word(self) -> Ink:
        letters = [self._glyph(OTHERS) for _ in range(self.rng.integers(2, 5))]
        return line_of(letters, int(self.rng.integers(0, 8)))


__all__ = ["CHUNK", "NO_DIGIT", "Amounts", "Ingredients", "Material", "compose"]
