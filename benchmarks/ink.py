"""MNIST training digits, spoiled in known ways, become a table: how many a model still reads after framing (ink.py).

    python benchmarks/ink.py MODEL.onnx [--count 1000] [--only neighbours]

Only images 54,000 to 60,000 of MNIST's training set are used, and scikit-learn's 8x8 scans, which are real. The model
only ranks the rules: one that learnt from clean MNIST alone is the sharpest judge. ``polarity`` counts the pictures
whose inverse gives another frame.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from common import load_labelled, print_heading, print_table
from digit_recognizer.pictures.ink import to_frames
from digit_recognizer.recognizer import Recognizer

Grey = npt.NDArray[np.uint8]
Rng = np.random.Generator
Spoil = Callable[[Grey, Rng, "Neighbours"], Grey]
FIRST = 54_000


class Neighbours:
    """Digits to lay beside the one that is meant."""

    def __init__(self, images: Grey) -> None:
        self.images = images

    def draw(self, rng: Rng) -> Grey:
        return tight(self.images[rng.integers(len(self.images))])


def main() -> None:
    arguments = _arguments()
    print_heading("Ink: digits spoiled in known ways, framed, read", ("numpy", "onnxruntime", "opencv-python-headless"))
    recognizer = Recognizer(arguments.model, threads=1)
    train = load_labelled(arguments.data)
    held = train.take(range(FIRST, FIRST + arguments.count))
    assert held.labels is not None
    others = Neighbours(train.images[FIRST + arguments.count :])
    rows = []
    for number, (name, spoil) in enumerate(SPOILS.items()):
        if arguments.only and not any(part in name for part in arguments.only.split(",")):
            continue
        rng = np.random.default_rng(number)
        pictures = [spoil(image, rng, others) for image in held.images]
        rows.append(_row(name, pictures, held.labels, recognizer))
    if not arguments.only or "real" in arguments.only:
        scans, labels = real_scans()
        rows.append(_row("real 8x8 scans (scikit-learn)", scans, labels, recognizer))
        rows.append(_row("the same, cropped tight", [tight(scan, 1) for scan in scans], labels, recognizer))
    print_table(("pictures", "read, %", "polarity, %", "ms each"), rows)


def _row(name: str, pictures: list[Grey], labels: npt.NDArray[Any], recognizer: Recognizer) -> tuple[str, ...]:
    began = time.thread_time()
    frames = to_frames(pictures)
    each_ms = 1000 * (time.thread_time() - began) / len(pictures)
    inverted = to_frames(255 - picture for picture in pictures)
    differ = np.abs(frames.astype(int) - inverted).mean(axis=(1, 2)) > 8
    read = recognizer.probabilities(frames).argmax(axis=1) == labels
    return name, f"{100 * read.mean():.2f}", f"{100 * differ.mean():.2f}", f"{each_ms:.2f}"


def real_scans() -> tuple[list[Grey], npt.NDArray[Any]]:
    """scikit-learn's 1,797 real scans, uint8 (8, 8), and their labels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return [np.rint(image * (255 / 16)).astype(np.uint8) for image in bunch.images], bunch.target


def tight(image: Grey, least: int = 64) -> Grey:
    """The part of the picture that holds ink of at least that level."""
    rows, columns = np.flatnonzero((image >= least).any(axis=1)), np.flatnonzero((image >= least).any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def resized(image: Grey, height: int, width: int) -> Grey:
    shrinks = height * width < image.size
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))


def scaled(image: Grey, longest: int) -> Grey:
    scale = longest / max(image.shape)
    return resized(image, *(max(1, round(side * scale)) for side in image.shape))


def pasted(canvas: Grey, digit: Grey, top: int, left: int) -> Grey:
    """Lay a digit on the canvas, the stronger ink wins; what lies outside is cut off."""
    out = canvas.copy()
    y0, x0, y1, x1 = (
        max(top, 0),
        max(left, 0),
        min(top + digit.shape[0], len(out)),
        min(left + digit.shape[1], out.shape[1]),
    )
    if y1 > y0 and x1 > x0:
        np.maximum(out[y0:y1, x0:x1], digit[y0 - top : y1 - top, x0 - left : x1 - left], out=out[y0:y1, x0:x1])
    return out


def on_paper(ink: Grey, rng: Rng, paper: float = 205.0, dark: float = 60.0, grain: float = 3.0) -> Grey:
    """Ink (bright on black) printed dark on paper with a fine grain."""
    ground = paper + rng.normal(0, grain, ink.shape)
    return np.clip(ground - ink / 255.0 * (paper - dark), 0, 255).astype(np.uint8)


def clouds(shape: tuple[int, ...], rng: Rng, coarse: int, strength: float) -> npt.NDArray[np.float32]:
    """Smooth random light and dark, float32 (H, W), about -strength to strength."""
    field = rng.normal(size=(coarse, coarse)).astype(np.float32)
    smooth = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth * (strength / max(1e-6, float(np.abs(smooth).max()))), np.float32)


def photo(image: Grey, rng: Rng, side: int = 112) -> Grey:
    return on_paper(resized(image, side, side), rng)


