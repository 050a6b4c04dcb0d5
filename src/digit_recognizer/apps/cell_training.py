"""The words of ``digits train-cells`` become a training of the cell reader. Loads torch only when it is called."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.options import Device, Fonts, Json, Strokes
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import Terminal, duration, percent


def train_cells(
    data: Annotated[str, typer.Argument(help="Labelled digits: what ``digits train`` takes.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for cells.onnx and all else.")],
    strokes: Strokes = None,
    fonts: Fonts = None,
    cells: Annotated[int, typer.Option(help="Cells that are composed to learn from.")] = 240_000,
    steps: Annotated[int, typer.Option(help="Batches that are learnt.")] = 25_000,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many, the learning rate fallen by then.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    val: Annotated[float, typer.Option(help="Share of the digits kept for validation.")] = 0.05,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train the reader of cells of grids.

    Composes cells as photos of grids have them, learns what stands in them, and leaves a folder with cells.onnx.
    """
    from digit_recognizer.sources.catalog import load

    terminal = Terminal(as_json=as_json)
    with needs("train", "training"):
        from digit_recognizer.training.cells.job import CellSettings, train_cell_reader
        from digit_recognizer.training.cells.learn import CellLearning, Note
        from digit_recognizer.training.hardware import choose_hardware

    settings = CellSettings(
        cells=cells,
        val_cells=max(1, min(4_000, cells // 4)),
        seed=seed,
        val=val,
        strokes=strokes,
        fonts=fonts,
        learning=CellLearning(steps=steps, minutes=minutes),
    )
    hardware = choose_hardware(device)

    def show(note: Note) -> None:
        left = note.seconds / max(note.share, 1e-9) - note.seconds
        terminal.note(
            f"step {note.step:,} · {percent(note.share)} · loss {note.loss:.4f} · rate {note.learning_rate:.2g} · "
            f"{duration(left)} left"
        )

    metrics = train_cell_reader(
        load(data),
        output,
        settings,
        hardware=hardware,
        command=shlex.join(["digits", *sys.argv[1:]]),
        on_note=show,
        tell=terminal.note,
    )
    terminal.table(
        [
            ("validation cells", "share"),
            ("digits that were read rightly", percent(metrics["digits_right"])),
            ("empty cells told as empty", percent(metrics["empty_right"])),
            ("other cells told as no digit", percent(metrics["others_right"])),
        ]
    )
    terminal.say(f"written to {output}")
    terminal.document({"run": str(output), "metrics": metrics})


__all__ = ["train_cells"]
