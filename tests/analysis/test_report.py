"""The report: one file, complete, escaped, readable back by a parser of HTML."""

from __future__ import annotations

import base64
import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digit_recognizer.analysis import metrics, plots, report
from digit_recognizer.analysis.explore import explore
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import CheckpointError, FileError
from tests.conftest import draw_digits

EVIL = "<script>alert(1)</script>\"'&.zip"
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Tags with attributes and the text of a page; unbalanced tags are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data + " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def write_run(folder: Path, name: str = "three.zip") -> dict[str, Any]:
    """A whole run folder; its metrics come back."""
    digits = draw_digits(200)
    test = Digits(draw_digits(50, seed=1).images)
    labels = digits.known_labels()
    probabilities = np.where(np.eye(10, dtype=bool)[labels], 0.991, 0.001).astype(np.float32)
    probabilities[4] = np.roll(probabilities[4], 5)
    evaluation = metrics.evaluate(probabilities, labels).to_dict()
    values = evaluation | {"preset": "fast", "train_seconds": 754.2, "epochs": 2, "parameters": 71_234}
    values |= {"temperature": 0.8, "max_error": 0.001, "min_confidence": 0.93, "images_per_second": 15_230.0}
    config = {
        "command": f"digits run {name} -o runs/a",
        "created": "2026-01-02T03:04:05+00:00",
        "preset": "fast",
        "seed": 17,
        "data": {"name": name, "fingerprint": "ab" * 32, "train": 180, "validation": 20, "test": 50},
        "versions": {"numpy": "2.4"},
        "machine": {"cpu": "a slow one"},
        "recipe": {"optimizer": {"name": "adamw"}, "elastic": None, "channels": [16, 32]},
    }
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(values))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "explore.json").write_text(json.dumps(explore(Dataset(name, digits, test)).to_dict()))
    (folder / "submission.csv").write_text("ImageId,Label\n")
    with (folder / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "epoch", "seconds", "loss", "val_accuracy"])
        writer.writerows([[1, 1, 9.5, 0.5, ""], [1, 2, 9.4, 0.4, 0.9876]])
    plots.plot_loss(report.read_history(folder / "history.csv"), folder / "plots" / "loss.png")
    plots.plot_mean_digits(digits, folder / "plots" / "mean_digits.png")
    plots.plot_mean_digits(digits, folder / "plots" / "something_else.png")
    return values


def read(path: Path) -> Page:
    return Page(path.read_text("utf-8"))


def test_the_report_says_what_the_run_folder_holds(tmp_path: Path):
    values = write_run(tmp_path / "run")
    page = read(report.write_report(tmp_path / "run"))
    assert values["errors"] == 1
    for said in (
        "99.50 %",
        "95 % interval 97.22 % to 99.91 %",
        "200 validation images",
        "1 mistake;",
        "4 read as 9 (1)",
        "digits run three.zip -o runs/a",
        "12 min 34 s",
        "98.76 %",
        "missing values none none",
        "optimizer: name adamw",
        "a slow one",
        "seed 17",
        "2026-01-02 03:04 UTC",
        "submission.csv",
    ):
        assert said in page.text, said


def test_a_training_that_is_not_finished_is_told_as_such(tmp_path: Path):
    write_run(tmp_path / "run")
    assert "digits train --resume" not in read(report.write_report(tmp_path / "run")).text
    (tmp_path / "run/metrics.json").unlink()
    said = read(report.write_report(tmp_path / "run")).text
    assert "This training is not finished. digits train --resume goes on with it." in said
    (tmp_path / "run/history.csv").unlink()
    said = read(report.write_report(tmp_path / "run")).text
    assert "Nothing is learnt yet: no epoch of this training has ended. digits train --resume goes on with it." in said


def test_a_model_that_accepts_nothing_is_not_said_to_have_a_bar(tmp_path: Path):
    values = write_run(tmp_path / "run") | {"min_confidence": metrics.OUT_OF_REACH}
    (tmp_path / "run/metrics.json").write_text(json.dumps(values))
    said = read(report.write_report(tmp_path / "run")).text
    assert "No answer is accepted: there is no bar at which at most 0.10 % of the accepted validation" in said


def test_a_run_without_mistakes_says_so_instead_of_an_empty_picture(tmp_path: Path):
    values = write_run(tmp_path / "run")
    empty = np.zeros((0, 28, 28), np.uint8)
    no_labels, no_answers = np.zeros(0, np.int64), np.zeros((0, 10))
    plots.plot_mistakes(empty, no_labels, no_answers, [], tmp_path / "run/plots/mistakes.png")
    pictures = read(report.write_report(tmp_path / "run")).all("img")
    (tmp_path / "run/metrics.json").write_text(json.dumps(values | {"errors": 0, "confusion": np.eye(10).tolist()}))
    page = read(report.write_report(tmp_path / "run"))
    assert "Mistakes None on 200 validation images." in page.text
    assert len(page.all("img")) == len(pictures) - 1


