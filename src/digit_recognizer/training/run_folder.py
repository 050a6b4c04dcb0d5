"""A run folder: the plain files of one training, and the lock that keeps a second trainer out.

config.json, history.csv, metrics.json, explore.json, weights.safetensors, model.onnx, submission.csv, report.html,
plots/, and checkpoints/ while training is under way. Knows nothing of how they come about.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digit_recognizer.errors import CheckpointError, FileError, RunFolderBusy
from digit_recognizer.files import read_bytes, write_json, write_text
from digit_recognizer.training.checkpoint import CheckpointFolder

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
        self.checkpoints = CheckpointFolder(self.path / "checkpoints")

    def is_finished(self) -> bool:
        """Whether a whole training lies here; metrics.json is written last."""
        return self.metrics.is_file() and self.model.is_file()

    def is_started(self) -> bool:
        """Whether a training lies here, whole or not."""
        return self.config.is_file()

    def begin(self, *, resume: bool, overwrite: bool) -> None:
        """Make the folder ready. Raises FileError where it holds something and neither flag says what to do of it.

        resume: go on with the run that is here. overwrite: remove a run that is here; other files are never removed.
        """
        occupied = self.path.is_dir() and any(
            entry.name not in ("run.lock", "run.pid") for entry in self.path.iterdir()
        )
        if self.path.exists() and not self.path.is_dir():
            raise FileError(f"{self.path}: expected a folder for the run, this is a file")
        if resume:
            if not self.is_started():
                raise CheckpointError(f"{self.path}: nothing to resume, no config.json in it")
            return
        if occupied and not overwrite:
            raise FileError(
                f"{self.path}: is not empty; choose another folder, or --resume to go on, or --overwrite to start anew",
                code="folder_not_empty",
            )
        if occupied:
            self._remove_run()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.path}: the folder cannot be made ({error.strerror})") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other trainers out while the block runs. The lock goes with the process, so none is ever left behind.

        Raises RunFolderBusy, naming the process that trains here, where there is one.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.path}: the folder cannot be made ({error.strerror})") from error
        lock, holder = FileLock(self.path / "run.lock"), self.path / "run.pid"
        try:
            lock.acquire(timeout=0)
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
            holder.unlink(missing_ok=True)
            lock.release()
            (self.path / "run.lock").unlink(missing_ok=True)

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

    def write_history(self, rows: Sequence[Mapping[str, float | int | None]]) -> None:
        """Write history.csv anew with all rows so far. Raises FileError."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            rounded = {name: round(value, 8) if isinstance(value, float) else value for name, value in row.items()}
            writer.writerow(rounded)
        write_text(self.history, text.getvalue())

    def _remove_run(self) -> None:
        if not self.is_started():
            raise FileError(
                f"{self.path}: holds files that are no run of ours; --overwrite removes runs only",
                code="folder_not_empty",
            )
        self.checkpoints.clear()
        for name in ("metrics.json", "model.onnx", "weights.safetensors", "history.csv", "submission.csv"):
            (self.path / name).unlink(missing_ok=True)
        for name in ("explore.json", "report.html", "split.json", "config.json"):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / "plots", ignore_errors=True)


def next_free(parent: str | Path, name: str) -> Path:
    """``parent/name``, or with the first number that is free: name-2, name-3, ...

    >>> next_free("no-such-folder", "kaggle").name
    'kaggle'
    """
    path, number = Path(parent) / name, 2
    while path.exists():
        path, number = Path(parent) / f"{name}-{number}", number + 1
    return path


__all__ = ["HISTORY_COLUMNS", "RunFolder", "next_free"]
