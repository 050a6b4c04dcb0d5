"""Tasks on a Ray of this machine: everything comes back once, deaths are told, refusals and errors are raised."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.engine import Outcome, Task, WorkerDied
from digit_recognizer.apps.scale.ray_engine import RayEngine
from digit_recognizer.errors import FileError, MissingExtra, ModelError, UsageError
from tests.apps.scale.works import act, order

ROOT = Path(__file__).parents[3]


def run(engine: RayEngine, *tasks: Task) -> dict[int, Outcome | WorkerDied]:
    """What became of each task, by its number. Fails where one is told twice."""
    found: dict[int, Outcome | WorkerDied] = {}

    def note(task: Task, outcome: Outcome | WorkerDied) -> None:
        assert task.number not in found
        found[task.number] = outcome

    engine.run(iter(tasks), note)
    return found


def test_every_task_comes_back_once_with_its_own_outcome(engine: RayEngine) -> None:
    assert run(engine, *map(order, range(12))) == {number: Outcome(number, number, 0, 0.0) for number in range(12)}
    assert engine.workers == 2


def test_no_tasks_are_no_work(engine: RayEngine) -> None:
    assert run(engine) == {}


def test_the_work_is_done_by_other_processes_that_live_on_from_task_to_task(engine: RayEngine) -> None:
    outcomes = [run(engine, order(0, "who"))[0] for _ in range(4)]
    workers = {outcome.read for outcome in outcomes if isinstance(outcome, Outcome)}
    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2


def test_a_worker_that_dies_is_told_with_its_task_and_the_others_are_done(engine: RayEngine) -> None:
    found = run(engine, *(order(number, "die" if number in (1, 4) else "count") for number in range(7)))
    assert {number for number, outcome in found.items() if isinstance(outcome, WorkerDied)} == {1, 4}
    assert found[1] == WorkerDied("its process ended")
    assert {number: found[number] for number in (0, 2, 3, 5, 6)} == {
        number: Outcome(number, number, 0, 0.0) for number in (0, 2, 3, 5, 6)
    }


def test_a_refusal_of_a_task_is_raised_here_as_what_it_was(engine: RayEngine) -> None:
    with pytest.raises(ModelError, match=r"^the model is another one$") as refusal:
        run(engine, order(0), order(1, "refuse"), order(2))
    assert refusal.value.code == "another_model"


def test_a_refusal_whose_kind_takes_arguments_of_its_own_survives_the_way_back(engine: RayEngine) -> None:
    with pytest.raises(MissingExtra, match=r"digit-recognizer\[pdf\]") as refusal:
        run(engine, order(0, "need"))
    assert refusal.value.code == "missing_extra"


def test_a_slip_in_a_task_is_an_error_that_names_the_part_and_no_death(engine: RayEngine) -> None:
    slip = r"^part 7: unexpected ZeroDivisionError: a slip of ours; what is done is kept, and the same command goes on$"
    with pytest.raises(FileError, match=slip):
        run(engine, order(7, "err"))


def test_a_task_that_needs_more_memory_than_there_is_counts_as_a_death(engine: RayEngine) -> None:
    assert run(engine, order(0, "fill"), order(1)) == {0: WorkerDied("out of memory"), 1: Outcome(1, 1, 0, 0.0)}


def test_tasks_are_taken_as_workers_become_free_and_an_error_of_the_caller_stops_them(engine: RayEngine) -> None:
    taken, done = 0, 0

    def endless() -> Iterator[Task]:
        nonlocal taken
        while True:
            taken += 1
            yield order(taken)

    def enough(task: Task, outcome: Outcome | WorkerDied) -> None:
        nonlocal done
        done += 1
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(endless(), enough)
    assert done == 10
    assert taken <= 10 + 2 * engine.workers + 1
    assert run(engine, order(3)) == {3: Outcome(3, 3, 0, 0.0)}  # and it can be used again


def test_a_second_ray_in_one_process_is_refused(engine: RayEngine) -> None:
    with RayEngine(1, work=act) as second, pytest.raises(UsageError, match="part of a Ray cluster already"):
        run(second, order(1))
    assert run(engine, order(1)) == {1: Outcome(1, 1, 0, 0.0)}  # the first one is left as it was


# A program of its own, which starts Ray as the command does: nothing of it was loaded before.
PROGRAM = """
import json, signal, sys, time
from digit_recognizer.apps.scale.ray_engine import RayEngine
from tests.apps.scale.test_ray_engine import listening, run, tree
from tests.apps.scale.works import act, order

assert "ray" not in sys.modules
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
with RayEngine(1, work=act) as engine:
    run(engine, order(1))
    same = before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    processes = tree()
    print(json.dumps({"handlers": same, "processes": processes, "listening": listening(processes)}), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_ray_of_its_own_listens_on_loopback_alone_and_dies_with_its_driver(ray_installed: None) -> None:
    pipe = subprocess.PIPE
    driver = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
    assert driver.stdin is not None
    assert driver.stdout is not None
    with driver, driver.stdin, driver.stdout:
        said = json.loads(driver.stdout.readline())
        assert said["handlers"], "ray.init put its own signal handlers in the place of ours"
        assert len(said["processes"]) >= 3  # the store of the cluster's state, the node, a worker
        assert said["listening"], "a cluster without servers: this test looks in the wrong place"
        assert set(said["listening"]) <= {"127.0.0.1", "::1"}
        os.kill(driver.pid, signal.SIGKILL)
    # Two agents of Ray's look for the store of the cluster's state for another minute, then they end as well.
    deadline = time.monotonic() + 60
    while (alive := _alive_but_agents(said["processes"])) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert alive == []


def tree() -> list[int]:
    """Processes below this one."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def listening(processes: list[int]) -> list[str]:
    """Addresses on which these processes listen."""
    sockets = set()
    for pid in processes:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                sockets.add(os.readlink(descriptor))
            except OSError:
                continue
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            local, _, state, *_, inode = line.split()[1:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                found.add(_address(local.partition(":")[0]))
    return sorted(found)


def _address(written: str) -> str:
    """The kernel's hexadecimal words, each in the machine's byte order -> an address as people write it."""
    import ipaddress

    words = [bytes.fromhex(written[start : start + 8])[::-1] for start in range(0, len(written), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _alive_but_agents(processes: list[int]) -> list[str]:
    """Titles of those that are still there."""
    titles = []
    for pid in processes:
        try:
            titles.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode())  # empty of a zombie
        except OSError:
            continue
    return [
        title for title in titles if title and not title.startswith(("ray::DashboardAgent", "ray::RuntimeEnvAgent"))
    ]
