import numpy as np
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
