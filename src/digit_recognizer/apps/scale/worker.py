"""What all tasks of a training on Ray share: the two parts of the data, and on what a worker reckons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.ship.material import Material
from digit_recognizer.training.trainer import Labelled


@dataclass(frozen=True)
class Handed:
    """parts: what is learnt from and what is validated on. precision: of the arithmetic. seed: of trials.

    sees_folder: whether a worker sees the disk of who asked for its work.
    """

    parts: tuple[Material, Material]
    precision: Literal["bfloat16", "float32"]
    seed: int = 0
    sees_folder: bool = False

    def one_cpu(self) -> Hardware:
        """What a task has of a worker: one thread, which torch is told."""
        import torch

        torch.set_num_threads(1)
        return Hardware(torch.device("cpu"), self.precision, 1)


def hand_over(
    training: Labelled, validation: Labelled, precision: str, *, seed: int = 0, sees_folder: bool = False
) -> Handed:
    """What the tasks are given, as plain arrays: names of images stay behind."""
    first, second = (
        Material(np.ascontiguousarray(part.images), part.known_labels()) for part in (training, validation)
    )
    return Handed((first, second), "bfloat16" if precision == "bfloat16" else "float32", seed, sees_folder)


__all__ = ["Handed", "hand_over"]
