"""Tar archives become entries of a listing, a picture each, by where their bytes lie. Opens no picture."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.listing import printable
from digit_recognizer.apps.batch.walk import kind_of_other
from digit_recognizer.errors import InputError
from digit_recognizer.pictures.collect import SUFFIXES, is_hidden

_CHUNK = 2**20
_END = 2 * tarfile.BLOCKSIZE  # bytes of zeros by which every archive ends (POSIX.1-2001, ustar)


def index_tar(
    path: str, prefix: str, passed_over: Counter[str] | None = None, mark: str | None = None
) -> Iterator[Entry]:
    """The pictures in a tar archive (a WebDataset, for one) by where their bytes lie.

    passed_over: where the members that are none are counted, by their kind. mark: of the archive, where it is not that
    of ``path``. Raises InputError where the archive is damaged or has no end, so that what is lost is never taken for
    what was not there; FileError.
    """
    counts: Counter[str] = Counter() if passed_over is None else passed_over
    mark = storage.ends_mark(path) if mark is None else mark
    members, at = 0, -1
    with storage.opened(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                while (member := archive.next()) is not None:
                    if archive.offset <= at or member.size < 0:
                        raise tarfile.ReadError(f"a member of {member.size:,} bytes")
                    at = archive.offset
                    # It remembers every member, and a million of them are a gigabyte.
                    archive.members.clear()  # type: ignore[attr-defined]  # an attribute that typeshed leaves out
                    members += 1
                    if (kind := _not_a_picture(member)) is None:
                        start = member.offset_data
                        yield Entry(prefix + printable(member.name), path, start, start + member.size, mark=mark)
                    elif kind:
                        counts[kind] += 1
                end = archive.offset
        except (tarfile.TarError, ValueError, OverflowError) as error:
            place = f"after {members:,} members, near byte {at:,}: " if members else ""
            raise InputError(f"{path}: not a whole tar archive ({place}{error})", code="damaged") from error
        # tarfile takes whatever is no header for the end, a damaged one, too.
        if wrong := _wrong_end(stream, end):
            raise InputError(
                f"{path}: not a whole tar archive: after {members:,} members, at byte {end:,}, {wrong}", code="damaged"
            )


def _not_a_picture(member: tarfile.TarInfo) -> str | None:
    """What else a member is; "" where nobody would miss it, None where it is a picture."""
    name = member.name
    if member.isdir():
        return ""
    if member.issym():
        return "symbolic link"
    if member.islnk():
        return "hard link"
    if not member.isreg() or member.issparse():  # the bytes of a sparse one do not lie in one piece
        return "special file"
    if is_hidden(name.rpartition("/")[2]):
        return "hidden file"
    return None if name.lower().endswith(SUFFIXES) else kind_of_other(name)


def _wrong_end(stream: BinaryIO, start: int) -> str:
    """What is wrong with the end of an archive that begins there; "" where nothing is."""
    stream.seek(start)
    head = stream.read(_END)
    if not head:
        return (
            "the file ends without the two blocks of zeros that end an archive: fetch it again; if its writer left "
            "them out, append them (head -c 1024 /dev/zero >> FILE)"
        )
    if head[: tarfile.BLOCKSIZE].strip(b"\0"):
        return "there is no member's header: it is damaged or cut; fetch it again"
    if len(head) < _END:
        return "the file ends in the middle of the two blocks of zeros that end an archive: fetch it again"
    chunk = head
    while chunk:
        if chunk.strip(b"\0"):
            return (
                "zeros are followed by other data: a damaged header, or several archives in one file; fetch it again, "
                "or give them one by one"
            )
        chunk = stream.read(_CHUNK)
    return ""


__all__ = ["index_tar"]
