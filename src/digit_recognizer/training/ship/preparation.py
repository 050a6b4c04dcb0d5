"""Digits, pen drawings and fonts are split and become the material that the preset ship learns from.

Knows nothing of networks, run folders and terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digit_recognizer.digits import Digits
from digit_recognizer.sources.strokes import Drawing, read_strokes
from digit_recognizer.training.fonts import FontFace, find_fonts, split_faces, usable_for_digits
from digit_recognizer.training.recipe import Composition
from digit_recognizer.training.ship.material import Amounts, Ingredients, Material, compose

HELD_OUT_DRAWINGS = 1 / 6  # the last of the file
HELD_OUT_FONTS = 0.2
FONT_SPLIT_SEED = 0  # the same fonts are held out whatever the seed, so that they stay unseen in every figure
_STREAMS = 16  # streams of randomness for one seed: even ones for what is learnt from, 1 for what is validated on


@dataclass(frozen=True)
class Prepared:
    """Frames, the plain digits first. sources: what they were made of, in words and numbers.

    training: one material for each composition. validation: made as the last of them.
    """

    training: list[Material]
    validation: Material
    sources: dict[str, Any]


def prepare(
    training: Digits,
    validation: Digits,
    compositions: Sequence[Composition],
    *,
    strokes: str | None,
    fonts: Sequence[Path] | None,
    seed: int,
    tell: Callable[[str], None] = lambda note: None,
    on_frames: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Compose what is learnt from and what is validated on; no digit, drawing or font is in both.

    compositions: one for each training, in their order.
    strokes: a file of pen drawings, or None; fonts: folders of fonts, None for the platform's own. on_frames: called
    with (done, total) frames of each composition; what it raises ends the work.
    Raises InputError where the strokes cannot be read, and what ``compose`` raises.
    """
    learnt, kept = ingredients(training, validation, strokes=strokes, fonts=fonts)
    tell(
        f"composing from {len(training):,} digits, {len(learnt.drawings):,} pen drawings and {len(learnt.faces):,} "
        f"fonts; held out: {len(validation):,}, {len(kept.drawings):,} and {len(kept.faces):,}"
    )

    def material(ingredients: Ingredients, composition: Composition, copies: int, stream: int) -> Material:
        digits = ingredients.digits
        amounts = _amounts(composition, len(digits), ingredients.drawings, ingredients.faces)
        plain = Material(digits.images, digits.known_labels())
        return Material.join(
            [*[plain] * copies, compose(ingredients, amounts, seed * _STREAMS + stream, tell=on_frames)]
        )

    materials = [
        material(learnt, composition, 1 + composition.plain, 2 * stage)
        for stage, composition in enumerate(compositions)
    ]
    return Prepared(
        training=materials,
        validation=material(kept, compositions[-1], copies=1, stream=1),
        sources={
            "digits": len(training),
            "drawings": len(learnt.drawings),
            "fonts": len(learnt.faces),
            "font_families": len({face.family for face in learnt.faces}),
            "frames": [len(material) for material in materials],
        },
    )


def ingredients(
    training: Digits, held_out: Digits, *, strokes: str | None, fonts: Sequence[Path] | None
) -> tuple[Ingredients, Ingredients]:
    """What is learnt from and what is held out, with these digits; no drawing or font is in both.

    strokes, fonts: as ``prepare`` takes them. Raises InputError where the strokes cannot be read.
    """
    drawings = read_strokes(Path(strokes)) if strokes else []
    seen, unseen = split_drawings([drawing for drawing in drawings if drawing.label is not None])
    faces = [face for face in find_fonts(fonts) if usable_for_digits(face)]
    learnt, kept = split_faces(faces, HELD_OUT_FONTS, FONT_SPLIT_SEED) if faces else ([], [])
    return Ingredients(training, seen, learnt), Ingredients(held_out, unseen, kept)


def split_drawings(drawings: Sequence[Drawing]) -> tuple[Sequence[Drawing], Sequence[Drawing]]:
    """(training, held out): the last sixth is held out."""
    kept = len(drawings) - round(len(drawings) * HELD_OUT_DRAWINGS)
    return drawings[:kept], drawings[kept:]


def _amounts(composition: Composition, digits: int, drawings: Sequence[Drawing], faces: Sequence[FontFace]) -> Amounts:
    return Amounts(
        digits=round(composition.digits * digits),
        drawings=round(composition.drawings * digits) if drawings else 0,
        printed=round(composition.printed * digits) if faces else 0,
        no_digits=round(composition.no_digits * digits),
        straight=round(composition.straight * digits),
        out_of_focus=composition.out_of_focus,
    )


__all__ = ["FONT_SPLIT_SEED", "HELD_OUT_FONTS", "Prepared", "ingredients", "prepare", "split_drawings"]
