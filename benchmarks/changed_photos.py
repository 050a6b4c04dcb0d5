"""Photos of number grids as worse cameras and hastier hands would take them: turned, far away, blurred, in the dark.

    python benchmarks/changed_photos.py --photos FOLDER [--changes "noise 12,on a desk"] [--seed 1] [--told]

FOLDER: as for pages.py, photos with the rows of each grid in a .txt beside it. Each change draws its own values, the
same in every run. Prints, for each change, how many grids are read row for row, and how many of all digits rightly.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from common import print_heading, print_table
from digit_recognizer.reading import Page
from digit_recognizer.recognizer import Recognizer

Pixels = npt.NDArray[np.uint8]  # (H, W, 3)
_Random = np.random.Generator
Change = Callable[[Pixels, _Random], Pixels]

_USUAL = 640  # pixels of the longer side, which blur is told for


def turned(photo: Pixels, rng: _Random, *, degrees: float) -> Pixels:
    """By some degrees to either side, what comes into view of one colour."""
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(degrees * rng.choice([-1, 1])), 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * sine + width * cosine), int(height * cosine + width * sine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    ground = photo.reshape(-1, 3).mean(0).astype(int).tolist()
    return np.asarray(cv2.warpAffine(photo, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=ground), np.uint8)


def from_aside(photo: Pixels, rng: _Random, *, share: float) -> Pixels:
    """Each corner moved by up to a share of the sides."""
    height, width = photo.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = (corners + rng.uniform(-share, share, (4, 2)) * (width, height)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return np.asarray(cv2.warpPerspective(photo, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def shrunk(photo: Pixels, rng: _Random, *, longest: int) -> Pixels:
    """To so many pixels a side."""
    scale = longest / max(photo.shape[:2])
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(photo: Pixels, rng: _Random, *, sigma: float) -> Pixels:
    """Out of focus; sigma in pixels of a photo of 640."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma * max(photo.shape[:2]) / _USUAL), np.uint8)


def shaded(photo: Pixels, rng: _Random, *, least: float) -> Pixels:
    """Light that falls off to one side, or a shadow's edge; the darkest part has ``least`` of it."""
    height, width = photo.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    angle = rng.uniform(0, 2 * np.pi)
    light = np.cos(angle) * columns / width + np.sin(angle) * rows / height
    light = (light - light.min()) / np.ptp(light)
    if rng.random() < 0.5:
        light = 1 / (1 + np.exp(-(light - rng.uniform(0.3, 0.7)) / 0.02))
    return _bytes(photo * (least + (1 - least) * light)[..., None])


def noisy(photo: Pixels, rng: _Random, *, sigma: float) -> Pixels:
    """Grain of so many grey levels."""
    return _bytes(photo + rng.normal(0, sigma, photo.shape))


def squeezed(photo: Pixels, rng: _Random, *, quality: int) -> Pixels:
    """As a JPEG of low quality."""
    _, encoded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def bent(photo: Pixels, rng: _Random, *, share: float) -> Pixels:
    """The paper in waves, a share of its sides deep."""
    height, width = photo.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi)
    across = columns + share * width * np.sin(2 * rows / height + phase)
    down = rows + share * height * np.sin(2.5 * columns / width + phase)
    maps = across.astype(np.float32), down.astype(np.float32)
    return np.asarray(cv2.remap(photo, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.uint8)


def on_a_desk(photo: Pixels, rng: _Random) -> Pixels:
    """A fourth of a larger photo, the rest of it rough."""
    height, width = photo.shape[:2]
    grain = cv2.GaussianBlur(rng.normal(rng.integers(40, 120), 40, (2 * height, 2 * width, 3)), (0, 0), 3)
    desk = _bytes(grain + rng.normal(0, 4, grain.shape))
    top, left = (int(rng.integers(side // 4, side - side // 4)) for side in (height, width))
    desk[top : top + height, left : left + width] = photo
    return desk


CHANGES: dict[str, Change] = {
    "none": lambda photo, rng: photo,
    "turned by 5 degrees": partial(turned, degrees=5),
    "turned by 10 degrees": partial(turned, degrees=10),
    "turned by 15 degrees": partial(turned, degrees=15),
    "turned by 90 degrees": lambda photo, rng: np.ascontiguousarray(np.rot90(photo)),
    "from aside": partial(from_aside, share=0.08),
    "far from aside": partial(from_aside, share=0.14),
    "320 pixels": partial(shrunk, longest=320),
    "480 pixels": partial(shrunk, longest=480),
    "blurred by 1": partial(blurred, sigma=1),
    "blurred by 2": partial(blurred, sigma=2),
    "shade to 0.3": partial(shaded, least=0.3),
    "shade to 0.15": partial(shaded, least=0.15),
    "JPEG 20": partial(squeezed, quality=20),
    "noise 12": partial(noisy, sigma=12),
    "noise 25": partial(noisy, sigma=25),
    "bent by 0.01": partial(bent, share=0.01),
    "bent by 0.02": partial(bent, share=0.02),
    "on a desk": on_a_desk,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos of grids, each with its .txt")
    parser.add_argument("--changes", help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of what the changes draw")
    parser.add_argument("--told", action="store_true", help="tell of the grid")
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    print_heading("Photos of grids, changed", ("onnxruntime", "opencv-python-headless"), given.threads)
    recognizer = Recognizer(given.model, given.threads)
    photos = sorted(given.photos.glob("*.jpg"))
    rows = [
        _row(name, photos, recognizer, seed=given.seed, told=given.told)
        for name in CHANGES
        if not given.changes or name in given.changes.split(",")
    ]
    header = ("change", "all cells read", "without an error", "digits right", "wrong digits accepted", "ms a photo")
    print_table(header, rows)


def _row(name: str, photos: Sequence[Path], recognizer: Recognizer, *, seed: int, told: bool) -> tuple[str, ...]:
    found = whole = right = count = accepted = 0
    seconds = []
    for number, path in enumerate(photos):
        texts = path.with_suffix(".txt").read_text("utf-8").split()
        photo = np.asarray(cv2.imread(str(path)), np.uint8)
        changed = CHANGES[name](photo, np.random.default_rng(1000 * seed + number))
        picture = np.asarray(cv2.cvtColor(changed, cv2.COLOR_BGR2RGB), np.uint8)
        began = time.perf_counter()
        page = recognizer.read(picture, expect=f"{len(texts)}x{len(texts[0])}" if told else None)
        seconds.append(time.perf_counter() - began)
        same, wrong = count_digits(page, texts)
        found += [len(line.digits) for line in page.lines] == [len(text) for text in texts]
        whole += [line.text for line in page.lines] == texts
        right, accepted, count = right + same, accepted + wrong, count + sum(map(len, texts))
    return (
        name,
        f"{found} of {len(photos)}",
        str(whole),
        f"{100 * right / max(1, count):.1f} %",
        str(accepted),
        f"{1e3 * float(np.median(seconds)):.0f}",
    )


def count_digits(page: Page, texts: Sequence[str]) -> tuple[int, int]:
    """Digits that stand where they should, and accepted ones that do not. Of another number of rows none is right."""
    if len(page.lines) != len(texts):
        return 0, 0
    right = wrong = 0
    for line, text in zip(page.lines, texts, strict=True):
        accepted = iter(line.digits)
        for letter, wanted in zip(line.text, text, strict=False):
            if letter != " ":
                right += letter == wanted
                wrong += next(accepted).accepted and letter != wanted
    return right, wrong


def _bytes(values: npt.NDArray[np.floating]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
