"""A training that is killed before a change that it makes to the disk, and gone on with; for test_crash_points.

    python -m tests.training.crash_program FOLDER [EVERY]     # every change of about 105, or every EVERYth

Prints a JSON object: the changes that an undisturbed training makes, how many were tried, what was wrong after them.
Every training is a fork of this process, in which nothing has reckoned yet, so that torch is loaded once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from digit_recognizer.digits import Dataset
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.job import Settings, train_run
from digit_recognizer.training.run_folder import RunFolder
from tests.conftest import draw_digits
from tests.training.tiny import TINY

KILLED = 137
CPU = Hardware(torch.device("cpu"), "float32", 1)
SETTINGS = Settings(replace(TINY, epochs=2, widths=(2, 2, 2)), seed=3, val=0.3)
DATA = Dataset("drawn", draw_digits(60, seed=1), None)
# Python's own audit events (PEP 578) for what changes a disk; fsync has none and is wrapped.
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")


class Crash:
    """Counts changes below a folder, and ends the process before the one that is numbered ``at``, as kill -9 does.

    torn: cut the file that is about to be fsynced in half before, as a power cut may leave it.
    """

    def __init__(self, folder: Path, at: int | None, *, torn: bool = False) -> None:
        self.below, self.at, self.torn = str(folder), at, torn
        self.changes: list[str] = []
        fsync = os.fsync

        def noted_fsync(descriptor: int) -> None:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            if self.torn and len(self.changes) == self.at and self._counts(path):
                os.truncate(path, os.path.getsize(path) // 2)
            self._note("fsync", path)
            fsync(descriptor)

        os.fsync = noted_fsync
        sys.addaudithook(self._hear)

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = values
            if isinstance(path, str) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._note("open", path)
        elif event in _CHANGES:
            self._note(event, os.fspath(values[0]))

    def _counts(self, path: str) -> bool:
        return path.startswith(self.below) and not path.endswith(".run.lock")

    def _note(self, what: str, path: str) -> None:
        if self._counts(path):
            if len(self.changes) == self.at:
                os._exit(KILLED)
            self.changes.append(f"{what} {os.path.relpath(path, self.below)}")


def train_here(folder: Path) -> None:
    """Train, or go on with what lies there: what a person does who repeats the command."""
    run = RunFolder(folder)
    resume = run.is_started()
    with run.claim(resume=resume):
        train_run(DATA, run, SETTINGS, hardware=CPU, resume=resume)


def forked(work: Callable[[], None]) -> int:
    """Have the work done by a fork of this process; its exit code."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def left(folder: Path) -> dict[str, str]:
    """Every file of a finished run by name, with a hash of those that must be the same each time."""
    same = ("weights.safetensors", "split.json")  # the others hold times and durations
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.name in same else ""
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def main(scratch: Path, every: int) -> None:
    torch.set_num_threads(1)
    count = scratch / "changes.json"

    def undisturbed() -> None:
        crash = Crash(scratch / "whole", None)
        train_here(scratch / "whole")
        changes = list(crash.changes)
        count.write_text(json.dumps(changes))

    assert forked(undisturbed) == 0
    changes = json.loads(count.read_text())
    expected = left(scratch / "whole")
    points = [(at, False) for at in range(len(changes))]
    points += [
        (at, True) for at, change in enumerate(changes) if change.startswith("fsync") and change.endswith(".tmp")
    ]
    chosen = sorted(points)[::every]
    wrong = []
    for at, torn in chosen:
        folder, what = scratch / f"run-{at}-{torn}", f"{at}, {changes[at]}{', torn' if torn else ''}"

        def killed(folder: Path = folder, at: int = at, torn: bool = torn) -> None:
            Crash(folder, at, torn=torn)
            train_here(folder)

        def again(folder: Path = folder) -> None:
            train_here(folder)

        if (code := forked(killed)) != KILLED:
            wrong.append(f"{what}: expected to be killed, ended with {code}")
        elif code := forked(again):
            wrong.append(f"{what}: does not go on, ends with {code}")
        elif (found := left(folder)) != expected:
            wrong.append(f"{what}: {sorted(set(found.items()) ^ set(expected.items()))}")
    print(json.dumps({"changes": changes, "tried": len(chosen), "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
