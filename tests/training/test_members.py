"""Members trained apart: the same bytes as one after another, what is kept where that was cut off, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from digit_recognizer.analysis.report import read_history
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, FileError, Interrupted, UsageError
from digit_recognizer.training.checkpoint import CheckpointFolder
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.job import FinishedRun, Settings, train_run
from digit_recognizer.training.members import FinishedMember, MemberJob, train_member
from digit_recognizer.training.progress import HistoryRow, Progress, StopRequest
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.trainer import Labelled, train
from tests.conftest import draw_digits
from tests.training.tiny import TINY

THREE = replace(TINY, members=3, epochs=2, deskew_every=3)  # as best has them, networks of two kinds
SETTINGS = Settings(THREE, seed=3, val=0.3)
DATA = Dataset("drawn", draw_digits(120, seed=1), None)
FLOAT32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())


class Engine:
    """Trains the last member first, in this process; stopped before its ``stops_before``-th member."""

    def __init__(self, stops_before: int | None = None) -> None:
        self.stops_before = stops_before
        self.trained: list[int] = []

    def __call__(
        self,
        jobs: Sequence[MemberJob],
        training: Labelled,
        validation: Labelled,
        on_row: Callable[[HistoryRow], None],
    ) -> Iterator[FinishedMember]:
        for job in reversed(jobs):
            if len(self.trained) + 1 == self.stops_before:
                raise Interrupted("stopped", signal_number=15)
            self.trained.append(job.member)
            yield train_member(job, training, validation, hardware=FLOAT32, on_row=on_row)


def run(path: Path, settings: Settings = SETTINGS, **options: Any) -> FinishedRun:
    return train_run(DATA, RunFolder(path), settings, hardware=FLOAT32, **options)


@pytest.fixture(scope="module")
def in_sequence(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """The same run, its members trained one after another."""
    return run(tmp_path_factory.mktemp("run"))


def without_seconds(path: Path) -> list[dict[str, Any]]:
    return [{**row, "seconds": 0} for row in read_history(path)]


def test_members_trained_apart_leave_the_same_bytes_as_one_after_another(
    tmp_path: Path, in_sequence: FinishedRun
) -> None:
    notes: list[str] = []
    apart = run(tmp_path, engine=Engine(), tell=notes.append)
    assert apart.folder.weights.read_bytes() == in_sequence.folder.weights.read_bytes()
    assert without_seconds(apart.folder.history) == without_seconds(in_sequence.folder.history)
    for name in ("val_accuracy", "val_loss", "members", "epochs", "parameters", "temperature", "min_confidence"):
        assert apart.metrics[name] == in_sequence.metrics[name]
    assert [note.partition(":")[0] for note in notes] == ["net 3", "net 2", "net 1"]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in in_sequence.folder.path.iterdir()}


def test_members_that_are_finished_are_not_trained_again(tmp_path: Path, in_sequence: FinishedRun) -> None:
    with pytest.raises(Interrupted, match="1 of 3 nets are finished and kept, go on with --resume"):
        run(tmp_path, engine=Engine(stops_before=2))
    folder, rest, notes = RunFolder(tmp_path), Engine(), list[str]()
    assert [row["member"] for row in read_history(folder.history)] == [3, 3]
    run(tmp_path, engine=rest, resume=True, tell=notes.append)
    assert rest.trained == [2, 1]
    assert "1 of 3 nets are there, going on with the others" in notes
    assert folder.weights.read_bytes() == in_sequence.folder.weights.read_bytes()
    assert not folder.members.folder.exists()


def test_the_progress_of_members_trained_apart_counts_the_epochs_of_all(tmp_path: Path) -> None:
    shown: list[Progress] = []
    with pytest.raises(Interrupted):
        run(tmp_path, engine=Engine(stops_before=2), on_progress=shown.append)
    run(tmp_path, engine=Engine(), resume=True, on_progress=shown.append)
    assert [(p.member, p.epoch, p.epochs) for p in shown] == [(n, e, 2) for n in (3, 2, 1) for e in (1, 2)]
    assert [(p.step, p.steps) for p in shown] == [(n, 6) for n in range(1, 7)]
    assert all(p.row and (p.row["member"], p.row["epoch"]) == (p.member, p.epoch) for p in shown)
    assert all(p.images_per_second > 0 for p in shown)
    assert shown[-1].seconds_left == 0
    assert shown[0].seconds_left > 0


def test_a_damaged_member_is_trained_again_and_told(tmp_path: Path, in_sequence: FinishedRun) -> None:
    with pytest.raises(Interrupted):
        run(tmp_path, engine=Engine(stops_before=3))
    folder, rest, notes = RunFolder(tmp_path), Engine(), list[str]()
    content = bytearray(folder.members.file(2).read_bytes())
    content[-1] ^= 1
    folder.members.file(2).write_bytes(content)
    run(tmp_path, engine=rest, resume=True, tell=notes.append)
    assert rest.trained == [2, 1]
    assert any("damaged" in note and note.endswith("net 2 is trained again") for note in notes)
    assert folder.weights.read_bytes() == in_sequence.folder.weights.read_bytes()


def test_a_member_that_was_cut_off_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    digits = draw_digits(90, seed=1)
    job = MemberJob(THREE, 2, 3, tmp_path / "member-2")
    whole = train_member(job, digits, digits, hardware=FLOAT32)
    checkpoints, request = CheckpointFolder(job.checkpoints), StopRequest()

    def stop_in_the_second_epoch(progress: Progress) -> None:
        if progress.row is not None:
            request.signal_number = 15

    with pytest.raises(Interrupted, match="epoch 2"):
        train(
            THREE,
            digits,
            digits,
            seed=3,
            hardware=FLOAT32,
            checkpoints=checkpoints,
            stop=request,
            on_progress=stop_in_the_second_epoch,
            member=2,
        )
    for _ in range(2):  # the second time all of it is there
        again = train_member(job, digits, digits, hardware=FLOAT32, checkpoints=checkpoints)
        assert {name: value.numpy().tobytes() for name, value in again.weights.items()} == {
            name: value.numpy().tobytes() for name, value in whole.weights.items()
        }
        assert [row["epoch"] for row in again.history] == [1, 2]


def test_a_new_run_removes_what_an_old_one_kept(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(tmp_path, engine=Engine(stops_before=2))
    (RunFolder(tmp_path).members.folder / ".member-1.safetensors.1-0123abcd.tmp").write_bytes(b"half")
    with RunFolder(tmp_path).claim(overwrite=True):
        assert not RunFolder(tmp_path).members.folder.exists()


def test_a_folder_that_vanishes_is_not_made_anew(tmp_path: Path) -> None:
    def remove_and_train(
        jobs: Sequence[MemberJob], training: Labelled, validation: Labelled, on_row: Callable[[HistoryRow], None]
    ) -> Iterator[FinishedMember]:
        shutil.rmtree(tmp_path / "run")
        yield train_member(jobs[0], training, validation, hardware=FLOAT32)

    with pytest.raises(FileError, match="vanished"):
        run(tmp_path / "run", engine=remove_and_train)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("begun_apart", [True, False])
def test_a_run_begun_the_other_way_is_refused(tmp_path: Path, begun_apart: bool) -> None:
    request = StopRequest(15)
    with pytest.raises(Interrupted):
        run(tmp_path, engine=Engine(stops_before=1) if begun_apart else None, stop=request)
    with pytest.raises(CheckpointError, match="begun side by side" if begun_apart else "begun one after another"):
        run(tmp_path, engine=None if begun_apart else Engine(), resume=True)


def test_one_net_cannot_be_trained_side_by_side(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tiny is one net"):
        run(tmp_path / "run", Settings(TINY, val=0.3), engine=Engine())
    assert not (tmp_path / "run").exists()
