"""Pages become what ``digits read`` prints or writes: lines of text, JSON, annotated pictures. Opens no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digit_recognizer.apps.predictions import exit_code_of, opened, printable
from digit_recognizer.errors import DigitsError, FileError

if TYPE_CHECKING:
    from digit_recognizer.apps.terminal import Terminal
    from digit_recognizer.pictures.collect import Picture
    from digit_recognizer.reading import Page
    from digit_recognizer.recognizer import Recognizer


@dataclass(frozen=True)
class Wanted:
    """What was asked for, as ``Recognizer.read`` takes it. annotate: the folder for annotated pictures, or None."""

    expect: str | None = None
    check: str | None = None
    numbers: str = "digits"
    annotate: Path | None = None


def read_pictures(sources: Sequence[str], recognizer: Recognizer, terminal: Terminal, wanted: Wanted) -> int:
    """Read pictures and show the numbers on them, a line for each line; returns the exit code.

    sources: paths, folders, patterns; "-" is one picture from stdin. Lines of several pictures begin with their names.
    Of several, one that cannot be read is told on stderr and the others go on: 1 where some failed, 3 where all did (5
    where not one could be opened). Raises what a single picture raises, UsageError where an expectation is none,
    FileError where an annotated picture cannot be written, ModelError where the model fails.
    """
    from digit_recognizer.pictures.collect import collect, is_one
    from digit_recognizer.pictures.expectation import parse_expectation

    parse_expectation(wanted.expect, check=wanted.check, numbers=wanted.numbers)  # before any picture is opened
    alone = len(sources) == 1 and is_one(sources[0])
    errors: list[DigitsError] = []
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    count = 0
    for picture in collect(opened(sources)):
        try:
            page = recognizer.read(picture, expect=wanted.expect, check=wanted.check, numbers=wanted.numbers)
        except DigitsError as error:
            if alone or error.exit_code not in (3, 5):
                raise
            errors.append(error)
            entries.append({"file": picture.name, "error": {"code": error.code, "message": str(error)}})
            terminal.note(f"error: {printable(str(error))}")
            continue
        count += 1
        entries.append(page.to_dict())
        for line in page.lines:
            terminal.say(line.text if alone else f"{printable(picture.name)}: {line.text}")
        for found in page.rejected:
            if found.reason.startswith(("expected", "its check")):
                terminal.note(
                    f"not accepted: {printable(picture.name)}, at {found.box[0]}, {found.box[1]}: {found.reason}"
                )
        if wanted.annotate is not None:
            terminal.note(f"written to {_write_annotated(picture, page, wanted.annotate, taken)}")
    terminal.document(entries)
    return exit_code_of(terminal, count, errors)


def _write_annotated(picture: Picture, page: Page, folder: Path, taken: set[str]) -> Path:
    """Draw the page into ``folder``, under the picture's own name; of equal names the later ones get a number."""
    from digit_recognizer.files import write_bytes
    from digit_recognizer.pictures.draw import annotated, png_of

    stem = Path(picture.name).stem or "picture"
    name, number = f"{stem}.png", 2
    while name in taken:
        name, number = f"{stem}-{number}.png", number + 1
    taken.add(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: expected a folder to write to ({error.strerror or error})") from error
    write_bytes(folder / name, png_of(annotated(picture.grey(), page)))
    return folder / name


__all__ = ["Wanted", "read_pictures"]
