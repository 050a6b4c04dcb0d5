"""A picture file, its bytes, a PIL image or an array becomes grey pixels: whole and within limits, or refused.

Pillow decodes, and heif.py what Pillow does not. Knows nothing of digits: what is ink is for ink.py to find.
"""

from __future__ import annotations

import io
import os
import re
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from digit_recognizer.errors import InputError
from digit_recognizer.files import read_bytes
from digit_recognizer.pictures import heif
from digit_recognizer.pictures.hues import grey_of_hues
from digit_recognizer.pictures.paper import MIN_CONTRAST
from digit_recognizer.pictures.refusals import check_size, damaged, too_large
from digit_recognizer.pictures.wholeness import is_whole

MAX_PIXELS = 40_000_000
MOST_PIXELS = 160_000_000  # to which the limit may be raised: below Pillow's own, and colour still fits in memory
MAX_BYTES = 128 * 1024 * 1024

Grey = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.uint8]

# What a file is, its first bytes say; a name's suffix is never believed.
_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("PNG", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("JPEG", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("WEBP", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    ("GIF", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    ("TIFF", lambda head: head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))),
    ("BMP", lambda head: head.startswith(b"BM")),
    (heif.KIND, heif.is_heif),
)
_NAMED = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF",
    ".bmp": "BMP", ".heic": heif.KIND, ".heif": heif.KIND,
}  # fmt: skip
_OTHER_SIGNATURES = (
    (b"%PDF", "a PDF; digits read, or Recognizer.read, takes its pages"),
    (b"%!PS", "PostScript"),
    (b"PK\x03\x04", "a zip file"),
    (b"8BPS", "a Photoshop file"),
    (b"icns", "an Apple icon"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"<", "XML, SVG or HTML text"),
)
_ORIENTATION = 0x0112  # the EXIF tag
_EMPTY_EXIF = 26  # bytes of EXIF that may hold no tag at all: "Exif", TIFF's header, a count of 0
_UPRIGHT: dict[int, Callable[[Grey], Grey]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


class LoadedPicture(NamedTuple):
    """A decoded picture. grey: uint8 (H, W), 0 black to 255 white. remarks: what a person should know, as sentences
    without the picture's name: of several frames the first alone was read, the name says another format than the file.
    colour: uint8 (H, W, 3), red, green, blue, where it was asked for and the picture has any.
    """

    grey: Grey
    remarks: tuple[str, ...] = ()
    colour: Colour | None = None


def picture_format(head: bytes) -> str | None:
    """The picture format that a file's first 16 bytes announce (PNG, JPEG, WEBP, GIF, TIFF, BMP, HEIF), or None.

    >>> picture_format(b"GIF89a")
    'GIF'
    """
    return next((name for name, matches in _SIGNATURES if matches(head)), None)


def load_picture(
    source: Path | bytes, *, name: str | None = None, max_pixels: int = MAX_PIXELS, colour: bool = False
) -> LoadedPicture:
    """Decode one picture to grey, upright as its EXIF says, transparency laid on white, or white ink on black.

    source: path of a file, or its bytes: PNG, JPEG, WebP, BMP, TIFF, GIF, or HEIC with the extra ``heif``; of several
    frames or pages, the first. name: what errors call it, and whose suffix is compared with the content; left out, the
    path. max_pixels: cap on width times height, checked before decoding. colour: keep the colours, too.
    16-bit pixels are scaled, not clipped; colour becomes luma (ITU-R BT.601), or what hues.py makes of it where luma
    shows nothing.
    Raises FileError where the file cannot be read, InputError where it is no such picture; its ``code`` is
    ``empty_file``, ``unsupported_image``, ``truncated_image`` (also for damage) or ``too_many_pixels``; MemoryError
    where there is not enough.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> Image.new("L", (3, 2), 200).save(file, "PNG")
    >>> load_picture(file.getvalue(), name="dot.jpg").remarks
    ('the name says JPEG, the file is PNG',)
    """
    if isinstance(source, bytes):
        name, content = name or "picture", source
    else:
        name, content = name or str(source), read_bytes(source, limit=MAX_BYTES)
    if not content:
        raise InputError(f"{name}: expected a picture, found an empty file", code="empty_file")
    kind = picture_format(content[:16])
    if kind is None:
        raise InputError(
            f"{name}: expected a picture (PNG, JPEG, WebP, BMP, TIFF, GIF or HEIC), found {_describe(content[:16])}",
            code="unsupported_image",
        )
    named = _NAMED.get(os.path.splitext(name)[1].lower(), kind)
    remarks = (f"the name says {named}, the file is {kind}",) if named != kind else ()
    with _NO_WARNINGS:
        if kind == heif.KIND:
            image = heif.decode_heif(content, name=name, max_pixels=max_pixels)
            grey = np.ascontiguousarray(_to_grey(image, name))
            return LoadedPicture(grey, remarks, _to_colour(image) if colour else None)
        loaded = _decode(content, kind, name, max_pixels, colour)
        return loaded._replace(remarks=remarks + loaded.remarks)


def load_grey(source: Path | bytes, *, name: str | None = None, max_pixels: int = MAX_PIXELS) -> Grey:
    """The pixels alone of ``load_picture``, which see: uint8 (H, W), 0 black to 255 white.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> Image.new("L", (3, 2), 200).save(file, "PNG")
    >>> load_grey(file.getvalue(), name="dot.png").tolist()
    [[200, 200, 200], [200, 200, 200]]
    """
    return load_picture(source, name=name, max_pixels=max_pixels).grey


def grey_of_image(image: Image.Image, *, name: str = "picture", max_pixels: int = MAX_PIXELS) -> Grey:
    """A PIL image as grey, uint8 (H, W): what load_grey makes of the file that it was opened from.

    name: what errors call it. The image is left as it was, save that its pixels are loaded.
    Raises InputError where it has more pixels than ``max_pixels``, none, 32-bit pixels, or cannot be decoded.

    >>> grey_of_image(Image.new("RGBA", (2, 1), (0, 0, 0, 0))).tolist()
    [[255, 255]]
    """
    check_size(image.size, name, max_pixels)
    with _NO_WARNINGS:
        decoded = _decoded(image, name, image.format or "PIL")
        return _upright(_to_grey(decoded, name), _orientation(image)[0])


def grey_of_array(pixels: npt.NDArray[Any], *, name: str = "picture", max_pixels: int = MAX_PIXELS) -> Grey:
    """An array of one picture as grey, uint8 (H, W).

    pixels: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA; uint8 0-255, floats 0-1, or bool. The type tells the unit,
    never the values: floats above 1 are refused. Colour and transparency as for ``load_picture``.
    Raises InputError where it is anything else, or has no pixel, or more than ``max_pixels``.

    >>> grey_of_array(np.array([[0.0, 0.5, 1.0]])).tolist()
    [[0, 128, 255]]
    """
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise InputError(
            f"{name}: expected the array of one picture, (H, W), (H, W, 3) or (H, W, 4), found "
            f"{pixels.dtype} {tuple(pixels.shape)}"
        )
    check_size((pixels.shape[1], pixels.shape[0]), name, max_pixels)
    pixels = bytes_of_array(pixels, name)
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    return _to_grey(Image.fromarray(np.ascontiguousarray(pixels)), name)


def bytes_of_array(pixels: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint8]:
    """Pixels of any shape as uint8 0-255, from uint8, floats from 0 to 1, or bool: the type tells the unit.

    Raises InputError for other types and values.

    >>> bytes_of_array(np.array([True, False]), "picture").tolist()
    [255, 0]
    """
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255
    if np.issubdtype(pixels.dtype, np.floating):
        low, high = (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 0.0)
        if not 0 <= low <= high <= 1:  # NaN fails, too
            raise InputError(
                f"{name}: expected floats from 0 to 1, found {low:g} to {high:g}; divide by the value of white, or "
                "give uint8"
            )
        return np.rint(pixels.astype(np.float32) * 255).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{name}: expected pixels as uint8, bool, or floats from 0 to 1, found {pixels.dtype}; where they run "
            "from 0 to 255, give array.astype(np.uint8)"
        )
    return pixels


