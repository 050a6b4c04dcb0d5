"""What rank 0 trains becomes known to the other ranks, who have no data, folder or words of their own.

    rank 0:   train (announces itself) -> train -> ... -> dismiss
    others:   for every announcement: train the same

So rank 0 does the whole job as if it were alone, and whatever it trains, the others train with it. Knows no loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from digit_recognizer.training.checkpoint import Snapshot
from digit_recognizer.training.distributed import Ranks
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.ship.material import Material

if TYPE_CHECKING:
    from digit_recognizer.training.trainer import Labelled

_START = "start."


@dataclass(frozen=True)
class Announcement:
    """A training in which every rank takes part. training, validation: frames. start: first weights, or None."""

    recipe: Recipe
    seed: int
    training: Material
    validation: Material
    start: Mapping[str, Tensor] | None = None


def announce(
    ranks: Ranks,
    recipe: Recipe,
    seed: int,
    training: Labelled,
    validation: Labelled,
    start: Mapping[str, Tensor] | None,
) -> None:
    """Tell the other ranks of a training that begins now; nothing where this one is alone, or does not lead.

    >>> from digit_recognizer.digits import Digits
    >>> from digit_recognizer.training.distributed import ALONE
    >>> from digit_recognizer.training.recipe import fast
    >>> digits = Digits.join([])
    >>> announce(ALONE, fast(), 0, digits, digits, None)
    """
    if ranks.count == 1 or not ranks.leads:
        return
    tensors = {f"{_START}{name}": tensor for name, tensor in (start or {}).items()}
    for name, frames in {"training": training, "validation": validation}.items():
        tensors[f"{name}.images"] = torch.from_numpy(frames.images.copy())
        tensors[f"{name}.labels"] = torch.from_numpy(frames.known_labels().copy())
    ranks.hand_out(Snapshot(tensors, {"recipe": recipe.to_dict(), "seed": seed}))


def announcements(ranks: Ranks) -> Iterator[Announcement]:
    """What rank 0 announces, one after the other, until it dismisses the others."""
    while (told := ranks.hand_out()) is not None:
        frames = {
            name: Material(told.tensors[f"{name}.images"].numpy(), told.tensors[f"{name}.labels"].numpy())
            for name in ("training", "validation")
        }
        start = {name.removeprefix(_START): tensor for name, tensor in told.tensors.items() if name.startswith(_START)}
        yield Announcement(Recipe.from_dict(told.facts["recipe"]), told.facts["seed"], **frames, start=start or None)


def dismiss(ranks: Ranks) -> None:
    """Tell the other ranks that nothing more will be trained."""
    ranks.hand_out(None)


__all__ = ["Announcement", "announce", "announcements", "dismiss"]
