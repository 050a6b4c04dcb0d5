"""NumPy archives (.npz) and Parquet tables as on Hugging Face become Digits.

Knows nothing of networks or caches: a path comes in. Pixels are 0-255 by their type or are refused; a unit is never
guessed from the largest value.
"""

from __future__ import annotations

import io
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Dataset, Digits, Images, Labels
from digit_recognizer.errors import FileError, InputError, MissingExtra
from digit_recognizer.files import read_bytes
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import load_grey

MAX_BYTES = 1 << 30  # of one array, unpacked
_PAIRS = {"train": (("x_train", "y_train"), ("images", "labels")), "test": (("x_test", "y_test"),)}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_BATCH = 1024  # rows of a Parquet file held at once


def read_npz(path: Path, *, max_bytes: int = MAX_BYTES) -> Dataset:
    """Read an .npz file: x_train with y_train, x_test (y_test where known), or images with labels.

    Images are integers 0-255, or floats that are such integers exactly, of shape (N, 28, 28), (N, 784) or
    (N, 28, 28, 1), in the ink convention. ``images`` without ``labels`` is an unlabelled test part.
    max_bytes: cap on one array, unpacked, checked before memory is taken. No pickle is ever read.
    Raises FileError where the file cannot be read, InputError (with array, row and column) for all else.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "two.npz"
    >>> np.savez(path, images=np.zeros((2, 784), np.uint8), labels=[3, 4])
    >>> read_npz(path).train
    Digits(2 images, labelled)
    """
    path = Path(path)
    try:
        arrays = dict(_npz_arrays(path.name, read_bytes(path, limit=MAX_BYTES), max_bytes))
    except (zipfile.BadZipFile, EOFError, ValueError, zlib.error, NotImplementedError) as error:
        raise InputError(f"{path.name}: not a whole .npz file ({error})", code="damaged") from error
    parts = {part: _npz_part(path.name, arrays, pairs) for part, pairs in _PAIRS.items()}
    if not any(parts.values()):
        found = ", ".join(sorted(arrays)) or "none"
        raise InputError(
            f"{path.name}: expected arrays x_train, y_train, x_test, y_test (or images, labels), found {found}"
        )
    train, test = parts["train"], parts["test"]
    if train is not None and train.labels is None:
        if test is not None or "images" not in arrays:
            raise InputError(f"{path.name}: expected y_train beside x_train, found no labels", code="no_labels")
        train, test = None, train
    return Dataset(path.name, train, test)


def read_parquet(path: Path) -> Dataset:
    """Read a Parquet file, or a folder of ``train-*.parquet`` and ``test-*.parquet``.

    Columns: ``image``, a struct with ``bytes`` or the bytes themselves, of any picture format; ``label`` (may be
    absent), an integer or a digit's name. Grey 28x28 PNGs are taken as they are, other pictures are framed (ink.py).
    A single file with labels is the training part, unless its name begins with "test".
    Raises MissingExtra without pyarrow, FileError, or InputError with file, row and column.

    >>> read_parquet(Path("mnist"))                                               # doctest: +SKIP
    Dataset(name='mnist', train=Digits(60,000 images, labelled), test=Digits(10,000 images, labelled))
    """
    path = Path(path)
    if not path.is_dir():
        digits = _read_table(path)
        if digits.labels is None or path.name.lower().startswith("test"):
            return Dataset(path.name, None, digits)
        return Dataset(path.name, digits, None)
    files = {part: sorted(path.glob(f"{part}*.parquet")) for part in ("train", "test")}
    if not any(files.values()):
        raise InputError(f"{path.name}: expected train-*.parquet or test-*.parquet, found neither")
    parts = {part: Digits.join(map(_read_table, found)) if found else None for part, found in files.items()}
    train = parts["train"]
    if train is not None and train.labels is None:
        raise InputError(f"{path.name}/{files['train'][0].name}: expected a column label, found none", code="no_labels")
    return Dataset(path.name, train, parts["test"])


def _npz_arrays(file: str, content: bytes, max_bytes: int) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The arrays that can be digits, each checked by its header before it is read."""
    wanted = {name for pairs in _PAIRS.values() for pair in pairs for name in pair}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name not in wanted:
                continue
            where = f"{file}, {name}"
            if entry.file_size > max_bytes:
                raise InputError(
                    f"{where}: {entry.file_size:,} bytes, more than the limit of {max_bytes:,}", code="too_large"
                )
            try:
                with archive.open(entry) as stream:
                    shape, dtype, header = _npy_header(stream)
                if dtype.hasobject:
                    raise InputError(f"{where}: expected numbers, found Python objects (pickle), which are never read")
                expected = header + dtype.itemsize * int(np.prod(shape, dtype=object))
                if expected != entry.file_size:
                    raise InputError(
                        f"{where}: expected {expected:,} bytes, found {entry.file_size:,}", code="wrong_size"
                    )
                with archive.open(entry) as stream:
                    yield name, np.lib.format.read_array(stream, allow_pickle=False)
            except (ValueError, SyntaxError, tokenize.TokenError, RuntimeError) as error:  # RuntimeError: encrypted
                raise InputError(f"{where}: not a NumPy array ({error})", code="damaged") from error


def _npy_header(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape, type and length of an .npy header."""
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in read:
        raise ValueError(f"format version {version[0]}.{version[1]} is not known")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers that Python 2 wrote
        shape, _, dtype = read[version](stream)
    return shape, dtype, stream.tell()


