"""Temporary folders that go with the process that made them, with the next one's start where it was killed.

A folder's maker holds a lock in it, which ends with its process, however that ends: process ids may come again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_LOCK = ".digits.lock"
_YOUNG_S = 60.0  # a folder's first ones, in which its lock may not be taken yet


@contextmanager
def scratch_folder(prefix: str, above: str | None = None) -> Iterator[Path]:
    """A new folder while the block runs. Those of the same prefix and user whose processes were killed are taken away.

    above: where it is made; None for where temporary files are. Folders that cannot be taken away stay.

    >>> with scratch_folder("digits-ray-") as folder:      # doctest: +SKIP
    ...     folder
    PosixPath('/tmp/digits-ray-6y_1f0vd')
    """
    above = above or tempfile.gettempdir()
    if os.name != "nt":  # which lets nobody take away what lies open
        _remove_left(Path(above), prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=above, ignore_cleanup_errors=True) as name:
        lock = FileLock(Path(name) / _LOCK)
        with suppress(OSError, NotImplementedError):  # a file system without locks
            lock.acquire(timeout=0)
        try:
            yield Path(name)
        finally:
            lock.release()


def _remove_left(above: Path, prefix: str) -> None:
    for lock in above.glob(f"{prefix}*/{_LOCK}"):
        # lstat: a link may lead to what is no such folder; a lock that cannot be had is that of a living process.
        with suppress(OSError, NotImplementedError, Timeout):
            if lock.parent.lstat().st_uid == os.getuid() and time.time() - lock.lstat().st_mtime > _YOUNG_S:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent, ignore_errors=True)


__all__ = ["scratch_folder"]
