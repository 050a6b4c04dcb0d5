"""NumPy archives and Parquet tables become Digits, or one named error."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from digit_recognizer.errors import FileError, InputError, MissingExtra
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.sources.arrays import read_npz
from digit_recognizer.sources.parquet import read_parquet
from tests.conftest import draw_digits

DIGITS = draw_digits(20)
X, Y = DIGITS.images, DIGITS.known_labels()


def save(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path / "digits.npz", **arrays)
    return path / "digits.npz"


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def table(path: Path, images: list[Any], labels: list[Any] | None) -> Path:
    columns: dict[str, Any] = {"image": images} | ({} if labels is None else {"label": labels})
    pq.write_table(pa.table(columns), path)
    return path


def structs(images: np.ndarray) -> list[dict[str, Any]]:
    return [{"bytes": png(image), "path": f"{number}.png"} for number, image in enumerate(images)]


@pytest.mark.parametrize("shape", [(28, 28), (784,), (28, 28, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_every_shape_and_type_of_an_npz_gives_the_same_digits(
    tmp_path: Path, shape: tuple[int, ...], dtype: Any
) -> None:
    x = X.reshape(-1, *shape).astype(dtype)
    found = read_npz(save(tmp_path, x_train=x, y_train=Y.astype(dtype), x_test=x[:5], y_test=Y[:5, None]))
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    assert found.test is not None
    assert found.test.fingerprint() == DIGITS.take(np.arange(5)).fingerprint()


@pytest.mark.parametrize(
    ("images", "labels"),
    [("X_train", "Y_train"), ("train_images", "train_labels"), ("X", "y"), ("data", "target"), ("Images", "Labels")],
)
def test_other_names_say_the_same(tmp_path: Path, images: str, labels: str) -> None:
    found = read_npz(save(tmp_path, **{images: X, labels: Y}))
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    assert (found.test, found.validation, found.unread) == (None, None, ())


def test_a_part_for_validation_and_arrays_that_are_not_read_are_told_apart(tmp_path: Path) -> None:
    found = read_npz(
        save(
            tmp_path,
            train_images=X[:10],
            train_labels=Y[:10],
            x_val=X[10:15],
            y_val=Y[10:15],
            test_images=X[15:],
            weights=np.zeros(3),
        )
    )
    assert {name: len(part) for name, part in found.parts().items()} == {"train": 10, "validation": 5, "test": 5}
    assert found.labelled().fingerprint() == DIGITS.take(np.arange(15)).fingerprint()
    held_out = found.held_out()
    assert held_out is not None
    np.testing.assert_array_equal(held_out, np.arange(10, 15))
    assert found.unread == ("weights",)
    with pytest.raises(InputError, match="expected y_val beside x_val, found no labels"):
        read_npz(save(tmp_path, x_train=X, y_train=Y, x_val=X))


def test_names_that_mean_nothing_are_named_and_two_that_mean_the_same_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\(or images, labels\), found foo, bar$"):
        read_npz(save(tmp_path, foo=X, bar=Y))
    many = {f"array{number}": Y for number in range(9)}
    with pytest.raises(InputError, match=r"found array0, array1, array2, array3, array4 and 4 more$"):
        read_npz(save(tmp_path, **many))
    with pytest.raises(InputError, match="X and x could both be the images; give one"):
        read_npz(save(tmp_path, X=X, x=X, y=Y))


def test_an_npz_of_images_and_labels_is_the_training_part(tmp_path: Path) -> None:
    found = read_npz(save(tmp_path, images=X, labels=Y, other=np.zeros(3)))
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    assert found.test is None


@pytest.mark.parametrize("name", ["images", "x_test"])
def test_an_npz_of_images_alone_is_an_unlabelled_test_part(tmp_path: Path, name: str) -> None:
    found = read_npz(save(tmp_path, **{name: X}))
    assert found.train is None
    assert found.test is not None
    assert found.test.labels is None
    np.testing.assert_array_equal(found.test.images, X)


def test_fortran_order_is_read_right(tmp_path: Path) -> None:
    found = read_npz(save(tmp_path, images=np.asfortranarray(X), labels=Y))
    assert found.labelled().fingerprint() == DIGITS.fingerprint()


def wrong_pixel(value: float, dtype: Any = np.float64) -> np.ndarray:
    x = X.reshape(-1, 784).astype(dtype)
    x[16, 4] = value
    return x


@pytest.mark.parametrize("value", [-1.0, 256.0, 0.5, np.nan, np.inf])
def test_a_pixel_that_is_no_byte_is_named_by_row_and_column(tmp_path: Path, value: float) -> None:
    path = save(tmp_path, x_train=wrong_pixel(value), y_train=Y)
    with pytest.raises(InputError, match=rf"digits.npz, x_train, row 17, column 5: expected .* 0-255, found {value}"):
        read_npz(path)


def test_images_scaled_to_one_are_refused_and_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0-255, found 0\.\d+; are these 0 to 1\? multiply them by 255 and round$"):
        read_npz(save(tmp_path, x_train=X / 255, y_train=Y))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "x_train, y_train, x_test, y_test .* found none"),
        ({"x_train": X}, "expected y_train beside x_train"),
        ({"y_train": Y}, "expected x_train beside y_train"),
        ({"x_train": X, "y_train": Y[:-1]}, "found 20 in x_train and 19 in y_train"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "at least one image"),
        ({"x_train": X[:, :27], "y_train": Y}, r"expected shape .*, found \(20, 27, 28\)"),
        ({"x_train": X > 0, "y_train": Y}, "found type bool"),
        ({"x_train": X, "y_train": Y.astype(str)}, "found type <U"),
        ({"x_train": X, "y_train": np.eye(10)[Y]}, r"labels of shape \(N,\), found \(20, 10\)"),
        ({"x_train": X, "y_train": np.where(Y == 3, 10, Y)}, "y_train, row 4: expected labels 0 to 9, found 10"),
        ({"x_train": X, "y_train": np.where(Y == 3, 3.5, Y)}, "y_train, row 4: expected labels 0 to 9, found 3.5"),
    ],
)
def test_arrays_that_are_no_digits_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_npz(save(tmp_path, **arrays))
    assert str(caught.value).startswith("digits.npz")


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_an_array_of_objects_is_refused_and_nothing_in_it_runs(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=np.array([Canary(tmp_path / "ran")], object), y_train=Y[:1])
    with pytest.raises(InputError, match="Python objects"):
        read_npz(path)
    assert not (tmp_path / "ran").exists()


def test_an_npz_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=X, y_train=Y)
    content = path.read_bytes()
    for part in range(32):
        path.write_bytes(content[: len(content) * part // 32])
        with pytest.raises(InputError, match=r"not a whole \.npz file"):
            read_npz(path)


def test_an_npz_with_damaged_bytes_never_gives_other_digits(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=X, y_train=Y)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = read_npz(path)
        except InputError:
            continue
        assert found.labelled().fingerprint() == DIGITS.fingerprint()


def test_an_npz_header_that_lies_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)})
    with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive:
        archive.writestr("x_train.npy", header.getvalue() + bytes(10))
    with pytest.raises(InputError, match=r"lie\.npz, x_train: expected 862,"):
        read_npz(tmp_path / "lie.npz")


def test_an_npz_over_the_cap_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, images=X)
    with pytest.raises(InputError, match="more than the limit of 1,000"):
        read_npz(path, max_bytes=1000)


def test_a_missing_npz_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.npz: cannot be read"):
        read_npz(tmp_path / "none.npz")


def test_parquet_as_pandas_writes_it_gives_the_very_pixels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image": structs(X), "label": Y})
    frame.to_parquet(tmp_path / "train-00000-of-00001.parquet")
    found = read_parquet(tmp_path / "train-00000-of-00001.parquet")
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    assert found.test is None


def test_a_parquet_file_may_have_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    named = tmp_path / os.fsdecode(b"caf\xe9.parquet")
    table(tmp_path / "a.parquet", structs(X), Y.tolist()).rename(named)
    assert read_parquet(named).labelled().fingerprint() == DIGITS.fingerprint()


def test_a_folder_of_parquet_shards_gives_both_parts(tmp_path: Path) -> None:
    table(tmp_path / "train-00000-of-00002.parquet", structs(X[:12]), Y[:12].tolist())
    table(tmp_path / "train-00001-of-00002.parquet", structs(X[12:]), Y[12:].tolist())
    table(tmp_path / "test-00000-of-00001.parquet", structs(X[:7]), [-1] * 7)
    found = read_parquet(tmp_path)
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    assert found.test is not None
    assert found.test.labels is None
    np.testing.assert_array_equal(found.test.images, X[:7])


def test_plain_bytes_and_names_of_digits_are_read(tmp_path: Path) -> None:
    words = ["zero", "1", "Two", "three", "4", "five", "six", "seven", "eight", "nine"]
    found = read_parquet(table(tmp_path / "a.parquet", [png(image) for image in X[:10]], words))
    assert found.labelled().fingerprint() == DIGITS.take(np.arange(10)).fingerprint()


def test_a_parquet_file_named_test_or_without_labels_is_the_test_part(tmp_path: Path) -> None:
    named = read_parquet(table(tmp_path / "test-0.parquet", structs(X), Y.tolist()))
    assert named.train is None
    assert named.test is not None
    assert named.test.fingerprint() == DIGITS.fingerprint()
    unlabelled = read_parquet(table(tmp_path / "a.parquet", structs(X), None))
    assert unlabelled.test is not None
    assert unlabelled.test.labels is None


def test_other_pictures_in_parquet_are_framed(tmp_path: Path) -> None:
    large = 255 - np.kron(X[3], np.ones((5, 5), np.uint8))
    found = read_parquet(table(tmp_path / "a.parquet", [png(large)], [3]))
    np.testing.assert_array_equal(found.labelled().images[0], to_frame(large))


@pytest.mark.parametrize(
    ("image", "label", "message"),
    [
        (b"", 1, "row 2, column image: expected a picture, found an empty file"),
        (png(X[0])[:60], 1, "row 2, column image: expected a whole PNG"),
        (b"GARBAGE-BYTES", 1, "row 2, column image: expected a picture"),
        (None, 1, "row 2, column image: expected a picture, found nothing"),
        (png(X[0]), 10, "row 2, column label: expected a digit 0 to 9, found 10"),
        (png(X[0]), -1, "row 2, column label: expected a digit 0 to 9, found -1"),
        (png(X[0]), None, "row 2, column label: expected a digit 0 to 9, found nothing"),
    ],
)
def test_a_bad_cell_of_parquet_is_named_by_row_and_column(tmp_path: Path, image: Any, label: Any, message: str) -> None:
    path = table(tmp_path / "a.parquet", [png(X[0]), image], [0, label])
    with pytest.raises(InputError, match=f"a.parquet, {message}"):
        read_parquet(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"picture": [b""], "label": [1]},
            "expected a column image, or pixel0 … .*, found picture, label",
        ),
        ({"image": [1.5]}, "column image: .* found double"),
        ({"image": [{"path": "a.png"}]}, "column image: .* found struct"),
        ({"image": pa.array([], pa.binary())}, "at least one row"),
    ],
)
def test_parquet_without_usable_columns_is_refused(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=message):
        read_parquet(tmp_path / "a.parquet")


def test_a_parquet_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", structs(X), Y.tolist())
    content = path.read_bytes()
    for part in range(32):
        path.write_bytes(content[: len(content) * part // 32])
        with pytest.raises(InputError, match="not a whole Parquet file"):
            read_parquet(path)


def test_missing_parquet_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.parquet"):
        read_parquet(tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"expected train-\*\.parquet"):
        read_parquet(tmp_path)


def test_without_pyarrow_the_install_command_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "a.parquet", structs(X), None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"digit-recognizer\[data\]"):
        read_parquet(path)


PIXELS = [f"pixel{i}" for i in range(784)]


def wide(path: Path, names: list[str], *, label: str | None = "label", dtype: Any = np.uint8) -> Path:
    """Kaggle's table as Parquet."""
    columns: dict[str, Any] = dict(zip(names, X.reshape(len(X), -1).astype(dtype).T, strict=True))
    if label is not None:
        columns[label] = Y
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
@pytest.mark.parametrize(
    "names",
    [PIXELS, [f"Pixel{i + 1}" for i in range(784)], [f"{r}x{c}" for r in range(1, 29) for c in range(1, 29)]],
)
def test_pixels_in_columns_of_a_parquet_file_are_those_of_the_csv(tmp_path: Path, names: list[str], dtype: Any) -> None:
    found = read_parquet(wide(tmp_path / "wide.parquet", names, dtype=dtype))
    assert found.labelled().fingerprint() == DIGITS.fingerprint()
    unlabelled = read_parquet(wide(tmp_path / "wide.parquet", names, label=None, dtype=dtype)).test
    assert unlabelled is not None
    np.testing.assert_array_equal(unlabelled.images, X)


