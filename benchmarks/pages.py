"""Whole pages: composed lines of digits as people write and photograph them, and photos of number grids.

    python benchmarks/pages.py [--model RUN] [--pages 40] [--kinds plain,touching] [--photos FOLDER]

Lines are composed from the last 3,000 of MNIST's 60,000 training digits; the shipped model's training saw other
compositions, and never the test digits. Prints whole lines right, digits right and spurious digits per page.
"""

from __future__ import annotations

import argparse
import difflib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from common import print_heading, print_table, say
from digit_recognizer.digits import Digits
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.idx import read_idx_folder

HELD_OUT = 3_000

Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Kind:
    """What pages of a kind are like. Lengths in pixels, angles in degrees, shares 0-1."""

    touching: float = 0.0
    broken: float = 0.0
    rules: str = ""  # "ruled", "squared" or "boxes"
    shade: float = 0.0
    noise: float = 0.0
    skew: float = 0.0
    inverted: bool = False
    banner: bool = False
    contrast: float = 255
    jpeg: int = 0
    blur: float = 0.0
    sizes: tuple[int, int] = (26, 60)
    lines: tuple[int, int] = (1, 5)


KINDS: dict[str, Kind] = {
    "plain": Kind(),
    "one number": Kind(lines=(1, 1)),
    "touching 20 %": Kind(touching=0.2),
    "touching 100 %": Kind(touching=1.0),
    "broken strokes": Kind(broken=0.4),
    "uneven light": Kind(shade=0.6, noise=3, contrast=160),
    "ruled": Kind(rules="ruled"),
    "squared": Kind(rules="squared"),
    "boxes": Kind(rules="boxes"),
    "inverted": Kind(inverted=True),
    "dark banner": Kind(banner=True),
    "skewed": Kind(skew=12),
    "JPEG, blur, noise": Kind(jpeg=35, blur=1.0, noise=6, contrast=140),
    "small": Kind(sizes=(12, 18)),
    "all at once": Kind(touching=0.1, rules="ruled", shade=0.4, noise=3, skew=6, jpeg=60, contrast=170),
}


@dataclass
class Score:
    """Counts over pages."""

    lines: int = 0
    lines_right: int = 0
    digits: int = 0
    digits_right: int = 0
    spurious: int = 0
    accepted: int = 0
    accepted_wrong: int = 0
    pages: int = 0
    seconds: list[float] = field(default_factory=list)


