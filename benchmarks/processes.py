"""What Linux says of processes: who descends from whom, what they are called, how they are."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def family(first: int) -> list[int]:
    """The processes below one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {first}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {first})


def title_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def state_of(process: int) -> str:
    """The kernel's letter for it, "" where there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
