"""digits train-cells: a folder with a cell reader comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from digit_recognizer.cell_reader import CellReader
from digit_recognizer.files import read_bytes
from tests.apps.command import call


def test_a_cell_reader_is_trained_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fonts").mkdir()
    words = ("train-cells", "sample", "-o", tmp_path / "run", "--cells", "40", "--steps", "2", "--device", "cpu")
    ended = call(capsys, monkeypatch, *words, "--fonts", tmp_path / "fonts", "--json")
    assert ended.code == 0, ended.err
    metrics = json.loads(ended.out)["metrics"]
    assert metrics["steps"] == 2
    assert metrics == json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    reader = CellReader(read_bytes(tmp_path / "run" / "cells.onnx"), "cells.onnx")
    assert reader.probabilities(np.zeros((2, 48, 48), np.uint8)).shape == (2, 12)


def test_a_file_or_a_folder_of_other_files_is_no_place_for_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    monkeypatch.setattr("digit_recognizer.training.cells.job.compose_cells", None)  # before anything is composed
    for name, found in (("mine", "holds files that are no run of ours"), ("mine/notes.txt", "this is a file")):
        ended = call(capsys, monkeypatch, "train-cells", "sample", "-o", tmp_path / name, "--overwrite")
        assert ended.code == 5
        assert found in ended.sentence
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_senseless_numbers_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for option, value in (("--cells", "0"), ("--steps", "0"), ("--minutes", "-1")):
        ended = call(capsys, monkeypatch, "train-cells", "sample", "-o", tmp_path / "run", option, value)
        assert ended.code == 2
        assert ended.sentence.startswith(f"{option}: expected ")
    assert not (tmp_path / "run").exists()
