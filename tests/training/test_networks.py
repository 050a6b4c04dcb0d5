import numpy as np
import pytest
import torch
from torch import nn

from digit_recognizer.errors import UsageError
from digit_recognizer.training.networks import (
    CompactNetwork,
    Deskewed,
    Ensemble,
    NotebookNetwork,
    count_parameters,
    deskewed,
)


def test_the_notebook_network_has_the_notebooks_parameters() -> None:
    # 5x5x1x32+32, 5x5x32x32+32, 3x3x32x64+64, 3x3x64x64+64, 3136x256+256, 256x10+10
    assert count_parameters(NotebookNetwork()) == 832 + 25_632 + 18_496 + 36_928 + 803_072 + 2_570 == 887_530


def test_the_notebook_network_starts_as_keras_does() -> None:
    torch.manual_seed(0)
    for layer in NotebookNetwork().layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            receptive = layer.weight[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
            fan_in, fan_out = layer.weight.shape[1] * receptive, layer.weight.shape[0] * receptive
            limit = (6 / (fan_in + fan_out)) ** 0.5  # Glorot uniform, as Keras documents it
            assert layer.bias is not None
            assert torch.count_nonzero(layer.bias) == 0
            assert float(layer.weight.detach().abs().max()) <= limit
            assert float(layer.weight.detach().abs().max()) > 0.9 * limit


@pytest.mark.parametrize("network", [NotebookNetwork(), CompactNetwork((4, 8, 8)), CompactNetwork((4, 8, 8), (1, 3))])
def test_networks_turn_images_into_ten_logits(network: nn.Module) -> None:
    assert network.eval()(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_an_ensemble_answers_with_the_mean_probability_of_all_members_and_views() -> None:
    torch.manual_seed(0)
    members = [CompactNetwork((4, 4, 4)).eval() for _ in range(3)]
    images = torch.zeros(5, 1, 28, 28)
    images[..., 2:26, 2:26] = torch.rand(5, 1, 24, 24)  # the border is empty, so that rolling is shifting
    moves = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]
    with torch.no_grad():
        together = Ensemble(members).eval()(images).softmax(1).numpy()
        apart = [member(torch.roll(images, move, (2, 3))).softmax(1).numpy() for member in members for move in moves]
    np.testing.assert_allclose(together, np.mean(apart, 0), atol=1e-6)


def slanted(slant: float) -> torch.Tensor:
    """A bar two pixels broad, off the middle: float32 (1, 1, 28, 28)."""
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    bar = (1.5 - (columns - 15 - slant * (rows - 11)).abs()).clamp(0, 1) * ((rows >= 3) & (rows <= 19))
    return bar[None, None]


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.4])
def test_deskewing_sets_a_slanted_bar_upright_in_the_middle(slant: float) -> None:
    straight = deskewed(slanted(slant))[0, 0]
    columns = (straight > 0.5).any(0).nonzero().ravel()
    assert columns.min() >= 12
    assert columns.max() <= 15
    rows = (straight > 0.5).any(1).nonzero().ravel()
    assert float(rows.float().mean()) == pytest.approx(13.5, abs=0.6)


def test_a_deskewed_network_sees_the_same_however_a_digit_is_slanted_and_shifted() -> None:
    plain = CompactNetwork((4, 8, 8)).eval()
    upright = slanted(0.0)
    with torch.no_grad():
        assert torch.equal(Deskewed(plain)(upright), plain(deskewed(upright)))
    moved = torch.roll(upright, (4, -3), (2, 3))
    assert float((deskewed(moved) - deskewed(upright)).abs().max()) < 1e-3
    apart = float((slanted(0.5) - upright).abs().mean())
    assert float((deskewed(slanted(0.5)) - deskewed(upright)).abs().mean()) < 0.25 * apart


def test_blank_images_stay_blank() -> None:
    assert not deskewed(torch.zeros(2, 1, 28, 28)).any()


def test_widths_that_are_not_three_are_refused() -> None:
    with pytest.raises(UsageError, match="three positive numbers"):
        CompactNetwork((4, 8))


def test_depths_that_are_not_two_are_refused() -> None:
    with pytest.raises(UsageError, match="two positive numbers"):
        CompactNetwork((4, 8, 8), (2, 0))
