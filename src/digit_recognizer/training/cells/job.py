"""A data set becomes a folder with a trained cell reader: split, compose, learn, calibrate, export, evaluate.

Knows nothing of terminals or command lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis.metrics import fit_temperature
from digit_recognizer.cell_reader import EMPTY, OTHER, CellReader
from digit_recognizer.digits import CLASSES, Dataset
from digit_recognizer.files import read_bytes, write_bytes
from digit_recognizer.model_file import read_model
from digit_recognizer.training.cells.compose import compose_cells
from digit_recognizer.training.cells.export import export_cell_reader
from digit_recognizer.training.cells.in_turn import in_turn
from digit_recognizer.training.cells.learn import CellLearning, answers, learn, views_of
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.composed_run import (
    ComposedRun,
    ComposedSettings,
    counted,
    counts_of,
    in_words,
    with_weights,
)
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.one_cycle import Note

MODEL = "cells.onnx"
_CHECKED = 256  # cells that torch and ONNX Runtime must answer alike


@dataclass(frozen=True)
class CellSettings(ComposedSettings):
    """What a training of the cell reader is. cells, val_cells: how many are composed to learn from, to validate on.

    first: the file of a cell reader of another training, which is asked first, and the new one where it is unsure.
    """

    first: str | None = None
    cells: int = 240_000
    val_cells: int = 4_000
    learning: CellLearning = field(default_factory=CellLearning)

    counts = ("cells", "val_cells")


def train_cell_reader(
    dataset: Dataset,
    folder: Path,
    settings: CellSettings,
    *,
    hardware: Hardware,
    overwrite: bool = False,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train a cell reader on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, weights.safetensors (rewritten once a minute meanwhile), cells.onnx and metrics.json in
    ``folder``. overwrite: remove a run of the same kind that is there. command: how to repeat it.
    Raises what claiming the folder, composing, learning and exporting raise.
    """
    first = None if settings.first is None else _reader(Path(settings.first))
    run = ComposedRun(folder, "cells", MODEL, dataset, settings, hardware, command)
    with run.claim(overwrite=overwrite):
        learnt, held_out = settings.ingredients(dataset.labelled())
        tell(f"composing {settings.cells:,} cells of {in_words(learnt)}")
        count = counted(tell, "cells")
        training = compose_cells(learnt, settings.cells, settings.seed * 2, workers=workers, tell=count)
        validation = compose_cells(held_out, settings.val_cells, settings.seed * 2 + 1, workers=workers)
        run.write_config()
        network = learn(
            views_of(training),
            training.labels,
            settings.learning,
            seed=settings.seed,
            hardware=hardware,
            on_note=run.watched(on_note),
        )
        run.save(network)
        views = views_of(validation)
        logits = answers(network, views, Hardware(hardware.device, "float32", hardware.threads))
        temperature = fit_temperature(logits, validation.labels)
        card = run.card(counts_of(learnt), temperature=temperature)
        size, difference = export_cell_reader(network, folder / MODEL, metadata=card, check_views=views[:_CHECKED])
        shares: dict[str, Any] = shares_right(logits, validation.labels)
        if first is not None:
            content = in_turn(first, read_bytes(folder / MODEL), card)
            together = CellReader(content, MODEL).probabilities(views)
            write_bytes(folder / MODEL, content)
            size, shares = len(content), {**shares_right(together, validation.labels), "alone": shares}
        return run.write_metrics(
            {
                **shares,
                "cells": len(training),
                "validation_cells": len(validation),
                "learnt_from": counts_of(learnt),
                "temperature": temperature,
                "parameters": count_parameters(network),
                "bytes": size,
                "max_difference": difference,
            }
        )


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


def _reader(path: Path) -> bytes:
    """The content of a cell reader's file, looked at. Raises FileError, ModelError."""
    content = read_model(path).content
    CellReader(content, str(path))
    return content


def load_weights(path: Path) -> CellNetwork:
    """The network with the weights of a file, in evaluation mode. Raises FileError, CheckpointError."""
    return with_weights(CellNetwork(), path, "a cell reader")


__all__ = ["CellSettings", "load_weights", "shares_right", "train_cell_reader"]
