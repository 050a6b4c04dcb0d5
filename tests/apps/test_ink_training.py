"""digits train-ink: a folder with an ink finder comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from digit_recognizer.files import read_bytes
from digit_recognizer.ink_finder import InkFinder
from tests.apps.command import call


def test_an_ink_finder_is_trained_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fonts").mkdir()
    words = ("train-ink", "sample", "-o", tmp_path / "run", "--scenes", "8", "--steps", "2", "--device", "cpu")
    ended = call(capsys, monkeypatch, *words, "--fonts", tmp_path / "fonts", "--json")
    assert ended.code == 0, ended.err
    metrics = json.loads(ended.out)["metrics"]
    assert metrics["steps"] == 2
    assert metrics == json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    finder = InkFinder(read_bytes(tmp_path / "run" / "ink.onnx"), "ink.onnx")
    assert finder.ink(np.zeros((40, 50), np.uint8)).shape == (40, 50)


def test_senseless_numbers_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for option, value in (("--scenes", "0"), ("--steps", "0"), ("--minutes", "-1")):
        ended = call(capsys, monkeypatch, "train-ink", "sample", "-o", tmp_path / "run", option, value)
        assert ended.code == 2
        assert ended.sentence.startswith(f"{option}: expected ")
    assert not (tmp_path / "run").exists()
