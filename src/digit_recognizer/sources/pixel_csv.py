"""A table of pixels as text (Kaggle's train.csv and its kin, plain or gzip) becomes Digits.

Knows nothing of archives, folders or downloads; whoever has a path, the bytes or a stream may ask.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Digits
from digit_recognizer.errors import InputError
from digit_recognizer.files import open_bytes
from digit_recognizer.sources.pixel_columns import Columns, find_columns, named

MAX_LINE = 64 * 1024  # characters; a row of 784 values with decimals takes about 5,000
MAX_UNPACKED = 4 * 1024**3  # bytes that compressed text may grow to
MAX_RATIO = 100  # times that compressed text may grow; real digits grow 5 to 20 times
SMALL = 64 * 1024**2  # bytes below which the ratio does not matter: a few blank pictures compress without end

_BLOCK = 1024**2
_GZIP = b"\x1f\x8b"
_FRACTION = re.compile(r"\+?0?\.[0-9]+|[0-9.]+[eE]-[0-9]+")
_SEPARATORS = (",", ";", "\t")

OnBadRow = Callable[[InputError], None]
_Cells = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Layout(Columns):
    """The columns, and what stands between their cells."""

    separator: str


def read_pixel_csv(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    name: str | None = None,
    max_unpacked: int = MAX_UNPACKED,
    on_bad_row: OnBadRow | None = None,
) -> Digits:
    """Read digits from CSV text with one picture a row and a header, plain or gzip (the content decides).

    Columns are found by name, in any order: ``pixel0 … pixel783`` (Kaggle), ``pixel1 … pixel784`` (OpenML) or
    ``1x1 … 28x28`` (row x column), with or without ``label`` (or ``class``). A value is a whole number from 0 to 255,
    ``12.0`` included. UTF-8 with or without BOM; LF, CRLF or CR; quoted cells; blank lines are passed over. Cells are
    separated by commas; in a file whose header has none, by ``;`` or tabs, or as Excel's first line ``sep=;`` says.

    source: a path, the bytes, or a binary stream that can seek, read from where it stands.
    name: what messages call it; a path is called by itself.
    max_unpacked: bytes that gzip may grow to. on_bad_row: called with what is wrong with a row, which is left out then,
    where the rows have labels; without labels a row is known by its place alone, so none may be missing. Pictures of a
    file from which rows are left out are named "image 17", by their place in it.

    Returns the pictures in the order of their rows, labels as in the file or None.
    Raises InputError naming file, line, column and value of the first thing wrong; FileError where a path cannot be
    read. The text is never held whole: memory stays at the result and a few MiB.

    >>> header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    >>> read_pixel_csv(f"{header}\\n7{',0' * 784}\\n".encode()).labels
    array([7])
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), name or "CSV", max_unpacked, on_bad_row)
    if isinstance(source, (str, os.PathLike)):
        with open_bytes(source) as stream:
            return _read(stream, name or os.fspath(source), max_unpacked, on_bad_row)
    return _read(source, name or "CSV", max_unpacked, on_bad_row)


def check_unpacked(name: str, packed: int, unpacked: int, *, limit: int = MAX_UNPACKED) -> None:
    """Raise InputError where ``packed`` bytes grow to more than ``limit``, or beyond MAX_RATIO times (a zip bomb).

    >>> check_unpacked("train.csv", packed=10_000_000, unpacked=75_000_000)
    """
    if unpacked > limit:
        raise InputError(f"{name}: unpacks to more than the limit of {limit:,} bytes", code="too_large")
    if unpacked > SMALL and unpacked > MAX_RATIO * packed:
        raise InputError(
            f"{name}: unpacks to more than {MAX_RATIO} times its size, as no real digits do; if it is meant, unpack it",
            code="too_large",
        )


def declared_separator(line: str, where: str) -> str | None:
    """The separator that a first line ``sep=;`` declares, as Excel writes it; None where it is another line.

    Raises InputError, with ``where`` in front, where it declares one that is not known.

    >>> declared_separator("sep=;", "train.csv, line 1"), declared_separator("label;pixel0", "train.csv, line 1")
    (';', None)
    """
    match = re.fullmatch(r'"?sep=(.)"?;*', line.strip(" "), re.IGNORECASE)
    if match is not None and match[1] not in _SEPARATORS:
        raise InputError(
            f"{where}: expected cells separated by , or ; or tabs, found sep={match[1]}", code="bad_header"
        )
    return None if match is None else match[1]


