"""Whatever the pictures come in, one that has changed since the job began is noticed, also where it is as large."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import FileError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, png

Fill = Callable[[Path], tuple[str, Path]]  # what is asked for, and the file that changes


def folder(here: Path) -> tuple[str, Path]:
    return str(sources.write_pictures(here / "scans", frames(6))), here / "scans" / "0001.png"


def pattern(here: Path) -> tuple[str, Path]:
    return f"{folder(here)[0]}/*.png", here / "scans" / "0001.png"


def one(here: Path) -> tuple[str, Path]:
    folder(here)
    return str(here / "scans" / "0001.png"), here / "scans" / "0001.png"


def text_list(here: Path) -> tuple[str, Path]:
    folder(here)
    (here / "list.txt").write_text("scans/0000.png\nscans/0001.png\n")
    return str(here / "list.txt"), here / "scans" / "0001.png"


def csv_list(here: Path) -> tuple[str, Path]:
    folder(here)
    (here / "list.csv").write_text("id,path\na,scans/0000.png\nb,scans/0001.png\n")
    return str(here / "list.csv"), here / "scans" / "0001.png"


def table_list(here: Path) -> tuple[str, Path]:
    folder(here)
    sources.write_table(here / "list.parquet", {"path": ["scans/0000.png", "scans/0001.png"]})
    return str(here / "list.parquet"), here / "scans" / "0001.png"


def of(write: Callable[[Path, object], Path], name: str) -> Fill:
    def fill(here: Path) -> tuple[str, Path]:
        path = write(here / name, frames(6))  # large, so that a change in its middle is far from either end
        return str(path), path

    return fill


def padded_tar(path: Path, images: object) -> Path:
    return sources.write_tar(path, frames(300))


def table(path: Path, images: object) -> Path:
    return sources.write_table(path, {"image": [png(image) for image in frames(900)]}, 900)


FILLS: dict[str, Fill] = {
    "folder": folder,
    "pattern": pattern,
    "picture": one,
    "text list": text_list,
    "csv list": csv_list,
    "table list": table_list,
    "tar": of(padded_tar, "a.tar"),
    "packed tar": of(lambda path, images: sources.packed(padded_tar(path, images)), "a.tar"),
    "table": of(table, "a.parquet"),
    "csv": of(sources.write_csv, "a.csv"),  # type: ignore[arg-type]
    "idx": of(lambda path, images: sources.write_idx(path, frames(300)), "images-ubyte"),
}


@pytest.mark.parametrize("kind", FILLS)
@pytest.mark.parametrize("finished", [True, False])
def test_a_file_that_was_replaced_by_one_as_large_is_noticed(tmp_path: Path, kind: str, finished: bool) -> None:
    source, file = FILLS[kind](tmp_path)
    request = Request(source, tmp_path / "out", part_size=2, limit=6)
    run_batch(request, EngineHere())
    if not finished:
        (request.output / "manifest.json").unlink()
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    if kind == "csv":
        content[middle] = ord("1") if content[middle] == ord("0") else ord("0")
    elif kind != "packed tar":  # of which another change would be no gzip
        content[middle : middle + 4] = bytes(reversed(content[middle : middle + 4]))
    time = file.stat().st_mtime_ns
    file.write_bytes(content)
    os.utime(file, ns=(time, time + 1))

    with pytest.raises(FileError, match="is not the same file as it was") as refusal:
        run_batch(request, EngineHere())
    assert refusal.value.code == "changed_job"


@pytest.mark.parametrize("kind", [kind for kind in FILLS if kind != "pattern"])  # whose pictures are called by paths
def test_files_that_were_moved_or_copied_with_their_times_are_the_same_input(tmp_path: Path, kind: str) -> None:
    (tmp_path / "here").mkdir()
    source, _ = FILLS[kind](tmp_path / "here")
    request = Request(source, tmp_path / "out", limit=6)
    run_batch(request, EngineHere())
    shutil.copytree(tmp_path / "here", tmp_path / "there")  # as cp -p

    moved = Request(source.replace("/here", "/there"), tmp_path / "out", limit=6)

    assert run_batch(moved, EngineHere()).was_finished


def test_what_is_passed_over_in_a_folder_is_counted_and_does_not_stop_a_job_that_goes_on(tmp_path: Path) -> None:
    source = sources.write_pictures(tmp_path / "scans", frames(4))
    for name in (".DS_Store", "notes.txt", "more/.hidden.png"):
        (source / name).write_bytes(b"x")
    request = Request(str(source), source / "out")

    first = run_batch(request, EngineHere())
    (source / "stray.txt").write_text("x")

    assert first.manifest["ignored"] == {"file that is no picture": 1, "hidden file": 2}
    assert run_batch(request, EngineHere()).was_finished
    page = (request.output / "summary.html").read_text()
    assert "Passed over: 1 file that is no picture, 2 hidden files." in page


def test_what_is_passed_over_beside_tables_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    sources.write_table(tmp_path / "tables" / "a.parquet", sources.numbered_columns(frames(3)))
    for name in (".DS_Store", "README.md"):
        (tmp_path / "tables" / name).write_bytes(b"x")

    result = run_batch(Request(str(tmp_path / "tables"), tmp_path / "out"), EngineHere())

    assert result.manifest["ignored"] == {"file that is no picture": 1, "hidden file": 1}
