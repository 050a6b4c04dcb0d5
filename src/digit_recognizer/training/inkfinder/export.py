"""A trained ink finder becomes one ONNX file, checked against torch before it is written.

Knows nothing of how it was trained.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digit_recognizer.errors import UsageError
from digit_recognizer.ink_finder import INPUT, OUTPUT, STRIDE, InkFinder
from digit_recognizer.model_file import ModelMetadata, check_model, with_metadata
from digit_recognizer.training.export import exported, write_alike
from digit_recognizer.training.folding import folded
from digit_recognizer.training.inkfinder.network import InkNetwork


def export_ink_finder(
    network: InkNetwork, path: str | Path, *, metadata: ModelMetadata, check_pictures: npt.NDArray[np.uint8]
) -> tuple[int, float]:
    """Write ``network`` to ``path``: uint8 pictures -> / 255 -> network -> sigmoid.

    metadata: goes into the file. check_pictures: uint8 (N, H, W), at least one, which torch and ONNX Runtime must
    answer alike. Returns the file's bytes and the largest difference of a probability.

    Raises ModelError, and writes nothing, where the network cannot be exported, or probabilities differ by more than
    1e-3; FileError where the file cannot be written; UsageError without pictures to check.
    """
    if not len(check_pictures):
        raise UsageError("expected at least one picture to check the exported ink finder on, found none")
    finder = _Finder(network).eval()
    # Sizes that occur nowhere in the network: the exporter would take others for constants.
    example = torch.zeros(2, 3 * STRIDE, 5 * STRIDE, dtype=torch.uint8)
    model = exported(finder, example, INPUT, OUTPUT, sizes={0: "N", 1: "H", 2: "W"}, multiples={1: STRIDE, 2: STRIDE})
    content = with_metadata(model.SerializeToString(deterministic=True), metadata)
    check_model(content, str(path))
    session = InkFinder(content, str(path))
    difference = 0.0
    for picture in check_pictures:
        with torch.no_grad():
            expected = finder(torch.from_numpy(picture.copy())[None])[0].numpy()
        difference = max(difference, float(np.abs(session.ink(picture) - expected).max()))
    write_alike(content, path, difference)
    return len(content), difference


class _Finder(torch.nn.Module):
    """The network with the contract around it: uint8 (N, H, W) -> float32 (N, H, W)."""

    def __init__(self, network: InkNetwork) -> None:
        super().__init__()
        self.network = folded(network).to("cpu", torch.float32)

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.network(pictures.unsqueeze(1).to(torch.float32) / 255)
        return torch.sigmoid(logits).squeeze(1)


__all__ = ["export_ink_finder"]
