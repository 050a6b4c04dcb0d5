"""Digits on a draw pad: in thin and broad pens, in pieces, two of them, and what is none; and how long one takes.

    python benchmarks/drawings.py [--model RUN] [--validation] [--strokes FILE] [--pictures 200] [--seed 0]

Black on white, 280 pixels a side: MNIST's digits ten times as large, in two levels; pen drawings that no training sees,
in pens of 6 to 50 pixels; the same with a gap of 0.04 to 0.1 of their height where the pen was lifted; two of them side
by side; letters of fonts, scribbles and figures. Prints the share that is read right with 95 % intervals (Wilson,
1927), how many are accepted, and how many of these are wrong, beside Tesseract with a whitelist of digits, told that
there is one line.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from common import kept_drawings, print_heading, print_table, say
from digit_recognizer.analysis.metrics import wilson_interval
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import Drawing, draw
from foreign import held_out_faces
from line_peers import ask_tesseract, digits_of, tesseract_version
from lines import DRAWING, drawn, kept_digits
from not_digits import letters, scribble

Grey = npt.NDArray[np.uint8]

PENS = (6, 10, 20, 30, 40, 50)  # pixels
FILL = 0.75  # of the picture that a drawing's longer side takes
GAP = (0.04, 0.1)  # of a drawing's height, between the ends of ink
BROKEN_PENS = (10, 28)


class Picture(NamedTuple):
    """grey: uint8 (H, W). text: what is drawn, "" where it is no digit. kind: the row of the table."""

    grey: Grey
    text: str
    kind: str


def pictures_of(
    kept: Sequence[Drawing], digits: Sequence[Grey], labels: Sequence[int], count: int, seed: int
) -> list[Picture]:
    """All pictures, ``count`` of each kind."""
    result = [Picture(drawn(one), str(label), "MNIST") for one, label in zip(digits, labels, strict=True)]
    for number, pen in enumerate(PENS):
        rng = np.random.default_rng([seed, number])
        some = _some(kept, count, rng)
        result += [Picture(_on_white(one, pen), str(one.label), f"pen of {pen}") for one in some]
    rng = np.random.default_rng([seed, len(PENS)])
    for one in _some(kept, count, rng):
        pen = int(rng.integers(*BROKEN_PENS))
        result.append(Picture(_on_white(lifted(one, pen, rng), pen), str(one.label), "in pieces"))
    for one, other in zip(_some(kept, count, rng), _some(kept, count, rng), strict=True):
        pen = int(rng.choice(PENS))
        both = np.hstack([_on_white(one, pen), _on_white(other, pen)])
        result.append(Picture(both, f"{one.label}{other.label}", "two side by side"))
    return result


def lifted(drawing: Drawing, pen: float, rng: np.random.Generator) -> Drawing:
    """The same drawing, its longest stroke parted where the pen was lifted for a moment."""
    strokes = [np.asarray(stroke, np.float64) for stroke in drawing.strokes]
    points = np.concatenate(strokes)
    height = float(np.ptp(points, axis=0).max())
    longest = max(range(len(strokes)), key=lambda place: _lengths(strokes[place])[-1])
    stroke = strokes[longest]
    along = _lengths(stroke)
    gap = rng.uniform(*GAP) * height + pen / (FILL * DRAWING) * height
    at = rng.uniform(0.25, 0.75) * along[-1]
    ends = [stroke[along < at - gap / 2], stroke[along > at + gap / 2]]
    parts = [np.asarray(part, np.float32) for part in ends if len(part)]
    return Drawing(drawing.label, (*drawing.strokes[:longest], *parts, *drawing.strokes[longest + 1 :]))


def none_of(kind: Callable[[np.random.Generator], Grey], count: int, seed: int, name: str) -> list[Picture]:
    """What is no digit, as if drawn: in two levels, black on white, as large as the digits."""
    result = []
    for number in range(count):
        grey = kind(np.random.default_rng([seed, number]))
        ink = grey if np.median(grey) < 128 else 255 - grey
        side = FILL * DRAWING / max(ink.shape)
        large = cv2.resize(ink, None, fx=side, fy=side, interpolation=cv2.INTER_CUBIC)
        page = np.zeros((DRAWING, DRAWING), np.uint8)
        top, left = (DRAWING - large.shape[0]) // 2, (DRAWING - large.shape[1]) // 2
        page[top : top + large.shape[0], left : left + large.shape[1]] = large
        result.append(Picture(np.where(page > 110, 0, 255).astype(np.uint8), "", name))
    return result


def _some(kept: Sequence[Drawing], count: int, rng: np.random.Generator) -> list[Drawing]:
    return [kept[int(place)] for place in rng.choice(len(kept), count, replace=count > len(kept))]


def _on_white(drawing: Drawing, pen: int) -> Grey:
    return np.asarray(255 - draw(drawing, pen=pen, side=DRAWING, fill=FILL), np.uint8)


def _lengths(stroke: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far along a stroke each of its points lies."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--validation", action="store_true", help="digits kept of the training images, not t10k")
    parser.add_argument("--strokes", help="a file of pen drawings; left out, the one in DIGITS_DATA")
    parser.add_argument("--pictures", type=int, default=200, help="of each kind; five times as many of MNIST")
    parser.add_argument("--peer-pictures", type=int, default=20, help="of each kind; 0 leaves Tesseract out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the pictures that are read wrongly")
    given = parser.parse_args()
    print_heading("Drawings", ("onnxruntime", "opencv-python-headless"), given.threads)
    kept = kept_drawings(given.strokes)
    digits = kept_digits(given.data, given.validation)
    places = np.random.default_rng(given.seed).permutation(len(digits))[: 5 * given.pictures]
    labels = digits.known_labels()[places].tolist()
    pictures = pictures_of(kept, list(digits.images[places]), labels, given.pictures, given.seed)
    nothing = {"scribbles": scribble}
    try:
        nothing["letters, unlike digits"] = letters(held_out_faces(None), like_a_digit=False)
    except LookupError as error:
        say(f"no letters: {error}")
    for number, (name, kind) in enumerate(nothing.items()):
        pictures += none_of(kind, given.pictures, given.seed + number, name)
    recognizer = Recognizer(given.model, given.threads)
    recognizer.read(pictures[0].grey)
    read, seconds = [], []
    for picture in pictures:
        began = time.perf_counter()
        found = recognizer.read(picture.grey).digits
        seconds.append(time.perf_counter() - began)
        text = "".join(str(digit.digit) for digit in found)
        read.append((text, bool(found) and all(digit.accepted for digit in found)))
    kinds = list(dict.fromkeys(picture.kind for picture in pictures))
    theirs, version = _peer(pictures, kinds, given)
    rows = []
    for kind in kinds:
        mine = [place for place, picture in enumerate(pictures) if picture.kind == kind]
        right = sum(read[place][0] == pictures[place].text for place in mine)
        accepted = [place for place in mine if read[place][1]]
        wrong = sum(read[place][0] != pictures[place].text for place in accepted)
        low, high = wilson_interval(right, len(mine))
        share = f"{100 * right / len(mine):.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        took = sorted(1e3 * seconds[place] for place in mine)
        times = f"{statistics.median(took):.1f}, {took[int(0.9 * len(took))]:.1f}"
        rows.append((kind, str(len(mine)), share, str(len(accepted)), str(wrong), times, theirs.get(kind, "-")))
    peer = version or "Tesseract (not installed)"
    print_table(("drawings", "n", "right", "accepted", "of these wrong", "ms: median, 90 % below", peer), rows)
    say("\nOf what is no digit, right is what nothing is read in.")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        for number, (picture, (text, _)) in enumerate(zip(pictures, read, strict=True)):
            if text != picture.text:
                cv2.imwrite(str(given.keep / f"{number}-{picture.text or 'none'}-{text or 'none'}.png"), picture.grey)


def _peer(
    pictures: Sequence[Picture], kinds: Sequence[str], given: argparse.Namespace
) -> tuple[dict[str, str], str | None]:
    """How many of the first pictures of each kind Tesseract reads right, "18 of 20", and its version."""
    version = tesseract_version() if given.peer_pictures else None
    result: dict[str, str] = {}
    for kind in kinds if version else ():
        some = [picture for picture in pictures if picture.kind == kind][: given.peer_pictures]
        files = [cv2.imencode(".png", one.grey)[1].tobytes() for one in some]
        texts = [digits_of(text) for text in ask_tesseract(files, one_line=True, threads=given.threads)]
        right = sum(text == one.text for text, one in zip(texts, some, strict=True))
        result[kind] = f"{right} of {len(some)}"
    return result, version


if __name__ == "__main__":
    main()
