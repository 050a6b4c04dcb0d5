"""Parquet tables of pictures become entries of a listing, and entries become blocks. Decodes no picture.

A table holds pictures as files (Hugging Face's struct of bytes, or bytes), or as 784 pixels a row (bytes, lists, or
columns named as a pixel CSV's are).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.blocks import ROWS, Block, numbered
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.sources.pixel_columns import SCHEMES, find_columns, listed

PIXELS = SIDE * SIDE
_NAMES = ("image", "pixels", "img", "picture")
_IDS = ("id", "name")
_PIXEL_NAMES = frozenset(name for scheme in SCHEMES for name in scheme)
_BUFFER = 1 << 20  # bytes read at a time: a row group may be larger than memory should hold


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are read. pictures: one, or the 784 of pixels. id: what names a row, or None.

    encoded: whether a cell is a picture file rather than pixels.
    """

    pictures: tuple[str, ...]
    encoded: bool
    id: str | None


def columns_of(schema: Any, where: str = "the table") -> Columns | None:
    """Where a table's schema says that its pictures are, or None where it has none.

    Raises InputError, with ``where`` in front, where some columns are named as pixels, but not one set of 784.

    >>> columns_of(pa.schema([("image", pa.struct([("bytes", pa.binary())])), ("label", pa.int64())]))
    Columns(pictures=('image',), encoded=True, id=None)
    """
    types = pa.types
    named = (name for wanted in _IDS for name in schema.names if name == wanted or name.lower() == wanted == "id")
    id_column = next((name for name in named if _can_name(schema.field(name).type)), None)
    for name in _NAMES:
        if name not in schema.names:
            continue
        kind = schema.field(name).type
        if types.is_fixed_size_binary(kind) and kind.byte_width == PIXELS:
            return Columns((name,), False, id_column)
        if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
            return Columns((name,), False, id_column) if types.is_integer(kind.value_type) else None
        if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            return Columns((name,), True, id_column)
        if types.is_binary(kind) or types.is_large_binary(kind):
            return Columns((name,), name != "pixels", id_column)
    pixels = [name for name in schema.names if name.strip().lower() in _PIXEL_NAMES]
    if not pixels:
        return None
    return Columns(tuple(pixels[place] for place in find_columns(pixels, where).pixels), False, id_column)


@contextmanager
def parquet(path: str) -> Iterator[Any]:
    """A Parquet file, opened. Raises InputError where it is none or damaged, also while it is read, and FileError."""
    try:
        there = storage.is_url(path)
        if not there:
            storage.file_size(path)  # refuses what is no regular file: opening a FIFO would wait for ever
        # Arrow itself opens no file whose name is not UTF-8.
        with (
            storage.opened(path) if there else open(path, "rb") as stream,
            pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False) as file,
        ):
            yield file
    except pa.ArrowException as error:
        raise _damaged(path, error) from error
    except OSError as error:
        # Arrow reports damage inside the file as an OSError without a number; the system's own errors have one.
        if error.errno is None:
            raise _damaged(path, error) from error
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error


def index_table(path: str, prefix: str, size: int, mark: str | None = None) -> Iterator[Entry]:
    """The rows of a table in runs of at most ``size``, which follow its row groups.

    mark: of the table, where it is not that of ``path``. Raises InputError where it holds no pictures.
    """
    mark = storage.ends_mark(path) if mark is None else mark
    with parquet(path) as file:
        columns = columns_of(file.schema_arrow, path)
        if columns is None:
            found = listed(file.schema_arrow.names) or "none"
            raise InputError(
                f"{path}: expected a column image (bytes of a picture file), pixels (784 bytes), pixel0 to pixel783, "
                f"or path, found {found}",
                code="no_image",
            )
        groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    for start, stop in _runs(groups, size):
        yield Entry(prefix, path, start, stop, stop - start, start + 1, mark)


def ids_of(path: str, prefix: str) -> Iterator[Sequence[str]]:
    """What ``read_table`` calls the rows of a table with a column of names, some thousands at a time.

    prefix: of the number of a row without a name, as in ``index_table``. Raises InputError, also where a name is empty;
    FileError.
    """
    with parquet(path) as file:
        columns = columns_of(file.schema_arrow, path)
        if columns is not None and columns.id is not None:
            at = 0
            for batch in file.iter_batches(65_536, columns=[columns.id], use_threads=False):
                names = _as_ids(batch.column(0), prefix, at).to_pylist()
                if "" in names:
                    raise InputError(
                        f"{path}, row {at + names.index('') + 1:,}: expected a name or null as {columns.id}, "
                        "found an empty text",
                        code="bad_row",
                    )
                yield names
                at += len(batch)


