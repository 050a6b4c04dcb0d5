"""Whatever the digits come in, the rows are the same."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.source import Sizes, find_source
from digit_recognizer.apps.batch.tables import ids_of, index_table, read_table
from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError, UsageError
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.pixel_csv import read_pixel_csv
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import answers, errors, frames, names, png, rows

COUNT = 30


def encoded(images: Any) -> list[dict[str, Any]]:
    return [{"bytes": png(image), "path": None} for image in images]


def listed(folder: Path, images: Any) -> Path:
    pictures = sources.write_pictures(folder / "pictures", images)
    found = [*names(COUNT)[: COUNT // 2], *(f"more/{name}" for name in names(COUNT)[COUNT // 2 :])]
    return sources.write_list(folder / "list.csv", pictures, found)


def text_list(folder: Path, images: Any) -> Path:
    pictures = sources.write_pictures(folder / "pictures", images)
    found = sorted(pictures.rglob("*.png"), key=lambda path: path.name)
    (folder / "list.txt").write_text("\n".join(str(path.relative_to(folder)) for path in found))
    return folder / "list.txt"


def path_table(folder: Path, images: Any) -> Path:
    pictures = sources.write_pictures(folder / "pictures", images)
    found = sorted(pictures.rglob("*.png"), key=lambda path: path.name)
    return sources.write_table(folder / "list.parquet", {"file_name": list(map(str, found)), "id": range(COUNT)})


def two_tables(folder: Path, images: Any) -> Path:
    (folder / "tables").mkdir()
    for number, part in enumerate((images[:11], images[11:])):
        sources.write_table(folder / "tables" / f"train-{number}.parquet", {"image": encoded(part)})
    (folder / "tables" / "README.md").write_text("not data")
    return folder / "tables"


def of_excel(path: Path) -> Path:
    """A CSV as Excel writes it where the comma is for decimals."""
    path.write_text("\ufeffsep=;\r\n" + path.read_text().replace(",", ";").replace("\n", "\r\n"), newline="")
    return path


SOURCES: dict[str, Callable[[Path, Any], Path | str]] = {
    "folder": lambda folder, images: sources.write_pictures(folder / "pictures", images),
    "pattern": lambda folder, images: f"{sources.write_pictures(folder / 'p', images)}/**/*.png",
    "list of paths": listed,
    "text of paths": text_list,
    "table of paths": path_table,
    "tar": lambda folder, images: sources.write_tar(folder / "a.tar", images),
    "packed tar": lambda folder, images: sources.packed(sources.write_tar(folder / "a.tar", images)),
    "csv": lambda folder, images: sources.write_csv(folder / "a.csv", images),
    "csv of Excel": lambda folder, images: of_excel(sources.write_csv(folder / "a.csv", images)),
    "packed csv": lambda folder, images: sources.packed(sources.write_csv(folder / "a.csv", images)),
    "idx": lambda folder, images: sources.write_idx(folder / "train-images-idx3-ubyte", images),
    "packed idx": lambda folder, images: sources.packed(sources.write_idx(folder / "train-images-idx3-ubyte", images)),
    "Hugging Face table": lambda folder, images: sources.write_table(folder / "a.parquet", {"image": encoded(images)}),
    "folder of tables": two_tables,
    "table of bytes": lambda folder, images: sources.write_table(
        folder / "a.parquet", {"image": [png(image) for image in images], "id": names(COUNT)}
    ),
    "pixel table": lambda folder, images: sources.write_table(
        folder / "a.parquet", {"pixels": sources.as_pixels(images)}, COUNT
    ),
    "pixel lists": lambda folder, images: sources.write_table(
        folder / "a.parquet", {"image": [image.ravel().tolist() for image in images]}
    ),
    "pixel columns": lambda folder, images: sources.write_table(folder / "a.parquet", sources.numbered_columns(images)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_gives_the_rows_that_the_recognizer_gives(tmp_path: Path, kind: str) -> None:
    images = frames(COUNT)
    source = SOURCES[kind](tmp_path, images)

    result = run_batch(Request(str(source), tmp_path / "out", part_size=8), EngineHere())

    readings = Recognizer().predict(Digits(images))
    assert result.tally.read == COUNT
    assert [digit for digit, _ in answers(tmp_path / "out")] == [reading.digit for reading in readings]
    np.testing.assert_allclose(
        [confidence for _, confidence in answers(tmp_path / "out")],
        [reading.confidence for reading in readings],
        atol=1e-5,  # batches are cut elsewhere
    )
    assert len({row["id"] for row in rows(tmp_path / "out")}) == COUNT
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name != ".lock") == [
        "errors.parquet",
        "inputs.parquet",
        "job.json",
        "manifest.json",
        "parts",
        "summary.html",
    ]


def test_names_are_what_a_person_would_look_for(tmp_path: Path) -> None:
    images = frames(4)
    for kind, source in (
        ("folder", sources.write_pictures(tmp_path / "pictures", images)),
        ("csv", sources.write_csv(tmp_path / "a.csv", images)),
        ("tar", sources.write_tar(tmp_path / "a.tar", images)),
    ):
        run_batch(Request(str(source), tmp_path / kind), EngineHere())
    (tmp_path / "csvs").mkdir()
    sources.write_csv(tmp_path / "csvs" / "b.csv", images[:2])
    run_batch(Request(str(tmp_path / "csvs"), tmp_path / "many"), EngineHere())

    def called(output: str) -> list[str]:
        return [row["id"] for row in rows(tmp_path / output)]

    assert called("folder") == ["0000.png", "0001.png", "more/0002.png", "more/0003.png"]
    assert called("csv") == ["1", "2", "3", "4"]
    assert called("tar") == ["0000.png", "0001.png", "0002.png", "0003.png"]
    assert called("many") == ["b.csv/1", "b.csv/2"]


@pytest.mark.parametrize("cached", ["", "simplecache::"])
@pytest.mark.parametrize(
    ("inside", "called"),
    [
        ("", ["0000.png", "more/0001.png"]),
        ("more", ["0001.png"]),
        ("*.png", ["zip://0000.png"]),
        ("**/*.csv", ["zip://more/a.csv/1", "zip://more/a.csv/2"]),
        ("more/a.csv", ["1", "2"]),
    ],
)
def test_of_a_chain_of_urls_folders_and_patterns_are_read_in_the_last_link(
    tmp_path: Path, cached: str, inside: str, called: list[str]
) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    if "csv" in inside:
        sources.write_csv(folder / "more" / "a.csv", frames(2))
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", folder)

    run_batch(Request(f"zip://{inside}::{cached}file://{archive}", tmp_path / "out"), EngineHere())

    assert errors(tmp_path / "out") == []
    assert [row["id"] for row in rows(tmp_path / "out")] == called


def test_wrong_rows_of_a_csv_are_errors_with_their_numbers_and_the_others_are_read(tmp_path: Path) -> None:
    path = sources.write_csv(tmp_path / "a.csv", frames(9))
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace(",0,", ",300,", 1)
    lines.insert(5, "")
    lines.insert(7, "1,2")
    path.write_text("\r\n".join(lines))  # no line end behind the last

    run_batch(Request(str(path), tmp_path / "out", part_size=4), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "out")] == ["1", "2", "4", "5", "7", "8", "9", "10"]
    found = {row["id"]: row for row in errors(tmp_path / "out")}
    assert found.keys() == {"3", "6"}
    assert found["3"]["code"] == "bad_pixel"
    assert found["3"]["sentence"].startswith("a.csv, row 3, column pixel")
    assert found["6"]["sentence"] == "a.csv, row 6: expected 784 pixel values, found 1"


def test_wrong_cells_of_tables_are_errors(tmp_path: Path) -> None:
    images = frames(5)
    cells: list[Any] = [image.ravel().astype(np.int64) for image in images]
    cells[1] = None
    cells[2] = cells[2][:-1]
    cells[3] = np.where(np.arange(784) == 7, 256, cells[3])
    sources.write_table(tmp_path / "a.parquet", {"pixels": pa.array(cells, pa.list_(pa.int64()))})
    sources.write_table(
        tmp_path / "b.parquet", {"image": [png(images[0]), None, b"GIF89a", png(images[1])], "id": list("abcd")}
    )

    run_batch(Request(str(tmp_path / "a.parquet"), tmp_path / "a"), EngineHere())
    run_batch(Request(str(tmp_path / "b.parquet"), tmp_path / "b"), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "a")] == ["1", "5"]
    assert {row["id"]: row["code"] for row in errors(tmp_path / "a")} == dict.fromkeys("234", "bad_pixels")
    assert [row["id"] for row in rows(tmp_path / "b")] == ["a", "d"]
    assert {row["id"]: row["code"] for row in errors(tmp_path / "b")} == {"b": "empty_file", "c": "truncated_image"}


def test_a_table_that_is_damaged_in_the_middle_costs_its_own_rows_alone(tmp_path: Path) -> None:
    images = frames(20)
    path = sources.write_table(tmp_path / "a.parquet", {"image": encoded(images)}, 5)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 400 : middle + 400] = bytes(800)
    path.write_bytes(content)

    result = run_batch(Request(str(path), tmp_path / "out", part_size=5), EngineHere())

    assert result.tally.read + result.tally.failures == 20
    assert 5 <= result.tally.read < 20
    assert {row["code"] for row in errors(tmp_path / "out")} <= {"damaged", "truncated_image", "unsupported_image"}


def test_what_is_no_regular_file_is_an_error_and_never_waited_for(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere")
    (folder / ".hidden.png").write_bytes(b"x")
    (folder / "loop").symlink_to(folder)

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    assert {row["id"]: row["code"] for row in errors(tmp_path / "out")} == {
        "gone.png": "io_error",
        "pipe.png": "not_a_regular_file",
    }
    assert len(rows(tmp_path / "out")) == 2


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let nobody open files of that name, the super-user included."""
    open_path, open_low = Path.open, os.open

    def checked(path: Any) -> None:
        if os.path.basename(os.fspath(path)) == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))

    def opened(path: Path, *rest: Any, **options: Any) -> Any:
        checked(path)
        return open_path(path, *rest, **options)

    def opened_low(path: Any, *rest: Any, **options: Any) -> int:
        checked(path)
        return open_low(path, *rest, **options)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(os, "open", opened_low)


