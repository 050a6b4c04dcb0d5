"""Pages that hold no number, and numbers among printed words: what is read there that is none, and what is missed.

    python benchmarks/texts.py [--model RUN] [--pages 40] [--kinds "words,noise"] [--keep FOLDER]

Words are set in fonts of this machine that draw digits, a fifth of the pages in capitals alone; blank paper, noise,
scribbles and shapes are drawn. Prints the share of pages without an accepted digit (99 % is wanted), and the
share of numbers of three to six digits, one a page among words, that were read.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from common import print_heading, print_table, say
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.fonts import FontFace, find_fonts, usable_for_digits

Grey = npt.NDArray[np.uint8]

SIZES = (18, 44)  # pixels of a font, ascender to descender
CAPITALS = 0.2  # share of pages in capitals alone
FAMILIES = (
    "Arial", "Bitstream", "C059", "Cantarell", "Carlito", "Comfortaa", "Courier", "DejaVu", "EB Garamond", "FreeMono",
    "FreeSans", "FreeSerif", "Gentium", "Hack", "Inconsolata", "Lato", "Liberation", "Linux", "Nimbus", "Noto Sans",
    "Noto Serif", "Open Sans", "P052", "Roboto", "Ubuntu", "URW",
)  # fmt: skip
TEXT = """
    the of and to in is was for that it with as his on be at by he had are this have but from or her an they which
    one you were all she there would their we him been has when who will no more if out so said what up its about
    than into them can only other time new some could these two may first then do any like my now over such our man
    me even most made after also did many off before must well back through years much where your way down should
    because long each just state people those too mister how little good world make very year still see own work men
    day get here old between both life being under three never know same last another while us might great go come
    since against right came take used himself few house use place during high without again home around small
    however found part school thought went say once general upon war every loss bill log zoo bib silo gloss goggles
    lob boss sizzle Bob Sol Oslo Ibis Solo BIOS SOS OIL Silos invoice total amount customer address street city date
