"""Many files are read, or only asked for their marks, side by side where they lie in a store. Decodes nothing.

An object that is missing, forbidden or too large is an error of its own. Any other error may be one of the store, for
which no picture is noted as bad: the object is tried again a few times, and then the work stops.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.marks import mark_of_info
from digit_recognizer.errors import FileError

_AT_ONCE = 32  # objects that are fetched side by side: one after the other, each would wait for the network
_WAITS_S = (0.5, 2.0, 5.0)  # before an object is tried again, alone
_ACCOUNT = (  # S3's words for what is wrong with who asks, though fsspec tells it as a PermissionError
    "AccountProblem",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "NotSignedUp",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
)
_REFUSED = (403, 404, 410, 451)  # HTTP's words for one object that is not to be had
# A network file system that is away, or this process out of something.
_LOCAL_AWAY = (
    errno.ESTALE,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
)

_Value = TypeVar("_Value")


def read_all(ranges: Sequence[tuple[str, int, int]], *, limit: int) -> Iterator[bytes | FileError]:
    """What ``storage.read`` gives for each (path, start, stop), in order; of a file that is missing, forbidden or too
    large, the FileError in its place.

    Paths and URLs of several stores may be mixed; URLs of one are fetched side by side. ``limit``: bytes that a whole
    file may have; of a larger one, no more is fetched than tells that it is. Raises UsageError where the file system of
    a URL is not installed, FileError where a file cannot be read for any other reason, after several tries.
    """
    for first in range(0, len(ranges), _AT_ONCE):
        chunk = ranges[first : first + _AT_ONCE]
        stores: dict[str, list[int]] = {}
        for place, (path, _, _) in enumerate(chunk):
            if storage.is_url(path):
                stores.setdefault(storage.store_of(path), []).append(place)
        fetched: dict[int, bytes | FileError] = {}
        for places in stores.values():
            fetched.update(zip(places, _fetch([chunk[place] for place in places], limit), strict=True))
        for place, (path, start, stop) in enumerate(chunk):
            yield fetched.pop(place) if place in fetched else _read(path, start, stop, limit)


def marks_of(paths: Sequence[str]) -> list[str]:
    """The marks of files, "" for those that are missing or forbidden, in order. Raises as ``read_all`` does."""
    marks: dict[int, str] = {}
    urls = [place for place, path in enumerate(paths) if storage.is_url(path)]
    if urls and all(storage.is_shareable(paths[place]) for place in urls):
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            marks.update(zip(urls, threads.map(_url_mark, [paths[place] for place in urls]), strict=True))
    return [
        marks[place] if place in marks else _url_mark(path) if storage.is_url(path) else storage.local_mark(path)
        for place, path in enumerate(paths)
    ]


def _url_mark(url: str) -> str:
    found = _patiently(url, lambda: mark_of_info(storage.info(url)))
    return "" if isinstance(found, FileError) else found


def _read(path: str, start: int, stop: int, limit: int) -> bytes | FileError:
    try:
        return storage.read(path, start, stop, limit=limit)
    except FileError as error:
        if _is_of_one_file(path, error):
            return error
        return _patiently(path, lambda: storage.read(path, start, stop, limit=limit), error)


def _fetch(ranges: Sequence[tuple[str, int, int]], limit: int) -> Iterator[bytes | FileError]:
    """What one store gives for each (path, start, stop), in order. Raises as ``read_all`` does."""
    for (path, start, stop), content in zip(ranges, storage.read_together(ranges, limit), strict=True):
        if isinstance(content, FileError) and not _is_of_one_file(path, content):
            yield _read(path, start, stop, limit)
        else:
            yield content


def _patiently(path: str, ask: Callable[[], _Value], error: FileError | None = None) -> _Value | FileError:
    """What ``ask`` gives, or the FileError that is about this one file. error: of a first try, where there was one.

    Raises FileError where every try fails for another reason.
    """
    for wait in (0.0, *_WAITS_S) if error is None else _WAITS_S:
        time.sleep(wait)
        try:
            return ask()
        except FileError as again:
            if _is_of_one_file(path, again):
                return again
            error = again
    raise FileError(
        f"{error}; tried {len(_WAITS_S) + 1} times. What is done is kept, and the same command goes on, once "
        f"{storage.store_of(path) if storage.is_url(path) else 'it'} can be read again; "
        "else leave it out of the input",
        code="storage_away",
    ) from error


def _is_of_one_file(path: str, error: FileError) -> bool:
    """Whether an error is about one file alone, and not its store, the way there or who asks."""
    cause = error.__cause__
    if cause is None:  # our own: too large, no regular file
        return True
    if isinstance(cause, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return True
    if isinstance(cause, PermissionError):
        response = getattr(cause.__cause__, "response", None)
        return not isinstance(response, dict) or response.get("Error", {}).get("Code") not in _ACCOUNT
    if storage.is_url(path):
        return getattr(cause, "status", None) in _REFUSED or getattr(cause, "errno", None) == errno.ENAMETOOLONG
    return getattr(cause, "errno", None) not in _LOCAL_AWAY


__all__ = ["marks_of", "read_all"]
