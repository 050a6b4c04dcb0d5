"""What trainings on composed material share: who is held out, their folder, how far they are, the model's card.

These are the line reader's, the ink finder's and the cell reader's. Knows nothing of what is composed and learnt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from torch import nn

from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import CheckpointError, FileError, UsageError
from digit_recognizer.files import read_bytes, write_json
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.training.checkpoint import Snapshot, load_snapshot, save_snapshot
from digit_recognizer.training.hardware import Hardware, describe_machine
from digit_recognizer.training.one_cycle import Note
from digit_recognizer.training.run_folder import RunFolder, remove
from digit_recognizer.training.ship.material import Ingredients
from digit_recognizer.training.ship.preparation import ingredients

CONFIG, METRICS, WEIGHTS = "config.json", "metrics.json", "weights.safetensors"
KIND = "kind"  # in config.json: whose run it is
SAVE_EVERY_S = 60.0  # seconds between two writings of the weights
_TELL_EVERY_S = 30.0  # and between two sentences of how much is composed

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class ComposedSettings:
    """What a training is, beside its data and what its own settings add.

    seed: of everything random. val: share of the digits that only validation sees. strokes: a file of pen drawings,
    fonts: a folder of fonts; left out, none, and the platform's own. Raises UsageError where a value is outside its
    range, or one of ``counts`` below 1.
    """

    seed: int = 0
    val: float = 0.05
    strokes: str | None = None
    fonts: str | None = None

    counts: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not 0 < self.val < 1:
            raise UsageError(f"--val: expected a share between 0 and 1, found {self.val:g}")
        if self.seed < 0:
            raise UsageError(f"--seed: expected 0 or more, found {self.seed}")
        for name in self.counts:
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')}: expected at least 1, found {getattr(self, name)}")

    def ingredients(self, labelled: Digits) -> tuple[Ingredients, Ingredients]:
        """What is learnt from, and what is validated on; held out as for the model that ships."""
        return ingredients(
            *labelled.split(self.val, self.seed),
            strokes=self.strokes,
            fonts=None if self.fonts is None else [Path(self.fonts)],
        )


class ComposedRun:
    """The folder of one training: its config.json, weights.safetensors and metrics.json, and what is to be told of it.

    kind: what the training calls itself. model: name of the file that comes out. command: how to repeat it. history: of
    the notes so far. Making the object touches nothing.
    """

    def __init__(
        self,
        folder: Path,
        kind: str,
        model: str,
        dataset: Dataset,
        settings: ComposedSettings,
        hardware: Hardware,
        command: str,
    ) -> None:
        self.folder, self.kind, self.model, self.dataset = folder, kind, model, dataset
        self.settings, self.hardware, self.command = settings, hardware, command
        self.history: list[dict[str, float]] = []
        self._saved = time.monotonic()

    @contextmanager
    def claim(self, *, overwrite: bool = False, material: Sequence[str] = ()) -> Iterator[None]:
        """Make the folder ready for the run, and keep other trainers out while the block runs.

        overwrite: remove a run of this kind that is here; other files are never removed. material: names of what was
        composed before and may be taken once more: it stays, and alone it is a run that was stopped.
        Raises FileError where the folder is a file, holds anything but such a run, or holds one and nothing says that
        it may go; RunFolderBusy where another process trains in it. Nothing was changed then.
        """
        folder = RunFolder(self.folder)
        self._refuse(folder, overwrite, material)
        with folder.locked():
            self._refuse(folder, overwrite, material)  # another process may have been here since
            for name in (METRICS, self.model, WEIGHTS, CONFIG):  # the last one makes it a run
                remove(self.folder / name)
            yield

    def _refuse(self, folder: RunFolder, overwrite: bool, material: Sequence[str]) -> None:
        if folder.path.exists() and not folder.path.is_dir():
            raise FileError(f"{folder.path}: expected a folder for the run, this is a file")
        names = {entry.name for entry in folder.entries()}
        if CONFIG in names:
            _ensure_kind(folder.path, self.kind)
        elif not names <= set(material):
            advice = "; --overwrite removes runs only" if overwrite else ""
            raise FileError(
                f"{folder.path}: holds files that are no run of ours{advice}; choose another folder",
                code="folder_not_empty",
            )
        if names and not overwrite:
            with folder.locked():  # where someone trains here, that is the better answer
                pass
            raise FileError(
                f"{folder.path}: holds a run; choose another folder, or --overwrite to start anew",
                code="folder_not_empty",
            )

    def write_config(self, **found: Any) -> None:
        """Write config.json. found: of the material."""
        document = {
            KIND: self.kind,
            "created": _now(),
            "command": self.command,
            "data": self.dataset.name,
            "settings": asdict(self.settings),
            **found,
            "device": self.hardware.device.type,
            "precision": self.hardware.precision,
            "threads": self.hardware.threads,
            "machine": describe_machine(),
        }
        write_json(self.folder / CONFIG, document)

    def watched(self, on_note: Callable[[Note], None]) -> Callable[[Note, nn.Module], None]:
        """What a training tells its notes: they are kept, told to ``on_note``, and the weights saved once a minute."""

        def note_progress(note: Note, network: nn.Module) -> None:
            self.history.append(note._asdict())
            on_note(note)
            if time.monotonic() - self._saved > SAVE_EVERY_S:
                self.save(network)

        return note_progress

    def save(self, network: nn.Module) -> None:
        """Write the weights, whole or not at all. Raises FileError, CheckpointError where they hold NaN."""
        save_snapshot(self.folder / WEIGHTS, Snapshot(network.state_dict(), {}))
        self._saved = time.monotonic()

    def card(self, learnt_from: Mapping[str, int], *, temperature: float = 1.0) -> ModelMetadata:
        """What the model file says of itself. learnt_from: as ``counts_of`` gives it."""
        words = {"drawings": "pen strokes", "fonts": "fonts"}
        return ModelMetadata(
            preset=self.kind,
            data=" + ".join([self.dataset.name, *(words[name] for name in words if learnt_from[name])]),
            data_fingerprint=self.dataset.labelled().fingerprint(),
            seed=self.settings.seed,
            temperature=temperature,
            created=_now(),
            command=self.command,
            train_seconds=round(self.history[-1]["seconds"], 1),
        )

    def write_metrics(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Write ``found`` and how the training went to metrics.json; returns all of it."""
        last = self.history[-1]
        told = {"train_seconds": round(last["seconds"], 1), "steps": last["step"], "history": self.history}
        metrics = {**found, **told}
        write_json(self.folder / METRICS, metrics)
        return metrics


