"""A grid drawn in perspective is cut into the cells that were drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from photo_grids import CELLS, cut_cells

DIGITS = [[(3 * row + column) % 10 for column in range(CELLS)] for row in range(CELLS)]  # 0: left empty


def photographed_grid() -> np.ndarray:
    """A 9 x 9 grid seen at an angle, uint8 (640, 560), on grey paper in uneven light."""
    side = 60
    flat = np.full((CELLS * side, CELLS * side), 230, np.uint8)
    for line in range(CELLS + 1):
        at = min(line * side, CELLS * side - 1)
        cv2.line(flat, (at, 0), (at, CELLS * side), 40, 3)
        cv2.line(flat, (0, at), (CELLS * side, at), 40, 3)
    for row in range(CELLS):
        for column in range(CELLS):
            if DIGITS[row][column]:
                place = (column * side + 18, row * side + 44)
                cv2.putText(flat, str(DIGITS[row][column]), place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 50, 3)
    corners = np.array([[0, 0], [540, 0], [540, 540], [0, 540]], np.float32)
    seen = np.array([[70, 60], [500, 90], [520, 580], [40, 540]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(flat, matrix, (560, 640), borderMode=cv2.BORDER_CONSTANT, borderValue=215)
    return (photo * np.linspace(1, 0.6, 560)).astype(np.uint8)


def write_photo(folder: Path, name: str, picture: np.ndarray) -> None:
    cv2.imwrite(str(folder / f"{name}.jpg"), picture)
    (folder / f"{name}.txt").write_text("\n".join("".join(map(str, row)) for row in DIGITS) + "\n")


def test_cells_hold_ink_exactly_where_a_digit_was_drawn(tmp_path: Path) -> None:
    write_photo(tmp_path, "grid", photographed_grid())
    cells, failed = cut_cells(tmp_path)
    assert failed == []
    assert [cell.digit for cell in cells] == [digit for row in DIGITS for digit in row]
    for cell in cells:
        contrast = float(np.median(cell.picture)) - float(np.percentile(cell.picture, 2))
        assert (contrast > 60) == (cell.digit != 0)


def test_a_photo_without_a_grid_is_named_and_gives_no_cell(tmp_path: Path) -> None:
    write_photo(tmp_path, "paper", np.full((400, 300), 200, np.uint8))
    assert cut_cells(tmp_path) == ([], ["paper.jpg"])


def test_a_photo_whose_digits_are_not_known_is_passed_over(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grid.jpg"), photographed_grid())
    assert cut_cells(tmp_path) == ([], [])
