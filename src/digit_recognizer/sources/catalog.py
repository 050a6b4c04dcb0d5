"""DATA, as a person names it (a zip, a file, a folder, a word), becomes a Dataset: finds the reader that it needs.

Knows nothing of what the files hold; content decides the kind where it can, names only where content cannot.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import open_bytes, refuse_no_path
from digit_recognizer.sources.pixel_csv import OnBadRow, read_pixel_csv
from digit_recognizer.sources.zips import is_zip, members_of, opened_member, opened_zip

NAMES = ("mnist", "sample")

_ACCEPTED = (
    "a Kaggle zip, a .csv (also .gz), a folder with train.csv or test.csv, IDX files or their folder, .npz, .parquet, "
    f"pen strokes as .json (also .gz), a folder of images, or a name ({', '.join(NAMES)})"
)
_HEAD = 4096  # bytes that tell one kind from another
_CSV_ENDINGS = (".csv", ".csv.gz", ".csv.zip")  # the first is preferred where a folder holds the same file thrice
# Pictures and drawings that are not read: the reader of pictures says so best.
_OTHER_PICTURES = (
    ".svg", ".svgz", ".ppm", ".pgm", ".pbm", ".pnm", ".ico", ".icns", ".psd", ".eps", ".ps", ".tga",
    ".avif", ".jp2", ".j2k", ".jxl", ".jxr", ".exr", ".hdr", ".pcx", ".xcf", ".dng", ".cr2", ".nef",
)  # fmt: skip
_PARTS = {"train": {"train"}, "validation": {"val", "valid", "validation"}, "test": {"test"}}
_PARQUET_FOLDERS = (".", "data", "mnist")  # Hugging Face keeps data/ or one folder per configuration


def load(data: str | os.PathLike[str], *, skip_bad_rows: bool = False) -> Dataset:
    """Load whatever ``data`` names: labelled digits become ``train``, digits without labels ``test``.

    data: a name (``"mnist"``, ``"sample"``; write ``"./mnist"`` for a folder of that name) or a path to

    - a zip as Kaggle sends it: train.csv, test.csv or both, at any depth, plain, .gz or zipped once more
    - a folder holding train.csv, test.csv or both, or a single .csv; plain, gzip or zip (beside train.csv, val.csv too)
    - an IDX file, whose partner is looked for beside it, or a folder of them (``MNIST/raw/`` too)
    - an ``.npz`` or ``.parquet`` file, or a folder of ``train-*.parquet`` and ``test-*.parquet``, ``validation-*`` too
    - pen strokes as ``.json``, plain or gzip (see sources/strokes.py)
    - a folder of images, by class or flat

    Where a source has a labelled test part of its own (IDX t10k, x_test of an npz), ``test`` has labels; where it has a
    part for validation (x_val, val.csv, val/), that is ``validation``. ``unread`` names what lies beside these.
    Nothing is unpacked to disk, and only ``"mnist"`` may use the network.

    skip_bad_rows: wrong rows of CSVs with labels are left out, and the Dataset's ``left_out`` says what is wrong with
    each. Rows without labels are predicted by their place, so there none is.

    Raises FileError where a path is missing or cannot be read, InputError where what is there is not one of these or
    is damaged, MissingExtra where its reader is not installed.

    >>> load("no-such-thing")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    digit_recognizer.errors.FileError: no-such-thing: cannot be read (No such file or directory), and is no name ...
    """
    if isinstance(data, str) and data in NAMES:
        return _load_name(data)
    refuse_no_path(data)
    try:
        is_folder = stat.S_ISDIR(os.stat(data).st_mode)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        word = os.fspath(data)
        name = _printable(word) if word.strip() else repr(word)
        if "://" in word:
            raise FileError(f"{name}: addresses are not fetched; give the file itself", code="missing") from error
        reason = getattr(error, "strerror", None) or error
        known = "" if re.search(r"[./\\\0]", word) else f", and is no name that is known ({', '.join(NAMES)})"
        raise FileError(f"{name}: cannot be read ({reason}){known}", code="missing") from error
    left_out: list[str] = []
    on_bad_row: OnBadRow | None = (lambda error: left_out.append(str(error))) if skip_bad_rows else None
    dataset = _load_folder(Path(data), on_bad_row) if is_folder else _load_file(Path(data), on_bad_row)
    return replace(dataset, left_out=tuple(left_out))


def is_data_set(data: str) -> bool:
    """Whether ``data`` is for ``load`` to read. Else it names pictures: a file, a pattern, "-", a folder of them.

    A folder is a data set where it holds tables, IDX or Parquet files, or folders that label its pictures. What is
    missing or damaged belongs to the reader that its name speaks for.

    >>> is_data_set("sample"), is_data_set("train.csv"), is_data_set("scans/*.png")
    (True, True, False)
    """
    if data in NAMES:
        return True
    if data == "-":
        return False
    from digit_recognizer.pictures.collect import SUFFIXES
    from digit_recognizer.pictures.load import picture_format
    from digit_recognizer.pictures.pdf import is_pdf

    path = Path(data)
    if path.is_dir():
        return _holds_data_set(path)
    if path.suffix.lower() in (*SUFFIXES, *_OTHER_PICTURES):
        return False
    if path.is_file():
        with open_bytes(path) as stream:
            head = stream.read(16)
        return picture_format(head) is None and not is_pdf(head)
    return path.exists() or re.search(r"[*?[]", data) is None


def is_image_folder(data: str | os.PathLike[str]) -> bool:
    """Whether ``data`` is a folder whose pictures ``load`` would read: whatever else lies in it matters then.

    >>> is_image_folder("sample")
    False
    """
    from digit_recognizer.sources.idx import has_idx_files

    path = Path(data)
    if data in ("", *NAMES) or not path.is_dir():
        return False
    try:
        files = [entry.name for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
        if _named_tables(files, path.name) or has_idx_files(path) or _parquet_folder(path):
            return False
        return _holds_pictures(path)
    except (OSError, InputError):  # that is for load to say
        return False


def _holds_data_set(folder: Path) -> bool:
    from digit_recognizer.pictures.collect import looks_like_picture
    from digit_recognizer.sources.idx import has_idx_files
    from digit_recognizer.sources.image_files import holds_labels

    files = [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    try:
        has_tables = bool(_named_tables(files, folder.name))
    except InputError:
        has_tables = True  # too many of them: that is for load to say
    if has_tables or holds_labels(folder) or has_idx_files(folder):
        return True
    if _parquet_folder(folder):
        return True
    return not any(looks_like_picture(path) for path in folder.rglob("*"))


# Readers are imported where they are needed: a CSV must not wait for image decoding or a download library.


def _load_name(name: str) -> Dataset:
    if name == "mnist":
        from digit_recognizer.sources.mnist import load_mnist

        return load_mnist()
    from digit_recognizer.sources.sample import load_sample

    return load_sample()


def _load_file(path: Path, on_bad_row: OnBadRow | None) -> Dataset:
    with open_bytes(path) as stream:
        kind = _kind(stream.read(_HEAD), path.name.lower())
    if kind == "csv":
        return _by_labels(path.name, read_pixel_csv(path, on_bad_row=on_bad_row))
    if kind == "zip":
        return _load_zip(path, on_bad_row)
    if kind == "idx":
        from digit_recognizer.sources.idx import read_idx_file

        return read_idx_file(path)
    if kind == "npz":
        from digit_recognizer.sources.arrays import read_npz

        return read_npz(path)
    if kind == "parquet":
        from digit_recognizer.sources.parquet import read_parquet

        return read_parquet(path)
    if kind == "json":
        from digit_recognizer.sources.strokes import read

        return read(path)
    raise InputError(f"{path}: not a kind of file that is known; expected {_ACCEPTED}", code="unknown_data")


def _kind(head: bytes, name: str) -> str | None:
    """Which reader a file needs, by its first bytes; by its name where it is damaged or is text; None for no reader."""
    from digit_recognizer.sources.idx import looks_like_idx

    if head.startswith(b"PAR1"):
        return "parquet"
    if looks_like_idx(head):
        return "idx"
    if is_zip(head):
        return "zip"  # an npz is one too: _load_zip looks inside
    for ending in ("csv", "zip", "npz", "parquet"):  # each reader says best what is wrong with its own kind
        if name.endswith(f".{ending}"):
            return ending
    if name.endswith((".json", ".json.gz")):  # a table of text has no mark of its own
        return "json"
    if re.search(r"-idx[13]-|-ubyte", name):
        return "idx"
    return "csv" if b"\0" not in head or head.startswith(b"\x1f\x8b") else None


def _load_zip(path: Path, on_bad_row: OnBadRow | None) -> Dataset:
    name = path.name
    with open_bytes(path) as stream, opened_zip(stream, name) as archive:
        members = members_of(archive)
        if members and all(member.endswith(".npy") for member in members):
            from digit_recognizer.sources.arrays import read_npz

            return read_npz(path)
        tables = _named_tables(members, name) or _only_table(members)
        if not tables:
            found = f"found {', '.join(map(_printable, members[:5]))}" if members else "the archive is empty"
            raise InputError(f"{name}: expected train.csv or test.csv inside, {found}", code="unknown_data")
        return _from_tables(name, tables, members, lambda member: _member_table(archive, member, name, on_bad_row))


def _load_folder(path: Path, on_bad_row: OnBadRow | None) -> Dataset:
    from digit_recognizer.sources.idx import has_idx_files, read_idx_folder

    if path.name in ("", ".."):  # "." and the like: the readers name what they read after the folder
        path = path.resolve()
    name = path.name
    try:
        entries = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise FileError(f"{path}: cannot be listed ({error.strerror})") from error
    files = [entry for entry in entries if (path / entry).is_file()]
    if tables := _named_tables(files, name):
        return _from_tables(name, tables, files, lambda table: _file_table(path / table, on_bad_row))
    if has_idx_files(path):
        return read_idx_folder(path)
    if (folder := _parquet_folder(path)) is not None:
        from digit_recognizer.sources.parquet import read_parquet

        return read_parquet(folder)
    if _holds_pictures(path):
        from digit_recognizer.sources.image_files import read_image_folder

        return read_image_folder(path)
    if tables := _only_table(files):  # after the pictures: a list may lie beside them
        return _from_tables(name, tables, files, lambda table: _file_table(path / table, on_bad_row))
    found = f"found {', '.join(map(_printable, entries[:5]))}" if entries else "the folder is empty"
    raise InputError(f"{path}: {found}; expected {_ACCEPTED}", code="unknown_data")


def _parquet_folder(path: Path) -> Path | None:
    """The folder itself, or the one in it, that holds Parquet files."""
    return next((path / inside for inside in _PARQUET_FOLDERS if any((path / inside).glob("*.parquet"))), None)


def _holds_pictures(path: Path) -> bool:
    from digit_recognizer.pictures.collect import SUFFIXES

    below = chain.from_iterable(path.glob(pattern) for pattern in ("*", "*/*", "*/*/*"))  # flat, 7/a.png, test/7/a.png
    return any(file.suffix.lower() in SUFFIXES and not file.name.startswith(".") for file in below)


def _from_tables(name: str, tables: Mapping[str, str], files: Iterable[str], read: Callable[[str], Digits]) -> Dataset:
    """The tables found for each part ("train", "validation", "test", or "" where the name does not say), as a Dataset.

    files: all that lie beside them; tables that are none of these are named as unread.
    """
    digits = {part: read(table) for part, table in tables.items()}
    if "" in digits:
        return _by_labels(name, digits[""])
    for part in ("train", "validation"):
        if part in digits and digits[part].labels is None:
            table = _printable(tables[part])
            raise InputError(f"{name}/{table}: expected a column label, found pixels only", code="no_labels")
    others = (file for file in files if file.lower().endswith(_CSV_ENDINGS) and file not in tables.values())
    unread = tuple(_printable(file) for file in others if "submission" not in file.lower())
    parts = {part: digits.get(part) for part in _PARTS}
    return Dataset(name, parts["train"], parts["test"], validation=parts["validation"], unread=unread)


def _by_labels(name: str, digits: Digits) -> Dataset:
    return Dataset(name, digits, None) if digits.labels is not None else Dataset(name, None, digits)


def _named_tables(files: Iterable[str], where: str) -> dict[str, str]:
    """Which of ``files`` is the table of which part: by that name, or with that word in its name.

    One for validation counts beside one to learn from alone.
    """
    tables = [(file, *_stem_and_rank(file)) for file in files if file.lower().endswith(_CSV_ENDINGS)]
    chosen = {}
    for part, words in _PARTS.items():
        if part == "validation" and "train" not in chosen:
            continue
        found = [table for table in tables if table[1] in words]
        found = found or [table for table in tables if not words.isdisjoint(re.split(r"[^a-z]+", table[1]))]
        if found:
            best = min(rank for _, _, rank in found)
            first, *others = sorted(file for file, _, rank in found if rank == best)
            if others:
                raise InputError(
                    f"{where}: both {_printable(first)} and {_printable(others[0])} could be {part}.csv; give one",
                    code="ambiguous",
                )
            chosen[part] = first
    return chosen


def _stem_and_rank(file: str) -> tuple[str, tuple[int, int]]:
    """The name without folders and ending, and how far it stands behind others of that stem: by depth, then ending."""
    path = PurePosixPath(file.lower())
    ending = next(i for i, ending in enumerate(_CSV_ENDINGS) if path.name.endswith(ending))
    return path.name.removesuffix(_CSV_ENDINGS[ending]), (len(path.parts), ending)


def _only_table(files: Iterable[str]) -> dict[str, str]:
    tables = [file for file in files if file.lower().endswith(_CSV_ENDINGS)]
    return {"": tables[0]} if len(tables) == 1 else {}


def _file_table(path: Path, on_bad_row: OnBadRow | None) -> Digits:
    with open_bytes(path) as stream:
        return _table(stream, str(path), on_bad_row)


def _member_table(
    archive: zipfile.ZipFile, member: str, archive_name: str, on_bad_row: OnBadRow | None, *, nested: bool = False
) -> Digits:
    name = f"{archive_name}/{_printable(member)}"
    with opened_member(archive, member, name) as stream:
        return _table(stream, name, on_bad_row, nested=nested)


def _table(stream: BinaryIO, name: str, on_bad_row: OnBadRow | None, *, nested: bool = False) -> Digits:
    """The one table in ``stream``: CSV, gzip, or a zip holding just one CSV."""
    head = stream.read(4)
    stream.seek(0)
    if not is_zip(head):
        return read_pixel_csv(stream, name=name, on_bad_row=on_bad_row)
    if nested:
        raise InputError(f"{name}: a zip in a zip in a zip is not opened; unpack it", code="unknown_data")
    with opened_zip(stream, name) as archive:
        only = _only_table(members_of(archive))
        if not only:
            raise InputError(f"{name}: expected one .csv inside", code="unknown_data")
        return _member_table(archive, only[""], name, on_bad_row, nested=True)


def _printable(name: str) -> str:
    """A name as a message may show it: one from a foreign zip may hold line breaks or terminal codes."""
    return name if name.isprintable() else repr(name)


__all__ = ["NAMES", "is_data_set", "is_image_folder", "load"]
