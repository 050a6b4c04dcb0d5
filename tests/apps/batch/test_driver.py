"""Exactly once: killed anywhere, a batch goes on and ends as if nothing had been; and it goes on with nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digit_recognizer.apps.batch.driver import Progress, Request, run_batch
from digit_recognizer.apps.batch.engine import Task
from digit_recognizer.apps.batch.work import do
from digit_recognizer.errors import FileError, UsageError
from digit_recognizer.pictures.load import load_grey
from tests.apps.batch import sources
from tests.apps.batch.engines import Death, EngineHere
from tests.apps.batch.sources import content, errors, frames, rows

KILLERS = {"0003.png", "more/0017.png", "more/0018.png"}


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@pytest.fixture
def request_here(tmp_path: Path) -> Request:
    """Twenty pictures, one of them damaged, in parts of six."""
    folder = sources.write_pictures(tmp_path / "pictures", frames(20))
    (folder / "more" / "0012.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return Request(str(folder), tmp_path / "out", part_size=6)


def interrupted_at(number: int, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> Iterator[None]:
    """End the program before or after its n-th rename, which is how every file of a batch appears."""
    count = 0
    replace_file = os.replace

    def counted(source: Any, target: Any) -> None:
        nonlocal count
        count += 1
        if count == number and not after:
            raise Killed
        replace_file(source, target)
        if count == number:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", counted)
        yield


def test_killed_at_any_rename_the_same_command_ends_as_an_undisturbed_one(
    request_here: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = replace(request_here, output=tmp_path / "undisturbed")
    run_batch(undisturbed, EngineHere())
    expected = content(undisturbed.output)
    assert (len(expected["rows"]), len(expected["errors"]), len(expected["parts"])) == (19, 1, 4)
    killed = 0
    for number in range(1, 40):
        for after in (False, True):
            output = tmp_path / f"{number}-{after}"
            again = replace(request_here, output=output)
            for _ in interrupted_at(number, monkeypatch, after=after):
                try:
                    run_batch(again, EngineHere())
                except Killed:
                    killed += 1
            there = {path.name for path in (output / "parts").glob("*")}
            engine = EngineHere()
            run_batch(again, engine)
            assert not there & {Path(task.part).name for task in engine.done}, "a finished part is not done again"
            assert content(output) == expected
            assert not list(output.rglob("*.tmp"))
        if killed < 2 * number:
            break
    assert killed >= 16  # listing, job, four parts, an errors file, the joined errors, summary, manifest


def test_a_finished_batch_reads_nothing_and_says_the_same(request_here: Request) -> None:
    first = run_batch(request_here, EngineHere())
    engine = EngineHere()

    second = run_batch(request_here, engine)

    assert (first.was_finished, second.was_finished) == (False, True)
    assert engine.done == []
    assert second.tally == first.tally
    assert second.manifest == first.manifest


def test_a_folder_of_pictures_that_was_moved_is_the_same_input(request_here: Request, tmp_path: Path) -> None:
    run_batch(request_here, EngineHere())
    shutil.move(request_here.source, tmp_path / "moved")

    assert run_batch(replace(request_here, source=str(tmp_path / "moved")), EngineHere()).was_finished


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"limit": 4}, "limit was not given and is 4"),
        ({"model": "int8"}, r"model was digits\.onnx \([0-9a-f]{12}\) and is digits\.int8\.onnx"),
        ({"task": "read"}, "task was predict and is read"),
        ({"shard": (1, 2)}, "shard was 1/1 and is 1/2"),
        ({"part_size": 7}, "part size was 6 and is 7"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_another_option_or_model_is_refused_and_named(
    request_here: Request, change: dict[str, Any], told: str, finished: bool
) -> None:
    begin(request_here, finished)

    with pytest.raises(FileError, match=told) as refusal:
        run_batch(replace(request_here, **change), EngineHere())

    assert refusal.value.code == "changed_job"
    run_batch(request_here, EngineHere())  # the refusal has spoilt nothing


@pytest.mark.parametrize("finished", [True, False])
def test_another_input_is_refused_and_the_first_picture_that_differs_is_named(
    request_here: Request, finished: bool
) -> None:
    begin(request_here, finished)
    folder = Path(request_here.source)
    before = (folder / "0004.png").read_bytes()
    times = (folder / "0004.png").stat()

    (folder / "0004.png").write_bytes(before + b"more")
    with pytest.raises(FileError, match=r"picture 5, 0004\.png, is not the same file as it was: \d+ bytes instead of"):
        run_batch(request_here, EngineHere())
    (folder / "0004.png").write_bytes(bytes(reversed(before)))
    os.utime(folder / "0004.png", ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(FileError, match=r"0004\.png, is not .*: of \d{4}-\d\d-.* UTC instead of .* its times \(cp -p"):
        run_batch(request_here, EngineHere())
    (folder / "0004.png").unlink()
    with pytest.raises(FileError, match=r"picture 5 was 0004\.png and is 0005\.png"):
        run_batch(request_here, EngineHere())
    (folder / "0004.png").write_bytes(before)
    os.utime(folder / "0004.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run_batch(request_here, EngineHere()).tally.pictures == 20


def begin(request: Request, finished: bool) -> None:
    """Begin the batch; where it is not to be finished, two parts are done."""

    def stop(task: Task) -> None:
        if task.number == 2:
            raise Killed

    if finished:
        run_batch(request, EngineHere())
    else:
        with pytest.raises(Killed):
            run_batch(request, EngineHere(before=stop))


def test_pictures_that_kill_their_worker_are_set_aside_and_all_others_are_read(
    request_here: Request, tmp_path: Path
) -> None:
    run_batch(replace(request_here, output=tmp_path / "undisturbed"), EngineHere())

    def decode(content: bytes, name: str) -> Any:
        if name in KILLERS:
            raise Death
        return load_grey(content, name=name)

    notes: list[str] = []
    engine = EngineHere(work=partial(do, decode=decode))
    result = run_batch(request_here, engine, lambda progress: notes.append(progress.note))

    expected = [row for row in rows(tmp_path / "undisturbed") if row["id"] not in KILLERS]
    assert [row["id"] for row in rows(request_here.output)] == [row["id"] for row in expected]
    np.testing.assert_allclose(
        [row["confidence"] for row in rows(request_here.output)], [row["confidence"] for row in expected], atol=1e-5
    )
    found = {row["id"]: row for row in errors(request_here.output)}
    assert {name for name, row in found.items() if row["code"] == "killed_the_worker"} == KILLERS
    assert "twice" in found["0003.png"]["sentence"]
    assert found["more/0012.png"]["code"] == "truncated_image"
    assert result.tally.failed == {"killed_the_worker": 3, "truncated_image": 1}
    assert any("its worker died" in note for note in notes)
    assert [task.number for task in engine.done[:4]] == [0, 1, 2, 3], "the job goes on before the dead are looked into"


def test_a_container_that_kills_whoever_opens_it_is_set_aside_as_a_whole(tmp_path: Path) -> None:
    source = sources.write_csv(tmp_path / "a.csv", frames(12))

    def dies_of_the_second_half(task: Task) -> None:
        if task.number == 1 and len(task.without) < task.pictures:
            raise Death

    run_batch(Request(str(source), tmp_path / "out", part_size=6), EngineHere(before=dies_of_the_second_half))

    assert [row["id"] for row in rows(tmp_path / "out")] == [str(number) for number in range(1, 7)]
    assert [row["id"] for row in errors(tmp_path / "out")] == [str(number) for number in range(7, 13)]


def test_workers_that_die_by_accident_change_nothing(request_here: Request, tmp_path: Path) -> None:
    run_batch(replace(request_here, output=tmp_path / "undisturbed"), EngineHere())
    random = np.random.default_rng(5)

    def accident(task: Task) -> None:
        if random.random() < 0.3:
            raise Death

    run_batch(request_here, EngineHere(before=accident))

    assert content(request_here.output) == content(tmp_path / "undisturbed")


def test_errors_that_somebody_took_away_are_found_again(request_here: Request) -> None:
    begin(request_here, finished=False)
    run_batch(request_here, EngineHere())
    expected = content(request_here.output)
    (request_here.output / "manifest.json").unlink()  # the errors of the parts went when it was written

    engine = EngineHere()
    run_batch(request_here, engine)

    assert content(request_here.output) == expected
    assert len(engine.done) == 1


def test_shares_of_a_scheduler_together_are_the_whole(request_here: Request, tmp_path: Path) -> None:
    run_batch(request_here, EngineHere())
    shares = [replace(request_here, output=tmp_path / f"{k}", shard=(k, 3)) for k in (1, 2, 3)]
    for share in shares:
        run_batch(share, EngineHere())

    whole = content(request_here.output)
    assert sum(len(rows(share.output)) for share in shares) == 19
    together = [row for share in shares for row in rows(share.output)]
    assert sorted(together, key=str) == sorted(whole["rows"], key=str)
    assert [len(list((share.output / "parts").iterdir())) for share in shares] == [2, 1, 1]


def test_a_limit_takes_the_first_pictures(request_here: Request, tmp_path: Path) -> None:
    run_batch(request_here, EngineHere())
    limited = replace(request_here, output=tmp_path / "limited", limit=8)
    run_batch(limited, EngineHere())

    assert [row["id"] for row in rows(limited.output)] == [row["id"] for row in rows(request_here.output)][:8]


def test_two_processes_never_write_to_one_folder(request_here: Request) -> None:
    def other(task: Task) -> None:
        with pytest.raises(FileError, match="another process writes to this folder"):
            run_batch(request_here, EngineHere())

    run_batch(request_here, EngineHere(before=other))


def test_a_folder_that_holds_other_things_is_not_touched(request_here: Request) -> None:
    request_here.output.mkdir()
    (request_here.output / "thesis.tex").write_text("x")

    with pytest.raises(FileError, match=r"expected an empty folder or one of digits batch, found thesis\.tex"):
        run_batch(request_here, EngineHere())

    assert [path.name for path in request_here.output.iterdir()] == ["thesis.tex"]


def test_progress_counts_every_picture_once(request_here: Request) -> None:
    begin(request_here, finished=False)
    seen: list[Progress] = []

    run_batch(request_here, EngineHere(), seen.append)

    assert [(progress.done, progress.before) for progress in seen] == [(18, 12), (20, 12)]
    assert seen[-1].total == 20
    assert seen[-1].failed == 1


def test_requests_that_make_no_sense_are_refused() -> None:
    for wrong in (
        {"task": "sing"},
        {"limit": 0},
        {"part_size": 0},
        {"shard": (3, 2)},
        {"expect": "5"},
        {"task": "read", "expect": "five"},
    ):
        with pytest.raises(UsageError):
            Request("x", Path("out"), **wrong)


def test_the_threshold_can_be_chosen_and_belongs_to_the_job(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(20))
    own = run_batch(Request(str(folder), tmp_path / "own"), EngineHere())
    lenient = Request(str(folder), tmp_path / "out", min_confidence=0.0)
    assert run_batch(lenient, EngineHere()).tally.accepted > own.tally.accepted
    assert {row["reason"] for row in rows(tmp_path / "own")} >= {"unsure"}
    assert "unsure" not in {row["reason"] for row in rows(tmp_path / "out")}
    assert "Accepted from 0.0000 on, as was asked for." in (tmp_path / "out" / "summary.html").read_text()
    with pytest.raises(FileError, match=r"min confidence was 0\.0 and is not given"):
        run_batch(replace(lenient, min_confidence=None), EngineHere())
    with pytest.raises(UsageError, match="--min-confidence: expected a confidence from 0 to 1, found 2"):
        Request("x", Path("y"), min_confidence=2)


def test_the_cap_on_pixels_can_be_changed_and_belongs_to_the_job(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(3))
    strict = Request(str(folder), tmp_path / "out", max_pixels=28 * 28 - 1)
    assert run_batch(strict, EngineHere()).tally.failures == 3
    assert {row["code"] for row in errors(tmp_path / "out")} == {"too_many_pixels"}
    with pytest.raises(FileError, match="max pixels was 783 and is not given"):
        run_batch(replace(strict, max_pixels=None), EngineHere())
    exact = Request(str(folder), tmp_path / "other", max_pixels=28 * 28)
    assert run_batch(exact, EngineHere()).tally.failures == 0
    with pytest.raises(UsageError, match="--max-pixels from 1 to"):
        Request("x", Path("y"), max_pixels=0)
