"""The cell reader that ships: what it is, and that it reads what the digit model alone cannot."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from digit_recognizer.cell_reader import EMPTY, OTHER, CellReader
from digit_recognizer.digits import Digits
from digit_recognizer.errors import ModelError
from digit_recognizer.model_file import check_model
from digit_recognizer.pictures.cell_view import cell_view
from digit_recognizer.pictures.grids import cells
from digit_recognizer.pictures.grids.chosen_grid import chosen_grid, grown_grid
from digit_recognizer.pictures.grids.grid import cut_grid, find_grid
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.shipped import shipped_model
from digit_recognizer.sources.catalog import load

ASSETS = Path(str(files("digit_recognizer") / "assets"))
SEVEN = [[(20, 18), (44, 18), (28, 48)]]
FOUR = [[(38, 16), (20, 36), (46, 36)], [(40, 26), (38, 50)]]
ONE = [[(34, 14), (31, 50)]]
CROSSES = [[(14, 14), (50, 50)], [(50, 14), (14, 50)], [(32, 10), (32, 54)], [(10, 32), (54, 32)]]


@pytest.fixture(scope="module")
def reader() -> CellReader:
    file = shipped_model("cells.onnx")
    return CellReader(file.content, file.name)


@pytest.fixture(scope="module")
def sample() -> Digits:
    return load("sample").labelled()


def cell(strokes: list[list[tuple[int, int]]], contrast: float, blur: float, seed: int = 0) -> np.ndarray:
    """Pen strokes in a cell with lines around, a little noise: uint8 (64, 64)."""
    page = np.full((64, 64), 200.0, np.float32)
    ink = np.zeros((64, 64), np.uint8)
    for points in strokes:
        cv2.polylines(ink, [np.array(points)], False, 255, 5, cv2.LINE_AA)
    page *= 1 - contrast * ink / 255
    page[:2] = page[-2:] = page[:, :2] = page[:, -2:] = 90
    page = cv2.GaussianBlur(page, (0, 0), blur) + np.random.default_rng(seed).normal(0, 1, page.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("contrast", [0.8, 0.3, 0.12])
@pytest.mark.parametrize("blur", [0.5, 2.5])
def test_dark_pale_sharp_and_blurred_digits_are_read(reader: CellReader, contrast: float, blur: float) -> None:
    views = np.stack([cell_view(cell(strokes, contrast, blur)) for strokes in (SEVEN, FOUR, ONE)])
    assert reader.probabilities(views).argmax(1).tolist() == [7, 4, 1]


def test_empty_cells_and_what_is_no_digit_are_told(reader: CellReader) -> None:
    views = np.stack([cell_view(cell([], 0.5, 1.0, seed)) for seed in range(4)] + [cell_view(cell(CROSSES, 0.6, 0.8))])
    assert reader.probabilities(views).argmax(1).tolist() == [EMPTY] * 4 + [OTHER]


def test_rows_are_probabilities(reader: CellReader) -> None:
    found = reader.probabilities(np.random.default_rng(0).integers(0, 256, (40, 48, 48), np.uint8))
    assert found.shape == (40, 12)
    assert (found >= 0).all()
    assert np.allclose(found.sum(1), 1, atol=1e-5)


def test_it_is_the_file_whose_hash_lies_beside_it_and_tells_what_it_learnt_from() -> None:
    content = (ASSETS / "cells.onnx").read_bytes()
    listed = (ASSETS / "cells.sha256").read_text("ascii").split()
    assert listed == [hashlib.sha256(content).hexdigest(), "cells.onnx"]
    assert len(content) < 2_500_000
    card = check_model(content, "cells.onnx").metadata
    assert card.preset == "cells"
    assert card.data == "mnist + pen strokes + fonts"
    assert card.command.startswith("digits train-cells mnist ")


def grid_of(cells: list[np.ndarray]) -> np.ndarray:
    """Nine cells on a page with a margin: uint8 (H, W)."""
    rows = [np.hstack(cells[first : first + 3]) for first in (0, 3, 6)]
    page = cv2.resize(np.vstack(rows), (270, 270), interpolation=cv2.INTER_LINEAR)
    page = cv2.copyMakeBorder(page, 25, 25, 25, 25, cv2.BORDER_CONSTANT, value=200)
    for at in (25, 115, 205, 294):
        page[at - 1 : at + 2, 25:295] = page[25:295, at - 1 : at + 2] = 60
    return np.asarray(page, np.uint8)


def test_a_grid_is_read_with_and_without_it() -> None:
    strokes = [SEVEN, FOUR, ONE, FOUR, ONE, SEVEN, ONE, SEVEN, FOUR]
    page = grid_of([cell(one, 0.7, 0.8, seed) for seed, one in enumerate(strokes)])
    for recognizer in (Recognizer(threads=1), Recognizer(threads=1, cells=None)):
        assert recognizer.read(page, expect="3x3").text == "741\n417\n174"


def test_both_networks_have_a_say_in_each_cell() -> None:
    """A reader that is sure of another digit everywhere changes what is read, and is not believed alone."""

    class Sevens(CellReader):
        def __init__(self) -> None:
            self.asked = 0

        def probabilities(self, views: np.ndarray) -> np.ndarray:
            self.asked += len(views)
            found = np.full((len(views), 12), 0.001, np.float32)
            found[:, 7] = 1 - 11 * 0.001
            return found

    sevens = Sevens()
    page = grid_of([cell(FOUR, 0.7, 0.8, seed) for seed in range(9)])
    digits = Recognizer(threads=1, cells=sevens).read(page, expect="3x3").digits
    assert sevens.asked >= 36  # unsure as it is, the page is also read on its side and upside down
    assert len(digits) == 9
    assert all(not digit.accepted and {digit.digit, digit.second} == {4, 7} for digit in digits)


def test_a_damaged_one_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import shutil

    from digit_recognizer import shipped

    shutil.copytree(ASSETS, tmp_path / "assets")
    broken = bytearray((tmp_path / "assets" / "cells.onnx").read_bytes())
    broken[1000] ^= 1
    (tmp_path / "assets" / "cells.onnx").write_bytes(broken)
    monkeypatch.setattr(shipped, "_ASSETS", tmp_path / "assets")
    with pytest.raises(ModelError, match=r"cells\.onnx: the model that ships with the package is damaged"):
        Recognizer(threads=1).read(grid_of([cell(FOUR, 0.7, 0.8)] * 9), expect="3x3")


def test_a_digit_whose_ink_nothing_else_finds_is_read_and_has_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    strokes = [SEVEN, FOUR, ONE, FOUR, ONE, SEVEN, ONE, [], FOUR]
    page = grid_of([cell(one, 0.7, 0.8, seed) for seed, one in enumerate(strokes)])
    framed = cells.to_frame

    def blind(grey: np.ndarray) -> np.ndarray:
        return framed(grey) if grey.shape == (40, 40) else np.zeros((28, 28), np.uint8)

    monkeypatch.setattr(cells, "ink_on_black", lambda grey: None)
    monkeypatch.setattr(cells, "to_frame", blind)
    found = Recognizer(threads=1).read(page, expect="3x3")
    assert found.text == "741\n417\n1 4"
    assert found.rejected == ()
    x, y, width, height = found.lines[0].digits[0].box
    assert 25 < x < x + width < 115
    assert 25 < y < y + height < 115
    assert 30 < height < 60
    assert found.lines[0].digits[0].frame.any()


def test_a_stain_in_a_cell_is_no_digit_that_is_accepted() -> None:
    strokes = [SEVEN, FOUR, ONE, FOUR, [], SEVEN, ONE, SEVEN, FOUR]
    pictures = [cell(one, 0.7, 0.8, seed) for seed, one in enumerate(strokes)]
    stain = 1 - 0.3 * np.exp(-((np.mgrid[:64, :64] - 32) ** 2).sum(0) / 120)
    pictures[4] = (pictures[4] * stain).astype(np.uint8)
    for expect in (None, "3x3"):
        page = Recognizer(threads=1).read(grid_of(pictures), expect=expect)
        assert "".join(str(digit.digit) for digit in page.digits if digit.accepted) == "74147174"


def test_a_column_that_was_left_out_of_a_grid_is_added_and_bars_beside_it_are_not(reader: CellReader) -> None:
    strokes = [SEVEN, FOUR, ONE, FOUR, ONE, SEVEN, ONE, SEVEN, FOUR]
    page = grid_of([cell(one, 0.7, 0.8, seed) for seed, one in enumerate(strokes)])
    whole = find_grid(page)
    assert whole is not None
    part, *_ = cut_grid(page, whole.corners + np.array([[90, 0], [0, 0], [0, 0], [90, 0]], np.float32), 3, 2)
    assert grown_grid(page, part, reader.probabilities).shape == (3, 3)
    page[40:280:90, 60:80] = page[40:280, 64:68] = 60
    page[28:292, 28:112][page[28:292, 28:112] < 150] = 200
    for top in (25, 115, 205):
        page[top + 20 : top + 70, 66:71] = 60
    assert grown_grid(page, part, reader.probabilities).shape == (3, 2)


@pytest.mark.parametrize(("waves", "dark"), [(0, 170), (0, 100), (3, 140), (3, 100)])
def test_thin_lines_between_heavy_ones_are_found_on_paper_in_waves(
    reader: CellReader, sample: Digits, waves: int, dark: int
) -> None:
    rng = np.random.default_rng(1)
    page = np.full((666, 666), 200, np.float32)
    for row, column in np.ndindex(9, 9):
        side = int(rng.integers(44, 56))
        top, left = (45 + 64 * place + (64 - side) // 2 for place in (row, column))
        ink = cv2.resize(sample.images[rng.integers(len(sample))], (side, side)).astype(np.float32)
        page[top : top + side, left : left + side] -= 0.6 * ink
    for line in range(10):
        at, level, half = 45 + 64 * line, *((40, 3) if line % 3 == 0 else (dark, 1))
        for along in (page[at - half : at + half, 45:621], page[45:621, at - half : at + half]):
            np.minimum(along, level, out=along)
    rows, columns = np.mgrid[:666, :666].astype(np.float32)
    bent = (rows + waves * np.sin(columns / 120)).astype(np.float32)
    page = cv2.remap(page, columns, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = np.clip(page + rng.normal(0, 2, page.shape), 0, 255).astype(np.uint8)
    found = chosen_grid(grey, None, reader.probabilities)
    assert found is not None
    assert found.shape == (9, 9)


def test_squares_with_nothing_but_bars_in_them_are_no_grid_unless_somebody_says_so() -> None:
    page = np.full((280, 280), 235, np.uint8)
    page[20:261:40, 20:261] = page[20:261, 20:261:40] = 120
    for y in range(20, 260, 40):
        for x in range(20, 260, 40):
            page[y + 8 : y + 32, x + 18 : x + 22] = 60
    recognizer = Recognizer(threads=1)
    assert not any(digit.accepted for digit in recognizer.read(page).digits)
    assert [line.text for line in recognizer.read(page, expect="6x6").lines] == ["111111"] * 6
