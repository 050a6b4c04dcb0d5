"""Trials of a sweep are done by Ray Tune, side by side on a cluster's CPUs; their rows come back as they end.

Which trial goes on is decided rung by rung, by the same function as on one machine, so that both give the same rows.
Knows nothing of rungs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from digit_recognizer.apps.scale.side_by_side import side_by_side
from digit_recognizer.apps.scale.worker import Handed, hand_over
from digit_recognizer.digits import Digits
from digit_recognizer.training.progress import StopRequest
from digit_recognizer.training.tuning.trial import TrialJob, TrialResult


@contextmanager
def trials_side_by_side(
    training: Digits,
    validation: Digits,
    *,
    seed: int,
    precision: str,
    workers: int | None = None,
    address: str | None = None,
    stop: StopRequest | None = None,
) -> Iterator[Callable[[Sequence[TrialJob]], Iterator[TrialResult]]]:
    """The engine of a cluster, while the block runs: several trials at a time, each on a CPU of its own.

    workers, address, stop, and what is raised: as for ``side_by_side``.

    >>> with trials_side_by_side(training, validation, seed=0, precision="float32") as engine:   # doctest: +SKIP
    ...     run_sweep(folder, settings, engine)
    """
    with side_by_side(_do, lambda job: f"trial {job.trial}", workers=workers, address=address, stop=stop) as engine:
        yield lambda jobs: engine(
            jobs, lambda: hand_over(training, validation, precision, seed=seed), lambda told: None
        )


def _do(job: TrialJob, handed: Handed, tell: Callable[[Any], None]) -> TrialResult:
    """In a worker: one trial on one CPU, of which nothing is told before its end."""
    from digit_recognizer.training.tuning.trial import run_trial

    training, validation = (Digits(frames.images, frames.labels) for frames in handed.parts)
    return run_trial(job, training, validation, seed=handed.seed, hardware=handed.one_cpu())


__all__ = ["trials_side_by_side"]
