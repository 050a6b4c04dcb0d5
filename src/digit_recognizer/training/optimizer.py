"""A recipe and a network become torch's optimizer; its state becomes named tensors, and comes back from them.

Knows nothing of steps, rates or files.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.recipe import Recipe


def build_optimizer(recipe: Recipe, network: nn.Module, hardware: Hardware) -> torch.optim.Optimizer:
    """The optimizer that the recipe names, over all weights of ``network``.

    >>> from digit_recognizer.training.recipe import fast
    >>> cpu = Hardware(torch.device("cpu"), "float32", 1)
    >>> [group["weight_decay"] for group in build_optimizer(fast(), nn.Linear(2, 2), cpu).param_groups]
    [0.01, 0.0]
    """
    parameters = list(network.parameters())
    if recipe.optimizer == "rmsprop":  # Keras' rho and epsilon
        return torch.optim.RMSprop(parameters, recipe.learning_rate, alpha=0.9, eps=1e-8)
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        recipe.learning_rate,
        betas=(0.9, 0.99),
        fused=hardware.device.type in ("cpu", "cuda"),
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer remembers of each weight, copied to the CPU: "3.exp_avg" is of the fourth."""
    tensors: dict[str, Tensor] = {}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{index}.{name}": value.cpu().clone() for name, value in state.items()}
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` gave, into an optimizer of the same weights."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        # The fused optimizers walk raw memory: a moment must lie in memory as its parameter does.
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter).copy_(value).detach()
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


__all__ = ["build_optimizer", "optimizer_tensors", "restore_optimizer"]
