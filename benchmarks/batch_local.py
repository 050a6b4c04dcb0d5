"""A million digits on disk become Parquet: ``digits batch`` on this machine, beside a plain loop in Keras, in one run.

    python benchmarks/batch_local.py                     # about five minutes, 2 GB of disk; data: MNIST's training part
    python benchmarks/batch_local.py --images 50000      # a short trial
    python benchmarks/batch_local.py --only pixels       # also: scaling, others

Every figure is end to end: from the start of the command to its end, input listed, answers on disk. Memory is the sum
of the resident sets of the command and all its workers, which counts what they share several times over.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from common import DIGITS, load_labelled, print_heading, print_table, require_keras, say
from digit_recognizer.apps.terminal import counted
from digit_recognizer.cores import available_cores

SEED = 0
ROW_GROUP = 8192
KERAS_CHUNK = 8192  # images that one call of predict is given: with fewer, starting it costs more than the work
GROUPS = ("pixels", "scaling", "others")
TARGETS = {"pixels": 10_000, "PNGs": 4_000}
MEMORY_LIMIT = 1.5e9
SCALING_TARGET = 1.7


@dataclass(frozen=True)
class Run:
    """One measured command. seconds: wall time. memory: largest sum of resident sets, bytes; 0 where not known."""

    name: str
    images: int
    workers: int
    seconds: float
    memory: int

    @property
    def rate(self) -> float:
        """Images a second, end to end."""
        return self.images / self.seconds


def main() -> None:
    arguments = _arguments()
    if arguments.keras:
        print(json.dumps(keras_loop(Path(arguments.keras))))
        return
    wanted = arguments.only.split(",")
    if unknown := set(wanted) - set(GROUPS):
        raise SystemExit(f"error: expected --only with {', '.join(GROUPS)}, found {', '.join(sorted(unknown))}")
    if "pixels" in wanted:
        require_keras()
    digits = load_labelled("mnist").images
    print_heading(
        "Batch: a million digits on one machine", ("onnxruntime", "pyarrow", "numpy", "keras", "tensorflow-cpu")
    )
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        folder = Path(name)
        tenth, part = max(1, arguments.images // 10), max(1, arguments.images * 2 // 5)
        if "pixels" in wanted:
            path = write_pixels(folder / "pixels.parquet", digits, arguments.images)
            runs.append(batch("pixels, Parquet", path, arguments.images, arguments.workers, folder))
            path.unlink()
            path = write_pixels(folder / "keras.parquet", digits, arguments.keras_images)
            runs.append(keras("Keras, a plain loop over the same table", path, arguments.keras_images))
            path.unlink()
        if "scaling" in wanted:
            path = write_pixels(folder / "scaling.parquet", digits, part)
            runs += [batch("pixels, Parquet", path, part, workers, folder) for workers in (1, 2, 2, 1)]
        if "others" in wanted:
            path = write_csv(folder / "pixels.csv", digits, tenth)
            runs.append(batch("pixels, CSV", path, tenth, arguments.workers, folder))
            path = write_pngs(folder / "pngs.parquet", digits, tenth)
            runs.append(batch("PNGs, Parquet", path, tenth, arguments.workers, folder))
            path = write_png_folder(folder / "pngs", digits, tenth // 2)
            runs.append(batch("PNGs, a folder: framed first", path, tenth // 2, arguments.workers, folder))
    report(runs)


def report(runs: Sequence[Run]) -> None:
    """Print the table and what it says of the targets."""
    peers = [run.rate for run in runs if run.name.startswith("Keras")]
    print_table(
        ("", "images", "workers", "seconds", "images/s", "times Keras", "memory, MB", "required images/s", "met"),
        [
            (
                run.name,
                f"{run.images:,}",
                str(run.workers),
                f"{run.seconds:.1f}",
                f"{run.rate:,.0f}",
                f"{run.rate / peers[0]:.1f}" if peers else "",
                f"{run.memory / 1e6:,.0f}" if run.memory else "",
                *_verdict(run),
            )
            for run in runs
        ],
    )
    by_workers = {
        workers: [run.seconds for run in runs if (run.name, run.workers) == ("pixels, Parquet", workers)]
        for workers in (1, 2)
    }
    if by_workers[1]:
        two = [run.seconds for run in runs if run.workers == 2 and run.images == _images_of_one(runs)]
        gain = np.mean(by_workers[1]) / np.mean(two)
        say(f"Two workers are {gain:.2f} times as fast as one, end to end (required: {SCALING_TARGET}).")
    most = max(run.memory for run in runs if not run.name.startswith("Keras"))
    if most:
        say(f"Memory at its highest: {most / 1e6:,.0f} MB (allowed: {MEMORY_LIMIT / 1e6:,.0f}).")


def batch(name: str, source: Path, images: int, workers: int, folder: Path) -> Run:
    """``digits batch`` on a source; ends the program where not every image was read."""
    output = folder / f"out-{time.monotonic_ns()}"
    command = [*DIGITS, "batch", str(source), "-o", str(output), "--workers", str(workers), "--json"]
    document, seconds, memory = measured(command)
    if document["read"] != images:
        raise SystemExit(f"error: {name}: expected {images:,} answers, found {document['read']:,}")
    run = Run(name, images, workers, seconds, memory)
    listed = f"{document['rate']:,.0f} once the input was listed"
    say(f"{name}, {counted(workers, 'worker')}: {run.rate:,.0f} images/s ({listed})")
    return run


def keras(name: str, source: Path, images: int) -> Run:
    """The loop in Keras, as a process of its own, on as many threads as there are cores."""
    document, seconds, memory = measured([sys.executable, __file__, "--keras", str(source)])
    # Its start is not counted: TensorFlow takes ten seconds to load, and a million images would not notice.
    run = Run(name, images, available_cores(), document["seconds"], memory)
    say(f"{name}: {run.rate:,.0f} images/s, and {seconds - document['seconds']:.1f} s to start")
    return run


def keras_loop(path: Path) -> dict[str, float]:
    """Read a table of pixels, predict, write digits and confidences as CSV: as one writes it by hand."""
    from notebook_in_keras import build, scaled

    model = build()
    model.predict(scaled(np.zeros((KERAS_CHUNK, 28, 28), np.uint8)), batch_size=256, verbose=0)
    began = time.perf_counter()
    with path.with_suffix(".csv").open("w") as out, pq.ParquetFile(path) as table:
        for rows in table.iter_batches(KERAS_CHUNK):
            images = np.stack([np.frombuffer(row, np.uint8) for row in rows.column("pixels").to_pylist()])
            found = model.predict(scaled(images.reshape(-1, 28, 28)), batch_size=256, verbose=0)
            digits, sure = found.argmax(axis=1), found.max(axis=1)
            out.writelines(f"{digit},{confidence:.6f}\n" for digit, confidence in zip(digits, sure, strict=True))
    return {"seconds": time.perf_counter() - began}


def measured(command: Sequence[str]) -> tuple[dict[str, Any], float, int]:
    """Run a program: (the JSON that it prints last, wall seconds, peak memory of it and its children)."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    out, err = process.communicate()
    seconds = time.perf_counter() - began
    watcher.join()
    if process.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with exit code {process.returncode}\n{err[-2000:]}")
    return json.loads(out[out.index("{") :]), seconds, peak[0]


