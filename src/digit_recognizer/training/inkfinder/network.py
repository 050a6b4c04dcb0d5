"""The ink finder's network: grey pictures float32 (N, 1, H, W), 0-1, become logits of ink, float32 (N, 1, H, W).

Knows nothing of training or files.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as functional
from torch import Tensor, nn

STRIDE = 32  # sides must be multiples of it
WIDTHS = (8, 16, 32, 48, 64, 64)  # channels at full size, at half of it, ...


class InkNetwork(nn.Module):
    """A small U-net (Ronneberger, Fischer, Brox 2015): down to a thirty-second of the size, to see a shadow as a whole,
    and up again, each level added to what was there on the way down.

    >>> import torch
    >>> InkNetwork()(torch.zeros(1, 1, 64, 96)).shape
    torch.Size([1, 1, 64, 96])
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.first = _layer(1, widths[0])
        self.down = nn.ModuleList()
        for number, (before, after) in enumerate(pairwise(widths)):
            layers = [_layer(before, after, stride=2)]
            if number >= 1:  # at a quarter of the size and below, where it costs little
                layers.append(_layer(after, after))
            self.down.append(nn.Sequential(*layers))
        self.across = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in pairwise(widths))
        self.up = nn.ModuleList(_layer(width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        levels = [self.first(pictures)]
        for down in self.down:
            levels.append(down(levels[-1]))
        here = levels[-1]
        for number in reversed(range(len(self.up))):
            larger = functional.interpolate(self.across[number](here), scale_factor=2.0, mode="nearest")
            here = self.up[number](larger + levels[number])
        logits: Tensor = self.head(here)
        return logits


def _layer(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


__all__ = ["STRIDE", "WIDTHS", "InkNetwork"]
