"""Exploration against pandas and numpy, and against the figures that everyone knows of Kaggle's files."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from digit_recognizer.analysis.explore import explore, fact_rows, label_rows, pixel_statistics
from digit_recognizer.digits import Dataset, Digits
from tests.conftest import draw_digits


def test_pixel_statistics_are_those_of_numpy():
    images = draw_digits(2100).images.copy()
    images[7] = 0
    found = pixel_statistics(images)
    assert (found.min, found.max) == (images.min(), images.max())
    assert found.mean == pytest.approx(images.mean())
    assert found.sd == pytest.approx(images.std())
    assert found.nonzero == pytest.approx((images > 0).mean())
    assert found.blank_images == 1


def test_label_counts_stand_in_the_order_of_pandas_value_counts(digits: Digits):
    labels = np.repeat([3, 1, 7, 0], [10, 40, 30, 20])
    found = explore(Dataset("d", Digits(digits.images, labels), None)).parts["train"].label_counts
    assert found is not None
    assert list(found[:4]) == list(pd.Series(labels).value_counts().items())
    assert found[4:] == tuple((digit, 0) for digit in (2, 4, 5, 6, 8, 9))


def test_planted_duplicates_contradictions_and_overlap_are_counted_and_named(digits: Digits):
    train = Digits(digits.images[[0, 1, 2, 0, 1, 1]], np.array([0, 1, 2, 0, 1, 7]), tuple("abcdef"))
    test = Digits(digits.images[[2, 50, 0]], np.array([2, 0, 9]))
    found = explore(Dataset("planted", train, test))
    part = found.parts["train"]
    assert (part.duplicate_groups, part.duplicate_images) == (2, 3)
    assert part.duplicates == (("a", "d"), ("b", "e", "f"))
    assert part.disagreements == ((("b", 1), ("e", 1), ("f", 7)),)
    assert found.overlap is not None
    assert (found.overlap.groups, found.overlap.test_images, found.overlap.disagreements) == (2, 2, 1)
    assert found.overlap.examples == ((("a", "d"), ("3",)), (("c",), ("1",)))


def test_the_dictionary_survives_strict_json(digits: Digits):
    found = explore(Dataset("d", digits, Digits(digits.images[:5])), outliers=4)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["parts"]["train"]["missing_values"] == 0
    assert read["parts"]["train"]["label_counts"][0] == {"digit": 0, "count": 10}
    assert [set(far) for far in read["parts"]["train"]["outliers"]] == [{"name", "index", "label", "distance"}] * 4
    assert read["parts"]["test"]["label_counts"] is None
    assert read["overlap"]["test_images"] == 5


def test_table_rows_are_as_wide_as_their_header(digits: Digits):
    both = explore(Dataset("d", digits, Digits(digits.images[:7]))).to_dict()
    for rows in (label_rows(both), fact_rows(both)):
        assert {len(row) for row in rows} == {len(rows[0])}
        assert all(isinstance(cell, str) for row in rows for cell in row)
    assert ("missing values", "none", "none") in fact_rows(both)
    assert ("also in train", "-", "7") in fact_rows(both)
    assert label_rows(both)[1] == ("0", "10", "10.0 %")


def test_a_part_without_labels_or_without_images_is_explored_all_the_same(digits: Digits):
    unlabelled = explore(Dataset("d", None, Digits(digits.images)))
    assert label_rows(unlabelled.to_dict()) == []
    assert unlabelled.overlap is None
    assert unlabelled.parts["test"].outliers == ()
    empty = explore(Dataset("d", digits.take(np.zeros(0, np.int64)), None))
    assert empty.parts["train"].images == 0
    assert label_rows(empty.to_dict())[1] == ("0", "0", "-")


@pytest.mark.real_data
def test_kaggles_files_give_the_label_counts_that_everyone_knows(real_data: Path):
    with zipfile.ZipFile(real_data / "digit-recognizer.zip") as archive:
        train = pd.read_csv(io.BytesIO(archive.read("train.csv")), dtype=np.uint8).to_numpy()
        test = pd.read_csv(io.BytesIO(archive.read("test.csv")), dtype=np.uint8).to_numpy()
    dataset = Dataset(
        "digit-recognizer",
        Digits(train[:, 1:].reshape(-1, 28, 28), train[:, 0].astype(np.int64)),
        Digits(test.reshape(-1, 28, 28)),
    )
    found = explore(dataset)
    assert found.parts["train"].label_counts == (
        *((1, 4684), (7, 4401), (3, 4351), (9, 4188), (2, 4177)),
        *((6, 4137), (0, 4132), (4, 4072), (8, 4063), (5, 3795)),
    )
    assert [part.images for part in found.parts.values()] == [42_000, 28_000]
    assert [part.duplicate_images for part in found.parts.values()] == [0, 0]
    assert found.overlap is not None
    assert found.overlap.groups == 0
