"""Tasks shared out among processes: their order, what is raised, and that no process is left, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.errors import DigitsError
from digit_recognizer.training.pool import share_out
from tests.training.pool_tasks import count, die, refuse, touch, whose

TASKS = list(range(30))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_everything_comes_back_in_order_and_a_process_keeps_what_it_was_given(workers: int) -> None:
    kept: list[tuple[int, tuple[int, int]]] = []
    share_out(count, [], TASKS, lambda task, result: kept.append((task, result)), workers=workers)
    assert [task for task, _ in kept] == TASKS
    assert [square for _, (square, _) in kept] == [task**2 for task in TASKS]
    assert max(seen for _, (_, seen) in kept) >= len(TASKS) / workers
    assert workers > 1 or [seen for _, (_, seen) in kept] == list(range(1, 31))


def test_a_process_that_may_use_one_core_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    made_by: list[int] = []
    share_out(whose, None, [1, 2, 3], lambda task, result: made_by.append(result))
    assert made_by == [os.getpid()] * 3


def test_no_tasks_are_no_work() -> None:
    share_out(die, None, [], lambda task, result: pytest.fail("nothing was made"), workers=2)


def test_what_the_caller_raises_ends_the_work(tmp_path: Path) -> None:
    def full(task: int, result: int) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        share_out(touch, tmp_path, list(range(20_000)), full, workers=2)
    assert 1 <= len(list(tmp_path.iterdir())) < 10_000


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_is_raised_here(workers: int) -> None:
    with pytest.raises(ZeroDivisionError, match="task 0"):
        share_out(refuse, None, TASKS, lambda task, result: None, workers=workers)


def test_a_process_that_is_killed_is_a_sentence() -> None:
    with pytest.raises(DigitsError, match="a process that had part of the work was killed, perhaps for want of memory"):
        share_out(die, None, TASKS, lambda task, result: None, workers=2)


# A file, as the processes of the pool import what they call from there.
SCRIPT = """
import sys, time
from digit_recognizer.training.pool import share_out

def doze(shared, task):
    time.sleep(0.2)
    return task

if __name__ == "__main__":
    try:
        print("begun", flush=True)
        share_out(doze, None, range(1000), lambda task, result: print(result, flush=True), workers=2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own session that shares out tasks; what it starts is in its process group."""
    script = tmp_path / "doze.py"
    script.write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts what runs in its background with SIGINT ignored; tests may be run there too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process


def wait_until_gone(group: int) -> None:
    """Fail where a process of the group is still there after half a minute."""
    for _ in range(300):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a process was left")


@pytest.mark.skipif(os.name == "nt", reason="process groups and their signals are POSIX")
@pytest.mark.parametrize("after", [0.0, 0.3, 0.7, None])
def test_ctrl_c_at_any_time_ends_all_processes_without_a_word(
    group: subprocess.Popen[str], after: float | None
) -> None:
    """after: seconds since the start, while processes are starting; None: once the first task is done."""
    assert group.stdout is not None
    if after is None:
        assert group.stdout.readline() == "0\n"
    else:
        time.sleep(after)
    os.killpg(group.pid, signal.SIGINT)
    _, told = group.communicate(timeout=60)
    assert (group.returncode, told) == (130, "")
    wait_until_gone(group.pid)


@pytest.mark.skipif(os.name == "nt", reason="process groups and their signals are POSIX")
def test_a_process_that_is_killed_takes_its_pool_with_it(group: subprocess.Popen[str]) -> None:
    assert group.stdout is not None
    assert group.stdout.readline() == "0\n"
    group.kill()
    assert group.wait(timeout=60) == -signal.SIGKILL
    wait_until_gone(group.pid)
