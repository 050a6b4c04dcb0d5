"""DigitClassifier: scikit-learn's own checks, and ours against the trainer, the model file and other forms of X."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from digit_recognizer.apps.classifier import FEWEST_HELD_OUT, DigitClassifier
from digit_recognizer.digits import Digits
from digit_recognizer.errors import EstimatorInputError, UsageError
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.hardware import choose_hardware
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.trainer import logits, train
from tests.conftest import draw_digits


def quick(epochs: int = 2, **parameters: Any) -> DigitClassifier:
    """A classifier that is soon trained, always in the same way."""
    return DigitClassifier(**{"epochs": epochs, "random_state": 0, "device": "cpu", **parameters})


@pytest.fixture(scope="module")
def fitted() -> DigitClassifier:
    """Trained on 200 drawn digits as scikit-learn holds MNIST: float (n, 784), 0-255, classes as strings."""
    digits = draw_digits(200)
    return quick(30).fit(digits.images.reshape(-1, 784).astype(float), digits.known_labels().astype(str))


# The checks fit some 150 times, on 10 to 300 rows; 50 epochs are what their 300 blobs of 2 features need to be told
# apart. None is expected to fail.
@parametrize_with_checks([DigitClassifier(epochs=50, device="cpu")])
def test_it_is_what_scikit_learn_calls_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


def test_it_reads_digits_of_scikit_learn_that_it_has_not_seen() -> None:
    X, y = load_digits(return_X_y=True)
    seen, unseen, classes, truth = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    assert quick(13).fit(seen, classes).score(unseen, truth) > 0.95


def test_the_answers_are_those_of_the_trained_network() -> None:
    digits = draw_digits(20)
    classifier = quick(1, preset="best").fit(digits.images, digits.known_labels())
    cpu = choose_hardware("cpu", "float32")
    recipe = Recipe.from_dict(classifier.recipe_)
    trained = train(recipe, digits, digits, seed=classifier.seed_, hardware=choose_hardware("cpu"))
    expected = torch.softmax(logits(trained.network, digits.images, cpu).double(), 1).numpy()
    assert recipe.members > 1
    np.testing.assert_allclose(classifier.predict_proba(digits.images), expected, atol=1e-5)


def test_the_same_pictures_give_the_same_answers_however_they_are_handed_over(digits: Digits) -> None:
    images, labels = digits.images, digits.known_labels()
    rows = images.reshape(-1, 784)
    ways = (rows, rows.astype(np.int64), rows / 255, rows.astype(np.float32) * 16, images, images[..., None] - 128.0)
    first, *others = (quick().fit(way, labels).predict_proba(way) for way in ways)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_pictures_that_are_not_square_get_empty_margins(digits: Digits) -> None:
    narrow = digits.images[:, 4:24, 6:22]
    square = np.pad(narrow, ((0, 0), (0, 0), (2, 2)))
    labels = digits.known_labels()
    expected = quick().fit(square, labels).predict_proba(square)
    np.testing.assert_array_equal(quick().fit(narrow, labels).predict_proba(narrow), expected)


def test_features_that_fill_no_square_leave_its_rest_empty(digits: Digits) -> None:
    labels = digits.known_labels()
    rows = digits.images[:, 4:24, 4:24].reshape(-1, 400)
    rows[:, 390:] = 0
    expected = quick().fit(rows, labels).predict_proba(rows)
    np.testing.assert_array_equal(quick().fit(rows[:, :390], labels).predict_proba(rows[:, :390]), expected)


def test_values_beyond_those_of_fit_are_clipped(fitted: DigitClassifier) -> None:
    rows = draw_digits(20, seed=1).images.reshape(-1, 784).astype(float)
    beyond = np.where(rows == 0, -1e300, np.where(rows > fitted.high_ - 1, 1e300, rows))
    rows[rows > fitted.high_ - 1] = fitted.high_
    np.testing.assert_array_equal(fitted.predict_proba(beyond), fitted.predict_proba(rows))


def test_an_answer_does_not_depend_on_who_stands_beside_it(fitted: DigitClassifier) -> None:
    images = draw_digits(50, seed=1).images
    together = fitted.predict_proba(images)
    alone = np.concatenate([fitted.predict_proba(image[None]) for image in images])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-9)
    np.testing.assert_allclose(together[::-1], fitted.predict_proba(images[::-1]), rtol=0, atol=1e-9)


def test_the_exported_model_gives_the_same_probabilities(fitted: DigitClassifier, tmp_path: Path) -> None:
    digits = draw_digits(100, seed=2)
    recognizer = Recognizer(fitted.to_onnx(tmp_path / "mine.onnx"))
    expected = fitted.predict_proba(digits.images)
    np.testing.assert_allclose(recognizer.probabilities(digits.images), expected, atol=1e-5)
    answers = [str(reading.digit) for reading in recognizer.predict(digits)]
    assert answers == fitted.predict(digits.images).tolist()
    assert (recognizer.metadata.preset, recognizer.metadata.max_error) == ("fast", None)


def test_some_digits_alone_keep_their_names_in_the_exported_model(tmp_path: Path) -> None:
    digits = draw_digits(200)
    some = digits.take(np.isin(digits.known_labels(), (3, 7)))
    classifier = quick(60).fit(some.images, some.known_labels().astype(float))
    assert classifier.classes_.tolist() == [3.0, 7.0]
    readings = Recognizer(classifier.to_onnx(tmp_path / "some.onnx")).predict(some)
    assert [reading.digit for reading in readings] == classifier.predict(some.images).tolist()
    assert {reading.digit for reading in readings} == {3, 7}


@pytest.mark.parametrize("classes", [np.array(["cat", "dog"]), np.array([9, 10]), np.array(["7", "7.0"])])
def test_a_model_file_of_classes_that_are_no_digits_is_refused(classes: np.ndarray, tmp_path: Path) -> None:
    digits = draw_digits(20)
    classifier = quick(1).fit(digits.images, classes[digits.known_labels() % 2])
    assert set(classifier.predict(digits.images)) <= set(classes)
    with pytest.raises(UsageError, match=r"names digits 0 to 9; the classes here are \["):
        classifier.to_onnx(tmp_path / "pets.onnx")
    assert not list(tmp_path.iterdir())


def test_a_model_file_for_other_sizes_is_refused(tmp_path: Path) -> None:
    digits = draw_digits(20)
    classifier = quick(1).fit(digits.images[:, ::2, ::2], digits.known_labels())
    with pytest.raises(UsageError, match=r"reads pictures of \(28, 28\); fit was given \(14, 14\)"):
        classifier.to_onnx(tmp_path / "small.onnx")


def test_probabilities_are_calibrated_on_what_was_held_out_where_that_is_enough() -> None:
    digits = draw_digits(4 * FEWEST_HELD_OUT)
    X, y = digits.images, digits.known_labels()
    held_out = quick(1, val=0.25).fit(X, y)
    assert held_out.temperature_ != 1
    assert held_out.min_confidence_ > 0
    for share in (0, 0.2):
        everything = quick(1, val=share).fit(X, y)
        assert (everything.temperature_, everything.max_error_) == (1, None)
    assert held_out.recipe_["epochs"] == 1


def test_without_epochs_few_pictures_are_looked_at_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from digit_recognizer.training import recipe

    monkeypatch.setitem(recipe.PRESETS, "fast", lambda: replace(recipe.fast(), min_steps=20))
    digits = draw_digits(20)
    classifier = quick(epochs=None).fit(digits.images, digits.known_labels())  # type: ignore[arg-type]
    assert len(classifier.history_) == classifier.recipe_["epochs"] == 20


def test_a_seed_decides_everything_and_a_generator_moves_on(digits: Digits) -> None:
    X, y = digits.images, digits.known_labels()
    state = np.random.RandomState(3)
    fits = [quick(1, random_state=seed).fit(X, y).predict_proba(X) for seed in (3, 3, state, state)]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[2])
    assert not np.array_equal(fits[2], fits[3])


def test_verbose_tells_a_line_per_epoch(digits: Digits, capsys: pytest.CaptureFixture[str]) -> None:
    quick(3, verbose=1).fit(digits.images, digits.known_labels())
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" · ")[0] for line in err.splitlines()] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


@pytest.mark.parametrize(
    ("classes", "message"),
    [(np.zeros(22), "expected 2 to 10 classes, found 1 class"), (np.arange(22) // 2, "found 11 classes")],
)
def test_classes_that_cannot_be_learnt_are_named(classes: np.ndarray, message: str) -> None:
    with pytest.raises(EstimatorInputError, match=message):
        quick().fit(draw_digits(22).images, classes)


def test_pictures_of_another_shape_are_refused(fitted: DigitClassifier) -> None:
    with pytest.raises(ValueError, match=r"expected pictures of \(28, 28\), as in fit, found \(14, 56\)"):
        fitted.predict(np.zeros((2, 14, 56)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "fats"}, "unknown preset 'fats'; choose notebook, fast, best$"),
        ({"val": 1}, "val: expected a share of 0 or more and less than 1, found 1"),
        ({"epochs": 0}, "epochs: expected at least 1, found 0"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
    ],
)
def test_parameters_that_make_no_sense_are_named(parameters: dict[str, Any], message: str, digits: Digits) -> None:
    with pytest.raises(UsageError, match=message):
        quick(**parameters).fit(digits.images, digits.known_labels())


def test_the_package_offers_it_without_loading_scikit_learn() -> None:
    program = (
        "import sys, digit_recognizer\n"
        "assert 'sklearn' not in sys.modules\n"
        "from digit_recognizer import DigitClassifier\n"
        "print(DigitClassifier(), 'torch' in sys.modules)\n"
    )
    child = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert child.stdout == "DigitClassifier() False\n", child.stderr


def test_the_other_names_of_the_package_do_without_scikit_learn() -> None:
    program = "import sys; sys.modules['sklearn'] = None\nfrom digit_recognizer import *\nprint(Recognizer.__name__)\n"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert child.stdout == "Recognizer\n", child.stderr


@pytest.mark.parametrize("library", ["sklearn", "torch"])
def test_a_missing_library_is_answered_with_the_install_command(library: str, tmp_path: Path) -> None:
    # None in sys.modules would do for sklearn, but scipy looks there for torch and takes what it finds.
    (tmp_path / f"{library}.py").write_text(f"raise ModuleNotFoundError(name={library!r})\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from digit_recognizer.errors import MissingExtra\n"
        "try:\n"
        "    from digit_recognizer import DigitClassifier\n"
        "    DigitClassifier().fit([[0.0], [1.0]], [0, 1])\n"
        "except MissingExtra as error:\n"
        "    print(error)\n"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    expected = 'DigitClassifier needs an extra: pip install "digit-recognizer[sklearn]"\n'
    assert child.stdout == expected, child.stderr


def test_log_probabilities_are_those_of_predict_proba_and_stay_finite(fitted: DigitClassifier) -> None:
    images = draw_digits(40, seed=9).images.reshape(40, -1).astype(float)
    logs = fitted.predict_log_proba(images)
    np.testing.assert_allclose(np.exp(logs), fitted.predict_proba(images), rtol=1e-12)
    sure = copy.deepcopy(fitted)
    sure.temperature_ = 1e-6
    assert np.isfinite(sure.predict_log_proba(images)).all()
    assert (sure.predict_proba(images) == 0).any()
