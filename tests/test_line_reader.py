"""The line reader that ships: what it is, and that ``Recognizer.read`` reads digits in touch with it."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.errors import ModelError
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_file import check_model
from digit_recognizer.pictures.words.ctc import BLANK
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.sample import load_sample

ASSETS = Path(str(files("digit_recognizer") / "assets"))


SAMPLE = load_sample().labelled()


def line_of_sample(numbers: list[int], overlap: int) -> np.ndarray:
    """Digits of the embedded sample side by side, ``overlap`` pixels over each other, dark on light."""
    inks = []
    for number in numbers:
        image = SAMPLE.images[number]
        columns = np.flatnonzero(image.any(axis=0))
        inks.append(np.kron(image[:, columns[0] : columns[-1] + 1], np.ones((2, 2), np.uint8)))
    width = sum(ink.shape[1] - overlap for ink in inks) + overlap
    line = np.zeros((56, width), np.uint8)
    left = 0
    for ink in inks:
        place = line[:, left : left + ink.shape[1]]
        np.maximum(place, ink, out=place)
        left += ink.shape[1] - overlap
    return 255 - np.pad(line, 30)


def texts(count: int, length: int) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return rng.integers(0, len(SAMPLE), (count, length)).tolist()


def right(reader: Recognizer, lines: list[list[int]], overlap: int) -> float:
    labels = SAMPLE.known_labels()
    expected = ["".join(str(labels[number]) for number in numbers) for numbers in lines]
    pages = [reader.read(line_of_sample(numbers, overlap)) for numbers in lines]
    return float(np.mean(["".join(page.text.split()) == text for page, text in zip(pages, expected, strict=True)]))


def test_digits_in_touch_are_read_better_with_it_than_by_cutting() -> None:
    lines = texts(12, 3)
    assert right(Recognizer(threads=1), lines, overlap=4) > right(Recognizer(threads=1, lines=None), lines, overlap=4)


def test_it_is_the_file_whose_hash_lies_beside_it_and_tells_what_it_learnt_from() -> None:
    content = (ASSETS / "lines.onnx").read_bytes()
    assert (ASSETS / "lines.sha256").read_text("ascii").split()[0] == hashlib.sha256(content).hexdigest()
    card = check_model(content, "lines.onnx").metadata
    assert card.preset == "lines"
    assert card.data == "mnist + pen strokes + fonts"
    assert len(content) < 1_500_000


def test_a_black_strip_holds_nothing() -> None:
    reader = LineReader((ASSETS / "lines.onnx").read_bytes(), "lines.onnx")
    (answer,) = reader.frames([np.zeros((32, 60), np.uint8)])
    assert (answer.argmax(axis=1) == BLANK).all()
    assert reader.frames([]) == []


def test_a_damaged_line_reader_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("digits.onnx", "digits.sha256", "ink.onnx", "ink.sha256", "lines.onnx", "lines.sha256"):
        (tmp_path / name).write_bytes((ASSETS / name).read_bytes())
    damaged = bytearray((tmp_path / "lines.onnx").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "lines.onnx").write_bytes(damaged)
    monkeypatch.setattr("digit_recognizer.shipped._ASSETS", tmp_path)
    with pytest.raises(ModelError, match=r"lines\.onnx: .*damaged") as told:
        Recognizer(threads=1).read(line_of_sample([0, 1, 2], overlap=4))
    assert told.value.code == "damaged_model"
    (tmp_path / "lines.onnx").unlink()
    with pytest.raises(ModelError, match=r"lines\.onnx is missing"):
        Recognizer(threads=1).read(line_of_sample([0, 1, 2], overlap=4))
