"""A batch writes neither among other things nor into what it reads; what a desktop leaves behind is no such thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import FileError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, rows


def test_what_a_desktop_leaves_in_a_folder_makes_it_no_stranger(tmp_path: Path) -> None:
    source = sources.write_tar(tmp_path / "a.tar", frames(3))
    (tmp_path / "out").mkdir()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "out" / name).write_bytes(b"x")

    run_batch(Request(str(source), tmp_path / "out"), EngineHere())
    (tmp_path / "out" / "notes.txt").write_text("x")

    assert len(rows(tmp_path / "out")) == 3
    with pytest.raises(FileError, match=r"found notes\.txt"):
        run_batch(Request(str(source), tmp_path / "out"), EngineHere())


def of_tars(folder: Path) -> None:
    sources.write_tar(folder / "a.tar", frames(3))


def of_pictures(folder: Path) -> None:
    sources.write_pictures(folder / "scans", frames(3))


def of_tables(folder: Path) -> None:
    sources.write_table(folder / "a.parquet", sources.numbered_columns(frames(3)))


@pytest.mark.parametrize(
    ("fill", "source"),
    [
        *((of_tars, source) for source in (".", "../here", "../linked", "*", "**/*", "*.[tc]*")),
        *((of_pictures, source) for source in (".", "../here", "../linked", "**/*", "**/*.png", "s*/**/*.png")),
        *((of_tables, source) for source in (".", "../linked", "**/*", "**/*.parquet")),
    ],
)
@pytest.mark.parametrize("output", ["out", "deep/er", "../linked/out"])
def test_what_is_written_into_the_source_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Path], None], source: str, output: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    fill(here)
    monkeypatch.chdir(here)
    (tmp_path / "linked").symlink_to(here)

    first = run_batch(Request(source, Path(output)), EngineHere())
    second = run_batch(Request(source, Path(output)), EngineHere())

    assert (first.was_finished, second.was_finished) == (False, True)
    assert len(rows(Path(output))) == 3


@pytest.mark.parametrize(
    ("fill", "source"),
    [
        *((of_pictures, source) for source in (".", "../here", "**/*")),
        *((of_tables, source) for source in (".", "**/*")),
    ],
)
def test_what_another_batch_wrote_into_the_source_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: Callable[[Path], None], source: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    fill(here)
    monkeypatch.chdir(here)
    run_batch(Request(source, Path("deep/er")), EngineHere())

    for output in ("second", "../third"):
        run_batch(Request(source, Path(output)), EngineHere())
        assert len(rows(Path(output))) == 3


def test_a_folder_with_a_job_of_others_is_read(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "scans", frames(3))
    for content in ('{"job": "of somebody"}', "no JSON", "[1]"):
        (folder / "job.json").write_text(content)
        run_batch(Request(str(tmp_path / "s*" / "**" / "*.png"), tmp_path / f"out{len(content)}"), EngineHere())
        assert len(rows(tmp_path / f"out{len(content)}")) == 3


def test_answers_are_not_written_among_what_is_read(tmp_path: Path) -> None:
    of_tars(tmp_path)
    with pytest.raises(FileError, match=r"expected an empty folder or one of digits batch, found a\.tar"):
        run_batch(Request(str(tmp_path), tmp_path), EngineHere())
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_an_output_beside_the_source_or_named_alike_is_no_part_of_it(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "scans[1]", frames(3))

    run_batch(Request(str(folder), tmp_path / "scans[1]-read"), EngineHere())
    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    assert len(rows(tmp_path / "out")) == len(rows(tmp_path / "scans[1]-read")) == 3
