"""Digits become images per second: Keras' predict, the same network in ONNX Runtime, and a model of ours, in turns.

    python benchmarks/inference_vs_keras.py [DATA] --model RUN     # DATA: $DIGITS_DATA's zip

Each measurement runs in a process of its own, after a warm-up, with images in memory. The notebook's network has
random weights: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from common import kaggle_zip, load_labelled, print_heading, print_table, require_keras, run_child, say
from digit_recognizer.cores import available_cores
from digit_recognizer.errors import DigitsError
from digit_recognizer.files import write_json
from digit_recognizer.recognizer import Recognizer

PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "onnxruntime", "torch", "numpy")
KERAS = "Keras predict, batches of 256"
KERAS_DEFAULT = "Keras predict, its default batches of 32"
ONNX = "the same network in ONNX Runtime"
OURS = "ours, probabilities"
READINGS = "ours, readings (Recognizer.predict)"
WARM_UP = 1024


def main() -> None:
    arguments = _arguments()
    if arguments.side:
        print(json.dumps(measure(arguments.model, arguments.data, arguments.threads)))
        return
    require_keras()
    digits = load_labelled(arguments.data, arguments.images)
    try:
        card = Recognizer(arguments.model).metadata
    except DigitsError as error:
        raise SystemExit(f"error: {error}") from error
    facts = print_heading("Inference: Keras, ONNX Runtime, ours", PACKAGES, arguments.threads)
    here = str(Path(__file__))
    threads = ["--threads", str(arguments.threads)]
    runs: dict[str, list[float]] = {name: [] for name in (KERAS, KERAS_DEFAULT, ONNX, OURS, READINGS)}
    with tempfile.TemporaryDirectory() as folder:
        data, notebook = Path(folder) / "digits.npz", Path(folder) / "notebook.onnx"
        np.savez(data, x=digits.images)
        _export_notebook(notebook, digits.images[:64])
        keras_command = [sys.executable, str(Path(here).with_name("notebook_in_keras.py")), "predict", str(data)]
        onnx_command = [sys.executable, here, str(data), "--side", "--model", str(notebook), *threads]
        ours_command = [sys.executable, here, str(data), "--side", *threads]
        ours_command += ["--model", arguments.model] if arguments.model else []
        for number in range(1, arguments.rounds + 1):
            seconds = run_child(keras_command, arguments.threads)[0]["seconds"]
            runs[KERAS].append(seconds["256"])
            runs[KERAS_DEFAULT].append(seconds["32"])
            runs[ONNX].append(run_child(onnx_command, arguments.threads)[0]["probabilities"])
            ours = run_child(ours_command, arguments.threads)[0]
            runs[OURS].append(ours["probabilities"])
            runs[READINGS].append(ours["readings"])
            say(f"round {number}: " + ", ".join(f"{len(digits) / taken[-1]:,.0f}" for taken in runs.values()))
    rates = {name: len(digits) / statistics.median(taken) for name, taken in runs.items()}
    keras = max(rates[KERAS], rates[KERAS_DEFAULT])
    print_table(
        ("", "images/s", "times Keras' faster", "slowest to fastest round"),
        [
            (
                name,
                f"{rate:,.0f}",
                f"{rate / keras:.2f}",
                f"{len(digits) / max(runs[name]):,.0f} to {len(digits) / min(runs[name]):,.0f}",
            )
            for name, rate in rates.items()
        ],
    )
    say(
        f"{len(digits):,} images; median of {arguments.rounds} rounds in turns. Keras gets float images, scaled "
        "before; the ONNX files get bytes and scale for themselves. The notebook's network has random weights. "
        f"Ours: preset {card.preset}{_accuracy(arguments.model)}.\n"
    )
    if arguments.output:
        write_json(arguments.output, {**facts, "images": len(digits), "preset": card.preset, "seconds": runs})


def measure(model: str | None, data: str, threads: int) -> dict[str, float]:
    """Seconds that a model takes for all images in an .npz, as probabilities and as readings."""
    with np.load(data) as archive:
        images = archive["x"]
    recognizer = Recognizer(model, threads)
    recognizer.predict(images[:WARM_UP])
    began = time.perf_counter()
    recognizer.probabilities(images)
    between = time.perf_counter()
    recognizer.predict(images)
    return {"probabilities": between - began, "readings": time.perf_counter() - between}


def _export_notebook(path: Path, images: Any) -> None:
    import torch

    from digit_recognizer.model_file import ModelMetadata
    from digit_recognizer.training.export import export_model
    from digit_recognizer.training.networks import NotebookNetwork

    torch.manual_seed(0)
    card = ModelMetadata(preset="notebook", data="none", data_fingerprint="", seed=0)
    export_model(NotebookNetwork(), path, metadata=card, temperature=1.0, check_images=images)


def _accuracy(model: str | None) -> str:
    """What the run folder says of its validation accuracy, for the line below the table."""
    metrics = Path(model or "") / "metrics.json"
    if not metrics.is_file():
        return ""
    found = json.loads(metrics.read_text("utf-8"))
    return f", {found['parameters']:,} parameters, validation accuracy {found['val_accuracy']:.2%}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Images per second of Keras, ONNX Runtime and ours.")
    default = kaggle_zip()
    parser.add_argument("data", nargs="?" if default else None, default=default, help="labelled digits, as for digits")
    parser.add_argument("--model", help="a run folder or .onnx file; left out: the model that ships")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=min(2, available_cores()))
    parser.add_argument("-o", "--output", type=Path, help="all rounds as JSON")
    parser.add_argument("--side", action="store_true", help=argparse.SUPPRESS)  # what a child process does
    return parser.parse_args()


if __name__ == "__main__":
    main()
