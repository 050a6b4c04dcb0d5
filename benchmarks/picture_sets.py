"""Held-out digits become every set of the robustness table: names, pictures, labels, and what was asked of each.

Pictures are made when a set is read, from a seed of its own: the same set, whichever others are read. Knows nothing of
models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import foreign
import not_digits
from as_sent import AS_SENT, Grey
from corruptions import CORRUPTIONS, corrupt
from digit_recognizer.digits import Digits
from foreign import Labelled
from photo_grids import cut_cells

MNIST, CORRUPTED, SENT, FOREIGN = "MNIST", "MNIST-C", "as sent", "foreign"
VALIDATION_IMAGES = 6_000  # the last of MNIST's training images, left out of the training that ships
NEEDED_SENT = {"ruled": 0.98, "14 x 14": 0.98}  # 99 % for the others
ASKED_SENT = ("inverted", "off-centre", "shadow", "coloured ink", "ruled", "14 x 14")


@dataclass(frozen=True)
class Sources:
    """What the sets are made of. held_out: labelled digits that the model never saw. limit: pictures a simulated set.

    strokes: pen drawings; photos: a folder of photographed grids; envelopes: a file of scanned digits; each None where
    it is not at hand. fonts: folders, or None for the system's. seed: of every simulation.
    """

    held_out: Digits
    limit: int
    strokes: Path | None = None
    photos: Path | None = None
    envelopes: Path | None = None
    fonts: tuple[Path, ...] | None = None
    seed: int = 0

    @cached_property
    def faces(self) -> list[Any]:
        """The fonts that training leaves out. Raises LookupError or ImportError where they are not at hand."""
        return foreign.held_out_faces(self.fonts)

    def rng(self, name: str) -> np.random.Generator:
        """The generator of the set of that name."""
        return np.random.default_rng([self.seed, *name.encode()])

    def chosen(self) -> Digits:
        """``limit`` of the held-out digits at random; the same for every set."""
        order = self.rng("chosen").permutation(len(self.held_out))
        return self.held_out.take(np.sort(order[: self.limit]))


@dataclass(frozen=True)
class DigitSet:
    """Labelled pictures of digits. framed: they are frames already, and go into the model as they are.

    required, aim: shares that were asked for, 0-1, or None.
    """

    group: str
    name: str
    read: Callable[[], Iterator[Labelled]]
    framed: bool = False
    required: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class OtherSet:
    """Pictures that hold no digit. counted: one of the kinds that were asked for."""

    name: str
    read: Callable[[], Iterator[Grey]]
    counted: bool = True


def digit_sets(sources: Sources) -> list[DigitSet]:
    """Every set of digits, in the order of the table. A set whose source is missing says so when it is read."""
    chosen = sources.chosen()
    everything = partial(_labelled, sources.held_out)
    sets = [
        DigitSet(MNIST, "frames", everything, framed=True, required=0.9970, aim=0.9980),
        DigitSet(MNIST, "as pictures", everything),
    ]
    for name in CORRUPTIONS:
        read = partial(_corrupted, chosen, name, sources.seed)
        sets += [DigitSet(CORRUPTED, name, read, framed=True), DigitSet(CORRUPTED, name, read)]
    for name in AS_SENT:
        asked = name in ASKED_SENT
        needed = NEEDED_SENT.get(name, 0.99) if asked else None
        read_sent = partial(_sent, chosen, name, sources)
        sets.append(DigitSet(SENT, name, read_sent, required=needed, aim=0.995 if asked else None))
    return sets + _foreign_sets(sources, chosen)


def other_sets(sources: Sources) -> list[OtherSet]:
    """Every kind of picture without a digit; half of the limit each."""

    def kind(name: str, maker: Callable[[], not_digits.Maker], counted: bool = True) -> OtherSet:
        return OtherSet(name, lambda: _made(maker(), sources.rng(name), max(1, sources.limit // 2)), counted)

    held_out = sources.held_out
    return [
        kind("letters", lambda: not_digits.letters(sources.faces, like_a_digit=False)),
        *(kind(name, partial(_itself, maker)) for name, maker in not_digits.DRAWN.items()),
        kind("photo crops", not_digits.photo_crops),
        kind("paper crops", lambda: not_digits.paper_crops(_present(sources.photos, "photos"))),
        kind("letters like a digit", lambda: not_digits.letters(sources.faces, like_a_digit=True), counted=False),
        kind("two digits", lambda: not_digits.two_digits(held_out), counted=False),
        kind("pieces", lambda: not_digits.pieces(held_out), counted=False),
    ]


def photos_left_out(sources: Sources) -> list[str]:
    """Names of the photos in which no grid was found: their cells are in no set."""
    return cut_cells(sources.photos)[1] if sources.photos and sources.photos.is_dir() else []


def _foreign_sets(sources: Sources, chosen: Digits) -> list[DigitSet]:
    rng = sources.rng

    def pens(pen: int | None) -> Iterator[Labelled]:
        strokes = _present(sources.strokes, "pen drawings")
        return foreign.pen_drawings(strokes, pen, rng(f"pen {pen}"), sources.limit)

    def drawn(pen: int) -> Iterator[Labelled]:
        return foreign.either_way_round(pens(pen), rng(f"polarity {pen}"))

    def cells() -> Iterator[Labelled]:
        found, _ = cut_cells(_present(sources.photos, "photos"))
        return (Labelled(cell.picture, cell.digit) for cell in found if cell.digit)

    def envelopes() -> Iterator[Labelled]:
        scans = foreign.envelope_scans(_present(sources.envelopes, "scans of envelopes"))
        return foreign.either_way_round(scans, rng("envelopes"))

    grey, hard = foreign.grey_scans, foreign.black_white_scans
    grey_set = partial(DigitSet, FOREIGN, required=0.983, aim=0.99)
    hard_set = partial(DigitSet, FOREIGN, required=0.97, aim=0.985)
    mnist = partial(_labelled, chosen)
    return [
        DigitSet(FOREIGN, "8 x 8 scans (scikit-learn)", foreign.eight_by_eight),
        grey_set("16 x 16 grey, envelopes (USPS)", envelopes),
        grey_set("16 x 16 grey, of MNIST", lambda: grey(mnist(), rng("grey"))),
        grey_set("16 x 16 grey, of other writers", lambda: grey(pens(None), rng("grey pens"))),
        hard_set("16 x 16 black and white, of MNIST", lambda: hard(mnist(), rng("hard"))),
        hard_set("16 x 16 black and white, of other writers", lambda: hard(pens(None), rng("hard pens"))),
        *(
            DigitSet(FOREIGN, f"pen drawings, {pen} of 280 pixels", partial(drawn, pen), required=0.988, aim=0.995)
            for pen in foreign.PEN_WIDTHS
        ),
        DigitSet(
            FOREIGN,
            "old records (simulated)",
            lambda: foreign.record_crops(chosen, rng("records")),
            required=0.89,
            aim=0.93,
        ),
        DigitSet(
            FOREIGN,
            "print, fonts held out",
            lambda: foreign.printed(sources.faces, rng("print"), sources.limit),
            required=0.99,
            aim=0.998,
        ),
        DigitSet(FOREIGN, "cells of photographed grids", cells),
    ]


def _labelled(digits: Digits) -> Iterator[Labelled]:
    return map(Labelled, digits.images, digits.known_labels().tolist())


def _corrupted(digits: Digits, name: str, seed: int) -> Iterator[Labelled]:
    return map(Labelled, corrupt(digits.images, name, seed), digits.known_labels().tolist())


def _sent(digits: Digits, name: str, sources: Sources) -> Iterator[Labelled]:
    rng = sources.rng(name)
    return (Labelled(AS_SENT[name](image, rng), label) for image, label in _labelled(digits))


def _made(maker: not_digits.Maker, rng: np.random.Generator, count: int) -> Iterator[Grey]:
    return (maker(rng) for _ in range(count))


def _itself(maker: not_digits.Maker) -> not_digits.Maker:
    return maker


def _present(path: Path | None, what: str) -> Path:
    if path is None or not path.exists():
        raise LookupError(f"no {what} at hand")
    return path


__all__ = [
    "CORRUPTED",
    "FOREIGN",
    "MNIST",
    "SENT",
    "VALIDATION_IMAGES",
    "DigitSet",
    "OtherSet",
    "Sources",
    "digit_sets",
    "other_sets",
    "photos_left_out",
]
