"""What a picture of a batch costs: CPU time of the worker and of the driver, bytes read and written; and of a billion.

    python benchmarks/batch_cost.py [--pictures 20000] [--machines 10] [--cores 16]

One process does everything, so that CPU time can be told apart: what ``do`` takes, which any number of workers share,
and the rest, listing, tasks and manifest, which the driver does alone. CPU time hardly depends on what else runs. What
a job costs however small it is, opening the model for one, is left out: two jobs are done, the figures are their slope.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common import load_labelled, print_heading, print_table, say
from digit_recognizer.apps.batch.driver import run_batch
from digit_recognizer.apps.batch.engine import OnDone, Task
from digit_recognizer.apps.batch.request import Request
from digit_recognizer.apps.batch.work import do, prepare_process
from digit_recognizer.digits import Images

SOURCES = {"folder": "PNG files", "table": "PNGs in Parquet", "pixels": "pixels in Parquet"}
SIZES = (100_000_000, 1_000_000_000)


class InlineEngine:
    """Does every task in this process, one after the other, and adds up the CPU seconds that the work takes."""

    workers = 1

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def run(self, tasks: Iterable[Task], on_done: OnDone) -> None:
        for task in tasks:
            began = time.process_time()
            outcome = do(task)
            self.cpu_s += time.process_time() - began
            on_done(task, outcome)


@dataclass(frozen=True)
class Cost:
    """Of one picture. work_s, driver_s: CPU seconds. read, written, listed: bytes of input, parts and listing."""

    source: str
    work_s: float
    driver_s: float
    read: float
    written: float
    listed: float


def main() -> None:
    arguments = _arguments()
    print_heading("What a picture of a batch costs", ("onnxruntime", "pyarrow", "numpy"), threads=1)
    prepare_process()
    with tempfile.TemporaryDirectory(prefix="digits-") as temporary:
        folder = Path(temporary)
        write_sources(folder, moved_digits(arguments.data, arguments.pictures, arguments.seed))
        costs = [measure(folder, source) for source in SOURCES]
    _print(costs, arguments)


def moved_digits(data: str, count: int, seed: int) -> Images:
    """Labelled training digits drawn with the seed, each moved by up to 2 pixels: uint8 (count, 28, 28)."""
    rng = np.random.default_rng(seed)
    images = load_labelled(data).images
    chosen = images[rng.integers(0, len(images), count)]
    return np.stack([np.roll(image, rng.integers(-2, 3, size=2), axis=(0, 1)) for image in chosen])


def write_sources(folder: Path, images: Images) -> None:
    """The same pictures as PNG files, as a table of PNGs and as a table of pixels."""
    encoded = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    for number, content in enumerate(encoded):
        path = folder / "folder" / f"{number // 1000:04d}" / f"{number:08d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    ids = [f"{number:08d}" for number in range(len(images))]
    columns = {
        "table": pa.array([{"bytes": content} for content in encoded]),
        "pixels": pa.array([image.tobytes() for image in images], pa.binary(images[0].size)),
    }
    for name, column in columns.items():
        (folder / name).mkdir()
        table = pa.table({"id": ids, "image": column})
        pq.write_table(table, folder / name / "pictures.parquet", row_group_size=8192)


def measure(folder: Path, source: str) -> Cost:
    """Run two jobs over one of the sources, over a fifth of it and over all."""
    few, many = (_job(folder, source, share) for share in (1, 5))
    count = many.pictures - few.pictures
    return Cost(
        SOURCES[source],
        (many.work_s - few.work_s) / count,
        (many.driver_s - few.driver_s) / count,
        _bytes(folder / source) / many.pictures,
        (many.written - few.written) / count,
        (many.listed - few.listed) / count,
    )


@dataclass(frozen=True)
class _Job:
    """CPU seconds and bytes of a whole job."""

    pictures: int
    work_s: float
    driver_s: float
    written: int
    listed: int


def _job(folder: Path, source: str, fifths: int) -> _Job:
    total = sum(1 for _ in (folder / "folder").rglob("*.png"))
    output = folder / f"out-{source}-{fifths}"
    with InlineEngine() as engine:
        began = time.process_time()
        result = run_batch(Request(str(folder / source), output, limit=total * fifths // 5), engine)
        seconds = time.process_time() - began
    return _Job(
        result.tally.pictures,
        engine.cpu_s,
        seconds - engine.cpu_s,
        _bytes(output / "parts"),
        (output / "inputs.parquet").stat().st_size,
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _print(costs: list[Cost], arguments: argparse.Namespace) -> None:
    say(f"{arguments.pictures:,} pictures of {arguments.data}, seed {arguments.seed}, one thread")
    print_table(
        (
            "source",
            "work, CPU ms",
            "pictures/s a core",
            "driver, CPU ms",
            "bytes read",
            "bytes written",
            "listing, bytes",
        ),
        [
            (
                cost.source,
                f"{1000 * cost.work_s:.3f}",
                f"{1 / cost.work_s:,.0f}",
                f"{1000 * cost.driver_s:.4f}",
                f"{cost.read:.0f}",
                f"{cost.written:.1f}",
                f"{cost.listed:.1f}",
            )
            for cost in costs
        ],
    )
    cores = arguments.machines * arguments.cores
    rows = []
    for count in SIZES:
        for cost in costs:
            hours = count * cost.work_s / 3600
            rows.append(
                (
                    f"{count:,}",
                    cost.source,
                    f"{hours:,.1f}",
                    _time(hours / 2),
                    _time(hours / cores),
                    _time(count * cost.driver_s / 3600),
                    f"{count * cost.read / 1e9:,.0f}",
                    f"{count * cost.read / (hours / cores * 3600) / 1e6:,.0f}",
                    f"{count * cost.written / 1e9:,.1f}",
                )
            )
    header = (
        "pictures",
        "source",
        "core hours",
        "2 cores",
        f"{cores} cores",
        "driver alone",
        "GB read",
        "MB/s",
        "GB written",
    )
    print_table(header, rows)


def _time(hours: float) -> str:
    return f"{60 * hours:,.0f} min" if hours < 2 else f"{hours:,.1f} h"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="CPU time and bytes of a picture in a batch.")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--machines", type=int, default=10, help="of the cluster that the figures are taken to")
    parser.add_argument("--cores", type=int, default=16, help="of each of its machines")
    parser.add_argument("--seed", type=int, default=0)
    data = "mnist" if os.environ.get("DIGITS_DATA") else "sample"
    parser.add_argument("--data", default=data, help="the digits that are drawn; training digits alone are taken")
    return parser.parse_args()


if __name__ == "__main__":
    main()
