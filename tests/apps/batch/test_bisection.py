"""Halving finds the pictures that kill, whichever they are, and lets accidents pass."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digit_recognizer.apps.batch.bisection import Case
from digit_recognizer.apps.batch.engine import Job, Outcome, Task, WorkerDied
from digit_recognizer.errors import FileError

JOB = Job("predict", None, "", "pictures")


def task(pictures: int) -> Task:
    return Task(3, pictures, (), JOB, "part", "errors")


def settle(case: Case, killers: set[int], accidents: list[bool]) -> int:
    """Try what the case asks for until it is done; returns how many workers that took."""
    deaths = 0
    while not case.is_done:
        for trial in list(case.next_tasks()):
            tried = set(range(*(trial.only or (0, trial.pictures)))) - set(trial.without)
            dies = bool(tried & killers) or (bool(accidents) and accidents.pop())
            deaths += dies
            case.note(trial.only, WorkerDied("killed") if dies else Outcome(3, 1, 0, 0.0))
    return deaths


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_killers_are_found_and_nobody_else(pictures: int, data: st.DataObject) -> None:
    killers = data.draw(st.sets(st.integers(0, pictures - 1), max_size=3))

    case = Case(task(pictures))
    deaths = settle(case, killers, [])

    assert case.killers == killers
    assert deaths <= 2 + len(killers) * 11  # as a whole, once more alone, and a death for each halving of 300


@given(st.lists(st.booleans(), max_size=4))
def test_workers_that_die_by_accident_cost_no_picture(accidents: list[bool]) -> None:
    case = Case(task(50))

    settle(case, set(), accidents)

    assert case.killers == set()


def test_a_picture_that_dies_once_alone_and_then_does_not_is_kept() -> None:
    case = Case(task(1))
    died, lived = WorkerDied("killed"), Outcome(3, 1, 0, 0.0)
    for only, result in ((None, died), ((0, 1), died), ((0, 1), lived), (None, lived)):
        assert [trial.only for trial in case.next_tasks()] == [only]
        case.note(only, result)

    assert case.is_done
    assert case.killers == set()


def test_where_everything_kills_the_whole_is_set_aside_after_a_bounded_number_of_deaths() -> None:
    case = Case(task(1024))

    deaths = settle(case, set(range(1024)), [])

    assert case.killers == set(range(1024))
    assert deaths < 200


def test_a_task_that_dies_only_as_a_whole_is_given_up_in_a_sentence() -> None:
    case = Case(task(4))

    def go_on() -> None:
        while True:
            for trial in list(case.next_tasks()):
                case.note(trial.only, WorkerDied("out of memory") if trial.only is None else Outcome(3, 1, 0, 0.0))

    with pytest.raises(
        FileError,
        match=r"part 3: its worker died \d+ times \(out of memory\).*same command goes on, with fewer --w",
    ):
        go_on()
