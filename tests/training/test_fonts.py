"""Fonts become pictures of characters. The tests bring their own fonts, cut from the face inside Pillow."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

from digit_recognizer.errors import FileError, UsageError
from digit_recognizer.training.fonts import (
    AMBIGUOUS,
    DIGITS,
    OTHERS,
    FontFace,
    find_fonts,
    render,
    split_faces,
    usable_for_digits,
)


def save_font(path: Path, family: str, style: str = "Regular", swaps: dict[str, str | None] | None = None) -> Path:
    """Pillow's face under another name. swaps: which character is drawn as which other, or (None) is left out."""
    font = TTFont(ImageFont.load_default(20).path)  # type: ignore[union-attr]
    for number, name in ((1, family), (2, style), (16, family), (17, style)):
        font["name"].setName(name, number, 3, 1, 0x409)
        font["name"].setName(name, number, 1, 0, 0)
    for table in font["cmap"].tables:
        was = table.cmap
        table.cmap = dict(was)  # tables may share one
        for character, other in (swaps or {}).items():
            if other is None:
                table.cmap.pop(ord(character), None)
            elif ord(other) in was:
                table.cmap[ord(character)] = was[ord(other)]
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)
    return path


@pytest.fixture
def face(tmp_path: Path) -> FontFace:
    return FontFace("Plain", "Regular", save_font(tmp_path / "plain.ttf", "Plain"))


# Finding


def test_fonts_are_found_by_name_once_each_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    save_font(tmp_path / "z" / "a.ttf", "Alpha", "Bold")
    save_font(tmp_path / "b.OTF", "Alpha", "Regular")
    save_font(tmp_path / "a.ttf", "Beta")
    shutil.copy(tmp_path / "a.ttf", tmp_path / "z" / "twin.otf")
    (tmp_path / "broken.ttf").write_bytes((tmp_path / "a.ttf").read_bytes()[:500])
    (tmp_path / "empty.otf").write_bytes(b"")
    (tmp_path / "readme.txt").write_text("no font")
    found = find_fonts([tmp_path])
    assert [(f.family, f.style, f.path.name) for f in found] == [
        ("Alpha", "Bold", "a.ttf"),
        ("Alpha", "Regular", "b.OTF"),
        ("Beta", "Regular", "a.ttf"),
    ]
    assert find_fonts([tmp_path / "z", tmp_path]) == found


def test_every_face_of_a_collection_is_found(tmp_path: Path) -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(save_font(tmp_path / f"{name}.ttf", name)) for name in ("One", "Two")]
    (tmp_path / "sub").mkdir()
    collection.save(tmp_path / "sub" / "both.ttc")
    found = find_fonts([tmp_path / "sub"])
    assert [(f.family, f.index) for f in found] == [("One", 0), ("Two", 1)]
    assert all(usable_for_digits(f) for f in found)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        find_fonts([tmp_path / "nowhere"])


def test_where_this_system_keeps_fonts_is_looked_at_without_complaint() -> None:
    found = find_fonts()
    assert found == sorted(found)


# Rendering


@pytest.mark.parametrize("height", [8, 20, 64, 300])
def test_digits_are_as_tall_as_asked_and_cropped_to_their_ink(face: FontFace, height: int) -> None:
    pictures = [render(face, digit, height) for digit in DIGITS]
    heights = [len(picture) for picture in pictures if picture is not None]
    assert len(heights) == 10
    assert max(heights) == pytest.approx(height, rel=0.01, abs=1)
    for picture in pictures:
        assert picture is not None
        assert picture.dtype == np.uint8
        for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
            assert edge.any()


def test_letters_keep_their_size_beside_digits(face: FontFace) -> None:
    digit, small, tall = (render(face, character, 100) for character in ("8", "x", "H"))
    assert digit is not None
    assert small is not None
    assert tall is not None
    assert len(small) < 0.85 * len(digit)
    assert len(tall) == pytest.approx(len(digit), rel=0.1)
    assert small.max() == 255
    assert len(np.unique(tall)) > 3 or len(np.unique(digit)) > 8


