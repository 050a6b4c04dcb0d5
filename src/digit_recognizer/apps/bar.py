"""Something that is done piece by piece becomes a bar on a terminal, gone when all is done.

rich draws it, and is loaded only where there is a terminal to draw on. Knows nothing of what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress, TaskID


class Bar:
    """A bar with its count and a few words after it; nothing at all where ``console`` is None.

    label: what stands before it. total: of how many; None where that is told later. time_left: whether rich should
    estimate it. Use as a context manager. Whatever else is printed to the same terminal by other means is printed
    inside ``aside``, lest both mix.

    >>> with Bar(None, "reading", 3) as bar:
    ...     bar.show(1, "a.png")
    """

    def __init__(
        self, console: Console | None, label: str, total: int | None = None, *, time_left: bool = False
    ) -> None:
        self._console = console
        self._label, self._total, self._time_left = label, total, time_left
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._console is not None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                *([TimeRemainingColumn()] if self._time_left else []),
                # Names come from files: no markup of rich's in them is obeyed.
                TextColumn("{task.fields[words]}", style="dim", markup=False),
                console=self._console,
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,  # results go where the person sent them, and not to the bar's stream
                redirect_stderr=False,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total, words="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, words: str = "", *, total: int | None = None, label: str | None = None) -> None:
        """So many are done. total, label: where they have changed."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=label, words=words, refresh=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is printed."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


__all__ = ["Bar"]
