"""What a training tells of itself while it runs, and how it is asked to stop. Plain values; torch is not needed."""

from __future__ import annotations

from dataclasses import dataclass

HistoryRow = dict[str, float | int | None]


@dataclass(frozen=True)
class Progress:
    """Where a training is. loss and accuracy are those of the running epoch so far; seconds_left is an estimate.

    row: the finished epoch's line of the history, where an epoch has just ended. note: what to tell the person.
    """

    member: int
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float
    seconds_left: float
    row: HistoryRow | None = None
    note: str | None = None


@dataclass
class StopRequest:
    """Set ``signal_number`` (a signal handler does) and the training saves and stops after the running step."""

    signal_number: int | None = None


__all__ = ["HistoryRow", "Progress", "StopRequest"]
