"""Grids that the tests draw themselves, askew and in poor light: found, counted, read; pages without are left alone."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.grids.grid import cut_grid, extended, find_grid, find_grids
from digit_recognizer.pictures.grids.grid_lines import CELL
from digit_recognizer.pictures.page import read_page
from tests.pictures.test_page import answer, on_paper, page_of, sprite

Grey = npt.NDArray[np.uint8]

NUMBERS = ["5348", "6721", "1983", "8597"]
CORNERS = np.array([[60, 40], [430, 70], [410, 450], [35, 420]], np.float32)


def grid_of(rows: list[str], cell: int = 90) -> Grey:
    """Dark lines and digits on light paper: uint8 (H, W). A blank is an empty cell."""
    height, width = len(rows) * cell, len(rows[0]) * cell
    ink = np.zeros((height + 3, width + 3), np.float32)
    for row in range(len(rows) + 1):
        ink[row * cell : row * cell + 3] = 0.8
    for column in range(len(rows[0]) + 1):
        ink[:, column * cell : column * cell + 3] = 0.8
    for row, text in enumerate(rows):
        for column, letter in enumerate(text):
            if letter != " ":
                digit = sprite(int(letter), cell // 2, seed=row)
                top, left = row * cell + cell // 4, column * cell + (cell - digit.shape[1]) // 2
                ink[top : top + len(digit), left : left + digit.shape[1]] = digit
    return on_paper(ink)


def photo_of(grid: Grey) -> Grey:
    """The grid in perspective, light falling off to the right."""
    height, width = grid.shape
    edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(edges, CORNERS)
    photo = cv2.warpPerspective(grid, matrix, (480, 480), flags=cv2.INTER_AREA, borderValue=235)
    return np.clip(photo * np.linspace(1, 0.6, 480)[None, :], 0, 255).astype(np.uint8)


def test_a_grid_in_perspective_is_counted_and_its_corners_found() -> None:
    grid = find_grid(photo_of(grid_of(NUMBERS)))
    assert grid is not None
    assert grid.shape == (4, 4)
    boxes = [grid.box(row, column, (0, 0, CELL, CELL)) for row, column in ((0, 0), (3, 3))]
    assert np.abs(np.array(boxes[0][:2]) - CORNERS.min(0)[0:2] * [1.4, 1]).max() < 30
    assert abs(boxes[1][0] + boxes[1][2] - 420) < 12
    assert abs(boxes[1][1] + boxes[1][3] - 450) < 12


def test_cells_cut_off_by_the_edge_of_the_picture_have_boxes_within_it() -> None:
    photo = photo_of(grid_of(NUMBERS))
    grid = find_grid(photo)
    assert grid is not None
    cut = grid._replace(size=(440, 400))
    x, y, width, height = cut.box(3, 3, (0, 0, CELL, CELL))
    assert grid.box(3, 3, (0, 0, CELL, CELL))[:2] == (x, y)
    assert (x + width, y + height) == (400, 440)


@pytest.mark.parametrize("expect", [None, "4x4"])
def test_the_rows_of_a_grid_are_the_lines_of_its_page(expect: str | None) -> None:
    page = read_page(photo_of(grid_of(NUMBERS)), answer, parse_expectation(expect))
    assert page.text.splitlines() == NUMBERS
    for line in page.lines:
        lefts = [digit.box[0] for digit in line.digits]
        assert lefts == sorted(lefts)


def test_an_empty_cell_is_a_space() -> None:
    page = read_page(grid_of(["53 8", " 721", "19 3"]), answer, parse_expectation("3x4"))
    assert page.text.splitlines() == ["53 8", " 721", "19 3"]
    assert len(page.digits) == 9


def test_where_a_grid_is_expected_and_none_is_there_nothing_is_read() -> None:
    page = read_page(on_paper(page_of(["123", "456"])), answer, parse_expectation("9x9"))
    assert page.lines == ()
    assert [found.reason for found in page.rejected] == ["expected a grid of 9 x 9 cells, found none"]


def test_a_grid_on_bent_paper_is_counted_by_its_cells() -> None:
    rows = [("5348672198" * 2)[row : row + 9] for row in range(9)]
    flat = np.pad(grid_of(rows, cell=60), 40, constant_values=235)
    down, right = np.mgrid[: len(flat), : flat.shape[1]].astype(np.float32)
    sag = 10 * np.sin(np.pi * right / flat.shape[1])
    grid = find_grid(cv2.remap(flat, right, down + sag, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    assert grid is not None
    assert grid.shape == (9, 9)


def test_lines_of_numbers_are_no_grid() -> None:
    assert find_grid(on_paper(page_of(["123456", "456789", "321654"]))) is None
    assert find_grid(np.full((300, 300), 200, np.uint8)) is None


def test_squared_paper_with_digits_across_its_squares_is_no_grid_of_cells() -> None:
    ink = np.zeros((340, 400), np.float32)
    for number, line in enumerate(["53486721", "19838597", "46321598", "78104236"]):
        row = page_of([line], 52)[:, : 400 - 8]
        ink[number * 80 + 5 : number * 80 + 5 + 80, : row.shape[1]] = row[15:95]
    ink = np.asarray(cv2.dilate(ink, np.ones((3, 3), np.uint8)), np.float32)
    ink[::34] = np.maximum(ink[::34], 0.4)
    ink[:, ::34] = np.maximum(ink[:, ::34], 0.4)
    assert read_page(on_paper(ink), answer).text.splitlines() == ["53486721", "19838597", "46321598", "78104236"]


def test_cells_that_can_hardly_be_read_are_a_grid_only_where_somebody_says_so() -> None:
    """Digits that lie across the squares of paper, cut out square by square, look like nothing much."""

    def doubtful(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities, unfamiliarity = answer(frames)
        return (0.3 * probabilities + 0.05).astype(np.float32), unfamiliarity

    page = grid_of(NUMBERS)
    seen: list[str] = []

    def watch(step: str, found: object) -> None:
        seen.append(step)

    assert read_page(page, answer, watch=watch).text.splitlines() == NUMBERS
    assert seen == ["grid"]
    read_page(page, doubtful, watch=watch)
    assert "pieces" in seen
    seen.clear()
    read_page(page, doubtful, parse_expectation("4x4"), watch=watch)
    assert seen == ["grid"]


def test_a_line_of_the_page_that_runs_into_a_grid_does_not_hide_it() -> None:
    grid = grid_of(NUMBERS, 70)
    page = np.full((560, 420), 235, np.uint8)
    page[60 : 60 + len(grid), 40 : 40 + grid.shape[1]] = np.minimum(235, grid)
    right, foot = 40 + grid.shape[1], 60 + len(grid)
    page[5:555, right - 1 : right + 2] = 60
    page[foot - 2 : foot + 1, 5:415] = 60
    found = find_grid(page, (4, 4))
    assert found is not None
    x, y, width, height = found.box(0, 0, (0, 0, CELL, CELL))
    assert max(abs(x - 40), abs(y - 60), abs(width - 70), abs(height - 70)) <= 8


def test_what_is_left_of_a_bent_line_does_not_hide_a_pale_digit() -> None:
    rows = [list(row) for row in NUMBERS]
    ink = np.zeros((363, 363), np.float32)
    for number in range(5):
        ink[number * 90 : number * 90 + 3] = ink[:, number * 90 : number * 90 + 3] = 1
    for row, letters in enumerate(rows):
        for column, letter in enumerate(letters):
            digit = 0.3 * sprite(int(letter), 45, seed=row)
            top, left = row * 90 + 22, column * 90 + (90 - digit.shape[1]) // 2
            ink[top : top + len(digit), left : left + digit.shape[1]] = digit
    ink = np.pad(ink, 40)
    rows_of, columns_of = np.mgrid[: len(ink), : len(ink)].astype(np.float32)
    bent = rows_of + 7 * np.sin(columns_of / len(ink) * np.pi).astype(np.float32)
    page = cv2.remap(ink, columns_of, bent, cv2.INTER_LINEAR)
    assert read_page(on_paper(page), answer, parse_expectation("4x4")).text.splitlines() == NUMBERS


def test_what_looks_like_no_digit_is_read_where_one_was_expected_but_not_accepted() -> None:
    page = grid_of(["5348", "67 1", "1983", "8597"])
    cv2.circle(page, (2 * 90 + 45, 90 + 45), 18, 40, -1)
    expected = read_page(page, answer, parse_expectation("4x4"))
    assert [len(line.digits) for line in expected.lines] == [4, 4, 4, 4]
    assert [digit.accepted for digit in expected.lines[1].digits] == [True, True, False, True]
    found = read_page(page, answer)
    assert found.text.splitlines()[1] == "67 1"
    assert [rejected.reason for rejected in found.rejected] == ["not a digit"]


def table_of(rows: list[list[str]], height: int) -> Grey:
    """A table of numbers, digits of that height in cells of 90 pixels: uint8 (H, W)."""
    page = grid_of([" " * len(row) for row in rows])
    for row, numbers in enumerate(rows):
        for column, number in enumerate(numbers):
            ink = np.concatenate([np.pad(sprite(int(letter), height), ((0, 0), (2, 2))) for letter in number], axis=1)
            top, left = row * 90 + (90 - height) // 2, column * 90 + (90 - ink.shape[1]) // 2
            place = page[top : top + height, left : left + ink.shape[1]]
            np.minimum(place, on_paper(ink), out=place)
    return page


@pytest.mark.parametrize("height", [30, 36])
def test_a_table_with_a_number_of_two_digits_loses_none_of_them(height: int) -> None:
    rows = [["5", "3", "4", "8"], ["6", "10", "2", "1"], ["12", "9", "8", "3"], ["7", "5", "11", "6"]]
    page = read_page(table_of(rows, height), answer)
    assert page.text.replace(" ", "").splitlines() == ["".join(row) for row in rows]


def test_cells_whose_ink_is_no_digit_count_against_a_grid_that_nobody_told_of() -> None:
    page = grid_of(["5348", "6 2 ", "1983", " 597"])
    for row, column in ((1, 1), (1, 3), (3, 0)):
        cv2.circle(page, (column * 90 + 45, row * 90 + 45), 18, 40, -1)
    seen: list[str] = []

    def doubtful(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        probabilities, unfamiliarity = answer(frames)
        return (0.9 * probabilities).astype(np.float32), unfamiliarity

    read_page(page, doubtful, watch=lambda step, found: seen.append(step))
    assert "grid" not in seen


@pytest.mark.parametrize("rows", [["7"], ["73"], ["7", "3"]])
def test_a_grid_of_one_cell_is_read_as_one_of_two(rows: list[str]) -> None:
    expected = f"{len(rows)}x{len(rows[0])}"
    paper = np.pad(grid_of(rows, cell=120), 40, constant_values=255)
    page = read_page(paper, answer, parse_expectation(expected))
    assert page.text.split() == rows
    assert page.rejected == ()
    empty = read_page(np.full((200, 200), 255, np.uint8), answer, parse_expectation(expected))
    assert "found none" in empty.rejected[0].reason


def test_every_third_line_being_heavier_does_not_hide_the_others() -> None:
    rows = [("5348672198" * 2)[row : row + 9] for row in range(9)]
    page = grid_of(rows, cell=40)
    for at in range(0, 361, 120):
        page[at : at + 5] = page[:, at : at + 5] = 20
    down, right = np.mgrid[: len(page), : page.shape[1]].astype(np.float32)
    waves = 2.0 * np.sin(6 * np.pi * right / page.shape[1])
    bent = cv2.remap(page, right, down + waves.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    page = np.pad(bent, 40, constant_values=235)
    shapes = [grid.shape for grids in find_grids(page) for grid in grids]
    assert (9, 9) in shapes
    assert (3, 9) in shapes


def test_a_grid_that_takes_a_tenth_of_the_picture_is_found() -> None:
    page = np.full((1200, 1200), 235, np.uint8)
    grid = grid_of(NUMBERS)
    page[500 : 500 + len(grid), 300 : 300 + grid.shape[1]] = grid
    found = find_grid(page)
    assert found is not None
    assert found.shape == (4, 4)


def test_half_of_the_lines_of_a_table_of_two_digits_is_no_grid_of_single_ones() -> None:
    rows = [["53", "48"], ["67", "21"], ["19", "83"], ["85", "97"]]
    page = np.pad(table_of(rows, 30), 40, constant_values=235)
    assert [grid.shape for grids in find_grids(page) for grid in grids] == []
    assert read_page(page, answer).text.splitlines() == [" ".join(row) for row in rows]


def test_a_row_beyond_the_outline_is_added_where_a_line_ends_it() -> None:
    page = np.pad(grid_of(NUMBERS), 60, constant_values=235)
    whole = find_grid(page)
    assert whole is not None
    corners = whole.corners.copy()
    corners[:2, 1] += 90
    part, *_ = cut_grid(page, corners, 3, 4)
    assert extended(page, part, "bottom") is None
    larger = extended(page, part, "top")
    assert larger is not None
    assert larger.shape == (4, 4)
    assert np.abs(larger.corners - whole.corners).max() < 8
    assert extended(page, larger, "top") is None
