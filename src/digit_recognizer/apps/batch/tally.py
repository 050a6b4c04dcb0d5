"""Answers become counts that add up: what a summary says of a million pictures without reading them again.

Whole numbers, so that the order of adding does not matter; confidences in millionths. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis.inputs import MEASURES
from digit_recognizer.digits import CLASSES
from digit_recognizer.errors import FileError

BINS = 20  # of the histogram of confidence, each 0.05 wide
_MILLION = 1_000_000


@dataclass(frozen=True)
class Tally:
    """Counts over pictures.

    read: pictures with an answer, accepted: of these. failed: pictures without one, by the error's code. reasons: why
    answers were not accepted. digits: of every digit that is one, how often (10,); confidence: their histogram (20,)
    from 0 to 1, and confidence_sum in millionths; sure: how many of them are accepted. ink, inked, soft, size: sums of
    what ``analysis.inputs.measure`` finds in the frames, and frames how many were summed.
    """

    read: int = 0
    accepted: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    digits: tuple[int, ...] = (0,) * CLASSES
    confidence: tuple[int, ...] = (0,) * BINS
    confidence_sum: int = 0
    sure: int = 0
    ink: int = 0
    inked: int = 0
    soft: int = 0
    size: int = 0
    frames: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.read + other.read,
            self.accepted + other.accepted,
            _added(self.failed, other.failed),
            _added(self.reasons, other.reasons),
            tuple(a + b for a, b in zip(self.digits, other.digits, strict=True)),
            tuple(a + b for a, b in zip(self.confidence, other.confidence, strict=True)),
            self.confidence_sum + other.confidence_sum,
            self.sure + other.sure,
            self.ink + other.ink,
            self.inked + other.inked,
            self.soft + other.soft,
            self.size + other.size,
            self.frames + other.frames,
        )

    @property
    def failures(self) -> int:
        """How many pictures have no answer."""
        return sum(self.failed.values())

    @property
    def pictures(self) -> int:
        """All pictures, read or not."""
        return self.read + self.failures

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each digit, 0-1, (10,); zeros where there are none."""
        total = sum(self.digits)
        return tuple(count / total if total else 0.0 for count in self.digits)

    @property
    def mean_confidence(self) -> float | None:
        """Mean confidence of the digits, 0-1; None where there are none."""
        total = sum(self.digits)
        return self.confidence_sum / total / _MILLION if total else None

    @property
    def reject_rate(self) -> float | None:
        """Share of the answers that were not accepted, 0-1; None where there are none."""
        return 1 - self.accepted / self.read if self.read else None

    @property
    def sure_share(self) -> float | None:
        """Share of the digits that are accepted, 0-1; None where there are none."""
        total = sum(self.digits)
        return self.sure / total if total else None

    @property
    def mean_ink(self) -> float | None:
        """Mean pixel of the frames, 0-1; None where frames are not known (pages)."""
        return self.mean_of("ink")

    def mean_of(self, measure: str) -> float | None:
        """What a frame has of one of MEASURES on average; None where frames are not known (pages)."""
        total: int = getattr(self, measure)
        return total / (self.frames * MEASURES[measure]) if self.frames else None

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "failed": dict(sorted(self.failed.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "digits": list(self.digits),
            "confidence": list(self.confidence),
            "confidence_sum": self.confidence_sum,
            "sure": self.sure,
            "ink": self.ink,
            "inked": self.inked,
            "soft": self.soft,
            "size": self.size,
            "frames": self.frames,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``. Raises FileError where something is missing.

        >>> Tally.from_dict(Tally(read=3).to_dict()) == Tally(read=3)
        True
        """
        try:
            return cls(
                **{
                    **value,
                    "digits": tuple(value["digits"]),
                    "confidence": tuple(value["confidence"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise FileError(f"a part's counts are not as this version writes them ({error})") from error


def confidence_counts(
    digits: npt.NDArray[np.integer[Any]], confidence: npt.NDArray[np.floating[Any]]
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """How often each digit occurs (10,), the histogram of their confidence (20,), and its sum in millionths.

    >>> confidence_counts(np.array([7, 7]), np.array([0.97, 1.0]))[2]
    1970000
    """
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return (
        tuple(np.bincount(digits, minlength=CLASSES).tolist()),
        tuple(np.bincount(bins, minlength=BINS).tolist()),
        int(np.rint(confidence.astype(np.float64) * _MILLION).astype(np.int64).sum()),
    )


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other})}


__all__ = ["BINS", "Tally", "confidence_counts"]
