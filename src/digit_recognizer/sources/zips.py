"""A zip, whole or refused, becomes its members as streams of bounded size. Knows nothing of what they hold."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_csv import check_unpacked


@contextmanager
def opened_zip(stream: BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    """The zip in a stream, while the block runs. name: what errors call it. Raises InputError where it is damaged."""
    damaged = f"{name}: the zip ends early or is damaged; fetch it again"
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, RuntimeError, ValueError) as error:  # an unknown version; a name that is no text
        raise InputError(damaged, code="bad_zip") from error
    with archive:
        try:
            yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(damaged, code="bad_zip") from error


@contextmanager
def opened_member(archive: zipfile.ZipFile, member: str, name: str) -> Iterator[BinaryIO]:
    """A member as a stream, while the block runs. name: what errors call it.

    zipfile reads no more than the sizes that are checked here, whatever the data hold. Raises InputError where it is
    encrypted, packed in an unusual way or damaged, or too large once unpacked.
    """
    info = archive.getinfo(member)
    if info.flag_bits & 1:
        raise InputError(f"{name}: is encrypted; unpack it with its password first", code="encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{name}: is packed in an unusual way; unpack it first", code="bad_zip")
    check_unpacked(name, info.compress_size, info.file_size)
    try:
        opened: IO[bytes] = archive.open(info)
    # Two headers that disagree; a wrong offset.
    except (zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{name}: this part of the zip is damaged; fetch it again", code="bad_zip") from error
    with opened:
        yield cast(BinaryIO, opened)


def members_of(archive: zipfile.ZipFile) -> list[str]:
    """The files inside, without folders, hidden files and what macOS adds."""
    names = [name for name in archive.namelist() if not name.endswith("/")]  # is_dir fails on an empty name
    return [name for name in names if not re.search(r"(^|/)(__MACOSX/|\.[^./])", name)]


def is_zip(head: bytes) -> bool:
    """Whether a file's first bytes are those of a zip, an empty one included.

    >>> is_zip(b"PK\\x03\\x04"), is_zip(b"%PDF")
    (True, False)
    """
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


__all__ = ["is_zip", "members_of", "opened_member", "opened_zip"]
