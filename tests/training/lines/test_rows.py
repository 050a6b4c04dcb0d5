"""Rows: characters in touch, and which ink is whose."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.ink_finder import InkFinder
from digit_recognizer.shipped import shipped_model
from digit_recognizer.training.lines.rows import Character, Writing, write_row

FINDER = InkFinder(shipped_model("ink.onnx").content, "ink.onnx")
DRAWN = Writing(sizes=(40, 41), joined=0, broken=0, photographed=0)


def ring(label: int = 0) -> Character:
    ink = np.zeros((60, 44), np.uint8)
    cv2.ellipse(ink, (22, 30), (18, 26), 0, 0, 360, 255, 6, cv2.LINE_AA)
    return Character(ink, label)


def rows_of(writing: Writing, count: int, label: int = 0) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        row = write_row([ring(label)] * count, writing, rng, FINDER.ink)
        assert row is not None
        found += [run.labels for run in row.runs]
    return found


def test_characters_apart_are_runs_of_one() -> None:
    assert rows_of(Writing(sizes=(40, 41), touching=(0.0,), joined=0, broken=0, photographed=0), 4) == [(0,)] * 80


def test_characters_in_touch_are_one_run() -> None:
    found = rows_of(Writing(sizes=(40, 41), touching=(1.0,), joined=0, broken=0, photographed=0), 4)
    assert sum(len(labels) for labels in found) == 80
    assert found.count((0, 0, 0, 0)) >= 18


def test_a_joining_stroke_makes_a_run() -> None:
    found = rows_of(Writing(sizes=(40, 41), touching=(0.0,), joined=1, broken=0, photographed=0), 3)
    assert (0, 0, 0) in found


def test_labels_stand_in_the_order_of_their_centres() -> None:
    rng = np.random.default_rng(1)
    characters = [ring(label) for label in (3, 1, 4, 1, 5, 9)]
    row = write_row(characters, DRAWN, rng, FINDER.ink)
    assert row is not None
    assert [label for run in row.runs for label in run.labels] == [3, 1, 4, 1, 5, 9]
    for run in row.runs:
        assert list(run.centres) == sorted(run.centres)
        assert all(run.box[0] < centre < run.box[0] + run.box[2] for centre in run.centres)


@pytest.mark.parametrize("photographed", [0.0, 1.0])
def test_the_marks_of_a_run_are_where_its_box_says(photographed: float) -> None:
    row = write_row([ring()] * 5, Writing(photographed=photographed), np.random.default_rng(2), FINDER.ink)
    assert row is not None
    assert row.runs
    for run in row.runs:
        rows, columns = np.nonzero(np.isin(row.marks, run.numbers))
        box = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert run.box == pytest.approx(box, abs=1)


def test_a_stroke_broken_in_two_stays_one_character() -> None:
    bar = np.zeros((60, 20), np.uint8)
    bar[:, 6:14] = 255
    bar[28:33] = 0
    writing = Writing(sizes=(40, 41), touching=(0.0,), joined=0, broken=0, photographed=0)
    row = write_row([Character(bar, 1)], writing, np.random.default_rng(0), FINDER.ink)
    assert row is not None
    assert [(len(run.numbers), run.labels) for run in row.runs] == [(2, (1,))]
