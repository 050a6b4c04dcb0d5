"""A temporary folder goes with its process; that of a killed one with the next start, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digit_recognizer.apps.scale.scratch import scratch_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there nothing is taken away that lies open")

HOLD = """
import sys
from digit_recognizer.apps.scale.scratch import scratch_folder
with scratch_folder("digits-x-", sys.argv[1]) as folder:
    (folder / "more").mkdir()
    print(folder, flush=True)
    sys.stdin.read()
"""


def held(above: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a folder, which has had it for long."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(above)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    age(folder)
    return process, folder


def age(folder: Path) -> None:
    (lock,) = folder.glob(".*.lock")
    os.utime(lock, (0, 0))


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_folder_of_a_killed_process_is_taken_away_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    (living, kept), (killed, left) = held(tmp_path), held(tmp_path)
    try:
        end(killed)
        age(kept)  # the second one's start has looked at it
        assert (left / "more").exists()
        with scratch_folder("digits-x-", str(tmp_path)) as mine:
            assert set(tmp_path.iterdir()) == {kept, mine}
            assert (kept / "more").exists()
            age(mine)
            with scratch_folder("digits-x-", str(tmp_path)) as another:
                assert set(tmp_path.iterdir()) == {kept, mine, another}
        assert list(tmp_path.iterdir()) == [kept]
    finally:
        end(living)


def test_folders_without_a_lock_young_ones_and_those_behind_links_stay(tmp_path: Path) -> None:
    (tmp_path / "digits-x-other").mkdir()
    process, young = held(tmp_path)
    end(process)
    (lock,) = young.glob(".*.lock")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / lock.name).touch()
    age(elsewhere)
    (tmp_path / "digits-x-link").symlink_to(elsewhere)
    os.utime(lock)
    before = set(tmp_path.rglob("*"))

    with scratch_folder("digits-x-", str(tmp_path)):
        pass

    assert set(tmp_path.rglob("*")) == before
