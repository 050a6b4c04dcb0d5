"""The options that several commands share, each spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.errors import UsageError

DATA_HELP = (
    "A Kaggle zip, a folder or CSV, an IDX folder, .npz, .parquet, a folder of images, or a name: mnist, sample."
)
Data = Annotated[str, typer.Argument(help=DATA_HELP, show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A run folder, an .onnx file, or int8; left out: the model that ships."),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        help="From which confidence on a digit is accepted, 0 to 1.  [default: the model's own, see digits info]",
        show_default=False,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(help="notebook, fast, best or ship.  [default: fast]", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Of everything random.  [default: 0]", show_default=False)]
Val = Annotated[
    float | None,
    typer.Option(
        help="Share of the labelled images kept for validation, where DATA has no part for that.  [default: 0.1]",
        show_default=False,
    ),
]
Epochs = Annotated[int | None, typer.Option(help="Instead of the preset's own number.", show_default=False)]
MaxError = Annotated[
    float | None,
    typer.Option(help="Share of the accepted readings that may be wrong.  [default: 0.001]", show_default=False),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Remove a run that is in this folder, start anew.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The run folder.  [default: runs/NAME, with the next free number]"),
]
Strokes = Annotated[
    str | None,
    typer.Option(help="A file of pen drawings to learn from as well (preset ship).", show_default=False),
]
Fonts = Annotated[
    str | None,
    typer.Option(help="A folder of fonts (preset ship).  [default: the platform's own]", show_default=False),
]
Drawings = Annotated[
    str | None, typer.Option("--strokes", help="A file of pen drawings to learn from as well.", show_default=False)
]
FontFolder = Annotated[
    str | None,
    typer.Option("--fonts", help="A folder of fonts.  [default: the platform's own]", show_default=False),
]
Labelled = Annotated[str, typer.Argument(help="Labelled digits: what ``digits train`` takes.")]
Steps = Annotated[int, typer.Option(help="Batches that are learnt.")]
Minutes = Annotated[
    float | None, typer.Option(help="Stop after so many, the learning rate fallen by then.", show_default=False)
]
RandomSeed = Annotated[int, typer.Option(help="Of everything random.")]
HeldOut = Annotated[float, typer.Option(help="Share of the digits kept for validation.")]
Unfinished = Annotated[
    Path, typer.Option("--output", "-o", help="The folder to write; the same command goes on in it.")
]
SkipBadRows = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows", help="Leave wrong rows of CSVs with labels out and say which, instead of refusing the file."
    ),
]
MaxPixels = Annotated[
    int | None, typer.Option(help="Larger pictures are refused.  [default: 40,000,000]", show_default=False)
]
Workers = Annotated[int | None, typer.Option(help="How many at a time.  [default: one a core]", show_default=False)]
Address = Annotated[
    str | None, typer.Option(help="ray: a running cluster; left out: one of its own.", show_default=False)
]

Engine = Annotated[
    str | None,
    typer.Option(
        help="auto; local: one after another; ray: side by side on Ray Tune.  [default: auto: ray where it is "
        "installed and there are several to train and several cores]",
        show_default=False,
    ),
]

ENGINES = ("auto", "local", "ray")


def check_min_confidence(min_confidence: float | None) -> None:
    """Raise UsageError where --min-confidence is none; None stands for the model's own."""
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise UsageError(f"--min-confidence: expected a confidence from 0 to 1, found {min_confidence:g}")


def check_seed(seed: int) -> None:
    """Raise UsageError where --seed is none: the generators take 0 and more."""
    if seed < 0:
        raise UsageError(f"--seed: expected 0 or more, found {seed}")


def check_epochs(epochs: int | None) -> None:
    """Raise UsageError where --epochs is none; None stands for the preset's own."""
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs: expected at least 1, found {epochs}")


def check_engine(engine: str, workers: int | None, address: str | None) -> None:
    """Raise UsageError where --engine, --workers and --address of a training make no sense."""
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}; choose {', '.join(ENGINES[:-1])} or {ENGINES[-1]}")
    if engine == "local" and (workers is not None or address is not None):
        raise UsageError("--workers and --address are for --engine ray")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers: expected at least 1, found {workers}")


__all__ = [
    "DATA_HELP",
    "ENGINES",
    "Address",
    "Data",
    "Device",
    "Drawings",
    "Engine",
    "Epochs",
    "FontFolder",
    "Fonts",
    "HeldOut",
    "Json",
    "Labelled",
    "MaxError",
    "MaxPixels",
    "MinConfidence",
    "Minutes",
    "Model",
    "Output",
    "Overwrite",
    "Preset",
    "RandomSeed",
    "Resume",
    "Seed",
    "SkipBadRows",
    "Steps",
    "Strokes",
    "Unfinished",
    "Val",
    "Workers",
    "check_engine",
    "check_epochs",
    "check_min_confidence",
    "check_seed",
]
