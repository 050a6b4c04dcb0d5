"""Of pictures and other data in one folder, nothing is left out in silence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.source import Sizes, Source, find_source
from digit_recognizer.errors import InputError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, names, png

DATA: dict[str, Callable[[Path], Path]] = {
    "a.parquet": lambda path: sources.write_table(path, sources.numbered_columns(frames(3))),
    "a.tar": lambda path: sources.write_tar(path, frames(3)),
    "a.csv": lambda path: sources.write_csv(path, frames(3)),
    "a.csv.gz": lambda path: sources.packed(sources.write_csv(path.with_suffix(""), frames(3))),
    "train-images-idx3-ubyte": lambda path: sources.write_idx(path, frames(3)),
}


def found(source: Path | str) -> tuple[Source, list[str]]:
    one = find_source(str(source), Sizes(), Path("unpacked"))
    return one, [entry.id for entry in one.entries]


@pytest.mark.parametrize("place", [".", "data"])
@pytest.mark.parametrize("kind", DATA)
def test_a_picture_beside_data_of_another_kind_is_refused_and_both_are_named(
    tmp_path: Path, kind: str, place: str
) -> None:
    folder = tmp_path / "mixed" / place
    folder.mkdir(parents=True)
    (tmp_path / "mixed" / "b.png").write_bytes(png(frames(1)[0]))
    DATA[kind](folder / kind)

    for source in (f"{tmp_path}/mixed", f"{tmp_path}/mixed/**/*"):
        with pytest.raises(InputError, match=rf"found (.*/)?b\.png and .*{kind}; give one of the two") as refusal:
            found(source)
        assert refusal.value.code == "mixed_source"


def test_of_pictures_and_tables_in_one_folder_each_is_read_by_a_pattern(tmp_path: Path) -> None:
    sources.write_pictures(tmp_path / "mixed", frames(4))
    DATA["a.parquet"](tmp_path / "mixed" / "a.parquet")

    pictures = run_batch(Request(f"{tmp_path}/mixed/**/*.png", tmp_path / "1"), EngineHere())
    rows = run_batch(Request(f"{tmp_path}/mixed/*.parquet", tmp_path / "2"), EngineHere())

    assert (pictures.tally.read, rows.tally.read) == (4, 3)


def test_a_csv_that_tells_of_the_pictures_beside_it_does_not_stop_them(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    (folder / "labels.csv").write_text("file,label\n0000.png,7\n")
    (folder / "empty.csv").touch()
    (folder / "damaged.csv.gz").write_bytes(b"\x1f\x8bx")

    source, called = found(folder)

    assert called == ["0000.png", "more/0001.png"]
    assert source.facts.passed_over == {"file that is no picture": 3}


def test_pdfs_are_counted_by_their_own_name(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "pictures", frames(2))
    for name in ("a.pdf", "more/b.PDF", "notes.txt"):
        (folder / name).write_bytes(b"%PDF-1.7")
    archive = shutil.make_archive(str(tmp_path / "a"), "tar", folder)

    for source in (folder, archive):
        assert found(source)[0].facts.passed_over == {"file that is no picture": 1, "PDF": 2}


def test_pdfs_alone_are_refused_with_what_reads_them(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / "pages" / name).write_bytes(b"%PDF-1.7")

    for source, told in (("pages", "2 PDFs"), ("pages/*.pdf", "2 PDFs"), ("pages/a.pdf", "a PDF")):
        with pytest.raises(InputError, match=f"found {told}; digits read reads their pages") as refusal:
            found(tmp_path / source)
        assert refusal.value.code == "only_pdf"
    sources.write_tar(tmp_path / "pages" / "c.tar", frames(2))
    assert found(tmp_path / "pages")[1] == [f"c.tar/{name}" for name in names(2)]
