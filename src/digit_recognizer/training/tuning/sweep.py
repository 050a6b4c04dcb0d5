"""Settings and an engine become a finished sweep: a folder with a row for every trial, and the best one's recipe.

Knows nothing of terminals, plots, or of where trials run. Choices are made on the validation part alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from digit_recognizer.errors import CheckpointError, FileError, TrainingDiverged
from digit_recognizer.files import read_bytes, write_json, write_text
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.tuning.halving import best_trials, plan_rungs
from digit_recognizer.training.tuning.space import draw_trials, trial_recipe, tuned_recipe
from digit_recognizer.training.tuning.trial import TrialJob, TrialResult

COLUMNS = tuple(field.name for field in fields(TrialResult))

# Does the jobs, in any order and perhaps side by side, and yields each result as it is there.
Engine = Callable[[Sequence[TrialJob]], Iterator[TrialResult]]


@dataclass(frozen=True)
class SweepSettings:
    """What a sweep is: one that goes on must agree in all of it.

    recipe: what the trials vary, with the epochs of a trial at full length. trials: how many. seed: of the trials, of
    the split and of every training. facts: of the data and the device, JSON values by name.
    """

    recipe: Recipe
    trials: int
    seed: int
    facts: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {**self.facts, "trials": self.trials, "seed": self.seed, "recipe": self.recipe.to_dict()}


@dataclass(frozen=True)
class FinishedSweep:
    """results: every row, by rung and trial. best: that of the best trial at full length. recipe: its recipe, whole."""

    results: Sequence[TrialResult]
    best: TrialResult
    recipe: Recipe


class SweepFolder:
    """Paths and plain files of one sweep. Making the object touches nothing.

    >>> SweepFolder("sweeps/mnist").table.name
    'trials.csv'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "sweep.json"
        self.table = self.path / "trials.csv"
        self.best = self.path / "best.json"
        self.plot = self.path / "trials.png"
        self.checkpoints = self.path / "checkpoints"

    @contextmanager
    def claim(self, settings: SweepSettings) -> Iterator[None]:
        """Make the folder ready, new or to go on with, and keep other processes out while the block runs.

        Raises FileError where the folder holds other things or cannot be written, CheckpointError, naming the
        difference, where it holds a sweep with other settings, RunFolderBusy where another process works in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FileError(f"{self.path}: expected a folder for the sweep, this is a file")
        if not self.settings.is_file() and any(self._foreign()):
            raise FileError(
                f"{self.path}: holds files that are no sweep of ours; choose another folder", code="folder_not_empty"
            )
        with RunFolder(self.path).locked():
            if self.settings.is_file():
                self._check_same(settings)
            else:
                write_json(self.settings, settings.to_dict())
            yield

    def read_results(self) -> list[TrialResult]:
        """The rows so far; none where there is no table yet. Raises CheckpointError where it is not one of ours."""
        if not self.table.is_file():
            return []
        try:
            rows = csv.DictReader(io.StringIO(read_bytes(self.table).decode("utf-8")))
            return [TrialResult.from_row(row) for row in rows]
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise CheckpointError(f"{self.table}: not a table of trials ({error}); remove it to start anew") from error

    def write_results(self, results: Iterable[TrialResult]) -> None:
        """Write the table anew, whole or not at all. Raises FileError."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(result.to_row() for result in results)
        write_text(self.table, text.getvalue())

    def _foreign(self) -> Iterator[Path]:
        if self.path.is_dir():
            yield from (entry for entry in self.path.iterdir() if not entry.name.startswith("."))

    def _check_same(self, settings: SweepSettings) -> None:
        try:
            saved = json.loads(read_bytes(self.settings))
            was = {**saved, **saved["recipe"]}
        except (ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"{self.settings}: does not describe a sweep ({error})") from error
        asked = json.loads(json.dumps(settings.to_dict()))  # as it comes back from a file: tuples become lists
        now = {**asked, **asked["recipe"]}
        differences = [
            f"{name} {was.get(name)}, not {value}"
            for name, value in now.items()
            if name != "recipe" and was.get(name) != value
        ]
        if differences:
            raise CheckpointError(
                f"{self.path}: the sweep was begun with {'; '.join(differences)}; give the same to go on, or another "
                "folder"
            )


def run_sweep(
    folder: SweepFolder,
    settings: SweepSettings,
    engine: Engine,
    on_result: Callable[[TrialResult], None] = lambda result: None,
) -> FinishedSweep:
    """Train every trial that has no row yet, rung by rung; the folder must be claimed.

    The recipe itself, trial 1, is in every rung, so that the best has something to be compared with. The same settings
    give the same rows, but for ``seconds``, however often the sweep was killed on the way and whatever engine did it.
    Raises TrainingDiverged where every trial did, and what the engine raises; rows that are written stay.
    """
    trials = {trial.number: trial for trial in draw_trials(settings.trials, settings.seed)}
    done = {(result.rung, result.trial): result for result in folder.read_results()}
    numbers, rungs = sorted(trials), plan_rungs(settings.trials, settings.recipe.epochs)
    scores: dict[int, tuple[float, float]] = {}
    for rung in rungs:
        if scores:
            numbers = sorted({1, *best_trials(scores, rung.trials)})
        jobs = [
            TrialJob(
                number, rung.number, trial_recipe(settings.recipe, trials[number], rung.share), trials[number].dose
            )
            for number in numbers
            if (rung.number, number) not in done
        ]
        for result in engine(jobs):
            done[result.rung, result.trial] = result
            folder.write_results(done[key] for key in sorted(done))
            on_result(result)
        scores = {number: done[rung.number, number].score for number in numbers}
    (winner,) = best_trials(scores, 1)
    best = done[len(rungs), winner]
    if best.val_loss is None:
        raise TrainingDiverged("the loss of every trial stopped being a number; give a preset with a smaller rate")
    recipe = tuned_recipe(settings.recipe, trials[winner])
    write_json(folder.best, recipe.to_dict())
    return FinishedSweep([done[key] for key in sorted(done)], best, recipe)


def pareto_front(results: Sequence[TrialResult]) -> list[TrialResult]:
    """Those that no other beats in accuracy without taking longer, by ascending seconds.

    Diverged trials are in no front.
    """
    front: list[TrialResult] = []
    for result in sorted(results, key=lambda each: (each.seconds, -each.val_accuracy)):
        if result.val_loss is not None and (not front or result.val_accuracy > front[-1].val_accuracy):
            front.append(result)
    return front


__all__ = [
    "COLUMNS",
    "Engine",
    "FinishedSweep",
    "SweepFolder",
    "SweepSettings",
    "pareto_front",
    "run_sweep",
]
