"""The words of ``digits train-ink`` become a training of the ink finder. Loads torch only when it is called."""

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


def train_ink(
    data: Labelled,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for ink.onnx and all else.")],
    strokes: Drawings = None,
    fonts: FontFolder = None,
    scenes: Annotated[int, typer.Option(help="Pieces of pages that are composed to learn from.")] = 12_000,
    steps: Steps = 8_000,
    minutes: Minutes = None,
    seed: RandomSeed = 0,
    val: HeldOut = 0.05,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train the finder of ink on pages.

    Composes pieces of pages in any light, learns where on them there is ink, and leaves a folder with ink.onnx.
    """
    with needs("train", "training"):
        from digit_recognizer.training.inkfinder.job import InkSettings, train_ink_finder
        from digit_recognizer.training.inkfinder.learn import InkLearning

    settings = InkSettings(
        scenes=scenes,
        val_scenes=max(1, min(400, scenes // 4)),
        seed=seed,
        val=val,
        strokes=strokes,
        fonts=fonts,
        learning=InkLearning(steps=steps, minutes=minutes),
    )
    train_and_tell(
        train_ink_finder,
        data,
        output,
        settings,
        lambda metrics: [
            ("pixels of ink", "share"),
            ("found of those that are there", percent(metrics["recall"])),
            ("there of those that were found", percent(metrics["precision"])),
            ("scenes without ink, none found", percent(metrics["empty_clean"])),
        ],
        device=device,
        overwrite=overwrite,
        as_json=as_json,
    )


__all__ = ["train_ink"]
