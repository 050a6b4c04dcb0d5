"""The ink finder learns, is exported, and answers in ONNX Runtime as in torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, ModelError, TrainingDiverged, UsageError
from digit_recognizer.files import read_bytes
from digit_recognizer.ink_finder import InkFinder
from digit_recognizer.model_file import read_model
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.inkfinder.compose import Scenes
from digit_recognizer.training.inkfinder.export import export_ink_finder
from digit_recognizer.training.inkfinder.job import InkSettings, load_weights, overlap, train_ink_finder
from digit_recognizer.training.inkfinder.learn import InkLearning, Note, answers, ink_loss, learn
from digit_recognizer.training.inkfinder.network import InkNetwork
from tests.conftest import draw_digits
from tests.plain_models import CARD, plain_bytes

CPU = Hardware(torch.device("cpu"), "float32", 1)


def bars(count: int, seed: int) -> Scenes:
    """Dark bars on a ground that gets darker to the right."""
    rng = np.random.default_rng(seed)
    ink = np.zeros((count, 32, 64), np.uint8)
    for one in ink:
        for left in rng.integers(2, 58, 3):
            one[4:28, left : left + 4] = 255
    light = np.linspace(230, 130, 64)[None, None]
    return Scenes(np.rint(light - 0.35 * ink).astype(np.uint8), ink)


def test_dark_bars_in_uneven_light_are_learnt() -> None:
    notes: list[Note] = []
    learning = InkLearning(batch_size=8, steps=60, learning_rate=1e-2)
    network = learn(bars(60, 0), learning, seed=0, hardware=CPU, note_every=20, on_note=lambda n, _: notes.append(n))
    unseen = bars(20, 1)
    assert overlap(answers(network, unseen.grey, CPU), unseen)["f1"] > 0.9
    assert [note.step for note in notes] == [20, 40, 60, 60]
    assert notes[2].loss < notes[0].loss
    assert notes[-1].share == 1


def test_the_same_seed_gives_the_same_network() -> None:
    scenes, learning = bars(12, 0), InkLearning(batch_size=4, steps=3)
    first, second = (learn(scenes, learning, seed=7, hardware=CPU).state_dict() for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_a_training_ends_when_its_minutes_are_over() -> None:
    notes: list[Note] = []
    learning = InkLearning(batch_size=2, steps=10**6, minutes=0.5 / 60)
    learn(bars(6, 0), learning, seed=0, hardware=CPU, note_every=1, on_note=lambda note, _: notes.append(note))
    assert notes[-1].share == 1
    assert notes[-1].step < 10**6


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    with pytest.raises(TrainingDiverged):
        learn(bars(6, 0), InkLearning(batch_size=2, steps=30, learning_rate=1e30), seed=0, hardware=CPU, note_every=5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"batch_size": 0}, "--batch-size"),
        ({"minutes": 0.0}, "--minutes"),
        ({"learning_rate": float("nan")}, "--learning-rate"),
    ],
)
def test_a_learning_that_cannot_be_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        InkLearning(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"val": 0.0}, {"seed": -1}, {"scenes": 0}, {"val_scenes": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="--" + next(iter(wrong)).replace("_", "-")):
        InkSettings(**wrong)  # type: ignore[arg-type]


def test_without_scenes_there_is_nothing_to_learn() -> None:
    with pytest.raises(UsageError, match="found none"):
        learn(bars(0, 0), InkLearning(), seed=0, hardware=CPU)


def test_the_loss_is_least_where_the_ink_is_found() -> None:
    ink = torch.zeros(1, 1, 8, 8)
    ink[..., 2:4] = 1
    found, missed, all_over = ((2 * ink - 1) * 9, torch.full_like(ink, -9), torch.full_like(ink, 9))
    assert ink_loss(found, ink) < 0.01 < ink_loss(missed, ink)
    assert ink_loss(found, ink) < ink_loss(all_over, ink)


def test_onnx_runtime_answers_as_torch_does_at_any_size(tmp_path: Path) -> None:
    """Two independent roads: torch on the padded picture, ONNX Runtime behind InkFinder on the picture itself."""
    torch.manual_seed(1)
    network = InkNetwork().eval()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 96), np.uint8)
    size, difference = export_ink_finder(network, tmp_path / "ink.onnx", metadata=CARD, check_pictures=pictures)
    assert size == (tmp_path / "ink.onnx").stat().st_size
    assert difference < 1e-4
    finder = InkFinder((tmp_path / "ink.onnx").read_bytes(), "ink.onnx")
    picture = np.random.default_rng(1).integers(0, 256, (70, 33), np.uint8)
    padded = np.pad(picture, ((0, 26), (0, 31)), mode="edge")
    expected = answers(network, padded[None], CPU)[0, :70, :33]
    found = finder.ink(picture)
    assert found.shape == (70, 33)
    assert np.allclose(found, expected, atol=1e-4)
    assert finder.ink(np.zeros((1, 1), np.uint8)).shape == (1, 1)


def test_nothing_is_written_without_a_picture_to_check(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one picture"):
        export_ink_finder(
            InkNetwork(), tmp_path / "ink.onnx", metadata=CARD, check_pictures=np.zeros((0, 32, 32), np.uint8)
        )
    assert not (tmp_path / "ink.onnx").exists()


def test_a_model_of_another_kind_is_no_ink_finder() -> None:
    with pytest.raises(ModelError, match="expected an ink finder"):
        InkFinder(plain_bytes(), "plain.onnx")
    with pytest.raises(ModelError, match=r"bad\.onnx"):
        InkFinder(b"nothing", "bad.onnx")


def test_a_whole_training_leaves_a_model_with_its_card(tmp_path: Path) -> None:
    settings = InkSettings(scenes=12, val_scenes=4, val=0.2, fonts=str(tmp_path), learning=InkLearning(steps=4))
    notes: list[str] = []
    metrics = train_ink_finder(
        Dataset("drawn", draw_digits(40, seed=1), None),
        tmp_path / "run",
        settings,
        hardware=CPU,
        command="digits train-ink drawn",
        workers=1,
        tell=notes.append,
    )
    assert metrics == json.loads(read_bytes(tmp_path / "run" / "metrics.json"))
    assert metrics["learnt_from"] == {"digits": 32, "drawings": 0, "fonts": 0}
    card = read_model(tmp_path / "run" / "ink.onnx").metadata
    assert (card.preset, card.data, card.command) == ("ink", "drawn", "digits train-ink drawn")
    network = load_weights(tmp_path / "run" / "weights.safetensors")
    assert isinstance(network, InkNetwork)
    assert "32 digits" in notes[0]
    finder = InkFinder((tmp_path / "run" / "ink.onnx").read_bytes(), "ink.onnx")
    assert finder.ink(np.full((40, 50), 255, np.uint8)).shape == (40, 50)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from digit_recognizer.training.checkpoint import Snapshot, save_snapshot

    save_snapshot(tmp_path / "other.safetensors", Snapshot({"head.bias": torch.zeros(3)}, {}))
    with pytest.raises(CheckpointError, match="expected the weights of an ink finder"):
        load_weights(tmp_path / "other.safetensors")
