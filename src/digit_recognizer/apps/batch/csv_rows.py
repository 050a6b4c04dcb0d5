"""Where the header and the rows of a pixel CSV end, found in its bytes. What a value may be is none of its business.

Lines end in LF, CRLF or CR alone, mixed too, as sources/pixel_csv.py has it. A CR may also have got into the middle of
a row: then the lines on its sides together have the commas of one row, and are that row, so that those below it keep
their numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_csv import MAX_LINE

_BOM = b"\xef\xbb\xbf"
_LF, _CR = 10, 13
_SHORT = 64  # bytes: no row of 784 values is as short
_SPACE, _ASCII = 32, 127
_LINE_END = re.compile(rb"\r\n|\n|\r")

Ends = npt.NDArray[np.int64]


def header_of(head: bytes, path: str) -> bytes:
    """The first line of a CSV that is not blank, with all before it and its line end.

    head: the beginning of the file, more than MAX_LINE bytes of it where it has them. Raises InputError where no line
    ends there.
    """
    start = 0
    for end in _LINE_END.finditer(head):
        if head[start : end.start()].removeprefix(_BOM).strip():
            return head[: end.end()]
        start = end.end()
    if len(head) > MAX_LINE:
        raise InputError(
            f"{Path(path).name}: the first line is longer than {MAX_LINE:,} characters", code="line_too_long"
        )
    return head + b"\n"  # a header and nothing below


def row_ends(text: bytes, commas: int, *, last: bool) -> tuple[Ends, int]:
    """Just behind which bytes rows end, int64 (N,), and how many bytes that decides: the others belong to a row that
    goes on. Blank lines before a row count to it.

    text: begins with a line. commas: of a whole row. last: whether nothing comes behind it.

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
        return _rows_with_lone_ends(text, ends, commas, last=last)
    decided = int(ends[-1]) if len(ends) else 0
    starts = np.append(0, ends[:-1])[: len(ends)]
    first = codes[starts]
    suspects = np.flatnonzero((ends - starts < _SHORT) | (first <= _SPACE) | (first > _ASCII))
    blank = [place for place in suspects if _is_blank(text[starts[place] : ends[place]])]
    return np.delete(ends, blank), decided


def _rows_with_lone_ends(text: bytes, ends: Ends, commas: int, *, last: bool) -> tuple[Ends, int]:
    """``row_ends``, line by line: each joined to those behind it that make it one row, if any do."""
    stops = ends.tolist()
    starts = [0, *stops[:-1]]
    lines = range(len(stops))
    is_blank = [_is_blank(text[starts[line] : stops[line]]) for line in lines]
    found = [text.count(b",", starts[line], stops[line]) for line in lines]
    rows: list[int] = []
    line = 0
    while line < len(stops):
        if is_blank[line]:
            line += 1
            continue
        total, end, at = 0, line, line
        while True:
            total += found[at]
            if total == commas:
                end = at
            if total > commas or text[stops[at] - 1] == _LF:
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


__all__ = ["header_of", "row_ends"]