@pytest.mark.parametrize("name", ["0000", "0001a.png", "zzz"])
def test_a_picture_that_may_not_be_read_is_an_error_and_the_job_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(4))
    (folder / name).write_bytes(png(frames(1)[0]))
    unreadable(monkeypatch, name)

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    (failed,) = errors(tmp_path / "out")
    assert (failed["id"], failed["code"]) == (name, "io_error")
    assert failed["sentence"].endswith(f"{name}: cannot be read (Permission denied)")
    assert len(rows(tmp_path / "out")) == 4


def test_a_link_that_leads_to_itself_is_an_error_and_the_job_goes_on(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(4))
    (folder / "loop.png").symlink_to("loop.png")

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    assert [row["id"] for row in errors(tmp_path / "out")] == ["loop.png"]
    assert len(rows(tmp_path / "out")) == 4


def test_a_note_beside_tables_that_may_not_be_read_does_not_stand_for_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = two_tables(tmp_path, frames(COUNT))
    (folder / "LICENSE").write_text("not data")
    unreadable(monkeypatch, "LICENSE")

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    assert (len(rows(tmp_path / "out")), errors(tmp_path / "out")) == (COUNT, [])


def damaged_gzip(path: Path) -> Path:
    """The file, gzipped, with a checksum that is wrong."""
    target = sources.packed(path)
    content = bytearray(target.read_bytes())
    content[-8] ^= 0xFF
    target.write_bytes(content)
    return target


