"""Full pages of print with numbers among the words: how many of these are read, and what is read that is none.

    python benchmarks/print_pages.py [--model RUN] [--pages 12] [--seed 0] [--keep FOLDER]

Pages of a few hundred words, as in texts.py, in fonts of this machine, 20 to 35 pixels large; one word in twenty is a
number of two to six digits. Each page is read as it is, and photographed: a little soft, noisy, in uneven light. Beside
this package Tesseract, where it is, reads the same pages; of its text the words count that are digits alone. Prints
the numbers read, those of accepted lines, what was read or accepted that stands nowhere, and the time a page takes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common import print_heading, print_table, say
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.fonts import FontFace
from line_peers import tesseract_version
from texts import TEXT, Grey, as_photo, faces

WIDTH, MARGIN = 1000, 40
SIZES = (20, 36)  # pixels of a font, ascender to descender
NUMBERS = 0.05  # share of the words


def full_page(found: Sequence[FontFace], rng: np.random.Generator) -> tuple[Grey, list[str]]:
    """A page of print, uint8 (H, 1000), and the numbers on it."""
    face, size = found[int(rng.integers(len(found)))], int(rng.integers(*SIZES))
    font = ImageFont.truetype(face.path, size, face.index)
    height = int(rng.integers(500, 1100))
    page = Image.new("L", (WIDTH, height), int(rng.integers(225, 256)))
    draw, ink = ImageDraw.Draw(page), int(rng.integers(0, 70))
    words, numbers = TEXT.split(), []
    for top in range(MARGIN, height - MARGIN - size, int(1.6 * size)):
        left = float(MARGIN)
        while left < WIDTH - 160:
            word = str(rng.choice(words))
            if rng.random() < NUMBERS:
                word = str(rng.integers(10, 10 ** int(rng.integers(2, 7))))
                numbers.append(word)
            draw.text((left, top), word, ink, font)
            left += draw.textlength(word + " ", font)
    return np.asarray(page, np.uint8), numbers


def tesseract_numbers(page: Grey) -> list[str]:
    """The words of Tesseract's text, no whitelist set, that are digits alone but for what may end a sentence."""
    picture = cv2.imencode(".png", page)[1].tobytes()
    command = ["tesseract", "stdin", "stdout", "--oem", "1", "--psm", "6"]
    text = subprocess.run(command, input=picture, capture_output=True, timeout=300).stdout.decode()
    return [word for word in (word.strip(".,;:?") for word in text.split()) if re.fullmatch("[0-9]+", word)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the pages")
    given = parser.parse_args()
    print_heading("Full pages of print", ("onnxruntime", "opencv-python-headless"), given.threads)
    recognizer, found = Recognizer(given.model, given.threads), faces()
    has_peer = not given.no_peer and shutil.which("tesseract") is not None
    say(f"{len(found)} faces; {tesseract_version() if has_peer else 'no peer'}")
    rows = []
    for name in ("as they are", "photographed"):
        total = Counter[str]()
        times: dict[str, list[float]] = {"": [], "peer": []}
        for count in range(given.pages):
            page, numbers = full_page(found, np.random.default_rng([given.seed, count]))
            if name == "photographed":
                page = as_photo(page, np.random.default_rng([given.seed, count, 1]))
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(given.keep / f"{name.replace(' ', '_')}-{count}.png"), page)
            wanted = Counter(numbers)
            start = time.perf_counter()
            lines = recognizer.read(page).lines
            times[""].append(time.perf_counter() - start)
            read = Counter(word for line in lines for word in line.text.split())
            sure = Counter(word for line in lines if line.accepted for word in line.text.split())
            total += Counter(numbers=wanted.total(), read=(read & wanted).total(), other=(read - wanted).total())
            total += Counter(sure=(sure & wanted).total(), wrong=(sure - wanted).total())
            if has_peer:
                start = time.perf_counter()
                told = Counter(tesseract_numbers(page))
                times["peer"].append(time.perf_counter() - start)
                total += Counter(peer=(told & wanted).total(), peer_other=(told - wanted).total())
        ours = [f"{total[key]}" for key in ("numbers", "read", "other", "sure", "wrong")]
        peers = [f"{total['peer']}", f"{total['peer_other']}"] if has_peer else ["-", "-"]
        seconds = [f"{np.median(some):.1f} s" if some else "-" for some in times.values()]
        rows.append((f"{name} ({given.pages})", *ours, *peers, " / ".join(seconds)))
    heads = ("pages", "numbers", "read", "read that are none", "accepted", "accepted that are none")
    print_table((*heads, "Tesseract: read", "that are none", "median time, ours / its"), rows)


if __name__ == "__main__":
    main()
