"""One file becomes a source: a picture, or the entries of a table, an archive, a list of paths, or pixels in rows."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.fetch import marks_of
from digit_recognizer.apps.batch.lists import (
    id_column,
    path_column,
    read_path_csv,
    read_path_table,
    read_path_text,
    with_marks,
)
from digit_recognizer.apps.batch.pixel_rows import index_csv, index_idx, names_pixels
from digit_recognizer.apps.batch.tables import columns_of, ids_of, index_table, parquet
from digit_recognizer.apps.batch.tars import index_tar
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import whole_file
from digit_recognizer.pictures.collect import SUFFIXES
from digit_recognizer.pictures.load import picture_format
from digit_recognizer.pictures.pdf import is_pdf
from digit_recognizer.sources.idx import looks_like_idx
from digit_recognizer.sources.pixel_csv import check_unpacked

PICTURES, TABLE, CSV, IDX = "pictures", "table", "csv", "idx"

_MAX_UNPACKED = 2**40  # bytes; the ratio guards against bombs
_CHUNK = 2**20
_MOST_GZIP = 2  # gzip in gzip is somebody's slip; deeper it is a trap
_GZIP = b"\x1f\x8b"
_HEAD = 2**16  # bytes in which the first line of a CSV ends
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_EXPECTED = "pictures, a tar of pictures, a Parquet table, a CSV of pixels or paths, a .txt of paths, or IDX"


@dataclass(frozen=True)
class Sizes:
    """How many pictures are read as one task, at most: of picture files, and of rows of pixels."""

    encoded: int = 1024
    pixels: int = 8192


@dataclass
class Facts:
    """What is known of a source once its entries were taken.

    passed_over: files and members that are no pictures of it, by their kind. own_names: whether the names of its
    entries are a person's own, so that two may be the same. by_path: whether files are known by their path alone, so
    that one may be there under two; an id given makes that a person's wish.
    """

    passed_over: Counter[str] = field(default_factory=Counter)
    own_names: bool = False
    by_path: bool = False


@dataclass(frozen=True)
class Source:
    """What was found. kind: how entries are read. entries: to be taken once. size: pictures that a task is meant to
    hold. facts: grow as entries are taken. ids: names of rows inside entries that are the person's own and may be there
    twice, some thousands at a time; None without any.
    """

    kind: str
    entries: Iterator[Entry]
    size: int
    facts: Facts = field(default_factory=Facts)
    ids: Callable[[], Iterator[Sequence[str]]] | None = None


@dataclass(frozen=True)
class File:
    """One file of a source. path: to open it. prefix: of the names of what is in it. origin: what the person gave, from
    which ``path`` was unpacked; or the same. packed: how many times it was.
    """

    path: str
    prefix: str
    origin: str
    number: int = 0
    packed: int = 0

    def mark(self) -> str | None:
        """That of the packed file, as unpacking makes a new one every time."""
        return storage.ends_mark(self.origin) if self.packed else None


def of_file(file: File, sizes: Sizes, unpacked: Path, facts: Facts) -> Source:
    """What one file is as a source; its content decides, and its name where that cannot. ``facts`` are added to.

    unpacked: a folder for what is compressed as a whole. Raises InputError where it is none of what can be read,
    FileError where it cannot be read.
    """
    path, prefix = file.path, file.prefix
    head = storage.read(path, 0, 512)
    name = storage.name_of(path)
    lower = name.lower()
    if head.startswith(_GZIP):
        if file.packed >= _MOST_GZIP:
            raise InputError(
                f"{file.origin}: gzip within gzip, more than {_MOST_GZIP} deep; unpack it", code="nested_gzip"
            )
        target = unpacked / f"{file.number}" / name.removesuffix(".gz").replace(".tgz", ".tar")
        _unpack(path, target)
        return of_file(replace(file, path=str(target), packed=file.packed + 1), sizes, unpacked, facts)
    if picture_format(head[:16]) is not None or lower.endswith(SUFFIXES):
        entry = Entry(prefix.rstrip("/") or name, path, mark=marks_of([file.origin])[0])
        return Source(PICTURES, iter([entry]), sizes.encoded, facts)
    if is_pdf(head):
        raise pdfs_refused(name, 1)
    if head.startswith(b"PAR1"):
        return _of_table(file, sizes, facts)
    if head[257:262] == b"ustar" or lower.endswith(".tar"):
        facts.own_names = True
        return Source(PICTURES, index_tar(path, prefix, facts.passed_over, file.mark()), sizes.encoded, facts)
    if looks_like_idx(head):
        return Source(IDX, index_idx(path, prefix, sizes.pixels, file.mark()), sizes.pixels, facts)
    if lower.endswith((".csv", ".txt")):
        return _of_text(file, sizes, facts)
    raise InputError(
        f"{name}: expected {_EXPECTED}, found a file that begins with {head[:8].hex(' ') or 'nothing'}",
        code="unknown_source",
    )


def has_pixel_header(path: str) -> bool:
    """Whether a CSV, packed or not, names pixels in its header; not where it cannot be read."""
    try:
        head = storage.read(path, 0, _HEAD)
        if head.startswith(_GZIP):
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD)
        return names_pixels(head, path)
    except (FileError, InputError, zlib.error):
        return False


def pdfs_refused(where: str, count: int) -> InputError:
    """What is said where there are PDFs, and nothing else that can be read."""
    found = "a PDF" if count == 1 else f"{count:,} PDFs"
    return InputError(
        f"{where}: expected {_EXPECTED}, found {found}; digits read reads their pages, or make pictures of them",
        code="only_pdf",
    )


def _of_table(file: File, sizes: Sizes, facts: Facts) -> Source:
    path, prefix = file.path, file.prefix
    with parquet(path) as table:
        schema = table.schema_arrow
    columns = columns_of(schema, path)
    if columns is None and path_column(schema.names) is not None:
        return _listed(read_path_table(path, file.origin), id_column(schema.names) is not None, sizes, facts)
    size = sizes.pixels if columns is not None and not columns.encoded else sizes.encoded
    ids = None if columns is None or columns.id is None else lambda: ids_of(path, prefix)
    return Source(TABLE, index_table(path, prefix, size, file.mark()), size, facts, ids)


def _of_text(file: File, sizes: Sizes, facts: Facts) -> Source:
    """Of a CSV or a text file."""
    path = file.path
    name = storage.name_of(path)
    head = storage.read(path, 0, _HEAD)
    if head.startswith(_UTF16):
        raise InputError(f"{name}, line 1: expected UTF-8 text, found UTF-16", code="not_utf8")
    if name.lower().endswith(".txt"):
        return _listed(read_path_text(path, file.origin), False, sizes, facts)
    lines = head.decode("utf-8-sig", "replace").lstrip().splitlines()
    if not lines:
        raise InputError(f"{name}: the file is empty; expected a header and rows", code="empty_file")
    if names_pixels(head, path):
        return Source(CSV, index_csv(path, file.prefix, sizes.pixels), sizes.pixels, facts)
    has_ids = id_column(next(csv.reader(lines[:1]))) is not None
    return _listed(read_path_csv(path, file.origin), has_ids, sizes, facts)


def _listed(entries: Iterator[Entry], has_ids: bool, sizes: Sizes, facts: Facts) -> Source:
    facts.own_names = True
    facts.by_path = not has_ids
    return Source(PICTURES, with_marks(entries), sizes.encoded, facts)


def _unpack(path: str, target: Path) -> None:
    """gzip to a plain file, which can be read from anywhere in the middle. Raises as ``_unpacked`` does."""
    with whole_file(target) as temporary, temporary.open("wb") as out:
        for chunk in _unpacked(path):
            out.write(chunk)


def _unpacked(path: str) -> Iterator[bytes]:
    """What a gzip file holds, a MiB at a time. Raises InputError where it is damaged, FileError where it is not read.

    No OSError leaves it, which BadGzipFile is: ``whole_file`` would take it for one of the file that is written.
    """
    size, packed = 0, storage.file_size(path)
    with storage.opened(path) as stream, storage.translated(path):
        try:
            with gzip.GzipFile(fileobj=stream) as text:
                while chunk := text.read(_CHUNK):
                    size += len(chunk)
                    check_unpacked(path, packed, size, limit=_MAX_UNPACKED)
                    yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path}: truncated or damaged gzip file ({error})", code="truncated") from error


__all__ = [
    "CSV",
    "IDX",
    "PICTURES",
    "TABLE",
    "Facts",
    "File",
    "Sizes",
    "Source",
    "has_pixel_header",
    "of_file",
    "pdfs_refused",
]
