"""HEIC photos become grey pixels, upright, or one named error; without their decoder, the install command."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.errors import InputError
from digit_recognizer.pictures.collect import collect
from digit_recognizer.pictures.load import load_grey, load_picture
from tests.pictures.heic_files import TURNED, UPRIGHT


def shown() -> np.ndarray:
    """What both files show."""
    picture = np.full((48, 32), 230)
    picture[9:40, 13:18] = 20
    picture[30:40, 4:12] = 120
    return picture


@pytest.mark.parametrize("content", [UPRIGHT, TURNED], ids=["upright", "turned"])
def test_a_heic_photo_shows_what_was_encoded_upright(content: bytes) -> None:
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    grey = load_grey(content)
    assert grey.shape == (48, 32)
    assert np.abs(grey.astype(int) - shown()).mean() < 4
    assert grey[20, 15] < 40 < 200 < grey[20, 5]


def test_a_heic_photo_is_found_in_folders_and_by_content(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    (tmp_path / "a.HEIC").write_bytes(UPRIGHT)
    (tmp_path / "b.jpg").write_bytes(UPRIGHT)
    (tmp_path / "c").write_bytes(UPRIGHT)
    greys = [picture.grey() for picture in collect(tmp_path)]
    assert len(greys) == 3
    assert all(np.array_equal(grey, greys[0]) for grey in greys)
    assert load_picture(tmp_path / "b.jpg").remarks == ("the name says JPEG, the file is HEIF",)


def test_a_heic_file_cut_anywhere_is_refused() -> None:
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    for part in range(1, 32):
        with pytest.raises(InputError) as caught:
            load_grey(UPRIGHT[: len(UPRIGHT) * part // 32], name="cut.heic")
        assert caught.value.code == "truncated_image", part


def test_the_cap_on_pixels_holds_for_heic_too() -> None:
    pytest.importorskip("pi_heif", reason="the extra heif is not installed")
    with pytest.raises(InputError, match="32 × 48 pixels, more than the limit of 1,535") as caught:
        load_grey(UPRIGHT, max_pixels=1535)
    assert caught.value.code == "too_many_pixels"


def test_without_its_extra_a_heic_photo_is_refused_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(InputError) as caught:
        load_grey(UPRIGHT, name="photo.heic")
    assert caught.value.code == "unsupported_image"
    assert str(caught.value) == (
        'photo.heic: reading a HEIC photo needs an extra: pip install "digit-recognizer[heif]"'
    )
