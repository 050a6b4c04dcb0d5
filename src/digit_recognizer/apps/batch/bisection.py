"""A task that killed its worker becomes the pictures that did it, by halving. Runs nothing: says what to try next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from digit_recognizer.apps.batch.engine import GO_ON, Outcome, Task, WorkerDied
from digit_recognizer.errors import FileError

_TRIES = 2  # of one picture alone, before it is set aside
_MOST_DEATHS = 64  # in one task; whatever is still suspected then is set aside as a whole
_MOST_ACCIDENTS = 5  # deaths of the whole task where nothing in it kills alone: memory, then, or somebody with kill -9


class Case:
    """One task whose worker died, until it is done.

    At first it is done once more, as a whole: workers die of many things. Then it is halved, and halved again, as long
    as a part of it kills. A picture that killed twice alone is set aside, and the whole is done without it.

    >>> case = Case(Task(0, 4, (), None, "part", "errors"))
    >>> [trial.only for trial in case.next_tasks()]
    [None]
    >>> case.note(None, WorkerDied("killed"))
    >>> [trial.only for trial in case.next_tasks()]
    [(0, 2), (2, 4)]
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.is_done = False
        self.killers: set[int] = set()
        self._suspects: list[tuple[int, int]] = []
        self._tries: dict[int, int] = {}
        self._deaths = 1
        self._accidents = 0

    def next_tasks(self) -> Iterator[Task]:
        """What is to be tried next, all of it before this is asked again."""
        if self._deaths > _MOST_DEATHS:
            for start, stop in self._suspects:
                self._set_aside(range(start, stop))
            self._suspects, self._deaths = [], 0
        if not self._suspects:
            yield replace(self.task, without=tuple(sorted(self.killers)))
        for suspect in tuple(self._suspects):
            yield replace(self.task, only=suspect, without=tuple(sorted(self.killers)))

    def note(self, only: tuple[int, int] | None, result: Outcome | WorkerDied) -> None:
        """What became of a trial, or with ``only`` None of the whole. Raises FileError where there is no way on."""
        died = isinstance(result, WorkerDied)
        if died:
            self._deaths += 1
        if only is None:
            if not isinstance(result, WorkerDied):
                self.is_done = True
                return
            self._accidents += 1
            if self._accidents > _MOST_ACCIDENTS:
                raise FileError(
                    f"part {self.task.number}: its worker died {self._deaths} times ({result.reason}), though no "
                    f"picture in it kills one by itself; is there memory enough? {GO_ON.capitalize()}, with fewer "
                    "--workers, for one; a smaller --part-size needs another -o",
                    code="worker_died",
                )
            self._suspects = self._halves((0, self.task.pictures))
            return
        self._suspects.remove(only)
        start, stop = only
        if died and stop - start > 1:
            self._suspects += self._halves(only)
        elif died:
            self._tries[start] = self._tries.get(start, 0) + 1
            if self._tries[start] < _TRIES:
                self._suspects.append(only)
            else:
                self._set_aside(range(start, stop))

    def _set_aside(self, places: range) -> None:
        self.killers.update(places)
        self._accidents = 0

    @staticmethod
    def _halves(span: tuple[int, int]) -> list[tuple[int, int]]:
        start, stop = span
        middle = (start + stop) // 2
        return [half for half in ((start, middle), (middle, stop)) if half[0] < half[1]]


__all__ = ["Case"]
