"""The words of ``digits train-ink`` become a training of the ink finder. Loads torch only when it is called."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.options import Device, Fonts, Json, Strokes
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import Terminal, duration, percent


def train_ink(
    data: Annotated[str, typer.Argument(help="Labelled digits: what ``digits train`` takes.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for ink.onnx and all else.")],
    strokes: Strokes = None,
    fonts: Fonts = None,
    scenes: Annotated[int, typer.Option(help="Pieces of pages that are composed to learn from.")] = 12_000,
    steps: Annotated[int, typer.Option(help="Batches that are learnt.")] = 8_000,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many, the learning rate fallen by then.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    val: Annotated[float, typer.Option(help="Share of the digits kept for validation.")] = 0.05,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Train the finder of ink on pages.

    Composes pieces of pages in any light, learns where on them there is ink, and leaves a folder with ink.onnx.
    """
    from digit_recognizer.sources.catalog import load

    terminal = Terminal(as_json=as_json)
    with needs("train", "training"):
        from digit_recognizer.training.hardware import choose_hardware
        from digit_recognizer.training.inkfinder.job import InkSettings, train_ink_finder
        from digit_recognizer.training.inkfinder.learn import InkLearning, Note

    settings = InkSettings(
        scenes=scenes,
        val_scenes=max(1, min(400, scenes // 4)),
        seed=seed,
        val=val,
        strokes=strokes,
        fonts=fonts,
        learning=InkLearning(steps=steps, minutes=minutes),
    )
    hardware = choose_hardware(device)

    def show(note: Note) -> None:
        left = note.seconds / max(note.share, 1e-9) - note.seconds
        terminal.note(
            f"step {note.step:,} · {percent(note.share)} · loss {note.loss:.4f} · rate {note.learning_rate:.2g} · "
            f"{duration(left)} left"
        )

    metrics = train_ink_finder(
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
            ("pixels of ink", "share"),
            ("found of those that are there", percent(metrics["recall"])),
            ("there of those that were found", percent(metrics["precision"])),
            ("scenes without ink, none found", percent(metrics["empty_clean"])),
        ]
    )
    terminal.say(f"written to {output}")
    terminal.document({"run": str(output), "metrics": metrics})


__all__ = ["train_ink"]
