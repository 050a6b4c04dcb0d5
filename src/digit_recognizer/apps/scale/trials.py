"""Trials of a sweep become Ray tasks, side by side on a cluster's CPUs; their rows come back as they end.

Ray places the tasks and does a task again whose worker died. Ray Tune is not needed for that: which trial goes on is
decided rung by rung, by the same function as on one machine, so that both give the same rows. Knows nothing of rungs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.apps.scale.cluster import cluster_cpus, ensure_possible, ray_session
from digit_recognizer.digits import Digits
from digit_recognizer.errors import DigitsError, FileError, Interrupted
from digit_recognizer.training.progress import StopRequest
from digit_recognizer.training.tuning.trial import TrialJob, TrialResult

_RETRIES = 2  # of a trial whose worker died
_LOOK_S = 0.5  # between two looks at a request to stop

_Frames = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


@contextmanager
def side_by_side(
    training: Digits,
    validation: Digits,
    *,
    seed: int,
    precision: str,
    workers: int,
    address: str | None = None,
    stop: StopRequest | None = None,
) -> Iterator[Callable[[Sequence[TrialJob]], Iterator[TrialResult]]]:
    """The engine of a cluster, while the block runs: up to ``workers`` trials at a time, each on a CPU of its own.

    address: as for ``ray_session``. The cluster is started or joined with the first trial. Raises what ``ray_session``
    does; FileError where the cluster has no CPU, Interrupted where ``stop`` was set, DigitsError where a trial fails.

    >>> with side_by_side(training, validation, seed=0, precision="float32", workers=2) as engine:   # doctest: +SKIP
    ...     run_sweep(folder, settings, engine)
    """
    ensure_possible(address)
    with ExitStack() as open_session:
        handed: list[Any] = []

        def engine(jobs: Sequence[TrialJob]) -> Iterator[TrialResult]:
            if not jobs:
                return
            import ray

            if not handed:
                open_session.enter_context(ray_session(address, workers))
                if cluster_cpus() < 1:
                    raise FileError("the Ray cluster has no CPU for a trial; add a machine to it", code="no_cluster")
                handed.append(ray.put([(part.images, part.known_labels()) for part in (training, validation)]))
            work = ray.remote(num_cpus=1, max_retries=_RETRIES)(_do)
            waiting, running = list(jobs), dict[Any, TrialJob]()
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop(0)
                    running[work.remote(job, handed[0], seed, precision)] = job
                ready, _ = ray.wait(list(running), timeout=_LOOK_S)
                if stop is not None and stop.signal_number is not None:
                    # Leaving the cluster ends the tasks; cancelling one that ends by itself aborts this process.
                    raise Interrupted("stopped", signal_number=stop.signal_number)
                for task in ready:
                    yield _result(task, running.pop(task))

        yield engine


def _result(task: Any, job: TrialJob) -> TrialResult:
    import ray

    try:
        result: TrialResult = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        reason = str(error.cause).splitlines()[0] if str(error.cause) else type(error.cause).__name__
        raise DigitsError(f"trial {job.trial} failed on its worker ({reason})") from error
    except ray.exceptions.RayError as error:
        died = f"its worker died {_RETRIES + 1} times ({type(error).__name__})"
        raise DigitsError(f"trial {job.trial}: {died}; the same command goes on") from error
    return result


def _do(job: TrialJob, parts: Sequence[_Frames], seed: int, precision: str) -> TrialResult:
    """In a worker: one trial on one CPU. parts: (images, labels) of the training part and the validation part."""
    import torch

    from digit_recognizer.training.hardware import Hardware
    from digit_recognizer.training.tuning.trial import run_trial

    torch.set_num_threads(1)
    training, validation = (Digits(images, labels) for images, labels in parts)
    hardware = Hardware(torch.device("cpu"), "bfloat16" if precision == "bfloat16" else "float32", 1)
    return run_trial(job, training, validation, seed=seed, hardware=hardware)


__all__ = ["side_by_side"]
