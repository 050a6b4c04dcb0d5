"""The words of ``digits train-lines`` become a training of the line reader. Loads torch only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.composed_training import train_and_tell
from digit_recognizer.apps.options import (
    Device,
    Drawings,
    FontFolder,
    HeldOut,
    Json,
    Labelled,
    Minutes,
    Overwrite,
    RandomSeed,
    Steps,
)
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import percent


def train_lines(
    data: Labelled,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for lines.onnx and all else.")],
    strokes: Drawings = None,
    fonts: FontFolder = None,
    rows: Annotated[int, typer.Option(help="Rows that are written to learn from.")] = 50_000,
    steps: Steps = 6_000,
    minutes: Minutes = None,
    start: Annotated[
        Path | None, typer.Option(help="The lines.onnx of a line reader to go on from.", show_default=False)
    ] = None,
    first_row: Annotated[int, typer.Option(help="The first row's number: those before are known to --start.")] = 0,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = 4e-3,
    seed: RandomSeed = 0,
    val: HeldOut = 0.05,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train the reader of digits that touch.

    Writes rows of digits in touch with each other, learns to read them, and leaves a folder with lines.onnx.
    """
    with needs("train", "training"):
        from digit_recognizer.training.lines.job import LineSettings
        from digit_recognizer.training.lines.job import train_lines as train_on
        from digit_recognizer.training.lines.learn import Learning

    settings = LineSettings(
        rows=rows,
        val_rows=max(1, min(1_500, rows // 4)),
        first_row=first_row,
        seed=seed,
        val=val,
        strokes=strokes,
        fonts=fonts,
        learning=Learning(steps=steps, minutes=minutes, learning_rate=learning_rate),
    )
    train_and_tell(
        train_on,
        data,
        output,
        settings,
        lambda metrics: [
            ("digits", "whole strips right", "strips"),
            *(
                (length, percent(found["right"]), f"{found['strips']:,}")
                for length, found in metrics["by_length"].items()
            ),
            ("all", percent(metrics["whole_strings"]), f"{metrics['strips']:,}"),
        ],
        device=device,
        overwrite=overwrite,
        as_json=as_json,
        start=start,
    )


__all__ = ["train_lines"]
