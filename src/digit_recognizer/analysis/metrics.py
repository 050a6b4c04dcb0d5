"""Probabilities and labels -> accuracy, log-loss, confusion, calibration. Numbers in, numbers out.

Knows nothing of images, models or files.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES
from digit_recognizer.errors import InputError, UsageError

RELIABILITY_BINS = 15
# What a probability of exactly 0 counts as in the log-loss: finite, and worse than any honest answer.
SMALLEST_PROBABILITY = 1e-15
TEMPERATURE_BOUNDS = (1 / 32, 32.0)
# A threshold that no confidence reaches, whatever is rounded: nothing is accepted.
OUT_OF_REACH = 2.0

Probabilities = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 (0-1) of one digit, None where undefined; ``support``: images that truly are it."""

    digit: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of similar confidence: their mean confidence (0-1), the share that was right (0-1), how many."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well probabilities fit labels.

    accuracy, interval95: 0-1. errors, n: counts. log_loss: nats an image. confusion: int64 (10, 10), rows the true
    digit, columns the answer. ece: expected calibration error, 0-1, over ``reliability``.
    """

    accuracy: float
    errors: int
    n: int
    interval95: tuple[float, float]
    log_loss: float
    confusion: npt.NDArray[np.int64]
    per_class: tuple[ClassScore, ...]
    ece: float
    reliability: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain JSON values, under the names of ``digits evaluate --json``."""
        return {
            "accuracy": self.accuracy,
            "errors": self.errors,
            "n": self.n,
            "interval95": list(self.interval95),
            "log_loss": self.log_loss,
            "confusion": self.confusion.tolist(),
            "per_class": [asdict(score) for score in self.per_class],
            "ece": self.ece,
            "reliability": [asdict(part) for part in self.reliability],
        }


def evaluate(probabilities: Probabilities, labels: Labels) -> Evaluation:
    """Every figure that ``digits evaluate`` gives.

    probabilities: float (N, 10), 0-1. labels: int64 (N,), 0-9; N is at least 1.
    Raises InputError where there is nothing to evaluate, the shapes differ, or a probability is not a number.

    >>> evaluate(np.eye(10, dtype=np.float32)[[7, 1]], np.array([7, 2])).errors
    1
    """
    _check(probabilities, labels)
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1))
    n, right = len(labels), int(np.trace(confusion))
    bins = reliability_bins(probabilities, labels)
    return Evaluation(
        accuracy=right / n,
        errors=n - right,
        n=n,
        interval95=wilson_interval(right, n),
        log_loss=log_loss(probabilities, labels),
        confusion=confusion,
        per_class=class_scores(confusion),
        ece=_mean_gap(bins),
        reliability=bins,
    )


def confusion_matrix(labels: Labels, answers: Labels) -> npt.NDArray[np.int64]:
    """Count answers by true digit: int64 (10, 10), rows ``labels``, columns ``answers`` (both int (N,), 0-9).

    >>> int(confusion_matrix(np.array([4, 4, 9]), np.array([4, 9, 9]))[4, 9])
    1
    """
    cells = np.bincount(labels * CLASSES + answers, minlength=CLASSES * CLASSES)
    return cells.reshape(CLASSES, CLASSES).astype(np.int64)


