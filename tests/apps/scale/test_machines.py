"""The command on a Ray cluster of several machines: the rows of the local engine, also where one is lost on the way."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import pyarrow.parquet as pq
import pytest

from tests.apps.command import call, child, ended
from tests.conftest import draw_digits

ROOT = Path(__file__).parents[3]


@dataclass
class Machines:
    """A running cluster."""

    process: subprocess.Popen[str]
    address: str
    environment: dict[str, str] = field(repr=False)

    def told_to(self, do: str) -> None:
        """See machines.py."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{do}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@pytest.fixture(scope="module")
def machines(ray_installed: None) -> Iterator[Machines]:
    """A cluster of two machines with one CPU each, on loopback, with a token."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.apps.scale.machines", "2"]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment)
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdout:
        address = process.stdout.readline().strip()
        assert address, "Ray did not start the cluster; it gives each machine 30 s"
        yield Machines(process, address, environment)
        process.stdin.close()  # then it ends
        process.wait(60)


def test_a_machine_lost_on_the_way_leaves_the_rows_of_the_local_engine(
    machines: Machines, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = write_pictures(tmp_path / "pictures", count=200)
    words = ("batch", pictures, "--part-size", "5")
    local = call(capsys, monkeypatch, *words, "-o", tmp_path / "local", "--workers", "1")
    assert local.code == 1  # finished, but some pictures failed

    process = on_cluster(machines, *words, "-o", tmp_path / "ray")
    while not list((tmp_path / "ray" / "parts").glob("part-*")) and process.poll() is None:
        time.sleep(0.02)
    machines.told_to("pause")
    done = len(list((tmp_path / "ray" / "parts").glob("part-*")))
    assert done < 38, "the job was all but over before the machine was lost: this test tells nothing"
    machines.told_to("lose")
    machines.told_to("go on")
    assert ended(process).code == 1
    assert rows(tmp_path / "ray") == rows(tmp_path / "local")
    assert len(rows(tmp_path / "ray")["read"]) == 198

    finished = ended(on_cluster(machines, *words, "-o", tmp_path / "ray"))
    assert "finished before; nothing was read" in finished.err


def test_trainings_on_a_cluster_that_loses_its_last_machine_end_with_a_sentence(machines: Machines) -> None:
    command = [sys.executable, "-c", TRAININGS, machines.address]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, text=True, cwd=ROOT, env=machines.environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "long begun\n"
        machines.told_to("lose")
        told = process.stdout.read()
        assert process.wait(60) == 0
    assert told.startswith("the Ray cluster has had no CPU for 3 s: its machines are lost"), told
    assert len(told.splitlines()) == 1  # Ray has words of its own on a machine that is lost


@pytest.mark.parametrize("program", ["PROGRAM", "TRAININGS"])
def test_a_cluster_without_a_cpu_is_told_of(machines: Machines, program: str) -> None:
    machines.told_to("notice")
    nobody = refused_by(machines, globals()[program])
    assert nobody.startswith(
        f"the Ray cluster at {machines.address} has no CPU to give, so that no task could ever start"
    )


def test_a_cluster_with_a_token_turns_away_who_has_none(machines: Machines) -> None:
    without = {name: value for name, value in machines.environment.items() if not name.startswith("RAY_AUTH")}
    said = refused_by(Machines(machines.process, machines.address, without))
    assert "wants its token; set RAY_AUTH_MODE=token" in said


# A cluster that gives no CPU is waited for; here not for two minutes.
PROGRAM = """
import sys
from digit_recognizer.apps.scale.ray_engine import RayEngine
from digit_recognizer.errors import FileError
from tests.apps.scale.works import act, order

try:
    with RayEngine(address=sys.argv[1], work=act, start_limit_s=2) as engine:
        engine.run([order(0)], print)
except FileError as error:
    print(error)
"""


TRAININGS = """
import sys
from digit_recognizer.apps.scale import capacity
from digit_recognizer.apps.scale.side_by_side import side_by_side
from digit_recognizer.errors import FileError
from tests.apps.scale.works import obey

capacity.START_LIMIT_S, capacity.LOST_LIMIT_S = 20, 3
try:
    with side_by_side(obey, str, workers=1, address=sys.argv[1]) as engine:
        list(engine(["long"], lambda: "data", lambda told: print(told, flush=True)))
except FileError as error:
    print(error)
"""


def refused_by(machines: Machines, program: str = PROGRAM) -> str:
    """What is said of a cluster that does nothing for us."""
    command = [sys.executable, "-c", program, machines.address]
    found = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=machines.environment, timeout=120, check=True
    )
    return found.stdout


def on_cluster(machines: Machines, *words: str | Path) -> subprocess.Popen[str]:
    """``digits WORDS --engine ray`` on the cluster, as a process of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in machines.environment.items():
            patch.setenv(name, value)
        return child(*words, "--engine", "ray", "--address", machines.address)


def write_pictures(folder: Path, count: int) -> Path:
    """Drawn digits as PNG; one in a hundred is none."""
    folder.mkdir()
    for number, image in enumerate(draw_digits(count).images):
        content = cv2.imencode(".png", image)[1].tobytes() if number % 100 else b"no picture"
        (folder / f"{number:03d}.png").write_bytes(content)
    return folder


def rows(folder: Path) -> dict[str, list[str]]:
    """Everything that a finished job says of its pictures, in the order of their names."""
    tables = {"read": pq.read_table(folder / "parts"), "failed": pq.read_table(folder / "errors.parquet")}
    return {name: sorted(json.dumps(row) for row in table.to_pylist()) for name, table in tables.items()}
