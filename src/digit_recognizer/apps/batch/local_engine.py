"""Tasks are done by processes of this machine, one for each core. Knows nothing of what a task is.

Not concurrent.futures: there a process that dies breaks the whole pool, and nobody can say which task it had.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from digit_recognizer.apps.batch.engine import GO_ON, OnDone, Outcome, Task, Work, WorkerDied
from digit_recognizer.apps.batch.work import do, prepare_process
from digit_recognizer.cores import available_cores
from digit_recognizer.errors import DigitsError, FileError, UsageError

_AHEAD = 2  # tasks that a worker holds: the one that it does, and the next, so that it never waits for us
_MOST_STILLBORN = 3  # workers in a row that die before they began to work
_WAITS_S = (1.0, 2.0, 5.0, 10.0, 20.0)  # after each in a row that was killed so: memory may be short for a while
_PATIENCE_S = 5.0
_KILLED = f"signal {signal.SIGKILL}" if hasattr(signal, "SIGKILL") else ""
_OUT_OF_MEMORY = 137  # the exit code of a process that the kernel killed for memory, seen from a shell


class LocalEngine:
    """A pool of worker processes; see ``engine.Engine``.

    workers: how many, 1 or more; None means one for each core that this process may use. work: what they do with a
    task, a function that can be pickled. Raises UsageError for workers below 1.

    >>> with LocalEngine(workers=2) as engine:                                   # doctest: +SKIP
    ...     engine.run(tasks, lambda task, result: print(task.number, result))
    """

    def __init__(self, workers: int | None = None, work: Work = do) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"expected 1 or more workers, found {workers}")
        self.workers = workers or available_cores()
        self._work = work
        self._pool: list[_Worker] = []
        self._context = multiprocessing.get_context("spawn")  # a fork would inherit locks that other threads hold

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._pool:
            worker.stop(at_once=kind is not None)
        self._pool = []

    def run(self, tasks: Iterable[Task], on_done: OnDone) -> None:
        """Have every task done once; see ``engine.Engine.run``."""
        waiting = _Waiting(tasks)
        stillborn = killed = 0
        while True:
            self._fill(waiting)
            busy = [worker for worker in self._pool if worker.tasks]
            if not busy:
                return
            ready = set(wait([handle for worker in busy for handle in (worker.pipe, worker.process.sentinel)]))
            for worker in busy:
                if worker.pipe in ready or worker.process.sentinel in ready:
                    answers, is_dead = worker.collect()
                    for task, result in answers:
                        stillborn = killed = 0
                        if isinstance(result, DigitsError):
                            raise result
                        on_done(task, result)
                    if is_dead:
                        self._pool.remove(worker)
                        if worker.is_ready:
                            stillborn = killed = 0
                        elif worker.epitaph() == _KILLED and killed < len(_WAITS_S):
                            time.sleep(_WAITS_S[killed])
                            killed += 1
                        else:
                            stillborn += 1
                        if stillborn >= _MOST_STILLBORN:
                            raise FileError(
                                f"the worker processes end before they begin to work ({worker.epitaph()}); {GO_ON}, "
                                "with fewer --workers where memory is short",
                                code="worker_died",
                            )
                        lost = list(worker.tasks)
                        if worker.is_ready and lost:
                            on_done(lost.pop(0), WorkerDied(worker.epitaph()))
                        waiting.put_back(lost)
                        worker.stop(at_once=True)

    def _fill(self, waiting: _Waiting) -> None:
        """Give every worker something to do, starting workers as long as there is more than the others can take."""
        for turn in range(_AHEAD):
            for number in range(self.workers):
                if number < len(self._pool):
                    worker = self._pool[number]
                    if len(worker.tasks) > turn or (turn and not worker.is_ready):
                        continue
                task = next(waiting, None)
                if task is None:
                    return
                if number >= len(self._pool):
                    self._pool.append(_Worker(self._context, self._work))
                self._pool[min(number, len(self._pool) - 1)].give(task)


class _Waiting(Iterator[Task]):
    """Tasks still to be given out; what a dead worker had not begun goes first."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._returned: deque[Task] = deque()

    def __next__(self) -> Task:
        return self._returned.popleft() if self._returned else next(self._tasks)

    def put_back(self, tasks: Iterable[Task]) -> None:
        self._returned.extend(tasks)


class _Worker:
    """A process, the pipe to it, and the tasks that it was given and has not answered, the running one first."""

    def __init__(self, context: SpawnContext, work: Work) -> None:
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe breaks when the process ends
        self.tasks: deque[Task] = deque()
        self.is_ready = False

    def give(self, task: Task) -> None:
        """Send a task, as soon as there is somebody to take it: a full pipe would keep us from starting the others."""
        self.tasks.append(task)
        if self.is_ready:
            self._send(task)

    def collect(self) -> tuple[list[tuple[Task, Outcome | DigitsError]], bool]:
        """What it has answered since, and whether it is dead."""
        answers: list[tuple[Task, Outcome | DigitsError]] = []
        is_dead = not self.process.is_alive()  # asked first, so that its last words are still read below
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if message is None:
                    self.is_ready = True
                    for task in self.tasks:
                        self._send(task)
                else:
                    answers.append((self.tasks.popleft(), message))
        except (EOFError, OSError):
            return answers, True
        return answers, is_dead

    def _send(self, task: Task) -> None:
        with suppress(OSError):  # it is dead, and ``collect`` finds that out
            self.pipe.send(task)

    def epitaph(self) -> str:
        """How it ended, in a few words."""
        self.process.join(_PATIENCE_S)
        code = self.process.exitcode
        if code is None:
            return "its pipe broke"
        if code == _OUT_OF_MEMORY:
            return "out of memory"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self, *, at_once: bool) -> None:
        """End the process: politely, when it has finished its task, or at once."""
        self.pipe.close()
        if not at_once:
            self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()  # what it was writing has a temporary name
        self.process.join()
        self.process.close()


def _serve(pipe: Connection, work: Work) -> None:
    """A worker's life: tasks from the pipe until it closes, as it does when the driver ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the driver decides
    prepare_process()
    tasks: SimpleQueue[Task] = SimpleQueue()
    Thread(target=_listen, args=(pipe, tasks), daemon=True).start()
    try:
        pipe.send(None)
        while True:
            pipe.send(_answer(tasks.get(), work))
    except OSError:  # nobody is there to be told
        return


def _listen(pipe: Connection, tasks: SimpleQueue[Task]) -> None:
    """Take tasks out of the pipe as they come, lest the driver wait for a worker to make room in it."""
    try:
        while True:
            tasks.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)  # the driver is gone or done; what is half written has a temporary name


def _answer(task: Task, work: Work) -> Outcome | DigitsError:
    try:
        return work(task)
    except DigitsError as error:
        # Those with arguments of their own cannot be sent: unpickling would call them with the message alone.
        kind = next(kind for kind in type(error).__mro__ if kind.__init__ is DigitsError.__init__)  # type: ignore[misc]
        return error if kind is type(error) else kind(str(error), code=error.code)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # as if the kernel had done it: the driver looks for what needs so much
    except Exception as error:  # a fault of ours; it must reach a person, wherever it happened
        return FileError(f"part {task.number}: unexpected {type(error).__name__}: {error}; {GO_ON}", code="unexpected")


__all__ = ["LocalEngine"]
