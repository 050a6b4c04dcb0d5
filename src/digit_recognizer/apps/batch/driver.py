"""A source becomes a folder of Parquet parts with errors, summary and manifest: exactly once, whatever is killed.

A part appears whole under a name made of its task, the manifest last; the same command goes on where it stopped.
Decides what is done again and what is set aside, for every engine alike. Knows nothing of processes or clusters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digit_recognizer.apps.batch.bisection import Case
from digit_recognizer.apps.batch.drift import differences, notable
from digit_recognizer.apps.batch.engine import Engine, Job, Outcome, Task, WorkerDied
from digit_recognizer.apps.batch.job_folder import (
    ERRORS,
    JOB,
    MANIFEST,
    PARTS,
    SUMMARY,
    claimed,
    finished,
    read_json,
    remove_leftovers,
    remove_work,
    settle,
)
from digit_recognizer.apps.batch.listing import Listing
from digit_recognizer.apps.batch.parts import count_errors, join_errors, read_tally
from digit_recognizer.apps.batch.plan import Plan
from digit_recognizer.apps.batch.request import Request
from digit_recognizer.apps.batch.summary import write_summary
from digit_recognizer.apps.batch.tally import Tally
from digit_recognizer.errors import FileError
from digit_recognizer.files import write_json
from digit_recognizer.recognizer import INT8, Recognizer

_STRETCHES = 10  # of the input, that the summary tells apart


@dataclass(frozen=True)
class Progress:
    """Where a batch is. done, total: pictures, those of earlier runs included. before: of them, those of earlier runs.

    failed: of done. seconds: since this run began to read. note: something to tell, or "".
    """

    done: int
    total: int
    before: int
    failed: int
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Result:
    """How a batch ended. folder: what it wrote. seconds, rate: of this run; rate in pictures/s, None where all was done
    before. was_finished: whether there was nothing to do. drift: sentences on what came in otherwise than the model
    knows it, of this run.
    """

    folder: Path
    tally: Tally
    parts: int
    seconds: float
    rate: float | None
    was_finished: bool
    manifest: Mapping[str, Any]
    drift: Sequence[str] = ()


Show = Callable[[Progress], None]


def run_batch(request: Request, engine: Engine, show: Show = lambda progress: None) -> Result:
    """Read every picture of a source into a folder, or go on with it.

    engine: what has the tasks done; it is not closed. show: called as the work goes on.

    Raises FileError where the folder holds other things, is in use, cannot be written, or was begun with other
    pictures, another model or other options (``code`` "changed_job"; the message names what differs), where storage is
    away, or workers die for no reason to be found: then the same call goes on. ModelError where the model cannot be
    used; what finding the source raises.

    >>> with LocalEngine() as engine:                                            # doctest: +SKIP
    ...     run_batch(Request("scans/", Path("out")), engine).tally.read
    1000000
    """
    with claimed(request.output):
        return _run(request, engine, show)


def _run(request: Request, engine: Engine, show: Show) -> Result:
    folder = request.output
    recognizer = Recognizer(request.model, threads=1, min_confidence=request.min_confidence)

    def plan_of(listing: Listing) -> Plan:
        job = Job(
            request.task,
            _model_path(request.model),
            recognizer.sha256,
            listing.kind,
            request.expect,
            request.check,
            request.numbers,
            request.max_pixels,
            request.min_confidence,
        )
        return Plan(folder, listing, job, request.shard)

    listing = settle(request, recognizer, lambda listing: plan_of(listing).names())
    if (manifest := finished(folder)) is not None:
        remove_work(folder)
        tally = Tally.from_dict(manifest["counts"])
        return Result(folder, tally, len(manifest["parts"]), 0.0, None, True, manifest)
    remove_leftovers(folder)
    plan = plan_of(listing)
    run = _Run(plan, engine, show)
    run.work()
    return _finish(plan, recognizer, run)


class _Run:
    """One run over a plan: every task once; then, in rounds, whatever killed its worker."""

    def __init__(self, plan: Plan, engine: Engine, show: Show) -> None:
        self._plan = plan
        self._engine = engine
        self._show = show
        self._cases: dict[int, Case] = {}
        self._done = self._failed = self._before = 0
        self._began = time.perf_counter()
        self.seconds = 0.0

    @property
    def rate(self) -> float | None:
        """Pictures in a second of this run; None where there were none."""
        return (self._done - self._before) / self.seconds if self._done > self._before else None

    def work(self) -> None:
        """Do all that is not done."""
        there = {path.name for path in (self._plan.folder / PARTS).glob("part-*.parquet")}
        self._engine.run(self._missing(there), self._note)
        while self._cases:
            # All of this round are known before any of them is done, as a case waits for all of its own trials.
            trials = [trial for case in self._cases.values() for trial in case.next_tasks()]
            self._engine.run(iter(trials), self._note_trial)
            self._cases = {number: case for number, case in self._cases.items() if not case.is_done}
        self.seconds = time.perf_counter() - self._began

    def _missing(self, there: set[str]) -> Iterator[Task]:
        for task in self._plan.tasks():
            tally = _whole(task) if Path(task.part).name in there else None
            if tally is None:
                yield task
                continue
            self._before += tally.pictures
            self._done += tally.pictures
            self._failed += tally.failures

    def _note(self, task: Task, result: Outcome | WorkerDied) -> None:
        if isinstance(result, Outcome):
            self._add(result)
            return
        self._cases[task.number] = Case(task)
        self._tell(f"part {task.number}: its worker died ({result.reason}); it is done again at the end")

    def _note_trial(self, task: Task, result: Outcome | WorkerDied) -> None:
        case = self._cases[task.number]
        known = len(case.killers)
        case.note(task.only, result)
        if len(case.killers) > known:
            self._tell(f"part {task.number}: pictures set aside that kill their worker: {len(case.killers)}")
        if task.only is None and isinstance(result, Outcome):
            self._add(result)

    def _add(self, outcome: Outcome) -> None:
        self._done += outcome.read + outcome.failed
        self._failed += outcome.failed
        self._tell("")

    def _tell(self, note: str) -> None:
        seconds = time.perf_counter() - self._began
        self._show(Progress(self._done, self._plan.pictures, self._before, self._failed, seconds, note))


def _whole(task: Task) -> Tally | None:
    """The counts of a part that is there; None where it or its errors are damaged or gone: both are written again."""
    try:
        tally = read_tally(Path(task.part))
    except FileError:
        return None
    return tally if not tally.failures or count_errors(Path(task.errors)) == tally.failures else None


def _finish(plan: Plan, recognizer: Recognizer, run: _Run) -> Result:
    """Errors, summary and manifest, this one last: where it is, everything is."""
    folder = plan.folder
    parts, errors, counted = [], [], []
    written = {path.name: path for path in (folder / PARTS).glob("part-*.parquet")}
    for task in plan.tasks():
        path = written.pop(Path(task.part).name, None)
        if path is None:
            raise FileError(f"{task.part}: this part was written and is gone; the same command writes it again")
        counts = read_tally(path)
        counted.append(counts)
        size = path.stat().st_size
        parts.append({"name": path.name, "read": counts.read, "failed": counts.failures, "bytes": size})
        if counts.failures:
            errors.append(Path(task.errors))
    for path in written.values():
        path.unlink(missing_ok=True)  # of a job that was begun here and killed before it had said what it was
    join_errors(folder / ERRORS, errors)
    remove_leftovers(folder)  # of workers that died in the middle of a part
    tally = sum(counted, Tally())
    known = recognizer.metadata.inputs
    facts = read_json(folder / JOB)
    own = facts.get("min_confidence") is None
    drift = None if known is None else differences(tally, known, own_threshold=own)
    manifest = {
        **facts,
        "all_parts": plan.all_parts,
        "pictures": tally.pictures,
        "read": tally.read,
        "failed": tally.failures,
        "counts": tally.to_dict(),
        "drift": None if drift is None else [each.to_dict() for each in drift],
        "errors": {"name": ERRORS, "bytes": (folder / ERRORS).stat().st_size},
        "parts": parts,
    }
    tenth = max(1, -(-len(counted) // _STRETCHES))
    along = [sum(counted[start : start + tenth], Tally()) for start in range(0, len(counted), tenth)]
    write_summary(folder / SUMMARY, manifest, tally, along, recognizer.metadata, run.rate, drift)
    write_json(folder / MANIFEST, manifest)
    remove_work(folder)
    sentences = notable(drift or [])
    return Result(plan.output, tally, len(parts), run.seconds, run.rate, False, manifest, sentences)


def _model_path(model: str | None) -> str | None:
    """The model as every worker can open it, wherever it was started."""
    return model if model is None or model == INT8 else str(Path(model).absolute())


__all__ = ["Progress", "Request", "Result", "run_batch"]
