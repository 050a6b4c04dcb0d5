"""Picture files become grey pixels, or one named error."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.errors import FileError, InputError
from digit_recognizer.pictures import load
from digit_recognizer.pictures.load import grey_of_array, grey_of_image, load_grey, picture_format


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def textured(height: int = 40, width: int = 30) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return ((rows * 5 + columns * 2) % 256).astype(np.uint8)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_formats_give_the_very_pixels(kind: str) -> None:
    np.testing.assert_array_equal(load_grey(encode(Image.fromarray(textured()), kind)), textured())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_give_nearly_the_pixels(kind: str) -> None:
    smooth = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (50, 1))
    found = load_grey(encode(Image.fromarray(smooth), kind, quality=95)).astype(int)
    assert np.abs(found - smooth).max() <= 6


def test_the_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(encode(Image.fromarray(textured())))
    np.testing.assert_array_equal(load_grey(tmp_path / "picture.jpg"), textured())


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    deep = textured().astype(np.uint16) * 257
    np.testing.assert_array_equal(load_grey(encode(Image.fromarray(deep))), textured())
    np.testing.assert_array_equal(load_grey(encode(Image.fromarray(deep), "TIFF")), textured())


def test_transparency_lies_on_white() -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = [0, 128, 255]
    assert load_grey(encode(Image.fromarray(pixels))).tolist() == [[255, 127, 0]]
    grey_and_alpha = Image.fromarray(np.array([[[0, 0], [90, 255]]], np.uint8), "LA")
    assert load_grey(encode(grey_and_alpha)).tolist() == [[255, 90]]


@pytest.mark.parametrize("ink", [(255, 255, 255), (250, 246, 240)])
def test_white_ink_on_transparency_lies_on_black(ink: tuple[int, int, int]) -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[..., :3] = ink
    pixels[0, :, 3] = [0, 100, 255]
    grey = load_grey(encode(Image.fromarray(pixels))).astype(int)
    assert grey[0, 0] == 0
    assert grey[0, 2] >= 246
    assert abs(2.55 * grey[0, 1] - grey[0, 2]) <= 3
    np.testing.assert_array_equal(grey_of_array(pixels), grey)
    np.testing.assert_array_equal(load_grey(encode(Image.fromarray(pixels), "WEBP", lossless=True, exact=True)), grey)


def test_nothing_but_transparency_stays_white_and_so_does_paper_without_ink() -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    assert (grey_of_array(pixels) == 255).all()
    pixels[..., 3] = 4
    assert (grey_of_array(pixels) >= 251).all()
    pixels[:] = 250, 250, 250, 255
    assert (grey_of_array(pixels) == 250).all()
    pixels[0, 0, 3] = 0  # the corner of a window
    assert grey_of_array(pixels).min() == 250


def test_pale_ink_on_transparency_lies_on_white_where_it_shows() -> None:
    pixels = np.zeros((1, 2, 4), np.uint8)
    pixels[0, 1] = 250, 220, 60, 255
    assert grey_of_array(pixels).tolist() == [[255, 211]]


def test_a_transparent_palette_entry_lies_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 60, 60, 60])
    image.putpixel((1, 0), 1)
    assert load_grey(encode(image, transparency=0)).tolist() == [[255, 60]]


def test_palette_one_bit_and_cmyk_agree_with_their_rgb_twin() -> None:
    rgb = Image.new("RGB", (2, 1), (200, 30, 40))
    rgb.putpixel((1, 0), (10, 220, 90))
    twin = load_grey(encode(rgb)).astype(int)
    palette = rgb.quantize(4)
    assert np.abs(load_grey(encode(palette)).astype(int) - twin).max() <= 2
    assert np.abs(load_grey(encode(rgb.convert("CMYK"), "TIFF")).astype(int) - twin).max() <= 2
    assert load_grey(encode(Image.fromarray(np.array([[True, False]])))).tolist() == [[255, 0]]


def test_an_adobe_cmyk_jpeg_is_not_inverted() -> None:
    paper = Image.new("CMYK", (32, 32), (0, 0, 0, 0))
    assert load_grey(encode(paper, "JPEG")).min() >= 250


def test_a_lab_tiff_gives_its_lightness() -> None:
    lab = Image.merge("LAB", [Image.fromarray(textured()), *[Image.new("L", (30, 40), 128)] * 2])
    np.testing.assert_array_equal(load_grey(encode(lab, "TIFF")), textured())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_picture(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
    upright |= {6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}
    expected = Image.fromarray(textured())
    if orientation in upright:
        expected = expected.transpose(Image.Transpose[upright[orientation]])
    np.testing.assert_array_equal(load_grey(encode(Image.fromarray(textured()), exif=exif)), np.asarray(expected))


def test_malformed_exif_is_ignored() -> None:
    content = encode(Image.fromarray(textured()), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    np.testing.assert_array_equal(load_grey(content), textured())


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.fromarray(textured()), Image.new("L", (30, 40), 7)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(load_grey(content), textured())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF"])
def test_a_file_cut_anywhere_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    content = encode(Image.fromarray(noise), kind)
    # A BMP or TIFF may end in padding or tags; cutting from 1/32 to 31/32 always takes pixels or what leads to them.
    for part in range(1, 32):
        with pytest.raises(InputError) as caught:
            load_grey(content[: len(content) * part // 32], name="cut")
        assert caught.value.code == "truncated_image", part


def test_a_jpeg_without_its_last_bytes_is_refused() -> None:
    content = encode(Image.fromarray(textured()), "JPEG")
    with pytest.raises(InputError, match="truncated or damaged"):
        load_grey(content[:-2])


def jpegs() -> dict[str, bytes]:
    """The same noise as JPEGs of one scan, of several, with restart markers, and with a preview in its EXIF data."""
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    preview = encode(noise.resize((16, 16)), "JPEG")
    return {
        "one scan": encode(noise, "JPEG"),
        "several scans": encode(noise, "JPEG", progressive=True),
        "restart markers": encode(noise, "JPEG", restart_marker_blocks=1),
        "a preview": encode(noise, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + preview),
    }


@pytest.mark.parametrize("kind", jpegs())
def test_a_jpeg_is_whole_whatever_a_camera_appends_to_it(kind: str) -> None:
    content = jpegs()[kind]
    expected = load_grey(content)
    video = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    for appended in (video, video + b"\xff\xda" + video, b"\xff\xda", content, content[:-2], content[:-40]):
        assert np.array_equal(load_grey(content + appended), expected)


@pytest.mark.parametrize("kind", jpegs())
def test_a_jpeg_cut_within_its_last_bytes_is_refused_whatever_follows_or_lies_in_it(kind: str) -> None:
    content = jpegs()[kind]
    comment = b"\xff\xfe\0\x06\xff\xd9\xff\xd9"  # an end marker inside a segment ends nothing
    noise = np.random.default_rng(4).integers(0, 256, 60_000, dtype=np.uint8).tobytes()
    for end in range(1, 30):
        for appended in (b"", b"\xff", comment, b"\xff\xfe\0\0\xff\xd9", content, b"\xff\x02" + noise + b"\xff\xd9"):
            with pytest.raises(InputError, match="truncated or damaged"):
                load_grey(content[: -1 - end] + appended)


def test_a_jpeg_may_fill_up_before_its_end_marker() -> None:
    content = jpegs()["one scan"]
    assert np.array_equal(load_grey(content[:-2] + b"\xff" * 9 + content[-2:]), load_grey(content))


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    content = bytearray(encode(Image.fromarray(textured())))
    content[content.index(b"IDAT") + 10] ^= 0xFF
    with pytest.raises(InputError) as caught:
        load_grey(bytes(content), name="bad.png")
    assert caught.value.code == "truncated_image"
    assert str(caught.value).startswith("bad.png: ")


@pytest.mark.parametrize(("width", "height"), [(8000, 5001), (12000, 12000), (30000, 30000)])
def test_too_many_pixels_are_refused_from_the_header_alone(width: int, height: int) -> None:
    # There are no pixels behind this header: decoding it would be a truncation.
    content = png_header(width, height) + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(InputError, match="limit of 40,000,000") as caught:
        load_grey(content, name="bomb.png")
    assert caught.value.code == "too_many_pixels"


def test_the_cap_on_pixels_holds_at_the_limit_and_not_past_it() -> None:
    content = encode(Image.fromarray(textured(10, 10)))
    assert load_grey(content, max_pixels=100).shape == (10, 10)
    with pytest.raises(InputError, match="more than the limit of 99"):
        load_grey(content, max_pixels=99)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "nothing.png").touch()
    with pytest.raises(InputError, match=r"nothing\.png: expected a picture, found an empty file") as caught:
        load_grey(tmp_path / "nothing.png")
    assert caught.value.code == "empty_file"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7 ...", "a PDF; digits read, or Recognizer.read, takes its pages"),
        (b"%!PS-Adobe-3.0 EPSF", "PostScript"),
        (b"<svg xmlns='x'/>", "XML, SVG or HTML text"),
        (b"PK\x03\x04 0123", "a zip file"),
        (b"<!DOCTYPE html><html>", "XML, SVG or HTML text"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"icns\0\0\1\0", "an Apple icon"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF picture"),
        (b"SIMPLE  =                    T", "a FITS file"),
        (b"label,pixel0", "bytes that begin with 6c 61"),
    ],
)
def test_other_formats_are_refused_by_their_content(content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found) as caught:
        load_grey(content, name="picture.png")
    assert caught.value.code == "unsupported_image"


def test_values_without_a_known_range_are_refused() -> None:
    content = encode(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")
    with pytest.raises(InputError, match="32-bit") as caught:
        load_grey(content)
    assert caught.value.code == "unsupported_image"


def test_a_folder_a_missing_file_and_a_pipe_are_file_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "gone.png")
    for name in (".", "missing.png", "pipe.png", "dangling.png"):
        with pytest.raises(FileError):
            load_grey(tmp_path / name)


def test_picture_format_knows_seven_formats_and_nothing_else() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"):
        assert picture_format(encode(Image.fromarray(textured()), kind)[:16]) == kind
    assert picture_format(b"\0\0\0\x18ftypheic") == "HEIF"
    assert picture_format(b"") is None
    assert picture_format(b"label,pixel0") is None


def test_a_pil_image_is_as_grey_as_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    colours = rng.integers(0, 256, (9, 7, 4), np.uint8)
    for mode in ("L", "RGB", "RGBA", "P", "1", "LA"):
        path = tmp_path / f"{mode}.png"
        Image.fromarray(colours).convert(mode).save(path)
        with Image.open(path) as image:
            assert np.array_equal(grey_of_image(image), load_grey(path)), mode
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colours[..., :3]).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        assert grey_of_image(image).shape == (7, 9)


def test_an_array_is_as_grey_as_the_picture_that_it_would_make() -> None:
    rng = np.random.default_rng(6)
    for shape in ((9, 7), (9, 7, 3), (9, 7, 4)):
        pixels = rng.integers(0, 256, shape, np.uint8)
        expected = grey_of_image(Image.fromarray(pixels))
        for same in (pixels, np.asfortranarray(pixels), pixels / 255, (pixels / 255).astype(np.float32)):
            assert np.array_equal(grey_of_array(same), expected)
    mask = rng.integers(0, 2, (4, 4)).astype(bool)
    assert np.array_equal(grey_of_array(mask), np.where(mask, 255, 0))


def test_a_pil_image_with_a_damaged_file_behind_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(7).integers(0, 256, (50, 50), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900])
    with Image.open(path) as image, pytest.raises(InputError, match="mine: expected a whole PNG") as error:
        grey_of_image(image, name="mine")
    assert error.value.code == "truncated_image"


@pytest.mark.parametrize("palette", [None, bytes(6)])
def test_a_palette_that_is_broken_is_damage_though_all_pixels_are_there(palette: bytes | None) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    content = png_header(8, 1).replace(b"\x08\x00\x00\x00\x00", b"\x08\x03\x00\x00\x00")[:-4]
    content += struct.pack(">I", zlib.crc32(content[12:]))
    content += b"" if palette is None else chunk(b"PLTE", palette) + chunk(b"tRNS", bytes(400))
    content += chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    with pytest.raises(InputError, match="expected a whole PNG"):
        load_grey(content)
    with Image.open(io.BytesIO(content)) as image, pytest.raises(InputError, match="expected a whole PNG"):
        grey_of_image(image)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_want_of_memory_is_not_told_as_damage(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def starved(*_: Any, **__: Any) -> None:
        raise MemoryError

    content = encode(Image.fromarray(textured()), kind)
    for place in ("PIL.ImageFile.ImageFile.load", "PIL.Image.open"):
        with monkeypatch.context() as patch:
            patch.setattr(place, starved)
            with pytest.raises(MemoryError):
                load_grey(content)
    with Image.open(io.BytesIO(content)) as image, monkeypatch.context() as patch:
        patch.setattr("PIL.ImageFile.ImageFile.load", starved)
        with pytest.raises(MemoryError):
            grey_of_image(image)


@pytest.mark.parametrize("ours", ["_to_grey", "_upright", "_to_colour", "is_whole"])
def test_a_fault_of_ours_is_not_told_as_damage(monkeypatch: pytest.MonkeyPatch, ours: str) -> None:
    def faulty(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(load, ours, faulty)
    with pytest.raises(ZeroDivisionError):
        load.load_picture(encode(Image.fromarray(textured())), colour=True)


def test_too_many_pixels_are_refused_through_every_door() -> None:
    for call in (lambda: grey_of_image(Image.new("L", (50, 50)), max_pixels=2000),
                 lambda: grey_of_array(np.zeros((50, 50), np.uint8), max_pixels=2000)):  # fmt: skip
        with pytest.raises(InputError, match=r"50 × 50 pixels, more than the limit of 2,000"):
            call()


def test_threads_that_decode_leave_the_warnings_as_they_were() -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((300, 300), np.uint8)).save(file, "PNG")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: load_grey(file.getvalue()), range(200)))
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="still heard"):
        warnings.warn("still heard", UserWarning, stacklevel=1)
