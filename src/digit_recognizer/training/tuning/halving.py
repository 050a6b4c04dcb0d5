"""A number of trials and epochs becomes rungs: all trials in short, the better third longer, the best at full length.

Knows nothing of what a trial is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KEPT = 3  # one of so many goes on to the next rung, which is so many times as long
MAX_RUNGS = 3
MIN_EPOCHS = 3  # a training of fewer says little of a longer one


@dataclass(frozen=True)
class Rung:
    """number: from 1. trials: how many are trained in it. share: of the epochs of each, above 0 and at most 1."""

    number: int
    trials: int
    share: float


def plan_rungs(trials: int, epochs: int) -> list[Rung]:
    """Successive halving (Jamieson, Talwalkar 2016), by thirds; each trial of a rung is trained anew, to its own end.

    Going on from the rung before would be cheaper, but a one-cycle schedule has fallen to zero by then, and trainings
    that were cut off in the middle of theirs cannot be compared. epochs: of the recipe that the trials vary.

    >>> [(rung.trials, round(rung.share, 2)) for rung in plan_rungs(9, epochs=13)]
    [(9, 0.33), (3, 1.0)]
    >>> [(rung.trials, round(rung.share, 2)) for rung in plan_rungs(27, epochs=27)]
    [(27, 0.11), (9, 0.33), (3, 1.0)]
    """
    count = 1
    while count < MAX_RUNGS and trials >= KEPT**count and epochs >= MIN_EPOCHS * KEPT**count:
        count += 1
    return [
        Rung(number, -(-trials // KEPT ** (number - 1)), KEPT ** float(number - count))
        for number in range(1, count + 1)
    ]


def best_trials(scores: Mapping[int, tuple[float, float]], count: int) -> list[int]:
    """The numbers of the ``count`` best trials, in ascending order.

    scores: trial number -> (accuracy, loss). The higher accuracy is better, then the lower loss, then the lower number.

    >>> best_trials({1: (0.98, 0.1), 2: (0.99, 0.2), 3: (0.99, 0.1)}, 2)
    [2, 3]
    """
    ranked = sorted(scores, key=lambda number: (-scores[number][0], scores[number][1], number))
    return sorted(ranked[:count])


__all__ = ["KEPT", "MAX_RUNGS", "MIN_EPOCHS", "Rung", "best_trials", "plan_rungs"]
