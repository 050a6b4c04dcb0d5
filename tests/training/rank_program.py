"""One rank of the tests' own training, for torchrun: writes what it saw and learnt to FOLDER/rank-N.npz."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from digit_recognizer.apps.outcome import leave
from digit_recognizer.training.announcement import announcements, dismiss
from digit_recognizer.training.checkpoint import Snapshot
from digit_recognizer.training.distributed import Ranks, joined, launched_ranks
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.trainer import train
from tests.conftest import draw_digits
from tests.training.tiny import TINY

CPU = Hardware(torch.device("cpu"), "float32", 1)
# 65 images in batches of 16: the last batch has one image, and so one rank or more have none of it.
TRAINING, VALIDATION = draw_digits(65, seed=1), draw_digits(20, seed=2)
RECIPE = replace(TINY, learning_rate=1e-3, dropout=0.0)  # each rank would draw its own dropout
TWO = replace(RECIPE, members=2, epochs=2, focus=1.0)


def example() -> Tensor:
    """A batch of 7 for the normalisation: float32 (7, 3, 4, 4)."""
    return torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 100


def normalise(images: Tensor, learner: nn.Module, count: int) -> dict[str, Tensor]:
    """What a batch normalisation makes of ``images``, and the gradients of the mean of its squares over 7 images."""
    images = images.clone().requires_grad_()
    made = learner(images)
    ((made - 1).square().sum() * (count / 7)).backward()
    assert images.grad is not None
    return {"made": made.detach(), "gradient": images.grad / count}


def batch_norm() -> nn.Sequential:
    """One batch normalisation with weights of its own."""
    layer = nn.BatchNorm2d(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0, -0.5]))
        layer.bias.copy_(torch.tensor([0.0, 0.5, 1.0]))
    return nn.Sequential(layer)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    ranks = launched_ranks()
    found: dict[str, np.ndarray] = {}
    with joined(ranks, CPU):
        given = Snapshot({"a": torch.arange(3)}, {"b": "c"}) if ranks.leads else None
        told = ranks.hand_out(given)
        assert told is not None
        assert told.facts == {"b": "c"}
        assert torch.equal(told.tensors["a"], torch.arange(3))
        assert ranks.largest(ranks.rank) == ranks.count - 1
        found |= _normalised(ranks)
        if ranks.leads:
            for name, recipe in (("focus", RECIPE), ("two", TWO)):
                trained = train(recipe, TRAINING, VALIDATION, seed=3, hardware=CPU, ranks=ranks)
                found |= {f"{name}.{key}": value.numpy() for key, value in trained.network.state_dict().items()}
                found[f"{name}.losses"] = np.array([[row["loss"], row["val_loss"]] for row in trained.history])
            dismiss(ranks)
        else:
            for number, job in enumerate(announcements(ranks)):
                trained = train(job.recipe, job.training, job.validation, seed=job.seed, hardware=CPU, ranks=ranks)
                found[f"{number}.accuracy"] = np.array([row["accuracy"] for row in trained.history])
    np.savez(folder / f"rank-{ranks.rank}.npz", **found)  # type: ignore[arg-type]  # its stubs take no dict of arrays


def _normalised(ranks: Ranks) -> dict[str, np.ndarray]:
    """Of rank 0: nothing of the batch but for the last rank of three, which takes the whole rest."""
    network = batch_norm()
    learner = ranks.learner(network)
    shares = [slice(0, 5), slice(5, 5), slice(5, 7)]
    found = normalise(example()[shares[ranks.rank]], learner, ranks.count)
    weights = dict(network.named_parameters())
    found |= {f"by.{name}": value.grad for name, value in weights.items() if value.grad is not None}
    found |= {f"after.{name}": value for name, value in network.named_buffers()}
    return {f"norm.{name}": value.numpy() for name, value in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    leave(0)
