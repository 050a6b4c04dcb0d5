"""A recipe and weights become a network: one member's, or that of all members together. Knows nothing of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from digit_recognizer.training.networks import CompactNetwork, Ensemble, NotebookNetwork
from digit_recognizer.training.recipe import Recipe


def build_network(recipe: Recipe) -> nn.Module:
    """One member's network, with random weights from torch's global generator."""
    if recipe.network == "notebook":
        return NotebookNetwork()
    return CompactNetwork(recipe.widths, recipe.depths, recipe.dropout, recipe.classes, strided=recipe.strided)


def assemble(recipe: Recipe, members: Sequence[Mapping[str, Tensor]]) -> nn.Module:
    """The network of these members' weights, in evaluation mode on the CPU; several answer as one.

    members: each as ``state_dict`` gives it.

    >>> from digit_recognizer.training.recipe import fast
    >>> weights = build_network(fast()).state_dict()
    >>> type(assemble(fast(), [weights])).__name__, type(assemble(fast(), [weights, weights])).__name__
    ('CompactNetwork', 'Ensemble')
    """
    networks = []
    for weights in members:
        with torch.random.fork_rng([]):
            network = build_network(recipe)
        network.load_state_dict(dict(weights))
        networks.append(network.eval())
    return networks[0] if len(networks) == 1 else Ensemble(networks).eval()


__all__ = ["assemble", "build_network"]
