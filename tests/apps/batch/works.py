"""What worker processes of the tests do in place of ``work.do``: functions that can be pickled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from digit_recognizer.apps.batch.engine import Outcome, Task
from digit_recognizer.apps.batch.work import do
from digit_recognizer.errors import MissingExtra, ModelError
from digit_recognizer.pictures.load import load_grey


def deadly_decode(content: bytes, name: str) -> Any:
    """A decoder that some pictures kill, as a fault in a C library does."""
    if name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return load_grey(content, name=name)


def do_with_deadly_decoder(task: Task) -> Outcome:
    """``do``, with that decoder."""
    return do(task, decode=deadly_decode)


def hungry_decode(content: bytes, name: str) -> Any:
    """A decoder that needs more memory for some pictures than there is."""
    if name.startswith("hungry"):
        raise MemoryError
    return load_grey(content, name=name)


def do_with_hungry_decoder(task: Task) -> Outcome:
    """``do``, with that decoder."""
    return do(task, decode=hungry_decode)


def do_nothing(task: Task) -> Outcome:
    """A task that is done at once; its part says in which process."""
    Path(task.part).write_text(str(os.getpid()))
    return Outcome(task.number, task.pictures, 0, 0.0)


def raise_model_error(task: Task) -> Outcome:
    """A task that cannot go on."""
    raise ModelError(f"task {task.number}: no such model", code="no_model")


def raise_missing_extra(task: Task) -> Outcome:
    """A task that needs what is not installed."""
    raise MissingExtra("heif", "this")


def raise_unexpected(task: Task) -> Outcome:
    """A fault of ours."""
    raise ZeroDivisionError("by zero")


def run_out_of_memory(task: Task) -> Outcome:
    """A task that needs more memory than there is."""
    raise MemoryError


def wait_for_ever(task: Task) -> Outcome:
    """A task that says where it runs and never ends."""
    Path(task.part).write_text(str(os.getpid()))
    while True:
        time.sleep(60)
