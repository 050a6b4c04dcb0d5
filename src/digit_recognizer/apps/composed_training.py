"""What the commands that train on composed material share: the training is run, and told of while it goes and after."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digit_recognizer.apps.outputs import refuse_inside_pictures
from digit_recognizer.apps.terminal import Terminal, duration, percent

if TYPE_CHECKING:
    from digit_recognizer.training.composed_run import ComposedSettings
    from digit_recognizer.training.one_cycle import Note

Rows = Sequence[tuple[str, ...]]


def train_and_tell(
    train: Callable[..., dict[str, Any]],
    data: str,
    output: Path,
    settings: ComposedSettings,
    rows: Callable[[dict[str, Any]], Rows],
    *,
    device: str,
    overwrite: bool,
    as_json: bool,
    **more: Any,
) -> None:
    """Train on ``data``, a table and a JSON document at the end.

    train: called as ``train_ink_finder`` is, with ``more`` beside. rows: of the table, with its header, from the
    metrics. Raises what loading and training raise.
    """
    from digit_recognizer.sources.catalog import load
    from digit_recognizer.sources.strokes import read_strokes
    from digit_recognizer.training.hardware import choose_hardware

    terminal = Terminal(as_json=as_json)
    hardware = choose_hardware(device)
    refuse_inside_pictures(output, data)
    if settings.strokes is not None:
        read_strokes(Path(settings.strokes))  # refused before a folder is claimed; read again when it is needed
    dataset = load(data)
    dataset.labelled()  # likewise

    def show(note: Note) -> None:
        left = note.seconds / max(note.share, 1e-9) - note.seconds
        terminal.note(
            f"step {note.step:,} · {percent(note.share)} · loss {note.loss:.4f} · rate {note.learning_rate:.2g} · "
            f"{duration(left)} left"
        )

    metrics = train(
        dataset,
        output,
        settings,
        hardware=hardware,
        overwrite=overwrite,
        command=shlex.join(["digits", *sys.argv[1:]]),
        on_note=show,
        tell=terminal.note,
        **more,
    )
    terminal.table(rows(metrics))
    terminal.say(f"written to {output}")
    terminal.document({"run": str(output), "metrics": metrics})


__all__ = ["train_and_tell"]
