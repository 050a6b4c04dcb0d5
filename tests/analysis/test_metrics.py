"""Metrics against scikit-learn and against brute force."""

from __future__ import annotations

import json
import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import precision_recall_fscore_support

from digit_recognizer.analysis import metrics
from digit_recognizer.errors import InputError, UsageError


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def make_logits(n: int = 600, seed: int = 0, sharpness: float = 3.0) -> tuple[npt.NDArray, npt.NDArray]:
    """Logits of a made-up model that is right about nine times in ten, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n)
    logits = rng.normal(size=(n, 10)) + 3.0 * np.eye(10)[labels]
    return logits * sharpness, labels


def test_evaluation_agrees_with_scikit_learn():
    logits, labels = make_logits()
    probabilities = softmax(logits)
    ours = metrics.evaluate(probabilities, labels)
    answers = probabilities.argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(labels, answers, labels=range(10))
    np.testing.assert_array_equal(ours.confusion, sklearn_confusion(labels, answers, labels=range(10)))
    assert ours.log_loss == pytest.approx(sklearn_log_loss(labels, probabilities), rel=1e-12)
    assert ours.errors == np.count_nonzero(answers != labels) > 0
    assert ours.accuracy == 1 - ours.errors / ours.n
    assert [s.precision for s in ours.per_class] == pytest.approx(list(precision))
    assert [s.recall for s in ours.per_class] == pytest.approx(list(recall))
    assert [s.f1 for s in ours.per_class] == pytest.approx(list(f1))
    assert [s.support for s in ours.per_class] == list(support)


def test_scores_of_an_absent_digit_are_none_where_scikit_learn_calls_them_undefined():
    labels, answers = np.array([1, 1, 2]), np.array([1, 3, 1])
    ours = metrics.class_scores(metrics.confusion_matrix(labels, answers))
    theirs = precision_recall_fscore_support(labels, answers, labels=range(10), zero_division=np.nan)
    for index, name in enumerate(("precision", "recall", "f1")):
        values = [math.nan if (v := getattr(score, name)) is None else v for score in ours]
        np.testing.assert_allclose(values, theirs[index])
    assert ours[5].f1 is None


def test_the_dictionary_survives_strict_json_and_holds_the_documented_names():
    evaluation = metrics.evaluate(np.eye(10, dtype=np.float32)[[0, 1, 2]], np.array([0, 1, 3]))
    read = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert list(read) == [
        *("accuracy", "errors", "n", "interval95", "log_loss", "confusion", "per_class", "ece", "reliability")
    ]
    assert read["per_class"][3] == {"digit": 3, "precision": None, "recall": 0.0, "f1": 0.0, "support": 1}
    assert read["confusion"][3][2] == 1


def test_a_certain_and_wrong_answer_costs_much_but_not_infinitely_much():
    assert 30 < metrics.log_loss(np.eye(10, dtype=np.float32)[[0]], np.array([1])) < 40


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (41_800, 42_000), (3, 7)])
def test_the_wilson_interval_holds_the_shares_that_a_score_test_would_not_refuse(right: int, n: int):
    low, high = metrics.wilson_interval(right, n)
    grid = np.linspace(0, 1, 400_001)[1:-1]
    kept = grid[np.abs(right / n - grid) <= 1.959963984540054 * np.sqrt(grid * (1 - grid) / n)]
    assert low == pytest.approx(kept.min(), abs=4e-6)
    assert high == pytest.approx(kept.max(), abs=4e-6)


def test_reliability_bins_are_of_equal_size_and_together_hold_every_answer():
    logits, labels = make_logits(601)
    probabilities = softmax(logits)
    bins = metrics.reliability_bins(probabilities, labels)
    assert [part.count for part in bins] == [41] + [40] * 14
    assert sum(part.accuracy * part.count for part in bins) == pytest.approx((probabilities.argmax(1) == labels).sum())
    assert [part.confidence for part in bins] == sorted(part.confidence for part in bins)


def test_calibration_error_is_small_for_honest_confidence_and_large_for_boasting():
    rng = np.random.default_rng(3)
    honest = softmax(rng.normal(size=(40_000, 10)) * 2)
    labels = (honest.cumsum(axis=1) < rng.random((len(honest), 1))).sum(axis=1).clip(0, 9)
    assert metrics.expected_calibration_error(honest, labels) < 0.01
    boasting = honest**3 / (honest**3).sum(axis=1, keepdims=True)
    gap = boasting.max(axis=1).mean() - (boasting.argmax(axis=1) == labels).mean()
    assert metrics.expected_calibration_error(boasting, labels) == pytest.approx(gap, abs=0.01)
    assert gap > 0.1


def test_the_temperature_is_the_one_that_a_fine_grid_finds_best():
    logits, labels = make_logits()
    grid = np.geomspace(0.5, 8, 4001)
    best = grid[np.argmin([metrics.log_loss(softmax(logits / t), labels) for t in grid])]
    assert metrics.fit_temperature(logits, labels, prior_sd=math.inf) == pytest.approx(best, rel=1e-3)


def test_the_temperature_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 80)
    features = rng.normal(size=(800, 12)) + np.pad(np.eye(10)[labels] * 2, ((0, 0), (0, 2)))
    model = LogisticRegression(C=100.0, max_iter=2000).fit(features[:100], labels[:100])
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    calibrated.fit(features[100:], labels[100:])
    logits = model.decision_function(features)
    temperature = metrics.fit_temperature(logits[100:], labels[100:], prior_sd=math.inf)
    assert temperature > 1.2  # a model fitted to a hundred points boasts
    np.testing.assert_allclose(softmax(logits / temperature), calibrated.predict_proba(features), atol=2e-3)


def test_the_temperature_ignores_an_offset_and_follows_a_factor():
    logits, labels = make_logits()
    plain = metrics.fit_temperature(logits, labels, prior_sd=math.inf)
    assert metrics.fit_temperature(logits + 50, labels, prior_sd=math.inf) == pytest.approx(plain)
    assert metrics.fit_temperature(logits * 2, labels, prior_sd=math.inf) == pytest.approx(2 * plain)


def test_the_prior_hardly_matters_for_many_images_and_holds_where_no_answer_is_wrong():
    logits, labels = make_logits(4200)
    free = metrics.fit_temperature(logits, labels, prior_sd=math.inf)
    assert metrics.fit_temperature(logits, labels) == pytest.approx(free, rel=0.01)
    flawless = 2.0 * np.eye(10)[labels[:180]]
    assert metrics.fit_temperature(flawless, labels[:180], prior_sd=math.inf) < 0.04
    assert 0.1 < metrics.fit_temperature(flawless, labels[:180]) < 1


@pytest.mark.parametrize("max_error", [0.0013, 0.0107, 0.053, 0.207])
def test_the_threshold_is_the_smallest_confidence_that_keeps_the_promise(max_error: float):
    logits, labels = make_logits(400, sharpness=4.0)
    probabilities = softmax(logits).round(2)  # many equal confidences
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != labels
    keeping = [
        c
        for c in np.unique(confidence)
        if max(wrong[confidence >= c].mean(), 1 - confidence[confidence >= c].mean()) <= max_error
    ]
    assert keeping
    assert metrics.confidence_threshold(probabilities, labels, max_error) == keeping[0]


def test_few_images_without_a_mistake_do_not_make_a_guess_acceptable():
    probabilities = np.full((20, 10), 0.07)
    probabilities[:, 4] = np.where(np.arange(20) < 10, 0.37, 0.9999)  # rows need not sum to 1 here
    assert metrics.confidence_threshold(probabilities, np.full(20, 4), 0.001) == 0.9999


@pytest.mark.parametrize("confidence", [0.3, 1.0])
def test_where_no_threshold_keeps_the_promise_none_is_in_reach_of_images_yet_unseen(confidence: float):
    probabilities = np.eye(10, dtype=np.float32)[[1, 2]] * np.float32(confidence)
    assert metrics.confidence_threshold(probabilities, np.array([3, 3]), 0.01) == metrics.OUT_OF_REACH > 1.0


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.zeros((0, 10)), np.zeros(0, int), "at least one image"),
        (np.zeros((3, 9)), np.zeros(3, int), r"expected scores as \(3, 10\)"),
        (np.full((2, 10), np.nan), np.zeros(2, int), "image 1: expected finite"),
    ],
)
def test_what_cannot_be_evaluated_is_named(probabilities: npt.NDArray, labels: npt.NDArray, message: str):
    with pytest.raises(InputError, match=message):
        metrics.evaluate(probabilities, labels)


def test_a_share_of_errors_beyond_one_is_refused():
    with pytest.raises(UsageError, match="from 0 to 1, found 5"):
        metrics.confidence_threshold(np.eye(10), np.arange(10), 5)
