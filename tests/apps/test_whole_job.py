"""The whole job: from one file of digits to a report, a submission and a model, and once more from what it left."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.analysis import plots
from digit_recognizer.analysis.metrics import OUT_OF_REACH
from digit_recognizer.apps.terminal import Terminal
from digit_recognizer.apps.whole_job import show_result, training_note
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.catalog import load
from digit_recognizer.training.augment import Augmentation
from digit_recognizer.training.recipe import best, fast, notebook
from digit_recognizer.training.run_folder import PLOTS
from tests.apps.command import Ended, call, child, ended, write_data
from tests.conftest import draw_digits

Call = Callable[..., Ended]


@dataclass(frozen=True)
class Run:
    folder: Path
    data: Path
    document: dict[str, Any]
    end: Ended


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``digits run`` on drawn digits with a test part, which no test changes."""
    folder = tmp_path_factory.mktemp("whole")
    data = write_data(folder / "drawn.npz", count=120, test=40)
    end = ended(child("run", data, "-o", folder / "run", "--epochs", "2", "--json", "--device", "cpu"))
    assert end.code == 0, end.err
    return Run(folder / "run", data, json.loads(end.out), end)


@pytest.fixture
def digits_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)  # as the child had
    return lambda *words: call(capsys, monkeypatch, *words)


@pytest.fixture
def copied(run: Run, tmp_path: Path) -> Path:
    return shutil.copytree(run.folder, tmp_path / "run")


def test_a_training_that_gives_no_threshold_is_told_of(capsys: pytest.CaptureFixture[str], run: Run) -> None:
    metrics = json.loads((run.folder / "metrics.json").read_text())
    show_result(Terminal(as_json=False), {**metrics, "min_confidence": OUT_OF_REACH})
    assert "the model accepts nothing: no threshold kept the wrong" in capsys.readouterr().err


def contents(path: Path) -> dict[str, bytes]:
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}


def test_the_whole_job_leaves_every_file_and_no_checkpoints(run: Run) -> None:
    assert set(contents(run.folder)) - {".run.lock"} == {
        "config.json",
        "explore.json",
        "history.csv",
        "metrics.json",
        "model.onnx",
        "report.html",
        "split.json",
        "submission.csv",
        "weights.safetensors",
        *(f"plots/{name}.png" for name in PLOTS),
    }


def test_the_document_says_where_everything_is_and_how_good(run: Run) -> None:
    assert run.document["run"] == str(run.folder)
    assert Path(run.document["report"]) == run.folder / "report.html"
    assert Path(run.document["submission"]) == run.folder / "submission.csv"
    assert run.document["predictions"] == run.document["submission"]
    assert run.document["metrics"] == json.loads((run.folder / "metrics.json").read_text())
    assert run.document["seconds"] > 0


