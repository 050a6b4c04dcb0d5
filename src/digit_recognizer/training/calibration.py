"""A trained network, or two, become a calibrated model file, evaluated as readers will use it.

Knows nothing of run folders and of how networks are trained.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from digit_recognizer.analysis import metrics
from digit_recognizer.digits import Digits
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.export import export_model
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.ship.job import choose_min_confidence, export_cascade, make_cascade
from digit_recognizer.training.ship.material import Material
from digit_recognizer.training.trainer import Labelled, logits

MAX_ERROR = 0.001  # accepted readings may be wrong this often, where nothing else is asked for
CHECKED_IMAGES = 512  # on which ONNX Runtime and torch are compared


def export_calibrated(
    network: torch.nn.Module, path: Path, card: ModelMetadata, validation: Digits
) -> tuple[Recognizer, dict[str, Any]]:
    """Calibrate on the validation images, write the model file, and evaluate what was written through ONNX Runtime.

    card: what the file says of its training; temperature and min_confidence are put in. Returns the recognizer on the
    file, and its figures on the validation images. Raises ModelError as export_model does, FileError.
    """
    labels, max_error = validation.known_labels(), card.max_error or MAX_ERROR
    float32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
    answers = logits(network, validation.images, float32).numpy()
    temperature = metrics.fit_temperature(answers, labels)
    probabilities = torch.softmax(torch.from_numpy(answers) / temperature, 1).numpy()
    # At most 1, which the metadata ends at; only where an answer of confidence 1 is wrong would it lie above.
    min_confidence = min(1.0, metrics.confidence_threshold(probabilities, labels, max_error))
    export_model(
        network,
        path,
        metadata=replace(card, temperature=temperature, min_confidence=min_confidence),
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
) -> tuple[Recognizer, dict[str, Any]]:
    """As ``export_calibrated``, of two networks in one file. checked: all validation frames, composed ones too."""
    material, max_error = Material(checked.images, checked.known_labels()), card.max_error or MAX_ERROR
    cascade, facts = make_cascade(scout, main, validation, material)
    card = replace(
        card,
        temperature=cascade.main_temperature,
        min_confidence=choose_min_confidence(cascade, validation, max_error),
    )
    export_cascade(cascade, path, card, material.images[:: max(1, len(material) // CHECKED_IMAGES)])
    return _evaluated(path, validation, {"temperature": cascade.main_temperature, **facts})


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


__all__ = ["CHECKED_IMAGES", "MAX_ERROR", "export_calibrated", "export_cascade_calibrated"]
