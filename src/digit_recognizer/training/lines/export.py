"""A trained line reader becomes one ONNX file, checked against torch before it is written.

Knows nothing of how it was trained.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from digit_recognizer.errors import UsageError
from digit_recognizer.line_reader import INPUT, OUTPUT, LineReader
from digit_recognizer.model_file import ModelMetadata, check_model, with_metadata
from digit_recognizer.pictures.words.ctc import BLANK, OUTPUTS, LogProbabilities
from digit_recognizer.pictures.words.strips import HEIGHT, Grey, batches
from digit_recognizer.training.export import exported, write_alike
from digit_recognizer.training.half_precision import storable, store_in_half
from digit_recognizer.training.lines.compose import Strips
from digit_recognizer.training.lines.network import LineNetwork

_TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4), 22))


def export_line_reader(
    network: LineNetwork, path: str | Path, *, metadata: ModelMetadata, check_strips: list[Grey]
) -> tuple[int, float]:
    """Write ``network`` to ``path``: uint8 strips -> / 255 -> network -> / temperature -> logarithm of softmax.

    Weights are stored in half precision and reckoned with in float32.

    metadata: goes into the file; its temperature is the one that logits are divided by. check_strips: uint8 (32, W)
    each, at least one, which torch and ONNX Runtime must answer alike. Returns the file's bytes and the largest
    difference of a probability.

    Raises ModelError, and writes nothing, where the network cannot be exported, or probabilities differ by more than
    1e-3; FileError where the file cannot be written; UsageError without strips to check.
    """
    if not check_strips:
        raise UsageError("expected at least one strip to check the exported line reader on, found none")
    reader = _Reader(network, metadata.temperature).eval()
    # Two strips of an unusual width: with 0, 1 or a round number the exporter would take a size for a constant.
    example = torch.zeros(2, HEIGHT, 74, dtype=torch.uint8)
    model = exported(reader, example, INPUT, OUTPUT, sizes={0: "N", 2: "W"})
    store_in_half(model.graph)
    content = with_metadata(model.SerializeToString(deterministic=True), metadata)
    check_model(content, str(path))
    session = LineReader(content, str(path))
    found = session.frames(check_strips)
    difference = 0.0
    for numbers, batch in batches(check_strips):
        with torch.no_grad():
            expected = reader(torch.from_numpy(batch)).exp().numpy()
        for number, answer in zip(numbers, expected, strict=True):
            alike = np.exp(found[number]) - answer[: len(found[number])]
            difference = max(difference, float(np.abs(alike).max()))
    write_alike(content, path, difference)
    return len(content), difference


def fit_temperature(logits: list[LogProbabilities], strips: Strips) -> float:
    """The temperature, 0.5-4, that makes the strips' own labels likeliest (after Guo et al., 2017, with CTC's loss).

    logits: float32 (T, 12) of each strip.
    """
    frames = torch.tensor([len(one) for one in logits])
    padded = torch.zeros(len(logits), int(frames.max()), OUTPUTS)
    for row, one in zip(padded, logits, strict=True):
        row[: len(one)] = torch.from_numpy(one)
    lengths = torch.from_numpy(np.diff(strips.label_starts))
    labels = torch.from_numpy(strips.labels.astype(np.int64))

    def loss(temperature: float) -> float:
        answers = (padded / temperature).log_softmax(2).transpose(0, 1)
        each = functional.ctc_loss(answers, labels, frames, lengths, blank=BLANK, reduction="none", zero_infinity=True)
        return float(each.mean())

    return float(min(_TEMPERATURES, key=loss))


class _Reader(torch.nn.Module):
    """The network with the contract around it: uint8 (N, 32, W) -> float32 (N, W / 2, 12)."""

    def __init__(self, network: LineNetwork, temperature: float) -> None:
        super().__init__()
        self.network = storable(network)
        self.temperature = temperature

    def forward(self, strips: Tensor) -> Tensor:
        logits = self.network(strips.unsqueeze(1).to(torch.float32) / 255)
        return torch.log_softmax(logits / self.temperature, dim=2)


__all__ = ["export_line_reader", "fit_temperature"]
