"""Whether a model learnt from what it is evaluated on: known, or said not to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.apps.evaluation import is_seen, part_to_evaluate
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.recognizer import INT8, Recognizer
from digit_recognizer.sources.catalog import load
from digit_recognizer.sources.mnist import TEST_FINGERPRINT, TRAIN_FINGERPRINT
from digit_recognizer.sources.sample import load_sample
from tests.conftest import draw_digits

TRAIN, VALIDATION, TEST, OTHER = (draw_digits(count, seed=count) for count in (30, 10, 20, 25))
WHOLE = Dataset("whole", TRAIN, TEST, validation=VALIDATION)


@pytest.mark.parametrize("trained_on", [TRAIN, Digits.join([TRAIN, VALIDATION])], ids=["train", "labelled"])
def test_of_the_data_that_a_model_learnt_from_all_but_the_training_part_is_held_out(trained_on: Digits) -> None:
    found = {part: part_to_evaluate(WHOLE, None, trained_on.fingerprint(), part)[2] for part in WHOLE.parts()}
    assert found == {"train": True, "validation": False, "test": False}


def test_parts_of_other_data_are_known_only_where_they_are_what_the_model_learnt_from() -> None:
    for trained_on in ("", OTHER.fingerprint()):
        assert {part_to_evaluate(WHOLE, None, trained_on, part)[2] for part in WHOLE.parts()} == {None}
    assert part_to_evaluate(WHOLE, None, TEST.fingerprint(), "test")[2] is True
    assert part_to_evaluate(WHOLE, None, VALIDATION.fingerprint(), "validation")[2] is True
    assert part_to_evaluate(WHOLE, None, TEST.fingerprint(), "train")[2] is None


def test_images_with_other_labels_are_not_known() -> None:
    turned = Digits(TRAIN.images, (TRAIN.known_labels() + 1) % 10)
    assert is_seen(turned, Dataset("turned", turned, None), TRAIN.fingerprint()) is None


@pytest.mark.parametrize("model", [None, INT8])
def test_the_model_that_ships_learnt_from_mnist_and_not_from_the_sample(model: str | None) -> None:
    trained_on = Recognizer(model).metadata.data_fingerprint
    assert trained_on == TRAIN_FINGERPRINT
    sample = load_sample()
    assert is_seen(sample.labelled(), sample, trained_on) is False
    some = sample.labelled().take(np.arange(100))
    assert is_seen(some, Dataset("some", some, None), trained_on) is None


@pytest.mark.real_data
def test_of_mnist_and_its_relatives_what_is_known_is_told(real_data: Path) -> None:
    mnist = load(real_data / "mnist")
    assert (mnist.labelled().fingerprint(), mnist.test.fingerprint()) == (TRAIN_FINGERPRINT, TEST_FINGERPRINT)
    alone = Dataset("t10k", mnist.test, None)
    kaggle = load(real_data / "digit-recognizer.zip")
    found = [
        is_seen(digits, dataset, TRAIN_FINGERPRINT)
        for digits, dataset in (
            (mnist.labelled(), mnist),
            (mnist.test, mnist),
            (mnist.test, alone),
            (kaggle.labelled(), kaggle),
        )
    ]
    assert found == [True, False, False, None]
