"""SOURCE, as a person writes it, becomes entries of a listing, one after the other: what is there, in a fixed order.

Pictures are not opened. Of a folder or pattern the pictures are taken, and only where there are none the tables,
archives and files of pixels.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.blocks import ROWS, Block
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.lists import index_tar, path_column, read_path_csv, read_path_table, read_path_text
from digit_recognizer.apps.batch.pixel_rows import (
    index_csv,
    index_idx,
    is_pixel_header,
    looks_like_labels,
    read_csv,
    read_idx,
)
from digit_recognizer.apps.batch.tables import columns_of, ids_of, index_table, parquet, read_table
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import whole_file
from digit_recognizer.pictures.collect import SUFFIXES, looks_like_picture
from digit_recognizer.pictures.load import MAX_BYTES, picture_format
from digit_recognizer.sources.idx import looks_like_idx
from digit_recognizer.sources.pixel_csv import check_unpacked

PICTURES, TABLE, CSV, IDX = "pictures", "table", "csv", "idx"

_CONTAINERS = (".parquet", ".tar", ".tar.gz", ".tgz", ".csv", ".csv.gz")
_MAX_UNPACKED = 2**40  # bytes; the ratio guards against bombs
_CHUNK = 2**20
_EXPECTED = "pictures, a tar of pictures, a Parquet table, a CSV of pixels or paths, a .txt of paths, or IDX"


@dataclass(frozen=True)
class Sizes:
    """How many pictures are read as one task, at most: of picture files, and of rows of pixels."""

    encoded: int = 1024
    pixels: int = 8192


@dataclass(frozen=True)
class Source:
    """What was found. kind: how entries are read. entries: to be taken once. size: pictures that a task is meant to
    hold. ids: names that are the person's own and may be there twice, some thousands at a time; None without any.
    """

    kind: str
    entries: Iterator[Entry]
    size: int
    ids: Callable[[], Iterator[Sequence[str]]] | None = None


def find_source(source: str, sizes: Sizes, unpacked: Path, apart_from: Path | None = None) -> Source:
    """Find out what ``source`` is: a folder, a pattern or a file; a path or a URL. See ``digits batch --help``.

    unpacked: a folder for what is compressed as a whole. apart_from: a folder whose files are none of the source's,
    wherever it lies: what a batch writes is not read by it. Raises InputError where it is none of what can be read,
    FileError where it cannot be read, UsageError where a URL's file system is not installed.

    >>> find_source("scans", Sizes(), Path("work")).kind                          # doctest: +SKIP
    'pictures'
    """
    if storage.is_folder(source):

        def files() -> Iterator[storage.Found]:
            return _outside(storage.walk(source), apart_from)
    elif storage.is_pattern(source):

        def files() -> Iterator[storage.Found]:
            return _outside(storage.matching(source), apart_from)
    else:
        return _of_file(storage.absolute(source), "", sizes, unpacked)
    pictures, are_sure = _pictures_among(files())
    if not are_sure:
        containers = (found for found in files() if _looks_like_container(found.name))
        if (one := next(containers, None)) is not None:
            return _of_containers(chain([one], containers), source, sizes, unpacked)
    return Source(PICTURES, map(_picture, pictures), sizes.encoded)


def read_entry(kind: str, entry: Entry) -> Iterator[Block]:
    """The pictures of an entry, in blocks. Raises InputError where its file is damaged, FileError where it is gone."""
    if kind == TABLE:
        return read_table(entry)
    return read_csv(entry) if kind == CSV else read_idx(entry)


def read_pictures(entries: Sequence[Entry]) -> Iterator[Block]:
    """The bytes of picture files, in blocks; one that cannot be read is one that failed."""
    import pyarrow as pa

    for start in range(0, len(entries), ROWS // 4):
        chunk = entries[start : start + ROWS // 4]
        contents = list(storage.read_all([(entry.path, entry.start, entry.stop) for entry in chunk], limit=MAX_BYTES))
        failed = {place: content for place, content in enumerate(contents) if isinstance(content, FileError)}
        yield Block(
            pa.array([entry.id for entry in chunk], pa.string()),
            encoded=[content if isinstance(content, bytes) else b"" for content in contents],
            failed=failed,
        )


def _outside(files: Iterator[storage.Found], folder: Path | None) -> Iterator[storage.Found]:
    """The files that do not lie in the folder, or below it, links on the way to either followed."""
    if folder is None:
        return files
    left_out = os.path.realpath(folder)

    @lru_cache(1024)
    def is_outside(above: str) -> bool:
        return not Path(os.path.realpath(above)).is_relative_to(left_out)

    return (found for found in files if storage.is_url(found.path) or is_outside(os.path.dirname(found.path)))


def _pictures_among(files: Iterator[storage.Found]) -> tuple[Iterator[storage.Found], bool]:
    """The pictures among the files, and whether there is one for sure. Taken only as far as the first sure one.

    A file that cannot be read may be one, too: that it cannot be read is told where it is opened.
    """
    unread: list[storage.Found] = []
    for found in files:
        looks = _looks_like_picture(found)
        if looks is not False:
            unread.append(found)
        if looks:
            return chain(unread, (other for other in files if _looks_like_picture(other) is not False)), True
    return iter(unread), False


def _of_containers(files: Iterable[storage.Found], where: str, sizes: Sizes, unpacked: Path) -> Source:
    found = (
        _of_file(storage.absolute(file.path), f"{file.name}/", sizes, unpacked, number)
        for number, file in enumerate(files)
    )
    first = next(found)
    named: list[Callable[[], Iterator[Sequence[str]]]] = []

    def entries() -> Iterator[Entry]:
        for one in chain([first], found):
            if (one.kind, one.size) != (first.kind, first.size):
                raise InputError(
                    f"{where}: expected files of one kind, found {first.kind} and {one.kind}; give a pattern such as "
                    "'folder/*.parquet'",
                    code="mixed_source",
                )
            if one.ids is not None:
                named.append(one.ids)
            yield from one.entries

    def ids() -> Iterator[Sequence[str]]:
        for one in named:
            yield from one()

    return Source(first.kind, entries(), first.size, ids)


def _of_file(path: str, prefix: str, sizes: Sizes, unpacked: Path, number: int = 0) -> Source:
    head = storage.read(path, 0, 512)
    name = path.rpartition("/")[2]
    lower = name.lower()
    if head.startswith(b"\x1f\x8b"):
        target = unpacked / f"{number}" / name.removesuffix(".gz").replace(".tgz", ".tar")
        _unpack(path, target)
        return _of_file(str(target), prefix, sizes, unpacked, number)
    if picture_format(head[:16]) is not None or lower.endswith(SUFFIXES):
        mark = str(storage.file_size(path))
        return Source(PICTURES, iter([Entry(prefix.rstrip("/") or name, path, mark=mark)]), sizes.encoded)
    if head.startswith(b"PAR1"):
        with parquet(path) as file:
            schema = file.schema_arrow
        columns = columns_of(schema)
        if columns is None and path_column(schema.names) is not None:
            return _listed(lambda: read_path_table(path), sizes)
        size = sizes.pixels if columns is not None and not columns.encoded else sizes.encoded
        ids = None if columns is None or columns.id is None else lambda: ids_of(path, prefix)
        return Source(TABLE, index_table(path, prefix, size), size, ids)
    if head[257:262] == b"ustar" or lower.endswith(".tar"):
        return Source(PICTURES, index_tar(path, prefix), sizes.encoded)
    if looks_like_idx(head):
        return Source(IDX, index_idx(path, prefix, sizes.pixels), sizes.pixels)
    if lower.endswith(".csv"):
        lines = storage.read(path, 0, 2**16).decode("utf-8-sig", "replace").lstrip().splitlines()
        if not lines:
            raise InputError(f"{name}: the file is empty; expected a header and rows", code="empty_file")
        if is_pixel_header(lines[0]):
            return Source(CSV, index_csv(path, prefix, sizes.pixels), sizes.pixels)
        return _listed(lambda: read_path_csv(path), sizes)
    if lower.endswith(".txt"):
        return _listed(lambda: read_path_text(path), sizes)
    raise InputError(
        f"{name}: expected {_EXPECTED}, found a file that begins with {head[:8].hex(' ') or 'nothing'}",
        code="unknown_source",
    )


def _listed(entries: Callable[[], Iterator[Entry]], sizes: Sizes) -> Source:
    def ids() -> Iterator[Sequence[str]]:
        for entry in entries():
            yield (entry.id,)

    return Source(PICTURES, entries(), sizes.encoded, ids)


def _picture(found: storage.Found) -> Entry:
    name = found.name.encode("utf-8", "backslashreplace").decode("utf-8")
    return Entry(name, storage.absolute(found.path), mark=str(found.size))


def _looks_like_picture(found: storage.Found) -> bool | None:
    """Whether a file is a picture; None where that cannot be told, as it cannot be read."""
    if found.name.lower().endswith(SUFFIXES):
        return True
    try:
        return not storage.is_url(found.path) and looks_like_picture(Path(found.path))
    except OSError:
        return None


def _looks_like_container(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(_CONTAINERS) or ("ubyte" in lower and not looks_like_labels(lower))


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


__all__ = ["CSV", "IDX", "PICTURES", "TABLE", "Sizes", "Source", "find_source", "read_entry", "read_pictures"]
