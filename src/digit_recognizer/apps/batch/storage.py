"""Paths and URLs become listings and bytes: local files by themselves, URLs by fsspec. Knows nothing of pictures."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from digit_recognizer.errors import DigitsError, FileError, MissingExtra, UsageError
from digit_recognizer.files import open_bytes, read_bytes
from digit_recognizer.pictures.collect import is_hidden

_ENDS = 65_536  # bytes at either end of a large file by which a change of it is noticed
_MANY = 8  # objects that do not fail all at once unless their store does
_SMALL = 2**20  # bytes of a picture that is read in one go
_AT_ONCE = 32  # objects that are fetched side by side: one after the other, each would wait for the network


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found. path: to open it. name: from the root down, with "/". size: in bytes, -1 if not known."""

    path: str
    name: str
    size: int = -1


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
    system, inside = _system(path)
    with translated(path):
        return bool(system.isdir(inside))


def is_pattern(path: str) -> bool:
    """Whether a path with ``*``, ``?`` or ``[`` names no file as it stands."""
    return glob.has_magic(path) and (is_url(path) or not os.path.exists(path))


def walk(root: str) -> Iterator[Found]:
    """Every file below a folder, files before folders, each by name; only the names of one folder are held at a time.

    Hidden files are passed over, linked folders not followed. Raises FileError where a folder cannot be read.
    """
    if is_url(root):
        system, inside = _system(root)
        yield from _walk_url(system, inside.rstrip("/"), "")
        return
    try:
        yield from _walk(root, "")
    except OSError as error:
        raise FileError(f"{error.filename or root}: cannot be read ({error.strerror or error})") from error


def matching(pattern: str) -> Iterator[Found]:
    """The files that a pattern names, by name. Raises FileError."""
    if is_url(pattern):
        system, inside = _system(pattern)
        with translated(pattern):
            found = system.glob(inside, detail=True)
        for name in sorted(found):
            if found[name].get("type") == "file":
                url = system.unstrip_protocol(name)
                yield Found(url, url, _size(found[name]))
        return
    for name in sorted(glob.iglob(pattern, recursive=True)):
        if os.path.isfile(name):
            yield Found(name, name, _local_size(name))


def file_size(path: str) -> int:
    """Bytes of a file. Raises FileError."""
    if is_url(path):
        system, inside = _system(path)
        with translated(path):
            return int(system.size(inside))
    with open_bytes(path) as stream:
        return os.fstat(stream.fileno()).st_size


def read(path: str, start: int = 0, stop: int = -1, *, limit: int | None = None) -> bytes:
    """Bytes ``start`` to ``stop`` of a file, to its end where stop is -1.

    limit: bytes that a whole file may have. Raises FileError, also where it has more.
    """
    if is_url(path):
        system, inside = _system(path)
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


