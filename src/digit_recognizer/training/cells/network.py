"""The cell reader's network: views float32 (N, 1, 48, 48), 0-1, become logits float32 (N, 12).

Knows nothing of training, calibration or files.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from digit_recognizer.cell_reader import OUTPUTS

WIDTHS = (48, 64, 96, 128)  # channels at 24 pixels a side (the first two), 12 and 6


class CellNetwork(nn.Module):
    """Residual blocks (He et al., 2015) on ever smaller pictures; the head sees each channel's mean and maximum.

    697 thousand numbers.

    >>> CellNetwork()(torch.zeros(2, 1, 48, 48)).shape
    torch.Size([2, 12])
    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_level(1, widths[0], 5, stride=2)]  # (N, 48, 24, 24)
        for number, (before, after) in enumerate(pairwise(widths)):
            layers += _level(before, after, 3, stride=2 if number else 1)
            layers += [_Block(after)] if number else _level(after, after, 3)
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(2 * widths[-1], OUTPUTS)

    def forward(self, views: Tensor) -> Tensor:
        features = self.features(views)  # (N, 128, 6, 6)
        mean, largest = features.mean((2, 3)), features.amax((2, 3))
        logits: Tensor = self.head(self.dropout(torch.cat([mean, largest], 1)))
        return logits


class _Block(nn.Module):
    """Two convolutions, whose answer is added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_level(channels, channels, 3), *_level(channels, channels, 3)[:-1])

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.relu(inputs + self.layers(inputs))


def _level(before: int, after: int, size: int, *, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]


__all__ = ["WIDTHS", "CellNetwork"]
