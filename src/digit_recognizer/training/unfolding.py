"""The weights of a model file become a network that can be trained on: normalisation layers are put in again.

The opposite of folding.py. Knows nothing of how networks are trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from digit_recognizer.errors import ModelError

# The norm that filters of trained networks have here; what follows divides it out again, but how fast a filter turns
# depends on it (van Laarhoven, L2 regularization versus batch and weight normalization, 2017).
_FILTER_NORM = math.sqrt(2)


def file_weights(content: bytes, prefix: str) -> dict[str, Tensor]:
    """The weights and biases in an ONNX file whose names begin with ``prefix``, without it, in the order of the file.

    Raises ModelError where there are none.
    """
    found = {
        tensor.name.removeprefix(prefix): torch.from_numpy(onnx.numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in onnx.load_from_string(content).graph.initializer
        if tensor.name.startswith(prefix) and tensor.name.endswith((".weight", ".bias"))
    }
    if not found:
        raise ModelError(f"expected weights named {prefix}... in the model file, found none")
    return found


def unfold(network: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor) -> None:
    """Give ``network`` the weights of its folded self: in evaluation mode it then answers as that does.

    network: its convolutions without bias are each followed by batch normalisation, perhaps with MaxPool2d between
    them, and are called in the order in which they were made; its ``head`` has a bias. weights: a bias for each
    convolution, as ``folded`` leaves them. inputs: what the network is shown, float32; means and variances are measured
    on it. Raises ModelError where the weights are those of another network.

    >>> network = nn.Module()
    >>> network.features = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1), nn.ReLU())
    >>> network.head = nn.Conv2d(1, 1, 1)
    >>> network.forward = lambda inputs: network.head(network.features(inputs))
    >>> names = ("features.0.weight", "features.0.bias", "head.weight", "head.bias")
    >>> values = (torch.full((1, 1, 1, 1), 3.0), torch.ones(1), torch.ones(1, 1, 1, 1), torch.zeros(1))
    >>> unfold(network, dict(zip(names, values)), torch.rand(4, 1, 2, 2))
    >>> round(network.eval().features(torch.full((1, 1, 1, 1), 2.0)).item(), 3)
    7.0
    """
    names = [name.removesuffix(".weight") for name in weights if name.startswith("features") and "weight" in name]
    head = network.get_submodule("head")
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer is not head]
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    try:
        if not len(names) == len(convolutions) == len(norms):
            raise KeyError(f"{len(names)} convolutions")
        head.load_state_dict({name: weights[f"head.{name}"] for name in ("weight", "bias")})
        network.eval()
        with torch.no_grad(), ExitStack() as hooks:
            for convolution, norm, name in zip(convolutions, norms, names, strict=True):
                weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
                longer = _FILTER_NORM / weight.flatten(1).norm(dim=1).clamp_min(1e-6)
                convolution.weight.copy_(weight * longer[:, None, None, None])
                hook = norm.register_forward_pre_hook(partial(_undo, longer=longer, bias=bias))
                hooks.callback(hook.remove)
            network(inputs)
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"the file holds the weights of another network than this one ({error})") from error


def _undo(norm: nn.Module, inputs: tuple[Tensor], *, longer: Tensor, bias: Tensor) -> None:
    """Before ``norm`` is called: let it measure what reaches it, and undo that, and that filters were made longer."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3))
    norm.running_var.copy_(variance)
    norm.running_mean.copy_(mean)
    norm.weight.copy_((variance + norm.eps).sqrt() / longer)
    norm.bias.copy_(bias + mean / longer)


__all__ = ["file_weights", "unfold"]