def read_table(entry: Entry) -> Iterator[Block]:
    """The rows of an entry, in blocks. Raises InputError where the file is damaged, FileError."""
    stop = entry.start + entry.rows
    with parquet(entry.path) as file:
        columns = columns_of(file.schema_arrow, entry.path)
        if columns is None:
            raise InputError(f"{entry.path}: expected the columns it had when the job began", code="changed")
        names = list(columns.pictures) + ([columns.id] if columns.id else [])
        begin = 0
        for group in range(file.metadata.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            if begin < stop and end > entry.start:
                at = begin
                for batch in file.iter_batches(ROWS, row_groups=[group], columns=names, use_threads=False):
                    low, high = max(entry.start - at, 0), min(stop - at, len(batch))
                    if low < high:
                        yield _block(batch.slice(low, high - low), columns, entry.id, at + low)
                    at += len(batch)
                    if at >= stop:
                        break
            begin = end


def _runs(groups: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Runs of at most ``size`` rows: small row groups together, large ones divided."""
    start = end = 0
    for rows in groups:
        if end > start and end + rows - start > size:
            yield start, end
            start = end
        end += rows
        while end - start > size:
            yield start, start + size
            start += size
    if end > start:
        yield start, end


def _block(batch: Any, columns: Columns, prefix: str, at: int) -> Block:
    ids = numbered(prefix, at + 1, len(batch))
    if columns.id is not None:
        ids = _as_ids(batch.column(columns.id), prefix, at)
    where = "row {}: expected {}"
    if columns.encoded:
        cells = batch.column(columns.pictures[0])
        cells = cells.field("bytes") if pa.types.is_struct(cells.type) else cells
        contents = cells.to_pylist()
        failed = {place: _empty(ids[place].as_py()) for place, content in enumerate(contents) if content is None}
        return Block(ids, encoded=[content or b"" for content in contents], as_published=True, failed=failed)
    if len(columns.pictures) > 1:
        arrays = [batch.column(name) for name in columns.pictures]
        valid = np.logical_and.reduce([array.is_valid().to_numpy(zero_copy_only=False) for array in arrays])
        rows = np.stack([array.fill_null(0).to_numpy(zero_copy_only=False) for array in arrays], axis=1)
        pixels, right = _bytes(rows[valid])
    else:
        valid, pixels, right = _pixels(batch.column(columns.pictures[0]))
    good = valid.copy()
    good[valid] = right
    failed = {
        int(place): InputError(where.format(ids[int(place)].as_py(), f"{PIXELS} pixels 0-255"), code="bad_pixels")
        for place in np.flatnonzero(~good)
    }
    return Block(ids, pixels[right].reshape(-1, SIDE, SIDE), failed=failed)


def _pixels(cells: Any) -> tuple[npt.NDArray[np.bool_], Images, npt.NDArray[np.bool_]]:
    """Which cells hold 784 values, bool (N,); these values, uint8 (M, 784); which of those are right, bool (M,)."""
    types = pa.types
    valid = cells.is_valid().to_numpy(zero_copy_only=False)
    if types.is_fixed_size_binary(cells.type):
        start = cells.offset * PIXELS
        table = np.frombuffer(cells.buffers()[1], np.uint8)[start : start + len(cells) * PIXELS].reshape(-1, PIXELS)
        return valid, table[valid], np.ones(int(valid.sum()), bool)
    if types.is_binary(cells.type) or types.is_large_binary(cells.type):
        valid &= pc.equal(pc.binary_length(cells), PIXELS).fill_null(False).to_numpy(zero_copy_only=False)
        content = b"".join(cells.filter(pa.array(valid)).to_pylist())
        return valid, np.frombuffer(content, np.uint8).reshape(-1, PIXELS), np.ones(int(valid.sum()), bool)
    valid &= pc.equal(pc.list_value_length(cells), PIXELS).fill_null(False).to_numpy(zero_copy_only=False)
    values = cells.filter(pa.array(valid)).flatten()
    if values.null_count:
        values = values.fill_null(0)
    table, right = _bytes(values.to_numpy(zero_copy_only=False).reshape(-1, PIXELS))
    return valid, table, right


def _bytes(table: npt.NDArray[Any]) -> tuple[Images, npt.NDArray[np.bool_]]:
    """A table of numbers as uint8, and which of its rows are whole numbers 0-255: bool (N,)."""
    if table.dtype == np.uint8:
        return table, np.ones(len(table), bool)
    right = ((table >= 0) & (table <= 255) & (table == np.trunc(table))).all(axis=1)
    return np.where(right[:, None], table, 0).astype(np.uint8), right


def _as_ids(cells: Any, prefix: str, at: int) -> Any:
    """Cells as names; where one is null, the number of its row, as other tables have."""
    names = cells.cast(pa.string())
    if names.null_count:
        names = pc.coalesce(names, numbered(prefix, at + 1, len(cells)))
    return names


def _can_name(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind))


def _empty(name: str) -> InputError:
    return InputError(f"{name}: expected a picture, found nothing", code="empty_file")


def _damaged(path: str, error: Exception) -> InputError:
    first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{Path(path).name}: not a whole Parquet file ({first_line})", code="damaged")


__all__ = ["PIXELS", "Columns", "columns_of", "ids_of", "index_table", "parquet", "read_table"]
