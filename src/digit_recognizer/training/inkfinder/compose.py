"""MNIST, pen drawings and fonts become scenes to learn from, the same for the same seed, however many processes work.

Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import InputError
from digit_recognizer.training.inkfinder.scenes import compose_scene
from digit_recognizer.training.lines.compose import Hand
from digit_recognizer.training.pool import share_out
from digit_recognizer.training.ship.material import Ingredients

SHAPE = (128, 256)  # of a scene, in pixels
CHUNK = 100  # scenes that one task makes

_PRINTED = 0.35  # share of rows of digits that are print


@dataclass(frozen=True, eq=False)
class Scenes:
    """grey, ink: uint8 (N, H, W): pictures, and where on them there is ink, 255 where a stroke covers a pixel."""

    grey: npt.NDArray[np.uint8]
    ink: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.grey.ndim != 3 or self.grey.shape != self.ink.shape:
            raise InputError(f"expected as much ink as pictures, found {self.ink.shape} for {self.grey.shape}")

    def __len__(self) -> int:
        return len(self.grey)


def compose_scenes(
    ingredients: Ingredients,
    count: int,
    seed: int,
    *,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Scenes:
    """Compose ``count`` scenes of 128 x 256 pixels.

    workers: processes, one per core where left out; 1 works in this process. tell: called with (done, total) scenes;
    what it raises ends the work. Raises InputError without labelled digits.

    >>> from digit_recognizer.digits import Digits
    >>> digits = Digits(np.full((1, 28, 28), 255, np.uint8), np.array([0]))
    >>> compose_scenes(Ingredients(digits), 2, seed=0, workers=1).grey.shape
    (2, 128, 256)
    """
    if not len(ingredients.digits):
        raise InputError("expected labelled digits to compose scenes from, found none")
    ingredients.digits.known_labels()
    tasks = [(first, min(CHUNK, count - first), seed) for first in range(0, count, CHUNK)]
    grey, ink = (np.zeros((count, *SHAPE), np.uint8) for _ in range(2))

    def keep(task: _Task, made: Scenes) -> None:
        first, size, _ = task
        grey[first : first + size], ink[first : first + size] = made.grey, made.ink
        tell(first + size, count)

    share_out(_make, ingredients, tasks, keep, workers=workers)
    return Scenes(grey, ink)


_Task = tuple[int, int, int]  # first scene, how many, seed


def _make(ingredients: Ingredients, task: _Task) -> Scenes:
    first, count, seed = task
    rng = np.random.default_rng([seed, first])
    hand = Hand(ingredients, rng, _PRINTED)
    made = [compose_scene(lambda: [one.ink for one in hand.characters()], SHAPE, rng) for _ in range(count)]
    return Scenes(np.stack([scene.grey for scene in made]), np.stack([scene.ink for scene in made]))


__all__ = ["CHUNK", "SHAPE", "Scenes", "compose_scenes"]
