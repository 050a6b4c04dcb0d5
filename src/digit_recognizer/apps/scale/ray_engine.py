"""Tasks of a batch job become Ray tasks; what became of each comes back. Knows nothing of pictures, files or retries.

Ray places the tasks, starts the workers and notices their deaths; nothing of that is done here. A dead worker is told
to the driver as WorkerDied, as the local engine tells it, and Ray does nothing again by itself (``max_retries=0``): so
one place decides, for both engines, what is tried again.
"""

from __future__ import annotations

import functools
import os
import platform
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from digit_recognizer import errors
from digit_recognizer._version import __version__
from digit_recognizer.apps.batch.engine import GO_ON, OnDone, Outcome, Task, Work, WorkerDied
from digit_recognizer.apps.scale.capacity import (
    START_LIMIT_S,
    ClusterSize,
    ensure_a_cpu,
    ensure_same_version,
    last_line,
)
from digit_recognizer.apps.scale.cluster import ensure_possible, ray_session
from digit_recognizer.cores import available_cores
from digit_recognizer.errors import DigitsError, FileError, UsageError
from digit_recognizer.files import write_text

_LOOK_S = 2.0  # that a look for finished tasks takes at most


@dataclass(frozen=True, slots=True)
class _Home:
    """What every worker of a cluster must have in common with this process.

    version: of this package. seen: paths that every machine must see: a small file in the output, made for this run,
    and where the pictures begin, if that is no URL.
    """

    version: str
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A DigitsError as plain values: an exception with arguments of its own does not survive the way back."""

    kind: str
    message: str
    code: str

    def as_error(self) -> DigitsError:
        kind: type[DigitsError] = getattr(errors, self.kind, DigitsError)
        error = kind.__new__(kind)  # past the kind's own arguments
        DigitsError.__init__(error, self.message, code=self.code)
        return error


class RayEngine:
    """Has tasks done by the workers of a Ray cluster; an Engine (apps/batch/engine.py).

    workers: tasks at a time, at least 1; None for all CPUs, in a running cluster also those that join later. address:
    HOST:PORT of a running cluster, "auto" for this machine's or that of RAY_ADDRESS, None to start one here (see
    ``ray_session``). work: what a task is given to, a function of a module, which workers import; None for ``work.do``.
    start_limit_s: how long the cluster may take to give the first CPU. Raises UsageError for workers below 1.

    Every task asks for one CPU; there are no actors, and no task waits for another, so that whatever number of CPUs
    there is, none can wait for ever. Entering raises what ``ensure_possible`` does. The cluster is started or joined
    with the first task: a job that is done, or refused, costs no such wait.

    >>> with RayEngine(workers=2) as engine:      # doctest: +SKIP
    ...     engine.run(tasks, lambda task, outcome: print(task.number, outcome))
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        address: str | None = None,
        work: Work | None = None,
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"expected 1 or more workers, found {workers}")
        self._work = work
        self._address = address
        self._asked = workers
        self._start_limit_s = start_limit_s
        self._size: ClusterSize | None = None  # of the cluster, once this process is in one
        self._open = ExitStack()

    @property
    def workers(self) -> int:
        """How many tasks are done at a time; of a running cluster: as large as it is now, once it is joined."""
        if self._size is not None:
            return max(1, min(self._asked or self._size.cpus, self._size.cpus))
        if self._asked is not None or self._address is not None:
            return self._asked or 1
        return available_cores()

    def __enter__(self) -> Self:
        ensure_possible(self._address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not ray.cancel, here or anywhere: where a task ends at that very moment, Ray 2.60 takes it for a fault of its
        # own and aborts this process. Ray stops the tasks of a process that leaves.
        self._size = None
        self._open.close()

    def run(self, tasks: Iterable[Task], on_done: OnDone) -> None:
        """Have every task done once, and call ``on_done`` for each in this process, in any order.

        Of the tasks, as many are taken as can be done at a time, and a few ahead. A worker that dies, or whose machine
        does, is reported with its task. What a task, ``on_done`` or ``tasks`` raises is raised here; tasks that are
        under way then go on, untold, until they are done or the engine is left. Raises what ``ray_session`` does;
        FileError where no CPU is given in time, the workers have another version of this package or do not see the
        folders, or the cluster has lost its last CPU.
        """
        source = iter(tasks)
        first = next(source, None)
        if first is None:
            return
        size = self._started()
        with _home(first, shared=self._address is not None) as home:
            self._run(chain([first], source), on_done, home, size)

    def _run(self, tasks: Iterator[Task], on_done: OnDone, home: _Home | None, size: ClusterSize) -> None:
        import ray

        do = ray.remote(num_cpus=1, max_retries=0)(_do)
        waiting: dict[Any, Task] = {}  # by Ray's reference to what will come back
        task = next(tasks, None)
        while task is not None or waiting:
            while task is not None and len(waiting) < self._places():
                waiting[do.remote(self._work, home, task)] = task
                task = next(tasks, None)
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=_LOOK_S)
            if ready:  # whatever else is ready by now comes along: one look at all of them, not one each
                ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
            for reference in ready:
                outcome = _outcome(reference)
                on_done(waiting.pop(reference), outcome)
            size.look()

    def _started(self) -> ClusterSize:
        if self._size is None:
            with ExitStack() as opening:
                opening.enter_context(ray_session(self._address, self.workers))
                ensure_a_cpu(self._address, self._start_limit_s)
                self._size = ClusterSize()
                self._open = opening.pop_all()
        return self._size

    def _places(self) -> int:
        """Tasks handed to Ray at a time. A few wait there, unless a number of workers was asked of a shared cluster."""
        if self._asked is not None and self._address is not None:
            return self.workers
        return self.workers + self.workers // 4 + 1


