"""Labelled strips become a trained line reader: batches of like widths, the CTC loss, one cycle of the learning rate.

Knows nothing of files or terminals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from digit_recognizer.errors import TrainingDiverged, UsageError
from digit_recognizer.pictures.words.ctc import BLANK, OUTPUTS, best_labelling
from digit_recognizer.pictures.words.strips import COLUMNS_A_FRAME, Grey, stacked
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.lines.compose import Strips
from digit_recognizer.training.lines.network import LineNetwork
from digit_recognizer.training.lines.variation import varied
from digit_recognizer.training.one_cycle import Note, Pace
from digit_recognizer.training.schedule import OneCycle

_POOL = 40  # batches drawn together and sorted by width, so that little is padded
_BATCH_COLUMNS = 16_384  # columns of a batch when strips are only answered
_UNTAUGHT = -100  # frames that the guiding loss leaves alone


@dataclass(frozen=True)
class Learning(Pace):
    """How the line reader is trained; where ``minutes`` are over before all steps, the rate falls with the time.

    batch_columns: columns of all strips of a batch, padding included. guidance: weight of the frame-wise loss at the
    start; it falls to a tenth. varied: share of strips that are bent one by one, 0-1. stretch, slant, shift: how much
    wider or narrower a whole batch is shown, how many columns a row is moved against the next one, and how many rows up
    or down all of it.
    """

    batch_columns: int = 3_072
    steps: int = 6_000
    guidance: float = 1.0
    varied: float = 0.5
    stretch: float = 0.12
    slant: float = 0.12
    shift: int = 2

    counts = ("batch_columns", "steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.varied <= 1:
            raise UsageError(f"varied: expected a share from 0 to 1, found {self.varied:g}")


def learn(
    strips: Strips,
    learning: Learning,
    *,
    seed: int,
    hardware: Hardware,
    start: LineNetwork | None = None,
    note_every: int = 100,
    on_note: Callable[[Note, LineNetwork], None] = lambda note, network: None,
) -> LineNetwork:
    """Train a line reader; it comes back in evaluation mode, on the CPU.

    start: a network to go on from; left out, one of random weights. on_note: called every ``note_every`` steps with
    what to tell, and the network as it is. With the same strips, seed, start, device and threads, and without
    ``minutes``, the same network comes out.
    Raises UsageError without strips, TrainingDiverged where the loss stops being a number.

    Two losses are added: CTC's (Graves et al., 2006), and, as composed strips know where their characters stand, the
    cross-entropy of each frame, which shows the way at the start and keeps the answers where the characters are.
    """
    if not len(strips):
        raise UsageError("expected strips to learn from, found none")
    rng = np.random.default_rng(seed)
    hardware.seed(seed)
    network = LineNetwork()
    if start is not None:
        network.load_state_dict(start.state_dict())
    hardware.place(network)
    network.train()
    if hardware.device.type == "cpu":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # in no signature
    weights = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": learning.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=learning.learning_rate,
    )
    cycle = OneCycle(1.0, 1_000_000, warmup=0.1)
    began = time.perf_counter()
    batches = _batches(strips, learning.batch_columns, rng)
    recent: list[float] = []
    step, share = 0, 0.0
    while share < 1:
        rate = learning.learning_rate * cycle.rate(round(share * cycle.steps), 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = _step(network, strips, next(batches), optimizer, learning, 1 - 0.9 * share, rng, hardware)
        if not math.isfinite(loss):
            raise TrainingDiverged(f"step {step + 1}: the loss is {loss}; try a lower learning rate")
        recent.append(loss)
        step += 1
        seconds = time.perf_counter() - began
        share = step / learning.steps
        if learning.minutes is not None:
            share = max(share, seconds / (60 * learning.minutes))
        if step % note_every == 0 or share >= 1:
            on_note(Note(step, min(1.0, share), seconds, float(np.mean(recent)), rate), network)
            recent = []
    network.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as above
    network.eval()
    return network


def answers(network: LineNetwork, strips: Strips, hardware: Hardware) -> list[npt.NDArray[np.float32]]:
    """The network's logits for each strip, float32 (T, 12), in their order; its mode is kept."""
    was_training = network.training
    network.eval()
    found: list[npt.NDArray[np.float32]] = [np.zeros((0, OUTPUTS), np.float32)] * len(strips)
    widths = strips.widths()
    with torch.no_grad():
        for chosen in _packed(np.argsort(widths, kind="stable"), widths, _BATCH_COLUMNS):
            batch = _placed([strips.image(number) for number in chosen.tolist()], hardware)
            logits = network(batch).float().cpu().numpy()
            for number, answer in zip(chosen, logits, strict=True):
                found[number] = answer[: widths[number] // COLUMNS_A_FRAME]
    network.train(was_training)
    return found


def whole_right(logits: list[npt.NDArray[np.float32]], strips: Strips) -> npt.NDArray[np.bool_]:
    """Whether all labels of a strip are right, strip by strip: bool (N,)."""
    return np.array([best_labelling(answer) == strips.labels_of(n) for n, answer in enumerate(logits)], np.bool_)


def _step(
    network: LineNetwork,
    strips: Strips,
    chosen: npt.NDArray[np.int64],
    optimizer: torch.optim.Optimizer,
    learning: Learning,
    guidance: float,
    rng: np.random.Generator,
    hardware: Hardware,
) -> float:
    """One batch; returns CTC's loss for each character."""
    images, centres = _shown(strips, chosen, learning.varied, rng)
    widths = np.array([image.shape[1] for image in images], np.int64)
    batch, stretch = _bent(_placed(images, hardware), learning, rng)
    with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.precision == "bfloat16"):
        logits = network(batch)
    log_probabilities = logits.float().log_softmax(2)  # (N, T, 12)
    labels = [strips.labels_of(number) for number in chosen]
    count = sum(len(one) for one in labels)
    frames = np.minimum(np.ceil(widths * stretch / COLUMNS_A_FRAME).astype(np.int64), log_probabilities.shape[1])
    ctc = functional.ctc_loss(
        log_probabilities.transpose(0, 1),
        torch.from_numpy(np.concatenate(labels).astype(np.int64)).to(hardware.device),
        torch.from_numpy(frames).to(hardware.device),
        torch.tensor([len(one) for one in labels]).to(hardware.device),
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    taught = torch.from_numpy(_frame_labels(labels, centres, stretch, log_probabilities.shape[1]))
    guide = functional.nll_loss(
        log_probabilities.reshape(-1, OUTPUTS),
        taught.to(hardware.device).reshape(-1),
        ignore_index=_UNTAUGHT,
        reduction="sum",
    )
    loss: Tensor = (ctc + learning.guidance * guidance * guide) / max(1, count)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimizer.step()
    return float(ctc.detach()) / max(1, count) if math.isfinite(float(loss.detach())) else math.nan


def _shown(
    strips: Strips, chosen: npt.NDArray[np.int64], share: float, rng: np.random.Generator
) -> tuple[list[Grey], list[npt.NDArray[np.float32]]]:
    """Strips as they are learnt from, some of them varied, and the columns of their characters."""
    images, centres = [], []
    for number in chosen.tolist():
        image, at = strips.image(number), strips.centres_of(number)
        if share and rng.random() < share:
            image, at = varied(np.ascontiguousarray(image), at, rng)
        images.append(image)
        centres.append(at)
    return images, centres


def _placed(images: list[Grey], hardware: Hardware) -> Tensor:
    """Strips as the network takes them: float32 (N, 1, 32, W), 0-1."""
    return hardware.place(torch.from_numpy(stacked(images))).unsqueeze(1).float() / 255


def _bent(batch: Tensor, learning: Learning, rng: np.random.Generator) -> tuple[Tensor, float]:
    """The batch wider or narrower, slanted, higher or lower, paler; and by how much wider."""
    stretch = 1.0
    if learning.stretch and rng.random() < 0.7:
        width = batch.shape[3]
        wanted = max(8, round(width * math.exp(rng.uniform(-learning.stretch, learning.stretch))))
        stretch = wanted / width
        batch = functional.interpolate(batch, (batch.shape[2], wanted), mode="bilinear", align_corners=False)
    if learning.slant:
        slope = rng.uniform(-learning.slant, learning.slant)
        moves = [round(slope * (row - batch.shape[2] / 2)) for row in range(batch.shape[2])]
        batch = torch.stack([batch[:, :, row].roll(move, 2) for row, move in enumerate(moves)], 2)
    if learning.shift:
        batch = batch.roll(int(rng.integers(-learning.shift, learning.shift + 1)), 2)
    return batch * rng.uniform(0.75, 1.0), stretch


def _frame_labels(
    labels: Sequence[tuple[int, ...]], centres: Sequence[npt.NDArray[np.float32]], stretch: float, frames: int
) -> npt.NDArray[np.int64]:
    """What each frame should show, int64 (N, frames): a character in its middle, blank apart from that, and next to
    the middle whatever the network likes.
    """
    taught = np.full((len(labels), frames), BLANK, np.int64)
    for row, shown, columns in zip(taught, labels, centres, strict=True):
        at: list[int] = []
        for place, centre in enumerate(columns):
            frame = int(centre * stretch / COLUMNS_A_FRAME)
            if at:  # two alike need a blank between them
                frame = max(frame, at[-1] + 1 + (shown[place] == shown[place - 1]))
            at.append(min(max(frame, 0), frames - 1))
        for frame in at:
            row[max(0, frame - 1) : frame + 2] = _UNTAUGHT
        for first, second, one, other in zip(at, at[1:], shown, shown[1:], strict=False):
            if one == other and second - first == 2:
                row[first + 1] = BLANK
        for frame, label in zip(at, shown, strict=True):
            row[frame] = label
    return taught


def _batches(strips: Strips, columns: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Without end: all strips in random order, those drawn near to each other sorted by width."""
    widths = strips.widths()
    pool = max(1, round(_POOL * columns / max(1.0, float(widths.mean()))))
    while True:
        order = rng.permutation(len(strips))
        for first in range(0, len(order), pool):
            part = order[first : first + pool]
            packed = _packed(part[np.argsort(widths[part], kind="stable")], widths, columns)
            for number in rng.permutation(len(packed)):
                yield packed[number]


def _packed(order: npt.NDArray[np.int64], widths: npt.NDArray[np.int64], columns: int) -> list[npt.NDArray[np.int64]]:
    """Strips in the order given, as many together as make up ``columns`` columns with their padding."""
    packed: list[npt.NDArray[np.int64]] = []
    first, widest = 0, 0
    for place, number in enumerate(order):
        widest = max(widest, int(widths[number]))
        if place > first and widest * (place - first + 1) > columns:
            packed.append(order[first:place])
            first, widest = place, int(widths[number])
    if first < len(order):
        packed.append(order[first:])
    return packed


__all__ = ["Learning", "Note", "answers", "learn", "whole_right"]
