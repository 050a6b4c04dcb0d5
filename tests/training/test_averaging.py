import numpy as np
import pytest
import torch

from digit_recognizer.training.averaging import between
from digit_recognizer.training.networks import CompactNetwork
from tests.conftest import draw_digits


def small(seed: int) -> CompactNetwork:
    torch.manual_seed(seed)
    return CompactNetwork((3, 4, 5), (1, 1)).train()


def test_it_lies_between_in_every_weight_and_leaves_both_alone() -> None:
    images = draw_digits(60, seed=1).images
    one, other = small(1), small(2)
    kept = {name: value.clone() for name, value in one.state_dict().items()}
    middle = dict(between(one, other, images).named_parameters())
    for name, value in one.named_parameters():
        assert torch.allclose(middle[name], (value + dict(other.named_parameters())[name]) / 2)
    assert all(torch.equal(kept[name], value) for name, value in one.state_dict().items())
    assert one.training


def test_it_lies_as_far_from_the_first_as_asked() -> None:
    one, other = small(1), small(2)
    near = dict(between(one, other, draw_digits(10, seed=1).images, 0.2).named_parameters())
    for name, value in one.named_parameters():
        assert torch.allclose(near[name], 0.8 * value + 0.2 * dict(other.named_parameters())[name], atol=1e-6)


def test_batch_normalisation_is_measured_on_the_images() -> None:
    images = draw_digits(60, seed=1).images
    network = small(1)
    middle = between(network, network, images)
    first = middle.features[2]
    assert isinstance(first, torch.nn.BatchNorm2d)
    ink = torch.from_numpy(images.copy()).unsqueeze(1).float() / 255
    with torch.no_grad():
        seen = middle.features[1](middle.features[0](ink))
    assert torch.allclose(first.running_mean, seen.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(first.running_var, seen.var((0, 2, 3)), atol=1e-4)
    assert not np.allclose(first.running_mean.numpy(), 0)


@pytest.mark.parametrize(("there", "measured"), [(510, 510), (6_000, 6_000), (11_999, 6_000), (12_000, 6_000)])
def test_every_image_that_is_measured_counts_as_much(there: int, measured: int) -> None:
    images = np.zeros((there, 28, 28), np.uint8)
    images[-10:] = 255  # few, in a last batch that may be small
    seen: list[torch.Tensor] = []

    class Norm(torch.nn.BatchNorm2d):
        def forward(self, shown: torch.Tensor) -> torch.Tensor:
            seen.append(shown)
            return super().forward(shown)

    middle = between(Norm(1), Norm(1), images)
    together = torch.cat(seen)
    assert len(together) == measured
    assert isinstance(middle, torch.nn.BatchNorm2d)
    assert torch.allclose(middle.running_mean, together.mean(), atol=1e-6)
    assert together.mean() > 0
