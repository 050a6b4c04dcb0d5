"""A recipe and weights become a network: one member's, or that of all members together. Knows nothing of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from digit_recognizer.training.networks import CompactNetwork, Deskewed, Ensemble, NotebookNetwork
from digit_recognizer.training.recipe import Recipe


def build_network(recipe: Recipe, member: int = 1) -> nn.Module:
    """The network of member ``member``, from 1, with random weights from torch's global generator."""
    if recipe.network == "notebook":
        return NotebookNetwork()
    network = CompactNetwork(recipe.widths, recipe.depths, recipe.dropout, recipe.classes, strided=recipe.strided)
    return Deskewed(network) if recipe.deskew_every and member % recipe.deskew_every == 0 else network


def assemble(recipe: Recipe, members: Sequence[Mapping[str, Tensor]], first: int = 1) -> nn.Module:
    """The network of these members' weights, in evaluation mode on the CPU; several answer as one.

    members: each as ``state_dict`` gives it, in their order. first: the number of the first of them.

    >>> from digit_recognizer.training.recipe import fast
    >>> weights = build_network(fast()).state_dict()
    >>> type(assemble(fast(), [weights])).__name__, type(assemble(fast(), [weights, weights])).__name__
    ('CompactNetwork', 'Ensemble')
    """
    networks = []
    for member, weights in enumerate(members, first):
        with torch.random.fork_rng([]):
            network = build_network(recipe, member)
        network.load_state_dict(dict(weights))
        networks.append(network.eval())
    return networks[0] if len(networks) == 1 else Ensemble(networks).eval()


__all__ = ["assemble", "build_network"]
