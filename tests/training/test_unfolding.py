"""Unfolding: the weights of a model file become a network that answers alike and can be trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.errors import ModelError
from digit_recognizer.files import read_bytes
from digit_recognizer.line_reader import LineReader
from digit_recognizer.shipped import shipped_model
from digit_recognizer.training.assembly import build_network
from digit_recognizer.training.folding import folded
from digit_recognizer.training.lines.network import LineNetwork
from digit_recognizer.training.networks import CompactNetwork
from digit_recognizer.training.recipe import ship
from digit_recognizer.training.unfolding import file_weights, unfold


def trained_once(network: CompactNetwork, images: torch.Tensor) -> None:
    """So that normalisation has something to undo: scales, shifts, means and variances of their own."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 2, generator=generator)
            module.bias.data.uniform_(-1, 1, generator=generator)
    network.train()(images)
    network.eval()


@pytest.mark.parametrize("strided", [False, True])
def test_an_unfolded_network_answers_as_the_folded_one(strided: bool) -> None:
    images = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    network = CompactNetwork((4, 6, 8), (2, 1), strided=strided)
    trained_once(network, images)
    flat = folded(network)
    again = CompactNetwork((4, 6, 8), (2, 1), strided=strided)
    unfold(again, flat.state_dict(), images)
    with torch.no_grad():
        assert torch.allclose(again(images), flat(images), atol=1e-4)
        # What normalisation measured is what the network is shown: in training it answers nearly alike, too.
        assert torch.allclose(again.train()(images), flat(images), atol=1e-2)


def test_the_line_reader_that_ships_can_be_trained_on() -> None:
    file = shipped_model("lines.onnx")
    strips = np.random.default_rng(0).integers(0, 256, (3, 32, 60), np.uint8)
    network = LineNetwork()
    images = torch.from_numpy(strips).unsqueeze(1).float() / 255
    unfold(network, file_weights(file.content, "network."), images)
    reader = LineReader(file.content, file.name)
    temperature = file.metadata.temperature
    with torch.no_grad():
        answers = (network(images) / temperature).log_softmax(2).exp().numpy()
    expected = np.exp(np.stack(reader.frames(list(strips))))
    assert np.abs(answers - expected).max() < 1e-3


def test_weights_of_another_network_are_refused() -> None:
    weights = file_weights(shipped_model("lines.onnx").content, "network.")
    with pytest.raises(ModelError, match="another network"):
        unfold(build_network(ship()), weights, torch.zeros(2, 1, 28, 28))
    with pytest.raises(ModelError, match="another network"):
        unfold(LineNetwork((8, 8, 8, 8)), weights, torch.zeros(2, 1, 32, 40))


def test_a_file_without_such_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.onnx"
    path.write_bytes(shipped_model("lines.onnx").content)
    with pytest.raises(ModelError, match=r"named main/\.\.\."):
        file_weights(read_bytes(path), "main/")