def _do(work: Work | None, home: _Home | None, task: Task) -> Outcome | _Refusal:
    """What a worker does."""
    try:
        _ensure_same_home(home)
        _prepare()
        return (work or _usual_work())(task)
    except DigitsError as error:
        return _Refusal(type(error).__name__, str(error), error.code)
    except MemoryError:
        raise  # a death, though the process lives on: Ray takes what it held
    except Exception as error:  # a fault of ours; it must reach a person, in the words of every engine
        said = f"part {task.number}: unexpected {type(error).__name__}: {error}; {GO_ON}"
        return _Refusal(FileError.__name__, said, "unexpected")


@functools.cache  # a process is prepared once, and does many tasks
def _prepare() -> None:
    from digit_recognizer.apps.batch.work import prepare_process

    prepare_process()


def _usual_work() -> Work:
    from digit_recognizer.apps.batch.work import do

    return do


@functools.cache  # once a run in every process; on machines that joined the cluster a moment ago too
def _ensure_same_home(home: _Home | None) -> None:
    """Without one output for all, every machine would keep its parts to itself; without the input, all would fail."""
    if home is None:
        return
    ensure_same_version(home.version)
    for path in home.seen:
        if not os.path.exists(path):
            raise FileError(
                f"{os.path.dirname(path)}: machine {platform.node()} of the cluster does not see what is there; keep "
                "the output on a file system that all machines share, the input too or at a URL such as s3://BUCKET",
                code="not_shared",
            )


@contextmanager
def _home(task: Task, *, shared: bool) -> Iterator[_Home | None]:
    """What workers elsewhere check before their first task; while the block runs, a small file lies in the output."""
    if not shared:
        yield None
        return
    seen = tuple(entry.path for entry in task.entries[:1] if os.path.exists(entry.path))
    # A name of its own for every run: a network file system may remember for a while that a name was not there. The end
    # is that of temporary files, which the next run removes where this one is killed.
    file = Path(task.part).parent / f".seen-by-all-machines-{secrets.token_hex(8)}.tmp"
    write_text(file, "Every machine of the cluster must see this file; it goes when the job ends.\n")
    try:
        yield _Home(__version__, (str(file), *seen))
    finally:
        with suppress(OSError):
            file.unlink()


def _outcome(reference: Any) -> Outcome | WorkerDied:
    """What became of a Ray task. Raises what its work raised, and FileError where this process has lost its cluster."""
    import ray

    try:
        answer: Outcome | _Refusal = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MemoryError):
            return WorkerDied("out of memory")
        raise FileError(
            f"a worker of Ray cannot take its task ({last_line(error)}); install digit-recognizer {__version__} on "
            "every machine",
            code="version_mismatch",
        ) from error
    except ray.exceptions.RayError as error:
        return _death(error)
    if isinstance(answer, _Refusal):
        raise answer.as_error()
    return answer


def _death(error: Exception) -> WorkerDied:
    """Which end of a worker Ray reports. Raises FileError where it is no worker's end."""
    from ray import exceptions

    if isinstance(error, exceptions.OutOfMemoryError):
        return WorkerDied("out of memory")
    if isinstance(error, exceptions.WorkerCrashedError):
        return WorkerDied("its process ended")
    if isinstance(error, exceptions.NodeDiedError | exceptions.ObjectLostError):
        return WorkerDied("its machine is lost")
    raise FileError(f"Ray cannot go on: {last_line(error)}; {GO_ON}", code="no_cluster") from error


__all__ = ["RayEngine"]
