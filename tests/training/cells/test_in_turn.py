"""Two cell readers in one file: the first is believed where it is sure, else both are."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.cell_reader import CellReader
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import FileError, ModelError
from digit_recognizer.files import read_bytes, write_bytes
from digit_recognizer.model_file import read_model
from digit_recognizer.training.cells.export import export_cell_reader
from digit_recognizer.training.cells.in_turn import SURE, in_turn
from digit_recognizer.training.cells.job import CellSettings, train_cell_reader
from digit_recognizer.training.cells.learn import CellLearning
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.hardware import Hardware
from tests.conftest import draw_digits
from tests.plain_models import CARD, plain_bytes

VIEWS = (np.random.default_rng(0).integers(0, 256, (60, 48, 48)) * np.linspace(0, 1, 60)[:, None, None]).astype(
    np.uint8
)


def reader_file(path: Path, seed: int, *, steep: float) -> bytes:
    """A cell reader with weights at random; the steeper, the surer."""
    torch.manual_seed(seed)
    network = CellNetwork((4, 4, 8, 8)).eval()
    with torch.no_grad():
        network.head.weight *= steep
    export_cell_reader(network, path, metadata=CARD, check_views=VIEWS[:2])
    return path.read_bytes()


def test_the_second_is_asked_where_the_first_is_unsure_and_then_both_count(tmp_path: Path) -> None:
    first = reader_file(tmp_path / "first.onnx", 1, steep=1e4)
    second = reader_file(tmp_path / "second.onnx", 2, steep=20.0)
    alone = [CellReader(content, "one").probabilities(VIEWS) for content in (first, second)]
    together = CellReader(in_turn(first, second, CARD), "both").probabilities(VIEWS)
    sure = alone[0].max(axis=1) >= SURE
    assert 5 < sure.sum() < 55  # both happen
    assert np.allclose(together[sure], alone[0][sure], atol=1e-6)
    mean = np.sqrt(np.maximum(alone[0], 1e-5) * np.maximum(alone[1], 1e-5))
    assert np.allclose(together[~sure], (mean / mean.sum(axis=1, keepdims=True))[~sure], atol=1e-5)


@pytest.mark.parametrize(("steep", "asked"), [(0.0, 30), (1e5, 0)])
def test_it_answers_where_all_cells_are_asked_again_and_where_none_is(tmp_path: Path, steep: float, asked: int) -> None:
    views = VIEWS[30:]
    first = reader_file(tmp_path / "first.onnx", 1, steep=steep)
    assert (CellReader(first, "first").probabilities(views).max(axis=1) < SURE).sum() == asked
    reader = CellReader(in_turn(first, reader_file(tmp_path / "second.onnx", 2, steep=20.0), CARD), "both")
    for count in (0, 1, 30):
        assert np.allclose(reader.probabilities(views[:count]).sum(axis=1), np.ones(count), atol=1e-5)


def test_what_is_no_cell_reader_is_refused(tmp_path: Path) -> None:
    first = reader_file(tmp_path / "first.onnx", 1, steep=1.0)
    with pytest.raises(ModelError, match="expected a cell reader, views -> probabilities, found a model with images"):
        in_turn(first, plain_bytes(), CARD)


def test_a_training_leaves_both_in_its_file_and_tells_how_it_does_alone(tmp_path: Path) -> None:
    first = reader_file(tmp_path / "first.onnx", 1, steep=1.0)
    learning = CellLearning(steps=4)
    train = partial(train_cell_reader, Dataset("drawn", draw_digits(40, seed=1), None), workers=1)
    hardware = Hardware(torch.device("cpu"), "float32", 1)
    settings = partial(CellSettings, cells=24, val_cells=6, val=0.2, fonts=str(tmp_path), learning=learning)
    with pytest.raises(FileError):
        train(tmp_path / "run", settings(first=str(tmp_path / "absent.onnx")), hardware=hardware)
    write_bytes(tmp_path / "text.onnx", b"no model")
    with pytest.raises(ModelError, match=r"text\.onnx: .*this is not an ONNX model"):
        train(tmp_path / "run", settings(first=str(tmp_path / "text.onnx")), hardware=hardware)
    assert not (tmp_path / "run").exists()
    metrics = train(tmp_path / "run", settings(first=str(tmp_path / "first.onnx")), hardware=hardware, command="again")
    assert metrics == json.loads(read_bytes(tmp_path / "run" / "metrics.json"))
    assert set(metrics["alone"]) == {"digits_right", "empty_right", "others_right"}
    assert metrics["bytes"] == (tmp_path / "run" / "cells.onnx").stat().st_size > len(first)
    assert read_model(tmp_path / "run" / "cells.onnx").metadata.command == "again"
