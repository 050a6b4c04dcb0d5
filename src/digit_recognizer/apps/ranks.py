"""``digits train`` started by torchrun: the first process does the job, the others follow it and say nothing.

Knows nothing of data or recipes.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from digit_recognizer.apps.signals import stop_on_signals
from digit_recognizer.errors import DigitsError, Interrupted, RankLost, UsageError
from digit_recognizer.training.announcement import announcements, dismiss
from digit_recognizer.training.distributed import Ranks, joined, launched_ranks
from digit_recognizer.training.hardware import Hardware, choose_hardware
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.trainer import train


@contextmanager
def leading(device: str, output: Path | None) -> Iterator[Ranks]:
    """The block runs in the first rank alone, with all ranks connected; the others train with it, then end here.

    Without torchrun there is one rank, and nothing else happens. device, output: as given on the command line.
    Raises UsageError where torchrun is used without ``output``, RankLost where another rank goes away.
    """
    ranks = launched_ranks()
    if "TORCHELASTIC_RUN_ID" in os.environ and output is None:
        raise UsageError("torchrun needs --output: the run folder, in which a restarted training goes on")
    hardware = choose_hardware(device)
    if not ranks.leads:
        raise typer.Exit(_follow(ranks, hardware))
    with joined(ranks, hardware):
        yield ranks
        dismiss(ranks)


def goes_on(ranks: Ranks, output: Path | None) -> bool:
    """Whether torchrun has started a training again, after a rank was lost, that had begun to write its folder."""
    return ranks.restarts > 0 and output is not None and RunFolder(output).is_started()


def repeat_command(ranks: Ranks) -> str:
    """How to repeat this command."""
    begin = ["digits"]
    if ranks.count > 1:
        here = os.environ.get("LOCAL_WORLD_SIZE", str(ranks.count))
        begin = ["torchrun", "--nproc-per-node", here, "-m", "digit_recognizer"]
    return shlex.join([*begin, *sys.argv[1:]])


def refuse_torchrun(command: str) -> None:
    """Raise UsageError where torchrun started a command that one process does alone."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise UsageError(f"torchrun is for digits train; start digits {command} without it")


def _follow(ranks: Ranks, hardware: Hardware) -> int:
    """Train what rank 0 announces; returns the exit code. What goes wrong with all of them, rank 0 says."""
    try:
        with stop_on_signals() as stop, joined(ranks, hardware):
            try:
                for told in announcements(ranks):
                    train(
                        told.recipe,
                        told.training,
                        told.validation,
                        seed=told.seed,
                        hardware=hardware,
                        stop=stop,
                        start=told.start,
                        ranks=ranks,
                    )
            except Interrupted as interrupted:
                return 128 + interrupted.signal_number
            except DigitsError as error:
                return error.exit_code
    except RankLost as error:
        return error.exit_code
    return 0


__all__ = ["goes_on", "leading", "refuse_torchrun", "repeat_command"]
