"""Files of pixels cut into runs give every row once, in order, wherever the cuts and the buffers fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digit_recognizer.apps.batch import pixel_rows
from digit_recognizer.apps.batch.blocks import ROWS, Block
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.tables import index_table, read_table
from digit_recognizer.digits import Images
from digit_recognizer.errors import InputError
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
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    lines = [HEADER]
    for image in noise(count):
        lines += [""] * data.draw(st.sampled_from([0, 0, 1, 2]))
        lines.append(",".join(map(str, image.ravel())))
    text = data.draw(st.sampled_from(["", "\ufeff"])) + end.join(lines) + data.draw(st.sampled_from(["", end, end * 2]))
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

    with pytest.raises(InputError, match="expected 4 rows as when the job began, found 2"):
        list(pixel_rows.read_csv(entry))


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


def test_a_run_may_be_cut_short_by_a_limit(tmp_path: Path) -> None:
    images = noise(20)
    pq.write_table(pa.table({"pixels": as_pixels(images)}), tmp_path / "a.parquet", row_group_size=7)

    blocks = list(read_table(Entry("", str(tmp_path / "a.parquet"), 3, 19, rows=6, first=4)))

    np.testing.assert_array_equal(joined(blocks), images[3:9])
