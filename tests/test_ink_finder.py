"""The ink finder that ships: what it is, and that shadows, rules and squares are no ink to it while strokes are."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from digit_recognizer.errors import ModelError
from digit_recognizer.ink_finder import InkFinder
from digit_recognizer.model_file import check_model
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.shipped import shipped_model

ASSETS = Path(str(files("digit_recognizer") / "assets"))


@pytest.fixture(scope="module")
def finder() -> InkFinder:
    file = shipped_model("ink.onnx")
    return InkFinder(file.content, file.name)


def strokes(shape: tuple[int, int] = (160, 320)) -> np.ndarray:
    """A 1, a 7 and a 4 in pen strokes, bool (H, W)."""
    page = np.zeros(shape, np.uint8)
    for points in (
        [(60, 40), (58, 120)],
        [(110, 42), (160, 42), (130, 122)],
        [(230, 40), (200, 90), (255, 90)],
        [(240, 70), (236, 124)],
    ):
        cv2.polylines(page, [np.array(points)], False, 255, 6, cv2.LINE_AA)
    return page / 255.0


def photographed(ink: np.ndarray, ground: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2, ink.shape)
    return np.clip(ground * (1 - 0.7 * ink) + noise, 0, 255).astype(np.uint8)


def grounds() -> dict[str, np.ndarray]:
    shape = (160, 320)
    plain = np.full(shape, 215.0)
    shadow = plain.copy()
    shadow[:, 140:] *= 0.55
    ruled, squared = plain.copy(), plain.copy()
    ruled[25::40] *= 0.6
    squared[10::24] *= 0.75
    squared[:, 12::24] *= 0.75
    return {"plain": plain, "hard shadow": cv2.GaussianBlur(shadow, (0, 0), 1.0), "ruled": ruled, "squared": squared}


@pytest.mark.parametrize("name", list(grounds()))
@pytest.mark.parametrize("inverted", [False, True], ids=["dark on light", "light on dark"])
def test_strokes_are_ink_and_what_lies_behind_them_is_none(finder: InkFinder, name: str, inverted: bool) -> None:
    ink = strokes()
    grey = photographed(ink, grounds()[name])
    found = finder.ink(255 - grey if inverted else grey)
    there, marked = ink > 0.5, found > 0.5
    overlap = 2 * (there & marked).sum() / (there.sum() + marked.sum())
    assert overlap > 0.8, f"{overlap:.2f} of the ink"
    far = cv2.dilate(there.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert marked[far].mean() < 0.002


@pytest.mark.parametrize("name", list(grounds()))
def test_an_empty_page_has_no_ink(finder: InkFinder, name: str) -> None:
    grey = photographed(np.zeros((160, 320)), grounds()[name])
    assert (finder.ink(grey) > 0.5).mean() < 0.002


def test_numbers_in_a_hard_shadow_on_ruled_paper_are_read_better_with_it() -> None:
    ground = np.minimum(grounds()["hard shadow"], grounds()["ruled"])
    grey = photographed(strokes(), ground)
    assert Recognizer(threads=1).read(grey).text.replace(" ", "") == "174"


def test_it_is_the_file_whose_hash_lies_beside_it_and_tells_what_it_learnt_from() -> None:
    content = (ASSETS / "ink.onnx").read_bytes()
    listed = (ASSETS / "ink.sha256").read_text("ascii").split()
    assert listed == [hashlib.sha256(content).hexdigest(), "ink.onnx"]
    assert len(content) < 1_500_000
    card = check_model(content, "ink.onnx").metadata
    assert card.preset == "ink"
    assert card.data == "mnist + pen strokes + fonts"
    assert card.command.startswith("digits train-ink mnist ")


def test_without_one_ink_is_what_stands_out() -> None:
    grey = photographed(strokes(), grounds()["plain"])
    assert Recognizer(threads=1, ink=None).read(grey).text.replace(" ", "") == "174"


def test_a_damaged_one_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import shutil

    from digit_recognizer import shipped

    shutil.copytree(ASSETS, tmp_path / "assets")
    broken = bytearray((tmp_path / "assets" / "ink.onnx").read_bytes())
    broken[1000] ^= 1
    (tmp_path / "assets" / "ink.onnx").write_bytes(broken)
    monkeypatch.setattr(shipped, "_ASSETS", tmp_path / "assets")
    grey = photographed(strokes(), grounds()["hard shadow"])
    with pytest.raises(ModelError, match=r"ink\.onnx: the model that ships with the package is damaged"):
        Recognizer(threads=1).read(grey)
