"""Readings become what ``digits predict`` prints or writes: CSV, a table, JSON. Reads no model and no data itself."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digit_recognizer.apps.terminal import Terminal, counted
from digit_recognizer.digits import Digits
from digit_recognizer.errors import DigitsError, FileError, InputError, TooManyPixels, UsageError
from digit_recognizer.files import write_text
from digit_recognizer.reading import BLANK, NOT_A_DIGIT, Reading

if TYPE_CHECKING:
    from digit_recognizer.recognizer import Recognizer

COLUMNS = ("name", "digit", "confidence", "accepted", "second", "second_confidence")

# A spreadsheet takes a cell that begins so for a formula, and runs it (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_TOLD = 3  # pictures that are told of one by one, if they are not accepted


def write_predictions(path: str | Path, digits: Digits, readings: Sequence[Reading]) -> None:
    """Write predictions as CSV, whole or not at all.

    Kaggle's way (ImageId,Label from 1) where the images have neither names nor labels; else a line per image with
    name, digit, confidence, accepted and second choice. Raises FileError.
    """
    write_text(path, predictions_csv(digits, readings))


def predictions_csv(digits: Digits, readings: Sequence[Reading]) -> str:
    """The text of that CSV; see write_predictions."""
    if is_submission(digits):
        rows: Iterable[Sequence[object]] = ((number, reading.digit) for number, reading in enumerate(readings, 1))
        return "".join(map(csv_line, [("ImageId", "Label"), *rows]))
    return "".join(map(csv_line, [COLUMNS, *map(reading_row, readings)]))


def is_submission(digits: Digits) -> bool:
    """Whether these are images as in Kaggle's test.csv: neither names nor labels."""
    return digits.names is None and digits.labels is None


def reading_row(reading: Reading) -> tuple[object, ...]:
    """A reading as a row under COLUMNS. A name that a spreadsheet would run as a formula gets an apostrophe before it.

    That is a name which begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return; spreadsheets show it
    without the apostrophe, programs take it off.
    """
    row = {**reading.to_dict(), "name": harmless(reading.name), "accepted": str(reading.accepted).lower()}
    return tuple(row.values())


def reading_entry(reading: Reading) -> dict[str, Any]:
    """A reading as ``--json`` has it: as a row has it, and ``reason``, why it was not accepted, or None."""
    return {**reading.to_dict(), "reason": reading.reason}


def harmless(name: str) -> str:
    """A name for a cell of CSV, with an apostrophe before it where a spreadsheet would run it as a formula.

    >>> harmless("=cmd.png"), harmless("7.png")
    ("'=cmd.png", '7.png')
    """
    return f"'{name}" if name.startswith(_FORMULA) else name


