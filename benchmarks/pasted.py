"""Which handwritten digits of photographed grids are images of MNIST, put into the photo.

    python benchmarks/pasted.py [--photos FOLDER] [--mnist FOLDER] [--controls 300]

A figure for photos flatters where their digits were learnt from. Each cell is framed as every picture is, the images
of MNIST most like it are laid over it as well as an affine map and a blur allow (Evangelidis, Psarakis 2008), and it
counts as the best of these where the two correlate by 0.98. 1s are left out: one stroke is like another. As a control,
images of t10k are drawn into cells and looked for in the same way, then among all but themselves. Prints what was
found, and how each kind is read by `Recognizer.read`, told of the grid.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from common import print_heading, print_table, run, say
from digit_recognizer.pictures.ink import to_frames
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.idx import read_idx_folder
from photo_grids import CELLS, Cell, cut_cells
from scores import Share

ALIKE = 0.98  # correlation from which on two pictures are one
CANDIDATES = 40  # images that are laid over a cell
BLURS = (0.5, 0.9, 1.3)  # pixels of 28
LEARNT, TEST, REST = "MNIST's training images", "MNIST's t10k", "others: print, and what was not found"

Images = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


def likest(frame: npt.NDArray[np.uint8], candidates: Images) -> tuple[int, float]:
    """(which of ``candidates`` the frame is most like, how well the two correlate then, at most 1).

    frame: uint8 (28, 28). candidates: uint8 (N, 28, 28), N at least 1.
    """
    found = [max(_aligned(frame, image, blur) for blur in BLURS) for image in candidates]
    best = int(np.argmax(found))
    return best, found[best]


def nearest(frames: Images, images: Images, count: int) -> npt.NDArray[np.int64]:
    """The ``count`` images most like each frame, shifted by a pixel at most: int64 (N, count), the likest first."""
    known = _normal(images)
    likeness = np.full((len(frames), len(images)), -1, np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            np.maximum(likeness, _normal(np.roll(frames, (down, right), (1, 2))) @ known.T, out=likeness)
    few = np.argpartition(-likeness, count, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(likeness, few, 1), axis=1)
    return np.take_along_axis(few, order, 1)


def _aligned(frame: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8], blur: float) -> float:
    soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), blur)
    ending = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        found, _ = cv2.findTransformECC(
            frame.astype(np.float32), soft, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, ending, None, 1
        )
    except cv2.error:  # the two have nothing in common
        return -1.0
    return float(found)


def _normal(images: Images) -> _Floats:
    """Each picture as one row of mean 0 and length 1, so that products are correlations."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def matches(frames: Images, images: Images, left_out: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
    """The image that each frame is, or -1. left_out: for each frame one image that it must not be."""
    found = np.full(len(frames), -1, np.int64)
    for first in range(0, len(frames), 200):
        part = slice(first, first + 200)
        for at, row in enumerate(nearest(frames[part], images, CANDIDATES + 1), first):
            row = row if left_out is None else row[row != left_out[at]]
            best, alike = likest(frames[at], images[row[:CANDIDATES]])
            if alike >= ALIKE:
                found[at] = row[best]
        say(f"looked for {min(first + 200, len(frames)):,} of {len(frames):,}")
    return found


def as_in_a_cell(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """An image of MNIST in a cell of a photo: dark on grey paper, smaller or larger, a little blurred and noisy."""
    side = int(rng.integers(20, 34))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if side < 28 else cv2.INTER_LINEAR)
    cell = np.zeros((40, 40), np.float32)
    top, left = (40 - side) // 2 + rng.integers(-2, 3, 2)
    cell[top : top + side, left : left + side] = small
    ground = rng.uniform(110, 200)
    soft = np.asarray(cv2.GaussianBlur(cell, (0, 0), rng.uniform(0.3, 0.8)), np.float32)
    grey = ground - (ground - 30) * soft / 255 + rng.normal(0, 2, cell.shape)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _right(cells: Sequence[Cell], photos: Path) -> npt.NDArray[np.bool_]:
    """Which cells are read right; in a row that is not read as nine digits none is."""
    recognizer = Recognizer()
    read: dict[str, str] = {}
    for name in dict.fromkeys(cell.photo for cell in cells):
        rows = [line.text.replace(" ", "") for line in recognizer.read(photos / name, expect="9x9").lines]
        rows = [row if len(row) == CELLS else "?" * CELLS for row in rows]
        read[name] = "".join(rows) if len(rows) == CELLS else "?" * CELLS**2
    return np.array([str(cell.digit) == read[cell.photo][at % CELLS**2] for at, cell in enumerate(cells)])


def _others(found: npt.NDArray[np.int64], themselves: npt.NDArray[np.int64]) -> str:
    return str(Share(int(((found >= 0) & (found != themselves)).sum()), len(found)))


def _read(right: npt.NDArray[np.bool_]) -> str:
    return str(Share(int(right.sum()), len(right))) if len(right) else "-"


def main() -> None:
    folder = Path(os.environ.get("DIGITS_DATA", "."))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=folder / "photos", help="photographed grids, .jpg and .txt")
    parser.add_argument("--mnist", type=Path, default=folder / "mnist", help="folder with MNIST's IDX files")
    parser.add_argument("--controls", type=int, default=300, help="images of t10k that are looked for (300)")
    chosen = parser.parse_args()
    print_heading("Photographed grids: digits that are images of MNIST", ("opencv-python-headless", "numpy"))

    mnist = read_idx_folder(chosen.mnist)
    if mnist.train is None or mnist.test is None:
        raise SystemExit(f"error: {chosen.mnist}: expected MNIST's training and test images")
    images = np.concatenate([mnist.train.images, mnist.test.images])
    sides = np.repeat([LEARNT, TEST], [len(mnist.train), len(mnist.test)])

    rng = np.random.default_rng(0)
    drawn = rng.permutation(np.flatnonzero(mnist.test.known_labels() != 1))[: chosen.controls]
    themselves = drawn + len(mnist.train)
    controls = to_frames([as_in_a_cell(mnist.test.images[index], rng) for index in drawn])
    there, gone = matches(controls, images), matches(controls, images, themselves)
    print_table(
        ("images of t10k drawn into cells", "found", "another image found"),
        [
            ("among all images", str(Share(int((there == themselves).sum()), len(drawn))), _others(there, themselves)),
            ("among all but themselves", "", _others(gone, themselves)),
        ],
    )

    cells, failed = cut_cells(chosen.photos)
    shown = [at for at, cell in enumerate(cells) if cell.digit > 1]
    found = matches(to_frames([cells[at].picture for at in shown]), images)
    right = _right(cells, chosen.photos)[shown]
    named = np.where(found >= 0, sides[found], REST)
    print_table(
        ("cells of the photos, no 1s", "n", "read right"),
        [(name, f"{(named == name).sum():,}", _read(right[named == name])) for name in (LEARNT, TEST, REST)],
    )
    if failed:
        say(f"No grid was found by photo_grids.py in {', '.join(failed)}.")


if __name__ == "__main__":
    run(main)
