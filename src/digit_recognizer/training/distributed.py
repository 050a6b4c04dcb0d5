"""The processes that torchrun started become the ranks of one training. Knows nothing of epochs, files or terminals.

Rank 0 leads: it alone reads data, writes and tells, and hands to the others what they need. Every rank takes its share
of each batch, and what is summed over a batch (gradients, the statistics of batch normalisation, losses) is summed
over all ranks. So the training is the same, up to rounding, however many ranks there are; only dropout draws a mask of
its own on each. The collectives are torch's: gloo between CPUs, nccl between GPUs.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as functional
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn
from torch.distributed import PrefixStore  # type: ignore[attr-defined]  # documented, but not in its stubs
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from digit_recognizer.errors import RankLost, UsageError
from digit_recognizer.training.checkpoint import Snapshot
from digit_recognizer.training.hardware import Hardware

# How long a rank waits for the others: rank 0 may compose frames, or write the model, for many minutes meanwhile.
PATIENCE = timedelta(hours=3)


@dataclass(frozen=True)
class Ranks:
    """rank: which of the processes this is, from 0. count: how many there are. restarts: how often torchrun has
    started all of them again.

    >>> alone = Ranks()
    >>> alone.leads, alone.share(96), Ranks(rank=1, count=4).share(10)
    (True, slice(0, 96, None), slice(2, 5, None))
    """

    rank: int = 0
    count: int = 1
    restarts: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and tells."""
        return self.rank == 0

    def share(self, size: int) -> slice:
        """The part of ``size`` things that is this rank's; the shares differ by one at most."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def require_batch(self, size: int) -> None:
        """Raise UsageError where a batch of ``size`` has no image for some rank."""
        if size < self.count:
            raise UsageError(f"expected at most {size} ranks, one for each image of a batch, found {self.count}")

    def learner(self, network: nn.Module) -> nn.Module:
        """What to call in a training step: ``network`` itself, or around it torch's DistributedDataParallel, which
        gives every rank the weights of rank 0 and the mean of all gradients.

        Batch normalisation is then over all ranks: ``network`` is changed, its weights and their names are not.
        """
        if self.count == 1:
            return network
        _synchronise(network)
        # Buffers need no broadcast in a step: all ranks reckon the same statistics. Torch 2.13 renamed the option.
        known = inspect.signature(DistributedDataParallel).parameters
        option = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        return DistributedDataParallel(network, **{option: False})  # type: ignore[arg-type]  # no option's type but bool

    def mean_loss(self, losses: Tensor, size: int) -> Tensor:
        """What to differentiate, so that the mean of all ranks' gradients is that of the mean loss of the batch.

        losses: float32 (b,), of this rank's share of a batch of ``size``, perhaps of none.
        """
        return losses.mean() if self.count == 1 else losses.sum() * (self.count / size)

    def total(self, values: Tensor) -> Tensor:
        """The sum of ``values`` over all ranks."""
        if self.count == 1:
            return values
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    def in_shares(self, size: int, work: Callable[[slice], Tensor]) -> Tensor:
        """The rows (size, ...) of ``work(slice(0, size))`` on the CPU, each rank having done its share of them."""
        if self.count == 1:
            return work(slice(0, size))
        own = work(self.share(size))
        rows = torch.zeros(size, *own.shape[1:], dtype=own.dtype)
        rows[self.share(size)] = own
        return self.total(rows)

    def largest(self, value: int) -> int:
        """The largest ``value`` that any rank has."""
        if self.count == 1:
            return value
        agreed = torch.tensor(value)
        dist.all_reduce(agreed, dist.ReduceOp.MAX)
        return int(agreed)

    def hand_out(self, snapshot: Snapshot | None = None) -> Snapshot | None:
        """What rank 0 gives, on every rank; what the others give is not looked at."""
        if self.count == 1:
            return snapshot
        content = b""
        if self.leads and snapshot is not None:
            tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in snapshot.tensors.items()}
            content = save_tensors(tensors, {"facts": json.dumps(snapshot.facts)})
        size = torch.tensor(len(content))
        dist.broadcast(size, 0)
        if not int(size):
            return None
        if self.leads:
            dist.broadcast(torch.frombuffer(bytearray(content), dtype=torch.uint8), 0)
            return snapshot
        received = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(received, 0)
        content = received.numpy().tobytes()
        header = int.from_bytes(content[:8], "little")
        facts: dict[str, Any] = json.loads(json.loads(content[8 : 8 + header])["__metadata__"]["facts"])
        return Snapshot(load_tensors(content), facts)


ALONE = Ranks()


def launched_ranks() -> Ranks:
    """What torchrun says of this process, by its environment variables; ALONE where it did not start it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ALONE
    names = ("RANK", "WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")
    try:
        return Ranks(*(int(os.environ[name]) for name in names))
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"expected numbers in {', '.join(names)}, as torchrun sets them, found none or others ({error})"
        ) from error


