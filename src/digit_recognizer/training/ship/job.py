"""The two steps that the model that ships has beside any other training: its material before, its cascade after.

Knows nothing of run folders and terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from digit_recognizer.analysis import metrics
from digit_recognizer.digits import CLASSES, Digits
from digit_recognizer.errors import ModelError
from digit_recognizer.files import write_bytes
from digit_recognizer.model_file import ModelMetadata, check_model, with_metadata
from digit_recognizer.model_probe import open_session, run_session, try_here
from digit_recognizer.sources.strokes import Drawing, read_strokes
from digit_recognizer.training.export import MAX_DIFFERENCE
from digit_recognizer.training.fonts import FontFace, find_fonts, split_faces, usable_for_digits
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.recipe import Composition
from digit_recognizer.training.ship.cascade import Cascade
from digit_recognizer.training.ship.material import NO_DIGIT, Amounts, Ingredients, Material, compose
from digit_recognizer.training.trainer import logits

HELD_OUT_DRAWINGS = 1 / 6  # the last of the file
HELD_OUT_FONTS = 0.2
FONT_SPLIT_SEED = 0  # the same fonts are held out whatever the seed, so that they stay unseen in every figure
CHECKED_FRAMES = 1024

# The scout's answer stands where it is this sure; the first of these that costs the main network's accuracy nothing.
SCOUT_CONFIDENCES = (0.9, 0.95, 0.97, 0.98, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999, 0.9995)
SCOUT_COST = 0.0002  # share of validation frames that the cascade may get wrong beyond the main network


@dataclass(frozen=True)
class Prepared:
    """training, validation: frames, the plain digits first. sources: what they were made of, in words and numbers."""

    training: Material
    validation: Material
    sources: dict[str, Any]


def prepare(
    training: Digits,
    validation: Digits,
    composition: Composition,
    *,
    strokes: str | None,
    fonts: Sequence[Path] | None,
    seed: int,
    tell: Callable[[str], None] = lambda note: None,
) -> Prepared:
    """Compose what is learnt from and what is validated on; no digit, writer or font is in both.

    strokes: a file of pen drawings, or None; fonts: folders of fonts, None for the platform's own.
    Raises InputError where the strokes cannot be read, and what ``compose`` raises.
    """
    drawings = read_strokes(Path(strokes)) if strokes else []
    labelled = [drawing for drawing in drawings if drawing.label is not None]
    faces = [face for face in find_fonts(fonts) if usable_for_digits(face)]
    seen_faces, held_faces = split_faces(faces, HELD_OUT_FONTS, FONT_SPLIT_SEED) if faces else ([], [])
    seen_drawings, held_drawings = split_drawings(labelled)
    tell(
        f"composing from {len(training):,} digits, {len(seen_drawings):,} pen drawings and {len(seen_faces):,} fonts; "
        f"held out: {len(validation):,}, {len(held_drawings):,} and {len(held_faces):,}"
    )
    materials = []
    for digits, kept_drawings, kept_faces, stream in (
        (training, seen_drawings, seen_faces, 0),
        (validation, held_drawings, held_faces, 1),
    ):
        amounts = _amounts(composition, len(digits), kept_drawings, kept_faces)
        composed = compose(Ingredients(digits, kept_drawings, kept_faces), amounts, seed * 2 + stream)
        plain = [Material(digits.images, digits.known_labels())] * (1 if stream else 1 + composition.plain)
        materials.append(Material.join([*plain, composed]))
    return Prepared(
        training=materials[0],
        validation=materials[1],
        sources={
            "digits": len(training),
            "drawings": len(seen_drawings),
            "fonts": len(seen_faces),
            "font_families": len({face.family for face in seen_faces}),
            "frames": len(materials[0]),
            "validation_frames": len(materials[1]),
        },
    )


def split_drawings(drawings: Sequence[Drawing]) -> tuple[Sequence[Drawing], Sequence[Drawing]]:
    """(training, held out): the last sixth is held out."""
    kept = len(drawings) - round(len(drawings) * HELD_OUT_DRAWINGS)
    return drawings[:kept], drawings[kept:]


def make_cascade(
    scout: torch.nn.Module, main: torch.nn.Module, plain: Digits, frames: Material
) -> tuple[Cascade, dict[str, Any]]:
    """Calibrate both networks and choose where the scout is trusted; with what was found.

    plain: validation digits as they are; the temperatures are fitted on them. Fitted on composed frames too, some of
    which nobody could read, they made the sure answers too modest. frames: all validation frames, on which the scout
    must do as well as the main network.
    """
    float32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
    temperatures, answers = [], []
    for network in (scout, main):
        found = logits(network, plain.images, float32).numpy()
        temperatures.append(metrics.fit_temperature(found, plain.known_labels()))
        answers.append(_softmax(logits(network, frames.images, float32).numpy() / temperatures[-1]))
    by_scout, by_main = answers
    wrong_main = float((by_main.argmax(1) != frames.labels).mean())
    chosen, sure = 1.0, np.zeros(len(frames), bool)
    for confidence in SCOUT_CONFIDENCES:
        sure = by_scout.max(1) >= confidence
        both = np.where(sure, by_scout.argmax(1), by_main.argmax(1))
        if float((both != frames.labels).mean()) <= wrong_main + SCOUT_COST:
            chosen = confidence
            break
    facts = {
        "main_accuracy": 1 - wrong_main,
        "scout_accuracy": float((by_scout.argmax(1) == frames.labels).mean()),
        "scout_confidence": chosen,
        "scout_answers": float(sure.mean()),
    }
    return Cascade(scout, main, temperatures[0], temperatures[1], chosen), facts


def choose_min_confidence(cascade: Cascade, plain: Digits, max_error: float) -> float:
    """The smallest confidence from which on at most ``max_error`` of the validation digits are wrong, 0-1."""
    answers = cascade.answer(plain.images)[:, :CLASSES]
    return min(1.0, metrics.confidence_threshold(answers, plain.known_labels(), max_error))


def export_cascade(cascade: Cascade, path: Path, metadata: ModelMetadata, check_images: npt.NDArray[np.uint8]) -> None:
    """Write the cascade as one model file, checked against torch before.

    Raises ModelError, and writes nothing, where ONNX Runtime answers otherwise; FileError.
    """
    content = with_metadata(cascade.to_onnx(), metadata)
    check_model(content, str(path))
    if reason := try_here(content):
        raise ModelError(f"{path}: the exported model does not keep the contract ({reason}); nothing was written")
    session = open_session(content, threads=torch.get_num_threads())
    images = np.ascontiguousarray(check_images[:CHECKED_FRAMES])
    probabilities, unfamiliarity = run_session(session, images)
    expected = cascade.answer(images)
    assert unfamiliarity is not None
    difference = max(
        float(np.abs(probabilities * (1 - unfamiliarity[:, None]) - expected[:, :CLASSES]).max()),
        float(np.abs(unfamiliarity - expected[:, NO_DIGIT]).max()),
    )
    # An image at the very edge of the scout's confidence may be answered by the other network; more is a fault.
    if not difference <= MAX_DIFFERENCE:
        raise ModelError(
            f"{path}: a probability differs by {difference:.2g} between ONNX Runtime and torch, expected at most "
            f"{MAX_DIFFERENCE:g}; nothing was written"
        )
    write_bytes(path, content)


def _amounts(composition: Composition, digits: int, drawings: Sequence[Drawing], faces: Sequence[FontFace]) -> Amounts:
    return Amounts(
        digits=round(composition.digits * digits),
        drawings=round(composition.drawings * digits) if drawings else 0,
        printed=round(composition.printed * digits) if faces else 0,
        no_digits=round(composition.no_digits * digits),
    )


def _softmax(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


__all__ = ["Prepared", "choose_min_confidence", "export_cascade", "make_cascade", "prepare", "split_drawings"]
