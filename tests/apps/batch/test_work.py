"""A part says of every picture what Recognizer says of it, value by value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.engine import Entry, Job, Task
from digit_recognizer.apps.batch.parts import PAGES, PREDICTIONS, join_errors, read_tally
from digit_recognizer.apps.batch.work import do
from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, ModelError
from digit_recognizer.recognizer import Recognizer
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, rows
from tests.conftest import draw_digits


def task(folder: Path, *entries: Entry, sha256: str | None = None) -> Task:
    job = Job("predict", None, sha256 or Recognizer().sha256, "pictures")
    return Task(0, len(entries), entries, job, str(folder / "part.parquet"), str(folder / "errors.parquet"))


def test_every_column_holds_what_the_reading_of_the_same_picture_holds(tmp_path: Path) -> None:
    images = np.concatenate([draw_digits(200).images, frames(40), np.zeros((3, 28, 28), np.uint8)])
    images[5] = np.random.default_rng(0).integers(0, 256, (28, 28))  # no digit

    result = run_batch(Request(str(sources.write_idx(tmp_path / "x-images", images)), tmp_path / "out"), EngineHere())

    recognizer = Recognizer()
    readings = recognizer.predict(Digits(images))
    found = rows(tmp_path / "out")
    assert {reading.reason for reading in readings} == {None, "blank", "not a digit", "unsure"}
    assert len(found) == len(readings) == 243
    for row, reading in zip(found, readings, strict=True):
        exact = {name: row.pop(name) for name in ("digit", "accepted", "reason", "second")}
        assert exact == {name: getattr(reading, name) for name in exact}
        assert row["model"] == recognizer.sha256
        for name in ("confidence", "second_confidence", "unfamiliarity"):
            assert row[name] == pytest.approx(getattr(reading, name), abs=1e-5)
    tally = result.tally
    assert tally.accepted == sum(reading.accepted for reading in readings)
    assert sum(tally.digits) == sum(tally.confidence) == 240  # all but the blank ones
    assert tally.mean_confidence == pytest.approx(np.mean([r.confidence for r in readings[:240]]), abs=1e-5)
    assert tally.mean_ink == pytest.approx(images[:240].mean() / 255)
    assert tally.reasons["blank"] == 3


def test_pages_are_read_as_the_recognizer_reads_them(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    page = np.full((120, 420), 255, np.uint8)
    for number, text in enumerate(("4071", "29")):
        cv2.putText(page, text, (20, 90 - 10 * number), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 0, 4)
        Image.fromarray(page).save(tmp_path / "pages" / f"{number}.png")
    Image.new("L", (80, 60), 255).save(tmp_path / "pages" / "blank.png")

    run_batch(Request(str(tmp_path / "pages"), tmp_path / "out", task="read", expect="4"), EngineHere())

    found = {row["id"]: row for row in rows(tmp_path / "out")}
    assert found.keys() == {"0.png", "1.png", "blank.png"}
    for name, row in found.items():
        expected = Recognizer().read(str(tmp_path / "pages" / name), expect="4")
        assert row["text"] == expected.text
        assert [digit["box"] for digit in row["digits"]] == [list(digit.box) for digit in expected.digits]
        assert [digit["digit"] for digit in row["digits"]] == [digit.digit for digit in expected.digits]
        assert [part["reason"] for part in row["rejected"]] == [part.reason for part in expected.rejected]
    assert found["0.png"]["text"] == "4071"
    assert (found["blank.png"]["text"], found["blank.png"]["accepted"]) == ("", False)
    assert found["blank.png"]["confidence"] is None


def test_doing_a_task_twice_leaves_the_same_bytes_and_a_trial_leaves_nothing(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(3))
    bad = folder / "bad.png"
    bad.write_bytes(b"GIF89a")
    one = task(tmp_path, Entry("a", str(folder / "0000.png")), Entry("b", str(bad)))

    trial = do(replace(one, only=(0, 2)))
    assert not Path(one.part).exists()
    assert not Path(one.errors).exists()
    outcome = do(one)
    first = Path(one.part).read_bytes(), Path(one.errors).read_bytes()
    do(one)

    assert (outcome.read, outcome.failed) == (trial.read, trial.failed) == (1, 1)
    assert (Path(one.part).read_bytes(), Path(one.errors).read_bytes()) == first
    assert read_tally(Path(one.part)).failed == {"truncated_image": 1}


def test_parts_have_the_columns_that_are_promised(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    one = task(tmp_path, Entry("a", str(folder / "0000.png")))
    page = replace(one, job=replace(one.job, task="read"), part=str(tmp_path / "page.parquet"))
    do(one)
    do(page)

    assert pq.read_schema(one.part).remove_metadata() == PREDICTIONS
    assert pq.read_schema(page.part).remove_metadata() == PAGES


def test_another_model_than_the_job_was_begun_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="every machine needs the same file"):
        do(task(tmp_path, sha256="0" * 64))


def test_a_part_that_cannot_be_written_stops_the_job(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").mkdir()

    with pytest.raises(FileError, match=r"part\.parquet: cannot be written"):
        do(task(tmp_path, Entry("a", str(tmp_path / "nowhere.png"))))


def test_errors_of_a_part_that_are_gone_are_named_when_they_are_joined(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone\.parquet: the errors of a part cannot be read"):
        join_errors(tmp_path / "errors.parquet", [tmp_path / "gone.parquet"])
