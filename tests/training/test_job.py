"""One training from digits to a finished run folder: every file in it, against roads that do not use our own code."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from digit_recognizer.analysis.report import read_history
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import (
    CheckpointError,
    DigitsError,
    FileError,
    InputError,
    Interrupted,
    RunFolderBusy,
    TrainingDiverged,
    UsageError,
)
from digit_recognizer.training.assembly import build_network
from digit_recognizer.training.checkpoint import load_snapshot
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.job import FinishedRun, Settings, settings_of, split, train_run
from digit_recognizer.training.progress import Progress, StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.run_folder import RunFolder
from tests.conftest import draw_digits
from tests.training.tiny import TINY

FLOAT32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())
SETTINGS = Settings(TINY, seed=3, val=0.3)
DATA = Dataset("drawn", draw_digits(120, seed=1), None)


def train_into(path: Path, settings: Settings = SETTINGS, data: Dataset = DATA, **options: Any) -> FinishedRun:
    hardware = options.pop("hardware", FLOAT32)
    return train_run(data, RunFolder(path), settings, hardware=hardware, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A finished run that no test changes."""
    return train_into(tmp_path_factory.mktemp("run"), source="drawn.npz", command="digits train drawn.npz")


@pytest.fixture
def copied(finished: FinishedRun, tmp_path: Path) -> Path:
    return shutil.copytree(finished.folder.path, tmp_path / "run")


def contents(path: Path) -> dict[str, bytes]:
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}


def held_out(finished: FinishedRun) -> Digits:
    """The validation part, from split.json and the source alone."""
    indices = json.loads((finished.folder.path / "split.json").read_text())["validation"]
    labels = DATA.labelled().known_labels()
    return Digits(DATA.labelled().images[indices], labels[indices])


def answers_of_the_file(finished: FinishedRun, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(finished.folder.model), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["probabilities"], {"images": images})[0])


def test_a_finished_run_has_its_files_and_no_others(finished: FinishedRun) -> None:
    assert set(contents(finished.folder.path)) - {".run.lock"} == {
        "config.json",
        "split.json",
        "history.csv",
        "metrics.json",
        "weights.safetensors",
        "model.onnx",
    }
    assert finished.folder.is_finished()


def test_config_says_what_was_done_and_gives_the_settings_back(finished: FinishedRun) -> None:
    config = json.loads(finished.folder.config.read_text())
    assert config["source"] == "drawn.npz"
    assert config["command"] == "digits train drawn.npz"
    assert config["data"] == {
        "name": "drawn",
        "fingerprint": DATA.labelled().fingerprint(),
        "train": 84,
        "validation": 36,
        "test": 0,
        "rows_left_out": 0,
    }
    assert (config["device"], config["precision"], config["threads"]) == ("cpu", "float32", torch.get_num_threads())
    assert config["versions"]["torch"] == torch.__version__
    assert settings_of(finished.folder) == SETTINGS


def test_history_has_a_row_an_epoch(finished: FinishedRun) -> None:
    rows = read_history(finished.folder.history)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(value is not None for row in rows for value in row.values())


def test_the_validation_part_is_what_split_json_says_and_keeps_its_numbers(finished: FinishedRun) -> None:
    indices = json.loads((finished.folder.path / "split.json").read_text())["validation"]
    np.testing.assert_array_equal(finished.validation.images, held_out(finished).images)
    assert finished.validation.names == tuple(f"image {index + 1}" for index in indices)
    assert set(finished.training.names or ()) | set(finished.validation.names) == {f"image {n}" for n in range(1, 121)}


def test_images_with_names_keep_them_through_the_split() -> None:
    named = replace(DATA.labelled(), names=tuple(f"{n}.png" for n in range(120)))
    parts = split(named, SETTINGS)
    assert parts.validation.names == tuple(f"{n}.png" for n in parts.held_out)


def test_metrics_are_what_scikit_learn_says_of_the_model_file(finished: FinishedRun) -> None:
    part = held_out(finished)
    probabilities = answers_of_the_file(finished, part.images).astype(np.float64)
    found, saved = probabilities.argmax(1), json.loads(finished.folder.metrics.read_text())
    assert saved == finished.metrics
    assert saved["n"] == len(part) == 36
    assert saved["val_accuracy"] == saved["accuracy"] == accuracy_score(part.labels, found)
    assert saved["confusion"] == confusion_matrix(part.labels, found, labels=range(10)).tolist()
    probabilities /= probabilities.sum(1, keepdims=True)
    assert saved["val_loss"] == pytest.approx(log_loss(part.labels, probabilities, labels=range(10)), abs=1e-6)
    assert saved["accepted"] == pytest.approx((probabilities.max(1) >= saved["min_confidence"]).mean(), abs=1 / 36)
    assert saved["parameters"] == sum(
        value.numel() for name, value in build_network(TINY).named_parameters() if value.requires_grad
    )
    assert (saved["epochs"], saved["members"], saved["preset"]) == (3, 1, "tiny")