def csv_line(row: Sequence[object]) -> str:
    """One line of CSV with its line end, quoted where needed (RFC 4180).

    >>> csv_line(["a,b.png", 7])
    '"a,b.png",7\\n'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def predict_pictures(
    sources: Sequence[str],
    recognizer: Recognizer,
    terminal: Terminal,
    output: Path | None,
    max_pixels: int | None = None,
) -> int:
    """Read pictures and show what they say, a table to a person and CSV to a program; returns the exit code.

    sources: paths, folders, patterns; "-" is one picture from stdin. output: the CSV to write, None or "-" for stdout.
    max_pixels: cap on width times height of a picture, None for the usual one. Of several pictures, one that cannot be
    read is told on stderr and the others go on: 1 where some failed, 3 where all did (5 where not one could be opened).
    Which were not accepted, and why, is told on stderr, as CSV does not say why.
    Raises what a single picture raises, UsageError where the cap is none, FileError where the CSV cannot be written,
    ModelError where the model fails.
    """
    from digit_recognizer.pictures.collect import collect, is_one

    limit = pixel_limit(max_pixels)
    errors: list[DigitsError] = []
    entries: list[dict[str, Any]] = []
    shown: list[tuple[str, ...]] = [("Picture", "digit", "confidence", "accepted", "second choice")]
    lines: list[str] = []
    refused: Counter[str] = Counter()
    told: list[str] = []  # the first few of them; there may be millions
    count = 0
    to_stdout = output is None or str(output) == "-"
    as_table = to_stdout and output is None and terminal.is_watched and not terminal.as_json

    def failed(name: str, error: DigitsError) -> None:
        error = with_hint(error, limit)
        if alone:
            raise error
        errors.append(error)
        entries.append({"name": name, "error": {"code": error.code, "message": str(error)}})
        terminal.note(f"error: {printable(str(error))}")

    alone = len(sources) == 1 and is_one(sources[0])  # its failure is the failure of the command

    def warn(remark: str) -> None:
        terminal.note(f"warning: {printable(remark)}")

    pictures = (replace(picture, max_pixels=limit, tell=warn) for picture in collect(opened(sources)))
    for reading in recognizer.stream(pictures, on_error=failed):
        if terminal.as_json:
            entries.append(reading_entry(reading))
        if as_table:
            shown.append(_table_row(reading))
        elif not to_stdout:
            lines.append(csv_line(reading_row(reading)))
        elif not terminal.as_json:
            sys.stdout.write(("" if count else csv_line(COLUMNS)) + csv_line(reading_row(reading)))
        if reading.reason is not None:
            refused[reading.reason] += 1
            if len(told) < _TOLD and not as_table:
                told.append(f"not accepted: {printable(reading.name)}: {reading.reason}")
        count += 1
    if as_table and count:
        terminal.table(shown, figures=False)
    if told and refused.total() > _TOLD:
        told = [f"not accepted: {refused.total():,} of {count:,} pictures; --json tells why"]
    if refused[NOT_A_DIGIT]:
        told.append("one digit a picture is expected here; numbers of several digits: digits read")
    for note in told:
        terminal.note(note)
    if output is not None and not to_stdout and count:
        write_text(output, csv_line(COLUMNS) + "".join(lines))
        terminal.note(f"{counted(count, 'prediction')} written to {output}")
    terminal.document(entries)
    return exit_code_of(terminal, count, errors)


def pixel_limit(max_pixels: int | None) -> int:
    """The cap on width times height of a picture that --max-pixels asks for. Raises UsageError where it is none."""
    from digit_recognizer.pictures.load import MAX_PIXELS, MOST_PIXELS

    if max_pixels is not None and not 1 <= max_pixels <= MOST_PIXELS:
        raise UsageError(f"expected --max-pixels from 1 to {MOST_PIXELS:,}, found {max_pixels:,}")
    return max_pixels or MAX_PIXELS


def with_hint(error: DigitsError, limit: int) -> DigitsError:
    """The error; of a picture that is too large, with the option that raises the limit, if it can be raised."""
    from digit_recognizer.pictures.load import MOST_PIXELS

    if not isinstance(error, TooManyPixels) or limit == MOST_PIXELS or error.pixels > MOST_PIXELS:
        return error
    return InputError(f"{error}, or raise the limit with --max-pixels", code=error.code)


def exit_code_of(terminal: Terminal, count: int, errors: Sequence[DigitsError]) -> int:
    """The exit code where ``count`` pictures were read and others gave ``errors``; says how many, where some failed.

    0 where none failed, 1 where some did; where all did, that of a file that cannot be opened or of bad input.
    """
    if not errors:
        return 0
    if count:
        terminal.note(f"{len(errors):,} of {len(errors) + count:,} pictures could not be read")
        return 1
    return FileError.exit_code if all(isinstance(error, FileError) for error in errors) else InputError.exit_code


def printable(text: str) -> str:
    """Text as a terminal may show it: a file's name may hold line breaks or terminal codes.

    >>> printable("a\\x1b[2J.png")
    'a\\\\x1b[2J.png'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def opened(sources: Sequence[str]) -> Iterator[Any]:
    """The sources, "-" taken for the picture on stdin, which is read when its turn comes."""
    from digit_recognizer.pictures.collect import Picture
    from digit_recognizer.pictures.load import MAX_BYTES

    for source in sources:
        if source != "-":
            yield source
            continue
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            error = InputError(f"stdin: more than the limit of {MAX_BYTES:,} bytes", code="too_large")
            yield Picture("stdin", error)
        else:
            yield Picture("stdin", content)


def _table_row(reading: Reading) -> tuple[str, ...]:
    second = "" if reading.reason == BLANK else f"{reading.second} ({100 * reading.second_confidence:.1f} %)"
    return (
        printable(reading.name),
        "-" if reading.reason == BLANK else str(reading.digit),
        f"{100 * reading.confidence:.1f} %",
        "yes" if reading.accepted else f"no: {reading.reason}",
        second,
    )


__all__ = [
    "COLUMNS",
    "csv_line",
    "exit_code_of",
    "harmless",
    "is_submission",
    "opened",
    "pixel_limit",
    "predict_pictures",
    "predictions_csv",
    "printable",
    "reading_entry",
    "reading_row",
    "with_hint",
    "write_predictions",
]
