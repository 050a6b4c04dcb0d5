"""Print in an outline, as it is set over pictures: its fill is read. Other pages are left as they are."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures.marks.cased import ink_of_cased
from digit_recognizer.pictures.page import read_page
from tests.pictures.test_page import answer, on_paper, page_of

Grey = npt.NDArray[np.uint8]


def cased(texts: list[str], ground: Grey | int = 140) -> Grey:
    """White digits with a black outline of three pixels on a ground of that level: uint8 (H, W)."""
    ink = 255 * page_of(texts)
    outline = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))) > 127
    page = np.where(outline, 10, np.broadcast_to(np.asarray(ground, np.uint8), ink.shape))
    return np.asarray(np.where(ink > 127, 255, page), np.uint8)


@pytest.mark.parametrize("light", [True, False])
def test_digits_in_an_outline_are_read_by_their_fill(light: bool) -> None:
    grey = cased(["4735", "2643"])
    page = read_page(grey if light else 255 - grey, answer, min_confidence=0.8)
    assert page.text == "4735\n2643"
    assert all(line.accepted for line in page.lines)


def test_what_else_stands_on_the_picture_is_read_beside_it() -> None:
    plain = on_paper(page_of(["97"]), ground=140)
    grey = cased(["4735"])
    side = max(plain.shape[1], grey.shape[1])
    both = [np.pad(part, ((40, 40), (0, side - part.shape[1])), constant_values=140) for part in (grey, plain)]
    page = read_page(np.vstack(both), answer, min_confidence=0.8)
    assert page.text == "4735\n97"


def test_a_ground_of_many_levels_is_one_still() -> None:
    shape = page_of(["4735"]).shape
    ground = np.random.default_rng(0).integers(60, 190, (shape[0] // 30 + 1, shape[1] // 30 + 1)).astype(np.uint8)
    grey = cased(["4735"], np.kron(ground, np.ones((30, 30), np.uint8))[: shape[0], : shape[1]])
    assert ink_of_cased(grey) is not None


@pytest.mark.parametrize("blur", [0.0, 1.5, 3.0])
def test_plain_digits_have_no_outline_however_they_are_blurred_or_lit(blur: float) -> None:
    grey = on_paper(page_of(["4735", "8068"])).astype(np.float32)
    if blur:
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    light = np.linspace(0.5, 1, grey.shape[1])
    noise = np.random.default_rng(0).normal(0, 8, grey.shape)
    for page in (grey, grey * light, grey * light + noise, 255 - grey):
        assert ink_of_cased(np.clip(page, 0, 255).astype(np.uint8)) is None


def test_print_on_a_dark_ground_and_holes_in_dark_digits_are_no_fills() -> None:
    ink = np.rint(255 * page_of(["8068"])).astype(np.uint8)
    assert ink_of_cased(ink) is None
    grey = np.where(ink > 127, 20, 200).astype(np.uint8)
    grey[:4] = 255  # the lightest is elsewhere
    assert ink_of_cased(grey) is None
