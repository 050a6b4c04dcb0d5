"""What happens to a training: killed, terminated, interrupted, out of disk, its checkpoints damaged."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from digit_recognizer.analysis.report import read_history
from digit_recognizer.apps.signals import stop_on_signals
from tests.apps.command import Ended, call, child, ended, write_data

EPOCHS = 24


@dataclass(frozen=True)
class Place:
    """data: what every run here learns from. whole: a run that nothing happened to. stopped: one that SIGTERM met."""

    data: Path
    whole: Path
    stopped: Path
    told: Ended  # how the stopped one ended


def train(place_data: Path, run: Path, *words: str, **options: object) -> subprocess.Popen[str]:
    return child("train", place_data, "-o", run, "--epochs", str(EPOCHS), "--device", "cpu", *words, **options)


def read_until_epoch(process: subprocess.Popen[str], count: int) -> str:
    """Read stderr until ``count`` epochs were told; returns what was read."""
    assert process.stderr is not None
    read = ""
    while read.count("epoch ") < count:
        line = process.stderr.readline()
        assert line, f"ended too early: {read}"
        read += line
    return read


def hit(process: subprocess.Popen[str], number: int, epochs: int, delay_s: float = 0.0) -> Ended:
    """Send a signal ``delay_s`` after so many epochs, and wait for the end."""
    read = read_until_epoch(process, epochs)
    time.sleep(delay_s)
    process.send_signal(number)
    return ended(process, read)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("faults")
    data = write_data(folder / "drawn.npz")
    processes = [train(data, folder / name) for name in ("whole", "stopped")]
    told = hit(processes[1], signal.SIGTERM, 2)
    assert ended(processes[0]).code == 0
    return Place(data, folder / "whole", folder / "stopped", told)


@pytest.fixture
def stopped(place: Place, tmp_path: Path) -> Path:
    return shutil.copytree(place.stopped, tmp_path / "run")


def contents(path: Path) -> dict[str, bytes]:
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}


def assert_like_the_unbroken_run(run: Path, place: Place) -> None:
    assert (run / "weights.safetensors").read_bytes() == (place.whole / "weights.safetensors").read_bytes()
    ours, theirs = (
        [{**row, "seconds": 0} for row in read_history(path / "history.csv")] for path in (run, place.whole)
    )
    assert ours == theirs
    assert set(contents(run)) == set(contents(place.whole))


def test_sigterm_saves_and_ends_with_143_and_one_sentence(place: Place) -> None:
    assert place.told.code == 143
    assert place.told.sentence.startswith("stopped at epoch")
    assert place.told.sentence.endswith("saved, go on with --resume")
    assert len(list((place.stopped / "checkpoints").iterdir())) == 2
    assert not (place.stopped / "metrics.json").exists()


def test_a_run_killed_at_random_moments_and_resumed_ends_with_the_same_bytes(place: Place, tmp_path: Path) -> None:
    rng, run = random.Random(7), tmp_path / "run"
    assert hit(train(place.data, run), signal.SIGKILL, rng.randint(1, 4), rng.random() / 20).code == -9
    assert hit(train(place.data, run, "--resume"), signal.SIGKILL, rng.randint(1, 4), rng.random() / 20).code == -9
    assert (run / ".run.pid").exists()  # nobody could clean up
    last = ended(train(place.data, run, "--resume"))
    assert last.code == 0, last.err
    assert_like_the_unbroken_run(run, place)


def test_ctrl_c_saves_and_ends_with_130_and_meanwhile_a_second_trainer_is_told_the_first(
    place: Place, stopped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = train(place.data, stopped, "--resume")
    read = read_until_epoch(first, 1)
    first.send_signal(signal.SIGSTOP)  # so that it does not end before the second has come
    second = call(capsys, monkeypatch, "train", place.data, "-o", stopped, "--overwrite")
    first.send_signal(signal.SIGCONT)
    first.send_signal(signal.SIGINT)
    end = ended(first, read)
    assert second.code == 5
    assert f"process {first.pid} is training in this folder" in second.sentence
    assert end.code == 130
    assert "saved, go on with --resume" in end.sentence


def test_a_full_disk_ends_with_5_and_leaves_the_checkpoints_as_they_were(place: Place, stopped: Path) -> None:
    before = contents(stopped)

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    end = ended(train(place.data, stopped, "--resume", preexec_fn=no_large_files))
    assert end.code == 5
    assert "cannot be written" in end.sentence
    after = contents(stopped)
    assert {name: after[name] for name in before if name != "history.csv"} == {
        name: before[name] for name in before if name != "history.csv"
    }
    assert set(after) == set(before)  # nothing half written either


def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_it_taken(place: Place, stopped: Path) -> None:
    newest = max((stopped / "checkpoints").iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    end = ended(train(place.data, stopped, "--resume"))
    assert end.code == 0, end.err
    assert f"{newest.name}: damaged (its checksum does not match); trying the checkpoint before it" in end.err
    assert_like_the_unbroken_run(stopped, place)


def test_where_every_checkpoint_is_damaged_it_ends_with_4_and_overwrites_nothing(
    stopped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (stopped / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    before = contents(stopped)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    end = call(capsys, monkeypatch, "train", "-o", stopped, "--resume")
    assert end.code == 4
    assert "no checkpoint in it can be read" in end.sentence
    assert contents(stopped) == before


def test_a_file_in_the_place_of_the_run_folder_ends_with_5(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").write_text("mine")
    for run in (tmp_path / "run", tmp_path / "run" / "below"):
        end = call(capsys, monkeypatch, "train", place.data, "-o", run)
        assert end.code == 5
        assert str(run) in end.sentence
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_that_may_not_be_written_ends_with_5(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.access(tmp_path / "closed", os.W_OK):  # root may write anywhere but where the kernel itself says no
        run = Path("/proc/self/run")
        if not run.parent.is_dir():
            pytest.skip("neither a person whom a read-only folder stops nor /proc is here")
    else:
        run = tmp_path / "closed"
    end = call(capsys, monkeypatch, "train", place.data, "-o", run)
    assert end.code == 5
    assert str(run) in end.sentence


def test_a_second_signal_acts_at_once() -> None:
    # A shell starts what runs in its background with SIGINT ignored; tests may be run there too.
    outer = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stop_on_signals() as request:
            os.kill(os.getpid(), signal.SIGINT)
            assert request.signal_number == signal.SIGINT
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outer)


def test_handlers_are_put_back_after_an_error() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="of a test"), stop_on_signals():
        raise ValueError("of a test")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
