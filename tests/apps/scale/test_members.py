"""``digits train --engine ray``: the same bytes as one after another, killed on the way and gone on with; refusals."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from digit_recognizer.training.run_folder import RunFolder
from tests.apps.command import Ended, child, write_data
from tests.training.tiny import TINY

RAY = ("--engine", "ray", "--workers", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "drawn.npz", count=120)


@pytest.fixture
def words(data: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """What to train: three nets; Ray trains the first two together, and the third after one of them."""
    recipe = tmp_path / "three.json"
    recipe.write_text(json.dumps(replace(TINY, members=3, epochs=12, deskew_every=3).to_dict()))
    return (data, "--recipe", recipe, "--device", "cpu")


def patiently(process: subprocess.Popen[str]) -> Ended:
    """Wait for a child to end, however busy the machine is that it starts Ray on."""
    out, err = process.communicate(timeout=900)
    return Ended(process.returncode, out, err)


@pytest.mark.usefixtures("ray_installed", "one_thread")
def test_nets_trained_on_ray_killed_and_resumed_are_those_trained_one_after_another(
    words: tuple[str | Path, ...], digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    killed = child("train", *words, "-o", tmp_path / "ray", *RAY)
    assert killed.stderr is not None
    lines = iter(killed.stderr)
    first = next(line for line in lines if "val accuracy" in line)
    killed.send_signal(signal.SIGKILL)
    assert patiently(killed).code == -signal.SIGKILL
    assert first.startswith("net ")
    there = [member for member in (1, 2, 3) if RunFolder(tmp_path / "ray").members.file(member).is_file()]
    assert there
    last = patiently(child("train", "--resume", "-o", tmp_path / "ray", "--workers", "2"))
    assert last.code == 0, last.err
    assert f"{len(there)} of 3 nets are there, going on with the others" in last.err
    for member in (1, 2, 3):
        assert (f"net {member}: " in last.err) == (member not in there)
    here = digits_command("train", *words, "-o", "here")
    assert here.code == 0, here.err
    ours, theirs = RunFolder(tmp_path / "here"), RunFolder(tmp_path / "ray")
    assert ours.weights.read_bytes() == theirs.weights.read_bytes()
    assert not theirs.members.folder.exists()


@pytest.mark.usefixtures("ray_installed")
@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--preset", "fast", "--engine", "ray"), 2, "fast is one net"),
        (("--preset", "best", "--engine", "local", "--workers", "2"), 2, "--engine ray"),
        (("--preset", "fast", "--workers", "2"), 2, "fast is one net"),
        (("--preset", "best", "--engine", "spark"), 2, "auto, local or ray"),
        (("--preset", "best", "--engine", "ray", "--address", "127.0.0.1:1"), 5, "no Ray cluster answers"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    data: Path,
    digits_command: Callable[..., Ended],
    tmp_path: Path,
    options: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    told = digits_command("train", data, "-o", "run", "--device", "cpu", *options)
    assert told.code == code
    assert sentence in told.sentence
    assert not (tmp_path / "run").exists()


def test_without_ray_one_sentence_says_what_to_install(
    data: Path, digits_command: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ray" else find(name, *rest))
    told = digits_command("train", data, "-o", "run", "--preset", "best", "--engine", "ray")
    assert told.code == 2
    assert 'pip install "digit-recognizer[scale]"' in told.sentence
    assert not (tmp_path / "run").exists()
