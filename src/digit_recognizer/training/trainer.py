"""Digits and a recipe become a trained network: the training loop, told as a story.

Knows nothing of files but the checkpoint folder that it is handed, and nothing of terminals.

Every random choice is a function of (seed, member, purpose, epoch or step): the order of an epoch, the bends of a
batch, dropout. So a training that is resumed, from the middle of an epoch too, ends with the same bytes as one that
was never interrupted, as long as the number of threads is the same. Under torchrun every rank runs this loop, on its
share of each batch: see distributed.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from digit_recognizer.digits import Images, Labels
from digit_recognizer.errors import CheckpointError, Interrupted, TrainingDiverged
from digit_recognizer.training.announcement import announce
from digit_recognizer.training.assembly import assemble, build_network
from digit_recognizer.training.checkpoint import CheckpointFolder, Snapshot
from digit_recognizer.training.distributed import ALONE, Ranks
from digit_recognizer.training.focus import epoch_order, shared_losses
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer
from digit_recognizer.training.progress import HistoryRow, Progress, StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.retention import retained_targets
from digit_recognizer.training.schedule import build_schedule
from digit_recognizer.training.tally import Tally

MAX_ROLLBACKS = 3
STEPS_BETWEEN_CHECKS = 25  # of the loss being a number, of a request to stop, and of the progress shown
UNSEEN_LOSS = 1e4  # an image that was not looked at yet counts as hard

# The purposes of randomness; each draws from its own stream.
_INITIALISATION, _ORDER, _AUGMENTATION, _DROPOUT = range(4)


class Labelled(Protocol):
    """What is learnt from: Digits, or other frames with labels of their own. images: uint8 (N, 28, 28)."""

    @property
    def images(self) -> Images: ...
    def __len__(self) -> int: ...
    def known_labels(self) -> Labels: ...


@dataclass(frozen=True)
class Trained:
    """network: in evaluation mode, on the CPU. history: a row per epoch and member. seconds: spent training."""

    network: nn.Module
    history: list[HistoryRow]
    seconds: float


def train(
    recipe: Recipe,
    training: Labelled,
    validation: Labelled,
    *,
    seed: int,
    hardware: Hardware,
    checkpoints: CheckpointFolder | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    stop: StopRequest | None = None,
    start: Mapping[str, Tensor] | None = None,
    ranks: Ranks = ALONE,
    member: int | None = None,
) -> Trained:
    """Train every member of the recipe, one after another, going on from the newest checkpoint if there is one.

    training, validation: labelled digits; validation is only looked at, once an epoch. start: weights that every member
    begins with, as ``state_dict`` gives them; left out, random ones. ranks: the processes that train together; each
    calls this with the same, the others as announced by the first, which alone has checkpoints.
    member: the only one to train, from 1; left out, all of them.
    Raises Interrupted where ``stop`` was set (the state is saved), TrainingDiverged where the loss of a member is no
    finite number four times over, CheckpointError where a checkpoint belongs to another recipe, UsageError where a
    batch has fewer images than there are ranks.
    """
    ranks.require_batch(recipe.batch_size)
    announce(ranks, recipe, seed, training, validation, start)
    stop = stop or StopRequest()
    run = _Run(recipe, training, validation, seed, hardware, checkpoints, on_progress, stop, start, ranks, member)
    return run.to_the_end()


def logits(network: nn.Module, images: npt.NDArray[np.uint8], hardware: Hardware) -> Tensor:
    """What a network says of uint8 (N, 28, 28): float32 (N, classes) on the CPU."""
    was_training = network.training
    network.eval()
    with torch.no_grad(), hardware.autocast():
        batches = [
            network(hardware.place(torch.from_numpy(images[start : start + 512].copy())).unsqueeze(1).float() / 255)
            for start in range(0, max(1, len(images)), 512)
        ]
    network.train(was_training)
    return torch.cat(batches).float().cpu()


@dataclass
class _Run:
    recipe: Recipe
    training: Labelled
    validation: Labelled
    seed: int
    hardware: Hardware
    checkpoints: CheckpointFolder | None
    on_progress: Callable[[Progress], None]
    stop: StopRequest
    start: Mapping[str, Tensor] | None = None
    ranks: Ranks = ALONE
    only: int | None = None  # the one member to train

    member: int = 1
    epoch: int = 1
    batch: int = 0  # batches done of the running epoch
    step: int = 0  # steps done of the running member
    rate_factor: float = 1.0  # of the running member, halved when its loss stops being a number
    rollbacks: int = 0  # of the running member
    history: list[HistoryRow] = field(default_factory=list)
    finished: dict[str, Tensor] = field(default_factory=dict)  # weights of finished members
    running: Tally = field(default_factory=Tally)
    last_loss: Tensor = field(init=False)  # float32 (N,), of each image when last learnt from

    def to_the_end(self) -> Trained:
        place = self.hardware.place
        self.images = place(torch.from_numpy(self.training.images.copy()))  # uint8 (N, 28, 28)
        self.labels = place(torch.from_numpy(self.training.known_labels().copy()))  # int64 (N,)
        self.targets = self._retained()
        self.steps = self.recipe.total_steps(len(self.training))
        self.member, self.last = (1, self.recipe.members) if self.only is None else (self.only, self.only)
        members = range(self.member, self.last + 1)
        self._start_member()
        saved = self.ranks.hand_out(self.checkpoints.latest(self._tell) if self.checkpoints else None)
        if saved is not None:
            self._restore(saved)
        good = self._snapshot()
        while self.member <= self.last:
            try:
                self._run_epoch()
                self._end_epoch()
            except _NotFinite:
                self._roll_back(good)
                continue
            if self.epoch > self.recipe.epochs:
                self._end_member()
            good = self._snapshot()
            if self.checkpoints:
                self.checkpoints.save(self._total_step(), good)
        weights = [_under(f"member{member}.", self.finished) for member in members]
        network = assemble(self.recipe, weights, members.start)
        return Trained(network, self.history, sum(float(row["seconds"] or 0) for row in self.history))

    # ---- the loop ----

    def _run_epoch(self) -> None:
        began = time.perf_counter()
        seconds_before, seen_before = self.running.seconds, self.running.seen

        def settle() -> None:
            self.running.settle(self.ranks)
            self.running.seconds = seconds_before + time.perf_counter() - began
            if not np.isfinite(self.running.loss_sum):
                raise _NotFinite

        for chosen in self._remaining_batches():
            self.running.add(*self._step(chosen), len(chosen))
            self.batch += 1
            self.step += 1
            if signal_number := self._asked_to_stop():
                settle()
                self._save_and_stop(signal_number)
            if self.step % STEPS_BETWEEN_CHECKS == 0:
                settle()
                elapsed = self.running.seconds - seconds_before
                self._show((self.running.seen - seen_before) / max(elapsed, 1e-9))
        settle()

    def _asked_to_stop(self) -> int:
        """The number of the signal that asks to stop, or 0. Several ranks ask each other, now and then."""
        asked = self.stop.signal_number or 0
        if self.ranks.count == 1:
            return asked
        return self.ranks.largest(asked) if self.step % STEPS_BETWEEN_CHECKS == 0 else 0

    def _step(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from this rank's share of one batch. Returns its losses (b,), and how many answers were right."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.step, self.epoch) * self.rate_factor
        generator = torch.Generator(self.hardware.device).manual_seed(self._draw(_AUGMENTATION, self.step))
        images = self.images[chosen].unsqueeze(1).float() / 255  # (B, 1, 28, 28)
        share = self.ranks.share(len(chosen))
        images = recipe.augmentation.apply(images, generator, None, share)  # bent alike, whoever bends them
        size, chosen = len(chosen), chosen[share]
        labels = self.labels[chosen]
        wanted = labels if self.targets is None else self.targets[chosen]  # (B,), or (B, 10)
        with torch.random.fork_rng(self.hardware.forked_devices):
            self.hardware.seed(self._draw(_DROPOUT, self.step, self.ranks.rank))
            with self.hardware.autocast():
                answers = self.learner(images.contiguous(memory_format=torch.channels_last))  # (B, 10)
        losses = functional.cross_entropy(
            answers.float(),
            wanted,
            label_smoothing=recipe.label_smoothing if self.targets is None else 0.0,
            reduction="none",
        )
        self.optimizer.zero_grad(set_to_none=True)
        self.ranks.mean_loss(losses, size).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer.step()
        losses = losses.detach()
        if recipe.focus < 1:
            self.last_loss[chosen] = losses
        return losses, (answers.argmax(1) == labels).sum()

    def _remaining_batches(self) -> Iterator[Tensor]:
        """Indices (B,) of each batch of this epoch that is still to come, on the device."""
        size = self.recipe.batch_size
        yield from torch.split(self.order, size)[self.batch :]

    def _choose_order(self) -> Tensor:
        return epoch_order(self.recipe, self.epoch, self.last_loss, self._draw(_ORDER, self.epoch))

    def _share_losses(self) -> None:
        seen = self.order[: self.batch * self.recipe.batch_size]
        self.last_loss = shared_losses(self.last_loss, seen, self.recipe.batch_size, self.ranks)

    def _end_epoch(self) -> None:
        self._share_losses()
        images = self.validation.images
        answers = self.ranks.in_shares(len(images), lambda share: logits(self.network, images[share], self.hardware))
        labels = torch.from_numpy(self.validation.known_labels().copy())
        val_loss = float(functional.cross_entropy(answers, labels))
        val_accuracy = float((answers.argmax(1) == labels).double().mean())
        if not np.isfinite(val_loss):
            raise _NotFinite
        row: HistoryRow = {
            "member": self.member,
            "epoch": self.epoch,
            "seconds": round(self.running.seconds, 3),
            "learning_rate": self.schedule.rate(self.step - 1, self.epoch) * self.rate_factor,
            "loss": self.running.loss,
            "accuracy": self.running.accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
        }
        self.history.append(row)
        note = self.schedule.after_epoch(self.epoch, val_accuracy)
        self._show(self.running.seen / max(self.running.seconds, 1e-9), row, note)
        self.epoch += 1
        self.batch = 0
        self.running = Tally()
        if self.epoch <= self.recipe.epochs:
            self.order = self._choose_order()

    def _retained(self) -> Tensor | None:
        """What is learnt instead of the labels where the network shall keep to what it starts with: (N, classes)."""
        if not self.recipe.retain or self.start is None:
            return None
        network = assemble(self.recipe, [self.start])
        answers = logits(self.hardware.place(network), self.training.images, self.hardware)
        smoothing = self.recipe.label_smoothing
        return retained_targets(self.labels, self.hardware.place(answers), self.recipe.retain, smoothing)

    # ---- members ----

    def _start_member(self) -> None:
        with torch.random.fork_rng(self.hardware.forked_devices):
            self.hardware.seed(self._draw(_INITIALISATION, 0))
            network = build_network(self.recipe, self.member)
        if self.start is not None:
            network.load_state_dict(dict(self.start))
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.network: nn.Module = self.hardware.place(network).train()
        self.learner = self.ranks.learner(self.network)
        self.optimizer = build_optimizer(self.recipe, self.network, self.hardware)
        self.schedule = build_schedule(self.recipe, self.steps)
        self.last_loss = torch.full((len(self.training),), UNSEEN_LOSS, device=self.hardware.device)
        self.epoch, self.batch, self.step = 1, 0, 0
        self.rate_factor, self.rollbacks = 1.0, 0
        self.running = Tally()
        self.order = self._choose_order()

    def _end_member(self) -> None:
        for name, value in self.network.state_dict().items():
            self.finished[f"member{self.member}.{name}"] = value.detach().cpu().clone()
        self.member += 1
        if self.member <= self.last:
            self._start_member()

    # ---- state ----

    def _snapshot(self) -> Snapshot:
        """Everything that decides what comes next, copied. The random states are the seed and the step."""
        tensors = {f"finished.{name}": value for name, value in self.finished.items()}
        tensors |= {f"network.{name}": value.cpu().clone() for name, value in self.network.state_dict().items()}
        tensors |= {f"optimizer.{name}": value for name, value in optimizer_tensors(self.optimizer).items()}
        tensors["last_loss"] = self.last_loss.cpu().clone()
        tensors["order"] = self.order.cpu().clone()
        facts = {
            "member": self.member,
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "rate_factor": self.rate_factor,
            "rollbacks": self.rollbacks,
            "running": self.running.state(),
            "schedule": self.schedule.state(),
            "history": [dict(row) for row in self.history],
        }
        return Snapshot(tensors, facts)

    def _restore(self, saved: Snapshot) -> None:
        try:
            facts, tensors = saved.facts, saved.tensors
            if facts["member"] != self.member:  # members may be networks of different kinds
                self.member = min(int(facts["member"]), self.last)
                self._start_member()
            self.member, self.epoch, self.batch, self.step = (
                facts[name] for name in ("member", "epoch", "batch", "step")
            )
            self.rate_factor, self.rollbacks = facts["rate_factor"], facts["rollbacks"]
            self.running = Tally(**facts["running"])
            self.schedule.restore(facts["schedule"])
            self.history = [dict(row) for row in facts["history"]]
            self.finished = _under("finished.", tensors)
            self.network.load_state_dict(_under("network.", tensors))
            restore_optimizer(self.optimizer, _under("optimizer.", tensors))
            self.last_loss = self.hardware.place(tensors["last_loss"].clone())
            self.order = self.hardware.place(tensors["order"].clone())
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint does not fit this training ({error})") from error

    def _roll_back(self, good: Snapshot) -> None:
        self.rollbacks += 1
        if self.rollbacks > MAX_ROLLBACKS:
            raise TrainingDiverged(
                f"epoch {self.epoch}: the loss is no finite number, {MAX_ROLLBACKS} halvings of the learning rate"
                " did not help; choose a smaller one"
            )
        factor, rollbacks = self.rate_factor / 2, self.rollbacks
        self._restore(good)
        self.rate_factor, self.rollbacks = factor, rollbacks
        self._tell("the loss is no finite number: back to the epoch's start with half the learning rate")

    def _save_and_stop(self, signal_number: int) -> None:
        where = f"epoch {self.epoch}, batch {self.batch}"
        self._share_losses()
        snapshot = self._snapshot()
        if self.ranks.largest(int(not snapshot.is_finite)):
            raise _NotFinite  # a step with a finite loss can do that; what is rolled back stops after its next step
        if self.checkpoints:
            self.checkpoints.save(self._total_step(), snapshot)
            where += "; saved, go on with --resume"
        self.ranks.largest(0)  # no rank ends before it is saved: torchrun would then stop the others too
        raise Interrupted(f"stopped at {where}", signal_number=signal_number)

    def _total_step(self) -> int:
        return (self.member - 1) * self.steps + self.step

    # ---- telling ----

    def _show(self, images_per_second: float, row: HistoryRow | None = None, note: str | None = None) -> None:
        steps_left = self.steps * self.recipe.members - self._total_step()
        self.on_progress(
            Progress(
                member=self.member,
                epoch=self.epoch,
                epochs=self.recipe.epochs,
                step=self._total_step(),
                steps=self.steps * self.recipe.members,
                loss=self.running.loss,
                accuracy=self.running.accuracy,
                images_per_second=images_per_second,
                seconds_left=steps_left * self.recipe.batch_size / max(images_per_second, 1e-9),
                row=row,
                note=note,
            )
        )

    def _tell(self, note: str) -> None:
        self._show(0.0, note=note)

    def _draw(self, purpose: int, index: int, rank: int = 0) -> int:
        """A seed for one purpose at one moment (numpy's SeedSequence keeps such streams independent)."""
        own = [rank] if rank else []
        sequence = np.random.SeedSequence([self.seed, self.member, purpose, index, *own])
        return int(sequence.generate_state(1, np.uint64)[0] >> 1)


class _NotFinite(Exception):
    """The loss of some step since the last look, or what it left, is NaN or infinite."""


def _under(prefix: str, tensors: Any) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


__all__ = ["Labelled", "Trained", "logits", "train"]
