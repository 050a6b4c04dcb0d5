"""The wish "auto", "cpu", "cuda" or "mps" becomes a device and a precision. Knows nothing of networks."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from digit_recognizer.errors import UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")
_Placed = TypeVar("_Placed", Tensor, nn.Module)


@dataclass(frozen=True)
class Hardware:
    """device: where tensors live. precision: of the arithmetic in the network; weights are always float32."""

    device: torch.device
    precision: Literal["bfloat16", "float32"]
    threads: int

    def place(self, thing: _Placed) -> _Placed:
        """Move a tensor or a network to the device."""
        return thing.to(self.device)

    def seed(self, seed: int) -> None:
        """Seed torch's global generators of the CPU and of this device, and no others: that takes no time.

        (torch.manual_seed also asks after every device that might be there, half a millisecond each time.)
        """
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(seed)

    def autocast(self) -> AbstractContextManager[Any]:
        """The block in which a network reckons in this precision."""
        if self.precision == "bfloat16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    @property
    def forked_devices(self) -> list[Any]:
        """The devices whose random state torch.random.fork_rng has to keep, beside the CPU's."""
        return [self.device] if self.device.type == "cuda" else []

    def describe(self) -> str:
        """One line for people.

        >>> Hardware(torch.device("cpu"), "float32", 2).describe()
        'cpu, 2 threads, float32'
        >>> Hardware(torch.device("cpu"), "float32", 1).describe()
        'cpu, 1 thread, float32'
        """
        number = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        threads = f", {number}" if self.device.type == "cpu" else ""
        return f"{self.device.type}{threads}, {self.precision}"


def choose_hardware(wish: str = "auto", precision: str = "auto") -> Hardware:
    """The device asked for, or the best there is; bfloat16 only where the processor has it natively.

    Raises UsageError for an unknown name, or a device that is not there.
    """
    if wish not in DEVICES:
        raise UsageError(f"unknown device {wish!r}; choose {', '.join(DEVICES)}")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish == "auto":
        wish = next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[wish]:
        raise UsageError(f"device {wish}: torch finds none here; use --device auto or cpu")
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(wish) else "float32"
    if precision not in ("bfloat16", "float32"):
        raise UsageError(f"unknown precision {precision!r}; choose auto, bfloat16 or float32")
    return Hardware(torch.device(wish), "bfloat16" if precision == "bfloat16" else "float32", torch.get_num_threads())


def describe_machine() -> dict[str, str | int]:
    """What a reader of a figure needs to know of the machine: system, processor, cores."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or an unusual one: the general name will do
    return {"system": platform.system(), "processor": processor, "cores": os.cpu_count() or 1}


def _has_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "cpu":
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        if capabilities:
            return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
        older = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch before get_capabilities
        return bool(older and older())
    return False


__all__ = ["DEVICES", "Hardware", "choose_hardware", "describe_machine"]
