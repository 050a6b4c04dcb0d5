"""The members of an ensemble are trained by Ray Tune, side by side on a cluster's CPUs; their weights come back as they
end.

Knows nothing of run folders or of how members are put together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from digit_recognizer.apps.scale.side_by_side import side_by_side
from digit_recognizer.apps.scale.worker import Handed, hand_over
from digit_recognizer.training.checkpoint import CheckpointFolder
from digit_recognizer.training.members import FinishedMember, MemberJob, MembersEngine, train_member
from digit_recognizer.training.progress import HistoryRow, StopRequest


@contextmanager
def members_side_by_side(
    *,
    precision: str,
    workers: int | None = None,
    address: str | None = None,
    stop: StopRequest | None = None,
) -> Iterator[MembersEngine]:
    """The engine of a cluster, while the block runs: several members at a time, each on a CPU of its own.

    precision: of the arithmetic, as ``Hardware`` has it. workers, address, stop, and what is raised: as for
    ``side_by_side``. On this machine every member keeps checkpoints; a cluster's machines need not see the run folder,
    so there a member that is cut off begins anew.

    >>> with members_side_by_side(precision="float32") as engine:   # doctest: +SKIP
    ...     train_run(dataset, folder, settings, hardware=hardware, engine=engine)
    """
    with side_by_side(_do, lambda job: f"net {job.member}", workers=workers, address=address, stop=stop) as engine:
        yield lambda jobs, training, validation, on_row: engine(
            jobs, lambda: hand_over(training, validation, precision, sees_folder=address is None), on_row
        )


def _do(job: MemberJob, handed: Handed, on_row: Callable[[HistoryRow], None]) -> FinishedMember:
    """In a worker: one member on one CPU."""
    training, validation = handed.parts
    checkpoints = CheckpointFolder(job.checkpoints) if handed.sees_folder else None
    return train_member(job, training, validation, hardware=handed.one_cpu(), checkpoints=checkpoints, on_row=on_row)


__all__ = ["members_side_by_side"]
