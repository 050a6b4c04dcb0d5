"""Answers and labels become shares with intervals: accuracy, calibration, coverage, and how well non-digits are told.

Numbers in, numbers out. Knows nothing of pictures and models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis.metrics import wilson_interval

BINS = 15

Probabilities = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """``right`` of ``n``, n at least 1, with its 95 % interval (Wilson 1927)."""

    right: int
    n: int

    @property
    def value(self) -> float:
        """The share itself, 0-1."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high), 0-1."""
        return wilson_interval(self.right, self.n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % [{100 * low:.2f}, {100 * high:.2f}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"value": self.value, "right": self.right, "n": self.n, "interval95": list(self.interval)}


def accuracy(probabilities: Probabilities, labels: Labels) -> Share:
    """How many of the N rows (N, 10) have their largest value at the label."""
    return Share(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))


def calibration_error(probabilities: Probabilities, labels: Labels, bins: int = BINS) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, 0-1 (Naeini et al. 2015, Guo et al. 2017).

    >>> round(calibration_error(np.full((10, 10), 0.1), np.arange(10)), 6)
    0.0
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    part = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(part, confidence, bins) - np.bincount(part, right, bins)
    return float(np.abs(gaps).sum() / len(labels))


def errors_at_coverage(probabilities: Probabilities, labels: Labels, coverage: float) -> Share:
    """How many answers are wrong among the most confident ``coverage`` of all; ``right`` counts the wrong ones."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")[: max(1, round(coverage * len(labels)))]
    return Share(int((probabilities[order].argmax(axis=1) != labels[order]).sum()), len(order))


def auroc(digits: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    """The chance that a digit, drawn at random, has more confidence than another picture; ties count half.

    >>> auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1]))
    0.875
    """
    ranked = np.sort(others)
    below, not_above = np.searchsorted(ranked, digits, "left"), np.searchsorted(ranked, digits, "right")
    return float((below + not_above).mean() / 2 / len(ranked))


def threshold_refusing(confidence: npt.NDArray[Any], share: float) -> float:
    """The highest threshold below which at most ``share`` of these confidences lie."""
    ranked = np.sort(confidence)
    return float(ranked[min(int(share * len(ranked)), len(ranked) - 1)])


__all__ = ["BINS", "Share", "accuracy", "auroc", "calibration_error", "errors_at_coverage", "threshold_refusing"]