def compose(digits: Digits, kind: Kind, rng: np.random.Generator) -> tuple[Grey, list[str]]:
    """A page, uint8 (H, W), and its lines of text, top to bottom."""
    labels = digits.known_labels()
    rows, texts = [], []
    for _ in range(rng.integers(kind.lines[0], kind.lines[1] + 1)):
        size = int(rng.integers(*kind.sizes))
        chosen = rng.integers(0, len(digits), rng.integers(3, 9))
        strokes = [_sprite(digits.images[index], size, kind, rng) for index in chosen]
        rows.append(_row(strokes, size, kind, rng))
        texts.append("".join(str(labels[index]) for index in chosen))
    margin = int(rng.integers(15, 60))
    between = [int(rng.integers(14, 50)) for _ in rows]
    width = max(row.shape[1] for row in rows) + 2 * margin
    height = sum(row.shape[0] for row in rows) + sum(between) + 2 * margin
    page = np.zeros((height, width), np.float32)
    top = margin
    for row, gap in zip(rows, between, strict=True):
        left = int(rng.integers(margin, width - margin - row.shape[1] + 1))
        place = page[top : top + row.shape[0], left : left + row.shape[1]]
        np.maximum(place, row, out=place)
        if kind.rules == "ruled":
            line = top + row.shape[0] - int(rng.integers(-2, 5))
            page[line : line + 1 + row.shape[0] // 40] = np.maximum(page[line : line + 1 + row.shape[0] // 40], 0.6)
        top += row.shape[0] + gap
    if kind.rules == "squared":
        step = int(rng.integers(18, 34))
        page[::step] = np.maximum(page[::step], 0.4)
        page[:, ::step] = np.maximum(page[:, ::step], 0.4)
    return _photographed(page, kind, rng), texts


def _sprite(image: Grey, size: int, kind: Kind, rng: np.random.Generator) -> _Floats:
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    scale = size * rng.uniform(0.9, 1.1) / 20
    wide = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
    ink = cv2.resize(ink, wide, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    if rng.random() < kind.broken:
        cut = int(rng.uniform(0.25, 0.75) * len(ink))
        ink[cut : cut + max(1, size // 20)] = 0
    return np.clip(ink, 0, 1)


def _row(strokes: Sequence[_Floats], size: int, kind: Kind, rng: np.random.Generator) -> _Floats:
    box = kind.rules == "boxes"
    tall = max(len(ink) for ink in strokes) + round(0.2 * size) + (16 if box else 0)
    spacing = rng.uniform(0.08, 0.35) * size
    row = np.zeros((tall, 40 + sum(ink.shape[1] for ink in strokes) + len(strokes) * 3 * size), np.float32)
    pen = round(size * 1.6)
    x = 4
    ends: _Floats | None = None
    for number, ink in enumerate(strokes):
        y = int(rng.integers(0, tall - len(ink) + 1))
        if box:
            y, x = (tall - len(ink)) // 2, 4 + number * pen + max(0, (pen - ink.shape[1]) // 2)
        elif ends is not None:
            starts = np.where((ink > 0.4).any(1), (ink > 0.4).argmax(1), 999)
            free = np.min(starts - ends[y : y + len(ink)])
            touch = rng.random() < kind.touching
            x = round(-free + (rng.uniform(-0.06, 0.0) * size if touch else spacing + rng.uniform(0, 0.1) * size))
        place = row[y : y + len(ink), x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
        last = np.where((row > 0.4).any(1), row.shape[1] - 1 - (row > 0.4)[:, ::-1].argmax(1), -999)
        ends = last.astype(np.float32)
    width = 4 + len(strokes) * pen + 4 if box else int(np.flatnonzero(row.any(0))[-1]) + 4
    row = row[:, :width]
    if box:
        row[[1, 2, tall - 3, tall - 2], 3:-3] = 0.8
        for number in range(len(strokes) + 1):
            row[1 : tall - 1, 3 + number * pen : 5 + number * pen] = 0.8
    return row


def _photographed(page: _Floats, kind: Kind, rng: np.random.Generator) -> Grey:
    ground = float(rng.uniform(kind.contrast, 255))
    contrast = kind.contrast * rng.uniform(0.7, 1.0)
    if kind.skew:
        angle = rng.uniform(-kind.skew, kind.skew)
        width = page.shape[1]
        grown = cv2.copyMakeBorder(page, width // 6, width // 6, 30, 30, cv2.BORDER_REPLICATE if kind.rules else 0)
        matrix = cv2.getRotationMatrix2D((grown.shape[1] / 2, grown.shape[0] / 2), angle, 1)
        page = cv2.warpAffine(grown, matrix, grown.shape[::-1], borderMode=cv2.BORDER_REPLICATE if kind.rules else 0)
    picture = ground - contrast * page
    if kind.banner:
        picture = np.vstack([np.full_like(picture, ground)[: len(picture) // 2], 255 - picture])
    if kind.shade:
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
        turn = rng.uniform(0, 2 * np.pi)
        along = np.cos(turn) * columns / picture.shape[1] + np.sin(turn) * rows / picture.shape[0]
        along = (along - along.min()) / np.ptp(along)
        if rng.random() < 0.5:
            along = 1 / (1 + np.exp(-(along - rng.uniform(0.3, 0.7)) / 0.03))
        picture = picture * (1 - kind.shade * along)
    if kind.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), kind.blur)
    if kind.noise:
        picture = picture + rng.normal(0, kind.noise, picture.shape)
    if kind.inverted:
        picture = 255 - picture
    grey = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if kind.jpeg:
        _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, kind.jpeg])
        grey = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return grey


def add_page(score: Score, page: Any, texts: Sequence[str]) -> None:
    """Count one page: a line is right where its text, spaces left out, is; digits by the longest matching blocks."""
    found = [line.text.replace(" ", "") for line in page.lines]
    score.pages += 1
    score.lines += len(texts)
    matched = difflib.SequenceMatcher(None, list(texts), found, autojunk=False)
    score.lines_right += sum(block.size for block in matched.get_matching_blocks())
    expected, read = "".join(texts), "".join(found)
    same = sum(b.size for b in difflib.SequenceMatcher(None, expected, read, autojunk=False).get_matching_blocks())
    score.digits += len(expected)
    score.digits_right += same
    score.spurious += max(0, len(read) - len(expected))
    score.accepted += sum(digit.accepted for digit in page.digits)


def held_out(folder: Path) -> Digits:
    """The last 3,000 of MNIST's training digits."""
    digits = read_idx_folder(folder).labelled()
    return digits.take(range(len(digits) - HELD_OUT, len(digits)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help="names, separated by commas")
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's IDX files")
    parser.add_argument("--photos", type=Path, help="folder of photos of 9 x 9 grids, each with its .txt")
    parser.add_argument("--keep", type=Path, help="folder for pages with errors")
    given = parser.parse_args()
    if not given.mnist and not given.photos:
        parser.error("give --mnist FOLDER, --photos FOLDER, or both")
    print_heading("Pages", ("onnxruntime", "opencv-python-headless"), given.threads)
    recognizer = Recognizer(given.model, given.threads)
    if given.mnist:
        _composed(given, recognizer)
    if given.photos:
        _photos(given, recognizer)


def _composed(given: argparse.Namespace, recognizer: Recognizer) -> None:
    digits = held_out(given.mnist)
    rows = []
    for name, kind in KINDS.items():
        if given.kinds and name not in given.kinds.split(","):
            continue
        score = Score()
        rng = np.random.default_rng([given.seed, list(KINDS).index(name)])
        for number in range(given.pages):
            picture, texts = compose(digits, kind, rng)
            began = time.perf_counter()
            page = recognizer.read(picture)
            score.seconds.append(time.perf_counter() - began)
            before = score.lines_right
            add_page(score, page, texts)
            if given.keep and score.lines_right - before < len(texts):
                given.keep.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(given.keep / f"{name}-{number}.png".replace(" ", "_")), picture)
                say(f"{name} {number}: {' / '.join(texts)} read as {' / '.join(page.text.splitlines())}")
        rows.append(
            (
                name,
                f"{100 * score.lines_right / score.lines:.1f} % of {score.lines}",
                f"{100 * score.digits_right / score.digits:.2f} %",
                f"{score.spurious / score.pages:.2f}",
                f"{100 * score.accepted / max(1, score.digits):.1f} %",
                f"{1e3 * float(np.median(score.seconds)):.0f}",
            )
        )
    print_table(("pages", "lines right", "digits right", "spurious a page", "accepted", "ms a page"), rows)


def _photos(given: argparse.Namespace, recognizer: Recognizer) -> None:
    """The grids as read where somebody told of them, and where nobody did."""
    header = ("", "photos", "grids found", "whole grids right", "digits right", "ms a photo")
    photos = sorted(given.photos.glob("*.jpg"))
    print_table(header, [_grids_read(photos, recognizer, told=told) for told in (True, False)])


def _grids_read(photos: Sequence[Path], recognizer: Recognizer, *, told: bool) -> tuple[str, ...]:
    digits_right = digits = whole = found = 0
    seconds = []
    for photo in photos:
        texts = photo.with_suffix(".txt").read_text("utf-8").split()
        began = time.perf_counter()
        page = recognizer.read(photo, expect=f"{len(texts)}x{len(texts[0])}" if told else None)
        seconds.append(time.perf_counter() - began)
        rows = [line.text.replace(" ", "?") for line in page.lines]
        right = sum(
            a == b
            for row, text in zip(rows, texts, strict=False)
            for a, b in zip(row.ljust(len(text), "?"), text, strict=False)
        )
        found += len(rows) == len(texts)
        digits += sum(map(len, texts))
        digits_right += right
        whole += rows == texts
        if told:
            say(f"{photo.name}: {right} of {sum(map(len, texts))}")
    return (
        "told of the grid" if told else "not told",
        str(len(photos)),
        str(found),
        f"{whole} of {len(photos)}",
        f"{100 * digits_right / max(1, digits):.2f} %",
        f"{1e3 * float(np.median(seconds)):.0f}",
    )


if __name__ == "__main__":
    main()
