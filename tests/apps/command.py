"""The command digits as tests call it: in this process, which has its libraries loaded, or as a child of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digit_recognizer.apps.cli import main
from tests.conftest import draw_digits

PROGRAM = "from digit_recognizer.apps.cli import main; main()"


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line of an error. Fails where there is none, or more than that."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("error: ")


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> Ended:
    """``digits WORDS`` in this process."""
    monkeypatch.setattr(sys, "argv", ["digits", *map(str, words)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    captured = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, captured.out, captured.err)


def child(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """``digits WORDS`` as a process of its own, on one thread, its output in pipes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, **options)


def ended(process: subprocess.Popen[str], already: str = "") -> Ended:
    """Wait for a child to end. already: what was read of its stderr before."""
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, already + err)


def write_data(path: Path, count: int = 200, test: int = 0) -> Path:
    """A small .npz of drawn digits, with ``test`` images without labels."""
    digits = draw_digits(count, seed=1)
    arrays = {"x_train": digits.images, "y_train": digits.known_labels()}
    if test:
        arrays["x_test"] = draw_digits(test, seed=2).images
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its stubs take no dict of arrays
    return path