def test_the_model_file_says_where_it_comes_from(finished: FinishedRun) -> None:
    model = onnx.load(str(finished.folder.model), load_external_data=False)
    strings = {
        entry.key: json.loads(entry.value) for entry in model.metadata_props if entry.key != "digits.fingerprint"
    }
    saved = json.loads(finished.folder.metrics.read_text())
    assert strings["digits.contract"] == 1
    assert strings["digits.preset"] == "tiny"
    assert strings["digits.data"] == "drawn"
    assert strings["digits.data_fingerprint"] == DATA.labelled().fingerprint()
    assert strings["digits.seed"] == 3
    for name in ("temperature", "min_confidence", "max_error"):
        assert strings[f"digits.{name}"] == saved[name]


def test_the_model_file_holds_figures_of_the_digits_it_was_validated_on(finished: FinishedRun) -> None:
    figures, part = finished.recognizer.metadata.inputs, held_out(finished)
    assert figures is not None
    assert figures.frames == len(part) == 36
    ink = part.images.reshape(36, -1).mean(1) / 255
    assert (figures.ink.mean, figures.ink.deviation) == pytest.approx((ink.mean(), ink.std()), abs=1e-6)
    answers = answers_of_the_file(finished, part.images)
    assert figures.confidence.mean == pytest.approx(answers.max(1).mean(), abs=1e-4)
    assert figures.shares == pytest.approx(np.bincount(answers.argmax(1), minlength=10) / 36, abs=1e-6)
    assert figures.accepted == pytest.approx(finished.metrics["accepted"], abs=1 / 36)


def test_the_saved_weights_in_a_fresh_network_answer_as_the_model_file_does(finished: FinishedRun) -> None:
    saved = load_snapshot(finished.folder.weights)
    network = build_network(Recipe.from_dict(dict(saved.facts["recipe"])))
    network.load_state_dict(dict(saved.tensors))
    images = draw_digits(50, seed=7).images
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(images.copy()).unsqueeze(1).float() / 255)
    expected = torch.softmax(logits / finished.metrics["temperature"], 1).numpy()
    np.testing.assert_allclose(answers_of_the_file(finished, images), expected, atol=1e-5)


def test_an_ensemble_comes_out_as_one_model(tmp_path: Path) -> None:
    run = train_into(tmp_path, Settings(replace(TINY, members=2, epochs=1), seed=1, val=0.3))
    assert run.metrics["members"] == 2
    assert [(row["member"], row["epoch"]) for row in read_history(run.folder.history)] == [(1, 1), (2, 1)]
    assert answers_of_the_file(run, draw_digits(3).images).shape == (3, 10)


OTHER = {
    "seed": (Settings(TINY, seed=4, val=0.3), DATA, FLOAT32, "seed 3, not 4"),
    "share": (Settings(TINY, seed=3, val=0.2), DATA, FLOAT32, "val 0.3, not 0.2"),
    "epochs": (Settings(replace(TINY, epochs=5), seed=3, val=0.3), DATA, FLOAT32, "epochs 3, not 5"),
    "batch": (Settings(replace(TINY, batch_size=8), seed=3, val=0.3), DATA, FLOAT32, "batch_size 16, not 8"),
    "data": (SETTINGS, Dataset("drawn", draw_digits(120, seed=2), None), FLOAT32, "other data"),
    "precision": (SETTINGS, DATA, replace(FLOAT32, precision="bfloat16"), "precision float32, not bfloat16"),
    "device": (SETTINGS, DATA, replace(FLOAT32, device=torch.device("meta")), "device cpu, not meta"),
}


@pytest.mark.parametrize(("settings", "data", "hardware", "difference"), OTHER.values(), ids=OTHER)
def test_a_resume_that_differs_is_refused_with_the_difference_named(
    copied: Path, settings: Settings, data: Dataset, hardware: Hardware, difference: str
) -> None:
    before = contents(copied)
    with pytest.raises(CheckpointError, match=difference):
        train_into(copied, settings, data, hardware=hardware, resume=True)
    assert contents(copied) == before


def test_a_resume_by_another_major_version_is_refused(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    config["versions"]["digit-recognizer"] = "7.1.0"
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="started by version 7"):
        train_into(copied, resume=True)


@pytest.mark.parametrize("change", [{"versions": None}, {"recipe": []}, {"data": "x"}])
def test_a_config_that_describes_no_run_is_refused(copied: Path, change: dict[str, Any]) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(CheckpointError, match="does not describe a run"):
        train_into(copied, resume=True)


def test_another_number_of_threads_is_told_and_allowed(copied: Path) -> None:
    notes: list[str] = []
    train_into(copied, hardware=replace(FLOAT32, threads=FLOAT32.threads + 5), resume=True, tell=notes.append)
    assert any(f"{FLOAT32.threads} threads, going on with {FLOAT32.threads + 5}" in note for note in notes)


