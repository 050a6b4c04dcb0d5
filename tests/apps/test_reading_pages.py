"""digits read: text, JSON, annotated pictures and exit codes, against what Python reads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from digit_recognizer.recognizer import Recognizer
from tests.apps.command import PROGRAM, Ended
from tests.conftest import draw_digits
from tests.plain_models import constant, plain_bytes

Call = Callable[..., Ended]


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "plain.onnx"
    # Sure of whatever it says: words that a model doubts are no numbers.
    sharper = helper.make_node("Mul", ["logits", "many"], ["sharp"])
    path.write_bytes(plain_bytes(extra=[sharper], constants=[constant("many", 50)], last="sharp"))
    return path


@pytest.fixture
def pages(tmp_path: Path, digits_command: Call) -> list[str]:
    """Two pages of three digits each, a blank one, and one that is damaged."""
    (tmp_path / "scans").mkdir()
    for name, seed in (("one.png", 0), ("scans/2.png", 1)):
        row = np.concatenate(list(draw_digits(3, seed=seed).images), axis=1)
        Image.fromarray(255 - np.pad(row, 20)).save(tmp_path / name)
    Image.new("L", (80, 60), 255).save(tmp_path / "scans/blank.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "one.png").read_bytes()[:80])
    return ["one.png", "scans/2.png", "scans/blank.png"]


def test_text_and_json_say_what_python_reads(digits_command: Call, model: Path, pages: list[str]) -> None:
    expected = Recognizer(model).read(pages)
    assert any(page.digits for page in expected)
    document = json.loads(digits_command("read", *pages, "-m", model, "--json").out)
    assert document == [page.to_dict() for page in expected]
    several = digits_command("read", "one.png", "scans", "-m", model)
    lines = [f"{page.name}: {line.text}" for page in expected for line in page.lines]
    assert (several.code, several.out.splitlines()) == (0, lines)
    alone = digits_command("read", "one.png", "-m", model)
    assert alone.out.splitlines() == [line.text for line in expected[0].lines]


def test_a_blank_picture_is_no_error(digits_command: Call, model: Path, pages: list[str]) -> None:
    end = digits_command("read", "scans/blank.png", "-m", model)
    assert (end.code, end.out, end.err) == (0, "", "")
    document = json.loads(digits_command("read", "scans/blank.png", "-m", model, "--json").out)
    assert document == [{"file": "scans/blank.png", "lines": [], "rejected": []}]


def test_a_page_may_come_through_stdin(digits_command: Call, model: Path, pages: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "read", "-", "-m", str(model), "--json"]
    run = subprocess.run(command, input=Path("one.png").read_bytes(), capture_output=True, timeout=120)
    (expected,) = json.loads(digits_command("read", "one.png", "-m", model, "--json").out)
    assert json.loads(run.stdout) == [{**expected, "file": "stdin"}]


def test_annotated_pictures_have_the_size_of_the_page_and_colour_where_digits_are(
    digits_command: Call, model: Path, pages: list[str]
) -> None:
    Path("other").mkdir()
    Path("other/one.png").write_bytes(Path("one.png").read_bytes())
    end = digits_command("read", "one.png", "other/one.png", "-m", model, "--annotate", "drawn")
    assert end.code == 0
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["one-2.png", "one.png"]
    drawn = np.asarray(Image.open("drawn/one.png")).astype(int)
    assert drawn.shape == (*np.asarray(Image.open("one.png")).shape, 3)
    coloured = (np.ptp(drawn, axis=2) > 50).any(0).nonzero()[0]
    boxes = [digit.box for digit in Recognizer(model).read("one.png").digits]
    assert coloured.min() < min(box[0] for box in boxes)
    assert coloured.max() >= max(box[0] + box[2] for box in boxes)


@pytest.mark.parametrize(("words", "code"), [(["bad.png"], 3), (["missing.png"], 5), (["bad.png", "one.png"], 1)])
def test_what_cannot_be_read_is_named(
    digits_command: Call, model: Path, pages: list[str], words: list[str], code: int
) -> None:
    end = digits_command("read", *words, "-m", model)
    assert end.code == code
    assert end.sentence.startswith(words[0])


@pytest.mark.parametrize("words", [["--expect", "9y9"], ["--expect", "7-3"], ["--check", "isbn"], ["--numbers", "hex"]])
def test_an_expectation_that_is_none_is_refused_before_reading(
    digits_command: Call, model: Path, pages: list[str], words: list[str]
) -> None:
    end = digits_command("read", "missing.png", "-m", model, *words)
    assert (end.code, end.out) == (2, "")
    assert end.sentence.startswith("expected ")
