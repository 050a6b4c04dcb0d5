"""Labelled cells become a trained cell reader: views bent anew each time, cross-entropy, one cycle of the rate.

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

from digit_recognizer.cell_reader import OUTPUTS
from digit_recognizer.errors import UsageError
from digit_recognizer.pictures.cell_view import PAPER, cell_view
from digit_recognizer.training.augment import Augmentation
from digit_recognizer.training.cells.compose import Cells
from digit_recognizer.training.cells.network import CellNetwork
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.one_cycle import Learning, Note, learn_in_one_cycle

Views = npt.NDArray[np.uint8]

_BENDS = Augmentation(rotation=5, zoom=0.08, shift=0.03, shear=0.08)
_SMOOTHING = 0.03  # of the labels
_GAINS = (-0.2, 0.2)  # logarithms of how much paler or darker a view is shown
_BATCH_ANSWERED = 256


@dataclass(frozen=True)
class CellLearning(Learning):
    """How the cell reader is trained."""

    batch_size: int = 96
    steps: int = 25_000
    weight_decay: float = 0.02


def views_of(cells: Cells) -> Views:
    """What the network is shown of each cell: uint8 (N, 48, 48)."""
    return np.stack([cell_view(picture) for picture in cells.pictures])


def learn(
    views: Views,
    labels: npt.NDArray[np.int64],
    learning: CellLearning,
    *,
    seed: int,
    hardware: Hardware,
    note_every: int = 100,
    on_note: Callable[[Note, CellNetwork], None] = lambda note, network: None,
) -> CellNetwork:
    """Train a cell reader; it comes back in evaluation mode, on the CPU.

    views: uint8 (N, 48, 48). labels: int64 (N,), 0-11. on_note: called every ``note_every`` steps and at the end with
    what to tell, and the network as it is. With the same views, seed, device and threads, and without ``minutes``, the
    same network comes out.
    Raises UsageError without views, TrainingDiverged where the loss stops being a number.
    """
    if not len(views):
        raise UsageError("expected cells to learn from, found none")
    hardware.seed(seed)
    network = CellNetwork()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    hardware.place(network)
    bends = torch.Generator(hardware.device).manual_seed(seed)

    def loss_of(chosen: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        ink = hardware.place(torch.from_numpy(views[chosen])).unsqueeze(1).float() / 255 - PAPER / 255
        gains = np.exp(rng.uniform(*_GAINS, len(chosen))).astype(np.float32)
        ink = _BENDS.apply(ink, bends) * hardware.place(torch.from_numpy(gains)).view(-1, 1, 1, 1)
        shown = (ink + PAPER / 255).clamp(0, 1).contiguous(memory_format=torch.channels_last)
        with hardware.autocast():
            logits = network(shown)
        wanted = hardware.place(torch.from_numpy(labels[chosen]))
        return functional.cross_entropy(logits.float(), wanted, label_smoothing=_SMOOTHING)

    return learn_in_one_cycle(
        network, len(views), loss_of, learning, seed=seed, hardware=hardware, note_every=note_every, on_note=on_note
    )


def answers(network: CellNetwork, views: Views, hardware: Hardware) -> npt.NDArray[np.float32]:
    """The logits of each view, float32 (N, 12); the network's mode is kept. views: uint8 (N, 48, 48)."""
    was_training = network.training
    network.eval()
    found = [np.zeros((0, OUTPUTS), np.float32)]
    with torch.no_grad():
        for first in range(0, len(views), _BATCH_ANSWERED):
            batch = torch.from_numpy(views[first : first + _BATCH_ANSWERED]).unsqueeze(1).float() / 255
            found.append(network(hardware.place(batch)).float().cpu().numpy())
    network.train(was_training)
    return np.concatenate(found)


__all__ = ["CellLearning", "Note", "Views", "answers", "learn", "views_of"]