def test_resuming_a_finished_run_changes_nothing(copied: Path, finished: FinishedRun) -> None:
    before, notes = contents(copied), list[str]()
    again = train_into(copied, resume=True, tell=notes.append)
    assert contents(copied) == before
    assert again.metrics == finished.metrics
    assert again.validation.names == finished.validation.names
    assert any("already finished" in note for note in notes)


def stop_in_epoch(epoch: int) -> tuple[StopRequest, Any]:
    """A request to stop that comes when epoch ``epoch`` ends, and the listener that makes it."""
    request = StopRequest()

    def listen(progress: Progress) -> None:
        if progress.row is not None and progress.epoch == epoch:
            request.signal_number = 15

    return request, listen


def test_a_stopped_run_keeps_its_history_and_ends_as_an_unbroken_one(tmp_path: Path, finished: FinishedRun) -> None:
    stop, listen = stop_in_epoch(2)
    with pytest.raises(Interrupted):
        train_into(tmp_path, on_progress=listen, stop=stop)
    folder = RunFolder(tmp_path)
    assert [row["epoch"] for row in read_history(folder.history)] == [1, 2]
    assert not folder.is_finished()
    assert list(folder.checkpoints.folder.iterdir())
    (tmp_path / "split.json").unlink()  # as if it had been killed before this was written
    resumed = train_into(tmp_path, resume=True)
    assert folder.weights.read_bytes() == finished.folder.weights.read_bytes()
    assert [row["epoch"] for row in read_history(folder.history)] == [1, 2, 3]
    assert (tmp_path / "split.json").read_bytes() == (finished.folder.path / "split.json").read_bytes()
    assert resumed.metrics["val_accuracy"] == finished.metrics["val_accuracy"]
    assert not folder.checkpoints.folder.exists()


def test_a_run_stopped_after_its_last_epoch_is_not_trained_again(tmp_path: Path, finished: FinishedRun) -> None:
    stop, listen = stop_in_epoch(3)
    with pytest.raises(Interrupted, match="after the last epoch"):
        train_into(tmp_path, on_progress=listen, stop=stop)
    train_into(tmp_path, resume=True)
    folder = RunFolder(tmp_path)
    assert [(row["member"], row["epoch"]) for row in read_history(folder.history)] == [(1, 1), (1, 2), (1, 3)]
    assert folder.weights.read_bytes() == finished.folder.weights.read_bytes()


def test_a_folder_that_vanishes_is_not_made_anew(tmp_path: Path) -> None:
    def remove(progress: Progress) -> None:
        shutil.rmtree(tmp_path / "run", ignore_errors=True)

    with pytest.raises(FileError, match="vanished"):
        train_into(tmp_path / "run", Settings(replace(TINY, focus=1.0, batch_size=2), val=0.3), on_progress=remove)
    assert not (tmp_path / "run" / "history.csv").exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path).claim(), pytest.raises(RunFolderBusy, match="is training in this folder"):
        train_into(tmp_path)


def of_classes(*digits: int, count: int = 40) -> Dataset:
    drawn = draw_digits(200)
    return Dataset("some", drawn.take(np.flatnonzero(np.isin(drawn.known_labels(), digits))[:count]), None)


@pytest.mark.parametrize("data", [of_classes(4), of_classes()], ids=["one class", "none"])
def test_less_than_two_classes_are_refused_and_nothing_is_written(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(InputError, match="at least two classes"):
        train_into(tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()


def test_a_second_class_in_validation_alone_is_refused() -> None:
    lonely = Digits(draw_digits(10).images, np.array([1] * 9 + [2]))
    with pytest.raises(InputError, match="found only 1"):
        split(lonely, Settings(TINY, val=0.9))


def test_a_missing_class_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    train_into(
        tmp_path, Settings(replace(TINY, epochs=1), val=0.3), of_classes(0, 1, 2, 3, 4, 6, 7, 8), tell=notes.append
    )
    assert [note for note in notes if "no image of a" in note] == [
        f"no image of a {digit} to learn from; it will not be recognised" for digit in (5, 9)
    ]


def test_weights_that_are_no_numbers_are_never_exported(tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged):
        train_into(tmp_path, Settings(replace(TINY, learning_rate=1e38), val=0.3))
    assert {"model.onnx", "weights.safetensors", "metrics.json"}.isdisjoint(contents(tmp_path))
    for path in (tmp_path / "checkpoints").glob("*"):
        load_snapshot(path)  # raises where one holds NaN


@pytest.mark.parametrize("values", [{"val": 0.0}, {"val": 1.0}, {"val": float("nan")}, {"seed": -1}])
def test_settings_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"--val|--seed"):
        Settings(TINY, **values)


def test_every_error_of_a_job_is_of_the_family(tmp_path: Path) -> None:
    with pytest.raises(DigitsError):
        train_into(tmp_path, data=Dataset("no labels", None, draw_digits(5, labelled=False)))
