"""Jobs become trials of Ray Tune, side by side on a cluster's CPUs; their results come back as they end.

Tune places the trials, and does one again whose worker died. It chooses nothing: which jobs there are is said from
outside, by the same functions as where they are done one after another, so that both give the same results. Nor does it
keep anything: of a trial its result alone leaves its worker, and no disk is shared. Knows nothing of what a job is.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from digit_recognizer.apps.scale.capacity import ClusterSize, ensure_a_cpu
from digit_recognizer.apps.scale.cluster import cluster_cpus, ensure_possible, ray_session
from digit_recognizer.apps.scale.scratch import scratch_folder
from digit_recognizer.errors import DigitsError, Interrupted, MissingExtra
from digit_recognizer.training.progress import StopRequest

_LOOK_S = 0.5  # between two looks at a request to stop
_LEAVE_S = 20.0  # that Tune is given to end its trials; leaving the cluster then ends them
# Tune's own log files and tables, a change of folder in workers, and coloured tables on the terminal.
_QUIET = {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_CHDIR_TO_TRIAL_DIR": "0", "RAY_AIR_NEW_OUTPUT": "0"}

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextmanager
def side_by_side(
    do: Callable[[Job, Any, Callable[[Any], None]], Result],
    name: Callable[[Job], str],
    *,
    workers: int | None = None,
    address: str | None = None,
    stop: StopRequest | None = None,
) -> Iterator[Callable[[Sequence[Job], Callable[[], Any], Callable[[Any], None]], Iterator[Result]]]:
    """An engine, while the block runs: called with jobs, with what gives them the data that they share, and with what
    hears what they tell while they are under way, it yields the result of each.

    do: a function of a module, which a worker calls with a job, the data, and a function to tell something with, on a
    CPU of its own. name: what messages call a job. workers: how many at a time; None for one a core of this machine, or
    one a CPU of the cluster. address: as for ``ray_session``. The cluster is started or joined with the first job; the
    data are asked for, and handed to it, once. Raises what ``ensure_possible`` and ``ray_session`` do; FileError where
    the cluster gives no CPU or has lost its last one, Interrupted where ``stop`` was set, MissingExtra without Ray
    Tune, DigitsError where a job fails.
    """
    ensure_possible(address)
    with ExitStack() as open_session:
        handed: list[Any] = []

        def engine(
            jobs: Sequence[Job], data: Callable[[], Any], hear: Callable[[Any], None] = lambda told: None
        ) -> Iterator[Result]:
            if not jobs:
                return
            import ray

            if not handed:
                open_session.enter_context(ray_session(address, workers or available_cores()))
                if address is not None:
                    ensure_a_cpu(address)
                handed.append(ray.put(data()))
            places = workers or (available_cores() if address is None else cluster_cpus())
            yield from _tuned(do, name, jobs, handed[0], places, hear, stop)

        yield engine


def _tuned(
    do: Callable[[Job, Any, Callable[[Any], None]], Result],
    name: Callable[[Job], str],
    jobs: Sequence[Job],
    data: Any,
    places: int,
    hear: Callable[[Any], None],
    stop: StopRequest | None,
) -> Iterator[Result]:
    """The jobs done as trials, ``places`` at a time. data: a reference to what they share."""
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    try:
        from ray import tune
    except ImportError as error:  # Ray alone, without what Tune needs
        raise MissingExtra("scale", "Ray Tune") from error

    from digit_recognizer.apps.scale.tune_trials import JOB, RETRIES, TOLD, Leaving, Listener, do_trial, result_of

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what fails is said in a sentence
    ended: queue.SimpleQueue[tuple[int, dict[str, Any]] | Exception | None] = queue.SimpleQueue()
    leaving = Leaving()

    def fit(folder: Path) -> None:
        try:
            tune.Tuner(
                tune.with_resources(tune.with_parameters(do_trial, do=do, jobs=list(jobs), data=data), {"cpu": 1}),
                param_space={JOB: tune.grid_search(list(range(len(jobs))))},
                tune_config=tune.TuneConfig(max_concurrent_trials=places, reuse_actors=True),
                run_config=tune.RunConfig(
                    name="trials",
                    storage_path=str(folder),
                    verbose=0,
                    callbacks=[Listener(lambda number, report: ended.put((number, report)))],
                    stop=leaving,
                    failure_config=tune.FailureConfig(max_failures=RETRIES),
                ),
            ).fit()
            ended.put(None)
        except Exception as error:  # whatever Tune raises must reach who waits for results
            ended.put(error)

    with scratch_folder("digits-tune-") as folder:
        tuning = threading.Thread(target=fit, args=(folder,), name="tune", daemon=True)
        tuning.start()
        waiting = set(range(len(jobs)))
        size = ClusterSize()
        try:
            while waiting:
                if stop is not None and stop.signal_number is not None:
                    raise Interrupted("stopped", signal_number=stop.signal_number)
                try:
                    found = ended.get(timeout=_LOOK_S)
                except queue.Empty:
                    size.look()
                    continue
                if found is None or isinstance(found, Exception):
                    said = f" ({str(found).splitlines()[0]})" if str(found or "") else ""
                    raise DigitsError(f"Ray Tune ended before its trials did{said}; the same command goes on")
                number, report = found
                if TOLD in report:
                    hear(report[TOLD])
                elif number in waiting:
                    waiting.remove(number)
                    yield result_of(report, name(jobs[number]))
        finally:
            if waiting:
                leaving.now.set()
            tuning.join(_LEAVE_S)


def is_installed() -> bool:
    """Whether Ray is there with what Ray Tune needs. Loads neither."""
    return all(find_spec(name) is not None for name in ("ray", "fsspec", "pandas", "pyarrow", "requests"))


def available_cores() -> int:
    """Cores that this process may use, as torch counts them."""
    import torch

    return torch.get_num_threads()


__all__ = ["available_cores", "is_installed", "side_by_side"]
