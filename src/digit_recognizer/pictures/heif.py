"""A HEIC photo, as phones take them, becomes a PIL image, upright. Needs the extra ``heif``.

libheif decodes it, by way of pi-heif. Knows nothing of grey, nor of any other format.
"""

from __future__ import annotations

from PIL import Image

from digit_recognizer.pictures.refusals import check_size, damaged, needs_extra

KIND = "HEIF"

# The "major brand" of the ISO base media file format (ISO/IEC 23008-12): HEVC still images and bursts of them.
_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})


def is_heif(head: bytes) -> bool:
    """Whether a file's first 12 bytes announce HEIF or HEIC.

    >>> is_heif(bytes([0, 0, 0, 24]) + b"ftypheic"), is_heif(bytes([0, 0, 0, 24]) + b"ftypmp42")
    (True, False)
    """
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS


def decode_heif(content: bytes, *, name: str, max_pixels: int) -> Image.Image:
    """Decode the primary picture of a HEIF file: a PIL image of 8 bits a channel, turned as the file says.

    content: the whole file. name: what errors call it. max_pixels: checked before decoding.
    Raises InputError: ``unsupported_image`` without the extra, ``too_many_pixels``, ``truncated_image``.

    >>> decode_heif(photo.read_bytes(), name="photo.heic", max_pixels=40_000_000)      # doctest: +SKIP
    <PIL.Image.Image image mode=RGB size=3024x4032>
    """
    try:
        import pi_heif
    except ModuleNotFoundError as error:
        raise needs_extra("heif", name, "a HEIC photo") from error
    # What pi-heif documents that its calls raise where a file is broken.
    broken = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError)
    try:
        file = pi_heif.open_heif(content, convert_hdr_to_8bit=True)
        size = file.size
    except broken as error:
        raise damaged(name, "HEIF picture") from error
    check_size(size, name, max_pixels)
    try:
        image: Image.Image = file.to_pillow()
    except broken as error:
        raise damaged(name, "HEIF picture") from error
    return image


__all__ = ["KIND", "decode_heif", "is_heif"]
