"""What is wrong with a picture becomes the one error that every decoder answers with. Opens nothing itself."""

from __future__ import annotations

from digit_recognizer.errors import InputError, MissingExtra, TooManyPixels


def check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Refuse a picture of no pixels or of more than ``max_pixels``. size: (width, height). Raises InputError.

    >>> check_size((40, 30), "small.png", 1_200)
    """
    width, height = size
    if not width * height:
        raise InputError(f"{name}: expected a picture, found {width} × {height} pixels", code="empty_file")
    if width * height > max_pixels:
        raise too_large(name, f"{width:,} × {height:,} pixels", width * height, max_pixels)


def damaged(name: str, kind: str) -> InputError:
    """The error of a file that is cut off or broken. kind: what it would be, "PNG picture".

    >>> str(damaged("a.png", "PNG picture"))
    'a.png: expected a whole PNG picture, found one that is truncated or damaged'
    """
    return InputError(
        f"{name}: expected a whole {kind}, found one that is truncated or damaged", code="truncated_image"
    )


def too_large(name: str, found: str, pixels: int, max_pixels: int) -> TooManyPixels:
    """The error of a picture over the limit. found: how large it is, in words. pixels: how many it has.

    >>> too_large("a.png", "9 × 9 pixels", 81, 80).code
    'too_many_pixels'
    """
    return TooManyPixels(
        f"{name}: {found}, more than the limit of {max_pixels:,}; make the picture smaller", pixels=pixels
    )


def needs_extra(extra: str, name: str, what: str) -> InputError:
    """The error of a picture whose decoder is not installed: of this one picture, so that others can go on.

    >>> str(needs_extra("heif", "a.heic", "a HEIC photo"))
    'a.heic: reading a HEIC photo needs an extra: pip install "digit-recognizer[heif]"'
    """
    return InputError(str(MissingExtra(extra, f"{name}: reading {what}")), code="unsupported_image")


__all__ = ["check_size", "damaged", "needs_extra", "too_large"]
