"""A sheet on a desk is told from all that only looks like one: boxes, bars, broad rings, the picture's own paper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digit_recognizer.pictures.sheet import desk_removed, sheet_alone


def desk(desk_level: int, sheet_level: int, ink_level: int, turn: float = 0.0) -> np.ndarray:
    """A sheet with an L on it, turned by some degrees, on a desk with a grain: uint8 (600, 800)."""
    picture = np.full((600, 800), desk_level, np.float32)
    corners = cv2.boxPoints(((410, 290), (430, 330), turn)).astype(np.int32)
    cv2.fillPoly(picture, [corners], float(sheet_level))
    cv2.line(picture, (370, 220), (370, 350), float(ink_level), 14)
    cv2.line(picture, (370, 350), (450, 350), float(ink_level), 14)
    grain = np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turn", [0, 7, -12])
@pytest.mark.parametrize(("levels"), [(70, 235, 40), (120, 220, 60), (230, 60, 200), (20, 200, 90)])
def test_the_desk_around_a_sheet_is_gone(levels: tuple[int, int, int], turn: float) -> None:
    picture = desk(*levels, turn)
    alone = sheet_alone(picture)
    assert 250 <= alone.shape[0] <= 450
    assert 320 <= alone.shape[1] <= 520
    edge = np.concatenate([alone[0], alone[-1], alone[:, 0], alone[:, -1]]).astype(int)
    assert np.abs(edge - levels[1]).max() <= 40
    inked = np.abs(alone.astype(int) - levels[1]) > 60
    assert inked.sum() == pytest.approx(14 * 210, rel=0.25)


def test_the_inverse_picture_gives_the_inverse_sheet() -> None:
    picture = desk(70, 235, 40, 5)
    assert np.abs(sheet_alone(255 - picture).astype(int) - (255 - sheet_alone(picture))).mean() < 2


def bar() -> np.ndarray:
    picture = np.full((300, 300), 240, np.uint8)
    picture[40:260, 100:190] = 20
    return picture


def box() -> np.ndarray:
    picture = np.full((300, 300), 240, np.uint8)
    cv2.rectangle(picture, (40, 40), (260, 260), 30, 6)
    cv2.line(picture, (150, 90), (150, 210), 30, 12)
    return picture


def ring() -> np.ndarray:
    picture = np.full((300, 300), 240, np.uint8)
    cv2.rectangle(picture, (60, 30), (240, 270), 20, cv2.FILLED)
    cv2.rectangle(picture, (120, 90), (180, 210), 240, cv2.FILLED)
    return picture


def disc() -> np.ndarray:
    picture = np.full((300, 300), 240, np.uint8)
    cv2.ellipse(picture, (150, 150), (90, 120), 0, 0, 360, 20, cv2.FILLED)
    cv2.ellipse(picture, (150, 150), (20, 50), 0, 0, 360, 240, cv2.FILLED)
    return picture


def paper() -> np.ndarray:
    right = np.linspace(0.5, 1, 400)[None, :]
    picture = np.repeat(220 * right, 300, axis=0)
    picture[80:220, 195:205] -= 60
    return picture.astype(np.uint8)


@pytest.mark.parametrize(
    "picture", [bar(), box(), ring(), disc(), paper(), desk(70, 235, 235), np.zeros((90, 90), np.uint8)]
)
def test_what_is_no_sheet_with_something_on_it_is_left_as_it_is(picture: np.ndarray) -> None:
    assert sheet_alone(picture) is picture


@pytest.mark.parametrize("shape", [(28, 28), (63, 63), (1, 500), (20, 200)])
def test_small_pictures_are_crops(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert sheet_alone(picture) is picture


def listed(sheets: int = 1, desk_level: int = 60) -> np.ndarray:
    """A page of strokes, half full, on a desk; with several sheets, beside each other: uint8 (500, 300 each)."""
    picture = np.full((500, 300 * sheets), desk_level, np.uint8)
    for sheet in range(sheets):
        left = 300 * sheet
        picture[60:440, left + 50 : left + 250] = 225
        for row in range(90, 420, 40):
            for column in range(70, 230, 20):
                picture[row : row + 24, left + column : left + column + 7] = 30
    return picture


def test_of_a_page_on_a_desk_the_desk_alone_is_painted_over() -> None:
    picture = listed()
    paper, turn = desk_removed(picture)
    assert abs(turn) < 1
    assert paper.shape == picture.shape
    assert (paper[90:420, 70:230] == picture[90:420, 70:230]).all()
    around = np.concatenate([paper[0], paper[-1], paper[:, 0], paper[:, -1]]).astype(int)
    assert np.abs(around - 225).max() <= 30


@pytest.mark.parametrize("picture", [bar(), box(), listed(2), np.full((40, 30), 200, np.uint8)])
def test_where_no_one_sheet_lies_on_a_desk_a_page_stays_as_it_is(picture: np.ndarray) -> None:
    paper, turn = desk_removed(picture)
    assert paper is picture
    assert turn == 0


@pytest.mark.parametrize("degrees", [-30, -9, 12, 40])
def test_how_a_sheet_lies_on_a_desk_is_told(degrees: int) -> None:
    matrix = cv2.getRotationMatrix2D((150, 250), -degrees, 0.7)
    picture = cv2.warpAffine(listed(), matrix, (300, 500), borderValue=60)
    assert desk_removed(picture)[1] == pytest.approx(degrees, abs=1.5)


def test_light_in_the_middle_of_a_board_is_no_sheet() -> None:
    rows, columns = np.mgrid[:500, :700]
    far = np.maximum(np.abs(rows - 250) / 250, np.abs(columns - 350) / 350)
    board = (170 - 120 * far).astype(np.uint8)
    cv2.putText(board, "407", (210, 290), cv2.FONT_HERSHEY_SIMPLEX, 4, 235, 14)
    assert desk_removed(board)[0] is board