def test_a_damaged_gzip_file_is_the_fault_of_the_source_alone_and_among_others(tmp_path: Path) -> None:
    path = damaged_gzip(sources.write_csv(tmp_path / "train.csv", frames(3)))
    (tmp_path / "many").mkdir()
    sources.write_csv(tmp_path / "many" / "a.csv", frames(3))
    shutil.copy(path, tmp_path / "many" / "b.csv.gz")

    for source in (path, tmp_path / "many"):
        with pytest.raises(InputError, match=r"[^/]\.csv\.gz: truncated or damaged gzip file \(CRC") as refusal:
            run_batch(Request(str(source), tmp_path / "out"), EngineHere())
        assert refusal.value.code == "truncated"


def test_a_packed_file_that_cannot_be_read_on_is_named_as_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sources.packed(sources.write_csv(tmp_path / "train.csv", frames(3)))

    def fails(*_: Any) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(gzip.GzipFile, "read", fails)
    with pytest.raises(FileError, match=r"train\.csv\.gz: cannot be read \(Input/output error\)"):
        run_batch(Request(str(path), tmp_path / "out"), EngineHere())


def test_gzip_in_gzip_is_read_and_deeper_refused(tmp_path: Path) -> None:
    content = sources.write_csv(tmp_path / "a.csv", frames(3)).read_bytes()
    for depth in range(1, 1500):
        content = gzip.compress(content, 1)
        if depth in (1, 2, 3, 1499):
            path = tmp_path / f"{depth}.csv.gz"
            path.write_bytes(content)
            if depth <= 2:
                assert run_batch(Request(str(path), tmp_path / f"out{depth}"), EngineHere()).tally.read == 3
            else:
                with pytest.raises(InputError, match=rf"{depth}\.csv\.gz: gzip within gzip, more than 2 deep") as deep:
                    run_batch(Request(str(path), tmp_path / f"out{depth}"), EngineHere())
                assert deep.value.code == "nested_gzip"


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_pixels_in_utf16_are_refused_as_digits_predict_refuses_them(tmp_path: Path, coding: str) -> None:
    text = sources.write_csv(tmp_path / "a.csv", frames(3)).read_text()
    (tmp_path / "a.csv").write_bytes(("" if coding == "utf-16" else "\ufeff").encode(coding) + text.encode(coding))

    with pytest.raises(InputError) as here:
        run_batch(Request(str(tmp_path / "a.csv"), tmp_path / "out"), EngineHere())
    with pytest.raises(InputError) as there:
        read_pixel_csv(tmp_path / "a.csv")

    assert str(here.value) == str(there.value).replace(f"{tmp_path}/", "")
    assert here.value.code == there.value.code


