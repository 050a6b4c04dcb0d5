"""What is learnt instead of labels: the network's own answers have their share where they are right."""

from __future__ import annotations

import pytest
import torch

from digit_recognizer.training.retention import retained_targets

LABELS = torch.tensor([2, 0, 1])
ANSWERS = torch.tensor([[0.0, 1.0, 3.0], [0.0, 2.0, 0.0], [-1.0, 5.0, 0.0]])  # the second is wrong


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_rows_are_probabilities_of_which_the_label_has_most(share: float) -> None:
    targets = retained_targets(LABELS, ANSWERS, share, 0.03)
    assert torch.allclose(targets.sum(1), torch.ones(3))
    assert (targets > 0).all()
    assert (targets.argmax(1) == LABELS).all()


def test_answers_that_are_wrong_have_no_share() -> None:
    targets = retained_targets(LABELS, ANSWERS, 0.9, 0.0)
    assert targets[1].tolist() == [1, 0, 0]
    assert torch.allclose(targets[0], 0.9 * ANSWERS[0].softmax(0) + 0.1 * torch.tensor([0.0, 0.0, 1.0]))


def test_without_a_share_the_label_is_smoothed_as_usual() -> None:
    targets = retained_targets(LABELS, ANSWERS, 0.0, 0.03)
    losses = torch.nn.functional.cross_entropy(ANSWERS, targets)
    assert torch.allclose(losses, torch.nn.functional.cross_entropy(ANSWERS, LABELS, label_smoothing=0.03))
