"""Kaggle's train.csv, inside its zip, becomes arrays: time and memory of three readers, each in a fresh process.

    python benchmarks/read_csv.py [digit-recognizer.zip]      # default: $DIGITS_DATA/digit-recognizer.zip

Time runs from the open zip to uint8 images and labels, imports apart; memory is the peak beyond what the imports took.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

READERS = {
    "ours": "digit_recognizer.read_pixel_csv",
    "pandas": "pandas.read_csv, C engine, dtype uint8",
    "loadtxt": "numpy.loadtxt, dtype uint8",
}
Reader = Callable[[IO[bytes]], tuple[Any, Any]]


def main() -> None:
    arguments = _arguments()
    if arguments.reader:
        print(json.dumps(measure(arguments.reader, arguments.path)))
        return
    # Readers take turns, so that a busy moment of the machine meets them all.
    runs: dict[str, list[dict[str, Any]]] = {reader: [] for reader in READERS}
    for _ in range(arguments.repeats):
        for reader in READERS:
            command = [sys.executable, __file__, str(arguments.path), "--reader", reader]
            runs[reader].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    digests = {run["digest"] for measured in runs.values() for run in measured}
    if len(digests) != 1:
        raise SystemExit("the readers do not agree on what the file holds")

    def median(reader: str, key: str) -> float:
        return float(statistics.median(run[key] for run in runs[reader]))

    print(
        f"{arguments.path.name}: train.csv, {runs['ours'][0]['rows']:,} rows; median of {arguments.repeats} runs;",
        end=" ",
    )
    print(f"{os.cpu_count()} CPUs, Python {platform.python_version()}; the same pixels and labels from each reader\n")
    print("| reader | read s | ratio to pandas | import s | peak MB | ratio to pandas | beyond the result MB |")
    print("|---|---|---|---|---|---|---|")
    for reader, title in READERS.items():
        seconds, peak = median(reader, "seconds"), median(reader, "peak")
        print(
            f"| {title} | {seconds:.2f} | {seconds / median('pandas', 'seconds'):.2f} | {median(reader, 'import'):.2f} "
            f"| {peak / 1e6:.0f} | {peak / median('pandas', 'peak'):.2f} "
            f"| {max(0.0, peak - median(reader, 'result')) / 1e6:.0f} |"
        )


def measure(reader: str, path: Path) -> dict[str, Any]:
    """Read once, here: seconds, and bytes of peak memory, of the result, and a digest of it."""
    start = time.perf_counter()
    read = {"ours": _ours, "pandas": _pandas, "loadtxt": _loadtxt}[reader]()
    imported = time.perf_counter()
    before = _peak_bytes()
    with zipfile.ZipFile(path) as archive, archive.open("train.csv") as stream:
        opened = time.perf_counter()
        images, labels = read(stream)
        seconds = time.perf_counter() - opened
    peak = _peak_bytes() - before
    return {
        "seconds": seconds,
        "import": imported - start,
        "peak": peak,
        "result": images.nbytes + labels.nbytes,
        "rows": len(images),
        "digest": hashlib.sha256(images.tobytes() + labels.astype("u1").tobytes()).hexdigest(),
    }


def _ours() -> Reader:
    from digit_recognizer.sources.pixel_csv import read_pixel_csv

    def read(stream: IO[bytes]) -> tuple[Any, Any]:
        digits = read_pixel_csv(stream, name="train.csv")  # type: ignore[arg-type]
        return digits.images, digits.known_labels()

    return read


def _pandas() -> Reader:
    import numpy as np
    import pandas as pd

    def read(stream: IO[bytes]) -> tuple[Any, Any]:
        frame = pd.read_csv(stream, engine="c", dtype=np.uint8)
        return frame.drop(columns="label").to_numpy().reshape(-1, 28, 28), frame["label"].to_numpy()

    return read


def _loadtxt() -> Reader:
    import numpy as np

    def read(stream: IO[bytes]) -> tuple[Any, Any]:
        table = np.loadtxt(io.TextIOWrapper(stream), dtype=np.uint8, delimiter=",", skiprows=1)
        return table[:, 1:].reshape(-1, 28, 28), table[:, 0]

    return read


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time and memory of reading train.csv out of Kaggle's zip.")
    data = os.environ.get("DIGITS_DATA")
    default = Path(data) / "digit-recognizer.zip" if data else None
    parser.add_argument("path", type=Path, nargs="?" if default else None, default=default, help="Kaggle's zip")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)  # what a child process does
    return parser.parse_args()


if __name__ == "__main__":
    main()
