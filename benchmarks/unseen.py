"""Labelled digits become those that a job is given and those that it never sees; a finished run, its errors on these.

Which images are unseen is the same for every preset, seed and benchmark. Knows nothing of what is compared.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common import load_labelled, say
from digit_recognizer.digits import Digits
from digit_recognizer.recognizer import Recognizer

PERMUTATION_SEED = 2026


def permuted(count: int) -> npt.NDArray[np.int64]:
    """The numbers of ``count`` images in the order that all benchmarks share."""
    return np.random.default_rng(PERMUTATION_SEED).permutation(count)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``given_and_unseen`` asks of the command line."""
    parser.add_argument("data", nargs="?", default="mnist", help="labelled digits: a name, folder or archive")
    parser.add_argument("--given", type=int, default=12_000)
    parser.add_argument("--unseen", type=int, default=20_000)


def given_and_unseen(arguments: argparse.Namespace, folder: str) -> tuple[Path, Digits]:
    """(the file in ``folder`` that holds what a job is given, what it does not see); says how many there are.

    Ends the program with one sentence where there are too few.
    """
    labelled = load_labelled(arguments.data)
    wanted = arguments.given + arguments.unseen
    if wanted > len(labelled):
        raise SystemExit(f"error: {arguments.data} has {len(labelled):,} labelled images, {wanted:,} were asked for")
    chosen = permuted(len(labelled))[:wanted]
    given, unseen = labelled.take(chosen[: arguments.given]), labelled.take(chosen[arguments.given :])
    say(f"{len(given):,} labelled images given, {len(unseen):,} unseen")
    file = Path(folder, "given.npz")
    np.savez(file, x_train=given.images, y_train=given.known_labels())
    return file, unseen


def count_wrong(run: Path, unseen: Digits) -> int:
    """How many of these digits the model of a run folder reads wrong."""
    answers = Recognizer(run).probabilities(unseen.images).argmax(1)
    return int((answers != unseen.known_labels()).sum())


__all__ = ["add_arguments", "count_wrong", "given_and_unseen", "permuted"]
