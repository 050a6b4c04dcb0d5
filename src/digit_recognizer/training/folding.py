"""A trained network becomes an equal one without normalisation layers: their scale and shift move into the weights.

Knows nothing of files. Exact up to rounding; what cannot be folded exactly stays as it is.
"""

from __future__ import annotations

import copy

import torch
from torch import nn


def folded(network: nn.Module) -> nn.Module:
    """A copy of ``network``, in evaluation mode, whose batch normalisation is part of the convolutions before it.

    A MaxPool2d between the two does not matter where every scale is positive, as the largest value stays the largest.

    >>> layers = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(2), nn.ReLU())
    >>> [type(layer).__name__ for layer in folded(layers)]
    ['Conv2d', 'MaxPool2d', 'ReLU']
    """
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        if isinstance(module, nn.Sequential):
            _fold_in_place(module)
    return copied


def _fold_in_place(layers: nn.Sequential) -> None:
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and (at := _convolution_before(kept, layer)) is not None:
            before = kept[at]
            assert isinstance(before, nn.Conv2d)
            kept[at] = _joined(before, layer)
        else:
            kept.append(layer)
    while len(layers):
        del layers[-1]
    layers.extend(kept)


def _convolution_before(layers: list[nn.Module], norm: nn.BatchNorm2d) -> int | None:
    """Where in ``layers`` the convolution lies that ``norm`` can be folded into, or None."""
    if norm.running_mean is None or not norm.affine:
        return None
    at = len(layers) - 1
    if at >= 0 and isinstance(layers[at], nn.MaxPool2d):
        if not bool((norm.weight > 0).all()):
            return None
        at -= 1
    return at if at >= 0 and isinstance(layers[at], nn.Conv2d) else None


def _joined(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    joined = copy.deepcopy(convolution)
    with torch.no_grad():
        # In float64: a small variance makes large factors.
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        bias = torch.zeros_like(scale) if convolution.bias is None else convolution.bias.double()
        joined.weight.copy_(convolution.weight.double() * scale[:, None, None, None])
        joined.bias = nn.Parameter((norm.bias.double() + (bias - norm.running_mean.double()) * scale).float())
    return joined


__all__ = ["folded"]
