"""SOURCE, as a person writes it, becomes entries of a listing, one after the other: what is there, in a fixed order.

Pictures are not opened. Of a folder or pattern the pictures are taken, or the tables, archives and files of pixels;
both together are refused.
"""

from __future__ import annotations

import glob
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.blocks import ROWS, Block
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.fetch import read_all
from digit_recognizer.apps.batch.file_source import (
    CSV,
    IDX,
    PICTURES,
    TABLE,
    Facts,
    File,
    Sizes,
    Source,
    has_pixel_header,
    of_file,
    pdfs_refused,
)
from digit_recognizer.apps.batch.listing import printable
from digit_recognizer.apps.batch.pixel_rows import looks_like_labels, read_csv, read_idx
from digit_recognizer.apps.batch.tables import read_table
from digit_recognizer.apps.batch.walk import PDF, Found, kind_of_other, matching, walk
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import read_bytes
from digit_recognizer.pictures.collect import SUFFIXES, looks_like_picture
from digit_recognizer.pictures.load import MAX_BYTES

JOB = "job.json"  # in the folder that a batch writes: what it was begun with
_CONTAINERS = (".parquet", ".tar", ".tar.gz", ".tgz", ".csv", ".csv.gz")


def find_source(source: str, sizes: Sizes, unpacked: Path, apart_from: Path | None = None) -> Source:
    """Find out what ``source`` is: a folder, a pattern or a file; a path or a URL. See ``digits batch --help``.

    unpacked: a folder for what is compressed as a whole. apart_from: a folder whose files are none of the source's,
    wherever it lies: what a batch writes is not read by it, nor what other batches wrote below the source. Raises
    InputError where it is none of what can be read, or pictures and other data in one; FileError where it cannot be
    read, UsageError where a URL's file system is not installed. Taking the entries raises the first two, too.

    >>> find_source("scans", Sizes(), Path("work")).kind                          # doctest: +SKIP
    'pictures'
    """
    facts = Facts()
    is_outside = _is_outside(apart_from, source)

    def note_hidden(folder: str, count: int) -> None:
        if count and is_outside(folder):
            facts.passed_over["hidden file"] += count

    def files() -> Iterator[Found]:
        found = walk(source, note_hidden) if is_folder else matching(source)
        return (file for file in found if storage.is_url(file.path) or is_outside(os.path.dirname(file.path)))

    if not (is_folder := storage.is_folder(source)) and not storage.is_pattern(source):
        path = storage.absolute(source)
        return of_file(File(path, "", path), sizes, unpacked, facts)
    pictures, are_sure = _pictures_among(files(), source, facts.passed_over)
    if not are_sure:
        before, facts.passed_over = facts.passed_over, Counter()  # the files are looked at once more
        containers = _containers_among(files(), facts.passed_over)
        if (one := next(containers, None)) is not None:
            return _of_containers(chain([one], containers), source, sizes, unpacked, facts)
        facts.passed_over = before
        if PDF in before:
            if (unread := next(pictures, None)) is None:
                raise pdfs_refused(source, before[PDF])
            pictures = chain([unread], pictures)
    return Source(PICTURES, map(_picture, pictures), sizes.encoded, facts)


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
        contents = list(read_all([(entry.path, entry.start, entry.stop) for entry in chunk], limit=MAX_BYTES))
        failed = {place: content for place, content in enumerate(contents) if isinstance(content, FileError)}
        yield Block(
            pa.array([entry.id for entry in chunk], pa.string()),
            encoded=[content if isinstance(content, bytes) else b"" for content in contents],
            failed=failed,
        )


def _is_outside(folder: Path | None, source: str) -> Callable[[str], bool]:
    """Whether what lies in a folder (of its argument) is none of a batch's: not in ``folder``, or below it, links
    followed, nor in a folder below the source that another batch wrote.
    """
    left_out = None if folder is None else os.path.realpath(folder)
    top = os.path.normpath(_before_pattern(source))

    @lru_cache(1024)
    def is_outside(above: str) -> bool:
        if storage.is_url(above):
            return True
        own = left_out is not None and Path(os.path.realpath(above)).is_relative_to(left_out)
        return not own and not lies_in_answers(os.path.normpath(above))

    @lru_cache(1024)
    def lies_in_answers(above: str) -> bool:
        if above == top or os.path.dirname(above) == above:
            return False
        return _holds_answers(above) or lies_in_answers(os.path.dirname(above))

    return is_outside