def envelope(image: Grey, rng: Rng, stretch: bool, side: int = 16) -> Grey:
    digit = tight(image)
    if stretch and min(digit.shape) > 6:  # a stretched bar is no digit any more
        return resized(digit, side, side)
    digit = scaled(digit, side)
    top, left = (side - digit.shape[0]) // 2, (side - digit.shape[1]) // 2
    return pasted(np.zeros((side, side), np.uint8), digit, top, left)


def coarse_black_white(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    large = cv2.resize(tight(image), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    small = resized(large, 16, 16 if large.shape[1] * 3 > large.shape[0] else max(5, large.shape[1] * 16 // len(large)))
    return np.where(small > 110, 255, 0).astype(np.uint8)


def large_tight(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    return np.asarray(255 - scaled(tight(image), 60), np.uint8)


def off_centre(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    canvas = np.zeros((160, 220), np.uint8)
    digit = scaled(tight(image), int(rng.integers(14, 80)))
    return 255 - pasted(canvas, digit, int(rng.integers(5, 75)), int(rng.integers(5, 135)))


def slanting_light(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    picture = photo(image, rng).astype(np.float32)
    rows, columns = np.mgrid[-1 : 1 : len(picture) * 1j, -1 : 1 : picture.shape[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    return np.clip(picture * (0.72 + 0.28 * (np.cos(angle) * rows + np.sin(angle) * columns)), 0, 255).astype(np.uint8)


def shadow_edge(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    picture = photo(image, rng).astype(np.float32)
    rows, columns = np.mgrid[-1 : 1 : len(picture) * 1j, -1 : 1 : picture.shape[1] * 1j]
    angle, offset, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5), rng.uniform(0.02, 0.2)
    lit = 1 / (1 + np.exp(-(np.cos(angle) * rows + np.sin(angle) * columns - offset) / soft))
    return np.clip(picture * (0.5 + 0.5 * lit), 0, 255).astype(np.uint8)


def tinted(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    paper = rng.uniform(90, 230)
    dark = paper + rng.choice([-1, 1]) * rng.uniform(35, 80)
    return on_paper(resized(image, 84, 84), rng, paper, dark, 2.0)


def ruled(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    side = 112
    ink = resized(image, side, side)
    rules = np.zeros((side, side), np.uint8)
    gap, width, level = int(rng.integers(24, 60)), int(rng.integers(1, 4)), int(rng.integers(60, 256))
    for at in range(int(rng.integers(gap)), side, gap):
        rules[at : at + width] = level
        if rng.random() < 0.3:
            rules[:, at : at + width] = level
    if rng.random() < 0.3:
        rules = np.ascontiguousarray(rules.T)
    return on_paper(np.maximum(ink, rules), rng)


def ruled_small(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    """A rule through a picture of 28x28, dark on light, as users send MNIST's own."""
    picture = image.copy()
    at = int(rng.integers(2, 26))
    np.maximum(picture[at], np.uint8(rng.integers(80, 200)), out=picture[at])
    return np.asarray(255 - picture, np.uint8)


def boxed(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    ink = resized(image, 100, 100)
    width, level = int(rng.integers(2, 5)), int(rng.integers(120, 256))
    canvas = np.zeros((116, 116), np.uint8)
    canvas[8:108, 8:108] = ink
    for _ in range(4):
        if rng.random() < 0.75:
            inset = int(rng.integers(0, 9))
            canvas[inset : inset + width] = np.maximum(canvas[inset : inset + width], level)
        canvas = np.ascontiguousarray(np.rot90(canvas))
    return on_paper(canvas, rng)


def specks(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    picture = photo(image, rng, 84)
    chance = rng.random(picture.shape)
    picture[chance < 0.02], picture[chance > 0.98] = 0, 255
    return picture


def impulses(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    picture, chance = image.copy(), rng.random(image.shape)
    picture[chance < 0.05], picture[chance > 0.95] = 0, 255
    return picture


def shot_noise(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    noisy = image + rng.normal(0, 12, image.shape) + rng.uniform(20, 60)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def brighter(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    return np.clip(image.astype(int) + int(rng.integers(40, 140)), 0, 255).astype(np.uint8)


def foggy(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    return np.clip(image * 0.6 + 90 + clouds(image.shape, rng, 4, 80), 0, 255).astype(np.uint8)


def inverted_band(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    picture = image.copy()
    left = int(rng.integers(7, 12))
    picture[:, left : left + 9] = 255 - picture[:, left : left + 9]
    return picture


def small_jpeg(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    encoded = cv2.imencode(".jpg", photo(image, rng, 56), [cv2.IMWRITE_JPEG_QUALITY, 25])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def with_neighbours(image: Grey, rng: Rng, others: Neighbours, touching: bool = False, clean: bool = True) -> Grey:
    """The digit in the middle; left and right, now and then above and below, others that the crop's edge cuts off."""
    digit = scaled(tight(image), 60)
    height, width = digit.shape
    margin = int(rng.integers(4, 14))
    canvas = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    canvas = pasted(canvas, digit, margin, margin)
    for side in range(4):
        turned = side % 2 == 1
        if rng.random() < (0.25 if turned else 0.75):
            other = scaled(others.draw(rng), 60)
            seen = margin + int(rng.integers(0, 4)) if touching else int(rng.integers(2, max(3, margin - 1)))
            if turned:
                top = seen - other.shape[0] if side == 1 else canvas.shape[0] - seen
                canvas = pasted(canvas, other, top, int(rng.integers(-20, canvas.shape[1] - 20)))
            else:
                left = seen - other.shape[1] if side == 0 else canvas.shape[1] - seen
                canvas = pasted(canvas, other, margin + int(rng.integers(-15, 16)), left)
    return np.asarray(255 - canvas, np.uint8) if clean else on_paper(canvas, rng)


def historical(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    """Brown paper with texture, uneven ink, blurred; neighbours' strokes, now and then a rule."""
    clean = 255 - with_neighbours(image, rng, others, touching=bool(rng.random() < 0.15))
    if rng.random() < 0.25:
        at, width = int(rng.integers(len(clean))), int(rng.integers(1, 3))
        clean[at : at + width] = np.maximum(clean[at : at + width], 150)
    ink = cv2.GaussianBlur(clean, (0, 0), rng.uniform(0.6, 1.6)).astype(np.float32) / 255
    ink *= 1 + np.minimum(clouds(ink.shape, rng, 5, 0.5), 0)
    paper = rng.uniform(130, 210) + clouds(ink.shape, rng, 4, 18) + clouds(ink.shape, rng, 24, 8)
    paper += cv2.GaussianBlur(rng.normal(0, 6, ink.shape).astype(np.float32), (0, 0), 0.7)
    return np.clip(paper * (1 - ink * rng.uniform(0.35, 0.75)), 0, 255).astype(np.uint8)


def broken(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    """One or two cuts of one or two pixels of the frame, through the whole digit."""
    picture = image.copy()
    for _ in range(int(rng.integers(1, 3))):
        at, width = int(rng.integers(8, 20)), int(rng.integers(1, 3))
        if rng.random() < 0.5:
            picture[at : at + width] = 0
        else:
            picture[:, at : at + width] = 0
    return np.asarray(255 - resized(picture, 84, 84), np.uint8)


def pulled_apart(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    """The upper right of the digit (the flag of a 5) moved away by one to four pixels of the frame."""
    digit = tight(image)
    cut = digit.shape[1] // 2 + int(rng.integers(0, 3))
    moved = int(rng.integers(1, 5))
    picture = np.zeros((digit.shape[0] + 8, digit.shape[1] + 8 + moved), np.uint8)
    picture[4 : 4 + digit.shape[0], 4 : 4 + digit.shape[1]] = digit
    top = 4 + digit.shape[0] // 3
    flag = picture[:top, 4 + cut :].copy()
    picture[:top, 4 + cut :] = 0
    picture[:top, 4 + cut + moved :] = flag[:, : flag.shape[1] - moved]
    return np.asarray(255 - resized(picture, *(3 * side for side in picture.shape)), np.uint8)


def dotted(image: Grey, rng: Rng, others: Neighbours) -> Grey:
    large = resized(image, 112, 112)
    rows, columns = np.mgrid[:112, :112]
    return np.where((rows + columns) % 10 < 6, 255 - large, 255).astype(np.uint8)


SPOILS: dict[str, Spoil] = {
    "as they are": lambda image, rng, others: image,
    "16x16 grey, filling, aspect kept": lambda image, rng, others: envelope(image, rng, False),
    "16x16 grey, stretched": lambda image, rng, others: envelope(image, rng, True),
    "16x16 black and white, stretched": coarse_black_white,
    "8x8 grey, filling": lambda image, rng, others: envelope(image, rng, False, 8),
    "60 pixels, cropped tight": large_tight,
    "halved to 14x14": lambda image, rng, others: resized(image, 14, 14),
    "14x14 dark on light": lambda image, rng, others: 255 - resized(image, 14, 14),
    "small in a large picture": off_centre,
    "tinted, low contrast": tinted,
    "slanting light": slanting_light,
    "shadow edge": shadow_edge,
    "ruled paper": ruled,
    "ruled, 28x28": ruled_small,
    "frame or parts of it": boxed,
    "specks": specks,
    "impulse noise, 28x28": impulses,
    "grey noise, 28x28": shot_noise,
    "brighter, 28x28": brighter,
    "fog, 28x28": foggy,
    "inverted band, 28x28": inverted_band,
    "jpeg": small_jpeg,
    "neighbours": with_neighbours,
    "neighbours on paper": lambda image, rng, others: with_neighbours(image, rng, others, clean=False),
    "neighbours touching": lambda image, rng, others: with_neighbours(image, rng, others, touching=True),
    "historical": historical,
    "broken": broken,
    "pulled apart": pulled_apart,
    "dotted": dotted,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="an ONNX file of ours")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--count", type=int, default=1000, help="digits for each row (default: %(default)s)")
    parser.add_argument("--only", help="rows whose name holds one of these words, separated by commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
