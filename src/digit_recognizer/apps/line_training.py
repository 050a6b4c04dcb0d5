"""The words of ``digits train-lines`` become a training of the line reader. Loads torch only when it is called."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.options import Device, Fonts, Json, Strokes
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import Terminal, duration, percent


def train_lines(
    data: Annotated[str, typer.Argument(help="Labelled digits: what ``digits train`` takes.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for lines.onnx and all else.")],
    strokes: Strokes = None,
    fonts: Fonts = None,
    rows: Annotated[int, typer.Option(help="Rows that are written to learn from.")] = 50_000,
    steps: Annotated[int, typer.Option(help="Batches that are learnt.")] = 6_000,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many, the learning rate fallen by then.", show_default=False)
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="The lines.onnx of a line reader to go on from.", show_default=False)
    ] = None,
    first_row: Annotated[int, typer.Option(help="The first row's number: those before are known to --start.")] = 0,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = 4e-3,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    val: Annotated[float, typer.Option(help="Share of the digits kept for validation.")] = 0.05,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train the reader of digits that touch.

    Writes rows of digits in touch with each other, learns to read them, and leaves a folder with lines.onnx.
    """
    from digit_recognizer.sources.catalog import load

    terminal = Terminal(as_json=as_json)
    with needs("train", "training"):
        from digit_recognizer.training.hardware import choose_hardware
        from digit_recognizer.training.lines.job import LineSettings
        from digit_recognizer.training.lines.job import train_lines as train_on
        from digit_recognizer.training.lines.learn import Learning, Note

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
    hardware = choose_hardware(device)

    def show(note: Note) -> None:
        left = note.seconds / max(note.share, 1e-9) - note.seconds
        terminal.note(
            f"step {note.step:,} · {percent(note.share)} · loss {note.loss:.4f} · rate {note.learning_rate:.2g} · "
            f"{duration(left)} left"
        )

    metrics = train_on(
        load(data),
        output,
        settings,
        hardware=hardware,
        start=start,
        command=shlex.join(["digits", *sys.argv[1:]]),
        on_note=show,
        tell=terminal.note,
    )
    terminal.table(
        [
            ("digits", "whole strips right", "strips"),
            *(
                (length, percent(found["right"]), f"{found['strips']:,}")
                for length, found in metrics["by_length"].items()
            ),
            ("all", percent(metrics["whole_strings"]), f"{metrics['strips']:,}"),
        ]
    )
    terminal.say(f"written to {output}")
    terminal.document({"run": str(output), "metrics": metrics})


__all__ = ["train_lines"]
