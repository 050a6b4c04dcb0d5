"""The whole job, from a data set to a report: explore, train, evaluate, predict, draw.

Calls the parts in their order and says what they found; every number comes from them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digit_recognizer.analysis.explore import Exploration, explore, fact_rows, label_rows
from digit_recognizer.apps.terminal import Terminal, duration, percent
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.files import write_json, write_text
from digit_recognizer.reading import Reading

SAMPLE_NOTE = (
    "This is the embedded sample: 1,797 small scans, to see how things work. With real data: "
    "digits run digit-recognizer.zip (Kaggle's download), or digits run mnist."
)


def show_exploration(terminal: Terminal, dataset: Dataset, exploration: Exploration, seed: int = 0) -> None:
    """Print the tables of an exploration, and one digit."""
    terminal.heading(f"Data: {dataset.name}")
    found = exploration.to_dict()
    terminal.table(fact_rows(found))
    if rows := label_rows(found):
        terminal.heading("Labels")
        terminal.table(rows)
    shown = next((part for part in dataset.parts().values() if len(part)), None)
    if shown is not None:
        index = int(np.random.default_rng(seed).integers(len(shown)))
        label = "" if shown.labels is None else f": a {shown.labels[index]}"
        terminal.heading(f"Image {shown.name(index)}{label}")
        terminal.digit(shown.images[index])


def write_exploration(dataset: Dataset, exploration: Exploration, folder: Path, seed: int = 0) -> list[Path]:
    """Write explore.json and its plots into ``folder``; returns the paths. Raises FileError."""
    from digit_recognizer.analysis import plots

    drawn = folder / "plots"
    write_json(folder / "explore.json", exploration.to_dict())
    paths = [folder / "explore.json"]
    counts = {name: part.counts().tolist() for name, part in dataset.parts().items() if part.labels is not None}
    if counts:
        paths.append(plots.plot_label_counts(counts, drawn / "label_counts.png"))
    shown = dataset.train if dataset.train is not None else dataset.test
    if shown is not None and len(shown):
        paths.append(plots.plot_samples(shown, drawn / "samples.png", seed))
        if shown.labels is not None:
            paths.append(plots.plot_mean_digits(shown, drawn / "mean_digits.png"))
    if dataset.train is not None and (far := exploration.parts["train"].outliers):
        indices = [outlier.index for outlier in far]
        paths.append(plots.plot_outliers(dataset.train, indices, drawn / "outliers.png"))
    return paths


def write_predictions(path: str | Path, digits: Digits, readings: Sequence[Reading]) -> None:
    """Write predictions as CSV, whole or not at all.

    Kaggle's way (ImageId,Label from 1) where the images have neither names nor labels; else a line per image with
    name, digit, confidence, accepted and second choice. Raises FileError.
    """
    write_text(path, predictions_csv(digits, readings))


def predictions_csv(digits: Digits, readings: Sequence[Reading]) -> str:
    """The text of that CSV; see write_predictions."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if is_submission(digits):
        writer.writerow(["ImageId", "Label"])
        writer.writerows((number, reading.digit) for number, reading in enumerate(readings, 1))
    else:
        writer.writerow(["name", "digit", "confidence", "accepted", "second", "second_confidence"])
        for reading in readings:
            row = reading.to_dict()
            row["accepted"] = str(row["accepted"]).lower()
            writer.writerow(row.values())
    return text.getvalue()


def is_submission(digits: Digits) -> bool:
    """Whether these are images as in Kaggle's test.csv: neither names nor labels."""
    return digits.names is None and digits.labels is None


@dataclass(frozen=True)
class RunRequest:
    """What ``digits run`` and ``digits train`` were asked for, checked and complete.

    source: DATA as it was given. command: how to repeat it. began: when, by time.perf_counter.
    """

    source: str
    dataset: Dataset
    folder: Path
    settings: Any  # digit_recognizer.training.job.Settings; its module loads torch
    device: str
    resume: bool
    overwrite: bool
    command: str
    began: float


def train_into(request: RunRequest, terminal: Terminal) -> Any:
    """Train as asked, with a display and with Ctrl-C and SIGTERM saving first. Returns the FinishedRun."""
    from digit_recognizer.apps.signals import stop_on_signals
    from digit_recognizer.training.hardware import choose_hardware
    from digit_recognizer.training.job import train_run
    from digit_recognizer.training.run_folder import RunFolder

    hardware = choose_hardware(request.device)
    recipe = request.settings.recipe
    nets = f"{recipe.members} nets of " if recipe.members > 1 else ""
    terminal.heading(f"Training: {recipe.preset}, {nets}{recipe.epochs} epochs, {hardware.describe()}")
    with stop_on_signals() as stop, terminal.training() as display:
        return train_run(
            request.dataset,
            RunFolder(request.folder),
            request.settings,
            hardware=hardware,
            source=request.source,
            command=request.command,
            resume=request.resume,
            on_progress=display.show,
            tell=terminal.note,
            stop=stop,
        )