def separator_in(header: str) -> str:
    """What separates the cells of a header above which nothing is declared: the comma; without one, ``;`` or a tab.

    >>> separator_in("label;pixel0;pixel1")
    ';'
    """
    return next((mark for mark in _SEPARATORS if mark in header), ",")


def _read(stream: BinaryIO, name: str, limit: int, on_bad_row: OnBadRow | None) -> Digits:
    columns: _Layout | None = None
    pixels = bytearray()  # grows in place, so that the result is never there twice
    labels = bytearray()
    left_out: list[int] = []  # places of rows, from 0
    separator: str | None = None
    for first_line, text in _text_blocks(_chunks(stream, name, limit), name):
        while columns is None and text:
            skipped = len(text) - len(text.lstrip(" \r\n"))
            first_line += text.count("\n", 0, skipped)
            header, _, text = text[skipped:].partition("\n")
            if header and (declared := declared_separator(header, f"{name}, line {first_line}")):
                separator = declared
            elif header:
                columns = _layout(header, name, first_line, separator)
            first_line += 1
        if columns is None:
            continue
        rows = _plain_rows(text, columns)
        if rows is None:
            before = len(pixels) // (SIDE * SIDE) + len(left_out)
            rows, bad = _careful_rows(text, columns, name, first_line, on_bad_row)
            left_out += [before + place for place in bad]
        pixels += rows[:, columns.pixels].tobytes()
        if columns.label is not None:
            labels += rows[:, columns.label].tobytes()
    if columns is None:
        raise InputError(f"{name}: the file is empty; expected a header and rows of pixels", code="empty_file")
    if not pixels:
        found = f"none of {len(left_out):,} can be used" if left_out else "found none below the header"
        raise InputError(f"{name}: expected rows of pixels, {found}", code="no_rows")
    images = np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE)
    return Digits(
        images,
        np.frombuffer(labels, np.uint8) if columns.label is not None else None,
        _names_without(len(images) + len(left_out), left_out) if left_out else None,
    )


def _names_without(count: int, left_out: Sequence[int]) -> tuple[str, ...]:
    gone = set(left_out)
    return tuple(f"image {place + 1}" for place in range(count) if place not in gone)


def _chunks(stream: BinaryIO, name: str, limit: int) -> Iterator[bytes]:
    """The bytes of the text, unpacked where they are gzip, a MiB at a time."""
    start = stream.tell()
    packed = stream.read(2) == _GZIP
    stream.seek(start)
    source = gzip.GzipFile(fileobj=stream) if packed else stream
    size = 0
    try:
        while chunk := source.read(_BLOCK):
            size += len(chunk)
            if packed:
                check_unpacked(name, stream.tell() - start, size, limit=limit)
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{name}: the compressed data end early or are damaged; fetch it again", code="bad_gzip"
        ) from error