def test_pixels_in_columns_stand_in_any_order(tmp_path: Path) -> None:
    names = pq.read_table(wide(tmp_path / "wide.parquet", PIXELS)).column_names
    shuffled = [names[i] for i in np.random.default_rng(0).permutation(785)]
    pq.write_table(pq.read_table(tmp_path / "wide.parquet").select(shuffled), tmp_path / "shuffled.parquet")
    assert read_parquet(tmp_path / "shuffled.parquet").labelled().fingerprint() == DIGITS.fingerprint()


def test_a_wrong_pixel_or_column_of_a_wide_table_is_named(tmp_path: Path) -> None:
    table = pq.read_table(wide(tmp_path / "wide.parquet", PIXELS))
    place = table.column_names.index("pixel9")
    for value, shown in ((300.0, r"300\.0"), (None, "nan"), (0.5, r"0\.5; are these 0 to 1\?")):
        cells = pa.array([0.0] * 16 + [value] + [0.0] * 3)
        pq.write_table(table.set_column(place, "pixel9", cells), tmp_path / "wrong.parquet")
        with pytest.raises(InputError, match=rf"^wrong.parquet, row 17, column pixel9: expected .* found {shown}"):
            read_parquet(tmp_path / "wrong.parquet")
    pq.write_table(table.drop_columns(["pixel9"]), tmp_path / "wrong.parquet")
    with pytest.raises(InputError, match=r"^wrong.parquet: missing column pixel9; "):
        read_parquet(tmp_path / "wrong.parquet")
    pq.write_table(table.rename_columns([f"x{i}" for i in range(785)]), tmp_path / "wrong.parquet")
    with pytest.raises(InputError, match=r"found x0, x1, x2, x3, x4 and 780 more$"):
        read_parquet(tmp_path / "wrong.parquet")


def test_a_folder_of_parquet_files_may_bring_a_part_for_validation(tmp_path: Path) -> None:
    for name, rows in (("train-0", 10), ("validation-0", 4), ("test-0", 3), ("extra-0", 2)):
        table(tmp_path / f"{name}.parquet", structs(X[:rows]), Y[:rows].tolist())
    found = read_parquet(tmp_path)
    assert {name: len(part) for name, part in found.parts().items()} == {"train": 10, "validation": 4, "test": 3}
    assert found.unread == ("extra-0.parquet",)
