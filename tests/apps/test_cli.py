"""The command digits as a person or a program meets it: exit codes, sentences, JSON, CSV, and what it never loads."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from digit_recognizer._version import __version__
from digit_recognizer.analysis import metrics
from digit_recognizer.analysis.inputs import input_figures
from digit_recognizer.apps.cli import app
from digit_recognizer.digits import Digits
from digit_recognizer.model_file import with_metadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.shipped import shipped_model
from digit_recognizer.sources.catalog import load
from tests.apps.command import PROGRAM, Ended, child, ended, write_data
from tests.conftest import draw_digits
from tests.plain_models import CARD, plain_bytes, plain_proto

COMMANDS = (
    "run",
    "explore",
    "train",
    "tune",
    "train-lines",
    "train-ink",
    "train-cells",
    "evaluate",
    "predict",
    "read",
    "serve",
    "batch",
    "export",
    "report",
    "info",
)
Call = Callable[..., Ended]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "plain.onnx"
    path.write_bytes(plain_bytes())
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "drawn.npz", count=60)


def test_every_command_is_known_to_these_tests() -> None:
    named = {info.name or getattr(info.callback, "__name__", "") for info in app.registered_commands}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_swallows_no_default(digits_command: Call, command: str) -> None:
    end = digits_command(command, "--help")
    assert end.code == 0
    assert end.out.startswith(f"Usage: digits {command}")
    assert end.err == ""
    if command in ("run", "train"):
        for default in ("[default: fast]", "[default: 0]", "[default: 0.1]", "[default: auto]", "[default: runs/NAME"):
            assert default in end.out
    if command in ("train-lines", "train-ink", "train-cells"):
        assert "preset" not in end.out


def test_the_version_is_the_packages(digits_command: Call) -> None:
    assert digits_command("--version") == Ended(0, f"{__version__}\n", "")


def test_digits_alone_shows_help_and_exits_2_without_an_empty_error(digits_command: Call) -> None:
    end = digits_command()
    assert end.code == 2
    assert end.err == ""
    assert all(f"\n  {command}" in end.out for command in COMMANDS)
    assert "..." not in end.out.split("Commands:")[1]  # no summary is cut


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nonsense"], "try: digits --help"),
        (["train", "--nonsense"], "try: digits train --help"),
        (["export"], "try: digits export --help"),
        (["train", "sample", "--seed", "x"], "try: digits train --help"),
        (["train"], "try: digits train sample"),
        (["train", "sample", "--resume"], "--resume needs --output"),
        (["train", "sample", "--resume", "--overwrite", "-o", "r"], "exclude each other"),
        (["train", "sample", "--preset", "slow"], "choose notebook, fast, best"),
        (["train", "sample", "--val", "1.5"], "between 0 and 1"),
        (["train", "sample", "--epochs", "0"], "--epochs: expected at least 1, found 0"),
        (["train", "sample", "-o"], "try: digits train --help"),
        (["--nonsense"], "try: digits --help"),
        (["read", "a.png", "--csv"], "try: digits read --help"),
        (["explore", "missing.csv", "--seed", "-1"], "--seed: expected 0 or more, found -1"),
        (["train", "sample", "--device", "tpu"], "choose auto, cpu, cuda, mps"),
        (["evaluate", "sample", "--part", "half", "--model", "plain.onnx"], "expected auto, train, test or validation"),
    ],
)
def test_a_wrong_call_exits_2_with_one_sentence_and_a_way_out(
    digits_command: Call, model: Path, words: list[str], hint: str
) -> None:
    before = set(model.parent.iterdir())
    end = digits_command(*words)
    assert end.code == 2
    assert hint in end.sentence
    assert end.out == ""
    assert set(model.parent.iterdir()) == before


FAILURES = {
    2: ["evaluate", "sample", "--part", "half", "--model", "plain.onnx"],
    3: ["explore", "bad.csv"],
    4: ["info", "--model", "broken.onnx"],
    5: ["explore", "missing.csv"],
}


@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("as_json", [False, True])
def test_each_kind_of_failure_has_its_exit_code_one_sentence_and_with_json_one_document(
    digits_command: Call, model: Path, code: int, as_json: bool
) -> None:
    (model.parent / "bad.csv").write_text("label," + ",".join(f"pixel{n}" for n in range(784)) + "\n7,1\n")
    (model.parent / "broken.onnx").write_bytes(b"\x08not a model")
    end = digits_command(*FAILURES[code], *(["--json"] if as_json else []))
    assert end.code == code
    if as_json:
        error = json.loads(end.out)["error"]
        assert error["message"] == end.sentence
        assert error["code"].isidentifier()
    else:
        assert end.out == ""


@pytest.mark.parametrize("name", ["nofile", "nofile.csv", "no/file.zip", "http://a.example/a.csv"])
def test_a_file_that_is_not_there_exits_5_whatever_its_name_and_the_command(digits_command: Call, name: str) -> None:
    for words in (("explore",), ("predict",), ("evaluate",), ("read",), ("train", "-o", "r"), ("run", "-o", "r")):
        end = digits_command(words[0], name, *words[1:])
        assert (end.code, end.out) == (5, "")
        assert end.sentence.startswith(f"{name}: ")
        assert "Kaggle" not in end.sentence
    assert not Path("r").exists()


def test_an_unexpected_error_exits_1_and_says_how_to_see_more(
    digits_command: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: str, **options: bool) -> None:
        raise ZeroDivisionError("of a test")

    monkeypatch.setattr("digit_recognizer.sources.catalog.load", fail)
    end = digits_command("explore", "sample", "--json")
    assert end.code == 1
    assert "unexpected ZeroDivisionError: of a test" in end.sentence
    assert "--debug" in end.sentence
    assert json.loads(end.out)["error"]["code"] == "unexpected"


def test_debug_shows_the_traceback(digits_command: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_DEBUG", "")  # put back afterwards
    end = digits_command("--debug", "explore", "missing.csv")
    assert end.code == 5
    assert "Traceback" in end.err
    assert end.err.rstrip().splitlines()[-1].startswith("error: missing.csv")


def test_ctrl_c_before_training_exits_130_with_one_word_and_one_document(
    digits_command: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(data: str, **options: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("digit_recognizer.sources.catalog.load", interrupt)
    end = digits_command("explore", "sample", "--json")
    assert (end.code, end.sentence) == (130, "stopped")
    assert json.loads(end.out) == {"error": {"code": "interrupted", "message": "stopped"}}


@pytest.mark.parametrize("moment", ["numpy", "typer", "digit_recognizer.apps.terminal"])
def test_ctrl_c_while_libraries_are_loaded_exits_130_with_one_word_and_one_document(moment: str) -> None:
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background of a shell
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {moment!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from digit_recognizer.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "explore", "sample", "--json"]
    end = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (end.returncode, end.stderr) == (130, "error: stopped\n")
    assert json.loads(end.stdout) == {"error": {"code": "interrupted", "message": "stopped"}}


def test_explore_prints_label_counts_and_that_no_value_is_missing(digits_command: Call, data: Path) -> None:
    lines = [line.split() for line in digits_command("explore", data).out.splitlines()]
    assert ["missing", "values", "none"] in lines
    assert ["7", "6", "10.0", "%"] in lines  # 60 drawn digits, every class in turn
    document = json.loads(digits_command("explore", data, "--json").out)
    assert document["parts"]["train"]["images"] == 60


def test_evaluate_is_what_python_says(digits_command: Call, data: Path, model: Path) -> None:
    digits = load(str(data)).labelled()
    expected = metrics.evaluate(Recognizer(model).probabilities(digits.images), digits.known_labels()).to_dict()
    document = json.loads(digits_command("evaluate", data, "--model", model, "--json").out)
    assert {name: document[name] for name in expected} == json.loads(json.dumps(expected))
    assert (document["part"], document["seen_in_training"]) == ("train", None)
    shown = digits_command("evaluate", data, "--model", model).out
    assert f"{expected['errors']} wrong" in shown
    assert f"log-loss {expected['log_loss']:.4f}" in shown


def test_evaluate_takes_a_labelled_test_part_first(digits_command: Call, tmp_path: Path, model: Path) -> None:
    train, test = draw_digits(30), draw_digits(20, seed=2)
    np.savez("both.npz", x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    document = json.loads(digits_command("evaluate", "both.npz", "--model", model, "--json").out)
    assert (document["part"], document["n"]) == ("test", 20)


@pytest.mark.parametrize(
    ("order", "seen", "said"),
    [
        (slice(None), True, "warning: the model was trained on train of some.npz; these figures flatter it"),
        (slice(None, None, -1), None, "note: it is not known whether the model, trained on all.npz, learnt from"),
        (slice(20), None, "note: it is not known whether the model, trained on all.npz, learnt from"),
    ],
    ids=["the same", "in another order", "a part"],
)
def test_evaluate_says_whether_the_model_learnt_from_the_images_and_where_it_does_not_know(
    digits_command: Call, tmp_path: Path, order: slice, seen: bool | None, said: str
) -> None:
    digits = draw_digits(30)
    card = replace(CARD, data="all.npz", data_fingerprint=digits.fingerprint())
    (tmp_path / "own.onnx").write_bytes(with_metadata(plain_proto().SerializeToString(), card))
    np.savez("some.npz", x_train=digits.images[order], y_train=digits.known_labels()[order])
    ended = digits_command("evaluate", "some.npz", "--model", "own.onnx", "--json")
    assert json.loads(ended.out)["seen_in_training"] is seen
    assert len([line for line in ended.err.splitlines() if line.startswith(said)]) == 1
    assert ("it is not known" in ended.err) is (seen is None)


def test_images_without_names_or_labels_are_predicted_as_kaggle_wants_it(
    digits_command: Call, tmp_path: Path, model: Path
) -> None:
    data = write_data(tmp_path / "kaggle.npz", count=20, test=15)
    expected = [reading.digit for reading in Recognizer(model).predict(draw_digits(15, seed=2))]
    printed = digits_command("predict", data, "--model", model)
    assert printed.out == "ImageId,Label\n" + "".join(f"{n},{digit}\n" for n, digit in enumerate(expected, 1))
    assert digits_command("predict", data, "--model", model, "-o", "-").out == printed.out
    written = digits_command("predict", data, "--model", model, "-o", "out.csv")
    assert (written.out, Path("out.csv").read_text()) == ("", printed.out)
    assert "15 predictions written to out.csv" in written.err


def test_other_images_are_predicted_with_name_and_confidence(digits_command: Call, data: Path, model: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(digits_command("predict", data, "--model", model).out)))
    document = json.loads(digits_command("predict", data, "--model", model, "--json").out)
    expected = Recognizer(model).predict(load(str(data)).labelled())
    assert list(rows[0]) == ["name", "digit", "confidence", "accepted", "second", "second_confidence"]
    assert document == [{**reading.to_dict(), "reason": reading.reason} for reading in expected]
    for row, reading in zip(rows, expected, strict=True):
        assert row["name"] == reading.name
        assert int(row["digit"]) == reading.digit
        assert float(row["confidence"]) == pytest.approx(reading.confidence, abs=1e-6)
        assert row["accepted"] == str(reading.accepted).lower()


def test_predict_refuses_a_picture_over_the_limit_and_the_limit_can_be_raised(
    digits_command: Call, model: Path, data: Path
) -> None:
    cv2.imwrite("large.png", np.full((6500, 6500), 255, np.uint8))
    cv2.imwrite("small.png", np.full((60, 60), 255, np.uint8))
    refused = digits_command("predict", "large.png", "-m", model)
    assert refused.code == 3
    assert "more than the limit of 40,000,000" in refused.sentence
    assert refused.sentence.endswith("or raise the limit with --max-pixels")
    assert digits_command("predict", "large.png", "-m", model, "--max-pixels", "43000000").code == 0
    several = digits_command("predict", "large.png", "small.png", "-m", model, "--max-pixels", "42000000")
    assert several.code == 1
    assert "more than the limit of 42,000,000" in several.err
    assert digits_command("predict", "large.png", "-m", model, "--max-pixels", "0").code == 2
    assert digits_command("predict", data, "-m", model, "--max-pixels", "50").code == 2


@pytest.mark.parametrize(
    ("size", "told"), [((16_000, 10_001), "16,000 × 10,001 pixels"), ((30_000, 30_000), "900,000,000 pixels")]
)
@pytest.mark.parametrize("command", ["predict", "read"])
def test_of_a_picture_over_any_limit_the_size_is_told_and_no_limit_to_raise(
    digits_command: Call, model: Path, command: str, size: tuple[int, int], told: str
) -> None:
    Image.new("1", size).save("huge.png")
    end = digits_command(command, "huge.png", "-m", model)
    assert end.code == 3
    assert end.sentence == f"huge.png: {told}, more than the limit of 40,000,000; make the picture smaller"


def test_export_copies_the_model_byte_for_byte_and_refuses_another(
    digits_command: Call, tmp_path: Path, model: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.onnx").write_bytes(model.read_bytes())
    end = digits_command("export", "run", "-o", "copy.onnx")
    assert end.code == 0
    assert Path("copy.onnx").read_bytes() == model.read_bytes()
    assert Recognizer("copy.onnx").sha256 in end.out
    document = json.loads(digits_command("export", "run", "-o", "copy.onnx", "--json").out)
    assert document == {"model": "copy.onnx", "bytes": model.stat().st_size, "sha256": Recognizer("copy.onnx").sha256}
    (tmp_path / "run" / "model.onnx").write_bytes(b"\x08")
    assert digits_command("export", "run", "-o", "second.onnx").code == 4
    assert not Path("second.onnx").exists()


def test_info_says_what_the_model_says_of_itself(digits_command: Call, model: Path) -> None:
    document = json.loads(digits_command("info", "--model", model, "--json").out)
    recognizer = Recognizer(model)
    assert document["versions"]["digit-recognizer"] == __version__
    assert document["model"]["sha256"] == recognizer.sha256
    assert document["model"]["min_confidence"] == recognizer.min_confidence
    shown = digits_command("info", "--model", model).out
    assert recognizer.sha256 in shown  # whole, not cut to the width of a terminal
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in shown


def test_info_names_the_networks_for_pages_and_what_extras_brought(digits_command: Call, model: Path) -> None:
    document = json.loads(digits_command("info", "--model", model, "--json").out)
    assert document["readers"] == {
        name: shipped_model(name).sha256 for name in ("lines.onnx", "ink.onnx", "cells.onnx")
    }
    assert document["versions"]["pypdfium2"] == metadata.version("pypdfium2")
    shown = digits_command("info", "--model", model).out
    for name, sha256 in document["readers"].items():
        assert name in shown
        assert sha256 in shown


def test_info_shows_the_figures_of_the_digits_a_model_was_validated_on(digits_command: Call, tmp_path: Path) -> None:
    figures = input_figures(draw_digits(20).images, np.full((20, 10), 0.1), 0.05)
    card = replace(CARD, inputs=figures)
    (tmp_path / "told.onnx").write_bytes(with_metadata(plain_proto().SerializeToString(), card))
    document = json.loads(digits_command("info", "--model", "told.onnx", "--json").out)
    assert document["model"]["inputs"] == figures.to_dict()
    shown = digits_command("info", "--model", "told.onnx").out
    assert f"{figures.ink.mean:.6g} ± {figures.ink.deviation:.6g}" in shown
    assert "inputs: accepted" in shown


@pytest.mark.parametrize(
    ("library", "words", "install"),
    [
        ("torch", ["train", "sample", "-o", "run"], 'training needs an extra: pip install "digit-recognizer[train]"'),
        ("torch", ["run", "sample", "-o", "run"], 'training needs an extra: pip install "digit-recognizer[train]"'),
        ("matplotlib", ["run", "sample", "-o", "run"], 'pip install "digit-recognizer[report]"'),
        ("jinja2", ["report", "."], 'pip install "digit-recognizer[report]"'),
        ("matplotlib", ["explore", "sample", "-o", "out"], 'pip install "digit-recognizer[report]"'),
    ],
)
def test_a_missing_extra_is_told_with_the_command_that_brings_it(
    tmp_path: Path, library: str, words: list[str], install: str
) -> None:
    program = f"import sys; sys.modules[{library!r}] = None; sys.argv = {['digits', *words]!r}; {PROGRAM}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    end = Ended(run.returncode, run.stdout, run.stderr)
    assert end.code == 2
    assert end.sentence.endswith(install)
    assert end.out == ""  # nothing was begun
    assert list(tmp_path.iterdir()) == []


def test_helping_exploring_predicting_evaluating_and_telling_never_load_torch_or_plots(
    data: Path, model: Path, tmp_path: Path
) -> None:
    calls = [
        ["--help"],
        ["explore", str(data)],
        ["predict", str(data), "-m", str(model)],
        ["evaluate", str(data), "-m", str(model)],
        ["info", "-m", str(model)],
        ["export", str(model), "-o", str(tmp_path / "copy.onnx")],
    ]
    program = (
        "import sys\n"
        "from digit_recognizer.apps.cli import main\n"
        f"for words in {calls!r}:\n"
        "    sys.argv = ['digits', *words]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0, words\n"
        "heavy = {'torch', 'onnx', 'matplotlib', 'jinja2', 'pandas', 'pyarrow', 'pooch', 'filelock', 'safetensors'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_reader_that_goes_away_is_no_error(command: str, data: Path, model: Path, tmp_path: Path) -> None:
    many = draw_digits(3000, seed=4)  # more than a pipe holds
    np.savez(tmp_path / "many.npz", x_train=many.images, y_train=many.known_labels())
    process = child(command, tmp_path / "many.npz", "-m", model)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    end = ended(process)
    others = [line for line in end.err.splitlines() if not line.startswith("note: it is not known whether the model")]
    assert (end.code, others) == (0, [])


def test_where_nobody_reads_the_error_the_exit_code_still_tells(tmp_path: Path) -> None:
    process = child("explore", tmp_path / "nothing.csv")
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    assert process.wait(timeout=120) == 5


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_is_as_good_as_the_null_device(data: Path, tmp_path: Path, closed: str) -> None:
    words = shlex.join([sys.executable, "-c", PROGRAM, "predict", str(data), "-o", str(tmp_path / "out.csv")])
    run = subprocess.run(["/bin/sh", "-c", f"{words} {closed}"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0
    assert run.stdout == ""
    assert "predictions written" in run.stderr or "2>&-" in closed
    assert (tmp_path / "out.csv").read_text().startswith(("name,", "ImageId,"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["predict data", "predict picture", "read --csv -", "read --json"])
def test_a_full_disk_behind_stdout_exits_5(data: Path, model: Path, tmp_path: Path, command: str) -> None:
    image = np.full((80, 80), 255, np.uint8)
    image[20:60, 38:43] = 0
    cv2.imwrite(str(tmp_path / "one.png"), image)
    name, *options = command.split()
    if options[:1] in (["data"], ["picture"]):
        options = [str(data if options[0] == "data" else tmp_path / "one.png"), "-m", str(model)]
    else:
        options = [str(tmp_path / "one.png"), "-m", str(model), *options]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-c", PROGRAM, name, *options]
        run = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, env=environment)
    assert run.returncode == 5
    assert run.stderr.splitlines()[-1] == "error: reading or writing failed (No space left on device)"


def test_a_terminal_without_our_letters_is_no_error(data: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-c", PROGRAM, "explore", str(data)]
    run = subprocess.run(words, capture_output=True, text=True, timeout=120, env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert "missing values" in run.stdout


def test_names_of_images_come_through_predict(digits_command: Call, tmp_path: Path, model: Path) -> None:
    from digit_recognizer.apps.predictions import is_submission, predictions_csv

    named = Digits(draw_digits(2).images, None, ("a,b.png", "=1+1.png"))
    assert not is_submission(named)
    rows = list(csv.DictReader(io.StringIO(predictions_csv(named, Recognizer(model).predict(named)))))
    assert [row["name"] for row in rows] == ["a,b.png", "'=1+1.png"]  # a spreadsheet would run the bare name


@pytest.mark.parametrize("share", ["0", "1", "-0.1"])
def test_an_error_budget_that_is_no_share_is_refused(digits_command: Call, share: str) -> None:
    end = digits_command("train", "sample", "-o", "run", "--max-error", share)
    assert end.code == 2
    assert "--max-error: expected a share between 0 and 1" in end.err


def test_pen_strokes_that_are_missing_are_refused_before_the_run_folder_is_made(
    digits_command: Callable[..., Ended], tmp_path: Path
) -> None:
    end = digits_command(
        "train", "sample", "-o", "run", "--preset", "ship", "--strokes", "missing.json", "--device", "cpu"
    )
    assert end.code == 5
    assert "missing.json" in end.sentence
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("predict", ""),
        ("read", ""),
        ("batch", "", "-o", "out"),
        ("explore", "", "-o", "out"),
        ("evaluate", ""),
        ("train", "", "-o", "out"),
        ("run", "", "-o", "out"),
    ],
)
def test_an_empty_path_is_not_taken_for_the_current_folder(
    digits_command: Call, tmp_path: Path, words: tuple[str, ...]
) -> None:
    Image.fromarray(np.pad(draw_digits(8).images[7], 10)).save(tmp_path / "seven.png")
    ended = digits_command(*words)
    assert (ended.code, ended.sentence) == (5, "expected a path, found an empty one")
    assert ended.out == ""
    assert os.listdir(tmp_path) == ["seven.png"]
