"""A list of paths says once, and clearly, which pictures are read and what each is called."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import InputError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, and a folder beside that is a link to theirs."""
    sources.write_pictures(tmp_path / "scans", frames(8))
    (tmp_path / "linked").symlink_to(tmp_path / "scans")
    (tmp_path / "scans" / "link.png").symlink_to("0003.png")
    return tmp_path


def read(folder: Path, text: str, name: str = "list.csv") -> list[str]:
    """What the pictures of a list are called."""
    (folder / name).write_text(text)
    run_batch(Request(str(folder / name), folder / "out"), EngineHere())
    return [row["id"] for row in rows(folder / "out")]


@pytest.mark.parametrize("header", ["id,path", "ID,path", "Id,Path", " id ,FILE"])
def test_the_column_of_names_is_found_however_it_is_written(folder: Path, header: str) -> None:
    assert read(folder, f"{header}\nA,scans/0000.png\nB,scans/0001.png\n") == ["A", "B"]


def test_the_column_of_names_of_a_table_is_found_likewise(folder: Path) -> None:
    table = {"path": [f"{folder}/scans/0000.png", f"{folder}/scans/0001.png"], "ID": ["A", "B"]}
    sources.write_table(folder / "list.parquet", table)
    run_batch(Request(str(folder / "list.parquet"), folder / "out"), EngineHere())
    images = {"pixels": sources.as_pixels(frames(2)), "ID": ["C", "D"]}
    sources.write_table(folder / "images.parquet", images)
    run_batch(Request(str(folder / "images.parquet"), folder / "images"), EngineHere())

    assert [row["id"] for row in rows(folder / "out")] == ["A", "B"]
    assert [row["id"] for row in rows(folder / "images")] == ["C", "D"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,path\na,scans/0000.png\n,scans/0001.png\n", "line 3: expected an id, found nothing"),
        ("id,path\na,scans/0000.png\n  ,scans/0001.png\n", "line 3: expected an id, found nothing"),
        ("path,id\nscans/0000.png,a\nscans/0001.png\n", "line 3: expected 2 cells, as in the header, found 1"),
        ("path,id\n\nscans/0001.png,c,d\n", "line 3: expected 2 cells, as in the header, found 3"),
        ('path\nscans/0000.png\n\n""\n', "line 4: expected a path, found nothing"),
    ],
)
def test_a_line_that_lacks_something_is_refused_with_its_number(folder: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read(folder, text)


def test_a_row_of_a_table_that_lacks_a_name_is_refused_with_its_number(folder: Path) -> None:
    for column in ([None, "b"], ["", "b"]):
        table = {"path": ["a.png", "b.png"], "id": pa.array(column, pa.string())}
        sources.write_table(folder / "list.parquet", table)
        with pytest.raises(InputError, match="row 1: expected an id, found nothing"):
            run_batch(Request(str(folder / "list.parquet"), folder / "out"), EngineHere())
    images = {"pixels": sources.as_pixels(frames(3)), "id": ["a", None, ""]}
    sources.write_table(folder / "images.parquet", images)
    with pytest.raises(InputError, match="row 3: expected a name or null as id, found an empty text"):
        run_batch(Request(str(folder / "images.parquet"), folder / "out"), EngineHere())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scans/0000.png", "./scans/0000.png"),
        ("scans/0000.png", "scans/../scans/0000.png"),
        ("scans/0000.png", "{folder}/scans/0000.png"),
        ("scans/0000.png", "linked/0000.png"),
        ("scans/0003.png", "scans/link.png"),
    ],
)
def test_one_file_under_two_names_is_refused_unless_each_has_an_id(folder: Path, one: str, other: str) -> None:
    other = other.format(folder=folder)
    for name, text in (("list.csv", f"path\n{one}\n{other}\n"), ("list.txt", f"{one}\n{other}\n")):
        with pytest.raises(InputError, match=rf"more than once: '{folder}/{one}', under several names; .* an id$"):
            read(folder, text, name)

    assert read(folder, f"path,id\n{one},a\n{other},b\n") == ["a", "b"]


def test_a_packed_list_counts_its_paths_from_its_own_folder(folder: Path) -> None:
    (folder / "list.csv.gz").write_bytes(gzip.compress(b"path\nscans/0000.png\n"))

    run_batch(Request(str(folder / "list.csv.gz"), folder / "out"), EngineHere())

    assert [row["id"] for row in rows(folder / "out")] == ["scans/0000.png"]


def test_a_list_in_utf16_is_refused_as_such(folder: Path) -> None:
    for name in ("list.csv", "list.txt"):
        (folder / name).write_bytes("path\nscans/0000.png\n".encode("utf-16"))
        with pytest.raises(InputError, match=f"{name}, line 1: expected UTF-8 text, found UTF-16") as refusal:
            run_batch(Request(str(folder / name), folder / "out"), EngineHere())
        assert refusal.value.code == "not_utf8"
