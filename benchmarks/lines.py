"""Whole numbers: composed lines of 1 to 10 digits, from widely spaced to touching; what is no number; and how fast.

    python benchmarks/lines.py --validation            # for every choice: digits that the shipped model never saw
    python benchmarks/lines.py                         # MNIST's t10k: once, at the end
    python benchmarks/lines.py --times --photo grid.jpg

Beside this package, on the same pictures: Tesseract with a whitelist of digits (Debian's tesseract-ocr), and RapidOCR
where --rapidocr names a Python that has it (see line_peers.py). What is not there is told and left out.
Prints shares with 95 % intervals (Wilson, 1927). Nothing here was seen in training: see line_pictures.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common import DIGITS, print_heading, print_table, say
from digit_recognizer.analysis.metrics import wilson_interval
from digit_recognizer.digits import Digits
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.catalog import load
from line_peers import ask_rapidocr, ask_tesseract, digits_of, tesseract_version
from line_pictures import LONGEST, OTHERS, SPACINGS, TOUCHING, WITH_GAPS, Grey, LinePicture, compose_line, page_of_81

VALIDATION_SHARE, VALIDATION_SEED = 0.05, 0  # as `digits train mnist --preset ship --val 0.05` keeps it
DRAWING = 280  # pixels a side


class Read(NamedTuple):
    """What a reader made of a picture. text: all digits. accepted: whether it stands by each. any_accepted: by some.
    turned: by how many degrees it turned the picture.
    """

    text: str
    accepted: bool
    any_accepted: bool
    turned: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--validation", action="store_true", help="digits kept of the training images, not t10k")
    parser.add_argument("--lines", type=int, default=200, help="for each of the five spacings")
    parser.add_argument("--others", type=int, default=150, help="pictures of each kind without a digit")
    parser.add_argument("--turned", type=int, default=40, help="lines that are read in all four ways up")
    parser.add_argument("--peer-lines", type=int, default=40, help="for each spacing; 0 leaves the peers out")
    parser.add_argument("--rapidocr", metavar="PYTHON", help="a Python that has rapidocr-onnxruntime")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--min-confidence", type=float, help="from which confidence on a digit is accepted")
    parser.add_argument("--keep", type=Path, help="folder for lines that were read wrongly")
    parser.add_argument("--times", action="store_true", help="only how fast, and how much memory")
    parser.add_argument("--photo", type=Path, help="a photo of a 9 x 9 grid, scaled to 12 megapixels for --times")
    given = parser.parse_args()
    print_heading("Lines", ("onnxruntime", "opencv-python-headless"), given.threads)
    digits = kept_digits(given.data, given.validation)
    if given.times:
        _times(given, digits)
        return
    recognizer = Recognizer(given.model, given.threads, min_confidence=given.min_confidence)
    if given.lines:
        _lines(given, recognizer, digits)
    if given.turned:
        _turned(given, recognizer, digits)
    if given.others:
        _others(given, recognizer)


def kept_digits(data: str, validation: bool) -> Digits:
    """Digits to compose lines from: the test part, or what ``--val 0.05`` keeps of the training part."""
    found = load(data)
    if validation:
        labelled = found.labelled()
        return labelled.take(labelled.split_indices(VALIDATION_SHARE, VALIDATION_SEED)[1])
    if found.test is None or found.test.labels is None:
        raise SystemExit(f"error: {data}: expected a labelled test part, found none; use --validation")
    return found.test


def compose(digits: Digits, per_spacing: int, seed: int) -> list[LinePicture]:
    """Lines of every spacing, lengths in turn; the first ones are the same for every number of them."""
    lines = []
    for number, spacing in enumerate(SPACINGS):
        lengths = range(2 if spacing in TOUCHING else 1, LONGEST + 1)
        for index in range(per_spacing):
            rng = np.random.default_rng([seed, number, index])
            lines.append(compose_line(digits, spacing, lengths[index % len(lengths)], rng))
    return lines


def ask_us(recognizer: Recognizer, pictures: Sequence[Grey]) -> list[Read]:
    """What this package reads."""
    result = []
    for picture in pictures:
        page = recognizer.read(picture)
        accepted = [digit.accepted for digit in page.digits]
        text = "".join(str(digit.digit) for digit in page.digits)
        result.append(Read(text, all(accepted), any(accepted), page.turned))
    return result


def _lines(given: argparse.Namespace, recognizer: Recognizer, digits: Digits) -> None:
    lines = compose(digits, given.lines, given.seed)
    began = time.perf_counter()
    ours = ask_us(recognizer, [line.grey for line in lines])
    seconds = time.perf_counter() - began
    turned = sum(read.turned != 0 for read in ours)
    say(f"{len(lines):,} lines read, {1e3 * seconds / len(lines):.0f} ms each; turned though upright: {turned}")
    if given.keep:
        _keep(given.keep, lines, ours)
    right = [read.text == line.text for read, line in zip(ours, lines, strict=True)]

    def row(name: str, wanted: Callable[[LinePicture], bool]) -> tuple[str, ...]:
        mine = [index for index, line in enumerate(lines) if wanted(line)]
        accepted = [index for index in mine if ours[index].accepted and ours[index].text]
        wrong = sum(not right[index] for index in accepted)
        return (
            name,
            str(len(mine)),
            _share(sum(right[index] for index in mine), len(mine)),
            f"{100 * len(accepted) / max(1, len(mine)):.1f} %",
            f"{wrong} of {len(accepted)}",
        )

    rows = [row(spacing, lambda line, s=spacing: line.spacing == s) for spacing in SPACINGS]
    rows.append(row("**with gaps**", lambda line: line.spacing in WITH_GAPS))
    rows.append(row("**touching**", lambda line: line.spacing in TOUCHING))
    for low, high in ((1, 3), (4, 6), (7, 10)):
        for name, spacings in (("with gaps", WITH_GAPS), ("touching", TOUCHING)):
            label = f"{name}, {low} to {high} digits"
            rows.append(
                row(label, lambda line, a=low, b=high, s=spacings: a <= len(line.text) <= b and line.spacing in s)
            )
    for attribute in ("rules", "paper"):
        for value in sorted({getattr(line, attribute) for line in lines}):
            label = f"with gaps, {attribute} {value}"
            rows.append(
                row(label, lambda line, a=attribute, v=value: getattr(line, a) == v and line.spacing in WITH_GAPS)
            )
    print_table(("lines", "n", "whole strings right", "accepted", "wrong among accepted"), rows)
    if given.peer_lines:
        _line_peers(given, lines, right)


def _line_peers(given: argparse.Namespace, lines: Sequence[LinePicture], right: Sequence[bool]) -> None:
    """The first lines of each spacing, read by everyone."""
    chosen = [index for index in range(len(lines)) if index % given.lines < given.peer_lines]
    files = [_png(lines[index].grey) for index in chosen]
    readers = [("digit-recognizer", [right[index] for index in chosen], None)]
    for name, ask in _peers(given, one_line=True):
        began = time.perf_counter()
        texts = ask(files)
        seconds = time.perf_counter() - began
        same = [digits_of(text) == lines[index].text for text, index in zip(texts, chosen, strict=True)]
        readers.append((name, same, seconds / len(files)))
    rows = []
    for name, same, each in readers:
        shares = []
        for spacings in (WITH_GAPS, TOUCHING):
            mine = [good for good, index in zip(same, chosen, strict=True) if lines[index].spacing in spacings]
            shares.append(f"{_share(sum(mine), len(mine))} of {len(mine)}")
        rows.append((name, *shares, "" if each is None else f"{1e3 * each:.0f}"))
    print_table(("reader, told that it is one line", "with gaps", "touching", "ms a line, start included"), rows)


def _turned(given: argparse.Namespace, recognizer: Recognizer, digits: Digits) -> None:
    """Lines of 5 to 10 digits with gaps, photographed with the camera upright, sideways and upside down."""
    lines = []
    for index in range(given.turned):
        rng = np.random.default_rng([given.seed, 50, index])
        lines.append(compose_line(digits, "normal", 5 + index % 6, rng))
    rows = []
    for turns in range(4):
        pictures = [np.ascontiguousarray(np.rot90(line.grey, turns)) for line in lines]
        ours = ask_us(recognizer, pictures)
        seen = sum(read.turned == 90 * turns for read in ours)
        right = sum(read.text == line.text for read, line in zip(ours, lines, strict=True))
        accepted = [read for read in ours if read.accepted and read.text]
        wrong = sum(read.text != line.text for read, line in zip(ours, lines, strict=True) if read in accepted)
        shares = _share(seen, len(lines)), _share(right, len(lines))
        rows.append((f"{90 * turns} degrees", *shares, f"{wrong} of {len(accepted)}"))
    print_table((f"turned (n = {len(lines)})", "way up found", "whole strings right", "wrong among accepted"), rows)


def _others(given: argparse.Namespace, recognizer: Recognizer) -> None:
    """Pictures that hold no digit: a reader should stand by none."""
    rows: dict[str, list[str]] = {"digit-recognizer": []}
    header = ["pictures without an accepted digit"]
    right = total = 0
    few = min(given.others, 3 * given.peer_lines)
    peers = _peers(given, one_line=False) if few else []
    for number, (name, make) in enumerate(OTHERS.items()):
        pictures = [make(np.random.default_rng([given.seed, 100 + number, index])) for index in range(given.others)]
        ours = ask_us(recognizer, pictures)
        none = sum(not read.any_accepted for read in ours)
        right, total = right + none, total + len(ours)
        header.append(f"{name} (n = {len(ours)}; peers {few})")
        rows["digit-recognizer"].append(_share(none, len(ours)))
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for index, (picture, read) in enumerate(zip(pictures, ours, strict=True)):
                if read.any_accepted:
                    cv2.imwrite(str(given.keep / f"{name}-{index}-{read.text}.png"), picture)
        for peer, ask in peers:
            texts = ask([_png(picture) for picture in pictures[:few]])
            rows.setdefault(peer, []).append(_share(sum(not digits_of(text) for text in texts), few))
    print_table(header, [(name, *shares) for name, shares in rows.items()])
    say(f"all {total}: {_share(right, total)} without an accepted digit")


def _peers(given: argparse.Namespace, *, one_line: bool) -> list[tuple[str, Callable[[list[bytes]], list[str]]]]:
    """The readers that are installed here; the others are told."""
    found: list[tuple[str, Callable[[list[bytes]], list[str]]]] = []
    version = tesseract_version()
    if version is None:
        say("NOT MEASURED: Tesseract is not installed (Debian: apt-get install tesseract-ocr)")
    else:
        name = f"{version}, digits only"
        found.append((name, lambda files: ask_tesseract(files, one_line=one_line, threads=given.threads)))
    if given.rapidocr is None:
        say("NOT MEASURED: RapidOCR; give --rapidocr PYTHON (see line_peers.py)")
    else:
        found.append(
            ("RapidOCR 1.4.4", lambda f: ask_rapidocr(given.rapidocr, f, one_line=one_line, threads=given.threads))
        )
    return found


def _times(given: argparse.Namespace, digits: Digits) -> None:
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, texts = page_of_81(digits, rng)
        cv2.imwrite(str(folder / "page.jpg"), page, [cv2.IMWRITE_JPEG_QUALITY, 90])
        rows = [_large("composed, nine lines of nine", folder / "page.jpg", "".join(texts), given)]
        if given.photo:
            grey = cv2.imread(str(given.photo), cv2.IMREAD_COLOR)
            scale = (12e6 / (grey.shape[0] * grey.shape[1])) ** 0.5
            cv2.imwrite(str(folder / "photo.jpg"), cv2.resize(grey, None, fx=scale, fy=scale))
            text = given.photo.with_suffix(".txt")
            expected = "".join(text.read_text("utf-8").split()) if text.is_file() else ""
            rows.append(_large(f"{given.photo.name} at 12 megapixels", folder / "photo.jpg", expected, given))
        print_table(("12-megapixel JPEG to Page", "s, median of 5", "peak memory, MB", "digits right"), rows)

        recognizer = Recognizer(given.model, given.threads)
        drawings = [drawn(digits.images[int(index)]) for index in rng.integers(0, len(digits), 40)]
        for drawing in drawings[:10]:
            recognizer.read(drawing)
        seconds = []
        for drawing in drawings * 5:
            began = time.perf_counter()
            recognizer.read(drawing)
            seconds.append(time.perf_counter() - began)
        one = folder / "one.png"
        cv2.imwrite(str(one), drawings[0])
        model = ["--model", given.model] if given.model else []
        starts = _walls([*DIGITS, "read", str(one), *model])
        imports = "import numpy, cv2, onnxruntime, PIL.Image, typer"
        libraries = _walls([sys.executable, "-c", imports])
        print_table(
            ("warm and cold", "median", "90 % below"),
            [
                (f"a drawing of {DRAWING} x {DRAWING}, warm", *(f"{1e3 * s:.1f} ms" for s in _quantiles(seconds))),
                ("`digits read one.png`, cold", *(f"{s:.2f} s" for s in _quantiles(starts))),
                ("of which importing the libraries", *(f"{s:.2f} s" for s in _quantiles(libraries))),
            ],
        )


_CHILD = """
import json, re, resource, statistics, sys, time
from pathlib import Path
from digit_recognizer.recognizer import Recognizer
recognizer = Recognizer(sys.argv[2] or None, int(sys.argv[3]))
seconds = []
for _ in range(5):
    began = time.perf_counter()
    page = recognizer.read(Path(sys.argv[1]))
    seconds.append(time.perf_counter() - began)
