"""Whatever a person hands over (path, folder, pattern, bytes, image, array, or many of them) becomes single pictures.

Finds and names them, one after the other, and opens each only when asked. Knows nothing of models.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import DigitsError, FileError, InputError
from digit_recognizer.files import read_bytes, refuse_no_path
from digit_recognizer.foreign import as_array
from digit_recognizer.pictures import pdf
from digit_recognizer.pictures.framed import frame_images
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import (
    MAX_BYTES,
    MAX_PIXELS,
    Grey,
    LoadedPicture,
    grey_of_array,
    grey_of_image,
    load_picture,
    picture_format,
)

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif")

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_EXPECTED = "a path, a folder, a pattern such as 'scans/*.png', bytes, a PIL image, an array, or a list of these"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture, not opened yet.

    name: its path as it was given, or its number counted from 1 where it has none; of a page of a PDF, "form.pdf#2".
    source: where its pixels are, or the error that stands in the place of pictures which cannot be found. max_pixels:
    cap on width times height. tell: is told, in sentences, what a person should know of the file that was opened.
    """

    name: str
    source: Path | bytes | Image.Image | npt.NDArray[Any] | pdf.PdfPage | DigitsError
    max_pixels: int = MAX_PIXELS
    tell: Callable[[str], object] | None = None

    def load(self, *, colour: bool = False) -> LoadedPicture:
        """Its pixels, and what a person should know of them. Raises InputError or FileError, naming the picture.

        colour: keep the colours of a file, too.
        """
        if isinstance(self.source, DigitsError):
            raise self.source
        if isinstance(self.source, Path):
            return load_picture(self.source, name=self.name, max_pixels=self.max_pixels, colour=colour)
        name = f"picture {self.name}" if self.name.isdecimal() else self.name
        if isinstance(self.source, bytes):
            return load_picture(self.source, name=name, max_pixels=self.max_pixels, colour=colour)
        if isinstance(self.source, pdf.PdfPage):
            return LoadedPicture(self.source.grey(name=name, max_pixels=self.max_pixels))
        if isinstance(self.source, np.ndarray):
            return LoadedPicture(grey_of_array(self.source, name=name, max_pixels=self.max_pixels))
        return LoadedPicture(grey_of_image(self.source, name=name, max_pixels=self.max_pixels))

    def grey(self) -> Grey:
        """Its pixels, uint8 (H, W). Raises InputError or FileError, naming the picture."""
        loaded = self.load()
        if self.tell is not None:
            for remark in loaded.remarks:
                self.tell(f"{self.name}: {remark}")
        return loaded.grey

    def frame(self) -> Images:
        """Its digit in MNIST's frame, uint8 (28, 28). An array that is framed already is left as it is."""
        grey = self.grey()
        if isinstance(self.source, np.ndarray) and grey.shape == (SIDE, SIDE):
            framed: Images = frame_images(grey[None])[0]
            return framed
        return to_frame(grey)


def is_one(source: object, *, documents: bool = False) -> bool:
    """Whether ``source`` names a single picture: a file, bytes, an image, one array; not a folder, pattern or list.

    documents: whether a PDF counts as its pages; it is many then, even if it has but one.

    >>> is_one(np.zeros((40, 30), np.uint8)), is_one("scans/*.png")
    (True, False)
    """
    if isinstance(source, Picture):
        return is_one(source.source, documents=documents)
    if isinstance(source, str | os.PathLike):
        path = _path(source)
        if path is None or source == "" or _is_address(source):
            return True
        return not (os.path.isdir(path) or _is_pattern(path) or (documents and pdf.is_pdf(path)))
    source = as_array(source)
    if isinstance(source, np.ndarray):
        return not _is_stack(source)
    if documents and isinstance(source, bytes | bytearray | memoryview) and pdf.is_pdf(bytes(source[:16])):
        return False
    return isinstance(source, bytes | bytearray | memoryview | Image.Image) or not isinstance(source, Iterable)


