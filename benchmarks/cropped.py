"""Numbers by hand, cut out close and less so: drawings, photos, photos with a shadow's edge; and what is lost there.

    python benchmarks/cropped.py [--model RUN] [--pictures 1000] [--seed 0] [--strokes FILE] [--keep FOLDER]

Numbers of one to six digits, composed of the pen drawings that no training sees, 18 to 160 pixels tall, in pens of a
twenty-fifth to a sixth of that, three in ten light on dark; around them a margin of 0.08, 0.2, 0.5 or 1.5 of their
height, as people crop. A drawing has two levels and soft edges; a photo slanting light, blur and noise. Prints the
share of numbers read right with 95 % intervals (Wilson, 1927), how many are accepted, and how many of these are wrong,
beside Tesseract with a whitelist of digits, told that there is one line.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from common import kept_drawings, print_heading, print_table, say
from digit_recognizer.analysis.metrics import wilson_interval
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import Drawing, draw
from line_peers import ask_tesseract, digits_of, tesseract_version

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

MARGINS = (0.08, 0.2, 0.5, 1.5)
GROUNDS = ("drawing", "photo", "photo with a shadow's edge")
HEIGHTS, PENS, GAPS = (18, 160), (0.04, 0.16), (0.1, 0.6)  # pixels; shares of the height
DEPTHS = (40, 190)  # grey levels between ink and ground
LIGHT_ON_DARK = 0.3


class Picture(NamedTuple):
    """grey: uint8 (H, W). text: what is written. margin: around it, in heights. ground: one of GROUNDS."""

    grey: Grey
    text: str
    margin: float
    ground: str


class Read(NamedTuple):
    """What was made of a picture. accepted: whether anything was read, and all of it accepted."""

    text: str
    accepted: bool


def compose(drawings: Sequence[Drawing], rng: np.random.Generator) -> Picture:
    """One picture."""
    by_label: dict[int, list[Drawing]] = defaultdict(list)
    for drawing in drawings:
        if drawing.label is not None:
            by_label[drawing.label].append(drawing)
    labels = rng.integers(0, 10, int(rng.integers(1, 7))).tolist()
    height = round(float(np.exp(rng.uniform(*np.log(HEIGHTS)))))
    pen, gap = max(1, round(height * rng.uniform(*PENS))), rng.uniform(*GAPS) * height
    margin = float(rng.choice(MARGINS))
    inks = [
        _cut(draw(by_label[label][int(rng.integers(len(by_label[label])))], pen=pen, side=int(height / 0.8), fill=0.8))
        for label in labels
    ]
    ink = _in_a_row(inks, height, round(gap), max(2, round(margin * height)), rng)
    ground = str(rng.choice(GROUNDS))
    grey = _taken(ink, height, ground, rng)
    is_inverted = rng.random() < LIGHT_ON_DARK
    return Picture(255 - grey if is_inverted else grey, "".join(map(str, labels)), margin, ground)


def _cut(ink: Grey) -> Floats:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255


def _in_a_row(inks: Sequence[Floats], height: int, gap: int, margin: int, rng: np.random.Generator) -> Floats:
    """The digits side by side, none of them quite level with the next: 0-1, float32 (H, W)."""
    width = sum(ink.shape[1] for ink in inks) + gap * (len(inks) - 1)
    row = np.zeros((round(1.1 * height) + 2 * margin, width + 2 * margin), np.float32)
    x = margin
    for ink in inks:
        y = (len(row) - len(ink)) / 2 + rng.uniform(-0.05, 0.05) * height
        top = int(np.clip(round(y), 0, len(row) - len(ink)))
        place = row[top : top + len(ink), x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
        x += ink.shape[1] + gap
    return row


def _taken(ink: Floats, height: int, ground: str, rng: np.random.Generator) -> Grey:
    """Dark ink on light ground, as drawn or as a camera sees it: uint8 (H, W)."""
    down, right = (np.linspace(0, 1, side) for side in ink.shape)
    paper = np.full(ink.shape, rng.uniform(200, 250))
    if ground != GROUNDS[0]:
        paper *= 1 - rng.uniform(0, 0.3) * right - rng.uniform(0, 0.2) * down[:, None]
    if ground == GROUNDS[2]:
        edge = rng.uniform(0.2, 0.8) + 0.3 * rng.normal() * down[:, None] * ink.shape[0] / ink.shape[1]
        paper *= 1 - rng.uniform(0.1, 0.35) / (1 + np.exp(-(right - edge) / rng.uniform(0.01, 0.1)))
    grey = np.asarray(paper - rng.uniform(*DEPTHS) * ink, np.float32)
    if ground != GROUNDS[0]:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), max(0.3, height * rng.uniform(0, 0.025))), np.float32)
        grey = grey + rng.normal(0, rng.uniform(0.5, 5), grey.shape).astype(np.float32)
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--peer-pictures", type=int, default=200, help="0 leaves Tesseract out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strokes", help="a file of pen drawings; left out, the one in DIGITS_DATA")
    parser.add_argument("--keep", type=Path, help="folder for the pictures that are read wrongly")
    given = parser.parse_args()
    print_heading("Numbers, cut out close", ("onnxruntime", "opencv-python-headless"), given.threads)
    kept = kept_drawings(given.strokes)
    pictures = [compose(kept, np.random.default_rng([given.seed, number])) for number in range(given.pictures)]
    recognizer = Recognizer(given.model, given.threads)
    read = [_read(recognizer, picture.grey) for picture in pictures]
    rows = [_row("all", pictures, read)]
    rows += [_row(f"margin {some:g}", pictures, read, [one.margin == some for one in pictures]) for some in MARGINS]
    rows += [_row(some, pictures, read, [one.ground == some for one in pictures]) for some in GROUNDS]
    print_table(("numbers", "n", "right", "accepted", "wrong among accepted"), rows)
    if given.peer_pictures and (version := tesseract_version()) is not None:
        some = pictures[: given.peer_pictures]
        files = [cv2.imencode(".png", one.grey)[1].tobytes() for one in some]
        theirs = [digits_of(text) for text in ask_tesseract(files, one_line=True, threads=given.threads)]
        ours = sum(one.text == picture.text for one, picture in zip(read, some, strict=False))
        right = sum(text == one.text for text, one in zip(theirs, some, strict=True))
        say(f"\nOf the first {len(some)}: digit-recognizer {ours}, {version} {right}.")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        for number, (picture, one) in enumerate(zip(pictures, read, strict=True)):
            if one.text != picture.text:
                cv2.imwrite(str(given.keep / f"{number}-{picture.text}-{one.text or 'none'}.png"), picture.grey)


def _read(recognizer: Recognizer, grey: Grey) -> Read:
    digits = recognizer.read(grey).digits
    return Read("".join(str(one.digit) for one in digits), bool(digits) and all(one.accepted for one in digits))


def _row(
    name: str, pictures: Sequence[Picture], read: Sequence[Read], chosen: Sequence[bool] | None = None
) -> tuple[str, ...]:
    pairs = [
        (picture.text == one.text, one.accepted)
        for number, (picture, one) in enumerate(zip(pictures, read, strict=True))
        if chosen is None or chosen[number]
    ]
    right, accepted = sum(good for good, _ in pairs), sum(sure for _, sure in pairs)
    low, high = wilson_interval(right, len(pairs))
    share = f"{100 * right / max(1, len(pairs)):.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    wrong = sum(sure and not good for good, sure in pairs)
    return name, str(len(pairs)), share, f"{100 * accepted / max(1, len(pairs)):.1f} %", f"{wrong} of {accepted}"


if __name__ == "__main__":
    main()
