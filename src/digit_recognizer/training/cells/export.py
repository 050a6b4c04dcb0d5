"""A trained cell reader becomes one ONNX file, checked against torch before it is written.

Knows nothing of how it was trained.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from digit_recognizer.cell_reader import INPUT, OUTPUT, CellReader
from digit_recognizer.errors import UsageError
from digit_recognizer.model_file import ModelMetadata, check_model, with_metadata
from digit_recognizer.pictures.cell_view import SIDE
from digit_recognizer.training.cells.learn import Views
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.export import exported, write_alike
from digit_recognizer.training.half_precision import storable, store_in_half


def export_cell_reader(
    network: CellNetwork, path: str | Path, *, metadata: ModelMetadata, check_views: Views
) -> tuple[int, float]:
    """Write ``network`` to ``path``: uint8 views -> / 255 -> network -> / temperature -> softmax.

    Weights are stored in half precision and reckoned with in float32.

    metadata: goes into the file; its temperature is the one that logits are divided by. check_views: uint8 (N, 48, 48),
    at least one, which torch and ONNX Runtime must answer alike. Returns the file's bytes and the largest difference of
    a probability.

    Raises ModelError, and writes nothing, where the network cannot be exported, or probabilities differ by more than
    1e-3; FileError where the file cannot be written; UsageError without views to check.
    """
    if not len(check_views):
        raise UsageError("expected at least one view to check the exported cell reader on, found none")
    reader = _Reader(network, metadata.temperature).eval()
    model = exported(reader, torch.zeros(3, SIDE, SIDE, dtype=torch.uint8), INPUT, OUTPUT, sizes={0: "N"})
    store_in_half(model.graph)
    content = with_metadata(model.SerializeToString(deterministic=True), metadata)
    check_model(content, str(path))
    with torch.no_grad():
        expected = reader(torch.from_numpy(check_views)).numpy()
    difference = float(np.abs(CellReader(content, str(path)).probabilities(check_views) - expected).max())
    write_alike(content, path, difference)
    return len(content), difference


class _Reader(torch.nn.Module):
    """The network with the contract around it: uint8 (N, 48, 48) -> float32 (N, 12)."""

    def __init__(self, network: CellNetwork, temperature: float) -> None:
        super().__init__()
        self.network = storable(network)
        self.temperature = temperature

    def forward(self, views: Tensor) -> Tensor:
        logits: Tensor = self.network(views.unsqueeze(1).to(torch.float32) / 255)
        return torch.softmax(logits / self.temperature, dim=1)


__all__ = ["export_cell_reader"]
