"""How many cores there are to work with. Knows nothing of the work."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores that this process may use; a container or taskset often allows fewer than the machine has.

    >>> available_cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["available_cores"]