def test_names_that_are_not_utf8_are_read_and_told_in_ascii(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    os.rename(folder / "0000.png", os.fsencode(folder) + b"/\xff.png")

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "out")] == ["more/0001.png", "\\udcff.png"][::-1]


def test_tables_are_read_whatever_they_are_called_and_an_output_that_arrow_cannot_open_is_refused(
    tmp_path: Path,
) -> None:
    table = tmp_path / os.fsdecode(b"caf\xe9.parquet")
    sources.write_table(tmp_path / "a.parquet", {"pixels": sources.as_pixels(frames(3))}).rename(table)

    run_batch(Request(str(table), tmp_path / "out"), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "out")] == ["1", "2", "3"]
    with pytest.raises(UsageError, match=r"--output ou\\udce9t: expected a name in UTF-8"):
        Request(str(table), Path(os.fsdecode(b"ou\xe9t")))


def test_an_empty_folder_is_a_finished_job_without_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    result = run_batch(Request(str(tmp_path / "empty"), tmp_path / "out"), EngineHere())

    assert (result.tally.pictures, result.parts) == (0, 0)
    assert (tmp_path / "out" / "manifest.json").exists()
    assert errors(tmp_path / "out") == []


def test_a_list_with_the_same_picture_twice_is_refused_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\na.png\nb.png\na.png\n")

    with pytest.raises(InputError, match=r"more than once: 'a\.png'"):
        run_batch(Request(str(tmp_path / "list.csv"), tmp_path / "out"), EngineHere())


def test_a_table_that_calls_two_rows_the_same_is_refused(tmp_path: Path) -> None:
    path = sources.write_table(
        tmp_path / "a.parquet", {"image": [png(image) for image in frames(3)], "id": ["x", "y", "x"]}
    )

    with pytest.raises(InputError, match="more than once: 'x'"):
        run_batch(Request(str(path), tmp_path / "out"), EngineHere())


