"""Digits that touch: lines cut and recognised, read by the line reader alone, and by both as ``digits read`` does.

    python benchmarks/touching.py --mnist FOLDER [--lines 150] [--reader FILE.onnx] [--seed 0]

Lines of 3 to 8 digits are composed, as in benchmarks/pages.py, from a twentieth of MNIST's training digits that neither
the model nor the line reader learnt from. The share of neighbours that touch grows from row to row of the table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from common import print_heading, print_table
from digit_recognizer.digits import Digits
from digit_recognizer.files import read_bytes
from digit_recognizer.line_reader import LineReader
from digit_recognizer.model_file import check_model
from digit_recognizer.pictures.paper import contrast_of_page, ink_of
from digit_recognizer.pictures.words.ctc import OTHER, hypotheses
from digit_recognizer.pictures.words.strips import own_ink, strip_of
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.idx import read_idx_folder
from pages import Kind, compose

SHARES = (0.0, 0.1, 0.2, 0.5, 1.0)
VALIDATION = 0.05  # the share that --val 0.05 keeps, with seed 0

Grey = npt.NDArray[np.uint8]
Read = Callable[[Grey], str]


def held_out(folder: Path) -> Digits:
    """The digits that a training with ``--val 0.05`` keeps for validation."""
    return read_idx_folder(folder).labelled().split(VALIDATION, 0)[1]


def by_line_reader(reader: LineReader) -> Read:
    """The whole picture as one strip, read by the line reader alone."""

    def read(picture: Grey) -> str:
        contrast = contrast_of_page(picture)
        ink = None if contrast is None else ink_of(contrast)
        if ink is None:
            return ""
        marks = cv2.connectedComponents(ink.mask.view(np.uint8))[1].astype(np.int32)
        height, width = marks.shape
        strip = strip_of(own_ink(ink.strength, marks, list(range(1, int(marks.max()) + 1)), (0, 0, width, height)))
        if strip is None:
            return ""
        return "".join(str(label) for label in hypotheses(reader.frames([strip.image]))[0][0].labels if label != OTHER)

    return read


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--reader", type=Path, help="a line reader; left out: the one that ships")
    parser.add_argument("--model")
    parser.add_argument("--lines", type=int, default=150, help="for each share")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    print_heading("Digits that touch", ("onnxruntime", "opencv-python-headless"), given.threads)
    if given.reader is None:
        shipped = check_model((files("digit_recognizer") / "assets" / "lines.onnx").read_bytes(), "lines.onnx")
        reader = LineReader(shipped.content, shipped.name, given.threads)
    else:
        reader = LineReader(read_bytes(given.reader), given.reader.name, given.threads)
    cutting = Recognizer(given.model, given.threads, lines=None)
    both = Recognizer(given.model, given.threads, lines=reader)
    roads: dict[str, Read] = {
        "cut and recognised": lambda picture: cutting.read(picture).text,
        "line reader alone": by_line_reader(reader),
        "both": lambda picture: both.read(picture).text,
    }
    digits = held_out(given.mnist)
    rows = []
    for share in SHARES:
        kind = Kind(touching=share, lines=(1, 1))
        rng = np.random.default_rng([given.seed, round(100 * share)])
        pictures = [compose(digits, kind, rng) for _ in range(given.lines)]
        cells = [f"{100 * share:.0f} %"]
        for read in roads.values():
            began = time.perf_counter()
            right = sum("".join(read(picture).split()) == "".join(texts) for picture, texts in pictures)
            ms = 1e3 * (time.perf_counter() - began) / len(pictures)
            cells.append(f"{100 * right / len(pictures):.1f} % ({ms:.0f} ms)")
        rows.append(tuple(cells))
    print_table(("neighbours that touch", *(f"{name}: whole lines (each)" for name in roads)), rows)


if __name__ == "__main__":
    main()
