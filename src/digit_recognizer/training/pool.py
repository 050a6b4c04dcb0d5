"""Tasks that do not wait for one another are done by several processes; what each makes comes back in their order.

Knows nothing of what a task is.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import Any, TypeVar

from digit_recognizer.cores import available_cores
from digit_recognizer.errors import DigitsError

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


def share_out(
    make: Callable[[Shared, Task], Result],
    shared: Shared,
    tasks: Sequence[Task],
    keep: Callable[[Task, Result], None],
    *,
    workers: int | None = None,
) -> None:
    """Call ``keep`` with each task and what ``make`` makes of it, in the order of the tasks.

    make: a function of a module. shared: what every task is given beside itself, sent to each process once; what a task
    changes in it, the next one of the same process finds. workers: processes, one per core where left out; 1 works in
    this process.

    What ``keep`` raises, and Ctrl-C, which only this process hears, ends the work within about one task. The processes
    end with this one, however that ends. Raises what ``make`` raises, DigitsError where a process dies.

    >>> share_out(lambda offset, task: offset + task, 10, [1, 2], print, workers=1)
    1 11
    2 12
    """
    workers = workers or available_cores()
    if workers == 1 or len(tasks) <= 1:
        for task in tasks:
            keep(task, make(shared, task))
        return
    # Spawned, not forked: torch's threads do not survive a fork.
    with ProcessPoolExecutor(
        min(workers, len(tasks)), get_context("spawn"), initializer=_receive, initargs=(make, shared)
    ) as pool:
        try:
            with _deaf_to_interrupts():  # the processes are started here, and inherit it
                results = pool.map(_make, tasks)
            for task, result in zip(tasks, results, strict=True):
                keep(task, result)
        except BrokenProcessPool as error:
            raise DigitsError("a process that had part of the work was killed, perhaps for want of memory") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)  # or leaving the block would do all that is left first
            raise


# In a process of the pool: what to call, and what every call is given.
_received: list[tuple[Callable[[Any, Any], Any], Any]] = []


def _receive(make: Callable[[Any, Any], Any], shared: Any) -> None:
    import cv2

    cv2.setNumThreads(1)  # there is a process per core
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _received[:] = [(make, shared)]


def _make(task: Any) -> Any:
    make, shared = _received[0]
    return make(shared, task)


def _end_with_parent() -> None:
    """Wait for the process that started this one to end, then end at once: nobody is left who would say so."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Ctrl-C waits until the block is left; processes that are started in it never hear it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


__all__ = ["share_out"]
