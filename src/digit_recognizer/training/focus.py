"""The losses of the images when last seen become the order in which an epoch learns from them, or from some of them.

Knows nothing of networks or batches.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from digit_recognizer.training.distributed import Ranks
from digit_recognizer.training.recipe import Recipe


def epoch_order(recipe: Recipe, epoch: int, last_loss: Tensor, seed: int) -> Tensor:
    """The images of epoch ``epoch`` (counted from 1) in a random order, int64 (n,): all, or the hard ones and others.

    last_loss: float32 (N,), of each image when it was last learnt from. seed: of this epoch. See ``focus`` in Recipe.

    >>> from digit_recognizer.training.recipe import fast, notebook
    >>> loss = torch.arange(100.0)
    >>> len(epoch_order(notebook(), 2, loss, 0)), len(epoch_order(fast(), 2, loss, 0))
    (100, 25)
    """
    total = len(last_loss)
    shuffled = np.random.default_rng(seed).permutation(total)
    order = torch.from_numpy(shuffled).to(last_loss.device)
    wanted = recipe.images_in_epoch(epoch, total)
    if wanted == total:
        return order
    hard = round(wanted * recipe.focus_hardest)
    by_loss = order[last_loss[order].argsort(descending=True, stable=True)]
    chosen = torch.zeros(total, dtype=torch.bool, device=order.device)
    chosen[by_loss[:hard]] = True
    others = order[~chosen[order]][: wanted - hard]
    chosen[others] = True
    return order[chosen[order]]


def shared_losses(last_loss: Tensor, seen: Tensor, batch_size: int, ranks: Ranks) -> Tensor:
    """``last_loss`` with what each rank found of its shares of the batches that ``seen``, int64 (n,), was split into.

    Without this the ranks would not agree on which images are hard.
    """
    if ranks.count == 1 or not len(seen):
        return last_loss
    batches = torch.split(seen, batch_size)
    mine = torch.cat([batch[ranks.share(len(batch))] for batch in batches])
    found = torch.zeros_like(last_loss)
    found[mine] = last_loss[mine]
    shared = last_loss.clone()
    shared[seen] = ranks.total(found)[seen]
    return shared


__all__ = ["epoch_order", "shared_losses"]
