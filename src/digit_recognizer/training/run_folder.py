"""A run folder: the plain files of one training, and the lock that keeps a second trainer out.

config.json, split.json, history.csv, metrics.json, explore.json, weights.safetensors, model.onnx, submission.csv or
predictions.csv, report.html, plots/, and checkpoints/ while training is under way. Knows nothing of how they come
about.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digit_recognizer.errors import CheckpointError, FileError, RunFolderBusy
from digit_recognizer.files import read_bytes, write_json, write_text
from digit_recognizer.training.checkpoint import CheckpointFolder
from digit_recognizer.training.member_folder import MemberFolder

HISTORY_COLUMNS = (
    "member",
    "epoch",
    "seconds",
    "learning_rate",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
)
# The pictures of a run, by name: --overwrite removes these and no others.
PLOTS = (
    "label_counts",
    "samples",
    "mean_digits",
    "outliers",
    "loss",
    "accuracy",
    "learning_rate",
    "confusion",
    "reliability",
    "mistakes",
    "augmentation",
)
_FILES = (
    "metrics.json",
    "model.onnx",
    "weights.safetensors",
    "history.csv",
    "submission.csv",
    "predictions.csv",
    "explore.json",
    "report.html",
    "split.json",
)
_POLISH, _SECOND = "checkpoints-polish", "checkpoints-second"
_LOCK, _PID = ".run.lock", ".run.pid"
_HALF_WRITTEN = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp")  # the temporary names of files.whole_file


class RunFolder:
    """Paths and plain files of one run. Making the object touches nothing.

    >>> RunFolder("runs/kaggle").model.name
    'model.onnx'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.history = self.path / "history.csv"
        self.metrics = self.path / "metrics.json"
        self.weights = self.path / "weights.safetensors"
        self.model = self.path / "model.onnx"
        self.split = self.path / "split.json"
        self.checkpoints = CheckpointFolder(self.path / "checkpoints")
        self.scout_checkpoints = CheckpointFolder(self.path / "checkpoints-scout")
        self.members = MemberFolder(self.path / "checkpoints-members")
        self._lock = FileLock(self.path / _LOCK)

    def main_checkpoints(self, number: int) -> CheckpointFolder:
        """Those of the network, 0, and of its ``number``-th polish."""
        if number == 0:
            return self.checkpoints
        return CheckpointFolder(self.path / (_POLISH if number == 1 else f"{_POLISH}-{number}"))

    def second_checkpoints(self, number: int) -> CheckpointFolder:
        """Those of the second network, 0, and of its ``number``-th polish."""
        return CheckpointFolder(self.path / (_SECOND if number == 0 else f"{_SECOND}-{number}"))

    def is_finished(self) -> bool:
        """Whether a whole training lies here; metrics.json is written last."""
        return self.metrics.is_file() and self.model.is_file()

    def is_started(self) -> bool:
        """Whether a training lies here, whole or not."""
        return self.config.is_file()

    @contextmanager
    def claim(self, *, resume: bool = False, overwrite: bool = False) -> Iterator[None]:
        """Make the folder ready for a run, and keep other trainers out while the block runs.

        resume: go on with the run that is here. overwrite: remove a run that is here; other files are never removed.
        Raises FileError where the folder holds something and neither flag says what to do of it, RunFolderBusy where
        another process trains in it, CheckpointError where there is nothing to resume. Nothing was changed then.

        >>> with RunFolder("runs/kaggle").claim():      # doctest: +SKIP
        ...     train_run(...)
        """
        self._refuse(resume=resume, overwrite=overwrite)
        with self.locked():
            self._refuse(resume=resume, overwrite=overwrite)  # another process may have been here since
            self._sweep()
            if not resume:
                self._remove_run()
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other trainers out while the block runs. The lock goes with the process, so none is ever left behind.

        May be nested, with the same object. Raises RunFolderBusy, naming the process that trains here, where there is
        one.
        """
        if self._lock.is_locked:
            yield
            return
        holder = self.path / _PID
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.path}: the folder cannot be made ({error.strerror})") from error
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            try:
                owner = f"process {int(read_bytes(holder, limit=100))}"
            except (FileError, ValueError):
                owner = "another process"
            raise RunFolderBusy(f"{self.path}: {owner} is training in this folder; wait, or choose another") from error
        except OSError as error:
            raise FileError(f"{self.path}: cannot be written ({error.strerror})") from error
        try:
            write_text(holder, f"{os.getpid()}\n")
            yield
        finally:
            # The lock file itself stays: whoever removed it could let two trainers in, each with a file of its own.
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            self._lock.release()

    def entries(self) -> list[Path]:
        """What is in the folder, beside the lock and what a killed process left half written. Raises FileError."""
        if not self.path.is_dir():
            return []
        try:
            entries = list(self.path.iterdir())
        except OSError as error:
            raise FileError(f"{self.path}: cannot be read ({error.strerror})") from error
        return [entry for entry in entries if entry.name not in (_LOCK, _PID) and not _HALF_WRITTEN.match(entry.name)]

    def read_json(self, path: Path) -> dict[str, Any]:
        """One of the run's JSON files. Raises CheckpointError where it is missing or no JSON object."""
        try:
            value = json.loads(read_bytes(path, limit=64 << 20))
        except FileError as error:
            raise CheckpointError(f"{self.path}: not a run folder ({error})") from error
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: not valid JSON ({error})") from error
        if not isinstance(value, dict):
            raise CheckpointError(f"{path}: expected a JSON object, found {type(value).__name__}")
        return value

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write config.json. Raises FileError."""
        write_json(self.config, config)

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write metrics.json, the last file of a run. Raises FileError."""
        write_json(self.metrics, metrics)

    def clear_checkpoints(self) -> None:
        """Remove what only an unfinished training needs. Raises FileError."""
        for checkpoints in self._all_checkpoints():
            checkpoints.clear()
        self.members.clear()

    def write_history(self, rows: Sequence[Mapping[str, float | int | None]]) -> None:
        """Write history.csv anew with all rows so far. Raises FileError."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            rounded = {name: round(value, 8) if isinstance(value, float) else value for name, value in row.items()}
            writer.writerow(rounded)
        write_text(self.history, text.getvalue())

    def _refuse(self, *, resume: bool, overwrite: bool) -> None:
        """Raise where the folder is not what the flags expect."""
        if self.path.exists() and not self.path.is_dir():
            raise FileError(f"{self.path}: expected a folder for the run, this is a file")
        if resume and not self.is_started():
            raise CheckpointError(f"{self.path}: nothing to resume, no config.json in it")
        if resume or not self.entries():
            return
        if not self.is_started():
            advice = "; --overwrite removes runs only" if overwrite else ""
            raise FileError(
                f"{self.path}: holds files that are no run of ours{advice}; choose another folder",
                code="folder_not_empty",
            )
        if not overwrite:
            with self.locked():  # where someone trains here, that is the better answer
                pass
            raise FileError(
                f"{self.path}: holds a run; choose another folder, or --resume to go on, or --overwrite to start anew",
                code="folder_not_empty",
            )

    def _sweep(self) -> None:
        """Remove what a killed process left half written. Only with the lock: nobody else is writing."""
        checkpoints = [checkpoints.folder for checkpoints in self._all_checkpoints()]
        for folder in (self.path, *checkpoints, *self.members.folders(), self.path / "plots"):
            if folder.is_dir():
                for path in folder.iterdir():
                    if _HALF_WRITTEN.match(path.name):
                        remove(path)

    def _all_checkpoints(self) -> list[CheckpointFolder]:
        others = [CheckpointFolder(path) for name in (_POLISH, _SECOND) for path in sorted(self.path.glob(f"{name}*"))]
        return [self.checkpoints, *others, self.scout_checkpoints]

    def _remove_run(self) -> None:
        """Remove the files that a run writes, config.json last: half removed, it is still known as a run."""
        drawn = self.path / "plots"
        for path in (*(self.path / name for name in _FILES), *(drawn / f"{name}.png" for name in PLOTS)):
            remove(path)
        self.clear_checkpoints()
        if drawn.is_dir() and not any(drawn.iterdir()):
            drawn.rmdir()
        remove(self.config)


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises FileError where it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be removed ({error.strerror})") from error


def next_free(parent: str | Path, name: str) -> Path:
    """``parent/name``, or with the first number that is free: name-2, name-3, ...

    >>> next_free("no-such-folder", "kaggle").name
    'kaggle'
    """
    path, number = Path(parent) / name, 2
    while path.exists():
        path, number = Path(parent) / f"{name}-{number}", number + 1
    return path


__all__ = ["HISTORY_COLUMNS", "PLOTS", "RunFolder", "next_free", "remove"]
