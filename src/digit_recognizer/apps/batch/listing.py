"""Entries of an input become a Parquet file, and tasks are cut from it; it is never held in memory as a whole.

Two listings can be compared: the same digest, the same input. Knows nothing of what an entry's file holds.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.marks import changed_words
from digit_recognizer.apps.batch.storage import real_path
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import whole_file

_TOGETHER = 65_536  # entries of a row group: what is held at a time
_IDS_AT_ONCE = 8_000_000  # that are compared with each other in one pass: 64 MB
_FACTS = b"digits.listing"
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.binary()),  # a local path need not be UTF-8
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("rows", pa.int64()),
        ("first", pa.int64()),
        ("mark", pa.string()),
    ]
)


@dataclass(frozen=True)
class Piece:
    """What one task is cut to. entries: (start, stop) of the listing's. pictures: how many they hold."""

    entries: tuple[int, int]
    pictures: int


class Listing:
    """A listing on disk. kind: of its entries. entries, pictures: how many. size: of a task, in pictures. digest:
    SHA-256 over the entries, in order.

    Raises FileError where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path, memory_map=False, pre_buffer=False)
            facts = json.loads(self._file.metadata.metadata[_FACTS])
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise FileError(f"{path}: expected the list of a batch's inputs, cannot be read ({error})") from error
        self.path = path
        self.kind = str(facts["kind"])
        self.entries = int(self._file.metadata.num_rows)
        self.pictures = int(facts["pictures"])
        self.size = int(facts["size"])
        self.digest = str(facts["digest"])
        self._held: tuple[int, list[Entry]] = (-1, [])

    def __iter__(self) -> Iterator[Entry]:
        for group in range(self._file.num_row_groups):
            yield from self._group(group)

    def ids(self) -> Iterator[Sequence[str]]:
        """What the pictures are called, a group at a time."""
        for group in range(self._file.num_row_groups):
            yield self._file.read_row_group(group, ["id"]).column("id").to_pylist()

    def files(self) -> Iterator[Sequence[str]]:
        """The paths of the pictures that are files of their own, links followed, a group at a time."""
        for group in range(self._file.num_row_groups):
            yield [real_path(entry.path) for entry in self._group(group) if entry.stop < 0]

    def between(self, start: int, stop: int) -> tuple[Entry, ...]:
        """Entries ``start`` to ``stop``. Asked for in order, every part of the file is read once."""
        result: list[Entry] = []
        for group in range(start // _TOGETHER, -(-stop // _TOGETHER)):
            offset = group * _TOGETHER
            result += self._group(group)[max(0, start - offset) : stop - offset]
        return tuple(result)

    def pieces(self) -> list[Piece]:
        """The listing cut to pieces of ``size`` pictures at most; an entry is never divided."""
        found: list[Piece] = []
        begin = end = pictures = 0
        for group in range(self._file.num_row_groups):
            for rows in self._file.read_row_group(group, ["rows"]).column("rows").to_numpy().tolist():
                if pictures and pictures + rows > self.size:
                    found.append(Piece((begin, end), pictures))
                    begin, pictures = end, 0
                pictures += rows
                end += 1
        if pictures:
            found.append(Piece((begin, end), pictures))
        return found

    def _group(self, number: int) -> list[Entry]:
        if self._held[0] != number:
            columns = self._file.read_row_group(number).to_pydict()
            paths = [path.decode("utf-8", "surrogateescape") for path in columns.pop("path")]
            values = zip(columns["id"], paths, *(columns[name] for name in _SCHEMA.names[2:]), strict=True)
            self._held = number, [Entry(*row) for row in values]
        return self._held[1]


def write_listing(
    path: Path, kind: str, entries: Iterable[Entry], size: int = 1024, limit: int | None = None
) -> Listing:
    """Write the entries, whole or not at all; the last ones are left out beyond ``limit`` pictures.

    size: how many pictures a task is meant to hold. Raises FileError where the file cannot be written or, naming what,
    the source cannot be read.

    >>> from tempfile import mkdtemp
    >>> listing = write_listing(Path(mkdtemp()) / "inputs.parquet", "pictures", [Entry("a.png", "/scans/a.png")])
    >>> listing.pictures, [entry.id for entry in listing]
    (1, ['a.png'])
    """
    digest = hashlib.sha256()
    pictures = 0
    waiting: list[Entry] = []
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, _SCHEMA, compression="zstd") as writer:

        def write() -> None:
            columns: dict[str, Any] = {name: [getattr(entry, name) for entry in waiting] for name in _SCHEMA.names}
            columns["path"] = [entry.path.encode("utf-8", "surrogateescape") for entry in waiting]
            writer.write_table(pa.table(columns, _SCHEMA), row_group_size=_TOGETHER)
            digest.update("".join(map(_line, waiting)).encode("utf-8", "surrogatepass"))
            waiting.clear()

        for entry in _of_source(entries if limit is None else _first(entries, limit)):
            waiting.append(entry)
            pictures += entry.rows
            if len(waiting) == _TOGETHER:
                write()
        if waiting:
            write()
        facts = {"kind": kind, "size": size, "pictures": pictures, "digest": digest.hexdigest()}
        writer.add_key_value_metadata({_FACTS: json.dumps(facts)})
    return Listing(path)


def piece_digest(entries: Sequence[Entry], settings: str) -> str:
    """Twelve hex digits that name a part: by what its pictures are called and where they lie, and by the settings."""
    return hashlib.sha256("".join([settings, "\n", *map(_line, entries)]).encode("utf-8", "surrogatepass")).hexdigest()[
        :12
    ]


def first_difference(before: Listing, now: Listing) -> str:
    """Where two listings differ first, as the end of a sentence; "" where they do not.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> one = write_listing(folder / "1", "pictures", [Entry("a.png", "/a.png")])
    >>> two = write_listing(folder / "2", "pictures", [Entry("b.png", "/b.png")])
    >>> first_difference(one, two)
    'picture 1 was a.png and is b.png'
    """
    if before.digest == now.digest:
        return ""
    number = 1
    for old, new in zip_longest(before, now):
        if old is None or new is None:
            was, now_is = ("not there", _called(new)) if old is None else (_called(old), "not there")
            return f"picture {number:,} was {was} and is {now_is}"
        if _line(old) != _line(new):
            if _called(old) == _called(new):
                words = changed_words(old.mark, new.mark)
                return f"picture {number:,}, {_called(old)}, is not the same file as it was{words}"
            return f"picture {number:,} was {_called(old)} and is {_called(new)}"
        number += old.rows
    return "the kind of source"


def refuse_duplicates(where: str, ids: Callable[[], Iterator[Sequence[str]]], count: int, hint: str = "") -> None:
    """Raise InputError, naming five of them, where two pictures are called the same.

    where: what the message calls the list. hint: how the message ends. ids: begins anew with every call; of what it
    yields, the first ``count`` are looked at, and no more is taken. Memory stays at 150 MB and a chunk: of very many,
    those are compared in one pass whose hashes have the same remainder.
    """

    def looked_at() -> Iterator[Sequence[str]]:
        left = count
        for chunk in ids():
            yield chunk[:left]
            if (left := left - len(chunk)) <= 0:
                return

    passes = count // _IDS_AT_ONCE + 1
    again: set[int] = set()
    for remainder in range(passes):
        seen = array("q")
        for chunk in looked_at():
            seen.extend(value for value in map(hash, chunk) if value % passes == remainder)
        hashes = np.frombuffer(seen, np.int64)
        hashes.sort()  # where they lie: np.unique would hold them four times
        second = hashes[1:] == hashes[:-1]
        second[1:] &= hashes[2:] != hashes[:-2]  # of each, however often it is there, one
        again.update(hashes[1:][second][: 1000 - len(again)].tolist())
    if not again:
        return
    suspects = Counter(name for chunk in looked_at() for name in chunk if hash(name) in again)
    names = [name for name, times in suspects.items() if times > 1]
    if names:
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        named = ", ".join(map(repr, names[:5]))
        raise InputError(
            f"{where}: expected every picture once, found more than once: {named}{more}{hint}",
            code="duplicates",
        )


def printable(name: str) -> str:
    """The name as it can stand in a table: one that is not UTF-8 must not stop it.

    >>> printable("a\\udcff.png")
    'a\\\\udcff.png'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _of_source(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries. An error of the system on the way is one of the source, not of the listing that is written."""
    try:
        yield from entries
    except OSError as error:
        raise FileError(f"{error.filename or 'the source'}: cannot be read ({error.strerror or error})") from error


def _first(entries: Iterable[Entry], limit: int) -> Iterator[Entry]:
    left = limit
    for entry in entries:
        if left <= 0:
            return
        # Of a longer run the first rows alone; where it ends in bytes, its rows say how many are read.
        yield entry if entry.rows <= left else replace(entry, rows=left)
        left -= entry.rows


def _line(entry: Entry) -> str:
    """What an entry is known by: not by its path, as a folder may be moved."""
    return f"{entry.id}\x1f{entry.start}\x1f{entry.stop}\x1f{entry.rows}\x1f{entry.first}\x1f{entry.mark}\n"


def _called(entry: Entry) -> str:
    return entry.id.rstrip("/") or Path(entry.path).name


__all__ = [
    "Listing",
    "Piece",
    "first_difference",
    "piece_digest",
    "printable",
    "refuse_duplicates",
    "write_listing",
]
