"""``digits tune``: the table and the plot, a sweep killed and gone on with, and what both engines say."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from digit_recognizer.training.recipe import Recipe
from tests.apps.command import Ended, child, ended, write_data

WORDS = ("--trials", "2", "--epochs", "2", "--device", "cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "drawn.npz", count=120)


def rows_of(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "trials.csv").open(newline="") as lines:
        return [{**row, "seconds": ""} for row in csv.DictReader(lines)]


def test_tune_leaves_a_table_a_plot_and_a_recipe_that_train_takes(
    data: Path, digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    told = digits_command("tune", data, "-o", "sweep", *WORDS, "--engine", "local", "--json")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    sweep = tmp_path / "sweep"
    assert [int(row["trial"]) for row in rows_of(sweep)] == [1, 2]
    assert [row["trial"] for row in document["trials"]] == [1, 2]
    assert (sweep / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert not (sweep / "checkpoints").exists()
    trained = digits_command("train", data, "-o", "run", "--recipe", "sweep/best.json", "--device", "cpu")
    assert trained.code == 0, trained.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert Recipe.from_dict(config["recipe"]) == Recipe.from_dict(document["recipe"])


def test_the_table_marks_the_best_and_the_preset_and_says_how_to_train_it(
    data: Path, digits_command: Callable[..., Ended]
) -> None:
    told = digits_command("tune", data, "-o", "sweep", "--trials", "1", "--epochs", "1", "--device", "cpu")
    assert told.code == 0, told.err
    assert "best, the preset itself, on the front" in told.out
    assert f"train it: digits train {data} --recipe sweep/best.json" in told.out
    assert told.err.count("trial 1, rung 1: ") == 1
    again = digits_command("tune", data, "-o", "sweep", "--trials", "1", "--epochs", "1", "--device", "cpu")
    assert again.out == told.out
    assert "1 row kept, going on" in again.err
    assert "trial 1, rung 1" not in again.err


@pytest.mark.usefixtures("one_thread")
def test_a_sweep_killed_then_stopped_goes_on_with_the_same_command_to_the_same_rows(
    data: Path, digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    words = ("--trials", "2", "--epochs", "30", "--device", "cpu")
    run_until_row = child("tune", data, "-o", tmp_path / "broken", *words)
    assert run_until_row.stderr is not None
    for line in run_until_row.stderr:
        if line.startswith("trial 1"):
            break
    run_until_row.send_signal(signal.SIGKILL)
    assert ended(run_until_row).code == -9
    assert len(rows_of(tmp_path / "broken")) == 1
    stopped = child("tune", data, "-o", tmp_path / "broken", *words)
    assert stopped.stderr is not None
    assert "1 row kept, going on" in next(line for line in stopped.stderr if "kept" in line)
    stopped.send_signal(signal.SIGTERM)
    end = ended(stopped)
    assert end.code == 143
    assert "1 row in" in end.sentence
    assert "the same command goes on" in end.sentence
    for name in ("broken", "whole"):
        last = digits_command("tune", data, "-o", name, *words)
        assert last.code == 0, last.err
    assert rows_of(tmp_path / "broken") == rows_of(tmp_path / "whole")
    assert (tmp_path / "broken" / "best.json").read_text() == (tmp_path / "whole" / "best.json").read_text()


def test_both_engines_give_the_same_rows(data: Path, digits_command: Callable[..., Ended], tmp_path: Path) -> None:
    pytest.importorskip("ray")
    on_ray = ended(child("tune", data, "-o", tmp_path / "ray", *WORDS, "--engine", "ray", "--workers", "2"))
    assert on_ray.code == 0, on_ray.err
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker's: sums of another number of threads differ in their last digits
    try:
        here = digits_command("tune", data, "-o", "local", *WORDS)
    finally:
        torch.set_num_threads(threads)
    assert here.code == 0, here.err
    assert rows_of(tmp_path / "ray") == rows_of(tmp_path / "local")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--trials", "0"), 2, "--trials: expected at least 1"),
        (("--seed", "-1"), 2, "--seed: expected 0 or more, found -1"),
        (("--val", "1"), 2, "--val: expected a share between 0 and 1, found 1"),
        (("--epochs", "0"), 2, "--epochs: expected at least 1, found 0"),
        (("--preset", "ship"), 2, "tune notebook, fast or best"),
        (("--preset", "nonsense"), 2, "tune notebook, fast or best"),
        (("--engine", "spark"), 2, "auto, local or ray"),
        (("--engine", "local", "--workers", "2"), 2, "--engine ray"),
        (("--engine", "ray", "--workers", "0"), 2, "--workers"),
    ],
)
def test_what_makes_no_sense_is_refused(
    data: Path,
    digits_command: Callable[..., Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.setattr("digit_recognizer.sources.catalog.load", None)  # before the data is read
    told = digits_command("tune", data, "-o", "sweep", *words)
    assert told.code == code
    assert sentence in told.sentence
    assert not (tmp_path / "sweep").exists()


def test_changed_settings_end_with_4(data: Path, digits_command: Callable[..., Ended]) -> None:
    assert digits_command("tune", data, "-o", "s", "--trials", "1", "--epochs", "1", "--device", "cpu").code == 0
    told = digits_command("tune", data, "-o", "s", "--trials", "2", "--epochs", "1", "--device", "cpu")
    assert told.code == 4
    assert "trials 1, not 2" in told.sentence


def test_a_recipe_that_is_none_is_refused(data: Path, digits_command: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"preset": "fast"}')
    (tmp_path / "list.json").write_text("[1]")
    for name in ("bad.json", "list.json"):
        told = digits_command("train", data, "-o", "run", "--recipe", name)
        assert told.code == 2
        assert name in told.sentence
    told = digits_command("train", data, "-o", "run", "--recipe", "bad.json", "--preset", "best")
    assert "--recipe and --preset" in told.sentence
    assert not (tmp_path / "run").exists()
