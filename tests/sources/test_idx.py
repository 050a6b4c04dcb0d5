"""IDX files become arrays and Digits, or one named error."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.sources.idx import has_idx_files, looks_like_idx, read_idx, read_idx_file, read_idx_folder
from tests.conftest import draw_digits

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(folder: Path, digits: Digits, part: str = "train", packed: bool = False, dot: str = "-") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, content in (("images-idx3", digits.images), ("labels-idx1", digits.known_labels().astype(np.uint8))):
        data = idx(content)
        name = f"{part}-{kind}-ubyte".replace("-idx", f"{dot}idx")
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


def same(found: Digits | None, expected: Digits) -> bool:
    return found is not None and found.fingerprint() == expected.fingerprint()


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path.name}: ")
    return caught.value


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("place", ["", "MNIST/raw", "raw"])
def test_a_folder_gives_both_parts(tmp_path: Path, packed: bool, dot: str, place: str) -> None:
    train, test = draw_digits(30), draw_digits(20, seed=1)
    write(tmp_path / place, train, "train", packed, dot)
    write(tmp_path / place, test, "t10k", packed, dot)
    assert has_idx_files(tmp_path)
    found = read_idx_folder(tmp_path)
    assert same(found.train, train)
    assert same(found.test, test)


def test_the_published_files_are_read_whole(real_data: Path) -> None:
    train = read_idx_folder(real_data / "mnist").labelled()
    assert train.counts().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    content = struct.pack(">IIII", 0x803, 60000, 28, 28) + train.images.tobytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"


def test_gzip_is_known_by_content_and_not_by_name(tmp_path: Path) -> None:
    values = np.arange(5, dtype=np.uint8)
    (tmp_path / LABELS).write_bytes(gzip.compress(idx(values)))
    (tmp_path / f"{IMAGES}.gz").write_bytes(idx(values))
    assert read_idx(tmp_path / LABELS).tolist() == [0, 1, 2, 3, 4]
    assert read_idx(tmp_path / f"{IMAGES}.gz").tolist() == [0, 1, 2, 3, 4]


def test_files_with_each_others_name_are_set_right(tmp_path: Path) -> None:
    digits = draw_digits(12)
    write(tmp_path, digits)
    (tmp_path / IMAGES).rename(tmp_path / "kept")
    (tmp_path / LABELS).rename(tmp_path / IMAGES)
    (tmp_path / "kept").rename(tmp_path / LABELS)
    assert same(read_idx_folder(tmp_path).train, digits)
    assert same(read_idx_file(tmp_path / IMAGES).train, digits)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_one_file_finds_its_partner(tmp_path: Path, name: str) -> None:
    write(tmp_path, draw_digits(12))
    found = read_idx_file(tmp_path / name)
    assert same(found.train, draw_digits(12))
    assert found.test is None


def test_a_test_file_becomes_the_test_part_and_finds_a_gzipped_partner(tmp_path: Path) -> None:
    write(tmp_path, draw_digits(12), "t10k")
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    labels.with_suffix(".gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.with_suffix(".gz").rename(tmp_path / "t10k-labels-idx1-ubyte.gz")
    labels.unlink()
    found = read_idx_file(tmp_path / "t10k-images-idx3-ubyte")
    assert found.train is None
    assert same(found.test, draw_digits(12))


def test_images_alone_become_an_unlabelled_test_part(tmp_path: Path) -> None:
    (tmp_path / "scans.idx").write_bytes(idx(draw_digits(3).images))
    found = read_idx_file(tmp_path / "scans.idx")
    assert found.train is None
    assert same(found.test, draw_digits(3, labelled=False))


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    digits = draw_digits(10)
    write(tmp_path, Digits(digits.images.transpose(0, 2, 1).copy(), digits.labels), "emnist-digits-train")
    assert same(read_idx_folder(tmp_path).train, digits)


def test_two_data_sets_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path, draw_digits(10), "emnist-digits-train")
    write(tmp_path, draw_digits(10), "train")
    with pytest.raises(InputError, match="name one file"):
        read_idx_folder(tmp_path)


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    write(tmp_path, draw_digits(10))
    (tmp_path / LABELS).rename(tmp_path / "away")
    with pytest.raises(InputError, match=f"labels beside .*{IMAGES}"):
        read_idx_folder(tmp_path)
    (tmp_path / IMAGES).unlink()
    (tmp_path / "away").rename(tmp_path / LABELS)
    with pytest.raises(InputError, match=f"{LABELS}: expected a file of images"):
        read_idx_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0\0", b"label,pixel0\n1,0", b"\0\0\x08\0", b"\0\0\x08\x09" + bytes(36)])
def test_a_wrong_magic_number_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / IMAGES).write_bytes(content)
    assert refused(tmp_path / IMAGES).code == "not_idx"


@pytest.mark.parametrize("code", [0x00, 0x09, 0x0B, 0x0D, 0xFF])
def test_another_type_than_unsigned_bytes_is_refused(tmp_path: Path, code: int) -> None:
    (tmp_path / IMAGES).write_bytes(idx(np.zeros(4, np.uint8), code))
    assert f"0x{code:02x}" in str(refused(tmp_path / IMAGES))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(2**31, 28, 28), (2**32 - 1, 2**32 - 1, 2**32 - 1), (1_300_000, 28, 28)])
def test_dimensions_that_lie_are_refused_without_taking_their_memory(
    tmp_path: Path, shape: tuple[int, ...], packed: bool
) -> None:
    content = b"\0\0\x08\x03" + struct.pack(">III", *shape) + bytes(100)
    (tmp_path / IMAGES).write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        refused(tmp_path / IMAGES)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_stops_at_the_headers_word_and_at_the_cap(tmp_path: Path) -> None:
    (tmp_path / IMAGES).write_bytes(gzip.compress(idx(np.zeros(10, np.uint8)) + bytes(64 << 20)))
    tracemalloc.start()
    try:
        assert refused(tmp_path / IMAGES).code == "wrong_size"
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    (tmp_path / IMAGES).write_bytes(gzip.compress(idx(np.zeros(1001, np.uint8))))
    assert len(read_idx(tmp_path / IMAGES, max_bytes=1001)) == 1001
    with pytest.raises(InputError, match="more than the limit of 1,000"):
        read_idx(tmp_path / IMAGES, max_bytes=1000)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_short_or_too_long_is_refused_with_both_sizes(tmp_path: Path, packed: bool) -> None:
    pack = gzip.compress if packed else bytes
    content = idx(np.zeros((3, 28, 28), np.uint8))
    (tmp_path / IMAGES).write_bytes(pack(content[:-1]))
    assert "expected 2,352 bytes of values (3 × 28 × 28), found 2,351" in str(refused(tmp_path / IMAGES))
    (tmp_path / IMAGES).write_bytes(pack(content + b"\0"))
    assert "expected 2,352 bytes" in str(refused(tmp_path / IMAGES))
    (tmp_path / IMAGES).write_bytes(pack(content[:9]))
    assert refused(tmp_path / IMAGES).code == "truncated"


def test_a_gzip_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content = gzip.compress(idx(draw_digits(10).images))
    for part in range(1, 32):
        (tmp_path / IMAGES).write_bytes(content[: len(content) * part // 32])
        refused(tmp_path / IMAGES)
    (tmp_path / IMAGES).write_bytes(content[:-8] + bytes(8))  # a wrong checksum
    assert refused(tmp_path / IMAGES).code == "truncated"


def test_counts_that_differ_are_refused(tmp_path: Path) -> None:
    write(tmp_path, draw_digits(10))
    (tmp_path / LABELS).write_bytes(idx(np.zeros(9, np.uint8)))
    with pytest.raises(InputError, match=f"{LABELS}: expected 10 labels .*, found 9") as caught:
        read_idx_folder(tmp_path)
    assert caught.value.code == "counts_differ"


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8), "at least one image, found none"),
        (np.zeros((2, 32, 32), np.uint8), np.zeros(2, np.uint8), "28 × 28 pixels, found 3 dimensions"),
        (np.zeros((2, 784), np.uint8), np.zeros(2, np.uint8), "28 × 28 pixels, found 2 dimensions"),
        (np.zeros(2, np.uint8), np.zeros(2, np.uint8), "28 × 28 pixels, found 1 dimension"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 28, 28), np.uint8), "a list of labels, found 3 dimensions"),
        (np.zeros((2, 28, 28), np.uint8), np.array([1, 10], np.uint8), "image 2: expected a label from 0 to 9"),
    ],
)
def test_pairs_that_are_no_digits_are_refused(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, message: str
) -> None:
    (tmp_path / IMAGES).write_bytes(idx(images))
    (tmp_path / LABELS).write_bytes(idx(labels))
    with pytest.raises(InputError, match=message) as caught:
        read_idx_folder(tmp_path)
    assert "-ubyte" in str(caught.value)


def test_looks_like_idx_knows_plain_and_gzipped_heads() -> None:
    content = idx(draw_digits(10).images)
    assert looks_like_idx(content[:512])
    assert looks_like_idx(gzip.compress(content)[:512])
    for other in (b"", b"\0", b"label,pixel0", gzip.compress(b"label,pixel0"), b"\x1f\x8bnonsense", b"PK\x03\x04"):
        assert not looks_like_idx(other)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    assert not has_idx_files(tmp_path)
    with pytest.raises(FileError, match="missing-ubyte"):
        read_idx(tmp_path / "missing-ubyte")
    with pytest.raises(FileError, match="no regular file"):
        read_idx(tmp_path)
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz, found none"):
        read_idx_folder(tmp_path)
