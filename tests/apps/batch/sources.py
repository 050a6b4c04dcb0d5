"""The same drawn digits as every kind of source, and what a batch wrote as plain rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from digit_recognizer.digits import Images
from digit_recognizer.pictures.ink import to_frames
from tests.conftest import draw_digits


def frames(count: int = 30, seed: int = 0) -> Images:
    """Drawn digits in MNIST's frame, so that a picture of them is read as the pixels are."""
    return to_frames(draw_digits(count, seed).images)


def png(image: Images) -> bytes:
    """One image as the bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def names(count: int) -> list[str]:
    """Names that sort as the images are numbered."""
    return [f"{number:04d}.png" for number in range(count)]


def write_pictures(folder: Path, images: Images) -> Path:
    """A folder of PNGs, some of them one folder deeper, whose names sort behind."""
    (folder / "more").mkdir(parents=True)
    for number, (name, image) in enumerate(zip(names(len(images)), images, strict=True)):
        (folder / "more" / name if number >= len(images) // 2 else folder / name).write_bytes(png(image))
    return folder


def write_csv(path: Path, images: Images) -> Path:
    """A pixel CSV as Kaggle's, with labels."""
    lines = ["label," + ",".join(f"pixel{number}" for number in range(784))]
    lines += [f"{number % 10}," + ",".join(map(str, image.ravel())) for number, image in enumerate(images)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_idx(path: Path, images: Images) -> Path:
    """An IDX file of images."""
    path.write_bytes(struct.pack(">4I", 0x0803, len(images), 28, 28) + images.tobytes())
    return path


def write_tar(path: Path, images: Images) -> Path:
    """A WebDataset: a picture and a text for each sample."""
    with tarfile.open(path, "w") as archive:
        for name, image in zip(names(len(images)), images, strict=True):
            for member, content in ((name, png(image)), (name.replace(".png", ".txt"), b"7")):
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return path


def write_table(path: Path, columns: dict[str, Any], rows_of_a_group: int = 7) -> Path:
    """A Parquet file."""
    pq.write_table(pa.table(columns), path, row_group_size=rows_of_a_group)
    return path


def write_list(path: Path, folder: Path, pictures: list[str]) -> Path:
    """A CSV of paths, each with an id."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "path"])
        writer.writerows([f"n{number}", str(folder / name)] for number, name in enumerate(pictures))
    return path


def packed(path: Path) -> Path:
    """The file, gzipped, beside it."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return target


def rows(output: Path) -> list[dict[str, Any]]:
    """Every row of every part, in the order of the parts."""
    return [row for path in sorted((output / "parts").iterdir()) for row in pq.read_table(path).to_pylist()]


def errors(output: Path) -> list[dict[str, Any]]:
    """Every row of the errors."""
    found: list[dict[str, Any]] = pq.read_table(output / "errors.parquet").to_pylist()
    return found


def answers(output: Path) -> list[tuple[int, float]]:
    """Digit and confidence of every row, whatever it is called."""
    return [(row["digit"], row["confidence"]) for row in rows(output)]


def as_pixels(images: Images) -> Any:
    """Images as an Arrow array of 784 bytes each."""
    return pa.array([image.tobytes() for image in images], pa.binary(784))


def numbered_columns(images: Images) -> dict[str, Any]:
    """Images as columns pixel0 to pixel783."""
    flat = images.reshape(len(images), -1)
    return {f"pixel{number}": flat[:, number].astype(np.int64) for number in range(784)}


def content(output: Path) -> dict[str, Any]:
    """All that a finished batch says, to be compared."""
    return {
        "rows": rows(output),
        "errors": errors(output),
        "parts": {path.name: path.read_bytes() for path in (output / "parts").iterdir()},
        "manifest": json.loads((output / "manifest.json").read_text()),
    }
