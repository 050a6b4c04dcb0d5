"""NumPy archives (.npz) become Digits.

Knows nothing of networks or caches: a path comes in. Pixels are 0-255 by their type or are refused; a unit is never
guessed from the largest value.
"""

from __future__ import annotations

import io
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Dataset, Digits, Images, Labels
from digit_recognizer.errors import InputError
from digit_recognizer.files import read_bytes
from digit_recognizer.sources.pixel_columns import listed

MAX_BYTES = 1 << 30  # of one array, unpacked
# What arrays are called, without case and underscores: name -> (part, what it holds). "" is a part that does not say.
_PARTS = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}
_HOLDS = {"images": ("x", "images", "image", "data"), "labels": ("y", "labels", "label", "target", "targets")}
_ROLES = {
    **{name: ("", kind) for kind, names in _HOLDS.items() for name in names},
    **{
        name: (part, kind)
        for part, words in _PARTS.items()
        for kind, nouns in _HOLDS.items()
        for word in words
        for noun in nouns
        for name in (noun + word, word + noun)
    },
}
_EXAMPLE = "x_train, y_train, x_test, y_test (or images, labels)"


def read_npz(path: Path, *, max_bytes: int = MAX_BYTES) -> Dataset:
    """Read an .npz file: x_train with y_train, x_val with y_val, x_test (y_test where known), or images with labels.

    Names count without case and underscores: train_images and train_labels, X and y, data and target, and X_train and
    Y_train serve as well; other arrays are not read. Images are integers 0-255, or floats that are such integers
    exactly, of shape (N, 28, 28), (N, 784) or (N, 28, 28, 1), in the ink convention. ``images`` without ``labels`` is
    an unlabelled test part.
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
        with zipfile.ZipFile(io.BytesIO(read_bytes(path, limit=MAX_BYTES))) as archive:
            names, unread = _npz_names(path.name, archive)
            read = {role: (name, _npz_array(path.name, archive, name, max_bytes)) for role, name in names.items()}
    except (zipfile.BadZipFile, EOFError, ValueError, zlib.error, NotImplementedError) as error:
        raise InputError(f"{path.name}: not a whole .npz file ({error})", code="damaged") from error
    parts = {part: _npz_part(path.name, read.get((part, "images")), read.get((part, "labels"))) for part in _PARTS}
    if ("", "images") in read or ("", "labels") in read:
        whole = _npz_part(path.name, read.get(("", "images")), read.get(("", "labels")))
        parts["test" if whole is None or whole.labels is None else "train"] = whole
    if not any(parts.values()):
        raise InputError(f"{path.name}: expected arrays {_EXAMPLE}, found {listed(unread) or 'none'}")
    for part, labels in (("train", "y_train"), ("validation", "y_val")):
        if (digits := parts[part]) is not None and digits.labels is None:
            name = read[part, "images"][0]
            raise InputError(f"{path.name}: expected {labels} beside {name}, found no labels", code="no_labels")
    return Dataset(path.name, parts["train"], parts["test"], validation=parts["validation"], unread=unread)


def _npz_names(file: str, archive: zipfile.ZipFile) -> tuple[dict[tuple[str, str], str], tuple[str, ...]]:
    """Which array holds what, as (part, images or labels) -> its name, and the names of all others.

    Arrays that name a part go before those that do not. Raises InputError where two arrays could be the same.
    """
    found: dict[tuple[str, str], str] = {}
    unread: list[str] = []
    for name in archive.namelist():
        name = name.removesuffix(".npy")
        role = _ROLES.get(name.lower().replace("_", ""))
        if role is None:
            unread.append(name)
        elif role in found:
            raise InputError(
                f"{file}: {found[role]} and {name} could both be the {role[1]}; give one", code="ambiguous"
            )
        else:
            found[role] = name
    if any(part in ("train", "test") for part, _ in found):
        unread += [found.pop(role) for role in (("", "images"), ("", "labels")) if role in found]
    return found, tuple(unread)


def _npz_array(file: str, archive: zipfile.ZipFile, name: str, max_bytes: int) -> npt.NDArray[Any]:
    """One array, checked by its header before it is read."""
    where = f"{file}, {name}"
    entry = archive.getinfo(f"{name}.npy" if f"{name}.npy" in archive.namelist() else name)
    if entry.file_size > max_bytes:
        raise InputError(f"{where}: {entry.file_size:,} bytes, more than the limit of {max_bytes:,}", code="too_large")
    try:
        with archive.open(entry) as stream:
            shape, dtype, header = _npy_header(stream)
        if dtype.hasobject:
            raise InputError(f"{where}: expected numbers, found Python objects (pickle), which are never read")
        expected = header + dtype.itemsize * int(np.prod(shape, dtype=object))
        if expected != entry.file_size:
            raise InputError(f"{where}: expected {expected:,} bytes, found {entry.file_size:,}", code="wrong_size")
        with archive.open(entry) as stream:
            array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array
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


_Named = tuple[str, npt.NDArray[Any]]


def _npz_part(file: str, images: _Named | None, labels: _Named | None) -> Digits | None:
    """The digits of one part. images, labels: name and array of each, where it is there."""
    if images is None:
        if labels is not None:
            raise InputError(f"{file}: expected {_partner(labels[0])} beside {labels[0]}, found no images")
        return None
    pixels = _as_images(f"{file}, {images[0]}", images[1])
    if labels is None:
        return Digits(pixels)
    digits = _as_labels(f"{file}, {labels[0]}", labels[1])
    if len(digits) != len(pixels):
        raise InputError(
            f"{file}: expected as many labels as images, found {len(pixels):,} in {images[0]} "
            f"and {len(digits):,} in {labels[0]}",
            code="counts_differ",
        )
    return Digits(pixels, digits)


def _partner(labels: str) -> str:
    """What the images beside these labels would be called: y_train -> x_train, test_labels -> test_images.

    >>> _partner("y_train"), _partner("Y"), _partner("test_labels"), _partner("target")
    ('x_train', 'x', 'test_images', 'data')
    """
    pairs = (("labels", "images"), ("label", "image"), ("targets", "data"), ("target", "data"), ("y", "x"))
    theirs, ours = next(pair for pair in pairs if pair[0] in labels.lower())
    return labels.lower().replace(theirs, ours)


def _as_images(where: str, array: npt.NDArray[Any]) -> Images:
    if array.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,), (SIDE, SIDE, 1)):
        expected = f"(N, {SIDE}, {SIDE}), (N, {SIDE * SIDE}) or (N, {SIDE}, {SIDE}, 1)"
        raise InputError(f"{where}: expected shape {expected}, found {array.shape}", code="wrong_shape")
    if len(array) == 0:
        raise InputError(f"{where}: expected at least one image, found none", code="no_rows")
    flat = array.reshape(len(array), SIDE * SIDE)
    if flat.dtype != np.uint8:
        flat = whole_numbers(where, flat, 255, "pixels as whole numbers 0-255").astype(np.uint8)
    return flat.reshape(-1, SIDE, SIDE)


def _as_labels(where: str, array: npt.NDArray[Any]) -> Labels:
    if array.shape[1:] not in ((), (1,)) or array.ndim == 0:
        raise InputError(f"{where}: expected labels of shape (N,), found {array.shape}", code="wrong_shape")
    return whole_numbers(where, array.reshape(len(array), 1), 9, "labels 0 to 9").astype(np.int64).ravel()


def whole_numbers(
    where: str, table: npt.NDArray[Any], highest: int, expected: str, *, first: int = 1, columns: Sequence[str] = ()
) -> npt.NDArray[Any]:
    """``table`` (rows, columns) as it is, where all of it are whole numbers from 0 to ``highest``.

    Raises InputError, which says ``where`` and ``expected``, for another type, and else naming the first wrong value by
    row, of which the table's is number ``first``, and column: its name of ``columns``, or its number from 1.

    >>> whole_numbers("x.npz, y", np.array([[3.0], [4.0]]), 9, "labels 0 to 9").tolist()
    [[3.0], [4.0]]
    """
    if not (np.issubdtype(table.dtype, np.integer) or np.issubdtype(table.dtype, np.floating)):
        raise InputError(f"{where}: expected {expected}, found type {table.dtype}", code="wrong_type")
    right = (table >= 0) & (table <= highest) & (table == np.trunc(table))
    if not right.all():
        row, column = np.argwhere(~right)[0]
        value = table[row, column]
        place = f"row {first + row}"
        if table.shape[1] > 1:
            place += f", column {columns[column] if columns else column + 1}"
        advice = "; are these 0 to 1? multiply them by 255 and round" if highest == 255 and 0 < value < 1 else ""
        raise InputError(f"{where}, {place}: expected {expected}, found {value}{advice}", code="bad_value")
    return table


__all__ = ["read_npz", "whole_numbers"]
