"""Values become lines on a terminal: results on stdout, progress and notes on stderr. Decides nothing.

rich draws where a person looks on; it is loaded only then, for it takes longer than reading a digit.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, TextIO

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis.ground import ground_notes
from digit_recognizer.apps.bar import Bar

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from digit_recognizer.digits import Dataset
    from digit_recognizer.training.progress import HistoryRow
    from digit_recognizer.training.progress import Progress as TrainingProgress


_REASONS = 10  # why rows were left out, that are shown
_UNREAD = 5  # names of what was not read, that are shown


def prepare_streams() -> None:
    """Make the standard streams fit to print on, whatever started us; once, before anything is printed.

    A closed one (``>&-``) gets the null device: Python has None there, and the next file that is opened would get its
    number. Results that go to a file or a program are UTF-8 in every locale, as JSON must be; half letters, of names
    that are not UTF-8, are escaped as JSON does. A terminal without a letter of ours is no reason to stop.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # for as long as we live
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Lines:
    """One stream. Its reader may go away, as `head` does: the work goes on in silence."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def print(self, line: str = "", style: str = "") -> None:
        """Print one line, in a style of rich's where this is a terminal."""
        try:
            if self.is_terminal():
                from rich.text import Text

                self.console().print(Text(line, style))
            else:
                self.stream.write(line + "\n")
                self.stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def is_terminal(self) -> bool:
        """Whether a person looks on, or FORCE_COLOR says to act so."""
        return self.stream.isatty() or bool(os.environ.get("FORCE_COLOR"))

    def console(self) -> Console:
        """The stream as rich's console."""
        from rich.console import Console

        class QuietConsole(Console):
            def on_broken_pipe(self) -> None:
                raise BrokenPipeError  # rich itself would end the process

        return QuietConsole(file=self.stream, highlight=False, soft_wrap=True)


class Terminal:
    """The two streams. With ``as_json`` results are silent until one JSON document is printed at the end."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.results = _Lines(sys.stdout)
        self.notes = _Lines(sys.stderr)

    @property
    def is_watched(self) -> bool:
        """Whether a person looks at the results, so that a table serves better than CSV."""
        return self.results.is_terminal()

    def say(self, line: str = "") -> None:
        """A line of the result."""
        if not self.as_json:
            self.results.print(line)

    def heading(self, title: str) -> None:
        """A heading above a part of the result."""
        if not self.as_json:
            self.results.print()
            self.results.print(title, "bold")

    def note(self, line: str) -> None:
        """A line about what is going on; never part of the result."""
        self.notes.print(line)

    def about(self, dataset: Dataset) -> None:
        """Say which rows of the data were left out, and why, and what lies beside them unread; nothing where none."""
        if reasons := dataset.left_out:
            self.note(f"left out {counted(len(reasons), 'wrong row')}:")
            for reason in reasons[:_REASONS]:
                self.note(f"  {reason}")
            if len(reasons) > _REASONS:
                self.note(f"  and {len(reasons) - _REASONS:,} more")
        if unread := dataset.unread:
            more = f" and {len(unread) - _UNREAD:,} more" if len(unread) > _UNREAD else ""
            shown = ", ".join(name if name.isprintable() else repr(name) for name in unread[:_UNREAD])
            self.note(f"not read, beside the data: {shown}{more}")
        for note in ground_notes(dataset):
            self.note(note)

    def table(self, rows: Sequence[Sequence[str]], *, figures: bool = True) -> None:
        """A table; the first row is its header. figures: every column but the first is set to the right.

        No cell is ever shortened or broken: what is printed can be copied.
        """
        if self.as_json or not rows:
            return
        widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
        for number, row in enumerate(rows):
            cells = [
                " " * (width - _width(cell)) + cell if figures and column else cell + " " * (width - _width(cell))
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.results.print("  ".join(cells).rstrip(), "dim" if number == 0 else "")

    def digit(self, image: npt.NDArray[np.uint8]) -> None:
        """An image, uint8 (28, 28), as 14 lines of half blocks."""
        if not self.as_json:
            self.results.print(draw_digit(image))

    def document(self, value: Any) -> None:
        """The one JSON document on stdout, where JSON was asked for."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, allow_nan=False))

    def training(self, nets: int = 1) -> TrainingDisplay:
        """A display for one training, of so many nets: a bar on a terminal, a line per epoch elsewhere."""
        return TrainingDisplay(self.notes.console(), nets)


