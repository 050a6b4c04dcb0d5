"""Two networks, one trained on from the other, become one between them.

Knows nothing of how they were trained.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

IMAGES = 6_000  # on which batch normalisation is measured anew
_BATCH = 500


def between(before: nn.Module, after: nn.Module, images: npt.NDArray[np.uint8], share: float = 0.5) -> nn.Module:
    """The network ``share`` of the way from the weights of ``before`` to those of ``after``, trained on from there.

    Near one another, such networks lie in one valley, and between them is one that knows what each forgot (Wortsman et
    al., Robust fine-tuning of zero-shot models, 2022). Means and variances of batch normalisation are not averaged but
    measured anew, on 6,000 of ``images``, uint8 (N, 28, 28), spread over all of them, on all where they are fewer; each
    image counts as much as any other (Izmailov et al. 2018).
    Returns a copy on the CPU, float32, in evaluation mode.

    >>> one, other = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> one.weight.data.fill_(1.0).item(), other.weight.data.fill_(3.0).item()
    (1.0, 3.0)
    >>> between(one, other, np.zeros((0, 28, 28), np.uint8)).weight.item()
    2.0
    """
    network = copy.deepcopy(before).to("cpu", torch.float32)
    goal = after.state_dict()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.lerp_(goal[name].to("cpu", torch.float32), share)
        norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
        if norms and len(images):
            network.eval()
            for norm in norms:
                norm.reset_running_stats()
                norm.train()
            count = min(IMAGES, len(images))
            chosen = np.arange(count) * len(images) // count
            for first in range(0, count, _BATCH):
                batch = images[chosen[first : first + _BATCH]]
                for norm in norms:
                    norm.momentum = len(batch) / (first + len(batch))  # the mean so far, by images
                network(torch.from_numpy(batch).unsqueeze(1).float() / 255)
    return network.eval()


__all__ = ["between"]