def _text_blocks(chunks: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Whole lines, each ended by LF, as (number of the first line, text). Refuses bytes that are no text."""
    # Wrong bytes become lone surrogates, so that they can be found with their line instead of raising without it.
    utf8 = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    line, rest = 1, ""
    for chunk in chain(chunks, [b""]):
        text = rest + decoder.decode(chunk, final=not chunk)
        if not chunk and text and not text.endswith("\n"):
            text += "\n"
        _check_text(text, name, line)
        end = text.rfind("\n") + 1
        if end:
            yield line, text[:end]
        line += text.count("\n")
        rest = text[end:]


def _check_text(text: str, name: str, first_line: int) -> None:
    if (not text.isascii() or "\0" in text) and (wrong := re.search("[\0\udc80-\udcff]", text)):
        if re.match("\udcff\udcfe|\udcfe\udcff", text):
            found = "UTF-16"
        else:
            found = f"the byte 0x{ord(wrong[0]) & 0xFF:02x}"
        line = first_line + text.count("\n", 0, wrong.start())
        raise InputError(f"{name}, line {line}: expected UTF-8 text, found {found}", code="not_utf8")
    start = 0
    while len(text) - start > MAX_LINE:  # from line to line in strides, not one by one
        end = text.rfind("\n", start, start + MAX_LINE + 1)
        if end < 0:
            line = first_line + text.count("\n", 0, start)
            raise InputError(f"{name}, line {line}: longer than {MAX_LINE:,} characters", code="line_too_long")
        start = end + 1


def _layout(header: str, name: str, line: int, separator: str | None) -> _Layout:
    """What the header says. separator: declared above it, or None."""
    where = f"{name}, line {line}"
    if separator is None:
        separator = separator_in(header)
    names = _split(header, separator, where)
    if all(re.fullmatch(r"[-+.0-9eE]*", cell.strip()) for cell in names) and any(map(str.strip, names)):
        raise InputError(f"{where}: expected a header ({named()}), found numbers; put one on top", code="no_header")
    columns = find_columns(names, where)
    return _Layout(columns.names, columns.label, columns.pixels, separator)


def _plain_rows(text: str, columns: _Layout) -> _Cells | None:
    """The cells of ``text``, uint8 (rows, columns), by numpy's parser in C; None where it needs a closer look."""
    # loadtxt knows no quotes here, and before numpy 2.4 may read 12.5 or 1e1 by way of a float: not for us to accept.
    if not text or text.isspace() or any(character in text for character in '".eEnN'):
        return None
    try:
        rows: _Cells = np.loadtxt(io.StringIO(text), np.uint8, delimiter=columns.separator, comments=None, ndmin=2)
    except ValueError:
        return None
    if rows.shape[1] != len(columns.names):
        return None
    if columns.label is not None and rows[:, columns.label].max() >= CLASSES:
        return None
    return rows


def _careful_rows(
    text: str, columns: _Layout, name: str, first_line: int, on_bad_row: OnBadRow | None
) -> tuple[_Cells, list[int]]:
    """The cells of ``text``, uint8 (rows, columns), cell by cell, and the places of rows that are left out.

    Raises InputError naming the first wrong cell, where rows may not be left out.
    """
    rows = bytearray()
    left_out: list[int] = []
    width, place = len(columns.names), 0
    for number, line in enumerate(text.split("\n"), first_line):
        if not line or line.isspace():
            continue
        try:
            rows += _careful_row(line, columns, f"{name}, line {number}")
        except InputError as error:
            if on_bad_row is None or columns.label is None:
                raise
            on_bad_row(error)
            left_out.append(place)
        place += 1
    return np.frombuffer(rows, np.uint8).reshape(-1, width), left_out


def _careful_row(line: str, columns: _Layout, where: str) -> bytes:
    """The cells of one row. Raises InputError naming the first wrong one."""
    cells = _split(line, columns.separator, where)
    if len(cells) != len(columns.names):
        extra = 0 if columns.label is None else 1
        raise InputError(
            f"{where}: expected {len(columns.names) - extra} pixel values, found {len(cells) - extra}", code="bad_row"
        )
    try:
        row = bytes(map(_value, cells))
    except ValueError:
        raise _wrong_cell(cells, columns, where) from None
    if columns.label is not None and row[columns.label] >= CLASSES:
        raise _wrong_cell(cells, columns, where)
    return row


@lru_cache(maxsize=4096)  # a file has few different cells
def _value(cell: str) -> int:
    match = re.fullmatch(r"\+?([0-9]+)(?:\.0*)?", cell.strip())
    if match is None or (value := int(match[1])) > 255:
        raise ValueError(cell)
    return value


def _wrong_cell(cells: Sequence[str], columns: _Layout, where: str) -> InputError:
    """The error that names the first cell of a row that is wrong."""
    for i, cell in enumerate(cells):
        limit = CLASSES - 1 if i == columns.label else 255
        try:
            wrong = _value(cell) > limit
        except ValueError:
            wrong = True
        if wrong:
            found = repr(cell[:40]) if cell.strip() else "an empty cell"
            code = "bad_label" if i == columns.label else "bad_pixel"
            advice = "; are these 0 to 1? multiply them by 255" if _FRACTION.fullmatch(cell.strip()) else ""
            expected = f"expected a whole number from 0 to {limit}"
            return InputError(
                f"{where}, column {columns.names[i]}: {expected}, found {found}{advice if i != columns.label else ''}",
                code=code,
            )
    raise AssertionError("called for a row without a wrong cell")


def _split(line: str, separator: str, where: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise InputError(f"{where}: a quoted cell is not closed as it should be ({error})", code="bad_row") from error


__all__ = [
    "MAX_LINE",
    "MAX_RATIO",
    "MAX_UNPACKED",
    "SMALL",
    "OnBadRow",
    "check_unpacked",
    "declared_separator",
    "read_pixel_csv",
    "separator_in",
]
