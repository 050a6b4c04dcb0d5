"""What the workers of these tests do: what the first entry of a task says, or the real work. Imported by Ray's too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from digit_recognizer.apps.batch.engine import Entry, Job, Outcome, Task
from digit_recognizer.errors import MissingExtra, ModelError

JOB = Job(task="predict", model=None, model_sha256="", kind="")


def order(number: int, words: str = "count") -> Task:
    """A task that tells its worker what to do: count, die, refuse, need, err, fill memory, or say who it is."""
    return Task(number, pictures=number, entries=(Entry(words, "order:"),), job=JOB, part="", errors="")


def act(task: Task) -> Outcome:
    """The work of the tests."""
    if task.entries[0].path != "order:":
        from digit_recognizer.apps.batch.work import do

        return do(task)
    words = task.entries[0].id
    if words == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if words == "refuse":
        raise ModelError("the model is another one", code="another_model")
    if words == "need":
        raise MissingExtra("pdf", "reading a PDF")
    if words == "err":
        raise ZeroDivisionError("a slip of ours")
    if words == "fill":
        raise MemoryError
    if words == "who":
        return Outcome(task.number, read=os.getpid(), failed=os.getppid(), seconds=0.0)
    return Outcome(task.number, read=task.pictures, failed=0, seconds=0.0)


def obey(words: str, data: str, tell: Callable[[str], None]) -> str:
    """A job of ``side_by_side``: die, die once (after "once:", a file that says it was done), err, take long, or
    answer.
    """
    if words == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if words.startswith("once:") and not (done := Path(words.removeprefix("once:"))).exists():
        done.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if words == "err":
        raise ZeroDivisionError("a slip\nof ours")
    tell(f"{words} begun")
    if words == "long":
        time.sleep(600)
    tell(f"{words} nearly done")
    return f"{words} with {data}"
