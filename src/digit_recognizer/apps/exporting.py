"""``digits export`` and ``digits report``: what is in a run folder once more, as a file of its own, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.options import Json
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.outputs import refuse_foreign_file
from digit_recognizer.apps.terminal import Terminal, percent
from digit_recognizer.errors import UsageError


def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="In 8-bit integers: smaller, and faster where nets are large.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            help="--int8: the data to find the layers' ranges with.  [default: the run's]", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a run's model, checked, to a file of its own."""
    from digit_recognizer.files import write_bytes
    from digit_recognizer.model_file import read_model
    from digit_recognizer.model_probe import ensure_safe

    terminal = Terminal(as_json=as_json)
    if data is not None and not int8:
        raise UsageError("--data is for --int8")
    refuse_foreign_file(output, run_folder)
    file = read_model(run_folder)
    ensure_safe(file)
    if not int8:
        write_bytes(output, file.content)
        terminal.say(f"{output}: {len(file.content):,} bytes, sha256 {file.sha256}")
        terminal.document({"model": str(output), "bytes": len(file.content), "sha256": file.sha256})
        return
    with needs("train", "export in int8"):
        from digit_recognizer.apps.evaluation import held_out_of
        from digit_recognizer.training.quantize import frames_to_quantize_with, quantize_model

        images, check_images = frames_to_quantize_with(held_out_of(run_folder, data))
        written = quantize_model(file, output, images=images, check_images=check_images)
    sha256 = read_model(output).sha256
    terminal.say(
        f"{output}: {written.size:,} bytes, sha256 {sha256}; of {written.images:,} images "
        f"{percent(written.changed)} get another label than in float32"
    )
    terminal.document(
        {
            "model": str(output),
            "bytes": written.size,
            "sha256": sha256,
            "images": written.images,
            "changed": written.changed,
        }
    )


def report(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")], as_json: Json = False
) -> None:
    """Write report.html of a run anew from its files."""
    with needs("report", "the report"):
        from digit_recognizer.analysis.report import write_report

        written = str(write_report(run_folder))
    terminal = Terminal(as_json=as_json)
    terminal.say(written)
    terminal.document({"report": written})


__all__ = ["export", "report"]