def test_names_beyond_a_limit_are_none_of_a_batchs_business(tmp_path: Path) -> None:
    path = sources.write_table(
        tmp_path / "a.parquet", {"image": [png(image) for image in frames(3)], "id": ["x", "y", "x"]}
    )

    assert run_batch(Request(str(path), tmp_path / "out", limit=2), EngineHere()).tally.read == 2


@pytest.mark.parametrize("column", ["id", "name"])
def test_rows_without_a_name_are_called_by_table_and_number_and_are_no_duplicates(tmp_path: Path, column: str) -> None:
    images = frames(6)
    (tmp_path / "tables").mkdir()
    for table, names_in_it in (("a", [None, "x", None]), ("b", ["y", None, None])):
        part = images[:3] if table == "a" else images[3:]
        path = tmp_path / "tables" / f"{table}.parquet"
        sources.write_table(path, {"image": [png(image) for image in part], column: names_in_it}, 2)

    run_batch(Request(str(tmp_path / "tables"), tmp_path / "both"), EngineHere())
    run_batch(Request(str(tmp_path / "tables" / "a.parquet"), tmp_path / "one"), EngineHere())

    called = [row["id"] for row in rows(tmp_path / "both")]
    assert called == ["a.parquet/1", "x", "a.parquet/3", "y", "b.parquet/2", "b.parquet/3"]
    assert [row["id"] for row in rows(tmp_path / "one")] == ["1", "x", "3"]


def test_names_for_duplicates_are_those_of_the_rows_over_many_reads(tmp_path: Path) -> None:
    count = 70_000  # more than are read at a time
    ids = [None if number % 1000 == 7 else f"n{number}" for number in range(count)]
    path = sources.write_table(
        tmp_path / "a.parquet", {"pixels": pa.nulls(count, pa.binary(784)), "id": ids}, rows_of_a_group=30_000
    )

    named = [name for chunk in ids_of(str(path), "a/") for name in chunk]

    assert named == [f"a/{number + 1}" if name is None else name for number, name in enumerate(ids)]
    entries = index_table(str(path), "a/", 8192)
    assert named == [name for entry in entries for block in read_table(entry) for name in block.ids.to_pylist()]


def test_long_headers_are_cut_where_they_are_named(tmp_path: Path) -> None:
    names = [f"column{number}" * 5 for number in range(784)]
    (tmp_path / "a.csv").write_text(",".join(names) + "\n")
    (tmp_path / "b.csv").write_text("|".join(names) + "\n")
    sources.write_table(tmp_path / "c.parquet", {name: [0] for name in names})

    for name in ("a.csv", "b.csv", "c.parquet"):
        with pytest.raises(InputError, match="found column0column0") as refusal:
            list(find_source(str(tmp_path / name), Sizes(), tmp_path / "work").entries)
        assert len(str(refusal.value)) < 500


def test_what_cannot_be_a_source_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "a.csv").write_text("label,value\n1,2\n")
    sources.write_table(tmp_path / "a.parquet", {"x": [1, 2]})
    (tmp_path / "b.csv").write_text("label,pixel0,pixel1\n1,2,3\n")
    (tmp_path / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 0]))

    def entries(name: str) -> None:
        list(find_source(str(tmp_path / name), Sizes(), tmp_path / "work").entries)

    with pytest.raises(InputError, match="expected pictures, a tar of pictures"):
        entries("a.npz")
    with pytest.raises(InputError, match="expected a column of paths"):
        entries("a.csv")
    with pytest.raises(InputError, match="expected a column image"):
        entries("a.parquet")
    with pytest.raises(InputError, match="missing column pixel2"):
        entries("b.csv")
    with pytest.raises(InputError, match="expected an IDX file of unsigned bytes"):
        entries("labels")
    with pytest.raises(FileError, match="nowhere"):
        entries("nowhere")
    with pytest.raises(UsageError, match="no file system"):
        find_source("nosuch://bucket/x", Sizes(), tmp_path / "work")
