"""What the processes of a pool do in its tests. Imported by them too."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def count(seen: list[int], task: int) -> tuple[int, int]:
    """The task squared, and how many this process has had so far."""
    seen.append(task)
    return task**2, len(seen)


def touch(folder: Path, task: int) -> int:
    """Leave a file named like the task."""
    (folder / str(task)).touch()
    return task


def refuse(shared: None, task: int) -> int:
    """Raise an error of a kind of its own."""
    raise ZeroDivisionError(f"task {task}")


def die(shared: None, task: int) -> int:
    """End the process, as a machine does that is short of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def whose(shared: None, task: int) -> int:
    """The process that does it."""
    return os.getpid()
