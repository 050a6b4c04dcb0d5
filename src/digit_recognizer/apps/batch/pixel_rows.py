"""Pixel CSVs and IDX files of any length become entries of a listing, and entries become blocks of 28x28 pixels.

What a value may be is decided in sources/pixel_csv.py. Both are read as they lie: gzip is unpacked before (source.py).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.blocks import ROWS, Block, no_pixels, numbered
from digit_recognizer.apps.batch.csv_rows import header_of, row_ends
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_columns import SCHEMES
from digit_recognizer.sources.pixel_csv import MAX_LINE, read_pixel_csv

_BLOCK = 4 * 2**20
_IDX_HEADER = 16


def names_pixels(head: bytes, path: str) -> bool:
    """Whether the header of a CSV names pixels. head: the beginning of the file. Raises InputError.

    >>> names_pixels(b"label;pixel0;pixel1\\n7;0;0", "a.csv"), names_pixels(b"path,id", "a.csv")
    (True, False)
    """
    header = header_of(head[:MAX_LINE], path)
    cells = {cell.strip().strip('"').lower() for cell in header.line.split(header.separator.decode())}
    return any(scheme[0] in cells for scheme in SCHEMES)


def index_csv(path: str, prefix: str, size: int) -> Iterator[Entry]:
    """The rows of a pixel CSV in runs of ``size``: byte ranges that begin and end with a row. Raises InputError.

    The file is read once, to count its rows; a run's mark is their number and the CRC-32 of the header and its bytes.
    """
    with storage.opened(path) as stream:
        header = header_of(stream.read(MAX_LINE + 1), path)
        seed = zlib.crc32(header.content)
        # A row of zeros below the header: says what is wrong with the columns, before a worker meets it.
        zeros = b"0" + (header.separator + b"0") * header.width
        read_pixel_csv(header.content + zeros + b"\n", name=Path(path).name)
        start = position = len(header.content)
        stream.seek(position)
        rest, count, first, crc, marked = b"", 0, 1, seed, start
        while True:
            chunk = stream.read(_BLOCK)
            text = rest + chunk
            begin = position - len(rest)  # where ``text`` lies in the file
            position += len(chunk)
            ends, decided = row_ends(text, header.width, header.separator, last=not chunk)
            ends += begin
            while count + len(ends) >= size:
                stop = int(ends[size - count - 1])
                crc = zlib.crc32(text[marked - begin : stop - begin], crc)
                yield Entry(prefix, path, start, stop, size, first, _run_mark(size, crc))
                ends = ends[size - count :]
                start = marked = stop
                first, count, crc = first + size, 0, seed
            count += len(ends)
            if not chunk:
                break
            rest = text[decided:]
            if len(rest) > MAX_LINE:
                raise InputError(
                    f"{path}: a line after row {first + count - 1:,} is longer than {MAX_LINE:,} characters",
                    code="line_too_long",
                )
            crc = zlib.crc32(text[marked - begin : decided], crc)
            marked = begin + decided
        if count:
            crc = zlib.crc32(text[marked - begin :], crc)
            yield Entry(prefix, path, start, position, count, first, _run_mark(count, crc))


def read_csv(entry: Entry) -> Iterator[Block]:
    """The rows of an entry, in blocks; a row that is wrong is one that failed. Raises FileError, InputError.

    Of an entry that a limit cut short, the first rows.
    """
    header = header_of(storage.read(entry.path, 0, MAX_LINE + 1), entry.path)
    content = storage.read(entry.path, entry.start, entry.stop)
    ends, _ = row_ends(content, header.width, header.separator, last=True)
    mark = _run_mark(len(ends), zlib.crc32(content, zlib.crc32(header.content)))
    if mark != entry.mark or len(ends) < entry.rows:
        expected = entry.mark.partition("r-")[0]
        found = "as many with other content" if f"{len(ends)}" == expected else f"{len(ends)}"
        raise InputError(
            f"{entry.path}: the file has changed since the job began: expected {expected} rows from row "
            f"{entry.first:,} on, found {found}",
            code="changed",
        )
    starts = [0, *ends.tolist()]
    for at in range(0, entry.rows, ROWS):
        stop = min(at + ROWS, entry.rows)
        part = [content[starts[row] : starts[row + 1]] for row in range(at, stop)]
        first = entry.first + at
        failed: dict[int, InputError] = {}
        pixels = _parse(header.content, part, Path(entry.path).name, first, 0, failed)
        yield Block(numbered(entry.id, first, len(part)), pixels, failed=failed)


def _run_mark(rows: int, crc: int) -> str:
    return f"{rows}r-{crc:08x}"


def index_idx(path: str, prefix: str, size: int, mark: str | None = None) -> Iterator[Entry]:
    """The images of an IDX file (LeCun et al. 1998) in runs of ``size``.

    mark: of the file, where it is not that of ``path``. Raises InputError where it holds others.
    """
    name = Path(path).name
    head = storage.read(path, 0, _IDX_HEADER)
    magic, *shape = struct.unpack(">4I", head) if len(head) == _IDX_HEADER else (0, 0, 0, 0)
    if magic != 0x0803 or shape[1:] != [SIDE, SIDE]:
        raise InputError(
            f"{name}: expected an IDX file of unsigned bytes, N x {SIDE} x {SIDE}, found one that begins with "
            f"{head.hex(' ')}",
            code="wrong_shape",
        )
    count = shape[0]
    found, expected = storage.file_size(path), _IDX_HEADER + count * SIDE * SIDE
    if found != expected:
        raise InputError(
            f"{name}: expected {expected:,} bytes for {count:,} images, found {found:,}", code="wrong_size"
        )
    mark = storage.ends_mark(path) if mark is None else mark
    for start in range(0, count, size):
        stop = min(start + size, count)
        yield Entry(prefix, path, start, stop, stop - start, start + 1, mark)


def read_idx(entry: Entry) -> Iterator[Block]:
    """The images of an entry, in blocks. EMNIST's, published transposed (Cohen et al. 2017), are turned upright."""
    each = SIDE * SIDE
    for at in range(entry.start, entry.start + entry.rows, ROWS):
        count = min(ROWS, entry.start + entry.rows - at)
        start = _IDX_HEADER + at * each
        content = storage.read(entry.path, start, start + count * each)
        if len(content) != count * each:
            raise InputError(f"{Path(entry.path).name}: ends before image {at + count:,}", code="truncated")
        pixels = np.frombuffer(content, np.uint8).reshape(count, SIDE, SIDE)
        if "emnist" in Path(entry.path).name.lower():
            pixels = np.ascontiguousarray(pixels.transpose(0, 2, 1))
        yield Block(numbered(entry.id, at + 1, count), pixels)


