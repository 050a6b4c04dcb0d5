"""A data set becomes a folder with a trained cell reader: split, compose, learn, calibrate, export, evaluate.

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

from digit_recognizer.analysis.metrics import fit_temperature
from digit_recognizer.cell_reader import EMPTY, OTHER
from digit_recognizer.digits import CLASSES, Dataset
from digit_recognizer.errors import CheckpointError, UsageError
from digit_recognizer.files import write_json
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.training.cells.compose import compose_cells
from digit_recognizer.training.cells.export import export_cell_reader
from digit_recognizer.training.cells.learn import CellLearning, Note, answers, learn, views_of
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.checkpoint import Snapshot, load_snapshot, save_snapshot
from digit_recognizer.training.hardware import Hardware, describe_machine
from digit_recognizer.training.kind import CONFIG, KIND, ensure_kind
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.ship.preparation import ingredients

MODEL, METRICS, WEIGHTS = "cells.onnx", "metrics.json", "weights.safetensors"
SAVE_EVERY_S = 60.0  # seconds between two writings of the weights
_CHECKED = 256  # cells that torch and ONNX Runtime must answer alike


@dataclass(frozen=True)
class CellSettings:
    """What a training of the cell reader is, beside its data.

    cells, val_cells: how many are composed to learn from, and to validate on. seed: of everything random. val: share of
    the digits that only validation sees. strokes: a file of pen drawings, fonts: a folder of fonts; left out, none, and
    the platform's own.
    """

    cells: int = 240_000
    val_cells: int = 4_000
    seed: int = 0
    val: float = 0.05
    strokes: str | None = None
    fonts: str | None = None
    learning: CellLearning = field(default_factory=CellLearning)

    def __post_init__(self) -> None:
        if not 0 < self.val < 1:
            raise UsageError(f"--val: expected a share between 0 and 1, found {self.val:g}")
        if self.seed < 0:
            raise UsageError(f"--seed: expected 0 or more, found {self.seed}")
        for name in ("cells", "val_cells"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')}: expected at least 1, found {getattr(self, name)}")


def train_cell_reader(
    dataset: Dataset,
    folder: Path,
    settings: CellSettings,
    *,
    hardware: Hardware,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train a cell reader on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, weights.safetensors (rewritten once a minute meanwhile), cells.onnx and metrics.json in
    ``folder``. command: how to repeat it. Raises what composing, learning and exporting raise.
    """
    ensure_kind(folder, "cells")
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
            tell(f"{done:,} of {total:,} cells")

    tell(
        f"composing {settings.cells:,} cells of {len(learnt.digits):,} digits, {len(learnt.drawings):,} pen drawings "
        f"and {len(learnt.faces):,} fonts"
    )
    training = compose_cells(learnt, settings.cells, settings.seed * 2, workers=workers, tell=count)
    validation = compose_cells(held_out, settings.val_cells, settings.seed * 2 + 1, workers=workers)
    write_json(
        folder / CONFIG,
        {
            KIND: "cells",
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

    def note_progress(note: Note, network: CellNetwork) -> None:
        history.append(note._asdict())
        on_note(note)
        if time.monotonic() - saved[0] > SAVE_EVERY_S:
            saved[0] = time.monotonic()
            save_snapshot(folder / WEIGHTS, Snapshot(network.state_dict(), {}))

    began = time.monotonic()
    network = learn(
        views_of(training),
        training.labels,
        settings.learning,
        seed=settings.seed,
        hardware=hardware,
        on_note=note_progress,
    )
    save_snapshot(folder / WEIGHTS, Snapshot(network.state_dict(), {}))
    seconds = round(time.monotonic() - began, 1)
    views = views_of(validation)
    logits = answers(network, views, Hardware(hardware.device, "float32", hardware.threads))
    temperature = fit_temperature(logits, validation.labels)
    words = {"drawings": "pen strokes", "faces": "fonts"}
    metadata = ModelMetadata(
        preset="cells",
        data=" + ".join([dataset.name, *(words[name] for name in words if getattr(learnt, name))]),
        data_fingerprint=labelled.fingerprint(),
        seed=settings.seed,
        temperature=temperature,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        train_seconds=seconds,
    )
    size, difference = export_cell_reader(network, folder / MODEL, metadata=metadata, check_views=views[:_CHECKED])
    metrics = {
        **shares_right(logits, validation.labels),
        "cells": len(training),
        "validation_cells": len(validation),
        "learnt_from": {"digits": len(learnt.digits), "drawings": len(learnt.drawings), "fonts": len(learnt.faces)},
        "temperature": temperature,
        "parameters": count_parameters(network),
        "bytes": size,
        "max_difference": difference,
        "steps": history[-1]["step"],
        "train_seconds": seconds,
        "history": history,
    }
    write_json(folder / METRICS, metrics)
    return metrics


def shares_right(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> dict[str, float]:
    """Shares of cells that were told rightly, 0-1: digits among the ten, empty ones, and those that hold no digit.

    logits: float32 (N, 12). labels: int64 (N,). A kind of cell that does not occur counts as right.

    >>> shares_right(np.eye(12, dtype=np.float32), np.arange(12))
    {'digits_right': 1.0, 'empty_right': 1.0, 'others_right': 1.0}
    """
    kinds = {"digits_right": labels < CLASSES, "empty_right": labels == EMPTY, "others_right": labels == OTHER}
    right = logits.argmax(1) == labels
    right[kinds["digits_right"]] = (logits[:, :CLASSES].argmax(1) == labels)[kinds["digits_right"]]
    return {name: float(right[chosen].mean()) if chosen.any() else 1.0 for name, chosen in kinds.items()}


def load_weights(path: Path) -> CellNetwork:
    """The network with the weights of a file, in evaluation mode. Raises FileError, CheckpointError."""
    network = CellNetwork()
    try:
        network.load_state_dict(dict(load_snapshot(path).tensors))
    except RuntimeError as error:
        raise CheckpointError(f"{path}: expected the weights of a cell reader, found others") from error
    network.eval()
    return network


__all__ = ["CellSettings", "load_weights", "shares_right", "train_cell_reader"]
