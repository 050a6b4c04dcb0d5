"""Folding normalisation into the convolutions changes a network's layers, not its answers."""

import torch
from torch import nn

from digit_recognizer.training.folding import folded
from digit_recognizer.training.networks import CompactNetwork, Ensemble


def trained_a_little(network: nn.Module) -> nn.Module:
    """Statistics and scales as training leaves them, not the ones and zeros of a fresh network."""
    generator = torch.Generator().manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight.data, 0.3, 1.5),
                (module.bias.data, -0.5, 0.5),
                (module.running_mean, -0.4, 0.4),
                (module.running_var, 0.1, 2.0),
            ):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return network.eval()


def test_a_folded_network_has_no_normalisation_and_answers_alike() -> None:
    torch.manual_seed(0)
    network = trained_a_little(Ensemble([CompactNetwork((4, 6, 8), (2, 3)), CompactNetwork((4, 6, 8), (1, 1))]))
    images = torch.rand(16, 1, 28, 28)
    without = folded(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in without.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())  # the original is left alone
    with torch.no_grad():
        assert torch.allclose(network(images), without(images), atol=1e-5)


def test_a_negative_scale_after_pooling_is_left_as_it_is() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU())
    trained_a_little(layers)
    layers[2].weight.data[1] = -1.0
    images = torch.rand(4, 1, 12, 12)
    without = folded(layers)
    assert isinstance(without, nn.Sequential)
    assert isinstance(without[2], nn.BatchNorm2d)
    with torch.no_grad():
        assert torch.equal(layers(images), without(images))
