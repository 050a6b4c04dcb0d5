"""digits predict on pictures, and digits info on the model that ships: tables, CSV, JSON, exit codes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.analysis.metrics import OUT_OF_REACH
from digit_recognizer.model_file import with_metadata
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import PROGRAM, Ended
from tests.conftest import draw_digits
from tests.plain_models import CARD, plain_bytes, plain_proto, unfamiliar_bytes

NO_MODEL = "this version ships without a model; train one with: digits train DATA -o RUN, then --model RUN"
Call = Callable[..., Ended]


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "plain.onnx"
    path.write_bytes(plain_bytes())
    return path


@pytest.fixture
def pictures(tmp_path: Path, digits_command: Call) -> list[str]:
    """Pictures of digits in the working folder, and one that is damaged."""
    (tmp_path / "scans").mkdir()
    names = ["one.png", "scans/2.png", "scans/10.jpg"]
    for name, image in zip(names, draw_digits(3).images, strict=True):
        Image.fromarray(255 - np.pad(image, 20)).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes((tmp_path / "one.png").read_bytes()[:80])
    return names


def test_pictures_are_predicted_as_python_reads_them(digits_command: Call, model: Path, pictures: list[str]) -> None:
    expected = Recognizer(model).predict(pictures)
    for words in (pictures, ["one.png", "scans"], ["one.png", "scans/*"]):
        end = digits_command("predict", *words, "-m", model)
        rows = list(csv.DictReader(io.StringIO(end.out)))
        assert (end.code, end.err) == (0, "")
        assert [row["name"] for row in rows] == pictures
        assert [int(row["digit"]) for row in rows] == [reading.digit for reading in expected]
    document = json.loads(digits_command("predict", *pictures, "-m", model, "--json").out)
    assert document == [{**reading.to_dict(), "reason": reading.reason} for reading in expected]
    written = digits_command("predict", *pictures, "-m", model, "-o", "out.csv")
    assert (written.out, Path("out.csv").read_text()) == ("", end.out)
    assert "3 predictions written to out.csv" in written.err


def test_what_a_person_should_know_of_a_file_is_told(digits_command: Call, model: Path, pictures: list[str]) -> None:
    Path("two.jpg").write_bytes(Path("one.png").read_bytes())
    end = digits_command("predict", "one.png", "two.jpg", "-m", model)
    assert (end.code, end.err) == (0, "warning: two.jpg: the name says JPEG, the file is PNG\n")
    assert len(end.out.splitlines()) == 3


def test_what_is_not_accepted_is_told_with_the_reason_which_csv_does_not_hold(
    digits_command: Call, model: Path, pictures: list[str]
) -> None:
    Image.new("L", (60, 60), 255).save("blank.png")
    end = digits_command("predict", "one.png", "blank.png", "-m", model)
    assert (end.code, end.err) == (0, "not accepted: blank.png: blank\n")
    many = digits_command("predict", "one.png", *["blank.png"] * 4, "-m", model)
    assert many.err == "not accepted: 4 of 5 pictures; --json tells why\n"


def test_several_digits_on_a_picture_are_told_to_be_for_read(digits_command: Call, pictures: list[str]) -> None:
    row = np.concatenate([np.pad(image, 8) for image in draw_digits(6).images], axis=1)
    Image.fromarray(255 - row).save("row.png")
    end = digits_command("predict", "row.png")
    assert end.err == (
        "not accepted: row.png: not a digit\n"
        "one digit a picture is expected here; numbers of several digits: digits read\n"
    )


def test_a_threshold_of_ones_own_decides_what_is_accepted(
    digits_command: Call, model: Path, pictures: list[str]
) -> None:
    def accepted(*words: str) -> list[bool]:
        document = json.loads(digits_command("predict", *pictures, "-m", model, "--json", *words).out)
        return [reading["accepted"] for reading in document]

    assert accepted("--min-confidence", "0") == [True] * 3
    assert accepted("--min-confidence", "1") == [False] * 3
    for none in ("-0.1", "1.1", "nan"):
        for command in ("predict", "read"):
            end = digits_command(command, "missing.png", "--min-confidence", none)
            assert (end.code, end.sentence) == (2, f"--min-confidence: expected a confidence from 0 to 1, found {none}")


def test_a_flat_folder_is_pictures_and_one_by_class_is_a_data_set(
    digits_command: Call, model: Path, pictures: list[str]
) -> None:
    flat = digits_command("predict", "scans", "-m", model)
    assert [line.split(",")[0] for line in flat.out.splitlines()] == ["name", "scans/2.png", "scans/10.jpg"]
    for digit in "12":
        Path("classes", digit).mkdir(parents=True)
        Path("classes", digit, "a.png").write_bytes(Path("one.png").read_bytes())
    by_class = digits_command("predict", "classes", "-m", model)
    assert [line.split(",")[0] for line in by_class.out.splitlines()] == ["name", "1/a.png", "2/a.png"]


def test_a_picture_that_fails_is_named_and_the_others_go_on(
    digits_command: Call, model: Path, pictures: list[str]
) -> None:
    end = digits_command("predict", "one.png", "bad.png", "missing.png", "scans/2.png", "-m", model)
    assert end.code == 1
    assert [line.split(",")[0] for line in end.out.splitlines()] == ["name", "one.png", "scans/2.png"]
    sentences = end.err.splitlines()
    assert len(sentences) == 3
    assert sentences[0].startswith("error: bad.png: expected a whole PNG picture")
    assert sentences[1].startswith("error: missing.png: cannot be read")
    assert sentences[2] == "2 of 4 pictures could not be read"
    document = json.loads(digits_command("predict", "bad.png", "one.png", "-m", model, "--json").out)
    assert document[0]["error"]["code"] == "truncated_image"
    assert document[1]["name"] == "one.png"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["bad.png"], 3), (["bad.png", "bad.png"], 3), (["bad.png", "missing.png"], 3), (["missing.png"], 5),
        (["missing.png", "none.png"], 5), (["none/*.png"], 3),
    ],
)  # fmt: skip
def test_where_no_picture_can_be_read_nothing_is_printed_or_written(
    digits_command: Call, model: Path, pictures: list[str], words: list[str], code: int
) -> None:
    end = digits_command("predict", *words, "-m", model, "-o", "out.csv")
    assert (end.code, end.out) == (code, "")
    assert sum(line.startswith("error: ") for line in end.err.splitlines()) == len(words)
    assert not Path("out.csv").exists()


def test_a_picture_may_come_through_stdin(digits_command: Call, model: Path, pictures: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "predict", "-", "-m", str(model), "--json"]
    run = subprocess.run(command, input=Path("one.png").read_bytes(), capture_output=True, timeout=120)
    (expected,) = json.loads(digits_command("predict", "one.png", "-m", model, "--json").out)[:1]
    assert json.loads(run.stdout) == [{**expected, "name": "stdin"}]


def test_on_a_terminal_pictures_are_a_table_without_terminal_codes(
    digits_command: Call, model: Path, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal, though nobody looks on
    Path("a\x1b[2Jb.png").write_bytes(Path("one.png").read_bytes())
    Image.new("L", (50, 50), 255).save("blank.png")
    out = digits_command("predict", "a\x1b[2Jb.png", "blank.png", "-m", model).out
    assert "\x1b[2J" not in out
    assert "a\\x1b[2Jb.png" in out
    assert "no: blank" in out
    assert "name,digit" not in out


@pytest.mark.parametrize("name", ["=cmd.png", "+1.png", "-1.png", "@sum.png", "\tx.png"])
def test_a_name_that_is_a_formula_is_made_harmless_in_csv_alone(
    digits_command: Call, model: Path, pictures: list[str], name: str
) -> None:
    Path(name).write_bytes(Path("one.png").read_bytes())
    rows = list(csv.DictReader(io.StringIO(digits_command("predict", "-m", model, "--", name).out)))
    assert [row["name"] for row in rows] == [f"'{name}"]
    (entry,) = json.loads(digits_command("predict", "-m", model, "--json", "--", name).out)
    assert entry["name"] == name


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["a.csv", "b.csv"], 2, "a.csv, b.csv: expected pictures, or one data set at a time"),
        (["a.csv", "sample"], 2, "a.csv, sample: expected pictures, or one data set at a time"),
        (["one.png", "-o", "-", "--json"], 2, "--output - and --json both print on stdout; give --output a file"),
        (["form.pdf"], 3, "found a PDF; digits read, or Recognizer.read, takes its pages"),
    ],
)
def test_what_another_call_is_for_is_told(
    digits_command: Call, pictures: list[str], words: list[str], code: int, sentence: str
) -> None:
    for name, content in (("a.csv", b"label\n"), ("b.csv", b"label\n"), ("form.pdf", b"%PDF-1.7\n")):
        Path(name).write_bytes(content)
    end = digits_command("predict", *words)
    assert end.code == code
    assert end.sentence.endswith(sentence)


@pytest.mark.parametrize("name", ["x.svg", "x.ppm", "X.AVIF", "x.jp2", "x.ico"])
def test_of_a_picture_that_is_not_read_predict_says_what_read_says(
    digits_command: Call, pictures: list[str], name: str
) -> None:
    Path(name).write_bytes({"x.svg": b"<svg/>", "x.ppm": b"P5 2 2 255 abcd"}.get(name, b"\0\0\0 ftypavif"))
    predicted, read = digits_command("predict", name), digits_command("read", name)
    assert predicted == read
    assert predicted.code == 3
    assert f"{name}: expected a picture (PNG, JPEG, WebP, BMP, TIFF, GIF or HEIC), found " in predicted.sentence


def test_redirected_results_are_utf8_in_every_locale_and_json_names_any_file(pictures: list[str]) -> None:
    names = ["日本ü.png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        shutil.copy(pictures[0], name)
    end = subprocess.run(
        [sys.executable, "-c", PROGRAM, "predict", *names, "--json"],
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert [entry["name"] for entry in json.loads(end.stdout.decode("utf-8"))] == ["日本ü.png", "caf\\udce9.png"]


def test_a_model_without_a_threshold_that_holds_accepts_nothing_and_says_so(
    digits_command: Call, tmp_path: Path
) -> None:
    card = replace(CARD, min_confidence=OUT_OF_REACH, max_error=0.001)
    (tmp_path / "m.onnx").write_bytes(with_metadata(plain_proto().SerializeToString(), card))
    assert digits_command("info", "--model", "m.onnx").out.splitlines()[-1] == (
        "accepts nothing: no threshold kept the wrong among the accepted validation images to 0.1 %"
    )
    Image.fromarray(draw_digits(1).images[0]).save(tmp_path / "a.png")
    (read,) = json.loads(digits_command("predict", "a.png", "--model", "m.onnx", "--json").out)
    assert (read["accepted"], read["reason"]) == (False, "unsure")


def test_info_tells_of_the_model_that_ships_or_that_none_does(
    digits_command: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digit_recognizer.shipped._ASSETS", tmp_path)
    end = digits_command("info")
    assert (end.code, end.err) == (0, f"note: {NO_MODEL}\n")
    assert json.loads(digits_command("info", "--json").out)["model"] is None
    content = unfamiliar_bytes(replace(CARD, min_confidence=0.97, max_error=0.001))
    (tmp_path / "digits.onnx").write_bytes(content)
    (tmp_path / "digits.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  digits.onnx\n")
    card = json.loads(digits_command("info", "--json").out)["model"]
    assert (card["name"], card["sha256"]) == ("digits.onnx", hashlib.sha256(content).hexdigest())
    assert (card["min_confidence"], card["max_error"], card["tells_non_digits"]) == (0.97, 0.001, True)
    shown = digits_command("info").out
    assert "Model: the one that ships" in shown
    assert "accepted: confidence of at least 0.97, so that at most 0.1 % of the accepted are wrong" in shown
    (tmp_path / "digits.onnx").write_bytes(content[:-1])
    damaged = digits_command("info", "--json")
    assert (damaged.code, json.loads(damaged.out)["error"]["code"]) == (4, "damaged_model")
