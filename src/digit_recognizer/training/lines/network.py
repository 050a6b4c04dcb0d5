"""The line reader's network: strips float32 (N, 1, 32, W), 0-1, become logits float32 (N, W / 2, 12).

Knows nothing of training, calibration or files.
"""

from __future__ import annotations

from typing import cast

import torch.nn.functional as functional
from torch import Tensor, nn

from digit_recognizer.pictures.words.ctc import OUTPUTS

# Channels of the levels, as the strip gets lower: 16, 8, 4 and 1 rows; 1.5 MB of weights in half precision.
WIDTHS = (32, 64, 96, 128)
DEPTHS = (1, 2)  # residual blocks at 8 and at 4 rows
REACHES = (1, 2)  # dilations of the blocks along the line, in the end


class LineNetwork(nn.Module):
    """Convolutions alone, so that a strip may be of any width: a frame of the answer for each two columns.

    Strips lose height from level to level and keep their width; in the end a frame sees 57 columns, a digit with both
    of its neighbours. Residual blocks (He et al., 2015), those along the line dilated (Yu, Koltun 2015).
    730 thousand numbers.

    >>> import torch
    >>> LineNetwork()(torch.zeros(2, 1, 32, 50)).shape
    torch.Size([2, 25, 12])
    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        first, second, third, last = widths
        self.features = nn.Sequential(
            *_level(1, first, (5, 5), stride=(2, 2)),  # (N, first, 16, W / 2)
            *_level(first, second, (3, 3), stride=(2, 1)),  # (N, second, 8, W / 2)
            *(_Block(second, (3, 3)) for _ in range(DEPTHS[0])),
            *_level(second, third, (3, 3), stride=(2, 1)),  # (N, third, 4, W / 2)
            *(_Block(third, (3, 3)) for _ in range(DEPTHS[1])),
            *_level(third, last, (4, 1), padding=(0, 0)),  # (N, last, 1, W / 2)
            *(_Block(last, (1, 3), reach) for reach in REACHES),
        )
        self.head = nn.Conv2d(last, OUTPUTS, 1)

    def forward(self, strips: Tensor) -> Tensor:
        logits = self.head(self.features(strips))  # (N, 12, 1, W / 2)
        return cast(Tensor, logits.squeeze(2).transpose(1, 2))


class _Block(nn.Module):
    """Two convolutions, whose answer is added to what went in. reach: columns between the second one's taps."""

    def __init__(self, channels: int, size: tuple[int, int], reach: int = 1) -> None:
        super().__init__()
        first = _level(channels, channels, size)
        second = _level(channels, channels, size, padding=(size[0] // 2, reach * (size[1] // 2)), dilation=(1, reach))
        self.layers = nn.Sequential(*first, *second[:-1])

    def forward(self, inputs: Tensor) -> Tensor:
        return functional.relu(inputs + self.layers(inputs))


def _level(
    before: int,
    after: int,
    size: tuple[int, int],
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
    dilation: tuple[int, int] = (1, 1),
) -> list[nn.Module]:
    padding = (size[0] // 2, size[1] // 2) if padding is None else padding
    return [
        nn.Conv2d(before, after, size, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]


__all__ = ["WIDTHS", "LineNetwork"]