def collect(source: Any, *, documents: bool = False) -> Iterator[Picture]:
    """The pictures that ``source`` stands for, found one by one as they are asked for.

    source: a path; a folder, with all below it in natural order ("2.png" before "10.png"), hidden files and linked
    folders passed over; a pattern with ``*``, ``?``, ``[...]`` or ``**``; bytes of a file; a PIL image; an array of
    one picture, or uint8 (N, 28, 28) of N; a Picture, which brings a name of its own; or any iterable of these. A file
    is taken as it is named, of a folder or a pattern the pictures alone.
    documents: take a PDF for its pages, named "form.pdf#1" and so on, which are rendered one by one as they are opened;
    "form.pdf#2" is that page alone. Left out, a PDF is no picture.
    What cannot be found or read, a folder for one, or is none of these becomes a Picture that raises when it is opened;
    so one of many cannot spoil the rest.

    >>> [picture.name for picture in collect([np.zeros((9, 9), np.uint8), b"GIF89a"])]
    ['1', '2']
    """
    source = as_array(source)
    given = source if _is_list(source) else [source]
    number = 0
    for item in given:
        for picture in _expand(item, number + 1, documents):
            number += 1
            yield from _pages(picture) if documents else (picture,)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort names by as people count: "2.png" before "10.png", runs of digits as numbers.

    >>> sorted(["10.png", "2.png"], key=natural)
    ['2.png', '10.png']
    """
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name.lower()) if part
    ] + [(2, 0, name)]


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is nobody's picture: hidden, or what macOS adds to zip files."""
    return name.startswith(".") or name == "__MACOSX"


def looks_like_picture(path: Path) -> bool:
    """Whether the name says so (a damaged one must be named, not passed over), or else the first bytes.

    Raises OSError where a file without a suffix cannot be read.
    """
    if is_hidden(path.name):
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as stream:
        return picture_format(stream.read(16)) is not None


def _is_list(source: object) -> bool:
    single = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, np.ndarray, Mapping)
    return isinstance(source, Iterable) and not isinstance(source, single) and not hasattr(source, "read")


def _is_stack(array: npt.NDArray[Any]) -> bool:
    return array.ndim == 3 and array.shape[1:] == (SIDE, SIDE)


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.exists(path)


def _is_address(source: str | os.PathLike[Any]) -> bool:
    return _ADDRESS.match(str(source)) is not None and not os.path.exists(source)


def _path(source: str | os.PathLike[Any]) -> Path | None:
    """The path, or None where it cannot be one: bytes, or a NUL character inside."""
    text = os.fspath(source)
    return Path(text) if isinstance(text, str) and "\0" not in text else None


def _expand(item: Any, number: int, documents: bool) -> Iterator[Picture]:
    try:
        item = as_array(item)
    except InputError as error:
        yield Picture(str(number), InputError(f"picture {number}: {error}"))
        return
    if isinstance(item, Picture):
        yield item
    elif isinstance(item, str | os.PathLike):
        yield from _from_path(item, documents)
    elif isinstance(item, bytes | bytearray | memoryview):
        yield Picture(str(number), bytes(item))
    elif isinstance(item, np.ndarray) and _is_stack(item):
        for offset, image in enumerate(item):
            yield Picture(str(number + offset), image)
    elif isinstance(item, Image.Image | np.ndarray):
        yield Picture(str(number), item)
    else:
        found = f"found {type(item).__name__}"
        hint = "; give its bytes: file.read()" if hasattr(item, "read") else ""
        yield Picture(str(number), InputError(f"picture {number}: expected {_EXPECTED}, {found}{hint}"))


def _pages(picture: Picture) -> Iterator[Picture]:
    """The pages of a PDF, or the picture itself where it is none."""
    source = picture.source
    if not isinstance(source, Path | bytes):
        yield picture
        return
    named = pdf.page_of_name(str(source)) if isinstance(source, Path) and not os.path.exists(source) else None
    path = Path(named[0]) if named else source
    if not pdf.is_pdf(path):
        yield picture
        return
    try:
        content = read_bytes(path, limit=MAX_BYTES) if isinstance(path, Path) else path
        numbers = [named[1]] if named else range(1, 1 + pdf.count_pages(content, name=picture.name))
    except DigitsError as error:
        yield replace(picture, source=error)
        return
    for number in numbers:
        name = picture.name if named else f"{picture.name}#{number}"
        yield replace(picture, name=name, source=pdf.PdfPage(content, number))


