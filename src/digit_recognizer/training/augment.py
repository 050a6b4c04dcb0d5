"""Batches of digits become batches of digits as other hands might have written them.

Works on tensors, on whichever device they are; knows nothing of labels, networks or schedules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from digit_recognizer.errors import UsageError


@dataclass(frozen=True)
class Augmentation:
    """How far a digit may be bent. Each image draws its own values, uniformly within the ranges.

    rotation: degrees either way. zoom: 0.1 scales height and width, each on its own, by 0.9 to 1.1.
    shift: share of the side, either way, in both directions. shear: tangent of the slant, either way.
    elastic: standard deviation of the displacement, in pixels, of a grid of ``elastic_nodes`` x ``elastic_nodes``
    nodes, smoothly interpolated between them (after Simard, Steinkraus, Platt 2003). Flips never: they make other
    digits. Raises UsageError where a value is outside its range.
    """

    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    elastic_nodes: int = 7

    def __post_init__(self) -> None:
        limits = {"rotation": 180.0, "zoom": 0.9, "shift": 1.0, "shear": 2.0, "elastic": 10.0}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise UsageError(f"augmentation {name}: expected 0 to {limit:g}, found {getattr(self, name)}")
        if self.elastic_nodes < 3:
            raise UsageError(f"augmentation elastic_nodes: expected at least 3, found {self.elastic_nodes}")

    def apply(
        self,
        images: Tensor,
        generator: torch.Generator,
        size: int | None = None,
        share: slice = slice(None),
    ) -> Tensor:
        """Bend a batch.

        images: float32 (B, 1, 28, 28), 0-1. generator: source of all randomness, on the images' device.
        size: side of the returned pictures, as if taken at a lower resolution; the images' own where left out.
        share: bend these of the batch alone, as they would be among all; left out, every one.
        Returns float32 (share of B, 1, size, size), 0-1; what comes in from outside the frame is background.

        >>> blank = torch.zeros(2, 1, 28, 28)
        >>> Augmentation(rotation=10).apply(blank, torch.Generator()).shape
        torch.Size([2, 1, 28, 28])
        """
        batch, side = len(images), images.shape[-1]
        size = size or side
        matrices = self._matrices(batch, images.device, generator)[share]
        if not len(matrices):
            return images.new_zeros(0, 1, size, size)  # torch's grids are of at least one picture
        grid = functional.affine_grid(matrices, [len(matrices), 1, size, size], align_corners=False)
        if self.elastic:
            nodes = self.elastic_nodes
            pixel = 2 / side  # grid coordinates run from -1 to 1
            bends = torch.randn(batch, 2, nodes, nodes, generator=generator, device=images.device)[share]
            smooth = functional.interpolate(bends, (size, size), mode="bicubic", align_corners=True)
            grid = grid + (smooth * (self.elastic * pixel)).permute(0, 2, 3, 1)
        return functional.grid_sample(images[share], grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def _matrices(self, batch: int, device: torch.device, generator: torch.Generator) -> Tensor:
        """Inverse affine maps, float32 (B, 2, 3): from a point of the result to the point it is taken from."""
        draws = torch.rand(6, batch, generator=generator, device=device) * 2 - 1
        angle = draws[0] * math.radians(self.rotation)
        scale_x, scale_y = 1 / (1 + draws[1] * self.zoom), 1 / (1 + draws[2] * self.zoom)
        shift_x, shift_y = draws[3] * (2 * self.shift), draws[4] * (2 * self.shift)
        slant = draws[5] * self.shear
        cosine, sine = angle.cos(), angle.sin()
        rows = [scale_x * cosine, slant - scale_x * sine, shift_x, scale_y * sine, scale_y * cosine, shift_y]
        return torch.stack(rows, 1).view(batch, 2, 3)


__all__ = ["Augmentation"]
