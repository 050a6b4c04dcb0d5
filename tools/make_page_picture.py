"""The photo in the README: numbers drawn in pen strokes on ruled paper, a shadow across; and what is read on it.

    python tools/make_page_picture.py            # -> docs/pictures/page.jpg, docs/pictures/page-read.jpg

Drawn, not photographed: no picture of anybody's is in this repository. The same picture comes out each time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
LINES = ("4071 358", "29 16 75 80", "96243 17")
SHAPE = (520, 900)
HEIGHT = 74  # of a digit, in pixels

# Strokes of each digit: points from (0, 0), top left, to (1, 1); a curve goes through them.
STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.55, 0.02), (0.18, 0.25), (0.12, 0.7), (0.45, 0.98), (0.85, 0.7), (0.82, 0.25), (0.5, 0.02)]],
    "1": [[(0.3, 0.25), (0.55, 0.02), (0.52, 0.5), (0.5, 1.0)]],
    "2": [[(0.15, 0.22), (0.45, 0.0), (0.82, 0.2), (0.6, 0.55), (0.12, 0.97), (0.5, 0.93), (0.92, 0.96)]],
    "3": [[(0.18, 0.1), (0.55, 0.0), (0.8, 0.2), (0.42, 0.47), (0.82, 0.68), (0.6, 0.97), (0.12, 0.9)]],
    "4": [[(0.5, 0.02), (0.3, 0.35), (0.1, 0.62), (0.5, 0.62), (0.95, 0.6)], [(0.72, 0.3), (0.68, 0.65), (0.66, 1.0)]],
    "5": [[(0.25, 0.06), (0.22, 0.42), (0.6, 0.42), (0.82, 0.7), (0.55, 0.98), (0.1, 0.9)], [(0.25, 0.05), (0.85, 0)]],
    "6": [[(0.72, 0.0), (0.32, 0.35), (0.15, 0.75), (0.45, 1.0), (0.8, 0.78), (0.55, 0.52), (0.2, 0.72)]],
    "7": [[(0.1, 0.06), (0.5, 0.05), (0.88, 0.04), (0.62, 0.45), (0.42, 1.0)], [(0.35, 0.52), (0.8, 0.5)]],
    "8": [[(0.75, 0.12), (0.4, 0.0), (0.25, 0.25), (0.7, 0.6), (0.6, 0.97), (0.2, 0.85), (0.45, 0.5), (0.78, 0.16)]],
    "9": [[(0.8, 0.15), (0.45, 0.02), (0.2, 0.3), (0.5, 0.5), (0.8, 0.2), (0.78, 0.6), (0.65, 1.0)]],
}  # fmt: skip


def main() -> None:
    """Draw the page, have it read by the command, and keep both pictures."""
    photo = PICTURES / "page.jpg"
    cv2.imwrite(str(photo), _page(np.random.default_rng(11)), [cv2.IMWRITE_JPEG_QUALITY, 82])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "digit_recognizer", "read", str(photo), "--annotate", folder]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")
        (annotated,) = Path(folder).iterdir()
        cv2.imwrite(str(PICTURES / "page-read.jpg"), cv2.imread(str(annotated)), [cv2.IMWRITE_JPEG_QUALITY, 88])


def _page(rng: np.random.Generator) -> np.ndarray:
    """uint8 (H, W, 3), blue ink on ruled paper."""
    height, width = SHAPE
    ink = np.zeros(SHAPE, np.float32)
    for number, text in enumerate(LINES):
        x, base = 70.0 + rng.uniform(0, 40), 145.0 + 130 * number
        for letter in text:
            if letter == " ":
                x += 0.75 * HEIGHT
                continue
            size = HEIGHT * rng.uniform(0.92, 1.08)
            for stroke in STROKES[letter]:
                _draw(ink, np.array(stroke), x, base - size + rng.normal(0, 2), size, rng)
            x += 0.62 * size + rng.uniform(0.12, 0.3) * HEIGHT
    rules = np.zeros(SHAPE, np.float32)
    for y in range(32, height, 65):
        rules[y : y + 2] = 1
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    paper = np.array([214, 226, 232], np.float32) + rng.normal(0, 2, SHAPE).astype(np.float32)[..., None]
    page = paper * (1 - 0.3 * rules[..., None] * np.array([0.5, 0.8, 1.0], np.float32))
    page = page + (np.array([120, 62, 38], np.float32) - page) * np.clip(ink, 0, 1)[..., None] * 0.92
    shade = np.ones(SHAPE, np.float32)
    cv2.fillConvexPoly(shade, np.array([[430, 0], [900, 0], [900, 420], [700, 520], [600, 520]]), 0.6, cv2.LINE_AA)
    light = cv2.GaussianBlur(shade, (0, 0), 4) * (1 - 0.22 * np.hypot(rows / height - 0.2, columns / width - 0.2))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[22, 10], [-14, 26], [10, -12], [-8, -20]], np.float32)
    lens = cv2.getPerspectiveTransform(corners, moved)
    seen = cv2.warpPerspective(page * light[..., None], lens, (width, height), borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(seen, (0, 0), 0.9) + rng.normal(0, 3, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def _draw(ink: np.ndarray, points: np.ndarray, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    points = points + rng.normal(0, 0.018, points.shape)
    slanted = np.stack([points[:, 0] * 0.62 - 0.12 * (points[:, 1] - 1), points[:, 1]], 1) * size + [x, y]
    curve: list[np.ndarray] = []
    ends = np.vstack([2 * slanted[0] - slanted[1], slanted, 2 * slanted[-1] - slanted[-2]])
    steps = np.linspace(0, 1, 12)[:, None]
    for before, first, second, after in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):  # Catmull and Rom, 1974
        bend = (2 * before - 5 * first + 4 * second - after) * steps**2 + (
            3 * first - before - 3 * second + after
        ) * steps**3
        curve.extend(0.5 * (2 * first + (second - before) * steps + bend))
    cv2.polylines(ink, [np.rint(np.array(curve) * 16).astype(np.int32)], False, 1.0, 5, cv2.LINE_AA, 4)


if __name__ == "__main__":
    main()
