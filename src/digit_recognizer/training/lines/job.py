"""A data set becomes a folder with a trained line reader: split, compose, learn, calibrate, export, evaluate.

Knows nothing of terminals or command lines.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from digit_recognizer._version import __version__
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import CheckpointError, FileError, UsageError
from digit_recognizer.files import open_bytes, read_bytes, write_json
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_file import ModelMetadata, read_model
from digit_recognizer.pictures.ctc import OTHER
from digit_recognizer.pictures.strips import stacked
from digit_recognizer.training.checkpoint import Snapshot, load_snapshot, save_snapshot
from digit_recognizer.training.hardware import Hardware, describe_machine
from digit_recognizer.training.kind import CONFIG, KIND, ensure_kind
from digit_recognizer.training.lines.compose import Strips, compose_strips
from digit_recognizer.training.lines.export import export_line_reader, fit_temperature
from digit_recognizer.training.lines.learn import Learning, Note, answers, learn, whole_right
from digit_recognizer.training.lines.network import LineNetwork
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.ship.material import Ingredients
from digit_recognizer.training.ship.preparation import ingredients
from digit_recognizer.training.unfolding import file_weights, unfold

MODEL, METRICS, WEIGHTS = "lines.onnx", "metrics.json", "weights.safetensors"
TRAINING, VALIDATION, MADE_OF = "strips-training.npz", "strips-validation.npz", "strips.json"
SAVE_EVERY_S = 60.0  # seconds between two checkpoints
_SHOWN = 300  # strips on which the normalisation of a network to go on from is measured
_CHECKED = 256  # strips that torch and ONNX Runtime must answer alike


@dataclass(frozen=True)
class LineSettings:
    """What a training of the line reader is, beside its data.

    rows, val_rows: how many rows are written to learn from, and to validate on. first_row: the first one's number; a
    training that goes on from another takes the rows that follow. seed: of everything random. val: share of the digits
    that only validation sees. strokes: a file of pen drawings, fonts: a folder of fonts; left out, none, and the
    platform's own.
    """

    rows: int = 50_000
    val_rows: int = 1_500
    first_row: int = 0
    seed: int = 0
    val: float = 0.05
    strokes: str | None = None
    fonts: str | None = None
    learning: Learning = field(default_factory=Learning)

    def __post_init__(self) -> None:
        if not 0 < self.val < 1:
            raise UsageError(f"--val: expected a share between 0 and 1, found {self.val:g}")
        if self.seed < 0:
            raise UsageError(f"--seed: expected 0 or more, found {self.seed}")
        for name in ("rows", "val_rows"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')}: expected at least 1, found {getattr(self, name)}")


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
    both = _ingredients(labelled, settings)
    for name, made_from, rows, first_row, stream in zip(
        (TRAINING, VALIDATION),
        both,
        (settings.rows, settings.val_rows),
        (settings.first_row, 0),
        (0, 1),
        strict=True,
    ):
        tell(
            f"writing {rows:,} rows of {len(made_from.digits):,} digits, {len(made_from.drawings):,} pen drawings "
            f"and {len(made_from.faces):,} fonts"
        )
        told = [time.monotonic()]

        def count(done: int, total: int, told: list[float] = told) -> None:
            if time.monotonic() - told[0] > 30:
                told[0] = time.monotonic()
                tell(f"{done:,} of {total:,} rows")

        strips = compose_strips(
            made_from, rows, settings.seed * 2 + stream, first_row=first_row, workers=workers, tell=count
        )
        strips.save(folder / name)
        parts.append(strips)
    learnt = both[0]
    counts = {"digits": len(learnt.digits), "drawings": len(learnt.drawings), "fonts": len(learnt.faces)}
    write_json(folder / MADE_OF, {"learnt_from": counts, "composed": made_of, "sha256": _hashes(folder)})
    return parts[0], parts[1]


def train_lines(
    dataset: Dataset,
    folder: Path,
    settings: LineSettings,
    *,
    hardware: Hardware,
    start: Path | None = None,
    command: str = "",
    workers: int | None = None,
    on_note: Callable[[Note], None] = lambda note: None,
    tell: Callable[[str], None] = lambda note: None,
) -> dict[str, Any]:
    """Train a line reader on what is composed of ``dataset``; returns its metrics, as they stand in metrics.json.

    Leaves config.json, the strips, weights.safetensors (rewritten once a minute meanwhile), lines.onnx and metrics.json
    in ``folder``. start: lines.onnx of a line reader to go on from. command: how to repeat it.
    Raises what composing, learning and exporting raise; ModelError where ``start`` is no line reader of this kind.
    """
    ensure_kind(folder, "lines")
    content = None if start is None else _line_reader(start)
    training, validation = compose_lines(dataset, folder, settings, workers=workers, tell=tell)
    began_with = None if content is None else network_of(content, training)
    write_json(
        folder / CONFIG,
        {
            KIND: "lines",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "data": dataset.name,
            "settings": asdict(settings),
            "strips": len(training),
            "labels": len(training.labels),
            "validation_strips": len(validation),
            "device": hardware.device.type,
            "precision": hardware.precision,
            "threads": hardware.threads,
            "machine": describe_machine(),
        },
    )
    saved = [time.monotonic()]
    history: list[dict[str, float]] = []

    def note_progress(note: Note, network: LineNetwork) -> None:
        history.append(note._asdict())
        on_note(note)
        if time.monotonic() - saved[0] > SAVE_EVERY_S:
            saved[0] = time.monotonic()
            save_weights(network, folder / WEIGHTS)

    network = learn(
        training, settings.learning, seed=settings.seed, hardware=hardware, start=began_with, on_note=note_progress
    )
    save_weights(network, folder / WEIGHTS)
    seconds = history[-1]["seconds"]
    return finish_lines(
        network, validation, folder, dataset, settings, hardware=hardware, command=command, seconds=seconds,
        facts={"steps": history[-1]["step"], "history": history},
    )  # fmt: skip


def finish_lines(
    network: LineNetwork,
    validation: Strips,
    folder: Path,
    dataset: Dataset,
    settings: LineSettings,
    *,
    hardware: Hardware,
    command: str,
    seconds: float,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Calibrate, export and evaluate a network; returns the metrics, which are written too."""
    float32 = Hardware(hardware.device, "float32", hardware.threads)
    hardware.place(network)
    logits = answers(network, validation, float32)
    temperature = fit_temperature(logits, validation)
    learnt_from = json.loads(read_bytes(folder / MADE_OF))["learnt_from"]
    words = {"drawings": "pen strokes", "fonts": "fonts"}
    sources = [dataset.name, *(words[name] for name in words if learnt_from[name])]
    metadata = ModelMetadata(
        preset="lines",
        data=" + ".join(sources),
        data_fingerprint=dataset.labelled().fingerprint(),
        seed=settings.seed,
        temperature=temperature,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        train_seconds=round(seconds, 1),
    )
    checked = [validation.image(number) for number in range(min(_CHECKED, len(validation)))]
    size, difference = export_line_reader(network, folder / MODEL, metadata=metadata, check_strips=checked)
    right = whole_right(logits, validation)
    metrics = {
        "whole_strings": float(right.mean()),
        "by_length": _by_length(right, validation),
        "strips": len(validation),
        "temperature": temperature,
        "parameters": count_parameters(network),
        "bytes": size,
        "max_difference": difference,
        "learnt_from": learnt_from,
        "train_seconds": seconds,
        **facts,
    }
    write_json(folder / METRICS, metrics)
    return metrics


def save_weights(network: LineNetwork, path: Path) -> None:
    """Write the weights as safetensors, whole or not at all. Raises FileError, CheckpointError where they hold NaN."""
    save_snapshot(path, Snapshot(network.state_dict(), {}))


def load_weights(path: Path) -> LineNetwork:
    """The network with the weights of a file, in evaluation mode. Raises FileError, CheckpointError."""
    network = LineNetwork()
    try:
        network.load_state_dict(dict(load_snapshot(path).tensors))
    except RuntimeError as error:
        raise CheckpointError(f"{path}: expected the weights of a line reader, found others") from error
    return network.eval()


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


def _ingredients(labelled: Digits, settings: LineSettings) -> tuple[Ingredients, Ingredients]:
    """What is learnt from, and what is validated on; held out as for the model that ships."""
    rest, held_out = labelled.split(settings.val, settings.seed)
    folders = None if settings.fonts is None else [Path(settings.fonts)]
    return ingredients(rest, held_out, strokes=settings.strokes, fonts=folders)


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
    "finish_lines",
    "load_weights",
    "network_of",
    "save_weights",
    "train_lines",
]
