"""What a Ray cluster can give: a first CPU, the same version of this package, and still a CPU later on.

Ray itself would wait for ever where none is to be had; here that ends with a sentence.
"""

from __future__ import annotations

import time

from digit_recognizer._version import __version__
from digit_recognizer.apps.scale.cluster import cluster_cpus
from digit_recognizer.errors import FileError

START_LIMIT_S = 120.0  # for the cluster to give the first CPU
LOST_LIMIT_S = 120.0  # how long a cluster may be without any CPU before the job is given up
_LOOK_S = 2.0  # between two looks at how large the cluster is


def ensure_a_cpu(address: str | None, limit_s: float | None = None) -> None:
    """Have one task done by the cluster that this process is part of.

    address: of the cluster, for messages; None for one of this process's own. limit_s: seconds that it may take; left
    out, START_LIMIT_S. Raises FileError where no CPU is given in time, or the worker has another version.
    """
    import ray

    limit_s = START_LIMIT_S if limit_s is None else limit_s
    probe = ray.remote(num_cpus=1, max_retries=3)(_version_there)
    where = f"the Ray cluster at {address}" if address else "Ray on this machine"
    try:
        version = ray.get(probe.remote(), timeout=limit_s)
    except ray.exceptions.GetTimeoutError as error:
        if cluster_cpus() < 1:
            raise FileError(
                f"{where} has no CPU to give, so that no task could ever start; add a machine: "
                "ray start --address=HOST:PORT",
                code="no_cluster",
            ) from error
        raise FileError(
            f"{where} gave none of its {cluster_cpus()} CPUs in {limit_s:.0f} s: other jobs have them or its machines "
            "do not answer; try again later",
            code="no_cluster",
        ) from error
    except ray.exceptions.RayTaskError as error:
        raise FileError(
            f"a worker of {where} cannot import digit_recognizer ({last_line(error)}); install "
            f"digit-recognizer {__version__} on every machine",
            code="version_mismatch",
        ) from error
    except ray.exceptions.RayError as error:
        raise FileError(f"{where} cannot run a task: {last_line(error)}", code="no_cluster") from error
    ensure_same_version(version)


class ClusterSize:
    """How many CPUs the cluster has. Machines join and are lost; without the last one, tasks would wait for ever."""

    def __init__(self) -> None:
        self.cpus = cluster_cpus()
        self._looked = self._had_some = time.monotonic()

    def look(self) -> None:
        """Count again, if the last time is a while ago. Raises FileError where there were none for LOST_LIMIT_S."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self.cpus, self._looked = cluster_cpus(), now
        if self.cpus > 0:
            self._had_some = now
        elif now - self._had_some > LOST_LIMIT_S:
            raise FileError(
                f"the Ray cluster has had no CPU for {LOST_LIMIT_S:.0f} s: its machines are lost; what is done is "
                "kept, the same command goes on",
                code="no_cluster",
            )


def ensure_same_version(version: str) -> None:
    """Raise FileError where a worker has another version of this package."""
    if version != __version__:
        raise FileError(
            f"a worker of the cluster has digit-recognizer {version} where another has {__version__}; install the "
            "same version on every machine",
            code="version_mismatch",
        )


def last_line(error: Exception) -> str:
    """The last line of what an error says, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _version_there() -> str:
    return __version__


__all__ = ["LOST_LIMIT_S", "START_LIMIT_S", "ClusterSize", "ensure_a_cpu", "ensure_same_version", "last_line"]
