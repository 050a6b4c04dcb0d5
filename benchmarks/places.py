"""Parts as they appear become the time for which the places of a job's workers were vacant.

A place is vacant from the command's start, or its worker's death, until the next worker is at work there: until its
first part appears, less what a part usually takes. Knows nothing of pictures or engines; needs Linux.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

IN_MOVED_FROM = 0x40  # of inotify: a file here was renamed


@dataclass
class Launch:
    """The command once. Moments by time.perf_counter().

    parts: (when, by which process) one appeared. deaths: of workers, likewise. end: of the command,
    or when it was killed.
    """

    begin: float
    end: float = 0.0
    parts: list[tuple[float, int]] = field(default_factory=list)
    deaths: list[tuple[float, int]] = field(default_factory=list)
    driver_killed: float | None = None

    def intervals(self) -> list[float]:
        """Seconds from each part to the next of the same process."""
        last: dict[int, float] = {}
        found = []
        for when, process in self.parts:
            if process in last:
                found.append(when - last[process])
            last[process] = when
        return found

    def vacant(self, workers: int, usual: float) -> tuple[list[float], list[float]]:
        """Seconds for which places were vacant: from the start of the command, and from a worker's death.

        usual: seconds that a part takes.
        """
        first: dict[int, float] = {}
        for when, process in self.parts:
            first.setdefault(process, when)
        dead = [when for when, process in self.deaths if process in first and first[process] < when]
        moments = [(when, False) for when in dead] + [(when, True) for when in first.values()]
        waiting = [(self.begin, True)] * workers  # since when, and whether since the start
        starting, restarting = [], []
        for when, arrives in sorted(moments):
            if not arrives:
                waiting.append((when, False))
            elif waiting:
                since, is_start = waiting.pop(0)
                (starting if is_start else restarting).append(max(0.0, when - usual - since))
        for since, is_start in waiting:
            (starting if is_start else restarting).append(self.end - since)
        return starting, restarting


@contextmanager
def parts_appearing(folder: Path) -> Iterator[Callable[[], list[int]]]:
    """While the block runs, what is yielded tells by which processes parts were written since it was last asked.

    A part is written under a temporary name that holds the number of its process, then renamed; Linux tells of that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(folder), IN_MOVED_FROM) < 0:
        raise SystemExit(f"error: {folder}: cannot be watched ({os.strerror(ctypes.get_errno())})")

    def appeared() -> list[int]:
        try:
            told = os.read(watch, 1 << 20)
        except BlockingIOError:
            return []
        processes, at = [], 0
        while at < len(told):
            length = struct.unpack_from("iIII", told, at)[3]
            name = told[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            at += 16 + length
            if found := re.search(r"\.parquet\.(\d+)-[0-9a-f]+\.tmp$", name):
                processes.append(int(found[1]))
        return processes

    try:
        yield appeared
    finally:
        os.close(watch)
