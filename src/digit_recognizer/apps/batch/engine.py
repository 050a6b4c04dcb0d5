"""What an engine is: tasks go in; outcomes, or the deaths of workers, come out. Knows nothing of pictures or files.

The driver (driver.py) decides what is done again and what is set aside, so that every engine gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of every picture of a job; the same for all of its tasks.

    task: "predict", one digit each, or "read", the numbers on a page. model: as Recognizer takes it; on another machine
    the file must have the same path. model_sha256: of that file, hex; another one is refused. expect, check, numbers:
    as ``Recognizer.read`` takes them. kind: what the source's entries are (see source.py). max_pixels: cap on width
    times height of a picture, None for the usual. min_confidence: from which confidence on a digit is
    accepted, None for the model's own.
    """

    task: str
    model: str | None
    model_sha256: str
    kind: str
    expect: str | None = None
    check: str | None = None
    numbers: str = "digits"
    max_pixels: int | None = None
    min_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the input listing: one picture, or a run of them in one file.

    id: what the picture is called; of a run, what comes before each row's number, "" for nothing. path: a local path or
    a URL. start, stop: bytes or rows of the file, as its kind says; stop is -1 for its end. rows: how many pictures.
    first: number of the first one in its file, counted from 1. mark: changes with the file (see marks.py); of a run of
    a CSV with its content.
    """

    id: str
    path: str
    start: int = 0
    stop: int = -1
    rows: int = 1
    first: int = 1
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A numbered piece of the input listing, with everything that a worker needs. Plain values; it can be pickled.

    number: of the piece, from 0. pictures: how many it holds. part, errors: absolute paths of the two Parquet files
    that it leaves; they are named by its content. without: positions (from 0) of pictures that killed their workers
    and are not opened again. only: positions (start, stop) to try, where this is a trial, which writes nothing.
    """

    number: int
    pictures: int
    entries: tuple[Entry, ...]
    job: Job
    part: str
    errors: str
    without: tuple[int, ...] = ()
    only: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task. read, failed: pictures with a row in the part, and in the errors. seconds: of work."""

    number: int
    read: int
    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The process that had a task is gone: killed, out of memory, or its machine is lost. reason: in a few words."""

    reason: str


GO_ON = "what is done is kept, and the same command goes on"  # how a sentence ends, where that is so

Work = Callable[[Task], Outcome]
OnDone = Callable[[Task, Outcome | WorkerDied], None]


class Engine(Protocol):
    """Has tasks done by processes other than the caller's, several at a time. A context manager; leaving it stops them.

    Whoever implements it is given a ``Work``, which is ``work.do`` save in tests, and calls ``work.prepare_process``
    once in every process before it.
    """

    @property
    def workers(self) -> int:
        """How many tasks are done at a time."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(self, tasks: Iterable[Task], on_done: OnDone) -> None:
        """Have every task done once, and call ``on_done`` for each in this process, in any order.

        tasks: taken as workers become free, with a few ahead; never held as a whole. A worker that dies is reported,
        with the one task that it had, as WorkerDied, and replaced; nothing is done again here. A DigitsError that a
        task raises (of the model, the disk) is raised here, as is what ``on_done`` or ``tasks`` raises; any other error
        of a task, or workers that cannot begin, as a FileError, as the job is not finished then. May be called again
        and again.
        """


__all__ = ["GO_ON", "Engine", "Entry", "Job", "OnDone", "Outcome", "Task", "Work", "WorkerDied"]
