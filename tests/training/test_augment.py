import numpy as np
import pytest
import torch

from digit_recognizer.errors import UsageError
from digit_recognizer.training.augment import Augmentation
from tests.conftest import draw_digits


def bar(height: int = 16, width: int = 4) -> torch.Tensor:
    """An upright bar in the middle, (1, 1, 28, 28)."""
    image = torch.zeros(1, 1, 28, 28)
    top, left = (28 - height) // 2, (28 - width) // 2
    image[0, 0, top : top + height, left : left + width] = 1
    return image


def bend(augmentation: Augmentation, image: torch.Tensor, count: int = 400, seed: int = 0) -> np.ndarray:
    return augmentation.apply(image.repeat(count, 1, 1, 1), torch.Generator().manual_seed(seed)).numpy()[:, 0]


def moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres of mass (N, 2) as (y, x), covariance (N, 2, 2), and masses (N,)."""
    y, x = np.mgrid[:28, :28]
    mass = images.sum((1, 2))
    centre = np.stack([(images * y).sum((1, 2)), (images * x).sum((1, 2))], 1) / mass[:, None]
    dy, dx = y - centre[:, 0, None, None], x - centre[:, 1, None, None]
    entries = [(images * a * b).sum((1, 2)) / mass for a in (dy, dx) for b in (dy, dx)]
    return centre, np.stack(entries, 1).reshape(-1, 2, 2), mass


def test_no_ranges_change_nothing() -> None:
    images = torch.from_numpy(draw_digits(20).images.copy()).unsqueeze(1).float() / 255
    bent = Augmentation().apply(images, torch.Generator())
    np.testing.assert_allclose(bent.numpy(), images.numpy(), atol=1e-5)


def test_the_same_generator_bends_the_same_way_and_each_image_on_its_own() -> None:
    augmentation = Augmentation(rotation=10, zoom=0.1, shift=0.1, shear=0.1, elastic=1)
    first, again, other = (bend(augmentation, bar(), 8, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first.reshape(8, -1), axis=0)) == 8


def test_rotation_stays_within_its_degrees_and_uses_them_all() -> None:
    _, covariance, _ = moments(bend(Augmentation(rotation=10), bar()))
    angles = np.degrees(0.5 * np.arctan2(2 * covariance[:, 0, 1], covariance[:, 0, 0] - covariance[:, 1, 1]))
    assert np.abs(angles).max() <= 10.3
    assert angles.min() < -9
    assert angles.max() > 9


def test_shift_moves_both_ways_in_both_directions_within_its_share() -> None:
    centre, _, _ = moments(bend(Augmentation(shift=0.1), bar(8, 8)))
    moved = centre - 13.5
    assert np.abs(moved).max() <= 2.8 + 0.01
    assert (moved.min(0) < -2.5).all()
    assert (moved.max(0) > 2.5).all()
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_zoom_scales_height_and_width_each_on_its_own() -> None:
    _, covariance, _ = moments(bend(Augmentation(zoom=0.1), bar(16, 16)))
    original = moments(bar(16, 16).numpy()[:, 0])[1]
    height, width = (np.sqrt(covariance[:, axis, axis] / original[0, axis, axis]) for axis in (0, 1))
    for scale in (height, width):
        assert 0.88 < scale.min() < 0.93
        assert 1.07 < scale.max() < 1.12
    assert abs(np.corrcoef(height, width)[0, 1]) < 0.2


def test_elastic_bends_by_about_its_pixels_and_leaves_the_mean_in_place() -> None:
    images = bend(Augmentation(elastic=1.0), bar(16, 4))
    centre, _, mass = moments(images)
    assert np.abs(centre.mean(0) - 13.5).max() < 0.15
    assert 0.3 < centre.std(0).max() < 1.0
    assert abs(mass.mean() / bar(16, 4).sum().item() - 1) < 0.05


def test_a_smaller_size_gives_the_same_picture_with_fewer_pixels() -> None:
    small = Augmentation().apply(bar(), torch.Generator(), size=14)
    assert small.shape == (1, 1, 14, 14)
    assert small.sum().item() * 4 == pytest.approx(bar().sum().item(), rel=0.05)


@pytest.mark.parametrize(("name", "value"), [("rotation", -1), ("zoom", 0.95), ("shift", 2), ("elastic_nodes", 2)])
def test_a_value_outside_its_range_is_named(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        Augmentation(**{name: value})
