"""Scenes become a trained ink finder: batches, one loss for each pixel, one cycle of the learning rate.

Knows nothing of files or terminals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from digit_recognizer.errors import TrainingDiverged, UsageError
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.inkfinder.compose import Scenes
from digit_recognizer.training.inkfinder.network import InkNetwork
from digit_recognizer.training.schedule import OneCycle

_BATCH_ANSWERED = 16


@dataclass(frozen=True)
class InkLearning:
    """How the ink finder is trained. steps: batches. learning_rate: at its highest.

    minutes: where given, the rate has fallen to zero by then, and no step is made after.
    """

    batch_size: int = 12
    steps: int = 8_000
    minutes: float | None = None
    learning_rate: float = 4e-3
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}: expected at least 1, found {getattr(self, name)}")
        if self.minutes is not None and not self.minutes > 0:
            raise UsageError(f"minutes: expected more than 0, found {self.minutes:g}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise UsageError(f"learning_rate: expected a positive number, found {self.learning_rate}")


class Note(NamedTuple):
    """How far a training is. share: of the whole, 0-1. loss: mean over the steps since the note before, 0 of none."""

    step: int
    share: float
    seconds: float
    loss: float
    learning_rate: float


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
    rng = np.random.default_rng(seed)
    hardware.seed(seed)
    network = InkNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    hardware.place(network)
    network.train()
    optimizer = torch.optim.AdamW(
        network.parameters(), learning.learning_rate, weight_decay=learning.weight_decay, betas=(0.9, 0.99)
    )
    cycle = OneCycle(1.0, 10_000, 0.1)
    began, losses, order = time.monotonic(), list[Tensor](), np.zeros(0, np.int64)
    step = 0

    def tell(share: float, rate: float) -> None:
        mean = float(torch.stack(losses).mean()) if losses else 0.0
        losses.clear()
        if not math.isfinite(mean):
            raise TrainingDiverged(f"step {step}: the loss is no finite number; choose a smaller learning rate")
        on_note(Note(step, share, time.monotonic() - began, mean, rate), network)

    while True:
        seconds = time.monotonic() - began
        share = step / learning.steps
        if learning.minutes is not None:
            share = max(share, seconds / (60 * learning.minutes))
        if share >= 1:
            break
        rate = learning.learning_rate * cycle.rate(round(share * 10_000), 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        if len(order) < learning.batch_size:
            order = np.concatenate([order, rng.permutation(len(scenes))])
        chosen, order = order[: learning.batch_size], order[learning.batch_size :]
        grey, ink = _shown(scenes, chosen, rng)
        grey, ink = hardware.place(grey), hardware.place(ink)
        with hardware.autocast():
            logits = network(grey)
        loss = ink_loss(logits.float(), ink)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
        step += 1
        if step % note_every == 0:
            tell(share, rate)
    tell(1.0, 0.0)
    network.eval().to("cpu")
    return network


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
