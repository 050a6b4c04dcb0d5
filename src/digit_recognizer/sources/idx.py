"""IDX files (the format in which MNIST is published; LeCun et al. 1998), plain or gzipped, become arrays and Digits.

Knows nothing of where the files come from. Layout: two zero bytes, a type code, the number of dimensions, each
dimension as a big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Dataset, Digits
from digit_recognizer.errors import FileError, InputError

MAX_BYTES = 1 << 30  # of values in one file; MNIST's largest holds 47 million
_UBYTE = 0x08
_TYPES = (0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E)  # the format's others: int8, int16, int32, float32, float64
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)(?P<dash>[-_.])(?P<kind>images|labels)[-.]idx[13]-ubyte(?:\.gz)?",
    re.IGNORECASE,
)


def looks_like_idx(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (512 bytes are plenty) is IDX, plain or gzipped.

    >>> looks_like_idx(bytes([0, 0, 8, 3, 0, 0, 0, 5])), looks_like_idx(b"label,pixel0")
    (True, False)
    """
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 4)
        except zlib.error:
            return False
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= 4


def has_idx_files(folder: Path) -> bool:
    """Whether ``folder``, or ``MNIST/raw`` or ``raw`` in it, holds files named as MNIST's are.

    >>> has_idx_files(Path("/nowhere"))
    False
    """
    return bool(_sets_in(Path(folder)))


def read_idx(path: Path, *, max_bytes: int = MAX_BYTES) -> npt.NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes: uint8, in the shape that its header states.

    path: plain or gzipped; the content decides. max_bytes: cap on the values, unpacked.
    Memory grows with what is really there, never by the header's word. Raises FileError where the file cannot be
    read, InputError where it is not IDX, of another type than unsigned bytes, cut short, longer than its header
    says, or over the cap.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "labels-idx1-ubyte"
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    >>> read_idx(path).tolist()
    [7, 9]
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise FileError(f"{path}: expected an IDX file, this is no regular file", code="not_a_regular_file")
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            if not packed:
                return _read_plain(raw, path, max_bytes)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read_stream(unpacked, path, max_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path.name}: truncated or damaged gzip file ({error})", code="truncated") from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_idx_folder(folder: Path) -> Dataset:
    """Read MNIST's four files, or those of them that are there: labelled train, labelled or unlabelled test.

    folder: holds ``train-images-idx3-ubyte`` and so on (``t10k-`` for the test part), plain or .gz, ``-idx3`` or
    ``.idx3``, in itself, in ``MNIST/raw`` or in ``raw``. Image and label files that have each other's name are
    recognised by their content. Raises FileError, or InputError where files are missing or contradict each other.

    >>> read_idx_folder(Path("mnist"))                                            # doctest: +SKIP
    Dataset(name='mnist', train=Digits(60,000 images, labelled), test=Digits(10,000 images, labelled))
    """
    folder = Path(folder)
    sets = _sets_in(folder)
    if not sets:
        raise InputError(f"{folder.name}: expected IDX files such as train-images-idx3-ubyte.gz, found none")
    prefixes = sorted({prefix for prefix, _ in sets})
    if len(prefixes) > 1:
        found = ", ".join(repr(prefix) for prefix in prefixes)
        raise InputError(f"{folder.name}: expected one data set, found files that begin with {found}; name one file")
    parts = {part: _read_pair(pair) for (_, part), pair in sets.items()}
    train = parts.get("train")
    if train is not None and train.labels is None:
        raise InputError(f"{folder.name}: expected a file of labels beside {sets[prefixes[0], 'train'].images}")
    return Dataset(folder.name, train, parts.get("test"))


def read_idx_file(path: Path) -> Dataset:
    """Read one IDX file and its partner beside it (labels to images, images to labels).

    Images without a label file become an unlabelled test part; a file named ``t10k`` or ``test`` becomes the test
    part, labelled where it has labels; anything else becomes the training part. Raises as read_idx_folder does.

    >>> read_idx_file(Path("t10k-images-idx3-ubyte.gz")).test                     # doctest: +SKIP
    Digits(10,000 images, labelled)
    """
    path = Path(path)
    kind = "labels" if "labels" in path.name.lower() else "images"
    partner = _partner(path, kind)
    images, labels = (path, partner) if kind == "images" else (partner, path)
    digits = _read_pair(_Pair(images, labels))
    named = _NAME.fullmatch(path.name)
    if digits.labels is None or (named and named["part"].lower() != "train"):
        return Dataset(path.name, None, digits)
    return Dataset(path.name, digits, None)


@dataclass(frozen=True)
class _Pair:
    images: Path | None = None
    labels: Path | None = None


def _read_plain(raw: IO[bytes], path: Path, max_bytes: int) -> npt.NDArray[np.uint8]:
    shape, header = _read_header(raw, path, max_bytes)
    size = raw.seek(0, io.SEEK_END) - header
    expected = math.prod(shape)
    if size != expected:
        raise _wrong_size(path, shape, f"{size:,}")
    raw.seek(header)
    values = raw.read(expected)
    if len(values) != expected:
        raise _wrong_size(path, shape, f"{len(values):,}")
    return np.frombuffer(bytearray(values), np.uint8).reshape(shape)


