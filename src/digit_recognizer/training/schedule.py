"""Steps and epochs become learning rates. Knows nothing of networks or data."""

from __future__ import annotations

import math
from typing import Any

from digit_recognizer.training.recipe import Recipe


class OneCycle:
    """Rise to ``peak`` in a straight line, then fall to zero along half a cosine (Smith, Topin 2018).

    steps: in the whole training. warmup: share of them in which the rate rises, from a twenty-fifth of the peak.
    """

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        self.peak, self.steps = peak, steps
        self.warm = max(1, round(warmup * steps))

    def rate(self, step: int, epoch: int) -> float:
        """The learning rate of a step, counted from 0.

        >>> cycle = OneCycle(1.0, steps=100, warmup=0.25)
        >>> [round(cycle.rate(step, 1), 2) for step in (0, 25, 100)]
        [0.04, 1.0, 0.0]
        """
        if step < self.warm:
            return self.peak * (0.04 + 0.96 * step / self.warm)
        done = (step - self.warm) / max(1, self.steps - self.warm)
        return self.peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def after_epoch(self, epoch: int, val_accuracy: float) -> None:
        """Nothing: the whole cycle is known beforehand."""

    def state(self) -> dict[str, Any]:
        """What must be saved to go on: nothing."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""


class Plateau:
    """Keep the rate until validation accuracy stands still, then halve it: Keras' ReduceLROnPlateau.

    After ``patience`` epochs without a gain of more than ``min_delta`` the rate is multiplied by ``factor``, down to
    ``floor``.
    """

    def __init__(
        self, rate: float, *, patience: int = 3, factor: float = 0.5, floor: float = 1e-5, min_delta: float = 1e-4
    ) -> None:
        self.current, self.patience, self.factor, self.floor, self.min_delta = rate, patience, factor, floor, min_delta
        self.best, self.waited = 0.0, 0
        self.rates: list[float] = []  # of the epochs that have ended

    def rate(self, step: int, epoch: int) -> float:
        """The learning rate of an epoch, counted from 1; the step does not matter."""
        return self.rates[epoch - 1] if epoch <= len(self.rates) else self.current

    def after_epoch(self, epoch: int, val_accuracy: float) -> str | None:
        """Note an epoch's validation accuracy; returns what was done, where something was.

        >>> plateau = Plateau(1e-3)
        >>> [plateau.after_epoch(epoch, 0.9) for epoch in (1, 2, 3, 4)][-1]
        'epoch 4: validation accuracy stands still, learning rate 0.001 -> 0.0005'
        """
        self.rates.append(self.current)
        if val_accuracy > self.best + self.min_delta:
            self.best, self.waited = val_accuracy, 0
            return None
        self.waited += 1
        if self.waited < self.patience or self.current <= self.floor:
            return None
        before, self.current, self.waited = self.current, max(self.current * self.factor, self.floor), 0
        return f"epoch {epoch}: validation accuracy stands still, learning rate {before:g} -> {self.current:g}"

    def state(self) -> dict[str, Any]:
        """What must be saved to go on, as JSON values."""
        return {"current": self.current, "best": self.best, "waited": self.waited, "rates": list(self.rates)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self.current, self.best, self.waited = state["current"], state["best"], state["waited"]
        self.rates = list(state["rates"])


def build_schedule(recipe: Recipe, steps: int) -> OneCycle | Plateau:
    """The schedule that the recipe names, for a training of so many steps."""
    if recipe.schedule == "plateau":
        return Plateau(recipe.learning_rate)
    return OneCycle(recipe.learning_rate, steps, recipe.warmup)


__all__ = ["OneCycle", "Plateau", "build_schedule"]
