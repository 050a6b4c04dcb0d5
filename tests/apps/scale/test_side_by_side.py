"""Jobs on Ray Tune: each has its result, a dead worker's job is done again, and what fails is said in a sentence."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.scale.side_by_side import side_by_side
from digit_recognizer.errors import DigitsError, Interrupted
from digit_recognizer.training.progress import StopRequest
from tests.apps.scale.works import obey

Engine = Callable[..., Iterator[str]]

STOP = StopRequest()


@pytest.fixture(scope="module")
def engine(ray_installed: None) -> Iterator[Engine]:
    """The engine on a Ray of this process's own, started once for the tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # workers import tests.apps.scale.works
        with side_by_side(obey, lambda job: f"job {job[:4]}", workers=2, stop=STOP) as opened:
            yield opened


def data() -> str:
    return "what all share"


def test_every_job_has_its_result_and_nothing_is_printed(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    jobs = ["a", "b", "c"]
    assert sorted(engine(jobs, data)) == [f"{job} with what all share" for job in jobs]
    assert capfd.readouterr() == ("", "")
    assert list(engine([], data)) == []


def test_what_jobs_tell_on_the_way_is_heard_in_its_order(engine: Engine) -> None:
    heard: list[str] = []
    assert len(list(engine(["a", "b", "c"], data, heard.append))) == 3
    for job in "abc":
        assert [words for words in heard if words.startswith(job)] == [f"{job} begun", f"{job} nearly done"]


def test_the_job_of_a_worker_that_died_is_done_again(engine: Engine, tmp_path: Path) -> None:
    once = f"once:{tmp_path / 'died'}"
    assert sorted(engine([once, "b"], data)) == ["b with what all share", f"{once} with what all share"]
    assert (tmp_path / "died").exists()


def test_a_job_that_kills_every_worker_ends_with_a_sentence(engine: Engine) -> None:
    with pytest.raises(DigitsError, match="job die: its worker died 3 times; the same command goes on"):
        list(engine(["die"], data))


def test_a_job_that_fails_is_not_tried_again(engine: Engine) -> None:
    with pytest.raises(DigitsError, match=r"^job err failed on its worker \(a slip\)$"):
        list(engine(["err"], data))


def test_a_request_to_stop_ends_the_jobs(engine: Engine) -> None:
    results = engine(["a", *["die"] * 9], data)
    STOP.signal_number = signal.SIGTERM
    try:
        with pytest.raises(Interrupted) as stopped:
            list(results)
    finally:
        STOP.signal_number = None
    assert stopped.value.signal_number == signal.SIGTERM
