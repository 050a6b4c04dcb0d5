"""The recognizer against the same model computed by hand, and at its edges."""

from __future__ import annotations

import copy
import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from onnx import helper
from PIL import Image

from digit_recognizer.analysis import metrics
from digit_recognizer.cell_reader import CellReader
from digit_recognizer.digits import Digits
from digit_recognizer.errors import DigitsError, FileError, InputError, ModelError, UsageError
from digit_recognizer.ink_finder import InkFinder
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_probe import run_session
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.reading import Reading
from digit_recognizer.recognizer import Recognizer
from tests.conftest import draw_digits
from tests.plain_models import (
    CARD,
    constant,
    plain_bytes,
    softmax_by_hand,
    unfamiliar_bytes,
    unfamiliarity_by_hand,
)

ASSETS = Path(str(files("digit_recognizer") / "assets"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path_factory.getbasetemp() / "recognizer-cache"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(plain_bytes())
    return path


def copied_by_pickle(found: Any) -> Any:
    return pickle.loads(pickle.dumps(found))  # noqa: S301  # our own bytes


@pytest.fixture
def recognizer(path: Path) -> Recognizer:
    return Recognizer(path)


@pytest.mark.parametrize("copied", [copy.deepcopy, copied_by_pickle])
@pytest.mark.parametrize(
    ("kind", "file", "ask"),
    [
        (LineReader, "lines.onnx", lambda network: network.frames([np.eye(32, 60, dtype=np.uint8) * 255])[0]),
        (InkFinder, "ink.onnx", lambda network: network.ink(np.eye(40, 60, dtype=np.uint8) * 255)),
        (CellReader, "cells.onnx", lambda network: network.probabilities(np.full((1, 48, 48), 9, np.uint8))),
    ],
)
def test_a_copy_has_networks_of_its_own_that_answer_as_those_that_it_was_given(
    path: Path, copied: Callable[[Any], Any], kind: Callable[..., Any], file: str, ask: Callable[[Any], Any]
) -> None:
    network = kind((ASSETS / file).read_bytes(), f"my {file}", 1)
    word = {"lines.onnx": "lines", "ink.onnx": "ink", "cells.onnx": "cells"}[file]
    again = getattr(copied(Recognizer(path, **{word: network}))._others, f"_{word}")
    assert type(again) is kind
    assert again is not network
    assert again.name == f"my {file}"
    np.testing.assert_array_equal(ask(again), ask(network))


@pytest.mark.parametrize("copied", [copy.deepcopy, copied_by_pickle])
def test_a_copy_opens_the_same_file_from_wherever_it_is_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: Callable[[Recognizer], Recognizer]
) -> None:
    monkeypatch.chdir(path.parent)
    recognizer = Recognizer(path.name, threads=1, lines=None)
    monkeypatch.chdir(tmp_path)
    images = draw_digits(3).images
    np.testing.assert_array_equal(copied(recognizer).probabilities(images), recognizer.probabilities(images))
    assert copied(Recognizer()).sha256 == Recognizer().sha256
    path.write_bytes(unfamiliar_bytes())
    with pytest.raises(ModelError, match="is another model than the one that was copied"):
        copied(recognizer)


def test_a_threshold_of_ones_own_takes_the_place_of_the_file_s_in_copies_too(path: Path) -> None:
    images = draw_digits(50)
    confidences = sorted(reading.confidence for reading in Recognizer(path).predict(images))
    threshold = confidences[25]
    recognizer = Recognizer(path, min_confidence=threshold)
    for each in (recognizer, copied_by_pickle(recognizer)):
        assert each.min_confidence == threshold
        assert sum(reading.accepted for reading in each.predict(images)) == 25
    assert Recognizer(path).min_confidence == CARD.min_confidence


def test_a_threshold_of_ones_own_accepts_no_blank_picture_and_nothing_that_is_no_digit(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(unfamiliar_bytes())
    images = np.concatenate([draw_digits(100).images, np.zeros((1, 28, 28), np.uint8)])
    found = Recognizer(tmp_path, min_confidence=0).predict(Digits(images))
    assert {reading.reason for reading in found} == {"blank", "not a digit", None}


@pytest.mark.parametrize("none", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_confidence_is_refused(path: Path, none: float) -> None:
    with pytest.raises(UsageError, match="expected a min_confidence from 0 to 1, found"):
        Recognizer(path, min_confidence=none)


def test_an_array_of_paths_is_the_list_of_them(recognizer: Recognizer, tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for name, image in zip(paths, draw_digits(2).images, strict=True):
        Image.fromarray(image).save(name)
    assert recognizer.predict(np.array(paths)) == recognizer.predict(paths)
    assert recognizer.predict(np.array(paths[0])) == recognizer.predict(paths[0])


@pytest.mark.parametrize("address", ["https://x.y/1.png", "https://x.y/1.png?size=[2]", "s3://a/*.png"])
def test_addresses_are_said_not_to_be_fetched(recognizer: Recognizer, address: str) -> None:
    with pytest.raises(FileError, match="addresses are not fetched") as caught:
        recognizer.predict(address)
    assert str(caught.value).startswith(f"{address}: ")


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
    assert {reading.unfamiliarity for reading in found} == {0.0}
    assert [reading.digit for reading in found] == expected.argmax(1).tolist()
    assert [reading.name for reading in found] == list(named.names or ())
    assert recognizer.min_confidence == CARD.min_confidence
    assert [reading.accepted for reading in found] == (expected.max(1) >= CARD.min_confidence).tolist()
    assert {reading.accepted for reading in found} == {True, False}


def test_an_array_of_frames_reads_as_the_digits_it_makes(recognizer: Recognizer) -> None:
    digits = Digits(np.stack([to_frame(image) for image in draw_digits(5).images]))
    found = [reading.to_dict() for reading in recognizer.predict(digits.images)]
    assert found == [reading.to_dict() for reading in recognizer.predict(digits)]
    assert [reading["name"] for reading in found] == ["1", "2", "3", "4", "5"]


def test_no_images_give_no_readings(recognizer: Recognizer) -> None:
    nothing = np.zeros((0, 28, 28), np.uint8)
    assert recognizer.probabilities(nothing).shape == (0, 10)
    assert recognizer.predict(nothing) == []
    assert recognizer.predict([]) == []
    assert recognizer.predict([], raw=True).shape == (0, 10)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32), np.zeros((2, 28, 28), bool), np.zeros((2, 1, 28, 28), np.uint8),
        np.zeros((2, 784), np.uint8), np.zeros((2, 28, 28), np.int64),
    ],
)  # fmt: skip
def test_the_network_is_given_bytes_alone(recognizer: Recognizer, images: npt.NDArray[Any]) -> None:
    with pytest.raises(InputError, match="expected images as uint8"):
        recognizer.probabilities(images)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (np.zeros((2, 784), np.uint8), "reshape rows of pixels"),
        (np.zeros((2, 28, 28), np.int64), "uint8, bool, or floats from 0 to 1, found int64; .*astype"),
        (np.full((2, 28, 28), 255.0), "floats from 0 to 1, found 255 to 255"),
        (np.full((2, 28, 28), np.nan), "floats from 0 to 1"),
        (np.zeros((2, 3, 28, 28), np.uint8), "expected images as"),
        (np.zeros((2, 40, 40), np.uint8), "give a list of pictures"),
        (pd.DataFrame(np.zeros((2, 784), np.uint8)), "found a DataFrame; .*to_numpy"),
        ([pd.DataFrame(np.zeros((28, 28), np.uint8))], "picture 1: .*found a DataFrame"),
    ],
)
def test_images_of_another_type_or_shape_are_refused_with_what_to_do(
    recognizer: Recognizer, images: Any, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        recognizer.predict(images)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda images: images / 255, id="floats"),
        pytest.param(lambda images: (images / 255).astype(np.float16), id="half precision"),
        pytest.param(lambda images: images[:, None], id="channels first"),
        pytest.param(lambda images: images[..., None], id="channels last"),
        pytest.param(lambda images: torch.from_numpy(images.copy()), id="a tensor"),
        pytest.param(lambda images: torch.from_numpy(images / 255).float()[:, None], id="a tensor of floats"),
        pytest.param(lambda images: [torch.from_numpy(image.copy()) for image in images], id="a list of tensors"),
    ],
)
def test_images_in_the_forms_of_other_libraries_are_read_alike(
    recognizer: Recognizer, form: Callable[[npt.NDArray[np.uint8]], Any]
) -> None:
    images = draw_digits(6).images
    assert np.array_equal(recognizer.predict(form(images), raw=True), recognizer.predict(images, raw=True))
    assert len(recognizer.predict(form(images))) == 6


