"""Pictures that are damaged, hostile or odd, one test for each kind: an answer, or one sentence, and never a digit."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageCms, PngImagePlugin

from digit_recognizer.errors import DigitsError, FileError, InputError
from digit_recognizer.pictures.collect import collect, is_one
from digit_recognizer.pictures.load import load_grey, load_picture
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.sample import load_sample


@pytest.fixture(scope="module")
def shipped() -> Recognizer:
    return Recognizer(threads=1)


@pytest.fixture(scope="module")
def digit() -> np.ndarray:
    """A handwritten digit as people send it: dark ink on paper, uint8 (112, 112)."""
    image = load_sample().labelled().images[3]
    return 255 - cv2.resize(np.pad(image, 14), (112, 112), interpolation=cv2.INTER_CUBIC)


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def assert_reads_alike(recognizer: Recognizer, one: bytes, other: bytes, within: float) -> None:
    first, second = recognizer.predict(one), recognizer.predict(other)
    assert first.digit == second.digit
    assert abs(first.confidence - second.confidence) <= within


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_a_device_is_not_a_regular_file(path: str) -> None:
    with pytest.raises(FileError) as caught:
        load_grey(Path(path))
    assert caught.value.code == "not_a_regular_file"


def test_a_jpeg_with_a_broken_huffman_table_is_refused() -> None:
    content = bytearray(encode(Image.effect_noise((64, 64), 60), "JPEG"))
    table = content.index(b"\xff\xc4") + 5  # past marker, length and class: how many codes of each length there are
    content[table : table + 16] = b"\xff" * 16
    with pytest.raises(InputError) as caught:
        load_grey(bytes(content))
    assert caught.value.code == "truncated_image"


def test_a_jpeg_header_of_65535_squared_is_refused_before_decoding() -> None:
    content = bytearray(encode(Image.new("L", (8, 8)), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(InputError) as caught:
        load_grey(bytes(content))
    assert caught.value.code == "too_many_pixels"


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_bomb_in_text_or_profile_takes_no_memory(kind: bytes) -> None:
    bomb = zlib.compress(bytes(80_000_000), 9)
    body = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0"}[kind] + bomb
    plain = encode(Image.new("L", (8, 8), 200))
    content = plain[:33] + chunk(kind, body) + plain[33:]  # after the header
    tracemalloc.start()
    try:
        assert load_grey(content).tolist() == [[200] * 8] * 8
    except InputError as error:
        assert error.code == "truncated_image"  # noqa: PT017  # either answer is right, if it is cheap
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 64 * 2**20


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_frames_and_pages_the_first_is_read_which_is_told_and_none_are_counted(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Image.new("RGB", (40, 30), (90, 90, 90)), Image.new("RGB", (40, 30), (9, 9, 9))
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(first, kind, save_all=True, append_images=[second, first], **options)

    def counted(image: Any) -> int:
        raise AssertionError("frames were counted")

    monkeypatch.setattr(GifImagePlugin.GifImageFile, "n_frames", property(counted))
    loaded = load_picture(content)
    assert loaded.grey.tolist() == [[90] * 40] * 30
    noun = "pages" if kind == "TIFF" else "frames"
    assert loaded.remarks == (f"it holds several {noun}, the first alone was read",)
    assert load_picture(encode(first, kind)).remarks == ()


def test_cmyk_and_ycck_jpegs_read_as_their_rgb_twin(shipped: Recognizer, digit: np.ndarray) -> None:
    rgb = Image.fromarray(digit).convert("RGB")
    twin = encode(rgb, "JPEG", quality=95)
    assert_reads_alike(shipped, encode(rgb.convert("CMYK"), "JPEG", quality=95), twin, 0.02)
    # YCCK: luma and chroma of inks, which Adobe stores inverted, as Pillow writes all of CMYK; Adobe's marker says so.
    grey, black = Image.new("L", rgb.size, 127), Image.new("L", rgb.size, 0)
    content = bytearray(encode(Image.merge("CMYK", (Image.fromarray(digit), grey, grey, black)), "JPEG", quality=95))
    content[content.index(b"Adobe") + 11] = 2
    assert np.abs(load_grey(bytes(content)).astype(int) - digit).mean() < 3
    assert_reads_alike(shipped, bytes(content), twin, 0.02)


def test_16_bits_a_channel_read_as_8(shipped: Recognizer, digit: np.ndarray) -> None:
    twin = encode(Image.fromarray(digit))
    deep = digit.astype(np.uint16) * 257
    for pixels in (deep, np.dstack([deep] * 3)):
        assert_reads_alike(shipped, bytes(cv2.imencode(".png", pixels)[1]), twin, 0.01)


def test_both_polarities_of_a_transparent_picture_agree(shipped: Recognizer, digit: np.ndarray) -> None:
    alpha = 255 - digit
    dark = encode(Image.merge("LA", (Image.new("L", alpha.shape[::-1], 0), Image.fromarray(alpha))))
    opaque = encode(Image.fromarray(digit))
    assert_reads_alike(shipped, dark, opaque, 1e-6)
    assert_reads_alike(shipped, encode(Image.fromarray(255 - digit)), opaque, 1e-6)


def test_a_fully_transparent_picture_is_blank(shipped: Recognizer) -> None:
    content = encode(Image.new("RGBA", (60, 40), (10, 10, 10, 0)))
    assert shipped.predict(content).reason == "blank"
    assert shipped.read(content).to_dict() == {"file": "1", "lines": [], "rejected": []}


def test_malformed_exif_is_ignored_and_told() -> None:
    image = Image.new("L", (5, 4), 77)
    broken = load_picture(encode(image, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(30)))
    assert broken.grey.tolist() == [[77] * 5] * 4
    assert broken.remarks == ("its EXIF data are malformed and were ignored",)
    exif = Image.Exif()
    exif[0x0112] = 99
    assert load_picture(encode(image, exif=exif)).remarks == broken.remarks
    exif[0x0112] = 1
    assert load_picture(encode(image, exif=exif)).remarks == ()


def test_a_png_named_jpg_is_read_and_told(tmp_path: Path) -> None:
    Image.new("L", (5, 4), 77).save(tmp_path / "a.jpg", "PNG")
    loaded = load_picture(tmp_path / "a.jpg")
    assert loaded.grey.tolist() == [[77] * 5] * 4
    assert loaded.remarks == ("the name says JPEG, the file is PNG",)
    (tmp_path / "a.jpg").rename(tmp_path / "a")
    assert load_picture(tmp_path / "a").remarks == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1), (2, 2), (64, 64)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_too_small_or_one_grey_level_is_never_a_digit(shipped: Recognizer, shape: tuple[int, int], level: int) -> None:
    content = encode(Image.new("L", shape, level))
    assert not shipped.predict(content).accepted
    assert shipped.read(content).digits == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 2), (1, 200)])
def test_a_few_random_pixels_are_no_digit_that_is_accepted(shipped: Recognizer, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    assert not any(reading.accepted for reading in shipped.read(pixels).digits)


@pytest.mark.parametrize(
    "name",
    ["a\nb.png", "\u202egnp.png", "<b>.png", "..a.png", "=1+1.png", "a" * 251 + ".png", os.fsdecode(b"\xff.png")],
)
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    try:
        Image.new("L", (5, 4), 77).save(tmp_path / name)
    except OSError:
        pytest.skip("this file system takes no such name")
    (picture,) = collect(tmp_path / name)
    assert picture.grey().tolist() == [[77] * 5] * 4
    picture.name.encode("utf-8")


def test_a_name_longer_than_the_system_takes_is_a_file_error(tmp_path: Path) -> None:
    name = str(tmp_path / ("a" * 4096 + ".png"))
    assert is_one(name, documents=True)
    for documents in (False, True):
        (picture,) = collect([name], documents=documents)
        with pytest.raises(FileError):
            picture.grey()


def test_a_file_deleted_meanwhile_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        Image.new("L", (5, 4), 77).save(tmp_path / name)
    seen: list[str] = []
    for picture in collect(tmp_path):
        (tmp_path / "2.png").unlink(missing_ok=True)
        try:
            picture.grey()
            seen.append("read")
        except DigitsError as error:
            seen.append(error.code)
    assert seen == ["read", "io_error", "read"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_an_io_error(tmp_path: Path) -> None:
    Image.new("L", (5, 4)).save(tmp_path / "mine.png")
    (tmp_path / "mine.png").chmod(0)
    with pytest.raises(FileError, match=r"mine\.png: cannot be read") as caught:
        load_grey(tmp_path / "mine.png")
    assert caught.value.code == "io_error"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
def test_random_damage_ends_in_one_sentence_or_in_pixels(kind: str) -> None:
    content = encode(Image.effect_noise((40, 40), 50), kind)
    rng = np.random.default_rng(11)
    for _ in range(150):
        broken = bytearray(content)
        for place in rng.integers(0, len(content), int(rng.integers(1, 8))):
            broken[place] = int(rng.integers(256))
        try:
            grey = load_grey(bytes(broken), name="broken")
        except InputError as error:
            assert str(error).startswith("broken: ")  # noqa: PT017  # pixels are right, too
        else:
            assert grey.dtype == np.uint8
            assert 0 < grey.size <= 40_000_000


def test_every_flipped_bit_of_a_pngs_pixels_is_seen() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (24, 24), np.uint8)
    content = encode(Image.fromarray(picture))
    start = content.index(b"IDAT") + 4
    end = content.index(b"IEND") - 4  # its pixels and their checksum
    for place in range(start, end):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(InputError) as refusal:
            load_picture(bytes(damaged), name="scan.png")
        assert refusal.value.code == "truncated_image"
    assert np.array_equal(load_picture(content).grey, picture)


def test_a_profile_of_colours_changes_nothing() -> None:
    image = Image.new("RGB", (5, 4), (77, 77, 77))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert load_grey(encode(image, icc_profile=profile)).tolist() == load_grey(encode(image)).tolist()


def test_text_in_a_png_is_not_read_at_all() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "7" * 1000)
    assert load_grey(encode(Image.new("L", (5, 4), 77), pnginfo=text)).tolist() == [[77] * 5] * 4
