"""Phone photos of filled-in number grids become cells with their digits.

The grid is the largest four-sided outline in the photo; it is straightened and cut into 9 x 9. Photos where that fails
are left out and counted. Knows nothing of models: no reader has a say in which cells are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

CELLS = 9
CELL = 64  # pixels of a cell in the straightened grid
MARGIN = 0.11  # share of a cell cut away at each side: the printed lines, and where they bend
SMALLEST = 0.12  # share of the photo that a grid covers at least
CLEAR_LINES = 0.8  # share of the ruling that must be found where it belongs

Grey = npt.NDArray[np.uint8]


class Cell(NamedTuple):
    """One cell of a grid, uint8 (H, W), dark ink on light paper; the digit in it, 1-9, or 0 where it is empty."""

    picture: Grey
    digit: int
    photo: str


def cut_cells(folder: Path) -> tuple[list[Cell], list[str]]:
    """(cells of every photo in ``folder`` with a .txt of 9 x 9 digits beside, names of photos with no grid found)."""
    cells: list[Cell] = []
    failed: list[str] = []
    for photo, digits in _photos(folder):
        grey = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
        grid = None if grey is None else find_grid(np.asarray(grey, np.uint8))
        if grid is None or line_score(grid) < CLEAR_LINES:
            failed.append(photo.name)
            continue
        inset = round(MARGIN * CELL)
        for row in range(CELLS):
            for column in range(CELLS):
                top, left = row * CELL, column * CELL
                part = grid[top + inset : top + CELL - inset, left + inset : left + CELL - inset]
                cells.append(Cell(part.copy(), digits[row][column], photo.name))
    return cells, failed


def find_grid(grey: Grey) -> Grey | None:
    """The largest four-sided outline, straightened: uint8 (9 * CELL, 9 * CELL); None where there is none."""
    scale = min(1.0, 800 / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    flat = cv2.GaussianBlur(small, (5, 5), 0)
    dark = cv2.adaptiveThreshold(flat, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 5)
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(dark, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:8]:
        hull = cv2.convexHull(outline)
        if cv2.contourArea(hull) < SMALLEST * small.size:
            continue
        corners = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)
        if len(corners) == 4:
            return _straightened(grey, corners[:, 0, :].astype(np.float32) / scale)
    return None


def line_score(grid: Grey) -> float:
    """Share of the 16 inner lines, 0-1, that are darker than the cells at their sides where they belong."""
    light = cv2.blur(grid, (CELL // 2, CELL // 2)).astype(np.float32)
    darkness = np.maximum(light - grid, 0)
    found = 0
    for profile in (np.median(darkness, axis=0), np.median(darkness, axis=1)):
        for line in range(1, CELLS):
            at = line * CELL
            here = profile[at - CELL // 8 : at + CELL // 8].max()
            beside = max(
                profile[at - CELL // 2 - 6 : at - CELL // 2 + 6].max(),
                profile[at + CELL // 2 - 6 : at + CELL // 2 + 6].max(),
            )
            found += here > beside + 2
    return found / (2 * (CELLS - 1))


def _straightened(grey: Grey, corners: npt.NDArray[np.float32]) -> Grey:
    total, difference = corners.sum(axis=1), corners[:, 1] - corners[:, 0]
    order = [int(total.argmin()), int(difference.argmin()), int(total.argmax()), int(difference.argmax())]
    side = CELLS * CELL
    target = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners[order], target)
    return np.asarray(cv2.warpPerspective(grey, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def _photos(folder: Path) -> Iterator[tuple[Path, list[list[int]]]]:
    for photo in sorted(folder.glob("*.jpg")):
        text = photo.with_suffix(".txt")
        if text.is_file():
            rows = [[int(letter) for letter in line.strip()] for line in text.read_text("utf-8").split()]
            if len(rows) == CELLS and all(len(row) == CELLS for row in rows):
                yield photo, rows


__all__ = ["Cell", "cut_cells", "find_grid", "line_score"]
