"""Labelled digits become the two parts of a run: those to learn from and those that judge it. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Digits
from digit_recognizer.errors import InputError

if TYPE_CHECKING:
    from digit_recognizer.training.job import Settings


@dataclass(frozen=True)
class Split:
    """training and validation: digits, each named as in the source. held_out: where the latter lie in it, from 0."""

    training: Digits
    validation: Digits
    held_out: npt.NDArray[np.int64]


def split(data: Digits, settings: Settings, held_out: npt.NDArray[np.int64] | None = None) -> Split:
    """The two parts of a run: the same for the same images, seed and share.

    held_out: where the part lies that the source itself keeps for validation; left out, a share is chosen at random.
    An image without a name of its own is named by its number in the source: "image 17".
    Raises InputError where training would see less than two classes, or the share leaves a part empty.
    """
    _require_two_classes(data)
    if held_out is None:
        rest, held_out = _chosen(data, settings)
    else:
        rest = np.setdiff1d(np.arange(len(data)), held_out)
    if data.names is None:
        data = replace(data, names=tuple(f"image {number}" for number in range(1, len(data) + 1)))
    training = data.take(rest)
    _require_two_classes(training)
    return Split(training, data.take(held_out), held_out)


def _chosen(data: Digits, settings: Settings) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The images to learn from and those held out, chosen at random. Raises InputError where one part were empty."""
    try:
        return data.split_indices(settings.val, settings.seed)
    except InputError as error:
        raise InputError(f"--val: {error}, or another share", code=error.code) from error


def _require_two_classes(digits: Digits) -> None:
    present = np.flatnonzero(digits.counts())
    if len(present) < 2:
        found = f"only {len(digits):,} of the class {present[0]}" if len(present) else "none"
        raise InputError(f"expected images of at least two classes to learn from, found {found}", code="too_few")


__all__ = ["Split", "split"]
