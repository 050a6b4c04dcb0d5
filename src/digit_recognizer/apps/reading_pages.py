"""Pages become what ``digits read`` prints or writes: lines of text, JSON, CSV, annotated pictures, the reader's steps.

Opens no model.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digit_recognizer.apps.bar import Bar
from digit_recognizer.apps.predictions import (
    csv_line,
    exit_code_of,
    harmless,
    opened,
    pixel_limit,
    printable,
    with_hint,
)
from digit_recognizer.apps.terminal import Terminal, counted
from digit_recognizer.errors import DigitsError, FileError, InputError, UsageError
from digit_recognizer.files import write_bytes, write_text
from digit_recognizer.reading import NOT_A_DIGIT, UNSURE

if TYPE_CHECKING:
    from digit_recognizer.pictures.collect import Picture
    from digit_recognizer.pictures.load import LoadedPicture
    from digit_recognizer.pictures.steps import Steps
    from digit_recognizer.reading import Page
    from digit_recognizer.recognizer import Recognizer

COLUMNS = ("file", "line", "text", "confidence", "accepted", "x", "y", "width", "height", "reason")

_STDOUT = "-"
_TOLD = 3  # lines of a picture that are told of one by one, if they are not sure
_NOT_AS_ASKED = ("expected", "its check")  # how the reasons begin of what is not as it was asked for


@dataclass(frozen=True)
class Wanted:
    """What was asked for; the first three as ``Recognizer.read`` takes them.

    annotate: the folder for annotated pictures, or None. csv: the file for a row a line, "-" for stdout in place of
    the text, or None. show_steps: the folder for pictures of what the reader saw, or None. max_pixels: cap on width
    times height of a picture, None for the usual one. Raises UsageError where they make no sense.
    """

    expect: str | None = None
    check: str | None = None
    numbers: str = "digits"
    annotate: Path | None = None
    csv: Path | None = None
    show_steps: Path | None = None
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        from digit_recognizer.pictures.expectation import parse_expectation

        parse_expectation(self.expect, check=self.check, numbers=self.numbers)
        pixel_limit(self.max_pixels)
        if self.csv is not None and not self.csv_on_stdout:
            for option, folder in (("--annotate", self.annotate), ("--show-steps", self.show_steps)):
                if folder is not None and os.path.realpath(folder) == os.path.realpath(self.csv):
                    raise UsageError(
                        f"--csv {self.csv} and {option} {folder} are one path; one is a file, one a folder"
                    )

    @property
    def csv_on_stdout(self) -> bool:
        """Whether the rows take the place of the text."""
        return self.csv is not None and str(self.csv) == _STDOUT


@dataclass(frozen=True)
class _PageRead:
    """One page, and what it was read from. steps: told on the way, where asked for."""

    name: str
    loaded: LoadedPicture
    page: Page
    steps: Steps | None


def read_pictures(sources: Sequence[str], recognizer: Recognizer, terminal: Terminal, wanted: Wanted) -> int:
    """Read pictures and show the numbers on them, a line for each line; returns the exit code.

    sources: paths, folders, patterns, PDFs; "-" is one file from stdin. Lines of several pictures begin with their
    names. Of several, one that cannot be read is told on stderr and the others go on: 1 where some failed, 3 where all
    did (5 where not one could be opened). Raises what a single picture raises, UsageError where stdout is asked for
    twice, FileError where something cannot be written, ModelError where the model fails.
    """
    from digit_recognizer.pictures.collect import collect, is_one

    if wanted.csv_on_stdout and terminal.as_json:
        raise UsageError("--csv - and --json both print on stdout; give --csv a file")
    given: Iterable[Any] = opened(sources)
    alone = False
    if len(sources) == 1:
        given = list(given)
        alone = is_one(given[0], documents=True)
    own = _OwnFolders(sources, wanted)
    errors: list[DigitsError] = []
    entries: list[dict[str, Any]] = []
    rows: list[str] = [csv_line(COLUMNS)]
    taken: set[str] = set()
    count = 0
    with _bar(sources, terminal, alone) as bar:
        for done, picture in enumerate(collect(given, documents=True), 1):
            if own.hold(picture):
                continue
            try:
                read = _read(picture, recognizer, wanted)
            except DigitsError as error:
                if alone or error.exit_code not in (3, 5):
                    raise
                errors.append(error)
                entries.append({"file": picture.name, "error": {"code": error.code, "message": str(error)}})
                with bar.aside():
                    terminal.note(f"error: {printable(str(error))}")
                bar.show(done, printable(picture.name))
                continue
            count += 1
            entries.append(read.page.to_dict())
            rows += page_rows(read.page)
            notes = [*_notes(read, recognizer.min_confidence), *_written(read, wanted, taken)]
            with bar.aside():
                for line in read.page.lines if not wanted.csv_on_stdout else ():
                    terminal.say(line.text if alone else f"{printable(read.name)}: {line.text}")
                for note in notes:
                    terminal.note(note)
            bar.show(done, printable(read.name))
    if wanted.csv is not None and count:
        if wanted.csv_on_stdout:
            sys.stdout.write("".join(rows))
        else:
            write_text(wanted.csv, "".join(rows))
            terminal.note(f"{counted(len(rows) - 1, 'line')} written to {wanted.csv}")
    terminal.document(entries)
    return exit_code_of(terminal, count, errors)


def page_rows(page: Page) -> list[str]:
    """The lines of a page as lines of CSV under COLUMNS; none of a page without numbers.

    A line's number counts from 1; its box is in pixels of the picture; the reason says why it is not accepted. Text is
    never taken for a formula: it holds digits, spaces, a comma, a point and a minus alone.

    >>> from digit_recognizer.reading import Page
    >>> page_rows(Page(name="blank.png"))
    []
    """
    return [
        csv_line(
            (
                harmless(page.name),
                number,
                line.text,
                round(line.confidence, 6),
                str(line.accepted).lower(),
                *line.box,
                line.reason or "",
            )
        )
        for number, line in enumerate(page.lines, 1)
    ]


def _read(picture: Picture, recognizer: Recognizer, wanted: Wanted) -> _PageRead:
    """Decode a picture once, and read it."""
    from digit_recognizer.pictures.collect import Picture
    from digit_recognizer.pictures.steps import Steps

    max_pixels = pixel_limit(wanted.max_pixels)
    try:
        loaded = replace(picture, max_pixels=max_pixels).load(colour=wanted.annotate is not None)
    except InputError as error:
        hinted = with_hint(error, max_pixels)
        if hinted is error:
            raise
        raise hinted from error
    steps = Steps() if wanted.show_steps is not None else None
    page = recognizer.read(
        Picture(picture.name, loaded.grey, max_pixels),
        expect=wanted.expect,
        check=wanted.check,
        numbers=wanted.numbers,
        watch=steps,
    )
    return _PageRead(picture.name, loaded, page, steps)


def _notes(read: _PageRead, min_confidence: float) -> Iterator[str]:
    """What a person should know beside the numbers. min_confidence: from which on a digit is accepted."""
    name = printable(read.name)
    for remark in read.loaded.remarks:
        yield f"warning: {name}: {remark}"
    if not read.page.lines:
        yield f"{name}: no numbers found"
    if read.page.turned:
        yield f"{name}: read turned by {read.page.turned} degrees clockwise"
    for found in read.page.rejected:
        if found.reason.startswith(_NOT_AS_ASKED):
            yield f"not accepted: {name}, at {found.box[0]}, {found.box[1]}: {found.reason}"
    yield from _unsure(read.page, name, min_confidence)


def _unsure(page: Page, name: str, min_confidence: float) -> Iterator[str]:
    """Which lines are not accepted, and why; where these are many, how many."""
    unsure = [(number, line) for number, line in enumerate(page.lines, 1) if not line.accepted]
    if len(unsure) > _TOLD:
        yield f"not sure: {name}, {len(unsure)} of {len(page.lines)} lines; --csv and --json tell which, and why"
        return
    for number, line in unsure:
        why = line.reason
        if why is None or why.startswith(_NOT_AS_ASKED):
            continue  # told already
        if why in (UNSURE, NOT_A_DIGIT):
            unsure_digits = (digit for digit in line.digits if not digit.accepted)
            least = min(unsure_digits, key=lambda digit: digit.confidence)
            # Rounded down: what is short of a threshold must not read as if it had reached it.
            why = f"its {least.digit} has a confidence of {math.floor(least.confidence * 10_000) / 10_000:.4f}"
            why += f"; accepted from {min_confidence:.4f} on" if min_confidence <= 1 else "; this model accepts nothing"
        yield f"not sure: {name}, line {number}, {line.text}: {why}"


def _written(read: _PageRead, wanted: Wanted, taken: set[str]) -> Iterator[str]:
    """Write the pictures that were asked for; what was written, as notes. taken: names that are used already."""
    if wanted.annotate is None and wanted.show_steps is None:
        return
    from digit_recognizer.pictures.draw import annotated, png_of

    name = _free_name(read.name, taken)
    if wanted.annotate is not None:
        path = wanted.annotate / f"{name}.png"
        _make_folder(wanted.annotate)
        shown = read.loaded.grey if read.loaded.colour is None else read.loaded.colour
        write_bytes(path, png_of(annotated(shown, read.page)))
        yield f"written to {printable(str(path))}"
    if wanted.show_steps is not None and read.steps is not None:
        folder = wanted.show_steps / name
        _make_folder(folder)
        for step, picture in read.steps.pictures(read.loaded.grey, read.page).items():
            write_bytes(folder / f"{step}.png", png_of(picture))
        yield f"steps written to {printable(str(folder))}"


class _OwnFolders:
    """The folders that pictures are written to: what lies in them is not read, and never written over."""

    def __init__(self, sources: Sequence[str], wanted: Wanted) -> None:
        self._folders = [folder.resolve() for folder in (wanted.annotate, wanted.show_steps) if folder is not None]
        self._walked = [Path(source).resolve() for source in sources if os.path.isdir(source)]

    def hold(self, picture: Picture) -> bool:
        """Whether a picture was met in such a folder on a walk through one above it: a drawing of an earlier run.

        Raises UsageError where somebody named it: its drawing would lie beside it, or in its place.
        """
        if not self._folders or not isinstance(picture.source, Path):
            return False
        place = picture.source.resolve()
        for folder in self._folders:
            if place.is_relative_to(folder):
                if any(above != folder and folder.is_relative_to(above) for above in self._walked):
                    return True
                raise UsageError(
                    f"{picture.name} lies in {folder}, which is to be written to; name another folder for that"
                )
        return False


def _free_name(name: str, taken: set[str]) -> str:
    """The picture's own name without suffix, or that with a number where it was taken: a name for files."""
    stem = Path(name).stem or "picture"
    free, number = stem, 2
    while free.casefold() in taken:  # A and a are one file to many disks
        free, number = f"{stem}-{number}", number + 1
    taken.add(free.casefold())
    return free


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: expected a folder to write to ({error.strerror or error})") from error


def _bar(sources: Sequence[str], terminal: Terminal, alone: bool) -> Bar:
    """A bar where a person looks on and there are several pictures; they are counted only then."""
    if alone or _STDOUT in sources or not terminal.notes.is_terminal():
        return Bar(None, "reading")
    from digit_recognizer.pictures.collect import collect

    total = sum(1 for _ in collect(list(sources), documents=True))
    return Bar(terminal.notes.console() if total > 1 else None, "reading", total, time_left=True)


__all__ = ["COLUMNS", "Wanted", "page_rows", "read_pictures"]