class _Silence:
    """Python's warnings silenced while any thread is inside.

    Pillow warns of odd metadata, which is not used, and of large pictures, which are refused by a limit of our own.
    ``warnings.catch_warnings`` alone puts back what it found, so two threads that overlap could leave the silence
    behind for good: here the first one in silences, the last one out puts back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._before.__exit__(None, None, None)


# One for the process, as the filters that it changes are.
_NO_WARNINGS = _Silence()


def _decode(content: bytes, kind: str, name: str, max_pixels: int, colour: bool) -> LoadedPicture:
    """The pixels, upright, with remarks on metadata and further frames."""
    try:
        image = Image.open(io.BytesIO(content), formats=(kind,))
    except Image.DecompressionBombError as error:
        pixels = int(next(iter(re.findall(r"\d+", str(error))), 2 * MOST_PIXELS))  # it says no more than how many
        raise too_large(name, f"{pixels:,} pixels", pixels, max_pixels) from error
    except MemoryError:
        raise  # the file is not to blame
    except Exception as error:  # broken bytes make Pillow's parsers raise nearly anything; all of it means the same
        raise damaged(name, f"{kind} picture") from error
    with image:
        check_size(image.size, name, max_pixels)
        decoded = _decoded(image, name, kind)
        if not is_whole(content, kind):  # cut off, or damaged where the decoder does not look
            raise damaged(name, f"{kind} picture")
        orientation, sound = _orientation(image)
        grey = _upright(_to_grey(decoded, name), orientation)
        colours = _to_colour(decoded) if colour else None
        remarks = [] if sound else ["its EXIF data are malformed and were ignored"]
        if _goes_on(image, kind):
            remarks.append(f"it holds several {'pages' if kind == 'TIFF' else 'frames'}, the first alone was read")
        return LoadedPicture(grey, tuple(remarks), None if colours is None else _upright(colours, orientation))


def _decoded(image: Image.Image, name: str, kind: str) -> Image.Image:
    """An opened image with its pixels, RGB or RGBA where it had a palette. Raises InputError.

    Opening reads no pixels: broken ones show themselves here, and a broken palette where it is looked up.
    """
    try:
        image.load()
        if image.mode in ("P", "PA"):
            return image.convert("RGBA" if image.has_transparency_data else "RGB")
        return image
    except MemoryError:
        raise  # as in _decode
    except Exception as error:  # likewise
        raise damaged(name, f"{kind} picture") from error


def _goes_on(image: Image.Image, kind: str) -> bool:
    """Whether another frame or page follows the first. Nothing is counted: there may be a hundred thousand."""
    if kind in ("PNG", "WEBP"):
        return int(getattr(image, "n_frames", 1)) > 1  # the header's figure
    if kind not in ("GIF", "TIFF"):
        return False
    try:
        image.seek(1)
    except Exception:  # none, or a broken one, which nobody wants
        return False
    return True


def _upright(grey: Grey, orientation: int) -> Grey:
    turn = _UPRIGHT.get(orientation)
    return np.ascontiguousarray(turn(grey) if turn else grey)


def _to_grey(image: Image.Image, name: str) -> Grey:
    """One grey channel of a decoded image: uint8 (H, W)."""
    if image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.uint32)
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            deep[deep == clear] = 65535
        return ((deep * 255 + 32767) // 65535).astype(np.uint8)
    if image.mode in ("I", "F"):
        raise InputError(
            f"{name}: expected 8 or 16 bits a pixel, found 32-bit values, whose black and white nobody can know",
            code="unsupported_image",
        )
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"), np.uint8)
    if image.has_transparency_data:
        return _laid_on_paper(image.convert("RGBA"))
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")  # CMYK, YCbCr, HSV
    if image.mode != "RGB":
        return np.asarray(image if image.mode == "L" else image.convert("L"), np.uint8)
    luma = np.asarray(image.convert("L"), np.uint8)
    hues = grey_of_hues(image, luma)
    return luma if hues is None else hues


def _laid_on_paper(image: Image.Image) -> Grey:
    """An RGBA image on white, uint8 (H, W); on black where all that can be seen of it is white, and no sheet."""
    luma = np.asarray(image.convert("RGB").convert("L")).astype(np.uint16)
    alpha = np.asarray(image.getchannel("A")).astype(np.uint16)
    on_white = (255 - ((255 - luma) * alpha + 127) // 255).astype(np.uint8)
    if on_white.min() > 255 - MIN_CONTRAST and alpha.mean() < 128:
        on_black = ((luma * alpha + 127) // 255).astype(np.uint8)
        return on_white if np.ptp(on_black) < MIN_CONTRAST else on_black
    hues = grey_of_hues(image, on_white)
    return on_white if hues is None else hues


def _to_colour(image: Image.Image) -> Colour | None:
    """Red, green and blue of a decoded image, transparency laid on white: uint8 (H, W, 3); None where it is grey."""
    if image.mode in ("1", "L", "LA", "LAB") or image.mode.startswith("I"):
        return None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"), np.uint8)


def _orientation(image: Image.Image) -> tuple[int, bool]:
    """What EXIF says of which side is up, 1 where it says nothing, and whether its data are sound."""
    given = image.info.get("exif")
    try:
        exif = image.getexif()
        orientation = int(exif.get(_ORIENTATION, 1))
    except Exception:  # malformed metadata says nothing of which side is up; the pixels are still good
        return 1, False
    empty = not exif and isinstance(given, bytes) and len(given) > _EMPTY_EXIF
    return orientation, 0 <= orientation <= 8 and not empty


def _describe(head: bytes) -> str:
    for signature, description in _OTHER_SIGNATURES:
        if head.lstrip().startswith(signature):
            return description
    if head[4:8] == b"ftyp":
        return "an AVIF picture or a video"
    return f"bytes that begin with {head[:8].hex(' ')}"


__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MOST_PIXELS",
    "Colour",
    "LoadedPicture",
    "bytes_of_array",
    "grey_of_array",
    "grey_of_image",
    "load_grey",
    "load_picture",
    "picture_format",
]
