"""Tar archives and lists of paths become entries of a listing, a picture each. Opens no picture."""

from __future__ import annotations

import csv
import io
import os
import tarfile
from collections.abc import Iterator

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.tables import parquet
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.pictures.collect import SUFFIXES, is_hidden

PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image_path", "url")
_ID_COLUMN = "id"


def index_tar(path: str, prefix: str) -> Iterator[Entry]:
    """The pictures in a tar archive (a WebDataset, for one) by where their bytes lie; other members are passed over.

    Raises InputError where it is no whole archive, FileError.
    """
    mark = storage.ends_mark(path)
    with storage.opened(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                while (member := archive.next()) is not None:
                    # It remembers every member, and a million of them are a gigabyte.
                    archive.members.clear()  # type: ignore[attr-defined]  # an attribute that typeshed leaves out
                    name = member.name
                    if member.isreg() and name.lower().endswith(SUFFIXES) and not is_hidden(name.rpartition("/")[2]):
                        start = member.offset_data
                        yield Entry(prefix + _printable(name), path, start, start + member.size, mark=mark)
        except tarfile.TarError as error:
            raise InputError(f"{path}: not a whole tar archive ({error})", code="damaged") from error


def path_column(names: list[str]) -> str | None:
    """Which of a list's columns holds paths, or None.

    >>> path_column(["id", "File", "label"])
    'File'
    """
    return next((name for wanted in PATH_COLUMNS for name in names if name.strip().lower() == wanted), None)


def read_path_csv(path: str) -> Iterator[Entry]:
    """The pictures that a CSV lists in its column of paths, called by its column ``id`` or else as they are listed.

    A relative path counts from the list's folder. Raises InputError naming the line, FileError.
    """
    with storage.opened(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        try:
            rows = csv.DictReader(text, strict=True)
            column = path_column(list(rows.fieldnames or []))
            if column is None:
                raise InputError(
                    f"{path}: expected a column of paths ({', '.join(PATH_COLUMNS)}), or pixels (pixel0, ...), found "
                    f"{', '.join(list(rows.fieldnames or [])[:8]) or 'none'}",
                    code="bad_header",
                )
            for row in rows:
                if not row[column]:
                    raise InputError(f"{path}, line {rows.line_num}: expected a path, found nothing", code="bad_row")
                yield _listed(path, row[column], row.get(_ID_COLUMN))
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a CSV file in UTF-8 ({error})", code="bad_row") from error
        finally:
            text.detach()


def read_path_text(path: str) -> Iterator[Entry]:
    """The pictures that a text file lists, a path a line. Raises InputError where it is not UTF-8, FileError."""
    with storage.opened(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig")
        try:
            for line in text:
                if line.strip():
                    yield _listed(path, line.rstrip("\r\n"), None)
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: expected paths as UTF-8 text ({error})", code="not_utf8") from error
        finally:
            text.detach()


def read_path_table(path: str) -> Iterator[Entry]:
    """The pictures that a Parquet table lists, as ``read_path_csv`` does. Raises InputError, FileError."""
    with parquet(path) as file:
        names = file.schema_arrow.names
        column = path_column(names)
        if column is None:
            raise InputError(f"{path}: expected a column of paths, found {', '.join(names[:8])}", code="bad_header")
        wanted = [column, *([_ID_COLUMN] if _ID_COLUMN in names else [])]
        number = 0
        for batch in file.iter_batches(65_536, columns=wanted, use_threads=False):
            paths = batch.column(column).to_pylist()
            ids = batch.column(_ID_COLUMN).to_pylist() if _ID_COLUMN in wanted else [None] * len(paths)
            for place, id_ in zip(paths, ids, strict=True):
                number += 1
                if not isinstance(place, str) or not place:
                    raise InputError(f"{path}, row {number}: expected a path, found {place!r}", code="bad_row")
                yield _listed(path, place, None if id_ is None else str(id_))


def _listed(where: str, path: str, name: str | None) -> Entry:
    full = path
    if not storage.is_url(path) and not os.path.isabs(path):
        above = where.rpartition("/")[0]
        full = f"{above}/{path}" if storage.is_url(where) else os.path.join(os.path.dirname(where), path)
    if "\0" in path:
        raise FileError(f"{where}: expected paths without a NUL character, found {path[:40]!r}")
    return Entry(_printable(name or path), storage.absolute(full))


def _printable(name: str) -> str:
    # A name that is not UTF-8 must not stop the table in which it stands.
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


__all__ = ["PATH_COLUMNS", "index_tar", "path_column", "read_path_csv", "read_path_table", "read_path_text"]