def class_scores(confusion: npt.NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each digit from a confusion matrix, int (10, 10), rows the true digit.

    >>> class_scores(confusion_matrix(np.array([4, 4, 9]), np.array([4, 9, 9])))[4].recall
    0.5
    """
    right, truly, answered = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassScore(
            digit=digit,
            precision=_ratio(right[digit], answered[digit]),
            recall=_ratio(right[digit], truly[digit]),
            f1=_ratio(2 * right[digit], answered[digit] + truly[digit]),
            support=int(truly[digit]),
        )
        for digit in range(len(confusion))
    )


def wilson_interval(right: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The score interval of a share ``right / n`` (Wilson 1927); ``z`` = 1.96 gives 95 %. Stays inside 0-1.

    Raises InputError where n is 0.

    >>> low, high = wilson_interval(9950, 10_000)
    >>> f"{low:.4f} {high:.4f}"
    '0.9934 0.9962'
    """
    if n < 1:
        raise InputError("expected at least one image to evaluate, found none")
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the formula gives exactly 0 and 1; rounding must not move them.
    return (0.0 if right == 0 else middle - half, 1.0 if right == n else middle + half)


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of -log(probability of the true digit), in nats. probabilities (N, 10); labels (N,); N at least 1.

    >>> round(log_loss(np.full((1, 10), 0.1), np.array([3])), 4)
    2.3026
    """
    true = np.take_along_axis(probabilities, labels[:, None], axis=1).astype(np.float64)
    return float(-np.log(np.maximum(true, SMALLEST_PROBABILITY)).mean())


def reliability_bins(
    probabilities: Probabilities, labels: Labels, bins: int = RELIABILITY_BINS
) -> tuple[ReliabilityBin, ...]:
    """Answers sorted by confidence, least confident first, in ``bins`` bins of equal size (to one image).

    Equal-mass bins (Nixon et al. 2019), for nearly every answer is confident and bins of equal width would stand empty.
    Fewer images than bins give a bin each.

    >>> reliability_bins(np.eye(10)[[7, 1]], np.array([7, 2]), bins=1)
    (ReliabilityBin(confidence=1.0, accuracy=0.5, count=2),)
    """
    confidences, right = _confidences(probabilities, labels)
    order = np.argsort(confidences, kind="stable")
    return tuple(
        ReliabilityBin(float(confidences[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(order, min(bins, len(order)))
    )


def expected_calibration_error(probabilities: Probabilities, labels: Labels, bins: int = RELIABILITY_BINS) -> float:
    """Mean distance between confidence and accuracy over equal-mass bins, 0-1 (Naeini et al. 2015).

    >>> round(expected_calibration_error(np.full((10, 10), 0.1), np.arange(10), bins=1), 6)
    0.0
    """
    return _mean_gap(reliability_bins(probabilities, labels, bins))


def fit_temperature(logits: Probabilities, labels: Labels, *, prior_sd: float = 1.0) -> float:
    """The temperature T by which ``softmax(logits / T)`` fits the labels best (Guo et al. 2017).

    logits: float (N, 10), or of more classes, any offset. labels: int64 (N,). prior_sd: log T is expected within about
    this of 0; so weak a prior shifts T by less than a percent for thousands of images, yet keeps it sane where few
    images hold no error and the best T would be 0. ``math.inf`` leaves it out. T stays within 1/32 and 32.
    Raises InputError where shapes differ or a logit is not a number.

    >>> logits = np.log(np.full((10, 10), 0.02) + 0.80 * np.eye(10))      # sure by 0.82, right each time
    >>> fit_temperature(logits, np.arange(10)) < 1
    True
    """
    _check(logits, labels, classes=logits.shape[-1])
    rows = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    true = np.take_along_axis(rows, labels[:, None], axis=1)[:, 0]

    def slope(log_beta: float) -> float:
        """d/d(log beta) of the negative log posterior, beta = 1/T. The loss is convex in beta, so one sign change."""
        weights = np.exp(math.exp(log_beta) * rows)
        expected = (weights * rows).sum(axis=1) / weights.sum(axis=1)
        return float((expected - true).sum()) * math.exp(log_beta) + log_beta / prior_sd**2

    low, high = (-math.log(bound) for bound in reversed(TEMPERATURE_BOUNDS))
    for _ in range(48):  # halving: 7 / 2^48 is below what float64 can hold of T
        middle = (low + high) / 2
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return math.exp(-(low + high) / 2)


def confidence_threshold(probabilities: Probabilities, labels: Labels, max_error: float) -> float:
    """The smallest confidence seen such that answers at or above it err at most ``max_error`` on these data.

    Both as counted and by what the confidences themselves say (the mean of 1 - confidence): with few images, none of
    them wrong, counting alone would accept a guess.

    probabilities: float (N, 10). labels: int64 (N,). max_error: share of wrong answers among the accepted, 0-1.
    OUT_OF_REACH where no threshold does: one just above the highest confidence here would be exceeded elsewhere.
    Raises InputError as evaluate does, UsageError where max_error is no share.

    >>> p = np.array([[.9, .1], [.6, .4], [.8, .2]]); p = np.pad(p, ((0, 0), (0, 8)))
    >>> confidence_threshold(p, np.array([0, 1, 0]), 0.16)
    0.8
    """
    _check(probabilities, labels)
    if not 0 <= max_error <= 1:
        raise UsageError(f"expected a largest share of errors from 0 to 1, found {max_error:g}")
    confidences, right = _confidences(probabilities, labels)
    order = np.argsort(-confidences, kind="stable")
    ranked = confidences[order]
    accepted = np.arange(1, len(order) + 1)
    error = np.maximum(np.cumsum(~right[order]), np.cumsum(1 - ranked)) / accepted
    # Equal confidences are accepted or refused together: only the last of each is a threshold.
    last = np.append(ranked[1:] != ranked[:-1], True)
    kept = np.flatnonzero(last & (error <= max_error))
    return float(ranked[kept[-1]]) if len(kept) else OUT_OF_REACH


def _confidences(probabilities: Probabilities, labels: Labels) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    return probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == labels


def _mean_gap(bins: tuple[ReliabilityBin, ...]) -> float:
    return sum(abs(part.confidence - part.accuracy) * part.count for part in bins) / sum(part.count for part in bins)


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _check(scores: Probabilities, labels: Labels, classes: int = CLASSES) -> None:
    if not len(labels):
        raise InputError("expected at least one image to evaluate, found none")
    if scores.shape != (len(labels), classes):
        raise InputError(f"expected scores as ({len(labels)}, {classes}), one row a label, found {scores.shape}")
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
        raise InputError(f"image {row + 1}: expected finite numbers for the {classes} classes, found {scores[row]}")


__all__ = [
    "OUT_OF_REACH",
    "RELIABILITY_BINS",
    "ClassScore",
    "Evaluation",
    "ReliabilityBin",
    "class_scores",
    "confidence_threshold",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "fit_temperature",
    "log_loss",
    "reliability_bins",
    "wilson_interval",
]