def test_the_report_is_one_file_that_asks_nothing_of_anyone(tmp_path: Path):
    write_run(tmp_path / "run")
    path = report.write_report(tmp_path / "run")
    page = read(path)
    assert not page.all("script")
    assert not page.all("link")
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    assert "http://" not in path.read_text()
    assert "https://" not in path.read_text()
    assert [meta.get("name") for meta in page.all("meta")][1] == "viewport"
    pictures = page.all("img")
    assert len(pictures) == 3
    stored = {p.read_bytes() for p in (tmp_path / "run" / "plots").iterdir()}
    assert {base64.b64decode((p["src"] or "").removeprefix("data:image/png;base64,")) for p in pictures} == stored


def test_the_report_can_be_read_without_seeing_it(tmp_path: Path):
    write_run(tmp_path / "run")
    page = read(report.write_report(tmp_path / "run"))
    assert page.all("html")[0]["lang"] == "en"
    assert all(picture["alt"] and picture["width"] and picture["height"] for picture in page.all("img"))
    assert len(page.all("h1")) == 1
    assert page.all("th")
    assert all(header.get("scope") in ("row", "col") for header in page.all("th"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(link["href"] or "")[1:] for link in page.all("a")} <= set(ids)


def test_names_of_files_cannot_break_out_of_the_text(tmp_path: Path):
    write_run(tmp_path / "run", name=EVIL)
    (tmp_path / "run" / "plots" / "something_else.png").rename(tmp_path / "run" / "plots" / "<b onload=x>'\".png")
    page = read(report.write_report(tmp_path / "run"))
    assert not page.all("script")
    assert not page.all("b")
    assert EVIL in page.text
    assert "<b onload=x>'\"" in [picture["alt"] for picture in page.all("img")]


@pytest.mark.parametrize("missing", ["config.json", "metrics.json", "explore.json", "history.csv", "plots"])
def test_whatever_is_missing_is_left_out(tmp_path: Path, missing: str):
    write_run(tmp_path / "run")
    (tmp_path / "run" / missing).rename(tmp_path / missing)
    page = read(report.write_report(tmp_path / "run"))
    shown = {"config.json": "How to repeat it", "metrics.json": "Digit by digit", "explore.json": "missing values"}
    shown |= {"history.csv": "Every epoch", "plots": "The mean image of each digit"}
    for name, words in shown.items():
        assert (words in page.text) == (name != missing), words


def test_an_exploration_alone_makes_a_report(tmp_path: Path):
    found = explore(Dataset("unlabelled", None, Digits(draw_digits(30).images)))
    (tmp_path / "explore.json").write_text(json.dumps(found.to_dict()))
    page = read(report.write_report(tmp_path))
    assert "30 images of handwritten digits." in page.text
    assert "interval" not in page.text


def test_a_first_run_without_validation_figures_yet_makes_a_report(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"command": "digits train mnist", "seed": 1}')
    (tmp_path / "metrics.json").write_text('{"epochs": 3, "val_loss": null}')
    assert "digits train mnist" in read(report.write_report(tmp_path)).text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", b'{"accuracy": ', "metrics.json: expected JSON"),
        ("metrics.json", b"[1]", "metrics.json: expected a JSON object, found list"),
        ("metrics.json", b'{"accuracy": "high"}', "not as a run writes it"),
        ("config.json", b"\xff\xfe{", "config.json: expected JSON"),
        ("explore.json", b'{"parts": {}}', "not as a run writes it"),
        ("history.csv", b"epoch,loss\n1,0.5\n2,low\n", "history.csv, line 3: expected an epoch"),
        ("history.csv", b"epoch,loss\n1,0.5\n2,0.4,0.3\n", "history.csv, line 3: expected an epoch"),
        ("history.csv", b"loss\n0.5\n", "history.csv, line 2: expected an epoch"),
        ("plots/loss.png", b"GIF89a", "expected a PNG picture"),
    ],
)
def test_a_damaged_file_is_named_and_the_old_report_stays(tmp_path: Path, name: str, content: bytes, message: str):
    write_run(tmp_path / "run")
    old = report.write_report(tmp_path / "run").read_bytes()
    (tmp_path / "run" / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        report.write_report(tmp_path / "run")
    assert (tmp_path / "run" / "report.html").read_bytes() == old


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match="found none of them"):
        report.write_report(tmp_path)
    with pytest.raises(FileError, match="no folder of this name"):
        report.write_report(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "report.html").write_text("")
    with pytest.raises(FileError, match=r"report\.html: expected a run folder, this is a file"):
        report.write_report(tmp_path / "report.html")


def test_a_name_that_utf_8_cannot_write_does_not_stop_the_report(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"data": {"name": "scan-\udcff.zip"}}))
    assert "scan-\\udcff.zip" in read(report.write_report(tmp_path)).text


def test_history_reads_numbers_and_empty_cells(tmp_path: Path):
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n1,0.5,\n")
    assert report.read_history(tmp_path / "history.csv") == [{"member": 1, "epoch": 1, "loss": 0.5, "val_loss": None}]
