"""The cell reader learns, is exported, and answers in ONNX Runtime as in torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.cell_reader import CellReader
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, ModelError, TrainingDiverged, UsageError
from digit_recognizer.files import read_bytes
from digit_recognizer.model_file import read_model
from digit_recognizer.training.cells.export import export_cell_reader
from digit_recognizer.training.cells.job import CellSettings, load_weights, shares_right, train_cell_reader
from digit_recognizer.training.cells.learn import CellLearning, Note, answers, learn
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.hardware import Hardware
from tests.conftest import draw_digits
from tests.plain_models import CARD, plain_bytes

CPU = Hardware(torch.device("cpu"), "float32", 1)


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Views of one bar, lying (0) or upright (1), with noise; and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    views = rng.integers(20, 45, (count, 48, 48)).astype(np.uint8)
    for view, upright in zip(views, labels, strict=True):
        at, long = int(rng.integers(16, 30)), slice(10, 38)
        view[(long, slice(at, at + 4)) if upright else (slice(at, at + 4), long)] = 190
    return views, labels.astype(np.int64)


def test_lying_and_upright_bars_are_told_apart() -> None:
    notes: list[Note] = []
    learning = CellLearning(batch_size=16, steps=40, learning_rate=3e-3)
    network = learn(*bars(120, 0), learning, seed=0, hardware=CPU, note_every=20, on_note=lambda n, _: notes.append(n))
    views, labels = bars(60, 1)
    assert (answers(network, views, CPU).argmax(1) == labels).mean() > 0.95
    assert [note.step for note in notes] == [20, 40, 40]
    assert notes[1].loss < notes[0].loss


def test_the_same_seed_gives_the_same_network() -> None:
    learning = CellLearning(batch_size=4, steps=3)
    first, second = (learn(*bars(12, 0), learning, seed=7, hardware=CPU).state_dict() for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    with pytest.raises(TrainingDiverged):
        learn(*bars(8, 0), CellLearning(batch_size=2, steps=30, learning_rate=1e30), seed=0, hardware=CPU, note_every=5)


def test_without_cells_there_is_nothing_to_learn() -> None:
    with pytest.raises(UsageError, match="found none"):
        learn(*bars(0, 0), CellLearning(), seed=0, hardware=CPU)


@pytest.mark.parametrize("wrong", [{"val": 0.0}, {"seed": -1}, {"cells": 0}, {"val_cells": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="--" + next(iter(wrong)).replace("_", "-")):
        CellSettings(**wrong)  # type: ignore[arg-type]


def test_onnx_runtime_answers_as_torch_does_for_any_number_of_cells(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = CellNetwork().eval()
    views = np.random.default_rng(0).integers(0, 256, (41, 48, 48), np.uint8)
    size, difference = export_cell_reader(network, tmp_path / "cells.onnx", metadata=CARD, check_views=views[:3])
    assert size == (tmp_path / "cells.onnx").stat().st_size
    assert difference < 1e-4
    reader = CellReader((tmp_path / "cells.onnx").read_bytes(), "cells.onnx")
    logits = answers(network, views, CPU) / CARD.temperature
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = reader.probabilities(views)
    assert np.allclose(found, expected, atol=2e-3)  # the file's weights are rounded to half precision
    assert np.allclose(reader.probabilities(views[40:]), found[40:], atol=1e-5)
    assert reader.probabilities(views[:0]).shape == (0, 12)


def test_nothing_is_written_without_a_view_to_check(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one view"):
        export_cell_reader(
            CellNetwork(), tmp_path / "cells.onnx", metadata=CARD, check_views=np.zeros((0, 48, 48), np.uint8)
        )
    assert not (tmp_path / "cells.onnx").exists()


def test_a_model_of_another_kind_is_no_cell_reader() -> None:
    with pytest.raises(ModelError, match="expected a cell reader"):
        CellReader(plain_bytes(), "plain.onnx")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        CellReader(b"nothing", "bad.onnx")


def test_a_whole_training_leaves_a_model_with_its_card(tmp_path: Path) -> None:
    settings = CellSettings(cells=24, val_cells=6, val=0.2, fonts=str(tmp_path), learning=CellLearning(steps=4))
    notes: list[str] = []
    metrics = train_cell_reader(
        Dataset("drawn", draw_digits(40, seed=1), None),
        tmp_path / "run",
        settings,
        hardware=CPU,
        command="digits train-cells drawn",
        workers=1,
        tell=notes.append,
    )
    assert metrics == json.loads(read_bytes(tmp_path / "run" / "metrics.json"))
    assert metrics["learnt_from"] == {"digits": 32, "drawings": 0, "fonts": 0}
    card = read_model(tmp_path / "run" / "cells.onnx").metadata
    assert (card.preset, card.data, card.command) == ("cells", "drawn", "digits train-cells drawn")
    assert card.temperature == metrics["temperature"]
    assert isinstance(load_weights(tmp_path / "run" / "weights.safetensors"), CellNetwork)
    assert "32 digits" in notes[0]


def test_digits_count_among_the_ten_and_kinds_that_do_not_occur_as_right() -> None:
    logits = np.zeros((3, 12), np.float32)
    logits[0, [3, 11]] = 1, 2  # a 3 that looks more like no digit
    logits[1, 4] = 1
    logits[2, 10] = 1
    assert shares_right(logits, np.array([3, 5, 10])) == {
        "digits_right": 0.5,
        "empty_right": 1.0,
        "others_right": 1.0,
    }


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from digit_recognizer.training.checkpoint import Snapshot, save_snapshot

    save_snapshot(tmp_path / "other.safetensors", Snapshot({"head.bias": torch.zeros(3)}, {}))
    with pytest.raises(CheckpointError, match="expected the weights of a cell reader"):
        load_weights(tmp_path / "other.safetensors")