@contextmanager
def joined(ranks: Ranks, hardware: Hardware) -> Iterator[None]:
    """Connect the ranks while the block runs. Every rank must come here; ALONE needs nothing.

    Raises RankLost where another of them goes away, UsageError where there are more ranks than GPUs.
    """
    if ranks.count == 1:
        yield
        return
    if hardware.device.type == "mps":
        raise UsageError("torchrun: the ranks of a training need CPUs or NVIDIA's GPUs; use --device cpu")
    if hardware.device.type == "cuda":
        local, present = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= present:
            raise UsageError(f"torchrun: rank {local} of this machine needs a GPU of its own, found {present}")
        torch.cuda.set_device(local)
    backend = "cpu:gloo,cuda:nccl" if hardware.device.type == "cuda" else "gloo"
    try:
        store, _, _ = next(rendezvous("env://", timeout=PATIENCE))
        # Started again, the ranks may meet in the store of the time before: its addresses are those of the dead.
        store = PrefixStore(f"start-{ranks.restarts}", store)
        dist.init_process_group(backend, store=store, rank=ranks.rank, world_size=ranks.count, timeout=PATIENCE)
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error).lower():
            raise RankLost(
                f"rank {ranks.rank} of {ranks.count}: another rank of this training ended; torchrun's --max-restarts 1 "
                "goes on from the last checkpoint, and so does --resume"
            ) from error
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _synchronise(network: nn.Module) -> None:
    """Put a SharedBatchNorm in the place of each batch normalisation, with its weights and statistics."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(network, name, shared.to(child.weight.device))
        else:
            _synchronise(child)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation with the statistics of all ranks' images (torch's own SyncBatchNorm is for GPUs alone).

    Takes and gives float (B, C, H, W); B may be 0 on some ranks. Weights, statistics and their names are those of
    BatchNorm2d (Ioffe, Szegedy 2015).
    """

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return super().forward(images)
        normalised, mean, variance, count = _Normalise.apply(images.float(), self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1).clamp_min(1)), self.momentum)
        result: Tensor = normalised.to(images.dtype)
        return result


class _Normalise(torch.autograd.Function):
    """float32 (B, C, H, W) less its mean, over its deviation, per channel over all ranks: one collective each way."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        channels, pixels = images.shape[1], images.numel() // max(1, images.shape[1])
        own = torch.zeros(2 * channels + 1, device=images.device)
        if pixels:
            variance, mean = torch.var_mean(images, (0, 2, 3), correction=0)
            own = torch.cat([mean, variance, own.new_tensor([float(pixels)])])
        every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(every, own)
        means, variances, counts = torch.split(torch.stack(every), [channels, channels, 1], 1)  # (ranks, C), .., 1)
        # Merged by their counts (Chan, Golub, LeVeque 1979): no difference of large sums.
        count = counts.sum()
        mean = (means * counts).sum(0) / count
        variance = ((variances + (means - mean).square()) * counts).sum(0) / count
        ctx.save_for_backward(images, weight, mean, (variance + eps).rsqrt(), count)
        normalised = functional.batch_norm(images, mean, variance, weight, bias, training=False, eps=eps)
        ctx.mark_non_differentiable(mean, variance, count)
        return normalised, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        images, weight, mean, inverse, count = ctx.saved_tensors
        gradient = gradients[0]
        standard = (images - mean.view(-1, 1, 1)) * inverse.view(-1, 1, 1)
        own = torch.stack([gradient.sum((0, 2, 3)), (gradient * standard).sum((0, 2, 3))])  # of bias and weight
        summed = own.clone()
        dist.all_reduce(summed)
        by_bias, by_weight = (summed / count).view(2, -1, 1, 1)
        scale = (weight * inverse).view(-1, 1, 1)
        return (gradient - by_bias - standard * by_weight) * scale, own[1], own[0], None


__all__ = ["ALONE", "PATIENCE", "Ranks", "SharedBatchNorm", "joined", "launched_ranks"]
