"""The progress of a batch becomes a bar on a terminal, a line now and then elsewhere. Decides nothing."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from digit_recognizer.apps.bar import Bar
from digit_recognizer.apps.batch.driver import Progress
from digit_recognizer.apps.terminal import Terminal, duration

_EVERY_S = 10.0  # between two lines


class BatchDisplay:
    """Shows a batch under way. Use as a context manager and hand ``show`` to ``run_batch``."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._is_watched = terminal.notes.is_terminal()
        self._bar = Bar(terminal.notes.console() if self._is_watched else None, "reading")
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def show(self, progress: Progress) -> None:
        """Bring the display up to date."""
        numbers = progress_numbers(progress)
        if progress.note:
            with self._bar.aside():
                self._terminal.note(progress.note)
        if self._is_watched:
            self._bar.show(progress.done, numbers, total=progress.total)
        elif time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            self._terminal.note(f"{progress.done:,} of {progress.total:,} · {numbers}")


def progress_numbers(progress: Progress) -> str:
    """Rate, time left and errors.

    >>> progress_numbers(Progress(done=6000, total=10_000, before=1000, failed=2, seconds=10.0))
    '500 pictures/s · 8 s left · 2 failed'
    """
    rate = (progress.done - progress.before) / progress.seconds if progress.seconds else 0.0
    if not rate:
        return f"{progress.failed:,} failed"
    left = duration((progress.total - progress.done) / rate)
    return f"{rate:,.0f} pictures/s · {left} left · {progress.failed:,} failed"


__all__ = ["BatchDisplay", "progress_numbers"]
