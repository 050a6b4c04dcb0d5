"""``digits batch`` as a process of its own, killed for real at moments that a seed decides."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import errors, frames, rows
from tests.apps.command import child, ended


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = sources.write_pictures(tmp_path / "pictures", frames(40))
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def workers_of(process: int) -> list[int]:
    """The worker processes that a process has started and that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def parts_in(output: Path) -> int:
    return len(list((output / "parts").glob("part-*.parquet")))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the workers")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    source: Path, tmp_path: Path, seed: int
) -> None:
    run_batch(Request(str(source), tmp_path / "undisturbed", part_size=3), EngineHere())
    output = tmp_path / "out"
    chance = random.Random(seed)
    for victim in ("driver", "worker") if seed == 1 else ("by SIGTERM", "driver"):
        process = child("batch", source, "-o", output, "--part-size", "3", "--workers", "1")
        wanted = parts_in(output) + chance.randint(1, 3)
        while parts_in(output) < wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.01)
        if victim == "worker":
            for worker in workers_of(process.pid):
                os.kill(worker, signal.SIGKILL)
            went_on = ended(process)  # one picture is damaged
            assert (went_on.code, "1 failed" in went_on.out) == (1, True), went_on.err
        else:
            process.send_signal(signal.SIGKILL if victim == "driver" else signal.SIGTERM)
            stopped = ended(process)
            assert stopped.code == (-signal.SIGKILL if victim == "driver" else 128 + signal.SIGTERM)
            if victim != "driver":
                assert stopped.sentence == "stopped; the same command goes on where this one was"
        assert (output / "manifest.json").exists() == (victim == "worker")
    if victim != "worker":
        assert ended(child("batch", source, "-o", output, "--part-size", "3", "--workers", "1")).code == 1

    assert rows(output) == rows(tmp_path / "undisturbed")
    assert errors(output) == errors(tmp_path / "undisturbed")
    assert [row["id"] for row in errors(output)] == ["bad.png"]
    assert not list(output.rglob("*.tmp"))
    names = [path.name for path in sorted((output / "parts").iterdir())]
    assert names == [path.name for path in sorted((tmp_path / "undisturbed" / "parts").iterdir())]
