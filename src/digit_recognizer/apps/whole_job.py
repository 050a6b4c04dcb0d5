"""The whole job, from a data set to a report: explore, train, evaluate, predict, draw.

Calls the parts in their order and says what they found; every number comes from them.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from digit_recognizer.analysis.explore import Exploration, explore, fact_rows, label_rows
from digit_recognizer.analysis.metrics import evaluate
from digit_recognizer.apps.about import threshold_sentence
from digit_recognizer.apps.predictions import is_submission, write_predictions
from digit_recognizer.apps.request import RunRequest
from digit_recognizer.apps.terminal import Terminal, counted, duration, percent
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import Interrupted
from digit_recognizer.files import write_json

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


def train_into(
    folder: Any, request: RunRequest, terminal: Terminal, ranks: Any = None, members: Callable[..., Any] | None = None
) -> Any:
    """Train as asked into a claimed RunFolder, with a display, and with Ctrl-C and SIGTERM saving first.

    ranks: digit_recognizer.training.distributed.Ranks where torchrun started several; left out, this process is alone.
    members: gives the engine that trains the nets of an ensemble side by side, as a context manager, told whether to
    stop; left out, they are trained one after another.
    Returns the FinishedRun. Raises Interrupted, and what train_run raises.
    """
    from digit_recognizer.apps.signals import stop_on_signals
    from digit_recognizer.training.distributed import ALONE
    from digit_recognizer.training.job import train_run

    ranks = ranks or ALONE
    recipe = request.settings.recipe
    nets = f"{recipe.members} nets of " if recipe.members > 1 else ""
    terminal.heading(
        f"Training: {recipe.preset}, {nets}{counted(recipe.epochs, 'epoch')}, {request.hardware.describe()}"
        f"{f', {ranks.count} ranks' if ranks.count > 1 else ''}{', each net on a CPU of its own' if members else ''}"
    )
    if request.note:
        terminal.note(request.note)
    terminal.about(request.dataset)
    if request.dataset.validation is not None:
        terminal.note(f"judged by the data's own {counted(len(request.dataset.validation), 'image')} for validation")
    with (
        stop_on_signals() as stop,
        terminal.training(recipe.members) as display,
        members(stop) if members else nullcontext() as engine,
    ):
        finished = train_run(
            request.dataset,
            folder,
            request.settings,
            hardware=request.hardware,
            source=request.source,
            command=request.command,
            resume=request.resume,
            on_progress=display.show,
            tell=terminal.note,
            stop=stop,
            ranks=ranks,
            engine=engine,
        )
    if stop.signal_number is not None:  # it came while the model was written
        raise Interrupted(f"stopped; the model is finished, in {folder.path}", signal_number=stop.signal_number)
    return finished


def show_result(terminal: Terminal, metrics: Any) -> None:
    """Print how good a finished run is."""
    low, high = metrics["interval95"]
    terminal.say(
        f"validation accuracy {percent(metrics['val_accuracy'])} ({percent(low)} to {percent(high)} with 95 % "
        f"confidence): {metrics['errors']:,} of {metrics['n']:,} wrong"
    )
    terminal.say(
        f"log-loss {metrics['log_loss']:.4f} · calibration error {percent(metrics['ece'])} · "
        f"{metrics['parameters']:,} parameters · trained in {duration(metrics['train_seconds'])} · "
        f"reads {metrics['images_per_second']:,.0f} images/s"
    )
    if metrics["min_confidence"] > 1:
        terminal.note(f"note: the model {threshold_sentence(metrics['min_confidence'], metrics['max_error'])}")


def show_test(terminal: Terminal, result: Mapping[str, Any]) -> None:
    """Print how a finished run does on a labelled test part. result: as ``Evaluation.to_dict`` gives it."""
    low, high = result["interval95"]
    terminal.say(
        f"test accuracy {percent(result['accuracy'])} ({percent(low)} to {percent(high)} with 95 % confidence): "
        f"{result['errors']:,} of {result['n']:,} wrong"
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
    recipe = settings_of(run.folder).recipe
    shown = run.training.images[np.random.default_rng(seed).permutation(len(run.training))[:5]]
    repeated = torch.from_numpy(np.repeat(shown, 11, axis=0)).unsqueeze(1).float() / 255  # (55, 1, 28, 28)
    bent = recipe.augmentation.apply(repeated, torch.Generator().manual_seed(seed))
    bent_pixels = (bent * 255).round().byte().numpy().reshape(len(shown), 11, *shown.shape[1:])
    return [
        plots.plot_loss(history, drawn / "loss.png", training_note(recipe, "loss")),
        plots.plot_accuracy(history, drawn / "accuracy.png", training_note(recipe, "accuracy")),
        plots.plot_learning_rate(history, drawn / "learning_rate.png"),
        plots.plot_confusion(run.metrics["confusion"], drawn / "confusion.png"),
        plots.plot_reliability(run.metrics["reliability"], run.metrics["ece"], drawn / "reliability.png"),
        plots.plot_mistakes(
            run.validation.images,
            run.validation.known_labels(),
            probabilities,
            run.validation.names,
            drawn / "mistakes.png",
        ),
        plots.plot_augmentation(shown, bent_pixels, drawn / "augmentation.png"),
    ]


def training_note(recipe: Any, figure: Literal["loss", "accuracy"]) -> str:
    """Under which conditions a training curve was taken, in the words of its legend: why it is worse than validation.

    recipe: digit_recognizer.training.recipe.Recipe.

    >>> from digit_recognizer.training.recipe import notebook
    >>> training_note(notebook(), "loss")
    'augmented, dropout'
    """
    bends = {name: value for name, value in asdict(recipe.augmentation).items() if name != "elastic_nodes"}
    conditions = (
        (any(bends.values()), "augmented"),
        (recipe.dropout > 0 or recipe.network == "notebook", "dropout"),
        (recipe.label_smoothing > 0 and figure == "loss", "smoothed labels"),
        (recipe.focus < 1 and recipe.epochs > 1, "hard images"),
    )
    return ", ".join(words for holds, words in conditions if holds) or "as it learnt"


def run_whole_job(request: RunRequest, terminal: Terminal, members: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Explore, train, evaluate, predict and report; returns what ``digits run --json`` prints.

    members: as for ``train_into``.
    """
    from digit_recognizer.analysis.report import write_report
    from digit_recognizer.training.run_folder import RunFolder

    dataset, seed, folder = request.dataset, request.settings.seed, RunFolder(request.folder)
    with folder.claim(resume=request.resume, overwrite=request.overwrite):
        exploration = explore(dataset)
        show_exploration(terminal, dataset, exploration, seed)
        if dataset.name == "sample":
            terminal.say()
            terminal.say(SAMPLE_NOTE)
        run = train_into(folder, request, terminal, members=members)
        write_exploration(dataset, exploration, folder.path, seed)
        show_result(terminal, run.metrics)
        results = dict(run.metrics)
        if dataset.test is not None and dataset.test.labels is not None:
            results["test"] = evaluate(run.recognizer.probabilities(dataset.test.images), dataset.test.labels).to_dict()
            show_test(terminal, results["test"])
            folder.write_metrics(results)
        answers = None
        if dataset.test is not None:
            answers = folder.path / ("submission.csv" if is_submission(dataset.test) else "predictions.csv")
            write_predictions(answers, dataset.test, run.recognizer.predict(dataset.test))
        draw_run(run, seed)
        report = write_report(folder.path)
    seconds = time.perf_counter() - request.began
    terminal.heading(f"Written to {folder.path} in {duration(seconds)}")
    rows = [("File", "what it is"), ("report.html", "everything on one page")]
    if answers is not None and dataset.test is not None:
        rows.append((answers.name, f"{counted(len(dataset.test), 'prediction')} for the test part"))
    rows += [
        ("model.onnx", f"the model: {shlex.join(['digits', 'predict', 'DATA', '--model', str(folder.path)])}"),
        ("plots/", "every picture alone"),
    ]
    terminal.table(rows, figures=False)
    return {
        "run": str(folder.path),
        "report": str(report),
        "submission": str(answers) if answers is not None and answers.name == "submission.csv" else None,
        "predictions": None if answers is None else str(answers),
        "seconds": round(seconds, 1),
        "metrics": results,
    }


__all__ = [
    "draw_run",
    "run_whole_job",
    "show_exploration",
    "show_result",
    "show_test",
    "train_into",
    "training_note",
    "write_exploration",
]
