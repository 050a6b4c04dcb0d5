"""A CSV with wrong rows: refused, or read without them where that is asked for, by every command that learns."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.sources.catalog import load
from tests.apps.command import Ended
from tests.conftest import draw_digits

Call = Callable[..., Ended]
WRONG = 3  # rows of the file


@pytest.fixture
def table(tmp_path: Path) -> Path:
    digits = draw_digits(120, seed=4)
    rows = np.column_stack([digits.known_labels(), digits.images.reshape(120, -1)]).astype(str).tolist()
    rows[5][0] = "ten"
    rows[60].pop()
    rows[110][300] = ""
    lines = [["label", *(f"pixel{i}" for i in range(784))], *rows]
    path = tmp_path / "train.csv"
    path.write_text("\n".join(map(",".join, lines)) + "\n")
    return path


def test_a_wrong_row_refuses_the_file_and_names_its_line(digits_command: Call, table: Path) -> None:
    end = digits_command("explore", table)
    assert end.code == 3
    assert "line 7, column label: expected a whole number from 0 to 9, found 'ten'" in end.sentence


def test_explore_leaves_them_out_counts_them_and_says_why(digits_command: Call, table: Path) -> None:
    end = digits_command("explore", table, "--skip-bad-rows", "--json")
    assert end.code == 0
    found = json.loads(end.out)
    assert found["parts"]["train"]["images"] == 120 - WRONG
    assert found["left_out"]["rows"] == WRONG
    assert ["line 7" in found["left_out"]["reasons"][0], "line 62" in found["left_out"]["reasons"][1]] == [True, True]
    assert f"left out {WRONG} wrong rows:" in end.err
    assert "line 112, column pixel299: expected a whole number from 0 to 255, found an empty cell" in end.err
    assert "wrong rows left out" in digits_command("explore", table, "--skip-bad-rows").out


def test_in_a_zip_rows_to_predict_are_never_left_out(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "kaggle.zip"
    header, first, *_ = table.read_text().split("\n")
    to_predict = header.removeprefix("label,") + "\n" + first.split(",", 1)[1] + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(table, "train.csv")
        archive.writestr("test.csv", to_predict)
    dataset = load(path, skip_bad_rows=True)
    assert (len(dataset.labelled()), len(dataset.left_out)) == (120 - WRONG, WRONG)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(table, "train.csv")
        archive.writestr("test.csv", to_predict.replace(",0", ",zero", 1))
    with pytest.raises(Exception, match=r"test\.csv, line 2"):
        load(path, skip_bad_rows=True)


def test_a_run_remembers_that_rows_were_left_out(digits_command: Call, table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    end = digits_command("train", table, "--skip-bad-rows", "-o", run, "--epochs", "1", "--val", "0.2")
    assert end.code == 0, end.err
    assert end.err.count("left out 3 wrong rows") == 1
    assert json.loads((run / "config.json").read_text())["data"]["rows_left_out"] == WRONG
    assert digits_command("train", "--resume", "-o", run).code == 0
    assert digits_command("export", run, "--int8", "-o", tmp_path / "small.onnx").code == 0
    assert digits_command("evaluate", table, "-m", run).code == 3
    end = digits_command("evaluate", table, "-m", run, "--skip-bad-rows", "--json")
    assert (end.code, json.loads(end.out)["part"]) == (0, "validation")