class TrainingDisplay:
    """Shows a training under way. Use as a context manager and hand ``show`` to the trainer."""

    def __init__(self, console: Console, nets: int = 1) -> None:
        self._console, self._nets = console, nets
        self._bar = Bar(console if console.is_terminal else None, "training")

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def show(self, progress: TrainingProgress) -> None:
        """Bring the display up to date."""
        from rich.text import Text

        if progress.row is not None:
            self._console.print(Text(epoch_line(progress.row, progress.epochs, self._nets)))
        if progress.note:
            self._console.print(Text(progress.note, style="yellow"))
        if progress.images_per_second:
            over = progress.step >= progress.steps
            numbers = (
                ""
                if over
                else (
                    f"loss {progress.loss:.4f} · accuracy {progress.accuracy:.4f} · "
                    f"{progress.images_per_second:,.0f} images/s · {duration(progress.seconds_left)} left"
                )
            )
            label = "writing the model" if over else f"epoch {progress.epoch}/{progress.epochs}"
            self._bar.show(progress.step, numbers, total=progress.steps, label=label)


def _width(text: str) -> int:
    """How many columns a terminal needs for it: two for each letter of some scripts."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def epoch_line(row: HistoryRow, epochs: int, nets: int = 1) -> str:
    """One epoch, of one of so many nets, in one line of at most 80 columns, with the figures that the notebook prints.

    >>> epoch_line({"member": 1, "epoch": 3, "seconds": 2.5, "learning_rate": 1e-3, "loss": 0.1, "accuracy": 0.97,
    ...             "val_loss": 0.05, "val_accuracy": 0.986}, 50)
    'epoch  3/50 · 2.5 s · loss 0.1000 acc 0.9700 · val 0.0500 acc 0.9860 lr 0.001'
    """
    leading = f"net {row['member']}, " if nets > 1 else "epoch "
    seconds = f"{row['seconds']:.{1 if (row['seconds'] or 0) < 99.95 else 0}f}"
    return (
        f"{leading}{row['epoch']:>{len(str(epochs))}}/{epochs} · {seconds} s · "
        f"loss {row['loss']:.4f} acc {row['accuracy']:.4f} · "
        f"val {row['val_loss']:.4f} acc {row['val_accuracy']:.4f} lr {row['learning_rate']:.2g}"
    )


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(42.4), duration(106), duration(3725)
    ('42 s', '1 min 46 s', '1 h 02 min')
    """
    if round(seconds) < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "epoch"), counted(28_000, "prediction")
    ('1 epoch', '28,000 predictions')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def draw_digit(image: npt.NDArray[np.uint8]) -> str:
    """An image, uint8 (28, 28), as text: two rows of pixels in each line.

    >>> print(draw_digit(np.full((28, 28), 255, np.uint8)).splitlines()[0])
    ████████████████████████████
    """
    ink = image >= 96
    blocks = np.array([[" ", "▄"], ["▀", "█"]])
    lines = blocks[ink[0::2].astype(int), ink[1::2].astype(int)]
    return "\n".join("".join(line).rstrip() for line in lines).strip("\n")


def percent(share: float) -> str:
    """A share as a percentage with two decimals.

    >>> percent(0.9953)
    '99.53 %'
    """
    return f"{100 * share:.2f} %"


__all__ = [
    "Terminal",
    "TrainingDisplay",
    "counted",
    "draw_digit",
    "duration",
    "epoch_line",
    "percent",
    "prepare_streams",
]
