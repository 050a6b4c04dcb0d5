"""No command writes over what it reads, nor over what is not its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.apps.command import Ended, write_data
from tests.conftest import draw_digits
from tests.plain_models import plain_bytes

Call = Callable[..., Ended]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data set, pictures in a folder, a run folder and a link to the pictures' folder."""
    write_data(tmp_path / "drawn.npz", count=60)
    (tmp_path / "scans").mkdir()
    for number, image in enumerate(draw_digits(3, seed=4).images):
        cv2.imwrite(str(tmp_path / "scans" / f"{number}.png"), image)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.onnx").write_bytes(plain_bytes())
    (tmp_path / "linked").symlink_to(tmp_path / "scans")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "drawn.npz", "-o", "drawn.npz"),
        ("predict", "drawn.npz", "-o", "scans/../drawn.npz"),
        ("predict", "scans/1.png", "-o", "scans/1.png"),
        ("predict", "scans/1.png", "-o", "linked/1.png"),
        ("predict", "scans", "-o", "scans/1.png"),
        ("predict", "scans/*.png", "-o", "scans/1.png"),
        ("predict", "scans/0.png", "scans/1.png", "-o", "scans/1.png"),
        ("predict", "drawn.npz", "-o", "run/model.onnx"),
        ("read", "scans", "--csv", "scans/1.png"),
        ("read", "scans/1.png", "--csv", "linked/1.png"),
        ("read", "scans/1.png", "--csv", "run/model.onnx"),
    ],
)
@pytest.mark.parametrize("model", ["run", "run/model.onnx"])
def test_what_is_read_is_never_written_over(
    digits_command: Call, place: Path, words: tuple[str, ...], model: str
) -> None:
    before = files(place)
    end = digits_command(*words, "--model", model)
    assert (end.code, end.out) == (2, "")
    assert "which is read, and would be lost" in end.sentence
    assert files(place) == before


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("predict", "scans", "-o", "scans"), "this is a folder"),
        (("predict", "drawn.npz", "-o", "scans"), "this is a folder"),
        (("predict", "scans", "-o", "/dev/null"), "this is a device or a pipe"),
        (("predict", "scans", "-o", "drawn.npz/a.csv"), "drawn.npz is no folder"),
        (("predict", "scans", "-o", "locked/new/a.csv"), "permission denied in "),
        (("read", "scans", "--csv", "scans"), "this is a folder"),
        (("read", "scans", "--csv", "locked/a.csv"), "permission denied in "),
        (("read", "scans", "--annotate", "drawn.npz"), "this is a file"),
        (("read", "scans", "--show-steps", "locked/steps"), "permission denied in "),
        (("explore", "drawn.npz", "-o", "drawn.npz"), "this is a file"),
        (("export", "run", "-o", "locked/a.onnx"), "permission denied in "),
    ],
)
def test_where_nothing_can_be_written_nothing_is_read(
    digits_command: Call, place: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], found: str
) -> None:
    (place / "locked").mkdir()
    allowed = os.access
    monkeypatch.setattr(
        "os.access", lambda path, mode: "locked" not in str(path) and allowed(path, mode)
    )  # root may all
    monkeypatch.setattr("digit_recognizer.recognizer.read_model", None)
    monkeypatch.setattr("digit_recognizer.model_file.read_model", None)
    monkeypatch.setattr("digit_recognizer.sources.catalog.load", None)
    end = digits_command(*words)
    assert (end.code, end.out) == (5, "")
    assert f"{words[-2]} {words[-1]}".replace("-o", "--output") in end.sentence
    assert found in end.sentence


def test_answers_may_lie_in_the_folder_that_is_read_and_be_written_again(digits_command: Call, place: Path) -> None:
    for _ in range(2):
        assert digits_command("predict", "scans", "-o", "scans/answers.csv", "-m", "run").code == 0
        assert digits_command("read", "scans", "--csv", "scans/lines.csv", "-m", "run").code == 0
    assert digits_command("predict", "drawn.npz", "-o", "run/submission.csv", "-m", "run").code == 0


def test_export_in_int8_says_why_it_needs_labels(digits_command: Call, place: Path) -> None:
    (place / "run" / "config.json").write_text("{}")
    np.savez(place / "unlabelled.npz", images=draw_digits(20, labelled=False).images)
    end = digits_command("export", "run", "-o", "small.onnx", "--int8", "--data", "unlabelled.npz")
    assert end.code == 3
    assert end.sentence == (
        "unlabelled.npz: expected labelled digits to find the layers' ranges with (their labels tell which pieces of "
        "them are no digit), found none"
    )
    assert not (place / "small.onnx").exists()


@pytest.mark.parametrize("int8", [(), ("--int8", "--data", "drawn.npz")])
def test_export_writes_over_models_of_digits_alone(digits_command: Call, place: Path, int8: tuple[str, ...]) -> None:
    (place / "thesis.txt").write_text("three years of work")
    (place / "foreign.onnx").write_bytes(b"\x08\x08\x3a\x00")
    before = files(place)
    for name in ("thesis.txt", "foreign.onnx", "drawn.npz", "scans"):
        end = digits_command("export", "run", "-o", name, *int8)
        assert (end.code, end.out) == (5, "")
        assert "no model of digits, so it is not written over" in end.sentence
    end = digits_command("export", "run", "-o", "run/model.onnx", *int8)
    assert end.code == 2
    assert files(place) == before
