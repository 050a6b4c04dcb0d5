"""A data set becomes a folder with a trained line reader: split, compose, learn, calibrate, export, evaluate.

Knows nothing of terminals or command lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from digit_recognizer._version import __version__
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import FileError
from digit_recognizer.files import open_bytes, read_bytes, write_json
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_file import read_model
from digit_recognizer.pictures.words.ctc import OTHER
from digit_recognizer.pictures.words.strips import stacked
from digit_recognizer.training.composed_run import (
    ComposedRun,
    ComposedSettings,
    counted,
    counts_of,
    in_words,
    with_weights,
)
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.lines.compose import Strips, compose_strips
from digit_recognizer.training.lines.export import export_line_reader, fit_temperature
from digit_recognizer.training.lines.learn import Learning, Note, answers, learn, whole_right
from digit_recognizer.training.lines.network import LineNetwork
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.unfolding import file_weights, unfold

MODEL = "lines.onnx"
TRAINING, VALIDATION, MADE_OF = "strips-training.npz", "strips-validation.npz", "strips.json"
_SHOWN = 300  # strips on which the normalisation of a network to go on from is measured
_CHECKED = 256  # strips that torch and ONNX Runtime must answer alike


@dataclass(frozen=True)
class LineSettings(ComposedSettings):
    """What a training of the line reader is. rows, val_rows: how many are written to learn from, to validate on.

    first_row: the first one's number; a training that goes on from another takes the rows that follow.
    """

    rows: int = 50_000
    val_rows: int = 1_500
    first_row: int = 0
    learning: Learning = field(default_factory=Learning)

    counts = ("rows", "val_rows")


def compose_lines(
    dataset: Dataset,
    folder: Path,
    settings: LineSettings,
    *,
    workers: int | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> tuple[Strips, Strips]:
    """The strips to learn from and to validate on; kept in ``folder``, and taken from there where they are the same.

    No digit, drawing or font is in both. workers: processes that compose, one per core where left out.
    Raises InputError without labelled digits or where the strokes cannot be read, FileError, UsageError.
    """
    labelled = dataset.labelled()
    made_of = {"version": __version__, "digits": labelled.fingerprint(), **_material_of(settings)}
    if _holds(folder, made_of):
        tell(f"{folder}: the strips are there already")
        return Strips.load(folder / TRAINING), Strips.load(folder / VALIDATION)
    parts = []
    both = settings.ingredients(labelled)
    for name, made_from, rows, first_row, stream in zip(
        (TRAINING, VALIDATION),
        both,
        (settings.rows, settings.val_rows),
        (settings.first_row, 0),
        (0, 1),
        strict=True,
    ):
        tell(f"writing {rows:,} rows of {in_words(made_from)}")
        stream_seed, count = settings.seed * 2 + stream, counted(tell, "rows")
        strips = compose_strips(made_from, rows, stream_seed, first_row=first_row, workers=workers, tell=count)
        strips.save(folder / name)
        parts.append(strips)
    noted = {"learnt_from": counts_of(both[0]), "composed": made_of, "sha256": _hashes(folder)}
    write_json(folder / MADE_OF, noted)
    return parts[0], parts[1]


def train_lines(
    dataset: Dataset,
    folder: Path,
    settings: LineSettings,
    *,
    hardware: Hardware,
    overwrite: bool = False,
    start: Path | None = None,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train a line reader on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, the strips, weights.safetensors (rewritten once a minute meanwhile), lines.onnx and metrics.json
    in ``folder``. start: lines.onnx of a line reader to go on from. command: how to repeat it.
    overwrite: remove a run of the same kind that is there; its strips are taken where they are the same.
    Raises what claiming the folder, composing, learning and exporting raise; ModelError where ``start`` is no
    line reader of this kind.
    """
    run = ComposedRun(folder, "lines", MODEL, dataset, settings, hardware, command)
    content = None if start is None else _line_reader(start)
    with run.claim(overwrite=overwrite, material=(TRAINING, VALIDATION, MADE_OF)):
        training, validation = compose_lines(dataset, folder, settings, workers=workers, tell=tell)
        began_with = None if content is None else network_of(content, training)
        run.write_config(strips=len(training), labels=len(training.labels), validation_strips=len(validation))
        network = learn(
            training,
            settings.learning,
            seed=settings.seed,
            hardware=hardware,
            start=began_with,
            on_note=run.watched(on_note),
        )
        run.save(network)
        hardware.place(network)
        logits = answers(network, validation, Hardware(hardware.device, "float32", hardware.threads))
        temperature = fit_temperature(logits, validation)
        learnt_from = json.loads(read_bytes(folder / MADE_OF))["learnt_from"]
        card = run.card(learnt_from, temperature=temperature)
        checked = [validation.image(number) for number in range(min(_CHECKED, len(validation)))]
        size, difference = export_line_reader(network, folder / MODEL, metadata=card, check_strips=checked)
        right = whole_right(logits, validation)
        return run.write_metrics(
            {
                "whole_strings": float(right.mean()),
                "by_length": _by_length(right, validation),
                "strips": len(validation),
                "temperature": temperature,
                "parameters": count_parameters(network),
                "bytes": size,
                "max_difference": difference,
                "learnt_from": learnt_from,
            }
        )


