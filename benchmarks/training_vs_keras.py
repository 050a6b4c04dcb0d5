"""Kaggle's train.csv trains the notebook's network in Keras, and ours, in turns: seconds of each, and their ratio.

    python benchmarks/training_vs_keras.py [DATA] [--epochs-keras 1] [--seeds 1]     # DATA: $DIGITS_DATA's zip

Each training runs in a process of its own, on the same split. Keras' epochs are timed after a warm-up and without
their validation, as our train_seconds are; 50 of them are the notebook's whole training.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from common import DIGITS, kaggle_zip, load_labelled, print_heading, print_table, require_keras, run_child, say
from digit_recognizer.cores import available_cores
from digit_recognizer.digits import Digits
from digit_recognizer.files import write_json
from digit_recognizer.training.job import Settings, Split, split
from digit_recognizer.training.recipe import fast

NOTEBOOK_EPOCHS = 50
VALIDATION = 0.1
KERAS, NOTEBOOK, FAST = "Keras on TensorFlow, the notebook", "ours, preset notebook", "ours, preset fast"
PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "torch", "numpy")


def main() -> None:
    arguments = _arguments()
    require_keras()
    digits = load_labelled(arguments.data, arguments.limit)
    facts = print_heading("Training: the notebook in Keras, and ours", PACKAGES, arguments.threads)
    runs: dict[str, list[dict[str, Any]]] = {KERAS: [], FAST: [], NOTEBOOK: []}
    for seed in range(arguments.seeds):
        parts = split(digits, Settings(fast(), seed, VALIDATION))  # what `digits train` does with this seed
        with tempfile.TemporaryDirectory() as folder:
            data = arguments.data if arguments.limit is None else _save(Path(folder) / "digits.npz", train=digits)
            for name, measured in runs.items():
                if name == KERAS:
                    run = _keras(folder, parts, seed, arguments)
                elif name == FAST:
                    run = _ours("fast", arguments.epochs_fast, data, folder, seed, arguments)
                else:
                    run = _ours("notebook", arguments.epochs_keras, data, folder, seed, arguments)
                measured.append(run)
                say(
                    f"seed {seed}, {name}: {run['training']:.1f} s of training (epochs: {run['epochs']}), "
                    f"{run['wall']:.1f} s from start to end; validation accuracy {run['val_accuracy']:.2%}"
                )
    _print(runs, len(parts.training), len(parts.validation), arguments.seeds)
    if arguments.output:
        write_json(arguments.output, {**facts, "training_images": len(parts.training), "runs": runs})


def _keras(folder: str, parts: Split, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    data = _save(Path(folder) / "split.npz", train=parts.training, val=parts.validation)
    script = str(Path(__file__).with_name("notebook_in_keras.py"))
    command = [sys.executable, script, "train", data, "--epochs", str(arguments.epochs_keras), "--seed", str(seed)]
    found, wall = run_child(command, arguments.threads)
    return {
        "epochs": len(found["epochs"]),
        "training": sum(epoch["training"] for epoch in found["epochs"]),
        "first_epoch": found["epochs"][0]["training"],
        "validation": sum(epoch["validation"] for epoch in found["epochs"]),
        "wall": wall,
        "val_accuracy": found["val_accuracy"][-1],
        "parameters": found["parameters"],
    }


def _ours(
    preset: str, epochs: int | None, data: str, folder: str, seed: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    run = str(Path(folder) / preset)
    command = [*DIGITS, "train", data, "-o", run, "--preset", preset, "--seed", str(seed), "--val", str(VALIDATION)]
    command += ["--engine", "local"]
    command += ["--device", "cpu", "--json", *(["--epochs", str(epochs)] if epochs else [])]
    found, wall = run_child(command, arguments.threads)
    metrics = found["metrics"]
    return {
        "epochs": metrics["epochs"],
        "training": metrics["train_seconds"],
        "wall": wall,
        "val_accuracy": metrics["val_accuracy"],
        "parameters": metrics["parameters"],
    }


def _print(runs: dict[str, list[dict[str, Any]]], training: int, validation: int, seeds: int) -> None:
    def whole(name: str) -> float:
        """Seconds of a whole training: the epochs that ran, or 50 like them. Median over seeds."""
        factor = 1 if name == FAST else NOTEBOOK_EPOCHS / runs[name][0]["epochs"]
        return median(name, "training") * factor

    def median(name: str, key: str) -> float:
        return float(statistics.median(run[key] for run in runs[name]))

    rows = []
    for name, measured in runs.items():
        epochs = measured[0]["epochs"]
        meant = epochs if name == FAST else NOTEBOOK_EPOCHS
        accuracy = statistics.fmean(run["val_accuracy"] for run in measured)
        rows.append(
            (
                name,
                f"{measured[0]['parameters']:,}",
                f"{epochs} of {meant}",
                f"{median(name, 'training') / epochs:.1f}",
                f"{whole(name):,.1f}" + ("" if epochs == meant else " (extrapolated)"),
                f"{whole(KERAS) / whole(name):,.1f}",
                f"{median(name, 'wall'):,.1f}",
                f"{accuracy:.2%} after {epochs}",
            )
        )
    print_table(
        (
            "training",
            "parameters",
            "epochs run",
            "s per epoch",
            "whole training s",
            "Keras' time ÷ this",
            "s from start to end of what ran",
            "validation accuracy",
        ),
        rows,
    )
    first = statistics.median(run["first_epoch"] for run in runs[KERAS])
    checked = statistics.median(run["validation"] / run["epochs"] for run in runs[KERAS])
    say(
        f"{training:,} training and {validation:,} validation images, the same for all; medians of {seeds} seed(s). "
        f"Keras: first epoch {first:.1f} s, and {checked:.1f} s of validation per epoch, which is counted for nobody; "
        "augmentation by the notebook's own ImageDataGenerator. From start to end: interpreter, imports, reading, "
        "validation and (ours) the export too.\n"
    )


def _save(path: Path, **parts: Digits) -> str:
    """Write each part as x_NAME and y_NAME into one .npz; returns its path."""
    arrays = {f"x_{name}": part.images for name, part in parts.items()}
    arrays |= {f"y_{name}": part.known_labels().astype(np.uint8) for name, part in parts.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own options
    return str(path)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Training time of the notebook in Keras, and of ours.")
    default = kaggle_zip()
    parser.add_argument("data", nargs="?" if default else None, default=default, help="labelled digits, as for digits")
    parser.add_argument("--epochs-keras", type=int, default=1, help="of the notebook's 50, in Keras and in ours")
    parser.add_argument("--epochs-fast", type=int, help="instead of the preset's own number")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--limit", type=int, help="only the first images: a check that everything runs, no result")
    parser.add_argument("-o", "--output", type=Path, help="all runs as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
