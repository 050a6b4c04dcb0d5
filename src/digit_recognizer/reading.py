"""Reading: what the recognizer says of one digit.

Knows nothing of models or pictures; numbers in, plain values out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Reading:
    """One digit as the recognizer reads it.

    digit: 0-9. confidence: calibrated probability of that digit, 0-1. accepted: confident enough to act on.
    second, second_confidence: the runner-up. probabilities: float32 (10,). name: what the image is called.
    """

    digit: int
    confidence: float
    accepted: bool
    second: int
    second_confidence: float
    probabilities: npt.NDArray[np.float32]
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain JSON values, in the order of the CSV that ``digits predict`` writes."""
        return {
            "name": self.name,
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "accepted": self.accepted,
            "second": self.second,
            "second_confidence": round(self.second_confidence, 6),
        }


def readings(probabilities: npt.NDArray[np.float32], names: Sequence[str], min_confidence: float) -> list[Reading]:
    """Turn probabilities, float32 (N, 10), into N readings; those below ``min_confidence`` are not accepted.

    >>> p = np.full((1, 10), 0.02, np.float32); p[0, 7] = 0.82
    >>> readings(p, ["a.png"], 0.9)[0].to_dict()["digit"]
    7
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    result = []
    for row, ranks, name in zip(probabilities, order, names, strict=True):
        first, second = int(ranks[0]), int(ranks[1])
        confidence = float(row[first])
        result.append(
            Reading(
                digit=first,
                confidence=confidence,
                accepted=confidence >= min_confidence,
                second=second,
                second_confidence=float(row[second]),
                probabilities=row,
                name=name,
            )
        )
    return result


__all__ = ["Reading", "readings"]
