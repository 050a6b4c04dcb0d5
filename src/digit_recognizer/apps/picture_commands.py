"""The words of ``digits predict`` and ``digits read``, which work on pictures, become calls and an exit code.

Heavy libraries are loaded by the command that needs them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.data_commands import loaded
from digit_recognizer.apps.options import Json, MaxPixels, MinConfidence, Model, check_min_confidence
from digit_recognizer.apps.outputs import refuse_own_input, refuse_unwritable
from digit_recognizer.apps.terminal import Terminal, counted
from digit_recognizer.errors import UsageError


def predict(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Pictures of one digit each: files, folders, patterns such as 'scans/*.png', - for stdin; or one data "
            "set: a Kaggle zip, a folder or CSV, an IDX folder, .npz, .parquet, a folder of images by class, or a "
            "name: mnist, sample.  [default: sample]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The CSV to write; left out: stdout."),
    ] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Read digits from pictures, or predict a data set.

    A data set without names or labels, as Kaggle's test data: ImageId,Label. Anything else: name,digit,confidence,
    accepted,second,second_confidence; pictures on a terminal: a table. In CSV, a name that begins with = + - @ or a tab
    gets an apostrophe before it, so that no spreadsheet runs it as a formula.
    """
    from digit_recognizer.apps.predictions import (
        COLUMNS,
        predict_pictures,
        predictions_csv,
        reading_entry,
        write_predictions,
    )
    from digit_recognizer.recognizer import Recognizer
    from digit_recognizer.sources.catalog import NAMES, is_data_set

    terminal = Terminal(as_json=as_json)
    check_min_confidence(min_confidence)
    words = data or ["sample"]
    if as_json and output is not None and str(output) == "-":
        raise UsageError("--output - and --json both print on stdout; give --output a file")
    if len(words) > 1 and all(word in NAMES or (os.path.isfile(word) and is_data_set(word)) for word in words):
        raise UsageError(f"{', '.join(words)}: expected pictures, or one data set at a time")
    refuse_own_input(output, "--output", words, model, COLUMNS)
    recognizer = Recognizer(model, min_confidence=min_confidence)
    if len(words) > 1 or not is_data_set(words[0]):
        raise typer.Exit(predict_pictures(words, recognizer, terminal, output, max_pixels))
    if max_pixels is not None:
        raise UsageError(f"--max-pixels is for pictures, and {words[0]} is a data set")
    dataset = loaded(words[0], terminal)
    digits = dataset.test if dataset.test is not None else dataset.labelled()
    found = recognizer.predict(digits)
    if output is not None and str(output) != "-":
        write_predictions(output, digits, found)
        terminal.note(f"{counted(len(found), 'prediction')} written to {output}")
    elif not as_json:
        sys.stdout.write(predictions_csv(digits, found))
    terminal.document([reading_entry(reading) for reading in found])


def read(
    pictures: Annotated[
        list[str],
        typer.Argument(
            help="Pictures of numbers, or PDFs: files, folders, patterns, form.pdf#2 for a page, - for stdin."
        ),
    ],
    expect: Annotated[str | None, typer.Option(help="Digits of each number, 5 or 3-7; or a grid, 9x9.")] = None,
    check: Annotated[str | None, typer.Option(help="luhn: each number ends in a check digit.")] = None,
    numbers: Annotated[str, typer.Option(help="digits, or decimal: with comma or point, and minus.")] = "digits",
    csv: Annotated[Path | None, typer.Option(help="A CSV to write, a row a line of numbers; - for stdout.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="A folder for the pictures with boxes and digits.")] = None,
    show_steps: Annotated[Path | None, typer.Option(help="A folder for pictures of what the reader saw.")] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Read the numbers on photos, scans and pages.

    A line of text for each line of numbers. Lines that are not accepted are printed, too, and named on stderr with the
    reason: one of their digits has less confidence than --min-confidence, and a second look at the whole number does
    not bear it out; or something speaks against the number. The model's own threshold is strict: many such lines are
    right, but have somebody look.
    """
    from digit_recognizer.apps.reading_pages import COLUMNS, Wanted, read_pictures
    from digit_recognizer.recognizer import Recognizer

    check_min_confidence(min_confidence)
    wanted = Wanted(expect, check, numbers, annotate, csv, show_steps, max_pixels)
    refuse_own_input(csv, "--csv", pictures, model, COLUMNS)
    refuse_unwritable(annotate, "--annotate", folder=True)
    refuse_unwritable(show_steps, "--show-steps", folder=True)
    recognizer = Recognizer(model, min_confidence=min_confidence)
    raise typer.Exit(read_pictures(pictures, recognizer, Terminal(as_json=as_json), wanted))


__all__ = ["predict", "read"]
