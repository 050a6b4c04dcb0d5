"""What changes with a file, as far as that can be told without reading it, becomes a short text: its mark.

"SIZE-VERSION": bytes, and the time of the last change in ns (local), or what the store says of the version (URLs).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_VERSIONS = ("etag", "content-md5", "md5hash", "crc", "lastmodified", "last-modified", "updated", "mtime", "modify")
_TIME_DIGITS = 18  # of nanoseconds since 1970, at least: from 1973 on
_COPIED = "; where it was only copied, copy it with its times (cp -p, rsync -t)"


def mark_of_stat(found: os.stat_result) -> str:
    """The mark of a local file."""
    return f"{found.st_size}-{found.st_mtime_ns}"


def mark_of_info(info: Mapping[str, Any]) -> str:
    """The mark of an object, from what fsspec knows of it: of ETag, checksum and time of change the first there is.

    >>> mark_of_info({"size": 312, "ETag": '"6f1e"', "LastModified": "today"}), mark_of_info({"size": 5})
    ('312-6f1e', '5-')
    """
    lower = {key.lower().replace("_", "-"): value for key, value in info.items()}
    version = next((lower[name] for name in _VERSIONS if lower.get(name) is not None), "")
    size = lower.get("size")
    return f"{'' if size is None else size}-{str(version).strip(chr(34))}"


def tells_version(mark: str) -> bool:
    """Whether a mark tells more than a size.

    >>> tells_version("312-6f1e"), tells_version("312-")
    (True, False)
    """
    return not mark.endswith("-")


def changed_words(before: str, now: str) -> str:
    """What two marks differ in, as the end of a sentence; "" where only that can be said that they do.

    >>> changed_words("312-1", "340-2")
    ': 340 bytes instead of 312'
    """
    (old_size, _, old), (size, _, new) = before.partition("-"), now.partition("-")
    if old_size != size and old_size.isdecimal() and size.isdecimal():
        return f": {int(size):,} bytes instead of {int(old_size):,}"
    if (old_time := _time(old)) and (time := _time(new)) and old_time != time:
        return f": of {time} instead of {old_time}{_COPIED}"
    return ""


def _time(version: str) -> str:
    nanoseconds = version.partition("-")[0]
    if not nanoseconds.isdecimal() or len(nanoseconds) < _TIME_DIGITS:
        return ""
    whole, part = divmod(int(nanoseconds), 10**9)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{part:09d} UTC"


__all__ = ["changed_words", "mark_of_info", "mark_of_stat", "tells_version"]
