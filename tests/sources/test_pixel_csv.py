"""Every way in which a CSV of pixels can be right or wrong, and two independent readers as witnesses."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.sources import pixel_csv
from digit_recognizer.sources.pixel_csv import MAX_LINE, check_unpacked, read_pixel_csv
from tests.conftest import draw_digits

PIXELS = [f"pixel{i}" for i in range(784)]


def csv_text(digits: Digits, *, pixels: list[str] = PIXELS, label: str = "label") -> str:
    """The digits as Kaggle writes them: a header, a row a picture, LF."""
    columns = digits.images.reshape(len(digits), -1)
    names = pixels
    if digits.labels is not None:
        columns = np.column_stack([digits.labels, columns])
        names = [label, *pixels]
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in columns.tolist())]) + "\n"


def with_cell(text: str, line: int, column: str, value: str) -> str:
    """The same text with one cell replaced; lines count from 1, the header included."""
    lines = text.split("\n")
    cells = lines[line - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[line - 1] = ",".join(cells)
    return "\n".join(lines)


def same(left: Digits, right: Digits) -> bool:
    return left.fingerprint() == right.fingerprint() and (left.labels is None) == (right.labels is None)


def refusal(content: str | bytes, **options: int) -> InputError:
    """The error that reading ``content`` ends in."""
    with pytest.raises(InputError) as caught:
        read_pixel_csv(content.encode() if isinstance(content, str) else content, name="train.csv", **options)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def text(digits: Digits) -> str:
    return csv_text(digits)


# What is read


def test_labelled_and_unlabelled_rows_come_back_as_they_were_written(digits: Digits) -> None:
    unlabelled = Digits(digits.images)
    assert same(read_pixel_csv(csv_text(digits).encode()), digits)
    assert same(read_pixel_csv(csv_text(unlabelled).encode()), unlabelled)


def test_path_bytes_and_stream_give_the_same_digits(text: str, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(text)
    with path.open("rb") as stream:
        from_stream = read_pixel_csv(stream)
    assert same(from_stream, read_pixel_csv(path))
    assert same(from_stream, read_pixel_csv(str(path)))
    assert same(from_stream, read_pixel_csv(text.encode()))


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(lambda text: ("\ufeff" + text).encode(), id="BOM"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(lambda text: text.replace("\n", "\r").encode(), id="CR"),
        pytest.param(lambda text: text.rstrip("\n").encode(), id="no final newline"),
        pytest.param(lambda text: ("\n" + text.replace("\n", "\n\n") + " \n\n").encode(), id="blank lines"),
        pytest.param(lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text).encode(), id="quotes"),
        pytest.param(lambda text: text.replace(",", " , ").encode(), id="spaces"),
        pytest.param(lambda text: text.upper().encode(), id="upper case header"),
        pytest.param(lambda text: text.replace("label", "class").encode(), id="class for label"),
        pytest.param(lambda text: text.replace("label", "digit").encode(), id="digit for label"),
        pytest.param(lambda text: gzip.compress(text.encode()), id="gzip"),
        pytest.param(
            lambda text: gzip.compress(text[:9000].encode()) + gzip.compress(text[9000:].encode()), id="two gzips"
        ),
        pytest.param(lambda text: text.replace(",0", ",0.0").replace(",255", ",+255.").encode(), id="decimals"),
    ],
)
def test_the_same_digits_in_another_dress_come_out_the_same(
    variant: Callable[[str], bytes], text: str, digits: Digits
) -> None:
    assert same(read_pixel_csv(variant(text)), digits)


@pytest.mark.parametrize(
    "names",
    [
        [f"pixel{i}" for i in range(1, 785)],
        [f"pixel_{i}" for i in range(784)],
        [f"pixel_{i}" for i in range(1, 785)],
        [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)],
    ],
    ids=["pixel1 to pixel784", "pixel_0 to pixel_783", "pixel_1 to pixel_784", "1x1 to 28x28"],
)
def test_other_names_of_the_pixels_are_known(names: list[str], digits: Digits) -> None:
    assert same(read_pixel_csv(csv_text(digits, pixels=names).encode()), digits)


def test_columns_in_any_order_are_found_by_name(text: str, digits: Digits) -> None:
    frame = pd.read_csv(io.StringIO(text))
    shuffled = frame.sample(frac=1, axis=1, random_state=3)
    assert list(shuffled.columns) != list(frame.columns)
    assert same(read_pixel_csv(shuffled.to_csv(index=False).encode()), digits)


def test_what_pandas_writes_as_floats_pandas_and_we_read_alike(text: str) -> None:
    floats = pd.read_csv(io.StringIO(text)).astype(float).to_csv(index=False)
    expected = pd.read_csv(io.StringIO(floats))
    ours = read_pixel_csv(floats.encode())
    assert "255.0" in floats or ".0" in floats
    assert np.array_equal(ours.images.reshape(len(ours), -1), expected[PIXELS].to_numpy())
    assert np.array_equal(ours.known_labels(), expected["label"])


def test_many_blocks_agree_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    text = csv_text(draw_digits(300, seed=5)).replace("\n", "\r\n")
    expected = pd.read_csv(io.StringIO(text))
    for block in (1, 997, 65536):  # a block may end anywhere, between CR and LF too
        monkeypatch.setattr(pixel_csv, "_BLOCK", block)
        part = text if block > 1 else text[: text.index("\r\n", 9000) + 2]
        ours = read_pixel_csv(part.encode())
        assert np.array_equal(ours.images.reshape(len(ours), -1), expected[PIXELS].to_numpy()[: len(ours)])
        assert np.array_equal(ours.known_labels(), expected["label"][: len(ours)])
        assert len(ours) == len(part.split("\r\n")) - 2


def test_the_fast_road_and_the_careful_road_agree(text: str, digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the careful road was taken for plain numbers")

    with monkeypatch.context() as patch:
        patch.setattr(pixel_csv, "_careful_rows", refuse)
        fast = read_pixel_csv(text.encode())
    monkeypatch.setattr(pixel_csv, "_plain_rows", lambda *_: None)
    assert same(fast, read_pixel_csv(text.encode()))
    assert same(fast, digits)


# What is refused, and where


@pytest.mark.parametrize(
    "value", ["NaN", "", "  ", "abc", "1e3", "1E1", "12.5", "-1", "-0", "256", "inf", "0x10", "1_0", "٣", "9" * 5000]
)
@pytest.mark.parametrize("line", [2, 17, 101])
def test_a_pixel_that_is_no_whole_number_from_0_to_255_is_named(value: str, line: int, text: str) -> None:
    error = refusal(with_cell(text, line, "pixel300", value))
    found = repr(value[:40]) if value.strip() else "an empty cell"
    assert str(error) == (
        f"train.csv, line {line}, column pixel300: expected a whole number from 0 to 255, found {found}"
    )
    assert error.code == "bad_pixel"
    assert error.exit_code == 3


@pytest.mark.parametrize("value", ["10", "-1", "3.5", "", "seven", "255", "256"])
def test_a_label_that_is_no_digit_is_named(value: str, text: str) -> None:
    error = refusal(with_cell(text, 40, "label", value))
    found = repr(value) if value else "an empty cell"
    assert str(error) == f"train.csv, line 40, column label: expected a whole number from 0 to 9, found {found}"
    assert error.code == "bad_label"


def test_the_first_of_two_wrong_cells_is_named_by_its_own_column(text: str) -> None:
    twice = with_cell(with_cell(text, 9, "pixel700", "x"), 9, "pixel20", "y")
    assert "line 9, column pixel20: " in str(refusal(with_cell(twice, 12, "pixel0", "z")))


@pytest.mark.parametrize(("cut", "found"), [(lambda row: row.rsplit(",", 1)[0], 783), (lambda row: row + ",7", 785),
                                            (lambda row: row + ",", 785), (lambda row: row.replace(",", ",,", 1), 785),
                                            (lambda row: row.split(",")[0], 0)])  # fmt: skip
@pytest.mark.parametrize("labelled", [True, False])
def test_a_row_of_another_length_is_named_with_its_line(
    cut: Callable[[str], str], found: int, labelled: bool, digits: Digits
) -> None:
    lines = csv_text(digits if labelled else Digits(digits.images)).split("\n")
    lines[16] = cut(lines[16])
    found += found == 0 and not labelled
    error = refusal("\n".join(lines))
    assert str(error) == f"train.csv, line 17: expected 784 pixel values, found {found}"
    assert error.code == "bad_row"


def test_a_thousands_comma_is_refused_quoted_or_not(text: str) -> None:
    assert "line 5: expected 784 pixel values, found 785" in str(refusal(with_cell(text, 5, "pixel7", "1,234")))
    assert "line 5, column pixel7: " in str(refusal(with_cell(text, 5, "pixel7", '"1,234"')))


def test_every_row_cut_short_alike_is_refused_at_the_first(text: str) -> None:
    lines = text.strip().split("\n")
    error = refusal("\n".join([lines[0], *(line.rsplit(",", 1)[0] for line in lines[1:])]))
    assert str(error) == "train.csv, line 2: expected 784 pixel values, found 783"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [1000, 2**20])
def test_line_numbers_count_blank_lines_and_every_kind_of_line_end(
    newline: str, block: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_csv, "_BLOCK", block)
    lines = with_cell(text, 60, "pixel5", "oops").split("\n")
    spaced = ["", *lines[:30], "", "", *lines[30:]]
    error = refusal(newline.join(spaced).encode())
    assert str(error).startswith(f"train.csv, line {spaced.index(lines[59]) + 1}, column pixel5: ")


def test_a_quote_left_open_is_named(text: str) -> None:
    assert str(refusal(with_cell(text, 6, "pixel7", '"12'))).startswith(
        "train.csv, line 6: a quoted cell is not closed"
    )
    assert refusal(with_cell(text, 6, "pixel7", '"12\n"')).code == "bad_row"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda names: [n for n in names if n != "pixel17"], "missing column pixel17; "),
        (lambda names: names[:-10], "missing column pixel774, pixel775, pixel776, pixel777, pixel778 and 5 more; "),
        (lambda names: [*names[:3], "pixel1", *names[4:]], "missing column pixel2; duplicate column pixel1; expected "),
        (lambda names: [*names, "pixel17"], "duplicate column pixel17; "),
        (lambda names: [*names, "label"], "duplicate column label; expected "),
        (lambda names: [*names, "class"], "second label column class; "),
        (lambda names: [*names, "id"], "unknown column id; "),
        (lambda names: [*names, ""], "column 786 has no name: do the lines end with a separator? take it off"),
        (lambda names: ["", *names], "column 1 has no name: an index column? write it with index=False"),
        (lambda names: ["Unnamed: 0", *names], "column 1 is called 'unnamed: 0': an index column? write it with index"),
        (lambda names: ["ImageId", "Label"], "expected columns pixel0 … pixel783, with or without label, found image"),
        (lambda names: ["|".join(names)], "expected columns pixel0 … pixel783, with or without label, found label|"),
    ],
)  # fmt: skip
def test_a_header_with_other_columns_is_refused_naming_them(
    change: Callable[[list[str]], list[str]], problem: str
) -> None:
    names = change(["label", *PIXELS])
    error = refusal(f"{','.join(names)}\n{','.join('0' for _ in names)}\n")
    assert str(error).startswith(f"train.csv, line 1: {problem}")
    assert len(str(error)) < 250
    assert error.code == "bad_header"


@pytest.mark.parametrize("before", ["", "sep={}\n", '"sep={}"\r\n', "\ufeffsep={}\n\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_semicolons_and_tabs_say_the_same_as_commas(text: str, before: str, separator: str, quote: str) -> None:
    cells = [line.split(",") for line in text.splitlines()]
    other = "".join(separator.join(f"{quote}{cell}{quote}" for cell in row) + "\r\n" for row in cells)
    found = read_pixel_csv((before.format(separator) + other).encode())
    assert found.fingerprint() == read_pixel_csv(text.encode()).fingerprint()


def test_a_separator_that_is_none_of_these_is_refused(text: str) -> None:
    error = refusal("sep=|\n" + text.replace(",", "|"))
    assert str(error) == "train.csv, line 1: expected cells separated by , or ; or tabs, found sep=|"
    assert "line 2: expected columns" in str(refusal("sep=;\n" + text))  # a comma is then part of a name


@pytest.mark.parametrize("value", ["0.5", ".996078", "3.9e-03"])
def test_a_value_between_0_and_1_is_refused_with_what_to_do(text: str, value: str) -> None:
    message = str(refusal(with_cell(text, 6, "pixel7", value)))
    assert message.endswith(f"from 0 to 255, found '{value}'; are these 0 to 1? multiply them by 255")
    assert "multiply" not in str(refusal(with_cell(text, 6, "pixel7", "17.5")))
    assert "multiply" not in str(refusal(with_cell(text, 6, "label", value)))


def test_a_file_without_a_header_is_told_so(text: str) -> None:
    error = refusal(text.split("\n", 1)[1])
    assert str(error).startswith("train.csv, line 1: expected a header (pixel0 … pixel783")
    assert error.code == "no_header"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n", gzip.compress(b"")])
def test_an_empty_file_is_told_so(content: bytes) -> None:
    assert refusal(content).code == "empty_file"


@pytest.mark.parametrize("end", ["", "\n", "\n\n  \n"])
def test_a_header_without_rows_is_told_so(end: str) -> None:
    assert refusal(",".join(PIXELS) + end).code == "no_rows"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_not_utf8(encoding: str, text: str) -> None:
    error = refusal(text.encode(encoding))
    assert str(error).startswith("train.csv, line 1: expected UTF-8 text")
    assert error.code == "not_utf8"


@pytest.mark.parametrize("wrong", [b"\0", b"\xff", b"\xe9", b"\xed\xb0\x80"])
@pytest.mark.parametrize("block", [1000, 2**20])
def test_a_byte_that_is_no_text_is_named_with_its_line(
    wrong: bytes, block: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_csv, "_BLOCK", block)
    lines = text.encode().split(b"\n")
    lines[66] += wrong
    error = refusal(b"\r".join(lines))
    assert str(error) == f"train.csv, line 67: expected UTF-8 text, found the byte 0x{wrong[0]:02x}"
    assert error.code == "not_utf8"


def test_random_bytes_are_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 300_000, np.uint8).tobytes()
    assert refusal(noise).code == "not_utf8"


class EndlessLine(io.RawIOBase):
    """A stream of one line of ``size`` digits that is never held; what was read of it is counted."""

    def __init__(self, size: int) -> None:
        self.size, self.position = size, 0

    def read(self, size: int = -1) -> bytes:
        count = min(size, self.size - self.position)
        self.position += count
        return b"1" * count

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset
        return offset


def test_a_line_of_a_gibibyte_is_refused_after_its_first_part() -> None:
    stream = EndlessLine(2**30)
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        read_pixel_csv(stream, name="train.csv")  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value) == "train.csv, line 1: longer than 65,536 characters"
    assert caught.value.code == "line_too_long"
    assert stream.tell() <= 2**21
    assert peak < 30 * 2**20


@pytest.mark.parametrize("block", [1000, 2**20])
def test_the_limit_of_a_line_is_exact_wherever_a_block_ends(
    block: int, text: str, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_csv, "_BLOCK", block)
    lines = text.split("\n")
    at_limit = lines[10].rjust(MAX_LINE)
    assert same(read_pixel_csv("\n".join([*lines[:10], at_limit, *lines[11:]]).encode()), digits)
    error = refusal("\n".join([*lines[:10], " " + at_limit, *lines[11:]]))
    assert str(error).startswith("train.csv, line 11: longer than")


def test_a_damaged_byte_is_refused_or_read_as_the_csv_module_reads_it() -> None:
    whole = csv_text(draw_digits(3, seed=9)).encode()
    rng = random.Random(11)
    refused = 0
    for _ in range(800):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 1, 3])):
            content[rng.randrange(6000, len(content))] = rng.choice([*b'0123456789,.\n\r" +-e', rng.randrange(256)])
        try:
            ours = read_pixel_csv(bytes(content))
        except InputError:
            refused += 1
            continue
        header, *rows = [row for row in csv.reader(content.decode().splitlines(), skipinitialspace=True) if row]
        assert [cell.strip().lower() for cell in header] == ["label", *PIXELS]
        table = np.array(rows, float)
        assert np.array_equal(ours.images.reshape(len(ours), -1), table[:, 1:])
        assert np.array_equal(ours.known_labels(), table[:, 0])
    assert 200 < refused < 750


# Compressed text


def test_a_gzip_cut_short_anywhere_is_refused(text: str) -> None:
    packed = gzip.compress(text.encode())
    for size in [2, 5, 11, *range(20, len(packed), len(packed) // 16), len(packed) - 1]:
        assert refusal(packed[:size]).code == "bad_gzip"


def test_a_gzip_with_a_flipped_checksum_is_refused(text: str) -> None:
    packed = bytearray(gzip.compress(text.encode()))
    packed[-5] ^= 1
    assert refusal(bytes(packed)).code == "bad_gzip"


def test_gzip_may_not_grow_beyond_the_limit(text: str, digits: Digits) -> None:
    packed = gzip.compress(text.encode())
    assert same(read_pixel_csv(packed, max_unpacked=len(text)), digits)
    assert refusal(packed, max_unpacked=len(text) - 1).code == "too_large"


def test_gzip_bombs_are_refused_by_their_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_csv, "SMALL", 2**20)
    header = ",".join(PIXELS) + "\n"
    blank = (",".join(["0"] * 784) + "\n") * 3000
    assert refusal(gzip.compress((header + blank).encode())).code == "too_large"
    assert refusal(gzip.compress(b"0" * 2**25)).code == "line_too_long"
    with pytest.raises(InputError, match="x: unpacks to more than 100 times"):
        check_unpacked("x", 1000, 2**20 + 1)


# Files


def test_a_missing_file_and_a_folder_are_file_errors(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"train\.csv: cannot be read") as missing:
        read_pixel_csv(tmp_path / "train.csv")
    with pytest.raises(FileError, match="expected a file, this is a folder") as folder:
        read_pixel_csv(tmp_path)
    assert missing.value.exit_code == folder.value.exit_code == 5
    assert folder.value.code == "not_a_regular_file"


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "train.csv")
    with pytest.raises(FileError, match="not a regular file"):
        read_pixel_csv(tmp_path / "train.csv")


def test_a_path_is_called_by_itself_and_by_another_name_on_request(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(",".join(PIXELS))
    with pytest.raises(InputError, match=f"^{path}: "):
        read_pixel_csv(path)
    with pytest.raises(InputError, match=r"^upload: "):
        read_pixel_csv(path, name="upload")


def test_the_real_train_csv_is_read_as_the_csv_module_reads_it(real_data: Path) -> None:
    archive = zipfile.ZipFile(real_data / "digit-recognizer.zip")
    with archive, archive.open("train.csv") as stream:
        digits = read_pixel_csv(stream, name="train.csv")
        stream.seek(0)
        rows = csv.reader(io.TextIOWrapper(stream))
        next(rows)
        first = np.array([next(rows) for _ in range(1000)], np.int64)
    assert digits.counts().tolist() == [4132, 4684, 4177, 4351, 4072, 3795, 4137, 4401, 4063, 4188]
    assert np.array_equal(digits.labels[:1000], first[:, 0])
    assert np.array_equal(digits.images[:1000].reshape(1000, -1), first[:, 1:])


# Wrong rows left out


def test_wrong_rows_are_left_out_where_that_is_asked_and_each_is_told(text: str, digits: Digits) -> None:
    wrong = with_cell(text, 4, "pixel5", "")
    wrong = with_cell(wrong, 6, "label", "10")
    lines = wrong.split("\n")
    lines[8] += ",0"
    lines[9] = '"' + lines[9]
    told: list[str] = []
    found = read_pixel_csv("\n".join(lines).encode(), name="train.csv", on_bad_row=lambda e: told.append(str(e)))
    assert [re.sub(r"(line \d+).*", r"\1", sentence) for sentence in told] == [
        f"train.csv, line {line}" for line in (4, 6, 9, 10)
    ]
    kept = [place for place in range(len(digits)) if place + 2 not in (4, 6, 9, 10)]
    assert same(found, digits.take(kept))
    assert found.names == tuple(f"image {place + 1}" for place in kept)


def test_wrong_rows_are_counted_across_the_blocks_of_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_csv, "_BLOCK", 5000)  # two rows or three
    digits = draw_digits(40, seed=3)
    wrong = csv_text(digits)
    for line in (2, 17, 41):
        wrong = with_cell(wrong, line, "pixel0", "NaN")
    told: list[str] = []
    found = read_pixel_csv(wrong.encode(), on_bad_row=lambda e: told.append(str(e)))
    kept = [place for place in range(40) if place + 2 not in (2, 17, 41)]
    assert same(found, digits.take(kept))
    assert found.names == tuple(f"image {place + 1}" for place in kept)
    assert len(told) == 3


def test_rows_without_labels_are_known_by_their_place_so_none_is_left_out(digits: Digits) -> None:
    wrong = with_cell(csv_text(Digits(digits.images)), 3, "pixel7", "x")
    with pytest.raises(InputError, match="line 3, column pixel7"):
        read_pixel_csv(wrong.encode(), on_bad_row=lambda error: None)


def test_a_file_none_of_whose_rows_is_right_is_refused(digits: Digits) -> None:
    wrong = re.sub(r"(?m)^\d+,", "11,", csv_text(digits))
    with pytest.raises(InputError, match=f"none of {len(digits)} can be used") as caught:
        read_pixel_csv(wrong.encode(), on_bad_row=lambda error: None)
    assert caught.value.code == "no_rows"


def test_where_every_row_is_right_nothing_is_left_out_and_nothing_is_named(text: str, digits: Digits) -> None:
    found = read_pixel_csv(text.encode(), on_bad_row=lambda error: pytest.fail(str(error)))
    assert same(found, digits)
    assert found.names is None