def _from_path(source: str | os.PathLike[Any], documents: bool) -> Iterator[Picture]:
    path = _path(source)
    try:
        refuse_no_path(source)
    except FileError as error:
        yield Picture(repr(source), error)
        return
    if path is None:
        name = repr(os.fspath(source))
        yield Picture(name, FileError(f"{name}: expected a path as text, without a NUL character"))
    elif _is_address(source):
        name = _name(os.fspath(source))
        yield Picture(name, FileError(f"{name}: addresses are not fetched; give the file itself, or its bytes"))
    elif os.path.isdir(path):
        yield from _from_folder(path, documents)
    elif _is_pattern(path):
        yield from _from_pattern(path, documents)
    else:
        yield Picture(_name(os.fspath(source)), path)


def _from_folder(folder: Path, documents: bool) -> Iterator[Picture]:
    empty = True
    for picture in _walk(folder, documents):
        empty = False
        yield picture
    if empty:
        yield _nothing(folder)


def _from_pattern(pattern: Path, documents: bool) -> Iterator[Picture]:
    empty = True
    for name in sorted(glob.iglob(str(pattern), recursive=True), key=natural):
        path = Path(name)
        for picture in _matched(path, documents, walks="**" in pattern.parts):
            empty = False
            yield picture
    if empty:
        yield _nothing(pattern)


def _matched(path: Path, documents: bool, *, walks: bool) -> Iterator[Picture]:
    """What a path stands for that a pattern names. walks: whether the pattern goes through folders by itself.

    What another pattern names is taken with all below it. Links to nowhere, pipes and devices are passed over.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        yield _unreadable(path, error)
        return
    if stat.S_ISDIR(mode) and not walks:
        yield from _from_folder(path, documents)
    elif stat.S_ISREG(mode):
        yield from _if_wanted(path, documents)


def _if_wanted(path: Path, documents: bool) -> Iterator[Picture]:
    """The file as a picture, or nothing; where that cannot be told, an error in its place."""
    try:
        wanted = _is_wanted(path, documents)
    except OSError as error:
        yield _unreadable(path, error)
        return
    if wanted:
        yield Picture(_name(str(path)), path)


def _is_wanted(path: Path, documents: bool) -> bool:
    as_document = documents and path.suffix.lower() == pdf.SUFFIX and not is_hidden(path.name)
    return as_document or looks_like_picture(path)


def _nothing(where: Path) -> Picture:
    name = _name(str(where))
    return Picture(
        name, InputError(f"{name}: expected pictures ({', '.join(SUFFIXES)}), found none", code="no_pictures")
    )


def _unreadable(path: Path, error: OSError) -> Picture:
    name = _name(str(path))
    return Picture(name, FileError(f"{name}: cannot be read ({error.strerror or error})"))


def _walk(folder: Path, documents: bool) -> Iterator[Picture]:
    """Every picture below ``folder``, files before folders, each in natural order; an error for what cannot be read."""
    try:
        with os.scandir(folder) as found:
            visible = (entry for entry in found if not is_hidden(entry.name))
            entries = sorted(visible, key=lambda entry: natural(entry.name))
    except OSError as error:
        yield _unreadable(folder, error)
        return
    for entry in entries:
        if not _is_folder(entry, follow=True):
            yield from _if_wanted(folder / entry.name, documents)
    for entry in entries:
        if _is_folder(entry, follow=False):
            yield from _walk(folder / entry.name, documents)


def _is_folder(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # a link that leads in a circle, or to where nobody may look
        return False


def _name(path: str) -> str:
    # A name that is not UTF-8 must not stop the CSV in which it stands.
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


__all__ = ["SUFFIXES", "Picture", "collect", "is_hidden", "is_one", "looks_like_picture", "natural"]