def test_black_and_white_is_read_as_such_and_a_column_of_paths_as_a_list(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    marked = draw_digits(4).images > 127
    assert np.array_equal(recognizer.predict(marked, raw=True), recognizer.predict(marked * np.uint8(255), raw=True))
    for number, image in enumerate(draw_digits(2).images):
        (tmp_path / f"{number}.png").write_bytes(png(image))
    column = pd.Series([str(tmp_path / "0.png"), str(tmp_path / "1.png")])
    assert len(recognizer.predict(column)) == 2


def test_images_in_any_memory_order_are_read_alike(recognizer: Recognizer) -> None:
    images = draw_digits(30).images
    for other in (np.asfortranarray(images), np.repeat(images, 2, axis=0)[::2]):
        assert np.array_equal(recognizer.probabilities(other), recognizer.probabilities(images))


def test_without_a_model_the_message_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digit_recognizer.shipped._ASSETS", tmp_path)
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


# ---- what no digit is


@pytest.fixture
def wary(tmp_path: Path) -> Recognizer:
    """A recognizer whose model has a second output, unfamiliarity."""
    (tmp_path / "wary.onnx").write_bytes(unfamiliar_bytes())
    return Recognizer(tmp_path / "wary.onnx")


def test_probabilities_lack_to_one_what_is_probably_no_digit(wary: Recognizer) -> None:
    images = draw_digits(300).images
    strange = unfamiliarity_by_hand(images)
    found = wary.probabilities(images, batch_size=64)
    assert wary.tells_non_digits
    assert np.abs(found - softmax_by_hand(images) * (1 - strange)[:, None]).max() < 1e-5
    assert np.ptp(found.sum(1)) > 0.1
    readings = wary.predict(Digits(images))
    assert np.abs([reading.unfamiliarity for reading in readings] - strange).max() < 1e-5
    assert np.array_equal([reading.confidence for reading in readings], found.max(1))


def test_evaluation_takes_rows_that_lack_to_one(wary: Recognizer) -> None:
    digits = draw_digits(200)
    expected = softmax_by_hand(digits.images) * (1 - unfamiliarity_by_hand(digits.images))[:, None]
    found = metrics.evaluate(wary.probabilities(digits.images), digits.known_labels())
    true = expected[np.arange(200), digits.known_labels()]
    assert found.log_loss == pytest.approx(-np.log(true).mean(), rel=1e-4)
    assert found.errors == (expected.argmax(1) != digits.known_labels()).sum()
    assert sum(part.confidence * part.count for part in found.reliability) == pytest.approx(expected.max(1).sum(), 1e-4)


# ---- one picture or many


@pytest.fixture
def picture() -> npt.NDArray[np.uint8]:
    """A photo of a one: dark on light, off centre, not square."""
    paper = np.full((90, 120), 235, np.uint8)
    paper[20:70, 40:47] = 30
    return paper


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_picture_gives_the_same_reading_through_every_door(
    recognizer: Recognizer, picture: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "one.png"
    path.write_bytes(png(picture))
    colour = np.repeat(picture[..., None], 3, axis=2)
    expected = recognizer.probabilities(to_frame(picture)[None])
    doors: dict[str, Any] = {
        "path": path, "text": str(path), "bytes": png(picture), "PIL": Image.fromarray(picture), "grey": picture,
        "RGB": colour, "RGBA": np.dstack([colour, np.full(picture.shape, 255, np.uint8)]), "floats": picture / 255,
    }  # fmt: skip
    for door, source in doors.items():
        reading = recognizer.predict(source)
        assert isinstance(reading, Reading), door
        assert np.array_equal(reading.frame, to_frame(picture)), door
        assert np.allclose(reading.probabilities, expected[0], atol=1e-6), door
        assert reading.name == (str(path) if door in ("path", "text") else "1"), door
        assert np.array_equal(recognizer.predict(source, raw=True), expected), door
    together = recognizer.predict(list(doors.values()))
    assert [reading.digit for reading in together] == [int(expected.argmax())] * len(doors)
    assert [reading.name for reading in together] == [str(path), str(path), "3", "4", "5", "6", "7", "8"]


def test_folders_patterns_tuples_and_iterators_give_lists_in_order(
    recognizer: Recognizer, picture: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("10.png", "2.png"):
        (folder / name).write_bytes(png(picture))
    for source in (folder, f"{folder}/*.png", (folder / "2.png", folder / "10.png"), iter([folder])):
        found = recognizer.predict(source)
        assert [Path(reading.name).name for reading in found] == ["2.png", "10.png"]


def test_framed_images_go_in_as_they_are_and_others_are_framed_first(recognizer: Recognizer) -> None:
    framed = np.stack([to_frame(image) for image in draw_digits(10).images])
    sent = np.concatenate([framed, 255 - framed, np.roll(framed, 3, axis=2)])
    frames = np.stack([reading.frame for reading in recognizer.predict(sent)])
    assert np.array_equal(frames, np.concatenate([framed] * 3))
    assert np.array_equal(recognizer.predict(sent, raw=True), recognizer.probabilities(frames))
    untouched = recognizer.predict(Digits(sent))
    assert np.array_equal(np.stack([reading.frame for reading in untouched]), sent)


def test_a_blank_picture_is_never_accepted(wary: Recognizer, recognizer: Recognizer) -> None:
    for reader in (wary, recognizer):
        for blank in (np.zeros((28, 28), np.uint8), np.full((200, 100), 255, np.uint8)):
            reading = reader.predict(blank)
            assert (reading.reason, reading.accepted, reading.confidence) == ("blank", False, 0.0)


def test_a_bad_picture_is_named_by_predict_and_passed_over_by_stream(
    recognizer: Recognizer, picture: npt.NDArray[np.uint8], tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(png(picture)[:60])
    sources = [picture, str(tmp_path / "bad.png"), str(tmp_path / "none.png"), 7, picture]
    with pytest.raises(InputError, match=r"bad\.png: expected a whole PNG"):
        recognizer.predict(sources)
    heard: list[str] = []

    def passed_over(name: str, error: DigitsError) -> None:
        assert Path(name).name in str(error)
        heard.append(Path(name).name)

    for reading in recognizer.stream(sources, batch_size=2, on_error=passed_over):
        heard += [f"read {reading.name}"]
    assert heard == ["read 1", "bad.png", "none.png", "4", "read 5"]


def test_a_stream_holds_no_more_than_a_batch(recognizer: Recognizer, picture: npt.NDArray[np.uint8]) -> None:
    drawn = 0

    def endless() -> Iterator[npt.NDArray[np.uint8]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield picture

    readings = recognizer.stream(endless(), batch_size=3)
    assert [next(readings).name for _ in range(4)] == ["1", "2", "3", "4"]
    assert drawn == 6


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (7, "found int"), (None, "found NoneType"), ({"a": 1}, "found dict"), (b"not a picture", "expected a picture"),
        (np.zeros((5, 5), np.uint16), "found uint16"), (np.full((5, 5), 255.0), "found 255 to 255"),
        (np.full((5, 5), np.nan), "found nan"), (np.zeros((5, 5, 2), np.uint8), r"found uint8 \(5, 5, 2\)"),
        (np.zeros(784, np.uint8), r"found uint8 \(784,\)"), (np.zeros((0, 5), np.uint8), "5 × 0 pixels"),
        (io.BytesIO(b"x"), "file.read"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_was_found(recognizer: Recognizer, source: Any, found: str) -> None:
    with pytest.raises(InputError, match=found):
        recognizer.predict(source)


def test_threads_may_share_one_recognizer(recognizer: Recognizer) -> None:
    images = [draw_digits(20, seed=seed).images for seed in range(8)]
    expected = [recognizer.predict(some, raw=True) for some in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda some: recognizer.predict(some, raw=True), images * 3))
    assert all(np.array_equal(one, other) for one, other in zip(found, expected * 3, strict=True))


# ---- the model that ships


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of assets of the test's own: the plain model, an int8 name for another, and their hashes."""
    monkeypatch.setattr("digit_recognizer.shipped._ASSETS", tmp_path)
    lines = []
    for name, content in (("digits.onnx", plain_bytes()), ("digits.int8.onnx", unfamiliar_bytes())):
        (tmp_path / name).write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (tmp_path / "digits.sha256").write_text("".join(lines))
    return tmp_path


def test_the_shipped_model_and_its_int8_variant_open_without_a_trial(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_trial(model: object) -> None:
        raise AssertionError("a trial was made")

    monkeypatch.setattr("digit_recognizer.recognizer.ensure_safe", no_trial)
    assert (Recognizer().name, Recognizer().tells_non_digits) == ("digits.onnx", False)
    assert (Recognizer("int8").name, Recognizer("int8").tells_non_digits) == ("digits.int8.onnx", True)


@pytest.mark.parametrize("damage", ["model", "hash of another", "no hash", "no list"])
def test_a_shipped_model_that_is_not_as_it_was_shipped_is_refused(shipped: Path, damage: str) -> None:
    model, hashes = shipped / "digits.onnx", shipped / "digits.sha256"
    if damage == "model":
        content = bytearray(model.read_bytes())
        content[-200] ^= 1
        model.write_bytes(content)
    elif damage == "hash of another":
        hashes.write_text(hashes.read_text().replace("digits.onnx", "digits.int8.onnx"))
    elif damage == "no hash":
        hashes.write_text("")
    else:
        hashes.unlink()
    with pytest.raises(ModelError, match="install the package again") as error:
        Recognizer()
    assert (error.value.code, error.value.exit_code) == ("damaged_model", 4)


def test_a_page_of_many_marks_is_read_in_runs_of_64(wary: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def counting(session: Any, images: npt.NDArray[np.uint8]) -> Any:
        runs.append(len(images))
        return run_session(session, images)

    monkeypatch.setattr("digit_recognizer.recognizer.run_session", counting)
    paper = np.full((500, 500), 255, np.uint8)
    for row in range(20, 480, 40):
        for column in range(20, 480, 40):
            paper[row : row + 20, column : column + 5] = 0
    wary.read(paper)
    assert len(runs) > 1
    assert max(runs) == 64
