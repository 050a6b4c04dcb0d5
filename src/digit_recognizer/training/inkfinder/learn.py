"""Scenes become a trained ink finder: batches, one loss for each pixel, one cycle of the learning rate.

Knows nothing of files or terminals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from digit_recognizer.errors import UsageError
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.inkfinder.compose import Scenes
from digit_recognizer.training.inkfinder.network import InkNetwork
from digit_recognizer.training.one_cycle import Learning, Note, learn_in_one_cycle

_BATCH_ANSWERED = 16


@dataclass(frozen=True)
class InkLearning(Learning):
    """How the ink finder is trained."""

    batch_size: int = 12
    steps: int = 8_000


def learn(
    scenes: Scenes,
    learning: InkLearning,
    *,
    seed: int,
    hardware: Hardware,
    note_every: int = 100,
    on_note: Callable[[Note, InkNetwork], None] = lambda note, network: None,
) -> InkNetwork:
    """Train an ink finder; it comes back in evaluation mode, on the CPU.

    on_note: called every ``note_every`` steps and at the end with what to tell, and the network as it is. With the same
    scenes, seed, device and threads, and without ``minutes``, the same network comes out.
    Raises UsageError without scenes, TrainingDiverged where the loss stops being a number.
    """
    if not len(scenes):
        raise UsageError("expected scenes to learn from, found none")
    hardware.seed(seed)
    network = InkNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    hardware.place(network)

    def loss_of(chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        grey, ink = map(hardware.place, _shown(scenes, chosen, rng))
        with hardware.autocast():
            logits = network(grey)
        return ink_loss(logits.float(), ink)

    return learn_in_one_cycle(
        network, len(scenes), loss_of, learning, seed=seed, hardware=hardware, note_every=note_every, on_note=on_note
    )


def ink_loss(logits: Tensor, ink: Tensor) -> Tensor:
    """Cross-entropy of each pixel, and how little the ink found and the ink there is overlap (Milletari et al. 2016).

    logits, ink: float32 (N, 1, H, W), the ink 0-1.
    """
    each = functional.binary_cross_entropy_with_logits(logits, ink)
    found = logits.sigmoid()
    both, either = (found * ink).sum((1, 2, 3)), (found + ink).sum((1, 2, 3))
    return each + 0.2 * (1 - (2 * both + 20) / (either + 20)).mean()


def answers(network: InkNetwork, grey: npt.NDArray[np.uint8], hardware: Hardware) -> npt.NDArray[np.float32]:
    """The ink of pictures, 0-1, float32 (N, H, W). grey: uint8 (N, H, W)."""
    was_training = network.training
    network.eval()
    found = [np.zeros((0, *grey.shape[1:]), np.float32)]
    with torch.no_grad(), hardware.autocast():
        for first in range(0, len(grey), _BATCH_ANSWERED):
            batch = torch.from_numpy(grey[first : first + _BATCH_ANSWERED].copy()).unsqueeze(1).float() / 255
            found.append(network(hardware.place(batch)).float().sigmoid()[:, 0].cpu().numpy())
    network.train(was_training)
    return np.concatenate(found)


def _shown(scenes: Scenes, chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A batch, some of it mirrored, brighter or darker: float32 (B, 1, H, W), 0-1, pictures and ink."""
    parts = []
    for number in chosen:
        down, right = (1 if rng.random() < 0.5 else -1 for _ in range(2))
        parts.append((scenes.grey[number, ::down, ::right], scenes.ink[number, ::down, ::right]))
    grey, ink = (
        torch.from_numpy(np.stack([part[which] for part in parts])).unsqueeze(1).float() / 255 for which in (0, 1)
    )
    gains = torch.from_numpy(np.exp(rng.uniform(-0.25, 0.25, len(chosen))).astype(np.float32))
    return grey ** gains.view(-1, 1, 1, 1), ink


__all__ = ["InkLearning", "Note", "answers", "ink_loss", "learn"]