def load_weights(path: Path) -> LineNetwork:
    """The network with the weights of a file, in evaluation mode. Raises FileError, CheckpointError."""
    return with_weights(LineNetwork(), path, "a line reader")


def network_of(content: bytes, strips: Strips) -> LineNetwork:
    """The network in a line reader's file, fit to be trained on. strips: like those that it will be shown.

    Raises ModelError where the file holds another network.
    """
    network = LineNetwork()
    wanted = np.linspace(0, len(strips) - 1, min(_SHOWN, len(strips))).astype(int)
    shown = torch.from_numpy(stacked([strips.image(number) for number in wanted])).unsqueeze(1).float() / 255
    unfold(network, file_weights(content, "network."), shown)
    return network


def _line_reader(path: Path) -> bytes:
    """The content of a line reader's file, looked at. Raises FileError, ModelError."""
    content = read_model(path).content
    LineReader(content, str(path))
    return content


def _material_of(settings: LineSettings) -> dict[str, Any]:
    """What of the settings decides which strips are composed; of pen drawings what is in the file."""
    found = {name: value for name, value in asdict(settings).items() if name != "learning"}
    return found if settings.strokes is None else {**found, "strokes": _sha256(settings.strokes)}


def _holds(folder: Path, made_of: dict[str, Any]) -> bool:
    """Whether the strips in ``folder`` are made of that, and both files are as they were when this was noted."""
    try:
        noted = json.loads(read_bytes(folder / MADE_OF))
        return bool(noted["composed"] == made_of and noted["sha256"] == _hashes(folder))
    except (FileError, ValueError, KeyError, TypeError):  # not there, or damaged: composed anew
        return False


def _hashes(folder: Path) -> dict[str, str]:
    return {name: _sha256(folder / name) for name in (TRAINING, VALIDATION)}


def _sha256(path: str | Path) -> str:
    with open_bytes(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed: BinaryIO has no readinto


def _by_length(right: npt.NDArray[np.bool_], strips: Strips) -> dict[str, dict[str, float]]:
    """Share of whole strings for each number of digits; strips that hold other characters apart."""
    found: dict[str, list[bool]] = {}
    for number, is_right in enumerate(right.tolist()):
        labels = strips.labels_of(number)
        found.setdefault("others" if OTHER in labels else f"{len(labels)}", []).append(is_right)
    return {name: {"right": float(np.mean(part)), "strips": len(part)} for name, part in sorted(found.items())}


__all__ = [
    "LineSettings",
    "compose_lines",
    "load_weights",
    "network_of",
    "train_lines",
]