def _before_pattern(source: str) -> str:
    """The folder that a pattern begins with; what is none, as it is."""
    if not storage.is_pattern(source):
        return source
    while glob.has_magic(source):
        source = os.path.dirname(source)
    return source


def _holds_answers(folder: str) -> bool:
    """Whether a batch wrote a folder: its job is there."""
    path = os.path.join(folder, JOB)
    if not os.path.isfile(path):
        return False
    try:
        job = json.loads(read_bytes(path, limit=1 << 20))
    except (FileError, ValueError, RecursionError):
        return False
    return isinstance(job, dict) and {"format", "task", "inputs"} <= job.keys()


def _pictures_among(files: Iterator[Found], where: str, passed_over: Counter[str]) -> tuple[Iterator[Found], bool]:
    """The pictures among the files, and whether there is one for sure. Taken only as far as the first sure one.

    A file that cannot be read may be one, too: that it cannot be read is told where it is opened. Raises InputError,
    also while the others are taken, where data of another kind lie beside a sure one.
    """
    picture = other = ""  # the first of each

    def looks(found: Found) -> bool | None:
        nonlocal picture, other
        answer = _looks_like_picture(found)
        if answer:
            picture = picture or printable(found.name)
        elif answer is False:
            passed_over[kind_of_other(found.name)] += 1
            other = other or (printable(found.name) if _holds_pictures(found) else "")
        if picture and other:
            raise InputError(
                f"{where}: expected pictures or other data, found {picture} and {other}; give one of the two, by a "
                "pattern such as 'folder/**/*.png' or 'folder/**/*.parquet'",
                code="mixed_source",
            )
        return answer

    unread: list[Found] = []
    for found in files:
        answer = looks(found)
        if answer is not False:
            unread.append(found)
        if answer:
            return chain(unread, (other for other in files if looks(other) is not False)), True
    return iter(unread), False


def _containers_among(files: Iterator[Found], passed_over: Counter[str]) -> Iterator[Found]:
    for found in files:
        if _looks_like_container(found.name):
            yield found
        else:
            passed_over[kind_of_other(found.name)] += 1


def _of_containers(files: Iterable[Found], where: str, sizes: Sizes, unpacked: Path, facts: Facts) -> Source:
    def opened(number: int, file: Found) -> Source:
        path = storage.absolute(file.path)
        return of_file(File(path, f"{file.name}/", path, number), sizes, unpacked, facts)

    found = (opened(number, file) for number, file in enumerate(files))
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

    return Source(first.kind, entries(), first.size, facts, ids)


def _picture(found: Found) -> Entry:
    return Entry(printable(found.name), storage.absolute(found.path), mark=found.mark)


def _looks_like_picture(found: Found) -> bool | None:
    """Whether a file is a picture; None where that cannot be told, as it cannot be read."""
    if found.name.lower().endswith(SUFFIXES):
        return True
    try:
        return not storage.is_url(found.path) and looks_like_picture(Path(found.path))
    except OSError:
        return None


def _holds_pictures(found: Found) -> bool:
    """Whether a file holds pictures of its own; a CSV only where it names pixels, as others tell of those beside it."""
    if not _looks_like_container(found.name):
        return False
    return not found.name.lower().endswith((".csv", ".csv.gz")) or has_pixel_header(found.path)


def _looks_like_container(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(_CONTAINERS) or ("ubyte" in lower and not looks_like_labels(lower))


__all__ = [
    "CSV",
    "IDX",
    "JOB",
    "PICTURES",
    "TABLE",
    "Facts",
    "Sizes",
    "Source",
    "find_source",
    "read_entry",
    "read_pictures",
]