def test_pillow_draws_the_same_picture(face: FontFace) -> None:
    ours = render(face, "5", 100)
    for size in np.arange(120, 160, 0.5):
        mask = ImageFont.truetype(face.path, float(size), layout_engine=ImageFont.Layout.BASIC).getmask("5")
        theirs = np.array(mask, np.uint8).reshape(mask.size[::-1])
        rows, columns = np.flatnonzero(theirs.any(axis=1)), np.flatnonzero(theirs.any(axis=0))
        theirs = theirs[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if ours is not None and theirs.shape == ours.shape:
            assert np.abs(theirs.astype(int) - ours).mean() < 8
            return
    pytest.fail("at no size does Pillow draw as large a 5")


def test_what_the_font_lacks_or_leaves_blank_is_none(tmp_path: Path) -> None:
    path = save_font(tmp_path / "few.ttf", "Few", swaps={"7": None, "k": None})
    few = FontFace("Few", "Regular", path)
    assert render(few, "8", 40) is not None
    for character in ("7", "k", " ", "字", "\U0010fffd"):
        assert render(few, character, 40) is None
    assert not usable_for_digits(few)


def test_arguments_out_of_range_are_refused(face: FontFace) -> None:
    for character, height in (("8", 3), ("8", 2000), ("88", 40), ("", 40)):
        with pytest.raises(UsageError):
            render(face, character, height)
    with pytest.raises(FileError, match="gone"):
        render(FontFace("Gone", "Regular", Path("gone.ttf")), "8", 40)


# Which faces draw digits


def test_a_plain_face_is_usable_and_one_of_pictograms_is_not(tmp_path: Path) -> None:
    for name, swaps, usable in (
        ("Plain", {}, True),
        ("Letters", dict(zip(DIGITS, "ABCDEFGHJK", strict=True)), False),
        ("Turned", dict(zip(DIGITS, "9876543210", strict=True)), False),
        ("Twice", {"9": "8"}, False),
        ("Dingbats", {}, False),
    ):
        path = save_font(tmp_path / f"{name}.ttf", name, swaps=swaps)
        assert usable_for_digits(FontFace(name, "Regular", path)) is usable, name


# Characters


def test_no_character_is_on_two_sides() -> None:
    for one, other in ((DIGITS, OTHERS), (DIGITS, AMBIGUOUS), (OTHERS, AMBIGUOUS)):
        assert not set(one) & set(other)
    for text in (DIGITS, OTHERS, AMBIGUOUS):
        assert len(set(text)) == len(text)
        assert not any(character.isspace() for character in text)


def test_what_shares_a_shape_with_a_digit_is_ambiguous() -> None:
    assert set("OoDIil|!SsZzbGgqB/") <= set(AMBIGUOUS)
    assert set("AEFHKMNRTWXYahkmwx+-=?%#&@*") <= set(OTHERS)


# Splitting


def faces_of(*families: str) -> list[FontFace]:
    return [FontFace(family, style, Path(f"{family}-{style}")) for family in families for style in ("Bold", "Regular")]


def test_no_family_nor_its_kin_is_on_both_sides() -> None:
    faces = faces_of("Noto Sans", "Noto Serif", "Lato", "Jura", "DejaVu Sans", "DejaVu Mono", "Play", "Hack")
    for seed in range(20):
        training, held_out = split_faces(faces, 0.34, seed)
        assert sorted(training + held_out) == sorted(faces)
        first_words = [{f.family.split()[0] for f in side} for side in (training, held_out)]
        assert not first_words[0] & first_words[1]
        assert len(first_words[1]) == 2
    assert len({tuple(split_faces(faces, 0.34, seed)[1]) for seed in range(20)}) > 5


def test_the_split_does_not_depend_on_where_fonts_lie_or_on_order() -> None:
    faces = faces_of("Noto Sans", "Lato", "Jura", "Play", "Hack")
    elsewhere = [FontFace(f.family, f.style, Path("/elsewhere") / f.path) for f in reversed(faces)]
    one, other = split_faces(faces, 0.4, 3), split_faces(elsewhere, 0.4, 3)
    for side, same in zip(one, other, strict=True):
        assert {(f.family, f.style) for f in side} == {(f.family, f.style) for f in same}


def test_a_split_with_an_empty_side_is_refused() -> None:
    for faces, share in ((faces_of("Lato", "Jura"), 0.0), (faces_of("Lato", "Jura"), 1.0), ([], 0.5)):
        with pytest.raises(UsageError, match="empty"):
            split_faces(faces, share, 0)
