"""Processes of this machine: every task once, deaths told with their task, nobody left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.batch import local_engine
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.engine import Engine, Job, Outcome, Task, WorkerDied
from digit_recognizer.apps.batch.local_engine import LocalEngine
from digit_recognizer.errors import FileError, ModelError, UsageError
from tests.apps.batch import sources, works
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import errors, frames, rows

JOB = Job("predict", None, "", "pictures")


def tasks(folder: Path, count: int) -> list[Task]:
    return [Task(n, 1, (), JOB, str(folder / f"part-{n}"), str(folder / f"errors-{n}")) for n in range(count)]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_task_is_done_once_with_few_of_them_ahead_and_again_in_a_second_run(tmp_path: Path) -> None:
    done: list[int] = []
    most_ahead = 0

    def given() -> Iterator[Task]:
        nonlocal most_ahead
        for task in tasks(tmp_path, 60):
            most_ahead = max(most_ahead, task.number - len(done))
            yield task

    engine: Engine = LocalEngine(2, work=works.do_nothing)
    with engine:
        engine.run(given(), lambda task, result: done.append(task.number))
        first = sorted(done)
        engine.run(tasks(tmp_path, 3), lambda task, result: done.append(task.number))
    processes = {int(path.read_text()) for path in tmp_path.glob("part-*")}

    assert first == list(range(60))
    assert sorted(done[60:]) == [0, 1, 2]
    assert most_ahead <= 5
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert not any(map(is_alive, processes))


def test_a_worker_that_is_killed_is_told_with_the_one_task_that_it_had(tmp_path: Path) -> None:
    results: list[tuple[int, object]] = []

    with LocalEngine(1, work=works.wait_for_ever) as engine:
        engine.run(killing(tasks(tmp_path, 1)), lambda task, result: results.append((task.number, result)))

    assert results == [(0, WorkerDied("signal 9"))]


def test_workers_that_run_out_of_memory_cost_only_the_task_that_they_had(tmp_path: Path) -> None:
    results: list[tuple[int, object]] = []

    with LocalEngine(1, work=works.run_out_of_memory) as engine:
        engine.run(tasks(tmp_path, 3), lambda task, result: results.append((task.number, result)))

    assert results == [(number, WorkerDied("out of memory")) for number in range(3)]


def killing(given: list[Task]) -> Iterator[Task]:
    """The tasks; whoever has one of them is killed as soon as it says where it runs."""
    for task in given:
        yield task
        while not Path(task.part).exists() or not Path(task.part).read_text():
            time.sleep(0.01)
        os.kill(int(Path(task.part).read_text()), signal.SIGKILL)


def test_errors_of_a_task_reach_whoever_asked_and_stop_the_others(tmp_path: Path) -> None:
    for work, kind, words in (
        (works.raise_model_error, ModelError, "task 0: no such model"),
        (works.raise_unexpected, FileError, "part 0: unexpected ZeroDivisionError: by zero; .* same command goes on"),
        (works.raise_missing_extra, UsageError, r"needs an extra: pip install"),
    ):
        with LocalEngine(1, work=work) as engine, pytest.raises(kind, match=words):
            engine.run(tasks(tmp_path, 5), lambda task, result: None)


def test_leaving_the_engine_ends_workers_in_the_middle_of_a_task(tmp_path: Path) -> None:
    (waiting,) = tasks(tmp_path, 1)

    def given() -> Iterator[Task]:
        yield waiting
        while not Path(waiting.part).exists() or not Path(waiting.part).read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), LocalEngine(1, work=works.wait_for_ever) as engine:
        engine.run(given(), lambda task, result: None)

    assert not is_alive(int(Path(waiting.part).read_text()))


def test_pictures_that_kill_the_decoder_are_set_aside_by_real_processes(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(6))
    (folder / "deadly.png").write_bytes((folder / "0000.png").read_bytes())
    request = Request(str(folder), tmp_path / "out", part_size=2)

    with LocalEngine(1, work=works.do_with_deadly_decoder) as engine:
        result = run_batch(request, engine)
    (folder / "deadly.png").unlink()
    run_batch(Request(str(folder), tmp_path / "without"), EngineHere())

    assert result.tally.failed == {"killed_the_worker": 1}
    assert [row["id"] for row in errors(request.output)] == ["deadly.png"]
    assert [row["id"] for row in rows(request.output)] == [row["id"] for row in rows(tmp_path / "without")]


@pytest.mark.parametrize("task", ["predict", "read"])
def test_a_picture_that_needs_more_memory_than_there_is_is_found_and_set_aside(tmp_path: Path, task: str) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(3))
    (folder / "hungry.png").write_bytes((folder / "0000.png").read_bytes())
    request = Request(str(folder), tmp_path / "out", task=task, part_size=4)

    with LocalEngine(1, work=works.do_with_hungry_decoder) as engine:
        result = run_batch(request, engine)

    assert result.tally.failed == {"killed_the_worker": 1}
    assert [row["id"] for row in errors(request.output)] == ["hungry.png"]
    assert len(rows(request.output)) == 3


def test_workers_that_cannot_begin_are_told_in_a_sentence(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    context.set_executable("/bin/false")
    try:
        with (
            LocalEngine(1) as engine,
            pytest.raises(FileError, match=r"end before they begin to work \(exit code 1\).*the same command goes on"),
        ):
            engine.run(tasks(tmp_path, 1), lambda task, result: None)
    finally:
        context.set_executable(sys.executable)


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_workers_that_are_killed_before_they_begin_are_started_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(local_engine.time, "sleep", waits.append)
    results: list[object] = []
    context = multiprocessing.get_context("spawn")
    count = tmp_path / "count"
    killed_four_times = f'echo x >> {count}; [ $(wc -l < {count}) -le 4 ] && kill -9 $$; exec {sys.executable} "$@"'
    try:
        context.set_executable(program(tmp_path / "four", killed_four_times))
        with LocalEngine(1, work=works.do_nothing) as engine:
            engine.run(tasks(tmp_path, 2), lambda task, result: results.append(result))
        assert [type(result) for result in results] == [Outcome, Outcome]
        assert waits == [1.0, 2.0, 5.0, 10.0]
        waits.clear()
        context.set_executable(program(tmp_path / "always", "kill -9 $$"))
        with LocalEngine(1) as engine, pytest.raises(FileError, match=r"\(signal 9\).*fewer --workers") as gave_up:
            engine.run(tasks(tmp_path, 1), lambda task, result: None)
    finally:
        context.set_executable(sys.executable)
    assert len(waits) == 5
    assert gave_up.value.exit_code == 5


def test_fewer_than_one_worker_is_refused() -> None:
    with pytest.raises(UsageError, match="expected 1 or more workers"):
        LocalEngine(0)
