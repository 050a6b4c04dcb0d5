"""Paths and URLs become bytes and marks: local files by themselves, URLs by fsspec. Knows nothing of pictures."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, BinaryIO

from digit_recognizer.apps.batch.marks import mark_of_info, mark_of_stat, tells_version
from digit_recognizer.errors import DigitsError, FileError, MissingExtra, UsageError
from digit_recognizer.files import open_bytes, read_bytes

_ENDS = 65_536  # bytes at either end of a large file by which a change of it is noticed
_SMALL = 2**20  # bytes of a picture that is read in one go


def is_url(path: str) -> bool:
    """Whether fsspec is asked for it, rather than the local file system, whose names may hold two colons, too.

    >>> is_url("s3://digits/scans"), is_url("zip://1.png::s3://digits/a.zip"), is_url("scans/a::1.png")
    (True, True, False)
    """
    return "://" in path


def is_folder(path: str) -> bool:
    """Whether there is a folder (or, of an object store, a prefix) of that name. Raises FileError."""
    if not is_url(path):
        return os.path.isdir(path)
    system, inside = file_system(path)
    with translated(path):
        return bool(system.isdir(inside))


def is_pattern(path: str) -> bool:
    """Whether a path with ``*``, ``?`` or ``[`` names no file as it stands."""
    return glob.has_magic(path) and (is_url(path) or not os.path.exists(path))


def file_size(path: str) -> int:
    """Bytes of a file. Raises FileError."""
    if is_url(path):
        system, inside = file_system(path)
        with translated(path):
            return int(system.size(inside))
    with open_bytes(path) as stream:
        return os.fstat(stream.fileno()).st_size


def read(path: str, start: int = 0, stop: int = -1, *, limit: int | None = None) -> bytes:
    """Bytes ``start`` to ``stop`` of a file, to its end where stop is -1.

    limit: bytes that a whole file may have. Raises FileError, also where it has more.
    """
    if is_url(path):
        system, inside = file_system(path)
        with translated(path):
            content = bytes(system.cat_file(inside, start=start, end=_end(start, stop, limit)))
    elif start or stop >= 0:
        with open_bytes(path) as stream:
            stream.seek(start)
            return stream.read() if stop < 0 else stream.read(stop - start)
    elif (small := _small_file(path)) is None:
        return read_bytes(path, limit=limit)
    else:
        content = small
    if (error := _too_large(path, start, stop, content, limit)) is not None:
        raise error
    return content


def read_together(ranges: Sequence[tuple[str, int, int]], limit: int) -> Iterator[bytes | FileError]:
    """What one store gives for each (URL, start, stop), fetched side by side, in order; or why it does not, the store's
    own error as its cause. Raises UsageError where its file system is not installed.
    """
    for (path, start, stop), content in zip(ranges, _contents(ranges, limit), strict=True):
        if isinstance(content, Exception):
            yield _caused(_cannot_read(path, content), content)
        else:
            yield _too_large(path, start, stop, content, limit) or bytes(content)


def info(url: str) -> dict[str, Any]:
    """What a store knows of an object without reading it. Raises FileError, UsageError."""
    system, inside = file_system(url)
    with translated(url):
        return dict(system.info(inside))


def store_of(url: str) -> str:
    """What URLs have in common that one file system of fsspec gives: protocol and host or bucket; of a chain such as
    "zip://1.png::s3://digits/a.zip", the protocol and all that follows.

    >>> store_of("s3://digits/scans/1.png")
    's3://digits'
    """
    first, _, rest = url.partition("::")
    protocol, _, inside = first.partition("://")
    return f"{protocol}::{rest}" if rest else f"{protocol}://{inside.partition('/')[0]}"


def url_in(system: Any, path: str, url: str) -> str:
    """The URL of a path that the file system of ``url`` named; of a chain, with the links that the path lies in.

    >>> from fsspec.implementations.local import LocalFileSystem
    >>> url_in(LocalFileSystem(), "/a.zip", "file:///*.zip"), url_in(LocalFileSystem(), "/1", "file://*::s3://a/b.zip")
    ('file:///a.zip', 'file:///1::s3://a/b.zip')
    """
    links = url.split("::")  # such as simplecache, which names no path, zip://*.png, and s3://digits/a.zip
    named = next(number for number, link in enumerate(links, 1) if is_url(link))
    return "::".join([system.unstrip_protocol(path), *links[named:]])


def name_of(path: str) -> str:
    """The last part of a path, or of a URL; of a chain, of its first link.

    >>> name_of("scans/a::1.png"), name_of("zip://more/1.png::s3://digits/a.zip")
    ('a::1.png', '1.png')
    """
    return (path.partition("::")[0] if is_url(path) else path).rpartition("/")[2]


def is_shareable(url: str) -> bool:
    """Whether threads may ask one file system at the same time: those may that have a loop of their own inside."""
    return bool(getattr(file_system(url)[0], "async_impl", False))


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file as a stream that can seek. Raises FileError, also while it is read."""
    if not is_url(path):
        with open_bytes(path) as stream:
            yield stream
        return
    system, inside = file_system(path)
    with translated(path), system.open(inside, "rb") as remote:
        yield remote


def ends_mark(path: str) -> str:
    """A mark that also changes with a file's beginning or end, where nothing else tells its version: "mark-hash".

    Raises FileError.
    """
    if is_url(path):
        mark = mark_of_info(info(path))
        if tells_version(mark):
            return mark
    with opened(path) as stream:
        if not is_url(path):
            mark = mark_of_stat(os.fstat(stream.fileno()))
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        digest = hashlib.sha256(stream.read(_ENDS))
        stream.seek(max(0, size - _ENDS))
        digest.update(stream.read(_ENDS))
    return f"{mark}-{digest.hexdigest()[:12]}"


def real_path(path: str) -> str:
    """One path for a file, however it is called: links followed; a URL stays as it is."""
    if is_url(path):
        return path
    above, name = os.path.split(path)
    full = os.path.join(_real_folder(above), name)
    return os.path.realpath(full) if os.path.islink(full) else full


def absolute(path: str) -> str:
    """The path as every process can open it; a URL stays as it is."""
    return path if is_url(path) else os.path.abspath(path)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Tell whatever goes wrong inside as a FileError that names ``path``; our own errors stay as they are."""
    try:
        yield
    except DigitsError:
        raise
    except Exception as error:  # every file system that fsspec knows brings errors of its own
        raise _cannot_read(path, error) from error


def _small_file(path: str) -> bytes | None:
    """A regular file of less than a MiB in three calls of the system, which takes a quarter of the time of read_bytes;
    None for anything else, whatever is wrong with it.
    """
    try:
        # A FIFO must not be waited for; Windows would change line ends.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size >= _SMALL:
            return None
        content = os.read(descriptor, found.st_size)
        return content if len(content) == found.st_size else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def local_mark(path: str) -> str:
    """The mark of a local file, "" where it cannot be seen: that is told where it is opened."""
    try:
        return mark_of_stat(os.stat(path))
    except (OSError, ValueError):
        return ""


@lru_cache(4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _contents(ranges: Sequence[tuple[str, int, int]], limit: int) -> Sequence[bytes | Exception]:
    """What one store gives, or its own errors, in order."""
    contents: Sequence[bytes | Exception]
    try:
        with translated(ranges[0][0]):
            found = [file_system(path) for path, _, _ in ranges]
            contents = found[0][0].cat_ranges(
                [inside for _, inside in found],
                [start for _, start, _ in ranges],
                [_end(start, stop, limit) for _, start, stop in ranges],
                on_error="return",
            )
    except FileError as error:  # of the store as a whole, so it is told of every object
        cause = error.__cause__
        contents = [cause if isinstance(cause, Exception) else error] * len(ranges)
    return contents


def _end(start: int, stop: int, limit: int | None) -> int | None:
    """Where fsspec is to stop: of a whole file, one byte past the limit, by which a longer one shows itself."""
    if stop >= 0:
        return stop
    return None if start or limit is None else limit + 1


def _too_large(path: str, start: int, stop: int, content: bytes, limit: int | None) -> FileError | None:
    if start or stop >= 0 or limit is None or len(content) <= limit:
        return None
    return FileError(f"{path}: more than the limit of {limit:,} bytes", code="too_large")


def file_system(url: str) -> tuple[Any, str]:
    """fsspec's file system for a URL, and the path inside it. Raises FileError; UsageError without such a system."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra("batch", "reading URLs") from error
    try:
        # A listing that is kept would grow with the source, and hide what has changed.
        system, inside = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{url}: no file system for it ({error})") from error
    except Exception as error:  # some connect at once, to a host that may be away
        raise _cannot_read(url, error) from error
    return system, str(inside)


def _caused(error: FileError, cause: Exception) -> FileError:
    error.__cause__ = cause
    return error


def _cannot_read(path: str, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FileError(f"{path}: cannot be read ({reason})")


__all__ = [
    "absolute",
    "ends_mark",
    "file_size",
    "file_system",
    "info",
    "is_folder",
    "is_pattern",
    "is_shareable",
    "is_url",
    "local_mark",
    "name_of",
    "opened",
    "read",
    "read_together",
    "real_path",
    "store_of",
    "translated",
    "url_in",
]