def _npz_part(file: str, arrays: Mapping[str, npt.NDArray[Any]], pairs: tuple[tuple[str, str], ...]) -> Digits | None:
    for images_name, labels_name in pairs:
        if images_name in arrays:
            images = _as_images(f"{file}, {images_name}", arrays[images_name])
            if labels_name not in arrays:
                return Digits(images)
            labels = _as_labels(f"{file}, {labels_name}", arrays[labels_name])
            if len(labels) != len(images):
                raise InputError(
                    f"{file}: expected as many labels as images, found {len(images):,} in {images_name} "
                    f"and {len(labels):,} in {labels_name}",
                    code="counts_differ",
                )
            return Digits(images, labels)
        if labels_name in arrays:
            raise InputError(f"{file}: expected {images_name} beside {labels_name}, found no images")
    return None


def _as_images(where: str, array: npt.NDArray[Any]) -> Images:
    if array.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,), (SIDE, SIDE, 1)):
        expected = f"(N, {SIDE}, {SIDE}), (N, {SIDE * SIDE}) or (N, {SIDE}, {SIDE}, 1)"
        raise InputError(f"{where}: expected shape {expected}, found {array.shape}", code="wrong_shape")
    if len(array) == 0:
        raise InputError(f"{where}: expected at least one image, found none", code="no_rows")
    flat = array.reshape(len(array), SIDE * SIDE)
    if flat.dtype != np.uint8:
        flat = _whole_numbers(where, flat, 255, "pixels as whole numbers 0-255").astype(np.uint8)
    return flat.reshape(-1, SIDE, SIDE)


def _as_labels(where: str, array: npt.NDArray[Any]) -> Labels:
    if array.shape[1:] not in ((), (1,)) or array.ndim == 0:
        raise InputError(f"{where}: expected labels of shape (N,), found {array.shape}", code="wrong_shape")
    return _whole_numbers(where, array.reshape(len(array), 1), 9, "labels 0 to 9").astype(np.int64).ravel()


def _whole_numbers(where: str, table: npt.NDArray[Any], highest: int, expected: str) -> npt.NDArray[Any]:
    """``table`` (rows, columns), all whole numbers from 0 to ``highest``; else the first wrong one is named."""
    if not (np.issubdtype(table.dtype, np.integer) or np.issubdtype(table.dtype, np.floating)):
        raise InputError(f"{where}: expected {expected}, found type {table.dtype}", code="wrong_type")
    right = (table >= 0) & (table <= highest) & (table == np.trunc(table))
    if not right.all():
        row, column = np.argwhere(~right)[0]
        place = f"row {row + 1}" + (f", column {column + 1}" if table.shape[1] > 1 else "")
        raise InputError(f"{where}, {place}: expected {expected}, found {table[row, column]}", code="bad_value")
    return table


def _read_table(path: Path) -> Digits:
    """One Parquet file, a batch of rows at a time."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("data", "reading Parquet files") from error
    if path.exists() and not path.is_file():
        raise FileError(f"{path}: expected a file, this is not a regular file", code="not_a_regular_file")
    images: list[Images] = []
    labels: list[Any] = []
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            columns = _columns(path.name, file.schema_arrow, pyarrow.types)
            for batch in file.iter_batches(_BATCH, columns=columns):
                for cell in batch.column("image"):
                    images.append(_picture(path.name, len(images) + 1, cell.as_py()))
                if "label" in columns:
                    labels += batch.column("label").to_pylist()
    except pyarrow.ArrowException as error:
        first_line = str(error).splitlines()[0]
        raise InputError(f"{path.name}: not a whole Parquet file ({first_line})", code="damaged") from error
    except OSError as error:
        # Arrow reports damage inside the file as an OSError without a number; the system's own errors have one.
        if error.errno is None:
            raise InputError(f"{path.name}: not a whole Parquet file ({error})", code="damaged") from error
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not images:
        raise InputError(f"{path.name}: expected at least one row, found none", code="no_rows")
    if not labels or all(label == -1 for label in labels):  # -1 throughout: Hugging Face's "no label"
        return Digits(np.stack(images))
    known = [_label(path.name, row, label) for row, label in enumerate(labels, start=1)]
    return Digits(np.stack(images), np.array(known, np.int64))


def _columns(name: str, schema: Any, types: Any) -> list[str]:
    """Which columns to read. Raises InputError where ``image`` is missing or of no use."""
    if "image" not in schema.names:
        raise InputError(f"{name}: expected a column image, found {', '.join(schema.names) or 'none'}", code="no_image")
    kind = schema.field("image").type
    if types.is_struct(kind):
        kind = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else kind
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        expected = "a struct with bytes, or bytes"
        raise InputError(f"{name}, column image: expected {expected}, found {kind}", code="wrong_type")
    return [column for column in ("image", "label") if column in schema.names]


def _picture(file: str, row: int, cell: dict[str, Any] | bytes | None) -> Images:
    where = f"{file}, row {row}, column image"
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is None:
        raise InputError(f"{where}: expected a picture, found nothing", code="empty_file")
    grey = load_grey(content, name=where)
    # PNG's header holds width, height, bits and colour type at fixed places: 28, 28, 8, 0 is MNIST's own form.
    as_published = content[:4] == b"\x89PNG" and content[16:26] == bytes([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 0])
    return grey if as_published and grey.shape == (SIDE, SIDE) else to_frame(grey)


def _label(file: str, row: int, label: Any) -> int:
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label <= 9:
        return label
    if isinstance(label, str):
        word = label.strip().lower()
        if word in _WORDS:
            return _WORDS.index(word)
        if word in tuple("0123456789"):
            return int(word)
    found = "nothing" if label is None else repr(label)
    raise InputError(f"{file}, row {row}, column label: expected a digit 0 to 9, found {found}", code="bad_value")


__all__ = ["read_npz", "read_parquet"]