def _read_stream(unpacked: gzip.GzipFile, path: Path, max_bytes: int) -> npt.NDArray[np.uint8]:
    # How much a gzip file holds is known only once it is unpacked: read on until it ends or passes its header's word.
    shape, _ = _read_header(unpacked, path, max_bytes)
    expected = math.prod(shape)
    values = bytearray()
    while len(values) <= expected and (chunk := unpacked.read(min(_CHUNK, expected + 1 - len(values)))):
        values += chunk
    if len(values) > expected:
        raise _wrong_size(path, shape, "more")
    if len(values) < expected:
        raise _wrong_size(path, shape, f"{len(values):,}")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_header(stream: IO[bytes] | gzip.GzipFile, path: Path, max_bytes: int) -> tuple[tuple[int, ...], int]:
    """The shape that the header states, and how many bytes the header takes."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
        found = f"the bytes {magic.hex(' ')}" if magic else "an empty file"
        raise InputError(f"{path.name}: expected an IDX file (00 00 08 ...), found {found}", code="not_idx")
    if magic[2] != _UBYTE:
        raise InputError(
            f"{path.name}: expected unsigned bytes (IDX type code 0x08), found type code 0x{magic[2]:02x}",
            code="wrong_idx_type",
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path.name}: expected {magic[3]} dimensions in the header, found its end", code="truncated")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    if math.prod(shape) > max_bytes:
        stated = " × ".join(f"{size:,}" for size in shape)
        raise InputError(f"{path.name}: {stated} values, more than the limit of {max_bytes:,}", code="too_large")
    return shape, 4 + len(sizes)


def _wrong_size(path: Path, shape: tuple[int, ...], found: str) -> InputError:
    stated = " × ".join(f"{size:,}" for size in shape)
    return InputError(
        f"{path.name}: expected {math.prod(shape):,} bytes of values ({stated}), found {found}", code="wrong_size"
    )


def _read_pair(pair: _Pair) -> Digits:
    """Images with their labels, set right by content where the two files have each other's name."""
    if pair.images is None:
        raise InputError(f"{pair.labels and pair.labels.name}: expected a file of images beside it, found none")
    images = read_idx(pair.images)
    labels = None if pair.labels is None else read_idx(pair.labels)
    images_name, labels_name = pair.images.name, pair.labels.name if pair.labels else ""
    if labels is not None and images.ndim == 1 and labels.ndim == 3:
        images, labels = labels, images
        images_name, labels_name = labels_name, images_name
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise InputError(
            f"{images_name}: expected images of {SIDE} × {SIDE} pixels, found {_dimensions(images)}", code="wrong_shape"
        )
    if len(images) == 0:
        raise InputError(f"{images_name}: expected at least one image, found none", code="no_rows")
    if images_name.lower().startswith("emnist"):
        images = np.ascontiguousarray(images.transpose(0, 2, 1))  # EMNIST (Cohen et al. 2017) is published transposed
    if labels is None:
        return Digits(images)
    if labels.ndim != 1:
        raise InputError(f"{labels_name}: expected a list of labels, found {_dimensions(labels)}", code="wrong_shape")
    if len(labels) != len(images):
        raise InputError(
            f"{labels_name}: expected {len(images):,} labels as {images_name} has images, found {len(labels):,}",
            code="counts_differ",
        )
    try:
        return Digits(images, labels.astype(np.int64))
    except InputError as error:
        raise InputError(f"{labels_name}, {error}", code=error.code) from error


def _dimensions(array: npt.NDArray[Any]) -> str:
    return f"{array.ndim} dimension{'s' * (array.ndim != 1)} ({' × '.join(f'{size:,}' for size in array.shape)})"


def _sets_in(folder: Path) -> dict[tuple[str, str], _Pair]:
    """The pairs of files in the first place that has any, by prefix ("" for MNIST) and part ("train", "test")."""
    for place in (folder, folder / "MNIST" / "raw", folder / "raw"):
        found: dict[tuple[str, str], dict[str, Path]] = {}
        # Longest names first, so that of a file and its .gz the plain one stays.
        for path in sorted(place.glob("*ubyte*"), key=lambda path: (-len(path.name), path.name)):
            if (match := _NAME.fullmatch(path.name)) and path.is_file():
                part = "train" if match["part"].lower() == "train" else "test"
                found.setdefault((match["prefix"], part), {})[match["kind"].lower()] = path
        if found:
            return {key: _Pair(**files) for key, files in sorted(found.items())}
    return {}


def _partner(path: Path, kind: str) -> Path | None:
    """The file beside ``path`` that holds its labels (or images): same name but for those words, .gz or not."""
    words = {"images": ("labels", "idx1"), "labels": ("images", "idx3")}[kind]
    name = re.sub("images|labels", words[0], path.name, flags=re.IGNORECASE)
    name = re.sub("idx[13]", words[1], name, flags=re.IGNORECASE)
    bare = name.removesuffix(".gz")
    candidates = (path.with_name(name), path.with_name(bare), path.with_name(bare + ".gz"))
    return next((other for other in candidates if other != path and other.is_file()), None)


__all__ = ["has_idx_files", "looks_like_idx", "read_idx", "read_idx_file", "read_idx_folder"]