def _parse(
    header: bytes, lines: Sequence[bytes], name: str, first: int, place: int, failed: dict[int, InputError]
) -> Images:
    """The pixels of the lines that are right; those that are not are found by halving, and noted by their place."""
    if not lines:
        return no_pixels()
    text = b"".join(lines)
    try:
        return read_pixel_csv(header + (text if text.endswith((b"\n", b"\r")) else text + b"\n"), name=name).images
    except InputError as error:
        if len(lines) == 1:
            message = re.sub(r", line \d+", f", row {first}", str(error), count=1)
            if b"\r" in text.strip():
                message = f"{name}, row {first}: expected one line, found a carriage return (CR) in its middle"
            failed[place] = InputError(message, code=error.code)
            return no_pixels()
    half = len(lines) // 2
    left = _parse(header, lines[:half], name, first, place, failed)
    return np.concatenate([left, _parse(header, lines[half:], name, first + half, place + half, failed)])


def looks_like_labels(path: str) -> bool:
    """Whether an IDX file's name says that it holds labels, which are not needed to read digits.

    >>> looks_like_labels("train-labels-idx1-ubyte"), looks_like_labels("train-images-idx3-ubyte")
    (True, False)
    """
    return "labels" in os.path.basename(path).lower() or "idx1" in os.path.basename(path).lower()


__all__ = ["index_csv", "index_idx", "looks_like_labels", "names_pixels", "read_csv", "read_idx"]