def show_result(terminal: Terminal, metrics: Any) -> None:
    """Print how good a finished run is."""
    low, high = metrics["interval95"]
    terminal.say(
        f"validation accuracy {percent(metrics['val_accuracy'])} ({percent(low)} to {percent(high)} with 95 % "
        f"confidence): {metrics['errors']} of {metrics['n']:,} wrong"
    )
    terminal.say(
        f"log-loss {metrics['log_loss']:.4f} · calibration error {percent(metrics['ece'])} · "
        f"{metrics['parameters']:,} parameters · trained in {duration(metrics['train_seconds'])} · "
        f"reads {metrics['images_per_second']:,.0f} images/s"
    )


def draw_run(run: Any, seed: int) -> list[Path]:
    """Draw the plots of a finished run into its folder; returns the paths. Raises FileError."""
    import torch

    from digit_recognizer.analysis import plots
    from digit_recognizer.analysis.report import read_history
    from digit_recognizer.training.job import settings_of

    drawn = run.folder.path / "plots"
    history = read_history(run.folder.history)
    probabilities = run.recognizer.probabilities(run.validation.images)
    names = [f"validation {number}" for number in range(1, len(run.validation) + 1)]
    augmentation = settings_of(run.folder).recipe.augmentation
    shown = run.training.images[np.random.default_rng(seed).permutation(len(run.training))[:5]]
    repeated = torch.from_numpy(np.repeat(shown, 11, axis=0)).unsqueeze(1).float() / 255  # (55, 1, 28, 28)
    bent = augmentation.apply(repeated, torch.Generator().manual_seed(seed))
    bent_pixels = (bent * 255).round().byte().numpy().reshape(len(shown), 11, *shown.shape[1:])
    return [
        plots.plot_loss(history, drawn / "loss.png"),
        plots.plot_accuracy(history, drawn / "accuracy.png"),
        plots.plot_learning_rate(history, drawn / "learning_rate.png"),
        plots.plot_confusion(run.metrics["confusion"], drawn / "confusion.png"),
        plots.plot_reliability(run.metrics["reliability"], run.metrics["ece"], drawn / "reliability.png"),
        plots.plot_mistakes(
            run.validation.images, run.validation.known_labels(), probabilities, names, drawn / "mistakes.png"
        ),
        plots.plot_augmentation(shown, bent_pixels, drawn / "augmentation.png"),
    ]


def run_whole_job(request: RunRequest, terminal: Terminal) -> dict[str, Any]:
    """Explore, train, evaluate, predict and report; returns what ``digits run --json`` prints."""
    from digit_recognizer.analysis.report import write_report
    from digit_recognizer.training.run_folder import RunFolder

    dataset = request.dataset
    folder = RunFolder(request.folder)
    folder.begin(resume=request.resume, overwrite=request.overwrite)
    seed = request.settings.seed
    exploration = explore(dataset)
    show_exploration(terminal, dataset, exploration, seed)
    if dataset.name == "sample":
        terminal.say()
        terminal.say(SAMPLE_NOTE)
    run = train_into(request, terminal)
    write_exploration(dataset, exploration, folder.path, seed)
    show_result(terminal, run.metrics)
    submission = None
    if dataset.test is not None:
        submission = folder.path / "submission.csv"
        write_predictions(submission, dataset.test, run.recognizer.predict(dataset.test))
    draw_run(run, seed)
    report = write_report(folder.path)
    seconds = time.perf_counter() - request.began
    terminal.heading(f"Written to {folder.path} in {duration(seconds)}")
    rows = [("File", "What"), ("report.html", "everything on one page")]
    if submission is not None and dataset.test is not None:
        rows.append(("submission.csv", f"{len(dataset.test):,} predictions"))
    rows += [("model.onnx", "the model: digits predict DATA --model RUN"), ("plots/", "every picture alone")]
    terminal.table(rows)
    return {
        "run": str(folder.path),
        "report": str(report),
        "submission": None if submission is None else str(submission),
        "seconds": round(seconds, 1),
        "metrics": dict(run.metrics),
    }


__all__ = [
    "RunRequest",
    "draw_run",
    "is_submission",
    "predictions_csv",
    "run_whole_job",
    "show_exploration",
    "show_result",
    "train_into",
    "write_exploration",
    "write_predictions",
]
