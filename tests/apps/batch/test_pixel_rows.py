"""Files of pixels cut into runs give every row once, in order, wherever the cuts and the buffers fall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digit_recognizer.apps.batch import pixel_rows
from digit_recognizer.apps.batch.blocks import ROWS, Block
from digit_recognizer.apps.batch.csv_rows import row_ends
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.tables import index_table, read_table
from digit_recognizer.digits import Images
from digit_recognizer.errors import InputError
from digit_recognizer.sources.pixel_columns import SCHEMES
from digit_recognizer.sources.pixel_csv import read_pixel_csv
from tests.apps.batch.sources import as_pixels, write_idx

HEADER = ",".join(f"pixel{number}" for number in range(784))


def noise(count: int) -> Images:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def joined(blocks: list[Block]) -> Images:
    parts = [block.pixels for block in blocks if block.pixels is not None]
    return np.concatenate([np.zeros((0, 28, 28), np.uint8), *parts])


def called(blocks: list[Block]) -> list[str]:
    return [name for block in blocks for name in block.ids.to_pylist()]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 12), st.integers(1, 5), st.integers(500, 9000), st.data())
def test_a_csv_gives_the_rows_that_its_reader_gives(
    tmp_path: Path, count: int, size: int, buffer: int, data: st.DataObject
) -> None:
    # One kind of line end for all, or one drawn for each line.
    ends = data.draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"], ["\r\r\n"]]))
    separator = data.draw(st.sampled_from(",;\t"))
    blank = st.sampled_from([*ends, (" " if separator == "\t" else " \t") * 50 + ends[0]])
    text = data.draw(st.sampled_from(["", "\ufeff", "\ufeff" + ends[0]]))
    text += data.draw(st.sampled_from(["", f"sep={separator}{ends[0]}", f'"sep={separator}";;{ends[0]}{ends[0]}']))
    text += HEADER.replace(",", separator)
    for image in noise(count):
        text += data.draw(st.sampled_from(ends))
        text += "".join(data.draw(st.lists(blank, max_size=2)))
        text += separator.join(map(str, image.ravel()))
    text += "".join(data.draw(st.lists(blank, max_size=2)))
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_rows, "_BLOCK", buffer)
        entries = list(pixel_rows.index_csv(str(path), "", size))
    whole = list(pixel_rows.index_csv(str(path), "", size))
    blocks = [block for entry in entries for block in pixel_rows.read_csv(entry)]

    assert entries == whole
    assert [entry.rows for entry in entries] == [size] * (count // size) + [count % size] * (count % size > 0)
    np.testing.assert_array_equal(joined(blocks), read_pixel_csv(path).images)
    assert called(blocks) == [str(number) for number in range(1, count + 1)]


def test_a_change_in_the_middle_of_a_csv_changes_the_mark_of_its_run(tmp_path: Path) -> None:
    def marks(value: str) -> list[str]:
        rows = [",".join(["0"] * 784) for _ in range(6)]
        rows[3] = rows[3].replace("0,0", f"{value},0", 1)
        (tmp_path / "a.csv").write_text("\n".join([HEADER, *rows]))
        return [entry.mark for entry in pixel_rows.index_csv(str(tmp_path / "a.csv"), "", 2)]

    before, after = marks("1"), marks("2")

    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_csv_that_has_shrunk_since_it_was_listed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n" + f"{','.join(['0'] * 784)}\n" * 4)
    (entry,) = pixel_rows.index_csv(str(path), "", 10)
    path.write_text(f"{HEADER}\n" + f"{','.join(['0'] * 784)}\n" * 2)

    with pytest.raises(InputError, match="has changed since the job began: expected 4 rows from row 1 on, found 2"):
        list(pixel_rows.read_csv(entry))


ZEROS = ",".join(["0"] * 784)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("0,0", "0\r,", 1), "as many with other content"),
        (lambda text: text.replace(f"{ZEROS}\n", f"{ZEROS[:-2]}\n0\n", 1), "expected 4 rows .* found 5"),
        (lambda text: text.replace("pixel1,pixel2,", "pixel2,pixel1,"), "as many with other content"),
        (lambda text: text.replace("0,0", "1,0", 1), "as many with other content"),
    ],
)
def test_a_csv_that_has_changed_under_the_same_size_is_told_and_never_cut_off(
    tmp_path: Path, change: Callable[[str], str], told: str
) -> None:
    path = tmp_path / "a.csv"
    text = f"{HEADER}\n" + f"{ZEROS}\n" * 4
    path.write_text(text)
    (entry,) = pixel_rows.index_csv(str(path), "", 10)
    path.write_bytes(change(text).encode()[: len(text)])

    with pytest.raises(InputError, match=told) as refusal:
        list(pixel_rows.read_csv(entry))
    assert refusal.value.code == "changed"


@pytest.mark.parametrize(
    ("end", "cell"),  # of lines that end in CR, a first cell alone may as well be the last one of the row above
    [(end, cell) for end in ("\n", "\r\n", "\r") for cell in (0, 1, 400, 783) if (end, cell) != ("\r", 0)],
)
@pytest.mark.parametrize("buffer", [700, 2**20])
def test_a_cr_inside_a_row_is_one_wrong_row_and_the_others_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, cell: int, buffer: int
) -> None:
    images = noise(9)
    lines = [",".join(map(str, image.ravel())) for image in images]
    for row in (2, 6):
        cells = lines[row].split(",")
        cells[cell] = f"1\r{cells[cell]}" if cell % 783 else f"{cells[cell]}\r1"
        lines[row] = ",".join(cells)
    (tmp_path / "a.csv").write_bytes(end.join([HEADER, *lines]).encode())
    monkeypatch.setattr(pixel_rows, "_BLOCK", buffer)

    for size in (4, 100):
        entries = list(pixel_rows.index_csv(str(tmp_path / "a.csv"), "", size))
        blocks = [block for entry in entries for block in pixel_rows.read_csv(entry)]

        assert called(blocks) == [str(number) for number in range(1, 10)]
        failed = {block.ids[place].as_py(): error for block in blocks for place, error in block.failed.items()}
        assert failed.keys() == {"3", "7"}
        assert str(failed["3"]) == "a.csv, row 3: expected one line, found a carriage return (CR) in its middle"
        np.testing.assert_array_equal(joined(blocks), np.delete(images, [2, 6], axis=0))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["1,2,3", "1", "1,2", ",", " ", "", "1,2,3,4", "\x1c"]), max_size=12),
    st.sampled_from([b",", b";", b"\t"]),
    st.data(),
)
def test_rows_end_in_the_same_places_however_the_bytes_come(
    pieces: list[str], separator: bytes, data: st.DataObject
) -> None:
    text = "".join(piece + data.draw(st.sampled_from(["\n", "\r", "\r\n", ""])) for piece in pieces).encode()
    text = text.replace(b",", separator)
    whole = row_ends(text, 2, separator, last=True)[0].tolist()

    found, rest, begin = [], b"", 0
    for place in range(len(text) + 1):
        rest += text[place : place + 1]
        ends, decided = row_ends(rest, 2, separator, last=place == len(text))
        found += (ends + begin).tolist()
        rest, begin = rest[decided:], begin + decided

    assert found == whole
    starts = [0, *whole]
    for first in range(len(whole)):  # from any row on, and up to any row
        for last in range(first + 1, len(whole) + 1):
            part = row_ends(text[starts[first] : starts[last]], 2, separator, last=True)[0] + starts[first]
            assert part.tolist() == whole[first:last]


def test_a_separator_that_nobody_reads_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"\nsep=|\n{HEADER}\n{ZEROS}\n")

    with pytest.raises(InputError, match=r"^a\.csv, line 2: expected cells separated by , or ; or tabs, found sep=\|"):
        list(pixel_rows.index_csv(str(tmp_path / "a.csv"), "", 10))


def test_an_idx_file_gives_its_images_over_several_blocks_and_emnist_is_turned(tmp_path: Path) -> None:
    images = noise(2 * ROWS + 300)
    for name, expected in (("images-ubyte", images), ("emnist-images-ubyte", images.transpose(0, 2, 1))):
        path = write_idx(tmp_path / name, images)
        entries = list(pixel_rows.index_idx(str(path), "x/", ROWS + 100))
        blocks = [block for entry in entries for block in pixel_rows.read_idx(entry)]
        np.testing.assert_array_equal(joined(blocks), expected)
        assert called(blocks) == [f"x/{number}" for number in range(1, len(images) + 1)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 60), st.integers(1, 70), st.integers(1, 70))
def test_a_table_gives_its_rows_however_its_groups_lie(tmp_path: Path, count: int, group: int, size: int) -> None:
    images = noise(count)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"pixels": as_pixels(images)}), path, row_group_size=group)

    entries = list(index_table(str(path), "", size))
    blocks = [block for entry in entries for block in read_table(entry)]

    assert max(entry.rows for entry in entries) <= size
    assert [entry.start for entry in entries[1:]] == [entry.stop for entry in entries[:-1]]
    np.testing.assert_array_equal(joined(blocks), images)
    assert called(blocks) == [str(number) for number in range(1, count + 1)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pixels_in_columns_are_found_by_every_name_that_a_csv_may_give_them(
    tmp_path: Path, scheme: tuple[str, ...]
) -> None:
    images = noise(5)
    flat = images.reshape(5, -1)
    columns = {name.capitalize(): flat[:, place] for place, name in reversed(list(enumerate(scheme)))}
    pq.write_table(pa.table({"id": list("abcde"), **columns, "class": list(range(5))}), tmp_path / "a.parquet")

    blocks = [block for entry in index_table(str(tmp_path / "a.parquet"), "", 3) for block in read_table(entry)]

    np.testing.assert_array_equal(joined(blocks), images)
    assert called(blocks) == list("abcde")


def test_columns_of_pixels_that_are_not_whole_are_refused_in_a_short_sentence(tmp_path: Path) -> None:
    pq.write_table(pa.table({name: [0] for name in SCHEMES[0] if name != "pixel7"}), tmp_path / "a.parquet")

    with pytest.raises(InputError, match="missing column pixel7; expected pixel0 … pixel783"):
        list(index_table(str(tmp_path / "a.parquet"), "", 3))


def test_a_run_may_be_cut_short_by_a_limit(tmp_path: Path) -> None:
    images = noise(20)
    pq.write_table(pa.table({"pixels": as_pixels(images)}), tmp_path / "a.parquet", row_group_size=7)

    blocks = list(read_table(Entry("", str(tmp_path / "a.parquet"), 3, 19, rows=6, first=4)))

    np.testing.assert_array_equal(joined(blocks), images[3:9])
