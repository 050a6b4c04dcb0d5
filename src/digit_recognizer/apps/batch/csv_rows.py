"""Where the header and the rows of a pixel CSV end, found in its bytes. What a value may be is none of its business.

Lines end in LF, CRLF or CR alone, mixed too, as sources/pixel_csv.py has it. A CR may also have got into the middle of
a row: then the lines on its sides together have the separators of one row, and are that row, so that those below it
keep their numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_csv import MAX_LINE, declared_separator, separator_in

_BOM = b"\xef\xbb\xbf"
_LF, _CR = 10, 13
_SHORT = 64  # bytes: no row of 784 values is as short
_SPACE, _ASCII = 32, 127
_LINE_END = re.compile(rb"\r\n|\n|\r")

Ends = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Header:
    """How a CSV begins. content: all bytes before the first row. line: the one that names the columns, without its end.
    separator: what stands between cells, one byte. width: how many of it a row has.
    """

    content: bytes
    line: str
    separator: bytes
    width: int


def header_of(head: bytes, path: str) -> Header:
    """The first line of a CSV that is not blank, and declares no separator, with all before it.

    head: the beginning of the file, more than MAX_LINE bytes of it where it has them. Raises InputError where no line
    ends there, or an unknown separator is declared.
    """
    start, declared = 0, None
    for number, end in enumerate(_LINE_END.finditer(head), 1):
        line = head[start : end.start()].removeprefix(_BOM)
        start = end.end()
        if not line.strip():
            continue
        text = line.decode("utf-8", "replace")
        if (found := declared_separator(text, f"{Path(path).name}, line {number}")) is None:
            return _header(head[:start], text, declared)
        declared = found
    if len(head) > MAX_LINE:
        raise InputError(
            f"{Path(path).name}: the first line is longer than {MAX_LINE:,} characters", code="line_too_long"
        )
    # A header and nothing below.
    return _header(head + b"\n", head[start:].removeprefix(_BOM).decode("utf-8", "replace"), declared)


def _header(content: bytes, line: str, declared: str | None) -> Header:
    separator = declared or separator_in(line)
    return Header(content, line, separator.encode(), line.count(separator))


def row_ends(text: bytes, width: int, separator: bytes = b",", *, last: bool) -> tuple[Ends, int]:
    """Just behind which bytes rows end, int64 (N,), and how many bytes that decides: the others belong to a row that
    goes on. Blank lines before a row count to it.

    text: begins with a line. width: separators of a whole row. last: whether nothing comes behind it.

    >>> row_ends(b"1,2\\r\\n3,4\\r5,6\\n7", 1, last=True)[0].tolist(), row_ends(b"1,\\r2\\n3,4", 1, last=False)
    ([5, 9, 13, 14], (array([5]), 5))
    """
    lone = text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0
    if lone and not last and text.endswith(b"\r"):  # its LF may be the next byte
        lone -= 1
    codes = np.frombuffer(text, np.uint8)
    is_end = codes == _LF
    if lone:
        is_end |= (codes == _CR) & np.append(codes[1:] != _LF, last)
    ends: Ends = np.flatnonzero(is_end) + 1
    if last and len(text) and (not len(ends) or ends[-1] < len(text)):
        ends = np.append(ends, len(text))
    if lone:
        return _rows_with_lone_ends(text, ends, width, separator, last=last)
    decided = int(ends[-1]) if len(ends) else 0
    starts = np.append(0, ends[:-1])[: len(ends)]
    first = codes[starts]
    suspects = np.flatnonzero((ends - starts < _SHORT) | (first <= _SPACE) | (first > _ASCII))
    blank = [place for place in suspects if _is_blank(text[starts[place] : ends[place]])]
    return np.delete(ends, blank), decided


def _rows_with_lone_ends(text: bytes, ends: Ends, width: int, separator: bytes, *, last: bool) -> tuple[Ends, int]:
    """``row_ends``, line by line: each joined to those behind it that make it one row, if any do."""
    stops = ends.tolist()
    starts = [0, *stops[:-1]]
    lines = range(len(stops))
    is_blank = [_is_blank(text[starts[line] : stops[line]]) for line in lines]
    found = [text.count(separator, starts[line], stops[line]) for line in lines]
    rows: list[int] = []
    line = 0
    while line < len(stops):
        if is_blank[line]:
            line += 1
            continue
        total, end, at = 0, line, line
        while True:
            total += found[at]
            if total == width:
                end = at
            if total > width or text[stops[at] - 1] == _LF:
                break
            at += 1
            if at == len(stops):
                if not last:  # what comes may belong to it
                    return np.array(rows, np.int64), starts[line]
                break
            if is_blank[at]:
                break
        rows.append(stops[end])
        line = end + 1
    return np.array(rows, np.int64), stops[-1] if stops else 0


def _is_blank(line: bytes) -> bool:
    """As sources/pixel_csv.py takes it, which knows more spaces than ASCII has."""
    text = line.decode("utf-8", "surrogateescape")
    return not text or text.isspace()


__all__ = ["Header", "header_of", "row_ends"]
