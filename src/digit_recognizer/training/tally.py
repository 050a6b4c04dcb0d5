"""Losses and right answers, step by step on the device, become the sums of an epoch. Knows nothing of networks.

Looking at a number on a device waits for all that was asked of it before: the steps are settled many at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from digit_recognizer.training.distributed import ALONE, Ranks


@dataclass
class Tally:
    """What the running epoch has seen: the sum of the losses, how many answers were right, of how many images.

    >>> tally = Tally()
    >>> tally.add(torch.tensor([0.5, 1.5]), torch.tensor(1), images=2)
    >>> tally.settle()
    >>> tally.loss, tally.accuracy
    (1.0, 0.5)
    """

    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    seconds: float = 0.0
    _losses: list[Tensor] = field(default_factory=list, repr=False)
    _right: list[Tensor] = field(default_factory=list, repr=False)

    def add(self, losses: Tensor, right: Tensor, images: int) -> None:
        """Note a step: this rank's losses (b,), how many of its answers were right, and the images of all ranks."""
        self._losses.append(losses.sum())
        self._right.append(right)
        self.seen += images

    def settle(self, ranks: Ranks = ALONE) -> None:
        """Move what the device counted into plain numbers, over all ranks; one wait for many steps."""
        if not self._losses:
            return
        # One by one, so that the sum does not depend on how often it is looked at.
        for loss in ranks.total(torch.stack(self._losses)).tolist():
            self.loss_sum += loss
        self.correct += int(ranks.total(torch.stack(self._right).sum()))
        self._losses.clear()
        self._right.clear()

    @property
    def loss(self) -> float:
        """The mean loss so far."""
        return self.loss_sum / max(1, self.seen)

    @property
    def accuracy(self) -> float:
        """The share of right answers so far, 0-1."""
        return self.correct / max(1, self.seen)

    def state(self) -> dict[str, float | int]:
        """What must be saved to go on, settled, as JSON values."""
        return {"loss_sum": self.loss_sum, "correct": self.correct, "seen": self.seen, "seconds": self.seconds}


__all__ = ["Tally"]
