"""Files that appear whole or not at all: write to a temporary name in the same folder, fsync, rename.

Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from digit_recognizer.errors import FileError

_NAME_KEPT = 100  # bytes of a file's name in that of its temporary file; most disks end at 255, some at 143


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is fsynced and renamed to ``path``, else removed.

    A link is followed: what it points to is written. Raises FileError where the folder cannot be written, the disk is
    full, or ``path`` is no regular file: a rename would put a file in the place of the device. ``path`` is then as it
    was before.

    >>> with whole_file(folder / "a.txt") as temporary:      # doctest: +SKIP
    ...     temporary.write_text("all of it")
    """
    named = Path(path)
    target = Path(os.path.realpath(named)) if named.is_symlink() else named
    # Shorter than a name may be, whatever the target's is; cut between letters, as some disks take no half ones.
    beginning = os.fsencode(target.name)[:_NAME_KEPT].decode(errors="ignore")
    temporary = target.with_name(f".{beginning}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        if named.exists() and not (named.is_file() or named.is_dir()):
            raise FileError(f"{named}: expected a file to write, this is a device or a pipe", code="not_a_regular_file")
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _fsync(temporary)
        os.replace(temporary, target)
        _fsync(target.parent)
    except OSError as error:
        raise FileError(f"{named}: cannot be written ({_reason(error)})") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all. Raises FileError."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write ``content`` as UTF-8 with LF line ends, whole or not at all. Raises FileError.

    Names of files that are not UTF-8 hold half surrogate pairs, for which it has no bytes: they become ``\\udce9``.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON (no NaN: JSON has none), whole or not at all. Raises FileError.

    It comes back as it was, names of files that are not UTF-8 too: JSON, too, writes half a pair as ``\\udce9``.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_bytes(path: str | Path, *, limit: int | None = None) -> bytes:
    """Read a regular file into memory. Raises FileError if it is missing, unreadable, no file, or over ``limit`` bytes.

    A FIFO or device is refused before it is opened, so that nothing ever blocks.
    """
    path = Path(path)
    with open_bytes(path) as stream:
        if limit is not None and (size := path.stat().st_size) > limit:
            raise FileError(f"{path}: {size:,} bytes, more than the limit of {limit:,}", code="too_large")
        return stream.read()


@contextmanager
def open_bytes(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Raises FileError if it is missing, unreadable or no file, also while it is read.

    A FIFO or device is refused before it is opened, so that nothing ever blocks.

    >>> with open_bytes("train.csv") as stream:      # doctest: +SKIP
    ...     head = stream.read(4)
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "not a regular file"
            raise FileError(f"{path}: expected a file, this is {kind}", code="not_a_regular_file")
        stream = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise FileError(f"{path}: cannot be read ({_reason(error)})") from error
    with stream:
        try:
            yield stream
        except OSError as error:
            raise FileError(f"{path}: cannot be read ({_reason(error)})") from error


def refuse_no_path(path: object) -> None:
    """Refuse the empty text, which many functions take for the current folder. Raises FileError.

    >>> refuse_no_path("a.png")
    """
    if path == "":
        raise FileError("expected a path, found an empty one", code="missing")


def _fsync(path: Path) -> None:
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)  # nor does it fsync what is only read
    try:
        os.fsync(descriptor)
    except OSError:
        if not is_folder:  # some file systems cannot fsync a folder; the file itself must be safe
            raise
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


__all__ = ["open_bytes", "read_bytes", "refuse_no_path", "whole_file", "write_bytes", "write_json", "write_text"]
