from dataclasses import replace

import pytest
import torch

from digit_recognizer.training.distributed import ALONE
from digit_recognizer.training.focus import epoch_order, shared_losses
from digit_recognizer.training.recipe import fast, notebook

FOCUSED = replace(fast(), focus=0.4, focus_hardest=0.5)


@pytest.mark.parametrize("recipe", [notebook(), FOCUSED])
def test_the_first_epoch_and_every_epoch_without_focus_has_each_image_once(recipe: object) -> None:
    order = epoch_order(recipe, 1, torch.arange(50.0), seed=3)  # type: ignore[arg-type]
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() != list(range(50))


def test_a_focused_epoch_has_the_hardest_and_as_many_others_drawn_at_random() -> None:
    loss = torch.arange(100.0)
    one, two = (epoch_order(FOCUSED, 2, loss, seed).tolist() for seed in (1, 2))
    for order in (one, two):
        assert len(order) == len(set(order)) == 40
        assert set(range(80, 100)) <= set(order)
    assert set(one) != set(two)


def test_the_same_losses_and_seed_give_the_same_order() -> None:
    loss = torch.rand(100, generator=torch.Generator().manual_seed(0))
    assert torch.equal(epoch_order(FOCUSED, 2, loss, 5), epoch_order(FOCUSED, 2, loss.clone(), 5))


def test_a_process_alone_knows_all_losses_already() -> None:
    loss = torch.rand(10)
    assert shared_losses(loss, torch.arange(6), 4, ALONE) is loss
