"""Corrected pictures are kept as an image folder that training takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digit_recognizer import load
from digit_recognizer.apps.server.corrections import CorrectionFolder, CorrectionFull
from digit_recognizer.apps.server.limits import Limits
from tests.apps.server.conftest import Connect, error_code, png
from tests.conftest import draw_digits

PNG = {"Content-Type": "image/png"}


def picture(number: int) -> np.ndarray:
    return np.kron(255 - draw_digits(10, seed=4).images[number], np.ones((3, 3), np.uint8))


def test_what_is_corrected_can_be_trained_on(connect: Connect, tmp_path: Path) -> None:
    folder = tmp_path / "corrections"
    client = connect(corrections=folder)
    assert client.get("/v1/model").json()["keeps_corrections"] is True
    assert not folder.exists()
    for digit in (7, 3):
        response = client.post(f"/v1/corrections?digit={digit}", content=png(picture(digit)), headers=PNG)
        assert response.status_code == 201
        assert (folder / response.json()["kept"]).is_file()
    dataset = load(str(folder))
    assert dataset.labelled().known_labels().tolist() == [3, 7]


def test_the_same_picture_is_kept_once_and_moves_when_it_is_corrected_again(tmp_path: Path) -> None:
    folder = CorrectionFolder(tmp_path, most=1)
    first = folder.keep(1, picture(1))
    assert folder.keep(1, picture(1)) == first
    again = folder.keep(7, picture(1))
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")] == [again]
    assert first != again
    with pytest.raises(CorrectionFull):
        folder.keep(2, picture(2))
    with pytest.raises(CorrectionFull):
        CorrectionFolder(tmp_path, most=1).keep(2, picture(2))


def test_a_full_folder_is_told_without_its_path(connect: Connect, tmp_path: Path) -> None:
    client = connect(corrections=tmp_path, limits=Limits(corrections=1))
    assert client.post("/v1/corrections?digit=1", content=png(picture(1)), headers=PNG).status_code == 201
    response = client.post("/v1/corrections?digit=2", content=png(picture(2)), headers=PNG)
    assert (response.status_code, error_code(response)) == (503, "corrections_full")
    assert str(tmp_path) not in response.text


def test_corrections_are_refused_unless_asked_for_and_sound(connect: Connect, tmp_path: Path) -> None:
    response = connect().post("/v1/corrections?digit=1", content=png(picture(1)), headers=PNG)
    assert (response.status_code, error_code(response)) == (404, "corrections_off")
    client = connect(corrections=tmp_path)
    for query, content, kind in (
        ("digit=10", png(picture(1)), "image/png"),
        ("digit=../1", png(picture(1)), "image/png"),
        ("", png(picture(1)), "image/png"),
        ("digit=1", png(picture(1))[:50], "image/png"),
        ("digit=1", b"1", "text/plain"),
    ):
        response = client.post(f"/v1/corrections?{query}", content=content, headers={"Content-Type": kind})
        assert response.status_code in (415, 422)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_ink_is_no_example_of_a_digit(connect: Connect, tmp_path: Path, level: int) -> None:
    client = connect(corrections=tmp_path)
    blank = png(np.full((40, 30), level, np.uint8))
    response = client.post("/v1/corrections?digit=1", content=blank, headers=PNG)
    assert (response.status_code, error_code(response)) == (422, "blank_picture")
    assert response.json()["error"]["message"] == "expected a picture of a digit, found a blank one"
    assert list(tmp_path.iterdir()) == []
