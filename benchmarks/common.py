"""What the benchmarks share: data by name, child processes, tables, and the lines that say where and when.

Knows nothing of what is measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from digit_recognizer._version import __version__
from digit_recognizer.digits import Digits
from digit_recognizer.errors import DigitsError
from digit_recognizer.sources.catalog import load
from digit_recognizer.sources.strokes import Drawing, read_strokes

DIGITS = (sys.executable, "-m", "digit_recognizer.apps.cli")  # the command `digits` of this very environment


def kaggle_zip() -> str | None:
    """Kaggle's zip in the folder that DIGITS_DATA names, or None where that is not set."""
    folder = os.environ.get("DIGITS_DATA")
    return str(Path(folder) / "digit-recognizer.zip") if folder else None


def load_labelled(data: str, limit: int | None = None) -> Digits:
    """The labelled part of ``data``, or its first ``limit`` images. Ends the program with one sentence on bad data."""
    try:
        digits = load(data).labelled()
    except DigitsError as error:
        raise SystemExit(f"error: {error}") from error
    return digits if limit is None else digits.take(range(min(limit, len(digits))))


def kept_drawings(path: str | None) -> list[Drawing]:
    """The labelled pen drawings of a file that no training sees. path: left out, the file in DIGITS_DATA.

    Ends the program with one sentence where it is not there.
    """
    from digit_recognizer.training.ship.preparation import split_drawings  # which loads torch

    file = Path(path or os.path.join(os.environ.get("DIGITS_DATA", ""), "pen_strokes_train.json.gz"))
    if not file.is_file():
        raise SystemExit(f"error: {file}: expected a file of pen drawings, found none; give --strokes")
    return list(split_drawings([drawing for drawing in read_strokes(file) if drawing.label is not None])[1])


def run_child(command: Sequence[str], threads: int) -> tuple[dict[str, Any], float]:
    """Run a program on the CPU with that many threads: (the JSON document it prints last, wall seconds).

    Ends this program where the child fails, with the last lines that it wrote.
    """
    count = str(threads)
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": count,  # torch
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": count,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    began = time.perf_counter()
    child = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - began
    if child.returncode:
        tail = "\n".join(child.stderr.strip().splitlines()[-5:])
        raise SystemExit(f"error: {shlex.join(command)} ended with exit code {child.returncode}\n{tail}")
    return json.loads(child.stdout[child.stdout.index("{") :]), seconds


def print_heading(title: str, packages: Iterable[str] = (), threads: int | None = None) -> dict[str, Any]:
    """Print what is measured, with which command, where and when; returns the same as plain JSON values."""
    from digit_recognizer.training.hardware import describe_machine

    versions = {"digit-recognizer": __version__, "Python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in packages if _is_installed(name)}
    facts: dict[str, Any] = {
        "command": shlex.join(["python", *sys.argv]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": versions,
    }
    machine = facts["machine"]
    print(f"## {title}\n")
    print(f"    {facts['command']}\n")
    used = f", {threads} threads each" if threads else ""
    print(f"{machine['system']}, {machine['processor']}, {machine['cores']} cores{used};", end=" ")
    print(f"load average before {facts['load']}; {facts['date']}")
    print(", ".join(f"{name} {version}" for name, version in versions.items()) + "\n", flush=True)
    return facts


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, ready for docs/results.md."""
    print(f"\n| {' | '.join(header)} |")
    print("|" + "---|" * len(header))
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def say(line: str) -> None:
    """Print one line at once, also into a pipe: how far a long benchmark is."""
    print(line, flush=True)


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; an error of ours is one sentence."""
    try:
        main()
    except DigitsError as problem:
        raise SystemExit(f"error: {problem}") from problem


def require_keras() -> None:
    """End the program with the install command where TensorFlow is not installed."""
    if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("keras") is None:
        raise SystemExit(
            "error: this benchmark needs Keras on TensorFlow: "
            "pip install -c constraints.txt -r benchmarks/requirements.txt"
        )


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


__all__ = [
    "DIGITS",
    "kaggle_zip",
    "load_labelled",
    "print_heading",
    "print_table",
    "require_keras",
    "run_child",
    "say",
]
