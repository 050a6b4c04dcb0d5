"""Pictures as people bring them, kind by kind: is all of their text read, and is anything wrong accepted?

    python benchmarks/everyday.py [--model RUN] [--pictures 40] [--seeds 0,1,2] [--kinds "seven segments"] [--keep DIR]

Digits are those of MNIST's training images, drawings and fonts that the training of the shipped model leaves out; the
makers are in everyday_pictures.py and everyday_things.py. Prints for each kind the share whose text is right to the
last space, over all seeds with a 95 % interval (Wilson, 1927) and the least and greatest of them; and how many stand
by a wrong line. Beside this package, where they are: Tesseract with a whitelist of digits, and RapidOCR (--rapidocr,
see line_peers.py), told to take the digits alone, in their order, so that their spaces and lines cannot count against
them.
"""

from __future__ import annotations

import argparse
import os
import zlib
from pathlib import Path

import cv2
import numpy as np

import foreign
from common import print_heading, print_table, say
from digit_recognizer.analysis.metrics import wilson_interval
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.strokes import read_strokes
from digit_recognizer.training.ship.preparation import split_drawings
from everyday_pictures import DRAWN, KINDS, PRINTED
from everyday_scenes import Everyday, Material, Pixels
from line_peers import ask_rapidocr, ask_tesseract, digits_of, tesseract_version
from lines import kept_digits


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--strokes", help="a file of pen drawings; left out, the one in DIGITS_DATA")
    parser.add_argument("--pictures", type=int, default=40, help="of each kind and seed")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--kinds", help="names, separated by semicolons")
    parser.add_argument("--peer-pictures", type=int, default=20, help="of each kind, of the first seed; 0 for none")
    parser.add_argument("--rapidocr", metavar="PYTHON", help="a Python that has rapidocr-onnxruntime")
    parser.add_argument("--keep", type=Path, help="folder for pictures that were read wrongly")
    given = parser.parse_args()
    print_heading("Pictures as people bring them", ("onnxruntime", "opencv-python-headless"), given.threads)
    material = _material(given)
    recognizer = Recognizer(given.model, given.threads)
    seeds = [int(seed) for seed in given.seeds.split(",")]
    rows, peers = [], []
    for name, make in KINDS.items():
        if given.kinds and name not in given.kinds.split(";"):
            continue
        if (name in PRINTED and not material.faces) or (name in DRAWN and not material.drawings):
            say(f"{name}: left out, no {'fonts' if name in PRINTED else 'drawings'} at hand")
            continue
        shares, right, wrong = [], 0, 0
        for seed in seeds:
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            made = [make(material, rng) for _ in range(given.pictures)]
            good, bad = _read(recognizer, made, given.keep, f"{name}-{seed}")
            shares.append(100 * sum(good) / len(made))
            right, wrong = right + sum(good), wrong + bad
            if seed == seeds[0] and given.peer_pictures:
                peers.append((name, *_peers(given, made[: given.peer_pictures], good)))
        count = given.pictures * len(seeds)
        low, high = wilson_interval(right, count)
        interval = f"{100 * right / count:.1f} % ({100 * low:.1f} to {100 * high:.1f}) of {count}"
        rows.append((name, interval, f"{min(shares):.1f} to {max(shares):.1f}", str(wrong)))
    print_table(("pictures", "read right", "seeds", "wrong lines accepted"), rows)
    if peers:
        header = (f"the digits of {given.peer_pictures} in their order", "digit-recognizer", "Tesseract", "RapidOCR")
        print_table(header, peers)


def _material(given: argparse.Namespace) -> Material:
    strokes = given.strokes or os.path.join(os.environ.get("DIGITS_DATA", ""), "pen_strokes_train.json.gz")
    drawings = read_strokes(Path(strokes)) if Path(strokes).is_file() else []
    labelled = [drawing for drawing in drawings if drawing.label is not None]
    try:
        faces = foreign.held_out_faces(None)
    except (LookupError, ImportError) as error:
        say(f"no held-out fonts: {error}")
        faces = []
    return Material(kept_digits(given.data, validation=True), split_drawings(labelled)[1] if labelled else [], faces)


def _read(recognizer: Recognizer, made: list[Everyday], keep: Path | None, name: str) -> tuple[list[bool], int]:
    """Whether each text is right, and how many lines that are not in the text were accepted."""
    right, wrong = [], 0
    for number, one in enumerate(made):
        page = recognizer.read(one.picture)
        right.append([line.text.rstrip() for line in page.lines] == one.text.splitlines())
        wanted = one.text.splitlines()
        wrong += sum(line.accepted and line.text.rstrip() not in wanted for line in page.lines)
        if keep and not right[-1]:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name}-{number}.png".replace(" ", "_")).write_bytes(_png(one.picture))
            say(f"{name} {number}: {' / '.join(one.text.splitlines())} read as {' / '.join(page.text.splitlines())}")
    return right, wrong


def _peers(given: argparse.Namespace, made: list[Everyday], ours: list[bool]) -> tuple[str, str, str]:
    """How many of the pictures' digits each reader has right, in their order."""
    files = [_png(one.picture) for one in made]
    wanted = [digits_of(one.text) for one in made]

    def share(texts: list[str]) -> str:
        return str(sum(digits_of(text) == text_wanted for text, text_wanted in zip(texts, wanted, strict=True)))

    tesseract = rapidocr = "not here"
    if tesseract_version():
        tesseract = share(ask_tesseract(files, one_line=False, threads=given.threads))
    if given.rapidocr:
        rapidocr = share(ask_rapidocr(given.rapidocr, files, one_line=False, threads=given.threads))
    return str(sum(ours[: len(made)])), tesseract, rapidocr


def _png(picture: Pixels) -> bytes:
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if picture.ndim == 3:
        picture = np.asarray(cv2.cvtColor(picture, order[picture.shape[2]]), np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


if __name__ == "__main__":
    main()
