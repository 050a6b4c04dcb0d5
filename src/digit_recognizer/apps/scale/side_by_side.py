"""Jobs become Ray tasks, side by side on a cluster's CPUs; their results come back as they end.

Ray places the tasks and does a task again whose worker died. Knows nothing of what a job is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from digit_recognizer.apps.scale.cluster import cluster_cpus, ensure_possible, ray_session
from digit_recognizer.errors import DigitsError, FileError, Interrupted
from digit_recognizer.training.progress import StopRequest

_RETRIES = 2  # of a job whose worker died
_LOOK_S = 0.5  # between two looks at a request to stop

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextmanager
def side_by_side(
    do: Callable[[Job, Any], Result],
    name: Callable[[Job], str],
    *,
    workers: int | None = None,
    address: str | None = None,
    stop: StopRequest | None = None,
) -> Iterator[Callable[[Sequence[Job], Callable[[], Any]], Iterator[Result]]]:
    """An engine, while the block runs: called with jobs and with what gives them the data that they share, it yields
    the result of each.

    do: a function of a module, which a worker calls with a job and the data, on a CPU of its own. name: what messages
    call a job. workers: how many at a time; None for one a core of this machine, or one a CPU of the cluster. address:
    as for ``ray_session``. The cluster is started or joined with the first job; the data are asked for, and handed to
    it, once. Raises what ``ensure_possible`` and ``ray_session`` do; FileError where the cluster has no CPU,
    Interrupted where ``stop`` was set, DigitsError where a job fails.
    """
    ensure_possible(address)
    with ExitStack() as open_session:
        handed: list[Any] = []

        def engine(jobs: Sequence[Job], data: Callable[[], Any]) -> Iterator[Result]:
            if not jobs:
                return
            import ray

            if not handed:
                open_session.enter_context(ray_session(address, workers or available_cores()))
                if cluster_cpus() < 1:
                    raise FileError("the Ray cluster has no CPU for this; add a machine to it", code="no_cluster")
                handed.append(ray.put(data()))
            places = workers or (available_cores() if address is None else cluster_cpus())
            work = ray.remote(num_cpus=1, max_retries=_RETRIES)(do)
            waiting, running = list(jobs), dict[Any, Job]()
            while waiting or running:
                while waiting and len(running) < places:
                    job = waiting.pop(0)
                    running[work.remote(job, handed[0])] = job
                ready, _ = ray.wait(list(running), timeout=_LOOK_S)
                if stop is not None and stop.signal_number is not None:
                    # Leaving the cluster ends the tasks; cancelling one that ends by itself aborts this process.
                    raise Interrupted("stopped", signal_number=stop.signal_number)
                for task in ready:
                    result: Result = _result(task, name(running.pop(task)))
                    yield result

        yield engine


def available_cores() -> int:
    """Cores that this process may use, as torch counts them."""
    import torch

    return torch.get_num_threads()


def _result(task: Any, name: str) -> Any:
    import ray

    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        reason = str(error.cause).splitlines()[0] if str(error.cause) else type(error.cause).__name__
        raise DigitsError(f"{name} failed on its worker ({reason})") from error
    except ray.exceptions.RayError as error:
        died = f"its worker died {_RETRIES + 1} times ({type(error).__name__})"
        raise DigitsError(f"{name}: {died}; the same command goes on") from error


__all__ = ["available_cores", "side_by_side"]
