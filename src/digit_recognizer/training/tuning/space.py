"""A recipe and a seed become trials: recipes with another width, length, learning rate and dose of augmentation.

Knows nothing of how they are trained or compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from digit_recognizer.errors import UsageError
from digit_recognizer.training.recipe import Recipe

# How far a trial may go from the recipe: factors, drawn on a logarithmic scale but for the dose, which may be none.
WIDTH = (0.5, 2.0)
EPOCHS = (0.5, 2.0)
LEARNING_RATE = (0.25, 4.0)
DOSE = (0.0, 2.0)
_CHANNELS = 8  # widths are multiples of it: the vector units of processors take so many at a time


@dataclass(frozen=True)
class Trial:
    """number: from 1; the first is the recipe itself. The others are factors of the recipe's own values."""

    number: int
    width: float = 1.0
    epochs: float = 1.0
    learning_rate: float = 1.0
    dose: float = 1.0


def draw_trials(count: int, seed: int) -> list[Trial]:
    """The recipe itself, and ``count - 1`` trials by Latin hypercube (McKay, Beckman, Conover 1979).

    Each of the four ranges is cut into as many parts as there are trials to draw, and each part is drawn from once: a
    few trials cover every range, as those drawn one by one do not. Same count and seed, same trials.

    >>> [trial.number for trial in draw_trials(3, seed=0)], draw_trials(3, seed=0)[0].width
    ([1, 2, 3], 1.0)
    """
    if count < 1:
        raise UsageError(f"--trials: expected at least 1, found {count}")
    rng, drawn = np.random.default_rng(seed), count - 1
    places = np.stack([(rng.permutation(drawn) + rng.random(drawn)) / max(1, drawn) for _ in range(4)], 1)  # 0-1
    trials = [Trial(1)]
    for number, (width, epochs, rate, dose) in enumerate(places.tolist(), start=2):
        trials.append(
            Trial(
                number,
                width=_between(*WIDTH, width),
                epochs=_between(*EPOCHS, epochs),
                learning_rate=_between(*LEARNING_RATE, rate),
                dose=round(DOSE[0] + (DOSE[1] - DOSE[0]) * dose, 3),
            )
        )
    return trials


def trial_recipe(base: Recipe, trial: Trial, share: float = 1.0) -> Recipe:
    """The recipe of a trial. share: of its epochs, above 0 and at most 1.

    One network alone is trained, and no epochs are added for small data: the trials are to be compared as they are.

    >>> from digit_recognizer.training.recipe import fast
    >>> recipe = trial_recipe(fast(), Trial(2, width=1.3, epochs=2, dose=0.5), share=1 / 2)
    >>> recipe.widths, recipe.epochs, recipe.augmentation.rotation
    ((24, 40, 80), 13, 5.0)
    """
    if base.composition is not None:
        raise UsageError(f"preset {base.preset} composes what it learns from; tune notebook, fast or best")
    first, second, third = (max(1, round(width * trial.width / _CHANNELS)) * _CHANNELS for width in base.widths)
    changeable = base.network == "compact" and trial.width != 1
    bends = {
        name: round(getattr(base.augmentation, name) * trial.dose, 4)
        for name in ("rotation", "zoom", "shift", "shear", "elastic")
    }
    return replace(
        base,
        preset=base.preset if trial.number == 1 else f"{base.preset}-tuned",
        widths=(first, second, third) if changeable else base.widths,
        epochs=max(1, round(base.epochs * trial.epochs * share)),
        learning_rate=float(f"{base.learning_rate * trial.learning_rate:.3g}"),
        augmentation=replace(base.augmentation, **bends),
        members=1,
        min_steps=0,
    )


def tuned_recipe(base: Recipe, trial: Trial) -> Recipe:
    """The whole recipe of a trial, with as many members as ``base`` has."""
    return replace(trial_recipe(base, trial), members=base.members)


def _between(low: float, high: float, place: float) -> float:
    """From ``low`` (place 0) to ``high`` (place 1), on a logarithmic scale."""
    return float(round(low * (high / low) ** place, 3))


__all__ = ["DOSE", "EPOCHS", "LEARNING_RATE", "WIDTH", "Trial", "draw_trials", "trial_recipe", "tuned_recipe"]
