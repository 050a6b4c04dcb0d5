"""The folder of a run: what it refuses, what it removes, and the lock that keeps a second trainer out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digit_recognizer.analysis.report import FIGURES, read_history
from digit_recognizer.errors import CheckpointError, FileError, RunFolderBusy
from digit_recognizer.training.run_folder import HISTORY_COLUMNS, PLOTS, RunFolder, next_free

HOLD = (
    "import sys, time\n"
    "from digit_recognizer.training.run_folder import RunFolder\n"
    "with RunFolder(sys.argv[1]).claim(overwrite=True):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


@contextmanager
def held_by_a_child(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


def a_run(path: Path) -> RunFolder:
    """A folder with every file that a run leaves."""
    folder = RunFolder(path)
    folder.write_config({"seed": 0})
    folder.write_history([])
    for name in ("metrics.json", "model.onnx", "weights.safetensors", "submission.csv", "explore.json"):
        (path / name).write_text("{}")
    (path / "split.json").write_text("{}")
    (path / "report.html").write_text("")
    for name in ("plots", "checkpoints"):
        (path / name).mkdir()
    for name in PLOTS:
        (path / "plots" / f"{name}.png").write_text("")
    (path / "checkpoints" / "step-000000007.safetensors").write_text("")
    return folder


def files(path: Path) -> set[str]:
    return {str(entry.relative_to(path)) for entry in path.rglob("*") if entry.name != ".run.lock"}


def test_making_the_object_touches_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert not folder.is_started()
    assert not folder.is_finished()
    assert files(tmp_path) == set()


def test_a_new_or_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "a" / "new"):
        with RunFolder(path).claim():
            assert path.is_dir()


def test_a_folder_with_a_run_is_refused_without_a_word_about_it(tmp_path: Path) -> None:
    before = files(a_run(tmp_path).path)
    with pytest.raises(FileError, match="--resume to go on, or --overwrite"), RunFolder(tmp_path).claim():
        pass
    assert files(tmp_path) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_foreign_files_is_refused_and_left_as_it_is(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileError, match="no run of ours"), RunFolder(tmp_path).claim(overwrite=overwrite):
        pass
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_overwrite_removes_every_file_of_a_run(tmp_path: Path) -> None:
    a_run(tmp_path)
    with RunFolder(tmp_path).claim(overwrite=True):
        assert files(tmp_path) == {".run.pid"}


def test_overwrite_leaves_foreign_files_beside_a_run(tmp_path: Path) -> None:
    a_run(tmp_path)
    foreign = {"notes.txt", "plots/mine.png", "checkpoints/mine.safetensors", "plots/deep/loss.png"}
    (tmp_path / "plots" / "deep").mkdir()
    for name in foreign:
        (tmp_path / name).write_text("mine")
    with RunFolder(tmp_path).claim(overwrite=True):
        pass
    assert {name for name in files(tmp_path) if (tmp_path / name).is_file()} == foreign


def test_the_plots_that_overwrite_removes_are_those_that_the_report_knows() -> None:
    assert set(PLOTS) == set(FIGURES) - {"samples_test"}


def test_what_a_killed_process_left_half_written_is_swept_away_and_is_no_obstacle(tmp_path: Path) -> None:
    torn = tmp_path / ".config.json.4711-0a1b2c3d.tmp"
    torn.write_text('{"se')
    (tmp_path / ".run.pid").write_text("4711")
    with RunFolder(tmp_path).claim():
        assert not torn.exists()


def test_resume_needs_a_run_and_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing to resume"), RunFolder(tmp_path / "new").claim(resume=True):
        pass
    assert not (tmp_path / "new").exists()


def test_resume_leaves_the_run_as_it_is(tmp_path: Path) -> None:
    before = files(a_run(tmp_path).path)
    with RunFolder(tmp_path).claim(resume=True):
        assert files(tmp_path) == before | {".run.pid"}
    assert files(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    for flags in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(FileError, match="this is a file"), RunFolder(tmp_path / "run").claim(**flags):
            pass


def test_a_second_trainer_is_told_the_process_that_holds_the_folder_whatever_it_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with held_by_a_child(path) as child:
        RunFolder(path).write_config({"seed": 0})
        (path / "metrics.json").write_text("{}")
        for flags in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(RunFolderBusy, match=f"process {child.pid} is training"), RunFolder(path).claim(**flags):
                pass
        assert (path / "metrics.json").exists()


def test_the_lock_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    with held_by_a_child(tmp_path / "run") as child:
        child.kill()
        child.wait()
    assert (tmp_path / "run" / ".run.pid").read_text() == f"{child.pid}\n"
    with RunFolder(tmp_path / "run").claim():
        assert (tmp_path / "run" / ".run.pid").read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / "run" / ".run.pid").exists()


def test_the_lock_may_be_nested_with_the_same_folder_and_is_free_after_an_error(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(ValueError, match="of a test"), folder.claim(), folder.locked():
        raise ValueError("of a test")
    with RunFolder(tmp_path / "run").locked():
        pass


def test_history_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    rows = [dict(zip(HISTORY_COLUMNS, (1, 1, 2.5, 1e-3, 0.25, 0.5, 0.125, 0.984375), strict=True))]
    rows.append({**rows[0], "epoch": 2, "val_loss": None})
    folder.write_history(rows)
    assert read_history(folder.history) == rows
    assert folder.history.read_text().splitlines()[0] == ",".join(HISTORY_COLUMNS)


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a"', b"\xff", b"[" * 100_000])
def test_a_damaged_json_file_is_named(tmp_path: Path, content: bytes) -> None:
    folder = RunFolder(tmp_path)
    folder.config.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        folder.read_json(folder.config)


def test_the_next_free_name_has_the_first_number_that_is_free(tmp_path: Path) -> None:
    assert next_free(tmp_path, "run") == tmp_path / "run"
    for name in ("run", "run-2", "run-4"):
        (tmp_path / name).mkdir()
    assert next_free(tmp_path, "run") == tmp_path / "run-3"
