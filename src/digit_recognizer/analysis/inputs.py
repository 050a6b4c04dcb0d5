"""Frames and answers become a few figures: what a model was validated on, to be compared with what it meets later.

Numbers in, numbers out. Knows nothing of models, files or of when a difference matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.reading import MAX_UNFAMILIARITY

# What is measured of a frame, and by what a sum of it is divided to be the figure of one frame.
MEASURES = {"ink": SIDE * SIDE * 255, "inked": SIDE * SIDE, "soft": SIDE * SIDE, "size": 1}

_FAINT, _HALF, _FULL = 32, 128, 224  # ink of a pixel: from here on there is some, half of it, all of it
_DIGITS_KEPT = 6


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over frames."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class InputFigures:
    """Of the digits that a model was validated on, as the model reads them.

    frames: how many. shares: of each digit, 0-1, (10,). ink: mean pixel, 0-1. inked: share of the pixels that hold at
    least half the ink, 0-1: thick or thin strokes. soft: share of pixels that are neither empty nor full, 0-1: blurred
    or sharp edges. size: longer side of the box around the ink, in pixels. confidence: 0-1. accepted: share of them.
    """

    frames: int
    shares: tuple[float, ...]
    ink: Spread
    inked: Spread
    soft: Spread
    size: Spread
    confidence: Spread
    accepted: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {**asdict(self), "shares": list(self.shares)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputFigures:
        """The inverse of ``to_dict``. Raises ValueError where something is missing or no figure.

        >>> figures = input_figures(np.full((2, 28, 28), 255, np.uint8), np.full((2, 10), 0.1), 0.5)
        >>> InputFigures.from_dict(figures.to_dict()) == figures
        True
        """
        try:
            spreads = {
                field.name: Spread(_number(values[field.name]["mean"]), _number(values[field.name]["deviation"]))
                for field in fields(cls)
                if field.name not in ("frames", "shares", "accepted")
            }
            shares = tuple(_number(share) for share in values["shares"])
            if len(shares) != CLASSES:
                raise ValueError(f"expected {CLASSES} shares, found {len(shares)}")
            return cls(
                frames=int(_number(values["frames"])), shares=shares, accepted=_number(values["accepted"]), **spreads
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"expected figures of the inputs, missing or no number: {str(error)[:40]}") from error


def input_figures(frames: Images, probabilities: npt.NDArray[np.floating[Any]], min_confidence: float) -> InputFigures:
    """The figures of digits and of what a model says of them. Blank frames are left out, as nobody reads them.

    frames: uint8 (N, 28, 28). probabilities: (N, 10), short of 1 by unfamiliarity.
    """
    there = frames.any(axis=(1, 2))
    measured, answers = measure(frames[there]), np.asarray(probabilities, np.float64)[there]
    confidence = answers.max(axis=1, initial=0)
    accepted = (confidence >= min_confidence) & (1 - answers.sum(axis=1) <= MAX_UNFAMILIARITY)
    counts = np.bincount(answers.argmax(axis=1), minlength=CLASSES) if len(answers) else np.zeros(CLASSES)
    return InputFigures(
        frames=len(answers),
        shares=tuple(_rounded(count / max(1, len(answers))) for count in counts.tolist()),
        confidence=_spread(confidence),
        accepted=_rounded(float(accepted.mean()) if len(answers) else 0.0),
        **{name: _spread(measured[:, place] / unit) for place, (name, unit) in enumerate(MEASURES.items())},
    )


def measure(frames: Images) -> npt.NDArray[np.int64]:
    """What MEASURES names, of each frame, in whole numbers: int64 (N, 4). frames: uint8 (N, 28, 28).

    >>> measure(np.full((1, 28, 28), 255, np.uint8)).tolist()
    [[199920, 784, 0, 28]]
    """
    pixels = frames.reshape(len(frames), SIDE * SIDE)
    inked: npt.NDArray[np.bool_] = frames >= _FAINT
    return np.stack(
        [
            pixels.sum(axis=1, dtype=np.int64),
            (pixels >= _HALF).sum(axis=1, dtype=np.int64),
            (pixels - np.uint8(_FAINT) < _FULL - _FAINT).sum(axis=1, dtype=np.int64),  # below _FAINT, uint8 wraps round
            np.maximum(_extent(inked, 2), _extent(inked, 1)),
        ],
        axis=1,
    )


def _extent(inked: npt.NDArray[np.bool_], along: int) -> npt.NDArray[np.int64]:
    """Pixels from the first line with ink to the last, (N, 28, 28) -> (N,); 0 where there is none. along: the axis."""
    lines = np.asarray(inked.any(axis=along))
    found = lines.shape[1] - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(lines.any(axis=1), found, 0), np.int64)


def _spread(values: npt.NDArray[np.floating[Any]]) -> Spread:
    return Spread(_rounded(float(values.mean())), _rounded(float(values.std()))) if len(values) else Spread(0.0, 0.0)


def _rounded(value: float) -> float:
    return round(value, _DIGITS_KEPT)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"expected numbers of 0 or more, found {value}")
    return float(value)


__all__ = ["MEASURES", "InputFigures", "Spread", "input_figures", "measure"]
