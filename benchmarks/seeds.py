"""MNIST becomes the accuracy of a preset on images that it never saw: per seed, mean and spread.

    python benchmarks/seeds.py [mnist] --preset fast --seeds 3 [--protocol mnist-rest]

mnist-rest  a random 42,000 of the 60,000 training images are given to the job, as many as Kaggle's train.csv has (its
            own validation part comes out of them); the other 18,000 are unseen. t10k is not looked at.
kaggle      the same 42,000 are given; unseen are the other 18,000 and t10k, 28,000 in all as in Kaggle's split of the
            same 70,000 images. t10k is read once per seed, after the training: for a final figure only.
mnist       all 60,000 are given to the job; t10k is read once per seed, after the training. For a final figure only.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import load_labelled, print_heading, print_table, run, say
from digit_recognizer.analysis import metrics
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.files import write_json
from digit_recognizer.sources.catalog import load
from digit_recognizer.training.hardware import Hardware, choose_hardware
from digit_recognizer.training.job import Settings, split, train_run
from digit_recognizer.training.recipe import PRESETS, Recipe, preset
from digit_recognizer.training.run_folder import RunFolder
from unseen import permuted

GIVEN = 42_000 / 60_000


def main() -> None:
    arguments = _arguments()
    given, unseen = _parts(arguments.data, arguments.protocol, arguments.limit)
    hardware = choose_hardware(arguments.device)
    facts = print_heading(
        f"Accuracy on unseen images: preset {arguments.preset}, protocol {arguments.protocol}",
        ("torch", "onnxruntime", "numpy"),
    )
    say(
        f"{hardware.describe()}; {len(given):,} labelled images given, {arguments.val:g} of them kept for validation, "
        f"{total(unseen):,} unseen"
    )
    results: list[dict[str, Any]] = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        keep = arguments.keep and f"{arguments.keep}/{arguments.preset}-{seed}"
        result = train_and_evaluate(
            preset(arguments.preset), given, unseen, seed, hardware, arguments.epochs, keep, arguments.val
        )
        results.append(result)
        say(
            f"seed {seed}: {result['accuracy']:.3%} ({result['errors']} wrong), validation "
            f"{result['val_accuracy']:.3%}, {result['train_seconds']:.1f} s of training, "
            f"{result['job_seconds']:.1f} s in all"
        )
        if arguments.output:  # after every seed: a long benchmark keeps what it has
            write_json(arguments.output, {**facts, "hardware": hardware.describe(), **_summary(results)})
    _print(results, total(unseen))


def train_and_evaluate(
    recipe: Recipe,
    given: Digits,
    unseen: dict[str, Digits],
    seed: int,
    hardware: Hardware,
    epochs: int | None = None,
    keep: str | None = None,
    val: float = Settings.val,
) -> dict[str, Any]:
    """Train as ``digits train`` does, then read the unseen images once, through model.onnx.

    keep: the run folder; a temporary one where left out. val: share of what is given that is kept for validation.
    """
    began = time.perf_counter()
    settings = Settings(recipe, seed, val)
    recipe = replace(recipe, epochs=epochs) if epochs else recipe.fitted(len(split(given, settings).training))
    with tempfile.TemporaryDirectory() as temporary:
        run = train_run(
            Dataset("mnist", given, None),
            RunFolder(keep or temporary),
            replace(settings, recipe=recipe),
            hardware=hardware,
        )
        seconds = time.perf_counter() - began
        everything = Digits.join(unseen.values())
        probabilities = run.recognizer.probabilities(everything.images)
    found = metrics.evaluate(probabilities, everything.known_labels())
    right = probabilities.argmax(1) == everything.known_labels()
    parts = np.split(right, np.cumsum([len(part) for part in unseen.values()])[:-1])
    return {
        "seed": seed,
        "accuracy": found.accuracy,
        "errors": found.errors,
        "n": found.n,
        "parts": {name: float(part.mean()) for name, part in zip(unseen, parts, strict=True)},
        "log_loss": found.log_loss,
        "ece": found.ece,
        "val_accuracy": run.metrics["val_accuracy"],
        "train_seconds": run.metrics["train_seconds"],
        "job_seconds": round(seconds, 1),
        "epochs": run.metrics["epochs"],
        "parameters": run.metrics["parameters"],
    }


def total(parts: dict[str, Digits]) -> int:
    """How many images there are in all parts."""
    return sum(map(len, parts.values()))


def _parts(data: str, protocol: str, limit: int | None) -> tuple[Digits, dict[str, Digits]]:
    """(given to the job, unseen by name). See the top of the file."""
    labelled = load_labelled(data, limit)
    unseen: dict[str, Digits] = {}
    if protocol in ("mnist-rest", "kaggle"):
        shuffled = permuted(len(labelled))
        size = round(GIVEN * len(labelled))
        unseen["rest"] = labelled.take(np.sort(shuffled[size:]))
        labelled = labelled.take(np.sort(shuffled[:size]))
    if protocol in ("kaggle", "mnist"):
        test = load(data).test
        if test is None or test.labels is None:
            raise SystemExit(f"error: {data}: the protocol {protocol} needs a labelled test part, found none")
        unseen["t10k"] = test
    return labelled, unseen


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    accuracies = [result["accuracy"] for result in results]
    n = sum(result["n"] for result in results)
    return {
        "mean": statistics.fmean(accuracies),
        "sd": statistics.stdev(accuracies) if len(results) > 1 else None,
        "interval95_pooled": metrics.wilson_interval(n - sum(result["errors"] for result in results), n),
        "seeds": results,
    }


def _print(results: list[dict[str, Any]], unseen: int) -> None:
    summary = _summary(results)
    low, high = summary["interval95_pooled"]
    rows = [
        (
            str(result["seed"]),
            f"{result['accuracy']:.3%}",
            " + ".join(f"{name} {share:.3%}" for name, share in result["parts"].items()),
            f"{result['errors']}",
            f"{result['val_accuracy']:.2%}",
            f"{result['train_seconds']:.1f}",
            f"{result['job_seconds']:.1f}",
        )
        for result in results
    ]
    spread = "one seed, no spread" if summary["sd"] is None else f"sd {100 * summary['sd']:.3f} points"
    rows.append(
        (
            f"mean of {len(results)}",
            f"{summary['mean']:.3%}",
            " + ".join(
                f"{name} {statistics.fmean(result['parts'][name] for result in results):.3%}"
                for name in results[0]["parts"]
            ),
            f"{statistics.fmean(result['errors'] for result in results):.1f}",
            f"{statistics.fmean(result['val_accuracy'] for result in results):.2%}",
            f"{statistics.fmean(result['train_seconds'] for result in results):.1f}",
            f"{statistics.fmean(result['job_seconds'] for result in results):.1f}",
        )
    )
    print_table(("seed", "accuracy", "parts", "wrong", "validation", "training s", "whole job s"), rows)
    say(
        f"{spread}; pooled 95 % interval {low:.3%} to {high:.3%} (Wilson). All seeds answer the same {unseen:,} "
        f"images, so the interval is too narrow where they fail together. {results[0]['parameters']:,} parameters, "
        f"{results[0]['epochs']} epochs.\n"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Accuracy of a preset on images never seen, over seeds.")
    parser.add_argument("data", nargs="?", default="mnist", help="MNIST: its name, folder or archive")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="fast")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", help="a folder for the run folders; temporary ones where left out")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--protocol", choices=("mnist-rest", "kaggle", "mnist"), default="mnist-rest")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--epochs", type=int, help="instead of the preset's own number")
    parser.add_argument("--val", type=float, default=Settings.val, help="share kept for validation, as for the job")
    parser.add_argument("--limit", type=int, help="only the first images: a check that everything runs, no result")
    parser.add_argument("-o", "--output", type=Path, help="figures as JSON, written after every seed")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
