"""The recognizer against the same model computed by hand, and at its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError, ModelError, UsageError
from digit_recognizer.recognizer import Recognizer
from tests.conftest import draw_digits
from tests.plain_models import CARD, constant, plain_bytes, softmax_by_hand


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path_factory.getbasetemp() / "recognizer-cache"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(plain_bytes())
    return path


@pytest.fixture
def recognizer(path: Path) -> Recognizer:
    return Recognizer(path)


def test_probabilities_are_those_computed_by_hand(recognizer: Recognizer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    images = np.concatenate([draw_digits(300).images, noise])
    found = recognizer.probabilities(images)
    assert found.dtype == np.float32
    assert np.abs(found - softmax_by_hand(images)).max() < 1e-5
    assert len(set(found.argmax(1))) > 2


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_batches_of_any_size_agree_with_one_by_one(recognizer: Recognizer, batch_size: int) -> None:
    images = draw_digits(65).images
    one_by_one = np.concatenate([recognizer.probabilities(image[None]) for image in images])
    assert np.abs(recognizer.probabilities(images, batch_size=batch_size) - one_by_one).max() < 1e-5


def test_threads_do_not_change_answers(recognizer: Recognizer, path: Path) -> None:
    images = draw_digits(65).images
    found = Recognizer(path, threads=1).probabilities(images)
    assert np.abs(recognizer.probabilities(images) - found).max() < 1e-5


def test_a_run_folder_and_its_model_file_read_alike(recognizer: Recognizer, path: Path) -> None:
    images = draw_digits(20).images
    of_run = Recognizer(str(path.parent))
    assert np.array_equal(of_run.probabilities(images), recognizer.probabilities(images))
    assert of_run.sha256 == recognizer.sha256
    assert of_run.metadata == CARD


def test_readings_follow_probabilities_names_and_the_threshold_in_the_file(recognizer: Recognizer) -> None:
    digits = draw_digits(80)
    named = Digits(digits.images, names=tuple(f"{n}.png" for n in range(80)))
    expected = softmax_by_hand(digits.images)
    found = recognizer.predict(named)
    assert [reading.digit for reading in found] == expected.argmax(1).tolist()
    assert [reading.name for reading in found] == list(named.names or ())
    assert recognizer.min_confidence == CARD.min_confidence
    assert [reading.accepted for reading in found] == (expected.max(1) >= CARD.min_confidence).tolist()
    assert {reading.accepted for reading in found} == {True, False}


def test_an_array_reads_as_the_digits_it_makes(recognizer: Recognizer) -> None:
    digits = draw_digits(5)
    found = [reading.to_dict() for reading in recognizer.predict(digits.images)]
    assert found == [reading.to_dict() for reading in recognizer.predict(digits)]
    assert [reading["name"] for reading in found] == ["1", "2", "3", "4", "5"]


def test_no_images_give_no_readings(recognizer: Recognizer) -> None:
    nothing = np.zeros((0, 28, 28), np.uint8)
    assert recognizer.probabilities(nothing).shape == (0, 10)
    assert recognizer.predict(nothing) == []


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32), np.zeros((28, 28), np.uint8), np.zeros((2, 1, 28, 28), np.uint8),
        np.zeros((2, 784), np.uint8), np.zeros((2, 28, 28), np.int64),
    ],
)  # fmt: skip
def test_images_of_another_type_or_shape_are_refused_not_guessed(
    recognizer: Recognizer, images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    for call in (recognizer.probabilities, recognizer.predict):
        with pytest.raises(InputError, match="expected images as uint8"):
            call(images)


def test_images_in_any_memory_order_are_read_alike(recognizer: Recognizer) -> None:
    images = draw_digits(30).images
    for other in (np.asfortranarray(images), np.repeat(images, 2, axis=0)[::2]):
        assert np.array_equal(recognizer.probabilities(other), recognizer.probabilities(images))


def test_without_a_model_the_message_says_how_to_get_one() -> None:
    with pytest.raises(ModelError, match="--model"):
        Recognizer()


def test_a_missing_file_and_a_file_of_another_kind_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        Recognizer(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(ModelError, match=r"text\.onnx"):
        Recognizer(tmp_path / "text.onnx")


def test_threads_and_batch_size_below_one_are_usage_errors(path: Path, recognizer: Recognizer) -> None:
    with pytest.raises(UsageError, match="threads"):
        Recognizer(path, threads=0)
    with pytest.raises(UsageError, match="batch size"):
        recognizer.probabilities(draw_digits(2).images, batch_size=0)


def test_a_model_file_replaced_while_in_use_has_no_effect(recognizer: Recognizer, path: Path) -> None:
    images = draw_digits(20).images
    before = recognizer.probabilities(images)
    path.write_bytes(b"something else")
    assert np.array_equal(recognizer.probabilities(images), before)
    path.unlink()
    assert np.array_equal(recognizer.probabilities(images), before)


def test_a_model_that_fails_on_some_image_alone_says_so_and_returns_nothing(tmp_path: Path) -> None:
    # 0 / 0 = NaN where the first pixel is exactly 77, as in none of the frames of the trial.
    extra = [
        helper.make_node("Slice", ["flat", "first", "second", "axis"], ["corner"]),
        helper.make_node("Sub", ["corner", "trigger"], ["distance"]),
        helper.make_node("Div", ["distance", "distance"], ["one_or_nan"]),
        helper.make_node("Mul", ["logits", "one_or_nan"], ["spoiled"]),
    ]
    constants = [
        constant("first", [0], np.int64),
        constant("second", [1], np.int64),
        constant("axis", [1], np.int64),
        constant("trigger", np.float32(77) / np.float32(255)),
    ]
    path = tmp_path / "trap.onnx"
    path.write_bytes(plain_bytes(extra=extra, constants=constants, last="spoiled"))
    recognizer = Recognizer(path)
    images = np.array(draw_digits(10).images)
    assert recognizer.probabilities(images).shape == (10, 10)
    images[4, 0, 0] = 77
    with pytest.raises(ModelError, match=r"trap\.onnx: .*NaN"):
        recognizer.probabilities(images)


def test_reading_is_silent(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Recognizer(path).predict(draw_digits(3))
    path.write_bytes(plain_bytes(opsets=[("", 99)]))
    with pytest.raises(ModelError):
        Recognizer(path)
    assert capfd.readouterr() == ("", "")