def read_all(ranges: Sequence[tuple[str, int, int]], *, limit: int) -> Iterator[bytes | FileError]:
    """What ``read`` gives for each (path, start, stop), in order; where it would raise FileError, that in its place.

    Paths and URLs of several stores may be mixed; URLs of one are fetched side by side. ``limit``: bytes that a whole
    file may have; of a larger one, no more is fetched than tells that it is. Raises UsageError where the file system of
    a URL is not installed, FileError where a store gives none of many that it should have: it is away, and a million
    pictures must not be noted as bad for that.
    """
    for first in range(0, len(ranges), _AT_ONCE):
        chunk = ranges[first : first + _AT_ONCE]
        stores: dict[str, list[int]] = {}
        for place, (path, _, _) in enumerate(chunk):
            if is_url(path):
                stores.setdefault(_store(path), []).append(place)
        fetched: dict[int, bytes | FileError] = {}
        for places in stores.values():
            fetched.update(zip(places, _fetch([chunk[place] for place in places], limit), strict=True))
        for place, (path, start, stop) in enumerate(chunk):
            yield fetched.pop(place) if place in fetched else _read_or_error(path, start, stop, limit)


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file as a stream that can seek. Raises FileError, also while it is read."""
    if not is_url(path):
        with open_bytes(path) as stream:
            yield stream
        return
    system, inside = _system(path)
    with translated(path), system.open(inside, "rb") as remote:
        yield remote


def ends_mark(path: str) -> str:
    """A short text that changes with a file's size, beginning or end: "size-hash". Raises FileError."""
    with opened(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        digest = hashlib.sha256(stream.read(_ENDS))
        stream.seek(max(0, size - _ENDS))
        digest.update(stream.read(_ENDS))
    return f"{size}-{digest.hexdigest()[:12]}"


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


def _walk(folder: str, above: str) -> Iterator[Found]:
    files, folders = [], []
    with os.scandir(folder) as found:
        for entry in found:
            if not is_hidden(entry.name):
                try:
                    is_folder = entry.is_dir()
                except OSError:  # a link that leads in a circle, or to where nobody may look
                    is_folder = False
                if not is_folder:
                    files.append(entry.name)
                elif not entry.is_symlink():
                    folders.append(entry.name)
    files.sort()
    for name in files:
        path = os.path.join(folder, name)
        yield Found(path, above + name, _local_size(path))
    files.clear()
    for name in sorted(folders):
        yield from _walk(os.path.join(folder, name), f"{above}{name}/")


def _walk_url(system: Any, folder: str, above: str) -> Iterator[Found]:
    with translated(system.unstrip_protocol(folder)):
        found = sorted(system.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
    below = []
    for entry in found:
        path = str(entry["name"]).rstrip("/")
        name = path.rpartition("/")[2]
        if path == folder or is_hidden(name):  # object stores may list the folder itself
            continue
        if entry["type"] == "directory":
            below.append((path, name))
        else:
            yield Found(system.unstrip_protocol(path), above + name, _size(entry))
    found.clear()
    for path, name in below:
        yield from _walk_url(system, path, f"{above}{name}/")


def _local_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:  # a link to nowhere; that it cannot be read is told where it is opened
        return -1


def _read_or_error(path: str, start: int, stop: int, limit: int) -> bytes | FileError:
    try:
        return read(path, start, stop, limit=limit)
    except FileError as error:
        return error


def _store(url: str) -> str:
    """What URLs have in common that one file system of fsspec gives: protocol and host or bucket; of a chain such as
    "zip://1.png::s3://digits/a.zip", the protocol and all that follows.
    """
    first, _, rest = url.partition("::")
    protocol, _, inside = first.partition("://")
    return f"{protocol}::{rest}" if rest else f"{protocol}://{inside.partition('/')[0]}"


def _fetch(ranges: Sequence[tuple[str, int, int]], limit: int) -> Iterator[bytes | FileError]:
    """What one store gives for each (path, start, stop), in order. Raises as ``read_all`` does."""
    for (path, start, stop), content in zip(ranges, _contents(ranges, limit), strict=True):
        if isinstance(content, Exception):
            yield _cannot_read(path, content)
        else:
            yield _too_large(path, start, stop, content, limit) or bytes(content)


def _contents(ranges: Sequence[tuple[str, int, int]], limit: int) -> Sequence[bytes | Exception]:
    """What one store gives, or its own errors, in order. Raises FileError where the store is away."""
    contents: Sequence[bytes | Exception]
    try:
        with translated(ranges[0][0]):
            found = [_system(path) for path, _, _ in ranges]
            contents = found[0][0].cat_ranges(
                [inside for _, inside in found],
                [start for _, start, _ in ranges],
                [_end(start, stop, limit) for _, start, stop in ranges],
                on_error="return",
            )
    except FileError as error:  # of the store as a whole, so it is told of every object
        cause = error.__cause__
        contents = [cause if isinstance(cause, Exception) else error] * len(ranges)
    away = [content for content in contents if isinstance(content, Exception) and not _is_missing(content)]
    if len(away) == len(ranges) >= _MANY:
        raise _cannot_read(ranges[0][0], away[0]) from away[0]
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


def _is_missing(error: Exception) -> bool:
    """Whether an error is about one object alone."""
    return isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError)


def _size(entry: dict[str, Any]) -> int:
    size = entry.get("size")
    return -1 if size is None else int(size)


def _system(url: str) -> tuple[Any, str]:
    """fsspec's file system for a URL, and the path inside it."""
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


def _cannot_read(path: str, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FileError(f"{path}: cannot be read ({reason})")


__all__ = [
    "Found",
    "absolute",
    "ends_mark",
    "file_size",
    "is_folder",
    "is_pattern",
    "is_url",
    "matching",
    "opened",
    "read",
    "read_all",
    "translated",
    "walk",
]
