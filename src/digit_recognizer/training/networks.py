"""The networks: float32 (N, 1, 28, 28), 0-1, become logits float32 (N, 10).

They know nothing of training, calibration or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from digit_recognizer.digits import CLASSES
from digit_recognizer.errors import UsageError

NOTEBOOK_PARAMETERS = 887_530


class NotebookNetwork(nn.Module):
    """The well-known notebook's network, layer by layer, weights initialised as Keras does (Glorot, Bengio 2010).

    [[Conv 5x5 x32, ReLU] x2, MaxPool, Dropout .25], [[Conv 3x3 x64, ReLU] x2, MaxPool, Dropout .25],
    Dense 256, ReLU, Dropout .5, Dense 10: 887,530 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(),  # (N, 32, 28, 28)
            nn.Conv2d(32, 32, 5, padding=2), nn.ReLU(),
            nn.MaxPool2d(2), nn.Dropout(0.25),  # (N, 32, 14, 14)
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),  # (N, 64, 14, 14)
            nn.MaxPool2d(2), nn.Dropout(0.25),  # (N, 64, 7, 7)
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 256), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(256, CLASSES),
        )  # fmt: skip
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        assert count_parameters(self) == NOTEBOOK_PARAMETERS

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits


class CompactNetwork(nn.Module):
    """A small convolutional net whose cost lies where it helps: one wide-eyed layer, then ever smaller pictures.

    Pooling comes before normalisation and ReLU, which then touch a quarter of the memory; the result differs only
    where a scale is negative. The head sees each channel's mean and maximum, so any picture size goes in.

    widths: channels of the three levels (28, 14 and 7 pixels a side). depths: convolutions on the last two.
    classes: logits it gives; eleven where it also knows what is no digit. strided: the first convolution looks at every
    other place instead of all of them with pooling after it: half the time, a little less accuracy.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int] = (2, 2),
        dropout: float = 0.0,
        classes: int = CLASSES,
        *,
        strided: bool = False,
    ) -> None:
        super().__init__()
        if len(widths) != 3 or min(widths) < 1:
            raise UsageError(f"network widths: expected three positive numbers, found {tuple(widths)}")
        if len(depths) != 2 or min(depths) < 1:
            raise UsageError(f"network depths: expected two positive numbers, found {tuple(depths)}")
        first, second, third = widths
        layers = _level(1, first, 5, stride=2) if strided else _level(1, first, 5, pool=True)  # (N, first, 14, 14)
        channels = [first] + [second] * depths[0]
        for index, (before, after) in enumerate(pairwise(channels), 1):
            layers += _level(before, after, 3, pool=index == depths[0])  # last one: (N, second, 7, 7)
        channels = [second] + [third] * depths[1]
        for before, after in pairwise(channels):
            layers += _level(before, after, 3)  # (N, third, 7, 7)
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * third, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(images)  # (N, third, 7, 7)
        mean = functional.adaptive_avg_pool2d(features, 1).flatten(1)
        largest = functional.adaptive_max_pool2d(features, 1).flatten(1)
        logits: Tensor = self.head(self.dropout(torch.cat([mean, largest], 1)))  # (N, 2 * third) -> (N, classes)
        return logits


class Deskewed(nn.Module):
    """A network that sees digits with their slant taken out and their centre of mass in the middle.

    The slant is read off the second moments of the ink, as LeCun et al. (1998) deslant digits. Among networks that see
    them as they are, such a one errs on other images: columns that see digits normalised in different ways make better
    committees (Ciresan et al., 2012).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(deskewed(images))
        return logits


class Ensemble(nn.Module):
    """Several networks as one: the logarithm of their mean probability, float32 (N, 10).

    Every member looks five times: straight on, and from a pixel above, below, left and right (test-time augmentation).
    That costs five times the arithmetic and is for those who want the last few digits right.
    """

    VIEWS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))  # (down, right), in pixels

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        margin = functional.pad(images, (1, 1, 1, 1))  # (N, 1, 30, 30)
        views = torch.cat(
            [margin[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width] for down, right in self.VIEWS]
        )  # (5 N, 1, 28, 28): the first view of every image, then the second, ...
        probabilities = torch.stack([member(views).float().softmax(1) for member in self.members]).mean(0)
        return probabilities.view(len(self.VIEWS), -1, CLASSES).mean(0).clamp_min(1e-12).log()


def deskewed(images: Tensor) -> Tensor:
    """Images without slant, float32 (N, 1, H, W), ink bright on black; a blank one stays blank.

    >>> deskewed(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1, 28, 28])
    """
    ink = images[:, 0].float()  # (N, H, W)
    down = torch.linspace(-1, 1, images.shape[2], device=images.device).view(1, -1, 1)
    right = torch.linspace(-1, 1, images.shape[3], device=images.device).view(1, 1, -1)
    mass = ink.sum((1, 2), keepdim=True).clamp_min(1e-3)  # (N, 1, 1), as all below
    middle_down = (ink * down).sum((1, 2), keepdim=True) / mass
    middle_right = (ink * right).sum((1, 2), keepdim=True) / mass
    away = down - middle_down
    along = (ink * away * away).sum((1, 2), keepdim=True) / mass
    across = (ink * away * (right - middle_right)).sum((1, 2), keepdim=True) / mass
    slant = (across / along.clamp_min(1e-3)).clamp(-1, 1)
    # Where each pixel comes from, x then y, both from -1 to 1: (N, H, W, 2)
    grid = torch.stack([right + slant * down + middle_right, (down + middle_down).expand_as(ink)], 3)
    straight: Tensor = functional.grid_sample(images.float(), grid, align_corners=True)
    return straight.contiguous(memory_format=torch.channels_last)


def count_parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def _level(before: int, after: int, side: int, *, pool: bool = False, stride: int = 1) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return [*layers, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


__all__ = [
    "NOTEBOOK_PARAMETERS",
    "CompactNetwork",
    "Deskewed",
    "Ensemble",
    "NotebookNetwork",
    "count_parameters",
    "deskewed",
]
