"""A trained network, or two, become a calibrated model file, evaluated as readers will use it.

Knows nothing of run folders and of how networks are trained.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from digit_recognizer.analysis import metrics
from digit_recognizer.analysis.inputs import InputFigures, input_figures
from digit_recognizer.digits import CLASSES, Digits
from digit_recognizer.model_file import ModelMetadata, with_metadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.export import export_model, write_checked
from digit_recognizer.training.half_precision import storable
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.ship.cascade import Cascade
from digit_recognizer.training.ship.material import NO_DIGIT, Material
from digit_recognizer.training.trainer import Labelled, logits

MAX_ERROR = 0.001  # accepted readings may be wrong this often, where nothing else is asked for
CHECKED_IMAGES = 512  # on which ONNX Runtime and torch are compared

# The scout's answer stands where it is this sure; the first of these that costs hardly any accuracy is taken.
SCOUT_CONFIDENCES = (0.9, 0.95, 0.97, 0.98, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999, 0.9995)
SCOUT_COST = 0.002  # share of the digits among validation frames that may be read wrong beyond the main network's

MAIN_CONFIDENCE = 0.9  # the main network's, below which the second is asked; 0.8 and 0.97 do as well
MAIN_WEIGHT = 0.7  # of its logits then; 0.5 to 0.8 do as well

MOST_SHIFT = 1.6  # of the logit of "no digit"; e ** 1.6: as if there were five times less of it than was learnt from


def export_calibrated(
    network: torch.nn.Module, path: Path, card: ModelMetadata, validation: Digits
) -> tuple[Recognizer, dict[str, Any]]:
    """Calibrate on the validation images, write the model file, and evaluate what was written through ONNX Runtime.

    card: what the file says of its training; temperature, min_confidence and the figures of its inputs are put in.
    Returns the recognizer on the file, and its figures on the validation images. Raises ModelError as export_model
    does, FileError.
    """
    labels, max_error = validation.known_labels(), card.max_error or MAX_ERROR
    float32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
    answers = logits(network, validation.images, float32).numpy()
    temperature = metrics.fit_temperature(answers, labels)
    probabilities = torch.softmax(torch.from_numpy(answers) / temperature, 1).numpy()
    min_confidence = metrics.confidence_threshold(probabilities, labels, max_error)
    figures = input_figures(validation.images, probabilities, min_confidence)
    export_model(
        network,
        path,
        metadata=replace(card, temperature=temperature, min_confidence=min_confidence, inputs=figures),
        temperature=temperature,
        check_images=validation.images[:CHECKED_IMAGES],
    )
    return _evaluated(path, validation, {"temperature": temperature})


def export_cascade_calibrated(
    scout: torch.nn.Module,
    main: torch.nn.Module,
    checked: Labelled,
    path: Path,
    card: ModelMetadata,
    validation: Digits,
    second: torch.nn.Module | None = None,
) -> tuple[Recognizer, dict[str, Any]]:
    """As ``export_calibrated``, of several networks in one file, as ``Cascade`` has them.

    checked: all validation frames, composed ones too.
    """
    material, max_error = Material(checked.images, checked.known_labels()), card.max_error or MAX_ERROR
    cascade, facts = make_cascade(scout, main, validation, material, second)
    min_confidence = choose_min_confidence(cascade, validation, max_error)
    card = replace(
        card,
        temperature=cascade.main_temperature,
        min_confidence=min_confidence,
        inputs=cascade_figures(cascade, material, min_confidence),
    )
    checks = np.ascontiguousarray(material.images[:: max(1, len(material) // CHECKED_IMAGES)])
    # An image at the very edge of the scout's confidence may be answered by the other network; more is a fault.
    write_checked(with_metadata(cascade.to_onnx(), card), path, checks, cascade.answer)
    return _evaluated(path, validation, {"temperature": cascade.main_temperature, **facts})


def make_cascade(
    scout: torch.nn.Module,
    main: torch.nn.Module,
    plain: Digits,
    frames: Material,
    second: torch.nn.Module | None = None,
) -> tuple[Cascade, dict[str, Any]]:
    """Calibrate the networks and choose where the scout is trusted; with what was found.

    plain: validation digits as they are. frames: all validation frames, these first; of the digits among them hardly
    more (SCOUT_COST) may be read wrong than without the scout. The scout, which answers clean digits, is calibrated on
    the plain ones; a large network's temperature is the geometric mean of what fits them and what fits the composed
    ones: the first alone is too sure of poor pictures, the second too modest of clean ones. The main network's logit of
    "no digit" is then lowered until composed digits are as often right as it says, or by MOST_SHIFT.
    """
    scout, main = storable(scout), storable(main)
    second = None if second is None else storable(second)
    float32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
    temperatures, cooled = [], []
    is_plain = np.arange(len(frames)) < len(plain)
    is_composed = ~is_plain & (frames.labels != NO_DIGIT)
    large = (is_plain, is_composed)
    for network, groups in ((scout, (is_plain,)), (main, large), *([(second, large)] if second else [])):
        found = logits(network, frames.images, float32).numpy()
        fits = [metrics.fit_temperature(found[chosen], frames.labels[chosen]) for chosen in groups if chosen.any()]
        temperatures.append(float(np.prod(fits)) ** (1 / len(fits)))
        cooled.append(found / temperatures[-1])
    shift = no_digit_shift(cooled[1][is_composed], frames.labels[is_composed])
    shifts = shift * (np.arange(CLASSES + 1) == NO_DIGIT)
    by_scout, by_main = _softmax(cooled[0]), _softmax(cooled[1] - shifts)
    asked = by_main.max(1) < MAIN_CONFIDENCE
    if second is not None:
        both = MAIN_WEIGHT * cooled[1] + (1 - MAIN_WEIGHT) * cooled[2] - shifts
        by_main[asked] = _softmax(both[asked])
    is_digit = frames.labels != NO_DIGIT

    def wrong(answers: npt.NDArray[np.float32]) -> float:
        return float((answers[is_digit, :CLASSES].argmax(1) != frames.labels[is_digit]).mean())

    wrong_main = wrong(by_main)
    chosen, sure = 1.0, np.zeros(len(frames), bool)
    for confidence in SCOUT_CONFIDENCES:
        sure = by_scout.max(1) >= confidence
        if wrong(np.where(sure[:, None], by_scout, by_main)) <= wrong_main + SCOUT_COST:
            chosen = confidence
            break
    facts = {
        "main_accuracy": 1 - wrong_main,
        "scout_accuracy": 1 - wrong(by_scout),
        "scout_confidence": chosen,
        "scout_answers": float(sure.mean()),
        "no_digit_shift": shift,
        **({"second_asked": float((asked & ~sure).mean())} if second is not None else {}),
    }
    cascade = Cascade(scout, main, temperatures[0], temperatures[1], chosen, shift)
    if second is not None:
        cascade = replace(
            cascade,
            second=second,
            second_temperature=temperatures[2],
            main_confidence=MAIN_CONFIDENCE,
            main_weight=MAIN_WEIGHT,
        )
    return cascade, facts


def no_digit_shift(cooled: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]) -> float:
    """By how much the logit of "no digit" must be lowered for digits to be as often right as their confidence says.

    cooled: logits over their temperature, (N, 11), of pictures that are digits, labels int64 (N,). Returns 0 to
    MOST_SHIFT: confidence grows with it, so it is found by bisection; 0 where there are none.

    >>> no_digit_shift(np.zeros((0, 11)), np.zeros(0, np.int64))
    0.0
    """
    low, high = 0.0, MOST_SHIFT
    if not len(labels):
        return low
    digits = cooled[:, :CLASSES]
    right = float((digits.argmax(1) == labels).mean())
    for _ in range(20):
        middle = (low + high) / 2
        shifted = np.column_stack([digits, cooled[:, NO_DIGIT] - middle])
        if _softmax(shifted)[:, :CLASSES].max(1).mean() < right:
            low = middle
        else:
            high = middle
    return round(low, 3)


def choose_min_confidence(cascade: Cascade, plain: Digits, max_error: float) -> float:
    """The confidence from which on at most ``max_error`` of the validation digits are wrong, or OUT_OF_REACH."""
    answers = cascade.answer(plain.images)[:, :CLASSES]
    return metrics.confidence_threshold(answers, plain.known_labels(), max_error)


def cascade_figures(cascade: Cascade, frames: Material, min_confidence: float) -> InputFigures:
    """Figures of the digits among validation frames, plain and composed ones, and of what the cascade says of them."""
    digits = frames.images[frames.labels != NO_DIGIT]
    return input_figures(digits, cascade.answer(digits)[:, :CLASSES], min_confidence)


def _evaluated(path: Path, validation: Digits, found: Mapping[str, Any]) -> tuple[Recognizer, dict[str, Any]]:
    recognizer = Recognizer(path)
    began = time.perf_counter()
    probabilities = recognizer.probabilities(validation.images)
    seconds = time.perf_counter() - began
    facts = {
        **metrics.evaluate(probabilities, validation.known_labels()).to_dict(),
        **found,
        "min_confidence": recognizer.min_confidence,
        "max_error": recognizer.metadata.max_error,
        "accepted": float((probabilities.max(1) >= recognizer.min_confidence).mean()),
        "images_per_second": round(len(validation) / seconds, 1),
    }
    return recognizer, facts


def _softmax(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


__all__ = [
    "CHECKED_IMAGES",
    "MAX_ERROR",
    "cascade_figures",
    "choose_min_confidence",
    "export_calibrated",
    "export_cascade_calibrated",
    "make_cascade",
    "no_digit_shift",
]
