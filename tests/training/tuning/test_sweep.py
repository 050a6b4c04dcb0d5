"""Sweeps on drawn digits: what a killed one leaves, what it does again, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.errors import CheckpointError, FileError, Interrupted, TrainingDiverged
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.progress import StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.trainer import train
from digit_recognizer.training.tuning.sweep import (
    COLUMNS,
    SweepFolder,
    SweepSettings,
    pareto_front,
    run_sweep,
)
from digit_recognizer.training.tuning.trial import TrialJob, TrialResult, one_after_another, run_trial
from tests.conftest import draw_digits
from tests.training.tiny import TINY

CPU = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
BASE = replace(TINY, widths=(8, 8, 8), epochs=9, batch_size=32, learning_rate=3e-3, focus=1.0)
SETTINGS = SweepSettings(BASE, trials=4, seed=1, facts={"data": "drawn", "fingerprint": "a", "val": 0.2})
TRAINING, VALIDATION = draw_digits(90, seed=1), draw_digits(40, seed=2)


def made_up(job: TrialJob) -> TrialResult:
    """A result without a training: the wider, the better."""
    return TrialResult(
        trial=job.trial,
        rung=job.rung,
        epochs=job.recipe.epochs,
        widths="-".join(map(str, job.recipe.widths)),
        learning_rate=job.recipe.learning_rate,
        dose=job.dose,
        parameters=job.recipe.widths[0],
        val_accuracy=job.recipe.widths[0] / 1000,
        val_loss=1.0,
        seconds=float(job.trial),
    )


def making_up(told: list[str], stop_after: int | None = None) -> Callable[[Sequence[TrialJob]], Iterator[TrialResult]]:
    def engine(jobs: Sequence[TrialJob]) -> Iterator[TrialResult]:
        for job in reversed(jobs):  # an engine may answer in any order
            if len(told) == stop_after:
                raise Interrupted("stopped", signal_number=15)
            told.append(job.name)
            yield made_up(job)

    return engine


def real_engine(folder: SweepFolder, stop: StopRequest | None = None) -> Callable[..., Iterator[TrialResult]]:
    return one_after_another(TRAINING, VALIDATION, seed=1, hardware=CPU, folder=folder.checkpoints, stop=stop)


def rows_of(folder: SweepFolder) -> list[dict[str, str]]:
    with folder.table.open(newline="") as lines:
        return [{**row, "seconds": ""} for row in csv.DictReader(lines)]


def test_a_sweep_trains_all_in_short_and_the_best_and_the_preset_at_full_length(tmp_path: Path) -> None:
    settings, told = replace(SETTINGS, trials=9), list[str]()
    finished = run_sweep(SweepFolder(tmp_path), settings, making_up(told))
    first = {result.trial: result for result in finished.results if result.rung == 1}
    last = {result.trial: result for result in finished.results if result.rung == 2}
    assert sorted(first) == list(range(1, 10))
    widest = sorted(first, key=lambda number: (-first[number].val_accuracy, number))[:3]
    assert set(last) == {1, *widest}
    assert finished.best.rung == 2
    assert finished.best.val_accuracy == max(result.val_accuracy for result in last.values())
    assert last[1].epochs == BASE.epochs == 3 * first[1].epochs


def test_the_best_recipe_is_written_and_comes_back(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    finished = run_sweep(folder, SETTINGS, making_up([]))
    assert Recipe.from_dict(json.loads(folder.best.read_text())) == finished.recipe
    assert finished.recipe.widths[0] / 1000 == finished.best.val_accuracy


@pytest.mark.parametrize("stop_after", [0, 2, 5])
def test_a_sweep_that_was_stopped_goes_on_and_does_nothing_twice(tmp_path: Path, stop_after: int) -> None:
    whole, stopped, told = SweepFolder(tmp_path / "whole"), SweepFolder(tmp_path / "stopped"), list[str]()
    with whole.claim(SETTINGS):
        run_sweep(whole, SETTINGS, making_up([]))
    with stopped.claim(SETTINGS), pytest.raises(Interrupted):
        run_sweep(stopped, SETTINGS, making_up(told, stop_after))
    assert len(stopped.read_results()) == stop_after
    with stopped.claim(SETTINGS):
        run_sweep(stopped, SETTINGS, making_up(told))
    assert len(told) == len(set(told))
    assert rows_of(stopped) == rows_of(whole)
    with stopped.claim(SETTINGS):
        run_sweep(stopped, SETTINGS, making_up(told, len(told)))  # nothing is left to do


def test_rows_of_real_trainings_are_what_the_trainer_says_and_leave_no_checkpoints(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    settings = replace(SETTINGS, trials=2)
    finished = run_sweep(folder, settings, real_engine(folder))
    assert [(result.rung, result.trial) for result in finished.results] == [(1, 1), (1, 2)]
    alone = train(replace(BASE, min_steps=0), TRAINING, VALIDATION, seed=1, hardware=CPU)
    assert finished.results[0].val_accuracy == pytest.approx(alone.history[-1]["val_accuracy"], abs=1e-6)
    assert finished.results[0].val_loss == pytest.approx(alone.history[-1]["val_loss"], abs=1e-5)
    assert finished.results[0].parameters == sum(p.numel() for p in alone.network.parameters())
    assert finished.results[0].widths == "8-8-8"
    assert finished.results[1].dose != 1
    assert {path.name for path in tmp_path.iterdir()} == {"trials.csv", "best.json"}
    assert folder.table.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_trial_stopped_in_its_middle_goes_on_to_the_same_row(tmp_path: Path) -> None:
    job = TrialJob(1, 1, replace(BASE, epochs=4))
    options = {"seed": 1, "hardware": CPU}
    whole = run_trial(job, TRAINING, VALIDATION, **options)  # type: ignore[arg-type]
    with pytest.raises(Interrupted):
        run_trial(job, TRAINING, VALIDATION, **options, folder=tmp_path / "c", stop=StopRequest(15))  # type: ignore[arg-type]
    assert any((tmp_path / "c").iterdir())
    resumed = run_trial(job, TRAINING, VALIDATION, **options, folder=tmp_path / "c")  # type: ignore[arg-type]
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    assert not (tmp_path / "c").exists()


def test_a_trial_that_diverges_is_the_poorest_row_and_not_the_end(tmp_path: Path) -> None:
    wild = run_trial(
        TrialJob(2, 1, replace(BASE, epochs=1, learning_rate=1e38)), TRAINING, VALIDATION, seed=0, hardware=CPU
    )
    assert (wild.val_accuracy, wild.val_loss) == (0.0, None)
    assert wild.score > (0.0, 1e9)
    folder = SweepFolder(tmp_path)
    folder.write_results([wild])
    assert folder.read_results() == [wild]

    def all_diverge(jobs: Sequence[TrialJob]) -> Iterator[TrialResult]:
        yield from (replace(made_up(job), val_accuracy=0.0, val_loss=None) for job in jobs)

    with pytest.raises(TrainingDiverged, match="every trial"):
        run_sweep(SweepFolder(tmp_path / "other"), SETTINGS, all_diverge)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (replace(SETTINGS, trials=5), "trials 4, not 5"),
        (replace(SETTINGS, seed=2), "seed 1, not 2"),
        (replace(SETTINGS, recipe=replace(BASE, epochs=10)), "epochs 9, not 10"),
        (replace(SETTINGS, facts={**SETTINGS.facts, "fingerprint": "b"}), "fingerprint a, not b"),
    ],
)
def test_changed_settings_are_refused_and_named(tmp_path: Path, changed: SweepSettings, named: str) -> None:
    folder = SweepFolder(tmp_path / "s")
    with folder.claim(SETTINGS):
        pass
    with pytest.raises(CheckpointError, match=named), folder.claim(changed):
        pytest.fail("the folder was given away")
    with folder.claim(SETTINGS):
        pass


def test_a_folder_of_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(FileError, match="no sweep of ours"), SweepFolder(tmp_path).claim(SETTINGS):
        pytest.fail("the folder was given away")
    with pytest.raises(FileError, match="this is a file"), SweepFolder(tmp_path / "letters.txt").claim(SETTINGS):
        pytest.fail("the file was given away")
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    for text in ("a,b\n1,2\n", ",".join(COLUMNS) + "\n" + "one," * len(COLUMNS) + "\n"):
        folder.table.write_text(text)
        with pytest.raises(CheckpointError, match="not a table of trials"):
            folder.read_results()


def test_nothing_on_the_front_is_beaten_and_everything_off_it_is() -> None:
    rng = np.random.default_rng(0)
    base = made_up(TrialJob(1, 1, BASE))
    results = [
        replace(base, trial=n, seconds=float(s), val_accuracy=float(a), val_loss=None if n == 7 else 1.0)
        for n, (s, a) in enumerate(rng.integers(1, 12, (40, 2)))
    ]
    front = pareto_front(results)
    for result in results:
        beaten = any(
            other.val_loss is not None
            and other.seconds <= result.seconds
            and other.val_accuracy >= result.val_accuracy
            and (other.seconds, other.val_accuracy) != (result.seconds, result.val_accuracy)
            for other in results
        )
        alike = any((f.seconds, f.val_accuracy) == (result.seconds, result.val_accuracy) for f in front)
        assert alike != beaten or result.val_loss is None
    assert len({(f.seconds, f.val_accuracy) for f in front}) == len(front)