try:  # ru_maxrss counts what the parent held when it started this process, too
    peak = int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps([statistics.median(seconds), peak, "".join(str(digit.digit) for digit in page.digits)]))
"""


def _large(name: str, path: Path, expected: str, given: argparse.Namespace) -> tuple[str, ...]:
    """Read a large file in a process of its own, whose memory is measured."""
    command = [sys.executable, "-c", _CHILD, str(path), given.model or "", str(given.threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
    seconds, peak, text = json.loads(run.stdout.splitlines()[-1])
    same = sum(a == b for a, b in zip(text, expected, strict=False)) if len(text) == len(expected) else 0
    right = f"{same} of {len(expected)}" if len(text) == len(expected) else f"{len(text)} read of {len(expected)}"
    return name, f"{seconds:.2f}", f"{peak:.0f}", right


def drawn(image: Grey) -> Grey:
    """A digit as a draw pad sends it: black on white, with a round pen."""
    large = cv2.resize(image, (DRAWING, DRAWING), interpolation=cv2.INTER_CUBIC)
    return np.where(cv2.GaussianBlur(large, (0, 0), 4) > 110, 0, 255).astype(np.uint8)


def _walls(command: Sequence[str], times: int = 9) -> list[float]:
    """Seconds that a command takes, each time anew, with its modules compiled before, as an installation has them."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(1 + times):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, env=env)
        seconds.append(time.perf_counter() - began)
    return seconds[1:]


def _quantiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), sorted(values)[min(len(values) - 1, round(0.9 * len(values)))]


def _share(right: int, n: int) -> str:
    if not n:
        return "-"
    low, high = wilson_interval(right, n)
    return f"{100 * right / max(1, n):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _keep(folder: Path, lines: Sequence[LinePicture], ours: Sequence[Read]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (line, read) in enumerate(zip(lines, ours, strict=True)):
        if read.text != line.text:
            name = f"{line.spacing}-{line.rules}-{line.paper}-{number}-{line.text}-as-{read.text}.png"
            cv2.imwrite(str(folder / name.replace(" ", "_")), line.grey)


def _png(picture: Grey) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


if __name__ == "__main__":
    main()