def counted(tell: Callable[[str], None], what: str) -> Callable[[int, int], None]:
    """What is told (done, total) while something is composed: twice a minute a sentence. what: in the plural."""
    told = time.monotonic()

    def count(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_EVERY_S:
            told = time.monotonic()
            tell(f"{done:,} of {total:,} {what}")

    return count


def counts_of(found: Ingredients) -> dict[str, int]:
    """How many digits, drawings and fonts there are."""
    return {"digits": len(found.digits), "drawings": len(found.drawings), "fonts": len(found.faces)}


def in_words(found: Ingredients) -> str:
    """The same for people.

    >>> from digit_recognizer.digits import Digits
    >>> in_words(Ingredients(Digits.join([])))
    '0 digits, 0 pen drawings and 0 fonts'
    """
    return f"{len(found.digits):,} digits, {len(found.drawings):,} pen drawings and {len(found.faces):,} fonts"


def with_weights(network: Network, path: Path, what: str) -> Network:
    """The network with the weights of a file, in evaluation mode. what: it is. Raises FileError, CheckpointError."""
    try:
        network.load_state_dict(dict(load_snapshot(path).tensors))
    except RuntimeError as error:
        raise CheckpointError(f"{path}: expected the weights of {what}, found others") from error
    network.eval()
    return network


def _ensure_kind(folder: Path, kind: str) -> None:
    """Raise FileError where the config.json in ``folder`` is another training's."""
    try:
        found = json.loads(read_bytes(folder / CONFIG)).get(KIND)
    except (ValueError, AttributeError):
        found = None
    if found != kind:
        raise FileError(
            f"{folder}: holds the run of another training; name another folder with --output", code="folder_not_empty"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


__all__ = ["METRICS", "WEIGHTS", "ComposedRun", "ComposedSettings", "counted", "counts_of", "in_words", "with_weights"]
