"""The line reader learns, is exported, and answers in ONNX Runtime as in torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, FileError, ModelError, TrainingDiverged, UsageError
from digit_recognizer.files import read_bytes
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_file import read_model
from digit_recognizer.pictures.words.ctc import best_labelling
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.lines.compose import Strips
from digit_recognizer.training.lines.export import fit_temperature
from digit_recognizer.training.lines.job import LineSettings, load_weights, train_lines
from digit_recognizer.training.lines.learn import Learning, Note, answers, learn, whole_right
from tests.conftest import draw_digits
from tests.plain_models import plain_bytes

CPU = Hardware(torch.device("cpu"), "float32", 1)


def bars_and_dashes(count: int, seed: int) -> Strips:
    """Strips that are quickly learnt: an upright bar is a 1, a block at the foot a 2."""
    rng = np.random.default_rng(seed)
    images, labels, centres = [], [], []
    for _ in range(count):
        shown = rng.integers(1, 3, rng.integers(1, 5))
        image = np.zeros((32, 12 * len(shown) + 8), np.uint8)
        for place, label in enumerate(shown):
            left = 8 + 12 * place
            image[2:30, left : left + 4] = 255 if label == 1 else 0
            image[20:30, left - 2 : left + 6] = 255 if label == 2 else image[20:30, left - 2 : left + 6]
        images.append(image)
        labels.append(shown.tolist())
        centres.append([10.0 + 12 * place for place in range(len(shown))])
    return Strips.of(images, labels, centres)


def test_a_simple_writing_is_learnt() -> None:
    notes: list[Note] = []
    learning = Learning(batch_columns=512, steps=60, learning_rate=6e-3, shift=1)
    network = learn(
        bars_and_dashes(200, 0), learning, seed=0, hardware=CPU, note_every=20, on_note=lambda n, _: notes.append(n)
    )
    unseen = bars_and_dashes(60, 1)
    right = whole_right(answers(network, unseen, CPU), unseen)
    assert right.mean() > 0.9
    assert [note.step for note in notes] == [20, 40, 60]
    assert notes[-1].loss < notes[0].loss
    assert notes[-1].share == 1


def test_a_network_is_trained_on_from_where_it_was() -> None:
    strips, unseen = bars_and_dashes(200, 0), bars_and_dashes(60, 1)
    learning = Learning(batch_columns=512, steps=60, learning_rate=6e-3, shift=1)
    network = learn(strips, learning, seed=0, hardware=CPU)
    before = whole_right(answers(network, unseen, CPU), unseen).mean()
    few = replace(learning, steps=2, learning_rate=1e-4)
    on = learn(strips, few, seed=1, hardware=CPU, start=network)
    anew = learn(strips, few, seed=1, hardware=CPU)
    assert whole_right(answers(on, unseen, CPU), unseen).mean() > before - 0.1
    assert whole_right(answers(anew, unseen, CPU), unseen).mean() < 0.2


def test_the_same_seed_gives_the_same_network() -> None:
    strips, learning = bars_and_dashes(30, 0), Learning(batch_columns=512, steps=3)
    first, second = (learn(strips, learning, seed=7, hardware=CPU).state_dict() for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_a_training_ends_when_its_minutes_are_over() -> None:
    notes: list[Note] = []
    learning = Learning(batch_columns=256, steps=10**6, minutes=0.5 / 60)
    learn(bars_and_dashes(30, 0), learning, seed=0, hardware=CPU, on_note=lambda note, _: notes.append(note))
    assert notes[-1].share == 1
    assert notes[-1].step < 10**6


def test_answers_do_not_depend_on_who_stands_beside() -> None:
    strips = bars_and_dashes(20, 3)
    network = learn(strips, Learning(steps=2), seed=0, hardware=CPU)
    alone = answers(network, Strips.of([strips.image(4)], [strips.labels_of(4)], [strips.centres_of(4).tolist()]), CPU)
    # What lies beyond a strip's end is black in both cases; its last frames see how far that goes.
    beside = answers(network, strips, CPU)[4]
    assert alone[0].shape == beside.shape
    assert np.allclose(alone[0][:-15], beside[:-15], atol=1e-4)


def test_nothing_to_learn_from_and_odd_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="strips"):
        learn(Strips.of([], [], []), Learning(), seed=0, hardware=CPU)
    for wrong in ({"steps": 0}, {"minutes": 0.0}, {"learning_rate": float("nan")}):
        with pytest.raises(UsageError):
            Learning(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--val"):
        LineSettings(val=1.0)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    with pytest.raises(TrainingDiverged, match="learning rate"):
        learn(bars_and_dashes(30, 0), Learning(steps=60, learning_rate=1e30), seed=0, hardware=CPU)


def test_the_temperature_makes_overconfident_answers_modest() -> None:
    strips = bars_and_dashes(40, 5)
    network = learn(bars_and_dashes(200, 0), Learning(batch_columns=512, steps=40), seed=0, hardware=CPU)
    logits = answers(network, strips, CPU)
    usual = fit_temperature(logits, strips)
    assert fit_temperature([2 * one for one in logits], strips) >= usual


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training on drawn digits, without fonts."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "no-fonts").mkdir()
    settings = LineSettings(
        rows=12, val_rows=6, val=0.2, fonts=str(folder / "no-fonts"), learning=Learning(steps=4, batch_columns=1_024)
    )
    dataset = Dataset("drawn", draw_digits(100, seed=1), None)
    train_lines(dataset, folder / "run", settings, hardware=CPU, workers=1)
    return folder / "run"


def test_the_exported_file_answers_as_torch_does(finished: Path) -> None:
    network = load_weights(finished / "weights.safetensors")
    strips = Strips.load(finished / "strips-validation.npz")
    reader = LineReader(read_bytes(finished / "lines.onnx"), "lines.onnx")
    temperature = read_model(finished / "lines.onnx").metadata.temperature
    found = reader.frames([strips.image(number) for number in range(len(strips))])
    assert len(found) == len(strips) > 3
    for number, answer in enumerate(found):
        image = torch.from_numpy(strips.image(number).copy())[None, None].float() / 255
        with torch.no_grad():
            expected = (network(image)[0] / temperature).log_softmax(1).numpy()
        assert answer.shape == expected.shape
        if len(answer) > 15:
            assert np.allclose(answer[:-15], expected[:-15], atol=1e-3)
        assert np.exp(answer).sum(axis=1) == pytest.approx(np.ones(len(answer)), abs=1e-4)
        assert isinstance(best_labelling(answer), tuple)


def test_a_finished_training_tells_what_it_was(finished: Path) -> None:
    import json

    metrics = json.loads((finished / "metrics.json").read_text("utf-8"))
    assert 0 <= metrics["whole_strings"] <= 1
    assert metrics["steps"] == 4
    assert metrics["bytes"] == (finished / "lines.onnx").stat().st_size < 1_500_000
    assert read_model(finished / "lines.onnx").metadata.preset == "lines"


def test_the_same_strips_are_not_composed_twice(finished: Path) -> None:
    notes: list[str] = []
    before = (finished / "strips-training.npz").stat().st_mtime_ns
    settings = LineSettings(
        rows=12, val_rows=6, val=0.2, fonts=str(finished.parent / "no-fonts"), learning=Learning(steps=1)
    )
    dataset = Dataset("drawn", draw_digits(100, seed=1), None)
    train_lines(dataset, finished, settings, hardware=CPU, overwrite=True, workers=1, tell=notes.append)
    assert any("already" in note for note in notes)
    assert (finished / "strips-training.npz").stat().st_mtime_ns == before


def test_the_run_of_another_training_is_not_written_over(tmp_path: Path) -> None:
    for config in ('{"preset": "fast"}', '{"kind": "ink"}', "no JSON"):
        (tmp_path / "config.json").write_text(config)
        with pytest.raises(FileError, match="holds the run of another training"):
            train_lines(Dataset("drawn", draw_digits(20, seed=1), None), tmp_path, LineSettings(), hardware=CPU)
        assert (tmp_path / "config.json").read_text() == config
        assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_what_is_no_line_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a line reader"):
        LineReader(plain_bytes(), "digits.onnx")
    with pytest.raises(ModelError, match="cannot open"):
        LineReader(b"no model", "broken.onnx")
    (tmp_path / "w.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(CheckpointError):
        load_weights(tmp_path / "w.safetensors")
