"""A network learns from examples drawn in random order, one cycle of the learning rate long, by steps or by the clock.

Knows nothing of what the examples are, nor of files or terminals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from digit_recognizer.errors import TrainingDiverged, UsageError
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.schedule import OneCycle

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Pace:
    """How long a network learns, and how fast. steps: batches. learning_rate: at its highest.

    minutes: where given, the rate has fallen to zero by then, and no step is made after.
    Raises UsageError where a value is outside its range.
    """

    steps: int
    minutes: float | None = None
    learning_rate: float = 4e-3
    weight_decay: float = 0.01

    counts: ClassVar[tuple[str, ...]] = ("steps",)

    def __post_init__(self) -> None:
        for name in self.counts:
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')}: expected at least 1, found {getattr(self, name)}")
        if self.minutes is not None and not self.minutes > 0:
            raise UsageError(f"--minutes: expected more than 0, found {self.minutes:g}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise UsageError(f"--learning-rate: expected a positive number, found {self.learning_rate}")


@dataclass(frozen=True)
class Learning(Pace):
    """And in batches of how many examples."""

    batch_size: int = 96

    counts = ("batch_size", "steps")


class Note(NamedTuple):
    """How far a training is. share: of the whole, 0-1. loss: mean over the steps since the note before, 0 of none."""

    step: int
    share: float
    seconds: float
    loss: float
    learning_rate: float


def learn_in_one_cycle(
    network: Network,
    examples: int,
    loss_of: Callable[[npt.NDArray[np.int64], np.random.Generator], Tensor],
    learning: Learning,
    *,
    seed: int,
    hardware: Hardware,
    note_every: int = 100,
    on_note: Callable[[Note, Network], None] = lambda note, network: None,
) -> Network:
    """Train ``network``, which lies on the device already; it comes back in evaluation mode, on the CPU.

    examples: how many there are. loss_of: the loss of some of them, int64 (B,), drawn in random order, each once before
    any comes again. on_note: called every ``note_every`` steps and at the end with what to tell, and the network as it
    is. With the same network, losses, seed, device and threads, and without ``minutes``, the same network comes out.
    Raises TrainingDiverged where the loss stops being a number.
    """
    rng = np.random.default_rng(seed)
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
        share = step / learning.steps
        if learning.minutes is not None:
            share = max(share, (time.monotonic() - began) / (60 * learning.minutes))
        if share >= 1:
            break
        rate = learning.learning_rate * cycle.rate(round(share * 10_000), 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        if len(order) < learning.batch_size:
            order = np.concatenate([order, rng.permutation(examples)])
        chosen, order = order[: learning.batch_size], order[learning.batch_size :]
        loss = loss_of(chosen, rng)
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


__all__ = ["Learning", "Note", "Pace", "learn_in_one_cycle"]
