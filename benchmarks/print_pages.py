"""Print with numbers among the words: how many of these are read, and what is read that is none.

    python benchmarks/print_pages.py [--model RUN] [--pages 12] [--sentences 120] [--seed 0] [--keep FOLDER]

Pages of a few hundred words, as in texts.py, in fonts of this machine, 20 to 35 pixels large; one word in twenty is a
number of two to six digits. Sentences alone, as in a picture of a screen, 14 to 47 pixels large, one in five with its
numbers in quotation marks; their numbers have one to five digits. Each is read as it is, and photographed: a little
soft, noisy, in uneven light. Beside this package Tesseract, where it is, reads the same pages; of its text the words
count that are digits alone. Prints the numbers read, those of accepted lines, what was read or accepted that stands
nowhere, and the time a page takes.
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
SENTENCE_SIZES, QUOTED = (14, 48), 0.2
QUOTES = ('"{}"', "“{}”", "„{}“", "'{}'", "‘{}’")
SENTENCES = (
    "the code {} is not {}", "Your total is {} of {}", "Order {} was sent to {}", "It is {} and so it is",
    "{} is less than {}", "Call us on {} or {}", "is it {} or is it {}", "We sold {} bottles of oil",
    "Room {}, bill no. {}", "This is the list of {} items", "Please pay {} by the {} of June",
    "Flight {} leaves at gate {}", "In {} there were {} people", "Page {} of {}", "Meter reading: {}",
    "He scored {} goals in {} games", "Batch {} contains {} units", "Table {} for {} guests",
    "Distance {} miles, time {} minutes", "I have {} cats and {} dogs", "Post box {}, Zurich {}", "Your PIN is {}",
)  # fmt: skip


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


def sentence(found: Sequence[FontFace], rng: np.random.Generator) -> tuple[Grey, list[str]]:
    """One printed sentence, uint8 (H, W), and the numbers in it."""
    face, size = found[int(rng.integers(len(found)))], int(rng.integers(*SENTENCE_SIZES))
    font = ImageFont.truetype(face.path, size, face.index)
    words = str(rng.choice(SENTENCES))
    numbers = [str(rng.integers(10 ** (length - 1), 10**length)) for length in rng.integers(1, 6, words.count("{}"))]
    quotes = str(rng.choice(QUOTES)) if rng.random() < QUOTED else "{}"
    text = words.format(*(quotes.format(number) for number in numbers))
    page = Image.new("L", (round(font.getlength(text)) + 2 * MARGIN, 3 * size), int(rng.integers(225, 256)))
    ImageDraw.Draw(page).text((MARGIN, size), text, int(rng.integers(0, 70)), font)
    return np.asarray(page, np.uint8), numbers


def tesseract_numbers(page: Grey) -> list[str]:
    """The words of Tesseract's text, no whitelist set, that are digits alone but for what may end a sentence."""
    picture = cv2.imencode(".png", page)[1].tobytes()
    command = ["tesseract", "stdin", "stdout", "--oem", "1", "--psm", "6"]
    text = subprocess.run(command, input=picture, capture_output=True, timeout=300).stdout.decode()
    return [word for word in (word.strip(".,;:?\"'“”„‘’") for word in text.split()) if re.fullmatch("[0-9]+", word)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--sentences", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the pages")
    given = parser.parse_args()
    print_heading("Print with numbers in it", ("onnxruntime", "opencv-python-headless"), given.threads)
    recognizer, found = Recognizer(given.model, given.threads), faces()
    has_peer = not given.no_peer and shutil.which("tesseract") is not None
    say(f"{len(found)} faces; {tesseract_version() if has_peer else 'no peer'}")
    rows = []
    for what, make, count in (("pages", full_page, given.pages), ("sentences", sentence, given.sentences)):
        for taken in ("as they are", "photographed") if count else ():
            made = [make(found, np.random.default_rng([given.seed, number])) for number in range(count)]
            if taken == "photographed":
                made = [
                    (as_photo(page, np.random.default_rng([given.seed, number, 1])), numbers)
                    for number, (page, numbers) in enumerate(made)
                ]
            if given.keep:
                _keep(given.keep, f"{what}_{taken.replace(' ', '_')}", [page for page, _ in made])
            rows.append((f"{what}, {taken} ({count})", *_row(recognizer, made, has_peer)))
    heads = ("print", "numbers", "read", "read that are none", "accepted", "accepted that are none")
    print_table((*heads, "Tesseract: read", "that are none", "median time, ours / its"), rows)


def _keep(folder: Path, name: str, pages: Sequence[Grey]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages):
        cv2.imwrite(str(folder / f"{name}-{number}.png"), page)


def _row(recognizer: Recognizer, made: Sequence[tuple[Grey, list[str]]], has_peer: bool) -> tuple[str, ...]:
    total = Counter[str]()
    times: dict[str, list[float]] = {"": [], "peer": []}
    for page, numbers in made:
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
    seconds = [f"{np.median(some):.2f} s" if some else "-" for some in times.values()]
    return (*ours, *peers, " / ".join(seconds))


if __name__ == "__main__":
    main()
