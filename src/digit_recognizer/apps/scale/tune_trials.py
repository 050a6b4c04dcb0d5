"""What Ray Tune calls back: a worker's one job, a listener to what trials report, and the wish to end them all.

Importing this loads Ray Tune. Tune writes down what it is given, so all of it can be pickled, and comes back empty.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from digit_recognizer.errors import DigitsError

JOB = "job"  # what a trial's configuration calls the number of its job
RETRIES = 2  # of a job whose worker died
TOLD = "told"  # what a job said while it was under way, in a report
_RESULT, _REASON = "result", "reason"


class Listener(TrialProgressCallback):  # type: ignore[misc]  # Ray is not typed
    """Hands on what trials report, and takes it out of what Tune keeps of them.

    It stands where Tune would put a callback of its own that writes to the terminal, whatever it is told. tell: called
    with the number of a job and its report: what it ``TOLD``, or as ``result_of`` takes it.
    """

    def __init__(self, tell: Callable[[int, dict[str, Any]], None] = lambda job, report: None) -> None:
        super().__init__()
        self.tell = tell

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **_: Any) -> None:
        self.tell(trial.config[JOB], {name: result.pop(name) for name in (TOLD, _RESULT, _REASON) if name in result})

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
        self.tell(trial.config[JOB], {})

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **_: Any) -> None:
        pass  # what it reported was handed on


class Leaving(tune.Stopper):  # type: ignore[misc]
    """Whether all trials are to end: once ``now`` is set."""

    def __init__(self) -> None:
        self.now = threading.Event()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False  # no single trial is ended by what it reports

    def stop_all(self) -> bool:
        return self.now.is_set()


def do_trial(
    config: dict[str, Any],
    do: Callable[[Any, Any, Callable[[Any], None]], Any] | None = None,
    jobs: Sequence[Any] = (),
    data: Any = None,
) -> None:
    """In a worker: one job. What it raises Tune would try again, as if a worker had died; so it is told instead."""
    assert do is not None
    try:
        report = {_RESULT: do(jobs[config[JOB]], data, lambda told: tune.report({TOLD: told}))}
    except Exception as error:
        report = {_REASON: str(error).splitlines()[0] if str(error) else type(error).__name__}
    tune.report(report)


def result_of(report: dict[str, Any], name: str) -> Any:
    """What a trial's job came to. report: empty where its worker died once too often. name: what messages call it.

    Raises DigitsError where there is no result.
    """
    if _REASON in report:
        raise DigitsError(f"{name} failed on its worker ({report[_REASON]})")
    if _RESULT not in report:
        raise DigitsError(f"{name}: its worker died {RETRIES + 1} times; the same command goes on")
    return report[_RESULT]


__all__ = ["JOB", "RETRIES", "TOLD", "Leaving", "Listener", "do_trial", "result_of"]
