"""Parquet tables become Digits: pictures as on Hugging Face, or pixels in columns as Kaggle's CSV has them.

Knows nothing of networks or caches: a path comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digit_recognizer.digits import SIDE, Dataset, Digits, Images
from digit_recognizer.errors import FileError, InputError, MissingExtra
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import load_grey
from digit_recognizer.sources.arrays import whole_numbers
from digit_recognizer.sources.image_files import WORDS
from digit_recognizer.sources.pixel_columns import SCHEMES, find_columns, listed, named

_BATCH = 1024  # rows of a file held at once

# A batch of rows, and how many rows there were before it -> its images.
_Reader = Callable[[Any, int], Iterable[Images]]


def read_parquet(path: Path) -> Dataset:
    """Read a Parquet file, or a folder of ``train-*.parquet``, ``validation-*.parquet`` and ``test-*.parquet``.

    Columns: ``image``, a struct with ``bytes`` or the bytes themselves, of any picture format; ``label`` (may be
    absent), an integer or a digit's name. Grey 28x28 PNGs are taken as they are, other pictures are framed (ink.py).
    Or pixels as a CSV has them, a column each, whole numbers 0-255: names as pixel_columns.py finds them.
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
    begins = {"train": "train", "validation": "val", "test": "test"}
    files = {part: sorted(path.glob(f"{begin}*.parquet")) for part, begin in begins.items()}
    if not files["train"] and not files["test"]:
        raise InputError(f"{path.name}: expected train-*.parquet or test-*.parquet, found neither")
    parts = {part: Digits.join(map(_read_table, found)) if found else None for part, found in files.items()}
    for part in ("train", "validation"):
        if (digits_of := parts[part]) is not None and digits_of.labels is None:
            where = f"{path.name}/{files[part][0].name}"
            raise InputError(f"{where}: expected a column label, found none", code="no_labels")
    read = {file for found in files.values() for file in found}
    unread = tuple(file.name for file in sorted(path.glob("*.parquet")) if file not in read)
    return Dataset(path.name, parts["train"], parts["test"], validation=parts["validation"], unread=unread)


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
        # Arrow itself opens no file whose name is not UTF-8.
        with path.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
            columns, label, read = _columns(path.name, file.schema_arrow, pyarrow.types)
            for batch in file.iter_batches(_BATCH, columns=columns):
                images.extend(read(batch, len(images)))
                if label is not None:
                    labels += batch.column(label).to_pylist()
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


def _columns(name: str, schema: Any, types: Any) -> tuple[list[str], str | None, _Reader]:
    """Which columns to read, which of them is the label, and what reads the others.

    Raises InputError where there is neither a usable ``image`` nor a whole set of pixels.
    """
    if "image" not in schema.names:
        return _pixel_columns(name, schema.names)
    kind = schema.field("image").type
    if types.is_struct(kind):
        kind = kind.field("bytes").type if kind.get_field_index("bytes") >= 0 else kind
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        expected = "a struct with bytes, or bytes"
        raise InputError(f"{name}, column image: expected {expected}, found {kind}", code="wrong_type")
    label = "label" if "label" in schema.names else None

    def read(batch: Any, before: int) -> list[Images]:
        return [_picture(name, row, cell.as_py()) for row, cell in enumerate(batch.column("image"), before + 1)]

    return ["image"] if label is None else ["image", label], label, read


def _pixel_columns(name: str, names: Sequence[str]) -> tuple[list[str], str | None, _Reader]:
    if {cell.strip().lower() for cell in names}.isdisjoint({cell for scheme in SCHEMES for cell in scheme}):
        found = listed(names) or "none"
        raise InputError(f"{name}: expected a column image, or {named()}, found {found}", code="no_image")
    found_columns = find_columns(names, name)
    pixels = [names[place] for place in found_columns.pixels]
    label = None if found_columns.label is None else names[found_columns.label]

    def read(batch: Any, before: int) -> Images:
        table = np.stack([batch.column(cell).to_numpy(zero_copy_only=False) for cell in pixels], axis=1)
        whole_numbers(name, table, 255, "pixels as whole numbers 0-255", first=before + 1, columns=pixels)
        images: Images = table.astype(np.uint8).reshape(-1, SIDE, SIDE)
        return images

    return [*pixels, *([] if label is None else [label])], label, read


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
        if word in WORDS:
            return WORDS.index(word)
        if word in tuple("0123456789"):
            return int(word)
    found = "nothing" if label is None else repr(label)
    raise InputError(f"{file}, row {row}, column label: expected a digit 0 to 9, found {found}", code="bad_value")


__all__ = ["read_parquet"]
