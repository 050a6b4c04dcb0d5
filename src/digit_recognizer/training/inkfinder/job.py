"""A data set becomes a folder with a trained ink finder: split, compose, learn, export, evaluate.

Knows nothing of terminals or command lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Dataset
from digit_recognizer.training.composed_run import (
    ComposedRun,
    ComposedSettings,
    counted,
    counts_of,
    in_words,
    with_weights,
)
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.inkfinder.compose import Scenes, compose_scenes
from digit_recognizer.training.inkfinder.export import export_ink_finder
from digit_recognizer.training.inkfinder.learn import InkLearning, answers, learn
from digit_recognizer.training.inkfinder.network import InkNetwork
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.one_cycle import Note

MODEL = "ink.onnx"
_CHECKED = 32  # scenes that torch and ONNX Runtime must answer alike
_INKED = 0.5  # from which on a pixel counts as ink


@dataclass(frozen=True)
class InkSettings(ComposedSettings):
    """What a training of the ink finder is. scenes, val_scenes: how many are composed to learn from, to validate on."""

    scenes: int = 12_000
    val_scenes: int = 400
    learning: InkLearning = field(default_factory=InkLearning)

    counts = ("scenes", "val_scenes")


def train_ink_finder(
    dataset: Dataset,
    folder: Path,
    settings: InkSettings,
    *,
    hardware: Hardware,
    overwrite: bool = False,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train an ink finder on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, weights.safetensors (rewritten once a minute meanwhile), ink.onnx and metrics.json in
    ``folder``. overwrite: remove a run of the same kind that is there. command: how to repeat it.
    Raises what claiming the folder, composing, learning and exporting raise.
    """
    run = ComposedRun(folder, "ink", MODEL, dataset, settings, hardware, command)
    with run.claim(overwrite=overwrite):
        learnt, held_out = settings.ingredients(dataset.labelled())
        tell(f"composing {settings.scenes:,} scenes of {in_words(learnt)}")
        count = counted(tell, "scenes")
        training = compose_scenes(learnt, settings.scenes, settings.seed * 2, workers=workers, tell=count)
        validation = compose_scenes(held_out, settings.val_scenes, settings.seed * 2 + 1, workers=workers)
        run.write_config()
        network = learn(
            training, settings.learning, seed=settings.seed, hardware=hardware, on_note=run.watched(on_note)
        )
        run.save(network)
        size, difference = export_ink_finder(
            network, folder / MODEL, metadata=run.card(counts_of(learnt)), check_pictures=validation.grey[:_CHECKED]
        )
        found = answers(network, validation.grey, Hardware(hardware.device, "float32", hardware.threads))
        return run.write_metrics(
            {
                **overlap(found, validation),
                "scenes": len(training),
                "validation_scenes": len(validation),
                "learnt_from": counts_of(learnt),
                "parameters": count_parameters(network),
                "bytes": size,
                "max_difference": difference,
            }
        )


def overlap(found: npt.NDArray[np.float32], scenes: Scenes) -> dict[str, float]:
    """How well ink was found, 0-1. found: float32 (N, H, W), 0-1.

    f1: of all pixels of ink, the harmonic mean of recall (those that are there and were found) and precision (those
    that were found and are there). empty_clean: share of scenes without ink where none, or next to none, was found.

    >>> scenes = Scenes(np.zeros((1, 2, 2), np.uint8), np.full((1, 2, 2), 255, np.uint8))
    >>> overlap(np.ones((1, 2, 2), np.float32), scenes)["f1"]
    1.0
    """
    marked, there = found >= _INKED, scenes.ink >= 128
    both = float((marked & there).sum())
    recall, precision = both / max(1.0, float(there.sum())), both / max(1.0, float(marked.sum()))
    empty = ~there.any((1, 2))
    clean = marked[empty].mean((1, 2)) < 1e-3
    return {
        "f1": 2 * both / max(1.0, float(there.sum() + marked.sum())),
        "recall": recall,
        "precision": precision,
        "empty_clean": float(clean.mean()) if len(clean) else 1.0,
    }


def load_weights(path: Path) -> InkNetwork:
    """The network with the weights of a file, in evaluation mode. Raises FileError, CheckpointError."""
    return with_weights(InkNetwork(), path, "an ink finder")


__all__ = ["InkSettings", "load_weights", "overlap", "train_ink_finder"]
