"""What a network says of its images goes into what it learns next, so that it forgets less of what it knows.

Knows nothing of how networks are trained.
"""

from __future__ import annotations

import torch
from torch import Tensor


def retained_targets(labels: Tensor, answers: Tensor, share: float, smoothing: float) -> Tensor:
    """What to learn instead of labels, float32 (N, classes), each row adding up to 1.

    labels: int64 (N,). answers: the network's logits, float32 (N, classes). share: 0-1, of its probabilities in the
    result where it is right; the rest, and all of it elsewhere, is the label, smoothed by ``smoothing``.

    After learning without forgetting (Li, Hoiem 2017) and distillation (Hinton et al. 2015).

    >>> retained_targets(torch.tensor([0, 0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 0.5, 0.0)
    tensor([[0.8655, 0.1345],
            [1.0000, 0.0000]])
    """
    classes = answers.shape[1]
    plain = torch.nn.functional.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes
    is_right = (answers.argmax(1) == labels).unsqueeze(1)
    return torch.where(is_right, share * answers.float().softmax(1) + (1 - share) * plain, plain)


__all__ = ["retained_targets"]
