"""Shares and areas against hand-counted cases and against scikit-learn."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import scores
from digit_recognizer.analysis.metrics import wilson_interval
from scores import Share, accuracy, auroc, calibration_error, errors_at_coverage, threshold_refusing


def rows(confidences: list[float], answers: list[int]) -> np.ndarray:
    """Probabilities (N, 10) whose largest value is the confidence, at the answer."""
    result = np.zeros((len(answers), 10))
    result[np.arange(len(answers)), answers] = confidences
    return result


def test_a_share_has_wilsons_interval_and_reads_well() -> None:
    share = Share(989, 1000)
    assert share.interval == wilson_interval(989, 1000)
    assert str(share) == "98.90 % [98.04, 99.38]"
    assert share.to_dict() == {"value": 0.989, "right": 989, "n": 1000, "interval95": list(share.interval)}


def test_accuracy_counts_rows_whose_largest_value_is_at_the_label() -> None:
    assert accuracy(rows([0.9, 0.8, 0.2], [1, 2, 3]), np.array([1, 2, 4])) == Share(2, 3)


def test_calibration_error_weighs_bins_by_their_counts() -> None:
    # Three answers at 0.9, two of them right; one at 0.4, right: (3 * |0.9 - 2/3| + |0.4 - 1|) / 4.
    probabilities, labels = rows([0.9, 0.9, 0.9, 0.4], [1, 1, 1, 1]), np.array([1, 1, 2, 1])
    assert calibration_error(probabilities, labels) == pytest.approx((0.7 + 0.6) / 4)


def test_full_confidence_belongs_to_the_last_bin() -> None:
    assert calibration_error(rows([1.0, 1.0], [3, 4]), np.array([3, 4])) == 0


def test_errors_at_coverage_leave_out_the_least_confident() -> None:
    probabilities = rows([0.9, 0.8, 0.7, 0.1], [1, 1, 1, 1])
    labels = np.array([1, 2, 1, 5])
    assert errors_at_coverage(probabilities, labels, 0.75) == Share(1, 3)
    assert errors_at_coverage(probabilities, labels, 1.0) == Share(2, 4)


def test_auroc_is_scikit_learns_ties_included() -> None:
    rng = np.random.default_rng(0)
    digits, others = rng.integers(3, 12, 200) / 12, rng.integers(0, 9, 130) / 12
    truth = np.concatenate([np.ones(200), np.zeros(130)])
    assert auroc(digits, others) == pytest.approx(roc_auc_score(truth, np.concatenate([digits, others])))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_the_threshold_refuses_no_more_than_its_share(share: float) -> None:
    confidences = np.random.default_rng(1).random(1000)
    threshold = threshold_refusing(confidences, share)
    assert (confidences < threshold).mean() == pytest.approx(share, abs=1e-9)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(scores) == (0, 2)
