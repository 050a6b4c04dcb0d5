"""What is damaged or gone of a batch's own files is done again: the same command always goes on, or says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.engine import Task
from digit_recognizer.errors import FileError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import content, frames

Damage = Callable[[Path], None]


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@pytest.fixture
def request_here(tmp_path: Path) -> Request:
    """Twenty pictures in parts of five, one picture of each part damaged."""
    folder = sources.write_pictures(tmp_path / "pictures", frames(20))
    for picture in sorted(folder.rglob("*.png"))[::5]:
        picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    return Request(str(folder), tmp_path / "out", part_size=5)


def begin(request: Request) -> None:
    """Two of four parts are done, and the third not."""

    def stop(task: Task) -> None:
        if task.number == 2:
            raise Killed

    with pytest.raises(Killed):
        run_batch(request, EngineHere(before=stop))


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def first(folder: Path) -> Path:
    return min(folder.glob("*.parquet"))


UNDER_WAY: dict[str, tuple[Damage, int]] = {  # and how many of the two parts are read again for it
    "part cut": (lambda out: cut(first(out / "parts"), 500), 1),
    "part empty": (lambda out: cut(first(out / "parts"), 0), 1),
    "part without its end": (lambda out: cut(first(out / "parts"), first(out / "parts").stat().st_size - 1), 1),
    "errors cut": (lambda out: cut(first(out / "work" / "errors"), 100), 1),
    "errors empty": (lambda out: cut(first(out / "work" / "errors"), 0), 1),
    "job cut": (lambda out: cut(out / "job.json", 40), 0),
    "job empty": (lambda out: cut(out / "job.json", 0), 0),
    "job gone": (lambda out: (out / "job.json").unlink(), 0),
    "job no object": (lambda out: (out / "job.json").write_text("[]") and None, 0),
    "inputs cut": (lambda out: cut(out / "inputs.parquet", 40), 0),
}
FINISHED: dict[str, tuple[Damage, int]] = {
    "manifest cut": (lambda out: cut(out / "manifest.json", 40), 4),
    "manifest empty": (lambda out: cut(out / "manifest.json", 0), 4),
    "part gone": (lambda out: first(out / "parts").unlink(), 1),
    "part cut": (lambda out: cut(first(out / "parts"), 500), 1),
    "part longer": (lambda out: first(out / "parts").write_bytes(first(out / "parts").read_bytes() * 2) and None, 1),
    "errors gone": (lambda out: (out / "errors.parquet").unlink(), 4),
    "errors cut": (lambda out: cut(out / "errors.parquet", 100), 4),
    "summary gone": (lambda out: (out / "summary.html").unlink(), 0),
    "job cut": (lambda out: cut(out / "job.json", 40), 0),
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_what_is_damaged_under_way_is_done_again(request_here: Request, tmp_path: Path, what: str) -> None:
    run_batch(replace(request_here, output=tmp_path / "undisturbed"), EngineHere())
    damage, again = UNDER_WAY[what]
    begin(request_here)
    damage(request_here.output)

    engine = EngineHere()
    run_batch(request_here, engine)

    assert content(request_here.output) == content(tmp_path / "undisturbed")
    assert len(engine.done) == 2 + again
    assert run_batch(request_here, EngineHere()).was_finished


@pytest.mark.parametrize("what", FINISHED)
def test_what_is_damaged_of_a_finished_job_is_done_again_and_nothing_else(request_here: Request, what: str) -> None:
    run_batch(request_here, EngineHere())
    expected = content(request_here.output)
    damage, again = FINISHED[what]
    damage(request_here.output)

    engine = EngineHere()
    result = run_batch(request_here, engine)

    assert content(request_here.output) == expected
    assert len(engine.done) == again
    assert result.was_finished == (what == "job cut")
    assert run_batch(request_here, EngineHere()).was_finished


@pytest.mark.parametrize("change", [{"task": "read"}, {"part_size": 4}, {"limit": 9}, {"model": "int8"}])
def test_where_the_job_is_damaged_parts_of_another_one_are_not_touched(
    request_here: Request, change: dict[str, Any]
) -> None:
    begin(request_here)
    there = {path: path.read_bytes() for path in (request_here.output / "parts").iterdir()}
    cut(request_here.output / "job.json", 40)

    with pytest.raises(FileError, match=r"job\.json is damaged or gone, and \d of 2 parts .* another -o$"):
        run_batch(replace(request_here, **change), EngineHere())

    assert {path: path.read_bytes() for path in (request_here.output / "parts").iterdir()} == there
    assert run_batch(request_here, EngineHere()).tally.pictures == 20


def test_where_the_job_of_a_finished_one_is_damaged_its_manifest_tells_what_differs(request_here: Request) -> None:
    run_batch(request_here, EngineHere())
    cut(request_here.output / "job.json", 40)

    with pytest.raises(FileError, match="task was predict and is read"):
        run_batch(replace(request_here, task="read"), EngineHere())


def test_where_the_old_list_is_damaged_another_input_is_still_refused(request_here: Request) -> None:
    begin(request_here)
    cut(request_here.output / "inputs.parquet", 40)
    first_picture = min(Path(request_here.source).glob("*.png"))
    first_picture.write_bytes(b"GIF89a")

    with pytest.raises(FileError, match="the input list: its digest is another one"):
        run_batch(request_here, EngineHere())


def test_errors_that_turn_out_damaged_at_the_end_are_written_by_the_next_run(
    request_here: Request, tmp_path: Path
) -> None:
    run_batch(replace(request_here, output=tmp_path / "undisturbed"), EngineHere())
    begin(request_here)
    path = first(request_here.output / "work" / "errors")
    damaged = bytearray(path.read_bytes())
    damaged[4:200] = bytes(196)  # its footer is whole
    path.write_bytes(damaged)

    with pytest.raises(FileError, match=r"cannot be read .* and are removed; the same command reads it again"):
        run_batch(request_here, EngineHere())
    run_batch(request_here, EngineHere())

    assert content(request_here.output) == content(tmp_path / "undisturbed")
