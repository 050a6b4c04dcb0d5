"""A data set becomes a folder with a trained ink finder: split, compose, learn, export, evaluate.

Knows nothing of terminals or command lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, UsageError
from digit_recognizer.files import write_json
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.training.checkpoint import Snapshot, load_snapshot, save_snapshot
from digit_recognizer.training.hardware import Hardware, describe_machine
from digit_recognizer.training.inkfinder.compose import Scenes, compose_scenes
from digit_recognizer.training.inkfinder.export import export_ink_finder
from digit_recognizer.training.inkfinder.learn import InkLearning, Note, answers, learn
from digit_recognizer.training.inkfinder.network import InkNetwork
from digit_recognizer.training.kind import CONFIG, KIND, ensure_kind
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.ship.preparation import ingredients

MODEL, METRICS, WEIGHTS = "ink.onnx", "metrics.json", "weights.safetensors"
SAVE_EVERY_S = 60.0  # seconds between two writings of the weights
_CHECKED = 32  # scenes that torch and ONNX Runtime must answer alike
_INKED = 0.5  # from which on a pixel counts as ink


@dataclass(frozen=True)
class InkSettings:
    """What a training of the ink finder is, beside its data.

    scenes, val_scenes: how many are composed to learn from, and to validate on. seed: of everything random. val: share
    of the digits that only validation sees. strokes: a file of pen drawings, fonts: a folder of fonts; left out, none,
    and the platform's own.
    """

    scenes: int = 12_000
    val_scenes: int = 400
    seed: int = 0
    val: float = 0.05
    strokes: str | None = None
    fonts: str | None = None
    learning: InkLearning = field(default_factory=InkLearning)

    def __post_init__(self) -> None:
        if not 0 < self.val < 1:
            raise UsageError(f"--val: expected a share between 0 and 1, found {self.val:g}")
        if self.seed < 0:
            raise UsageError(f"--seed: expected 0 or more, found {self.seed}")
        for name in ("scenes", "val_scenes"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')}: expected at least 1, found {getattr(self, name)}")


def train_ink_finder(
    dataset: Dataset,
    folder: Path,
    settings: InkSettings,
    *,
    hardware: Hardware,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train an ink finder on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, weights.safetensors (rewritten once a minute meanwhile), ink.onnx and metrics.json in
    ``folder``. command: how to repeat it. Raises what composing, learning and exporting raise.
    """
    ensure_kind(folder, "ink")
    labelled = dataset.labelled()
    learnt, held_out = ingredients(
        *labelled.split(settings.val, settings.seed),
        strokes=settings.strokes,
        fonts=None if settings.fonts is None else [Path(settings.fonts)],
    )
    told = [time.monotonic()]

    def count(done: int, total: int) -> None:
        if time.monotonic() - told[0] > 30:
            told[0] = time.monotonic()
            tell(f"{done:,} of {total:,} scenes")

    tell(
        f"composing {settings.scenes:,} scenes of {len(learnt.digits):,} digits, {len(learnt.drawings):,} pen drawings "
        f"and {len(learnt.faces):,} fonts"
    )
    training = compose_scenes(learnt, settings.scenes, settings.seed * 2, workers=workers, tell=count)
    validation = compose_scenes(held_out, settings.val_scenes, settings.seed * 2 + 1, workers=workers)
    write_json(
        folder / CONFIG,
        {
            KIND: "ink",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "data": dataset.name,
            "settings": asdict(settings),
            "device": hardware.device.type,
            "precision": hardware.precision,
            "threads": hardware.threads,
            "machine": describe_machine(),
        },
    )
    saved = [time.monotonic()]
    history: list[dict[str, float]] = []

    def note_progress(note: Note, network: InkNetwork) -> None:
        history.append(note._asdict())
        on_note(note)
        if time.monotonic() - saved[0] > SAVE_EVERY_S:
            saved[0] = time.monotonic()
            save_snapshot(folder / WEIGHTS, Snapshot(network.state_dict(), {}))

    began = time.monotonic()
    network = learn(training, settings.learning, seed=settings.seed, hardware=hardware, on_note=note_progress)
    save_snapshot(folder / WEIGHTS, Snapshot(network.state_dict(), {}))
    seconds = round(time.monotonic() - began, 1)
    words = {"drawings": "pen strokes", "faces": "fonts"}
    metadata = ModelMetadata(
        preset="ink",
        data=" + ".join([dataset.name, *(words[name] for name in words if getattr(learnt, name))]),
        data_fingerprint=labelled.fingerprint(),
        seed=settings.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        train_seconds=seconds,
    )
    size, difference = export_ink_finder(
        network, folder / MODEL, metadata=metadata, check_pictures=validation.grey[:_CHECKED]
    )
    metrics = {
        **overlap(
            answers(network, validation.grey, Hardware(hardware.device, "float32", hardware.threads)), validation
        ),
        "scenes": len(training),
        "validation_scenes": len(validation),
        "learnt_from": {"digits": len(learnt.digits), "drawings": len(learnt.drawings), "fonts": len(learnt.faces)},
        "parameters": count_parameters(network),
        "bytes": size,
        "max_difference": difference,
        "steps": history[-1]["step"],
        "train_seconds": seconds,
        "history": history,
    }
    write_json(folder / METRICS, metrics)
    return metrics


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
    network = InkNetwork()
    try:
        network.load_state_dict(dict(load_snapshot(path).tensors))
    except RuntimeError as error:
        raise CheckpointError(f"{path}: expected the weights of an ink finder, found others") from error
    network.eval()
    return network


__all__ = ["InkSettings", "load_weights", "overlap", "train_ink_finder"]
