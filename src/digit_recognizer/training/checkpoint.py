"""The state of a training, tensors and plain facts, becomes one safetensors file on disk, and back.

Knows nothing of what the tensors mean. A file appears whole or not at all, carries a checksum, and the last two are
kept; no pickle is ever read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from digit_recognizer.errors import CheckpointError, FileError
from digit_recognizer.files import read_bytes, write_bytes

KEPT = 2
MAX_HEADER_BYTES = 1 << 20
MAX_FILE_BYTES = 2 << 30
_NAME = re.compile(r"step-(\d{9})\.safetensors")


@dataclass(frozen=True)
class Snapshot:
    """tensors: named tensors on the CPU. facts: JSON values."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    @property
    def is_finite(self) -> bool:
        """Whether no tensor holds NaN or infinity: none that does is saved."""
        return all(map(_is_finite, self.tensors.values()))


def save_snapshot(path: str | Path, snapshot: Snapshot) -> None:
    """Write a snapshot, whole or not at all.

    Raises CheckpointError where a tensor holds NaN or infinity (such weights are never saved), FileError where the
    disk refuses.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in snapshot.tensors.items()}
    for name, tensor in tensors.items():
        if not _is_finite(tensor):
            raise CheckpointError(f"{path}: {name} holds values that are no finite numbers; not saved")
    facts = json.dumps(snapshot.facts, allow_nan=False)
    write_bytes(path, _in_order(save_tensors(tensors, {"facts": facts, "sha256": _checksum(tensors, facts)})))


def load_snapshot(path: str | Path) -> Snapshot:
    """Read a snapshot back.

    Raises CheckpointError where the file is no safetensors file, has a header over 1 MiB, fails its checksum or holds
    NaN; FileError where it cannot be read.
    """
    content = read_bytes(path, limit=MAX_FILE_BYTES)
    if len(content) < 8:
        raise CheckpointError(f"{path}: expected a safetensors file, found {len(content)} bytes")
    header = int.from_bytes(content[:8], "little")
    if header > min(MAX_HEADER_BYTES, len(content) - 8):
        raise CheckpointError(f"{path}: not a safetensors file of ours (its header claims {header:,} bytes)")
    try:
        metadata = json.loads(content[8 : 8 + header]).get("__metadata__", {})
        tensors = load_tensors(content)
        facts, checksum = metadata["facts"], metadata["sha256"]
        known = json.loads(facts)
    except (SafetensorError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        reason = f"no {error} in it" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{path}: not a checkpoint of ours ({reason})") from error
    if _checksum(tensors, facts) != checksum:
        raise CheckpointError(f"{path}: damaged (its checksum does not match)")
    for name, tensor in tensors.items():
        if not _is_finite(tensor):
            raise CheckpointError(f"{path}: {name} holds values that are no finite numbers")
    return Snapshot(tensors, known)


class CheckpointFolder:
    """Numbered snapshots in a folder, the last two kept."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def save(self, step: int, snapshot: Snapshot) -> None:
        """Write the snapshot of ``step`` and remove all but the newest two. Raises as save_snapshot does."""
        save_snapshot(self.folder / f"step-{step:09d}.safetensors", snapshot)
        for _, path in self._numbered()[:-KEPT]:
            path.unlink(missing_ok=True)

    def latest(self, warn: Callable[[str], None]) -> Snapshot | None:
        """The snapshot of the highest step, or None where there is none.

        A damaged one is passed over, with a warning, for the one before it. Raises CheckpointError where all are.
        """
        numbered = self._numbered()
        for _, path in reversed(numbered):
            try:
                return load_snapshot(path)
            except (CheckpointError, FileError) as error:
                warn(f"{error}; trying the checkpoint before it")
        if numbered:
            raise CheckpointError(f"{self.folder}: no checkpoint in it can be read; nothing was changed")
        return None

    def clear(self) -> None:
        """Remove every snapshot, and the folder where it is then empty."""
        for _, path in self._numbered():
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _numbered(self) -> list[tuple[int, Path]]:
        """(step, path), lowest step first: the step decides what is newest, never the clock."""
        if not self.folder.is_dir():
            return []
        matches = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted((int(match[1]), path) for match, path in matches if match)


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata sorted: the library writes it in random order, we want equal bytes."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the tensors must lie at a multiple of 8
    return len(text).to_bytes(8, "little") + text + content[end:]


def _checksum(tensors: Mapping[str, Tensor], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        digest.update(f"{name}:{tensors[name].dtype}:{tuple(tensors[name].shape)};".encode())
        digest.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


__all__ = ["CheckpointFolder", "Snapshot", "load_snapshot", "save_snapshot"]
