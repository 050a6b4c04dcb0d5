"""The words of ``digits train-cells`` become a training of the cell reader. Loads torch only when it is called."""

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


def train_cells(
    data: Labelled,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for cells.onnx and all else.")],
    strokes: Drawings = None,
    fonts: FontFolder = None,
    cells: Annotated[int, typer.Option(help="Cells that are composed to learn from.")] = 240_000,
    steps: Steps = 25_000,
    minutes: Minutes = None,
    first: Annotated[
        Path | None,
        typer.Option(help="A cells.onnx of another training, to ask first; the new one where it is unsure."),
    ] = None,
    seed: RandomSeed = 0,
    val: HeldOut = 0.05,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train the reader of cells of grids.

    Composes cells as photos of grids have them, learns what stands in them, and leaves a folder with cells.onnx.
    """
    with needs("train", "training"):
        from digit_recognizer.training.cells.job import CellSettings, train_cell_reader
        from digit_recognizer.training.cells.learn import CellLearning

    settings = CellSettings(
        cells=cells,
        val_cells=max(1, min(4_000, cells // 4)),
        seed=seed,
        val=val,
        strokes=strokes,
        fonts=fonts,
        first=None if first is None else str(first),
        learning=CellLearning(steps=steps, minutes=minutes),
    )
    train_and_tell(
        train_cell_reader,
        data,
        output,
        settings,
        lambda metrics: [
            ("validation cells", "share"),
            ("digits that were read rightly", percent(metrics["digits_right"])),
            ("empty cells told as empty", percent(metrics["empty_right"])),
            ("other cells told as no digit", percent(metrics["others_right"])),
        ],
        device=device,
        overwrite=overwrite,
        as_json=as_json,
    )


__all__ = ["train_cells"]
