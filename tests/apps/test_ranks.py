"""``torchrun -m digit_recognizer train``: two processes, one run; one of them killed; a stop; what is refused."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.analysis.report import read_history
from digit_recognizer.training.checkpoint import load_snapshot
from digit_recognizer.training.recipe import Composition, ship
from tests.apps.command import Ended, ended, write_data

EPOCHS = 15
WORDS = ("--epochs", str(EPOCHS), "--device", "cpu")


@contextmanager
def torchrun(*words: str | Path, restarts: int = 0) -> Iterator[subprocess.Popen[str]]:
    """``torchrun -m digit_recognizer WORDS`` with two processes; none of them is left behind."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), "-m", "digit_recognizer", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.terminate()  # not killed: torchrun ends its processes, which have sessions of their own
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=60)


def rank_of(agent: int, rank: int) -> int:
    """The process id of a rank that torchrun, process ``agent``, has started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == agent and f"\0RANK={rank}\0" in "\0" + (entry / "environ").read_text() + "\0":
                    return int(entry.name)
    raise AssertionError(f"torchrun {agent} has no rank {rank}")


def wait_for_checkpoint(run: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not list((run / "checkpoints").glob("step-*.safetensors")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "drawn.npz", count=150)


@pytest.fixture(scope="module")
def two(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A run of two processes that nothing happened to, and how it ended."""
    run = tmp_path_factory.mktemp("two") / "run"
    with torchrun("train", data, "-o", run, *WORDS) as process:
        end = ended(process)
    return run, end


@pytest.mark.usefixtures("one_thread")
def test_two_processes_leave_the_run_that_one_leaves(
    data: Path, two: tuple[Path, Ended], digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    run, end = two
    assert end.code == 0, end.err
    alone = digits_command("train", data, "-o", "alone", *WORDS)
    assert alone.code == 0, alone.err
    assert {path.name for path in run.iterdir()} == {path.name for path in (tmp_path / "alone").iterdir()}
    ours, theirs = (read_history(path / "history.csv") for path in (run, tmp_path / "alone"))
    assert [row["epoch"] for row in ours] == [row["epoch"] for row in theirs]
    for name in ("loss", "val_loss"):
        # Rounding grows from step to step, so the first epochs are compared closely, the last as a seed's would be.
        early, late = (
            [[row[name] for row in rows[part]] for rows in (ours, theirs)] for part in (slice(0, 3), slice(-1, None))
        )
        np.testing.assert_allclose(*early, rtol=2e-2)
        np.testing.assert_allclose(*late, atol=0.15)
    config = json.loads((run / "config.json").read_text())
    assert config["ranks"] == 2
    assert config["command"].startswith("torchrun --nproc-per-node 2 -m digit_recognizer train")
    assert "ranks" not in json.loads((tmp_path / "alone" / "config.json").read_text())


def test_one_process_alone_prints(two: tuple[Path, Ended]) -> None:
    run, end = two
    assert end.out.count(f"written to {run}") == 1
    assert end.out.count("validation accuracy") == 1
    assert len(re.findall(rf"^epoch  1/{EPOCHS}", end.err, re.MULTILINE)) == 1


def test_a_killed_rank_starts_all_again_from_the_last_checkpoint(
    data: Path, two: tuple[Path, Ended], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with torchrun("train", data, "-o", run, *WORDS, restarts=1) as process:
        wait_for_checkpoint(run, process)
        os.kill(rank_of(process.pid, 0), signal.SIGKILL)
        end = ended(process)
    assert end.code == 0, end.err
    whole = two[0]
    assert {path.name for path in run.iterdir()} == {path.name for path in whole.iterdir()}
    assert [row["epoch"] for row in read_history(run / "history.csv")] == list(range(1, EPOCHS + 1))
    ours, theirs = (load_snapshot(path / "weights.safetensors").tensors for path in (run, whole))
    for name, value in theirs.items():  # two numbers have one sum, in whatever order: not a bit is different
        assert value.equal(ours[name]), name


def test_sigterm_saves_and_one_process_alone_goes_on(
    data: Path, digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with torchrun("train", data, "-o", run, *WORDS) as process:
        wait_for_checkpoint(run, process)
        process.send_signal(signal.SIGTERM)
        end = ended(process)
    assert end.code != 0
    assert end.err.count("saved, go on with --resume") == 1
    resumed = digits_command("train", "-o", run, "--resume", "--device", "cpu")
    assert resumed.code == 0, resumed.err
    assert len(read_history(run / "history.csv")) == EPOCHS


def test_composed_frames_a_polish_and_a_scout_are_trained_by_all_ranks(data: Path, tmp_path: Path) -> None:
    small = replace(ship(), widths=(8, 8, 8), depths=(1, 1), epochs=1, batch_size=64, second=None)
    frames = Composition(digits=1.0, drawings=0.0, printed=0.0, no_digits=0.5, plain=1)
    recipe = replace(small, composition=frames, scout=None, polish=None)
    whole = replace(
        recipe, polish=replace(recipe, learning_rate=1e-3), scout=replace(recipe, widths=(4, 4, 4), composition=None)
    )
    (tmp_path / "recipe.json").write_text(json.dumps(whole.to_dict()))
    (tmp_path / "fonts").mkdir()
    run, words = tmp_path / "run", ("--recipe", tmp_path / "recipe.json", "--fonts", tmp_path / "fonts")
    with torchrun("train", data, "-o", run, *words, "--device", "cpu") as process:
        end = ended(process)
    assert end.code == 0, end.err
    assert len(read_history(run / "history.csv")) == 3
    metrics = json.loads((run / "metrics.json").read_text())
    assert 0 < metrics["scout_accuracy"] <= 1
    assert metrics["learnt_from"]["digits"] == 135


def test_what_one_process_does_alone_is_refused(
    digits_command: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"RUN_ID": "none", "RESTART_COUNT": "0"}.items():
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    told = digits_command("run", "sample", "-o", "run")
    assert told.code == 2
    assert "torchrun is for digits train" in told.sentence
    told = digits_command("train", "sample")
    assert told.code == 2
    assert "torchrun needs --output" in told.sentence
    assert not list(tmp_path.iterdir())


def test_the_package_is_a_program() -> None:
    told = subprocess.run([sys.executable, "-m", "digit_recognizer", "--version"], capture_output=True, text=True)
    assert told.returncode == 0
    assert re.fullmatch(r"\d+\.\d+.*\n", told.stdout)
