"""Who reads a page tells of each step, and whoever wants to may listen. Knows nothing of what is told."""

from __future__ import annotations

from typing import Any, Protocol


class Watch(Protocol):
    """Is told of each step of reading a page: its name, and what it gave."""

    def __call__(self, step: str, value: Any, /) -> None:
        """``step`` is "grid", "boxes", "ground removed", "ink" or "pieces"; "turned" begins again, the page turned."""


def unwatched(step: str, value: Any, /) -> None:
    """Nobody looks on."""


__all__ = ["Watch", "unwatched"]
