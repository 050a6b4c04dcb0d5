"""What a person brings beside the images to learn from: a part for validation, a labelled test part, other things."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from digit_recognizer.digits import Digits
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import Ended, child, ended
from tests.conftest import draw_digits

Call = Callable[..., Ended]
ALL = draw_digits(200, seed=7)


def write(path: Path, *, validation: bool = True, test: bool = True, **others: Any) -> Path:
    """120 images to learn from, 40 for validation, 40 to test with."""
    parts = {
        "train": slice(120),
        **({"val": slice(120, 160)} if validation else {}),
        **({"test": slice(160, 200)} if test else {}),
    }
    labels = ALL.known_labels()
    arrays = {f"x_{name}": ALL.images[part] for name, part in parts.items()}
    arrays |= {f"y_{name}": labels[part] for name, part in parts.items()}
    np.savez(path, **arrays, **others)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """``digits run`` on all three parts: the data, the run folder, the document. No test changes them."""
    folder = tmp_path_factory.mktemp("parts")
    data = write(folder / "three.npz", scores=np.zeros(3))
    end = ended(child("run", data, "-o", folder / "run", "--epochs", "2", "--json", "--device", "cpu"))
    assert end.code == 0, end.err
    assert "not read, beside the data: scores" in end.err
    assert "judged by the data's own 40 images for validation" in end.err
    return data, folder / "run", json.loads(end.out)


Run = tuple[Path, Path, dict[str, Any]]


def accuracy(model: Path, digits: Digits) -> float:
    return float((Recognizer(model).probabilities(digits.images).argmax(1) == digits.known_labels()).mean())


def test_the_datas_own_part_for_validation_judges_the_run(run: Run) -> None:
    _, folder, document = run
    config = json.loads((folder / "config.json").read_text())["data"]
    assert (config["train"], config["validation"], config["test"], config["own_validation"]) == (120, 40, 40, True)
    assert json.loads((folder / "split.json").read_text())["validation"] == list(range(120, 160))
    assert document["metrics"]["n"] == 40
    assert document["metrics"]["val_accuracy"] == accuracy(folder, ALL.take(np.arange(120, 160)))
    assert "40 of the data's own validation part to judge the result" in (folder / "report.html").read_text()


def test_a_labelled_test_part_is_evaluated_once_and_its_predictions_are_no_submission(run: Run) -> None:
    _, folder, document = run
    test = document["metrics"]["test"]
    assert test == json.loads((folder / "metrics.json").read_text())["test"]
    assert (test["n"], test["accuracy"]) == (40, accuracy(folder, ALL.take(np.arange(160, 200))))
    assert document["submission"] is None
    assert document["predictions"] == str(folder / "predictions.csv")
    assert (folder / "predictions.csv").read_text().startswith("name,digit,confidence")
    assert not (folder / "submission.csv").exists()
    page = (folder / "report.html").read_text()
    assert "on the 40 images of the test part" in page
    assert "Not read, beside the data: scores." in page


@pytest.mark.usefixtures("one_thread")
def test_such_a_run_is_resumed_and_evaluated_on_the_same_parts(run: Run, digits_command: Call) -> None:
    data, folder, document = run
    before = (folder / "metrics.json").read_bytes()
    assert digits_command("run", "--resume", "-o", folder, "--device", "cpu").code == 0
    assert (folder / "metrics.json").read_bytes() == before
    for part, n in (("validation", 40), ("train", 120), ("test", 40), ("auto", 40)):
        found = json.loads(digits_command("evaluate", data, "-m", folder, "--part", part, "--json").out)
        assert (found["n"], found["seen_in_training"]) == (n, part == "train")
        if part == "validation":
            assert found["accuracy"] == document["metrics"]["val_accuracy"]
        if part == "auto":
            assert (found["part"], found["accuracy"]) == ("test", document["metrics"]["test"]["accuracy"])


def test_a_share_for_validation_makes_no_sense_then(digits_command: Call, tmp_path: Path) -> None:
    end = digits_command("train", write(tmp_path / "own.npz"), "-o", "run", "--val", "0.2")
    assert end.code == 2
    assert "own.npz brings 40 images for validation, which are taken; leave --val out" in end.sentence
    assert not Path("run").exists()


def test_explore_shows_the_part_and_says_what_is_not_read(digits_command: Call, tmp_path: Path) -> None:
    data = write(tmp_path / "own.npz", x_extra=np.zeros(1), notes=np.zeros(1))
    end = digits_command("explore", data, "--json")
    found = json.loads(end.out)
    assert list(found["parts"]) == ["train", "validation", "test"]
    assert found["unread"] == {"count": 2, "names": ["x_extra", "notes"]}
    assert "not read, beside the data: x_extra, notes" in end.err
    assert found["validation_overlap"]["test_images"] == 0
    doubled = tmp_path / "doubled.npz"
    labels = ALL.known_labels()
    np.savez(doubled, x_train=ALL.images, y_train=labels, x_val=ALL.images[:5], y_val=labels[:5])
    lines = [line.split() for line in digits_command("explore", doubled).out.splitlines()]
    assert ["also", "in", "train", "-", "5"] in lines


def test_evaluating_without_labels_says_which_command_needs_none(digits_command: Call, tmp_path: Path) -> None:
    np.savez(tmp_path / "unlabelled.npz", images=ALL.images)
    for words in ((), ("--part", "test"), ("--part", "train")):
        end = digits_command("evaluate", "unlabelled.npz", *words)
        assert end.code == 3
        assert end.sentence.endswith("found none; for answers without labels: digits predict")


@pytest.mark.parametrize("command", ["explore", "train"])
def test_images_dark_on_light_are_told_with_what_to_do(digits_command: Call, tmp_path: Path, command: str) -> None:
    labels = ALL.known_labels()
    np.savez(tmp_path / "light.npz", x_train=255 - ALL.images[:120], y_train=labels[:120])
    np.savez(tmp_path / "dark.npz", x_train=ALL.images[:120], y_train=labels[:120])
    for name, told in (("light", True), ("dark", False)):
        words = ("-o", name, "--epochs", "1", "--device", "cpu") if command == "train" else ()
        end = digits_command(command, f"{name}.npz", "--json", *words)
        assert end.code == 0
        assert ("light.npz, train: 120 of 120 images look dark on light" in end.err) == told
        assert ("write 255 - value for each pixel" in end.err) == told
        if command == "explore":
            found = json.loads(end.out)
            assert (len(found["notes"]), found["parts"]["train"]["pixels"]["on_light"]) == (told, 120 * told)


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "expected images of at least two classes to learn from, found only 1 of the class"),
        (4, "--val: a part of 0.1 of 4 images leaves one side empty; at least 6 images are needed for that"),
    ],
)
def test_too_few_images_are_bad_input_with_the_least_number(
    digits_command: Call, tmp_path: Path, count: int, sentence: str
) -> None:
    np.savez(tmp_path / "few.npz", images=ALL.images[:count], labels=ALL.known_labels()[:count])
    end = digits_command("train", "few.npz", "-o", "run")
    assert end.code == 3
    assert sentence in end.sentence
    assert not Path("run").exists()


def pictures(folder: Path) -> Path:
    for number, (image, label) in enumerate(zip(ALL.images[:60], ALL.known_labels()[:60], strict=True)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return folder


@pytest.mark.parametrize("command", ["run", "train", "explore", "tune"])
@pytest.mark.parametrize("output", ["scans", "scans/run", "scans/7/../new/run", "linked/run"])
def test_nothing_is_written_into_a_folder_of_pictures_that_is_read(
    digits_command: Call, tmp_path: Path, command: str, output: str
) -> None:
    before = sorted(pictures(tmp_path / "scans").rglob("*"))
    (tmp_path / "linked").symlink_to(tmp_path / "scans")
    end = digits_command(command, "scans", "-o", output)
    assert (end.code, end.out) == (2, "")
    assert "lies in scans, a folder of pictures, which could not be read again then" in end.sentence
    assert sorted((tmp_path / "scans").rglob("*")) == before


def test_a_run_beside_tables_may_lie_in_their_folder(digits_command: Call, tmp_path: Path) -> None:
    rows = np.column_stack([ALL.known_labels(), ALL.images.reshape(200, -1)]).astype(str).tolist()
    (tmp_path / "kaggle").mkdir()
    lines = [["label", *(f"pixel{i}" for i in range(784))], *rows]
    (tmp_path / "kaggle" / "train.csv").write_text("\n".join(map(",".join, lines)))
    for _ in range(2):
        assert digits_command("explore", "kaggle", "-o", "kaggle/explored").code == 0


def test_what_is_explored_is_not_strewn_among_other_files(digits_command: Call, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "three.npz", validation=False)
    end = digits_command("explore", "data/three.npz", "-o", "data")
    assert (end.code, end.out) == (5, "")
    assert end.sentence == "--output data: holds other files, three.npz for one; choose another folder"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["three.npz"]


def test_other_data_are_not_explored_into_a_run(run: Run, digits_command: Call, tmp_path: Path) -> None:
    data, folder, _ = run
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    other = write(tmp_path / "other.npz", validation=False)
    np.savez(tmp_path / "unlabelled.npz", images=ALL.images)
    for source in (other, tmp_path / "unlabelled.npz"):
        end = digits_command("explore", source, "-o", folder)
        assert (end.code, end.out) == (5, "")
        assert f"holds a run of other data (three.npz); choose another folder for {source.name}" in end.sentence
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert digits_command("explore", data, "-o", folder).code == 0
