"""An engine that works in the process of the test: quick, and it dies when it is told to, without really dying."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from digit_recognizer.apps.batch.engine import OnDone, Outcome, Task, Work, WorkerDied
from digit_recognizer.apps.batch.work import do


class Death(BaseException):
    """Stands for the end of a worker's process."""


class EngineHere:
    """Does tasks one after the other. before: called with each task; may raise Death, or what ends the whole run."""

    workers = 1

    def __init__(self, work: Work = do, before: Callable[[Task], None] = lambda task: None) -> None:
        self._work = work
        self._before = before
        self.done: list[Task] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def run(self, tasks: Iterable[Task], on_done: OnDone) -> None:
        for task in tasks:
            self.done.append(task)
            result: Outcome | WorkerDied
            try:
                self._before(task)
                result = self._work(task)
            except Death:
                result = WorkerDied("told to")
            on_done(task, result)