"""

Maker = Callable[[np.random.Generator], Grey]


def faces() -> list[FontFace]:
    """The faces that pages are set in: plain families of this machine that draw digits as such."""
    named = [face for face in find_fonts() if face.family.startswith(FAMILIES)]
    found = [face for face in named if "Mono" not in face.style and usable_for_digits(face)]
    if not found:
        raise SystemExit("error: expected fonts such as DejaVu or Liberation on this machine, found none")
    return found


def printed(found: Sequence[FontFace], rng: np.random.Generator, number: str | None = None) -> Grey:
    """A page of printed words, uint8 (H, W), with a number somewhere among them where one is given."""
    face = found[int(rng.integers(len(found)))]
    font = ImageFont.truetype(face.path, int(rng.integers(*SIZES)), face.index)
    words = TEXT.split()
    lines = [[str(word) for word in rng.choice(words, int(rng.integers(3, 9)))] for _ in range(rng.integers(1, 8))]
    if rng.random() < CAPITALS:
        lines = [[word.upper() for word in line] for line in lines]
    for line in lines:
        line[0] = line[0][0].upper() + line[0][1:]
        line[-1] += str(rng.choice([".", ",", "", "?", ":", ";"]))
    if number is not None:
        line = lines[int(rng.integers(len(lines)))]
        line.insert(int(rng.integers(1, len(line) + 1)), number)
    text = "\n".join(" ".join(line) for line in lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font)
    margin = int(rng.integers(10, 60))
    size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
    ground, ink = int(rng.integers(190, 256)), int(rng.integers(0, 90))
    page = Image.new("L", size, ground)
    ImageDraw.Draw(page).multiline_text((margin - left, margin - top), text, ink, font)
    return photographed(np.asarray(page, np.uint8), rng)


def photographed(page: Grey, rng: np.random.Generator) -> Grey:
    """Half of the pages as they are; the others as by ``as_photo``."""
    return page if rng.random() < 0.5 else as_photo(page, rng)


def as_photo(page: Grey, rng: np.random.Generator) -> Grey:
    """A page a little soft, noisy, in uneven light, as JPEG: uint8 (H, W)."""
    soft = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 0.9)).astype(np.float32)
    light = np.linspace(1, rng.uniform(0.6, 1), page.shape[1], dtype=np.float32)[None, :]
    grey = np.clip(soft * light + rng.normal(0, rng.uniform(0, 4), page.shape), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def blank(rng: np.random.Generator) -> Grey:
    """Empty paper, with grain, and with light or a shadow across it."""
    height, width = (int(side) for side in rng.integers(100, 900, 2))
    page = np.full((height, width), rng.uniform(20, 255), np.float32)
    page *= np.linspace(1, rng.uniform(0.5, 1), width, dtype=np.float32)[None, :]
    if rng.random() < 0.3:
        edge = rng.uniform(0, width) + rng.uniform(-0.5, 0.5) * np.arange(height)[:, None]
        page *= np.where(np.arange(width)[None, :] < edge, rng.uniform(0.5, 0.9), 1)
    return np.clip(page + rng.normal(0, rng.choice([0, 1, 3, 6]), page.shape), 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator) -> Grey:
    """Independent pixels, strewn dots, or clouds."""
    height, width = (int(side) for side in rng.integers(100, 600, 2))
    kind = rng.integers(3)
    if kind == 0:
        return rng.normal(128, rng.uniform(5, 60), (height, width)).clip(0, 255).astype(np.uint8)
    if kind == 1:
        return np.where(rng.random((height, width)) < rng.uniform(0.001, 0.2), 20, 235).astype(np.uint8)
    cloud = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), rng.uniform(2, 25))
    return np.clip(128 + 50 * cloud / cloud.std(), 0, 255).astype(np.uint8)


def shapes(rng: np.random.Generator) -> Grey:
    """One to four figures as in logos: polygons, rings with a bar, stars, arcs; filled or drawn."""
    page = np.full((300, 400), int(rng.integers(200, 256)), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        x, y, size = int(rng.integers(60, 340)), int(rng.integers(60, 240)), int(rng.integers(20, 55))
        ink, pen = int(rng.integers(0, 90)), int(rng.choice([-1, 2, 4, 8]))
        corners = int(rng.integers(3, 9))
        turns = rng.uniform(0, 6.28) + np.arange(corners) * 2 * np.pi / corners
        reach = size * np.where(np.arange(corners) % 2, rng.uniform(0.4, 1), 1)
        points = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], 1).astype(np.int32)
        if pen < 0:
            cv2.fillPoly(page, [points], ink, cv2.LINE_AA)
        else:
            cv2.polylines(page, [points], True, ink, pen, cv2.LINE_AA)
        if rng.random() < 0.4:
            cv2.line(page, (x - size, y + size), (x + size, y - size), ink, abs(pen) + 1, cv2.LINE_AA)
    return page


def scribbles(rng: np.random.Generator) -> Grey:
    """Long wandering pen strokes across the page, as when a pen is tried out."""
    page = np.full((300, 400), 240, np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        turns = np.cumsum(rng.normal(0, 0.8, 40))
        points = rng.uniform(0.3, 0.7, 2) * (400, 300) + np.cumsum(16 * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
        cv2.polylines(page, [points.astype(np.int32)], False, int(rng.integers(0, 80)), 3, cv2.LINE_AA)
    return page


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help="names, separated by commas")
    parser.add_argument("--keep", type=Path, help="folder for pages with errors")
    given = parser.parse_args()
    print_heading("Pages without numbers", ("onnxruntime", "opencv-python-headless"), given.threads)
    recognizer = Recognizer(given.model, given.threads)
    found = faces()
    say(f"{len(found)} faces")
    kinds: dict[str, Maker] = {
        "words": lambda rng: printed(found, rng), "blank": blank, "noise": noise, "shapes": shapes,
        "scribbles": scribbles,
    }  # fmt: skip
    names = [*kinds, "a number among words"]
    rows = []
    for number, name in enumerate(names):
        if given.kinds and name not in given.kinds.split(","):
            continue
        rng = np.random.default_rng([given.seed, number])
        right = accepted = digits = 0
        for count in range(given.pages):
            wanted = None if name in kinds else "".join(map(str, rng.integers(0, 10, rng.integers(3, 7))))
            picture = kinds[name](rng) if name in kinds else printed(found, rng, wanted)
            page = recognizer.read(picture)
            sure = [digit for digit in page.digits if digit.accepted]
            read = [word for line in page.lines for word in line.text.split()]
            digits += len(page.digits)
            accepted += len(sure)
            good = not sure if wanted is None else read == [wanted]
            right += good
            if given.keep and not good:
                given.keep.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(given.keep / f"{name}-{count}.png".replace(" ", "_")), picture)
                say(f"{name} {count}: {wanted or 'nothing'} read as {' / '.join(page.text.splitlines())}")
        share = f"{100 * right / given.pages:.1f} % of {given.pages}"
        rows.append((name, share, f"{accepted / given.pages:.2f}", f"{digits / given.pages:.2f}"))
    print_table(("pages", "as they should be", "accepted digits a page", "digits read a page"), rows)


if __name__ == "__main__":
    main()
