"""Lists of paths become entries of a listing, a picture each. Opens no picture."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from itertools import islice

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.fetch import marks_of
from digit_recognizer.apps.batch.listing import printable
from digit_recognizer.apps.batch.tables import parquet
from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_columns import listed

PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image_path", "url")
_ID_COLUMN = "id"
_TOGETHER = 1024  # entries whose marks are asked for at a time


def path_column(names: list[str]) -> str | None:
    """Which of a list's columns holds paths, or None.

    >>> path_column(["id", "File", "label"])
    'File'
    """
    return next((name for wanted in PATH_COLUMNS for name in names if name.strip().lower() == wanted), None)


def id_column(names: list[str]) -> str | None:
    """Which of a list's columns holds what the pictures are called, or None.

    >>> id_column(["ID", "path"])
    'ID'
    """
    return next((name for name in names if name.strip().lower() == _ID_COLUMN), None)


def read_path_csv(path: str, where: str | None = None) -> Iterator[Entry]:
    """The pictures that a CSV lists in its column of paths, called by its column ``id`` or else as they are listed.

    where: the file from whose folder relative paths count, where it is not ``path``. Raises InputError naming the line,
    FileError.
    """
    with storage.opened(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        try:
            rows = csv.reader(text, strict=True)
            names = next((row for row in rows if row), [])
            column = path_column(names)
            if column is None:
                raise InputError(
                    f"{path}: expected a column of paths ({', '.join(PATH_COLUMNS)}), or pixels (pixel0, ...), found "
                    f"{listed(names) or 'none'}",
                    code="bad_header",
                )
            place, id_name = names.index(column), id_column(names)
            id_place = None if id_name is None else names.index(id_name)
            for row in rows:
                if not row:  # a blank line
                    continue
                line = f"{path}, line {rows.line_num}"
                if len(row) != len(names):
                    raise InputError(
                        f"{line}: expected {len(names)} cells, as in the header, found {len(row)}", code="bad_row"
                    )
                yield _listed(line, where or path, row[place], None if id_place is None else row[id_place])
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a CSV file in UTF-8 ({error})", code="bad_row") from error
        finally:
            text.detach()


def read_path_text(path: str, where: str | None = None) -> Iterator[Entry]:
    """The pictures that a text file lists, a path a line; see ``read_path_csv``."""
    with storage.opened(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig")
        try:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield _listed(f"{path}, line {number}", where or path, line.rstrip("\r\n"), None)
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: expected paths as UTF-8 text ({error})", code="not_utf8") from error
        finally:
            text.detach()


def read_path_table(path: str, where: str | None = None) -> Iterator[Entry]:
    """The pictures that a Parquet table lists, as ``read_path_csv`` does; a message names the row."""
    with parquet(path) as file:
        names = file.schema_arrow.names
        column = path_column(names)
        if column is None:
            raise InputError(f"{path}: expected a column of paths, found {listed(names)}", code="bad_header")
        id_name = id_column(names)
        wanted = [column] if id_name is None else [column, id_name]
        number = 0
        for batch in file.iter_batches(65_536, columns=wanted, use_threads=False):
            paths = batch.column(column).to_pylist()
            ids = [None] * len(paths) if id_name is None else batch.column(id_name).to_pylist()
            for place, id_ in zip(paths, ids, strict=True):
                number += 1
                name = None if id_name is None else "" if id_ is None else str(id_)
                yield _listed(f"{path}, row {number}", where or path, place, name)


def with_marks(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries of a list with the marks of their files, which no list holds; URLs are asked for together."""
    while chunk := list(islice(entries, _TOGETHER)):
        marks = marks_of([entry.path for entry in chunk])
        yield from (Entry(entry.id, entry.path, mark=mark) for entry, mark in zip(chunk, marks, strict=True))


def _listed(line: str, where: str, path: object, name: str | None) -> Entry:
    """What a line of a list says. name: None where the list has none, "" where this line lacks it."""
    if not isinstance(path, str) or not path:
        raise InputError(f"{line}: expected a path, found {repr(path) if path else 'nothing'}", code="bad_row")
    if name is not None and not name.strip():
        raise InputError(f"{line}: expected an id, found nothing", code="bad_row")
    if "\0" in path:
        raise InputError(f"{line}: expected a path without a NUL character, found {path[:40]!r}", code="bad_row")
    full = path
    if not storage.is_url(path) and not os.path.isabs(path):
        above = where.rpartition("/")[0]
        full = f"{above}/{path}" if storage.is_url(where) else os.path.join(os.path.dirname(where), path)
    return Entry(printable(path if name is None else name), storage.absolute(full))


__all__ = [
    "PATH_COLUMNS",
    "id_column",
    "path_column",
    "read_path_csv",
    "read_path_table",
    "read_path_text",
    "with_marks",
]
