"""Which engine does the trainings of a command where none was named, and what a resumed run brings."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from digit_recognizer.apps.engines import asked_engine, chosen_engine
from digit_recognizer.apps.scale import side_by_side
from digit_recognizer.errors import MissingExtra, UsageError
from digit_recognizer.files import write_json
from digit_recognizer.training.run_folder import RunFolder
from tests.apps.command import Ended, write_data
from tests.training.tiny import TINY


@pytest.mark.parametrize(
    ("cores", "installed", "trainings", "device", "expected"),
    [
        (2, True, 10, "cpu", "ray"),
        (2, True, 1, "cpu", "local"),
        (2, True, 10, "cuda", "local"),
        (1, True, 10, "cpu", "local"),
        (2, False, 10, "cpu", "local"),
    ],
)
def test_ray_is_taken_where_it_is_there_and_gains_something(
    monkeypatch: pytest.MonkeyPatch, cores: int, installed: bool, trainings: int, device: str, expected: str
) -> None:
    monkeypatch.setattr(side_by_side, "available_cores", lambda: cores)
    monkeypatch.setattr(side_by_side, "is_installed", lambda: installed)
    assert chosen_engine("auto", trainings, device) == expected
    assert chosen_engine("local", trainings, device) == "local"
    if device == "cpu":
        assert chosen_engine("ray", trainings, device) == "ray"
    else:
        with pytest.raises(UsageError, match="not cuda"):
            chosen_engine("ray", trainings, device)


@pytest.mark.parametrize("missing", ["ray", "pandas"])
def test_ray_counts_as_installed_with_all_that_tune_needs(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(side_by_side, "find_spec", lambda name: object())
    assert side_by_side.is_installed()
    monkeypatch.setattr(side_by_side, "find_spec", lambda name: None if name == missing else object())
    assert not side_by_side.is_installed()


def test_who_names_workers_or_a_cluster_asks_for_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    from digit_recognizer.apps.scale import cluster

    asked: list[str | None] = []
    monkeypatch.setattr(cluster, "ensure_possible", asked.append)
    assert asked_engine(None, None, None) == asked_engine("auto", None, None) == "auto"
    assert asked_engine("local", None, None) == "local"
    assert asked == []
    assert asked_engine(None, 2, None) == asked_engine("auto", None, "auto") == asked_engine("ray", None, None) == "ray"
    assert asked == [None, "auto", None]


def test_a_resumed_run_brings_the_engine_that_it_was_begun_with(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    assert asked_engine(None, None, None, tmp_path) == "auto"
    for begun, engine in ((True, "ray"), (False, "local")):
        write_json(RunFolder(tmp_path).config, {"side_by_side": True} if begun else {})
        assert asked_engine(None, None, None, tmp_path) == engine
    assert asked_engine("auto", None, None, tmp_path) == "auto"


@pytest.mark.parametrize("installed", [True, False])
def test_nets_are_trained_side_by_side_where_ray_is_there_and_nothing_was_said(
    digits_command: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    if installed:
        pytest.importorskip("ray")
    monkeypatch.setattr(side_by_side, "available_cores", lambda: 2)
    monkeypatch.setattr(side_by_side, "is_installed", lambda: installed)
    data, recipe = write_data(tmp_path / "drawn.npz", count=90), tmp_path / "two.json"
    recipe.write_text(json.dumps(replace(TINY, members=2, epochs=2).to_dict()))
    told = digits_command("train", data, "-o", "run", "--recipe", recipe, "--device", "cpu")
    assert told.code == 0, told.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert ("each net on a CPU of its own" in told.err + told.out) is installed
    assert config.get("side_by_side", False) is installed
    assert config["threads"] == (1 if installed else torch.get_num_threads())
    assert "net 2, 2/2 · " in told.err


def test_without_ray_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"digit-recognizer\[scale\]"):
        asked_engine(None, 2, None)
    assert asked_engine(None, None, None) == "auto"
