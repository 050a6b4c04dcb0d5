"""digits train-lines: a folder with a line reader comes out, and readings use it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from digit_recognizer.files import read_bytes
from digit_recognizer.line_reader import LineReader
from digit_recognizer.shipped import shipped_model
from digit_recognizer.training.lines.compose import Strips
from tests.apps.command import call


def test_a_line_reader_is_trained_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fonts").mkdir()
    words = ("train-lines", "sample", "-o", tmp_path / "run", "--rows", "8", "--steps", "2", "--device", "cpu")
    ended = call(capsys, monkeypatch, *words, "--fonts", tmp_path / "fonts", "--json")
    assert ended.code == 0, ended.err
    metrics = json.loads(ended.out)["metrics"]
    assert metrics["steps"] == 2
    assert metrics == json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    strips = Strips.load(tmp_path / "run" / "strips-validation.npz")
    reader = LineReader(read_bytes(tmp_path / "run" / "lines.onnx"), "lines.onnx")
    assert len(reader.frames([strips.image(0)])[0]) == strips.image(0).shape[1] // 2


def test_a_training_goes_on_from_a_line_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fonts").mkdir()
    start = tmp_path / "lines.onnx"
    start.write_bytes(shipped_model("lines.onnx").content)
    words = ("train-lines", "sample", "-o", tmp_path / "run", "--rows", "8", "--steps", "1", "--device", "cpu")
    words += ("--fonts", tmp_path / "fonts", "--start", start, "--learning-rate", "1e-6", "--json")
    ended = call(capsys, monkeypatch, *words, "--first-row", "90000")
    assert ended.code == 0, ended.err
    strips = Strips.load(tmp_path / "run" / "strips-validation.npz")
    images = [strips.image(number) for number in range(len(strips))]
    before, after = (
        LineReader(content, "lines.onnx").frames(images)
        for content in (start.read_bytes(), (tmp_path / "run" / "lines.onnx").read_bytes())
    )
    alike = [one.argmax(1) == other.argmax(1) for one, other in zip(before, after, strict=True)]
    assert np.concatenate(alike).mean() > 0.9


@pytest.mark.parametrize("kind", ["another", "none", "missing"])
def test_what_is_no_line_reader_is_no_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    start = tmp_path / "start.onnx"
    if kind != "missing":
        start.write_bytes(shipped_model("digits.onnx").content if kind == "another" else b"no model")
    ended = call(capsys, monkeypatch, "train-lines", "sample", "-o", tmp_path / "run", "--start", start)
    assert ended.code == (5 if kind == "missing" else 4)
    assert "start.onnx" in ended.sentence
    assert not (tmp_path / "run").exists()


def test_senseless_numbers_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for option, value in (("--rows", "0"), ("--steps", "0"), ("--minutes", "-1")):
        ended = call(capsys, monkeypatch, "train-lines", "sample", "-o", tmp_path / "run", option, value)
        assert ended.code == 2
        assert ended.sentence.startswith(f"{option}: expected ")
    assert not (tmp_path / "run").exists()