def changed(digits: npt.NDArray[np.uint8], count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """``count`` images in chunks: the digits again and again, each time with other ink and a little noise in it."""
    random = np.random.default_rng(SEED)
    for start in range(0, count, ROW_GROUP):
        places = np.arange(start, min(start + ROW_GROUP, count)) % len(digits)
        images = digits[places].astype(np.float32)
        images *= random.uniform(0.85, 1, (len(images), 1, 1)).astype(np.float32)
        images -= random.integers(0, 8, images.shape, dtype=np.uint8)
        yield np.clip(images, 0, 255).astype(np.uint8)


def write_pixels(path: Path, digits: npt.NDArray[np.uint8], count: int) -> Path:
    """A Parquet table of 784 bytes a row."""
    schema = pa.schema([("pixels", pa.binary(784))])
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
        for images in changed(digits, count):
            rows = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(784), len(images), [None, pa.py_buffer(images.tobytes())]
            )
            writer.write_table(pa.table({"pixels": rows}, schema))
    return path


def write_csv(path: Path, digits: npt.NDArray[np.uint8], count: int) -> Path:
    """A pixel CSV as Kaggle's test.csv."""
    with path.open("w") as out:
        out.write(",".join(f"pixel{number}" for number in range(784)) + "\n")
        for images in changed(digits, count):
            np.savetxt(out, images.reshape(len(images), -1), fmt="%d", delimiter=",")
    return path


def write_pngs(path: Path, digits: npt.NDArray[np.uint8], count: int) -> Path:
    """A Parquet table of PNGs, as Hugging Face keeps them."""
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))])
    with pq.ParquetWriter(path, schema) as writer:
        for images in changed(digits, count):
            cells = [{"bytes": png(image), "path": None} for image in images]
            writer.write_table(pa.table({"image": cells}, schema), row_group_size=1024)
    return path


def write_png_folder(path: Path, digits: npt.NDArray[np.uint8], count: int) -> Path:
    """A folder of PNG files, a thousand in each of its folders."""
    number = 0
    for images in changed(digits, count):
        for image in images:
            place = path / f"{number // 1000:05d}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number:08d}.png").write_bytes(png(image))
            number += 1
    return path


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """One image as a PNG file."""
    return bytes(cv2.imencode(".png", image)[1])


def _verdict(run: Run) -> tuple[str, str]:
    if run.name.startswith("Keras") or run.workers == 1:
        return "", ""
    target = TARGETS["PNGs" if run.name.startswith("PNGs") else "pixels"]
    return f"{target:,}", "yes" if run.rate >= target else "no"


def _images_of_one(runs: Sequence[Run]) -> int:
    return next(run.images for run in runs if run.workers == 1)


def _watch(process: subprocess.Popen[str], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _resident(process.pid))
        time.sleep(0.1)


def _resident(process: int) -> int:
    """Sum of the resident sets of a process and all below it, in bytes; 0 where there is no /proc."""
    parents: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
        sizes[int(folder.name)] = int(fields[21]) * 4096
    total, waiting = 0, [process]
    while waiting:
        one = waiting.pop()
        total += sizes.get(one, 0)
        waiting += parents.get(one, [])
    return total


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="digits batch on this machine, beside a plain loop in Keras.")
    parser.add_argument("--images", type=int, default=1_000_000, help="rows of pixels; scaling and others take fewer")
    parser.add_argument("--keras-images", type=int, default=65_536)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--only", default=",".join(GROUPS), help="pixels, scaling, others; several with commas")
    parser.add_argument("--scratch", help="where the input and the answers lie  [default: the platform's]")
    parser.add_argument("--keras", help=argparse.SUPPRESS)  # what a child process does
    return parser.parse_args()


if __name__ == "__main__":
    main()