def test_progress_goes_to_stderr_a_line_an_epoch(run: Run) -> None:
    lines = [line for line in run.end.err.splitlines() if not line.startswith("note: ")]
    assert [line.split(" · ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]


def test_the_submission_numbers_from_1_what_the_model_says_of_the_test_part(run: Run) -> None:
    with (run.folder / "submission.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))
    test = load(str(run.data)).test
    assert test is not None
    answers = Recognizer(run.folder).probabilities(test.images).argmax(1)
    assert rows == [["ImageId", "Label"], *([str(n), str(digit)] for n, digit in enumerate(answers, 1))]


def test_the_report_holds_the_figures_of_the_run(run: Run) -> None:
    page = (run.folder / "report.html").read_text()
    assert f"{100 * run.document['metrics']['val_accuracy']:.2f}" in page
    assert page.count("data:image/png;base64,") == len(PLOTS)


def test_a_report_written_anew_is_the_same_page(run: Run, copied: Path, digits_command: Call) -> None:
    (copied / "report.html").unlink()
    end = digits_command("report", copied)
    assert (end.code, end.out.strip()) == (0, str(copied / "report.html"))
    assert (copied / "report.html").read_bytes() == (run.folder / "report.html").read_bytes()


def test_resuming_a_finished_job_gives_every_file_again_byte_for_byte(
    run: Run, copied: Path, digits_command: Call
) -> None:
    shutil.rmtree(copied / "plots")  # as if it had been killed while it drew
    (copied / "submission.csv").unlink()
    end = digits_command("run", "-o", copied, "--resume", "--device", "cpu")
    assert end.code == 0
    assert "already finished" in end.err
    assert contents(copied) == contents(run.folder)


def test_evaluating_a_run_on_its_own_data_takes_the_part_that_it_held_out(run: Run, digits_command: Call) -> None:
    document = json.loads(digits_command("evaluate", run.data, "--model", run.folder, "--json").out)
    assert (document["part"], document["seen_in_training"]) == ("validation", False)
    assert document["accuracy"] == run.document["metrics"]["val_accuracy"]
    flattered = json.loads(digits_command("evaluate", run.data, "-m", run.folder / "model.onnx", "--json").out)
    assert (flattered["part"], flattered["seen_in_training"]) == ("train", True)


def test_mistakes_are_named_by_their_number_in_the_source(
    run: Run, copied: Path, digits_command: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[np.ndarray, tuple[str, ...]]] = []
    draw = plots.plot_mistakes

    def note(images: Any, labels: Any, probabilities: Any, names: Any, path: Any) -> Path:
        seen.append((images, tuple(names)))
        return draw(images, labels, probabilities, names, path)

    monkeypatch.setattr(plots, "plot_mistakes", note)
    assert digits_command("run", "-o", copied, "--resume", "--device", "cpu").code == 0
    [(images, names)] = seen
    source = load(str(run.data)).labelled().images
    for image, name in zip(images, names, strict=True):
        np.testing.assert_array_equal(image, source[int(name.removeprefix("image ")) - 1])


def test_the_sample_is_the_default_and_says_what_it_is(
    digits_command: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    end = digits_command("run", "--epochs", "1", "--device", "cpu")
    assert end.code == 0, end.err
    assert "the embedded sample" in end.out
    assert "digits run mnist" in end.out
    folder = tmp_path / "runs" / "sample"
    assert (folder / "report.html").is_file()
    assert len((folder / "submission.csv").read_text().splitlines()) == 298
    assert json.loads((folder / "config.json").read_text())["command"] == "digits run --epochs 1 --device cpu"
    assert "Training: fast, 1 epoch, cpu" in end.out


def test_data_and_pictures_with_names_that_are_not_utf8_are_no_obstacle(
    digits_command: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = Path(os.fsdecode(b"d\xe9"))
    digits = draw_digits(20)
    for number, (image, label) in enumerate(zip(digits.images, digits.known_labels(), strict=True)):
        (data / f"train/{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(data / f"train/{label}/{number}.png")
    (data / "test").mkdir()
    shutil.copy(data / "train/7/7.png", data / "test" / os.fsdecode(b"caf\xe9.png"))

    end = digits_command("run", data, "--epochs", "1", "--device", "cpu", "-o", "r")

    assert end.code == 0, end.err
    answers = (tmp_path / "r/predictions.csv").read_bytes()
    assert answers.splitlines()[1].startswith(b"test/caf\\udce9.png,")
    (tmp_path / "r/predictions.csv").unlink()
    assert digits_command("run", "--resume", "-o", "r", "--device", "cpu").code == 0
    assert (tmp_path / "r/predictions.csv").read_bytes() == answers


def test_the_legend_of_a_training_curve_names_what_made_it_harder() -> None:
    plain = replace(
        fast(), augmentation=Augmentation(rotation=0, zoom=0, shift=0), label_smoothing=0.0, focus=1.0, dropout=0.0
    )
    assert training_note(notebook(), "loss") == training_note(notebook(), "accuracy") == "augmented, dropout"
    assert training_note(plain, "loss") == "as it learnt"
    assert training_note(replace(plain, dropout=0.3), "loss") == "dropout"
    assert training_note(replace(plain, label_smoothing=0.1), "loss") == "smoothed labels"
    assert training_note(replace(plain, label_smoothing=0.1), "accuracy") == "as it learnt"
    assert training_note(replace(plain, focus=0.5), "accuracy") == "hard images"
    assert "augmented" in training_note(best(), "loss")


def test_explore_with_a_folder_leaves_its_facts_plots_and_a_page(
    run: Run, digits_command: Call, tmp_path: Path
) -> None:
    out = tmp_path / "explored"
    end = digits_command("explore", run.data, "-o", out, "--json")
    assert end.code == 0, end.err
    assert json.loads(end.out)["parts"] == json.loads((out / "explore.json").read_text())["parts"]
    assert (out / "report.html").is_file()
    assert {path.stem for path in (out / "plots").iterdir()} == {"label_counts", "samples", "mean_digits", "outliers"}
