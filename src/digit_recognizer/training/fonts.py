"""Installed fonts become pictures of characters: digits, and letters and signs that are none.

Which faces draw digits as digits is measured, not taken from names alone. Knows nothing of frames or training.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from digit_recognizer.digits import CLASSES
from digit_recognizer.errors import FileError, UsageError
from digit_recognizer.sources.sample import raw_sample

DIGITS = "0123456789"

# A single character has neither size nor neighbours once it fills the frame, so case, height and position tell nothing:
# o is O, a straight apostrophe is a bar, a curly one a 9. These are no fair examples of either side.
AMBIGUOUS = (
    "OoQDОоΟοØøΘθΦφФф∅°º"  # 0: a ring, also slashed, dotted or with a tail, as zeros are in many faces and hands
    "Iijl|!¡¦/\\'`´ıІіΙι[]{}"  # 1: a bar, upright or leaning, with or without a dot, hook or serifs
    "Zz"  # 2
    "ЗзЭэ"  # 3, angular or with a bar
    "Чч"  # 4, open
    "Ss"  # 5
    "bGбЬьσδ"  # 6: a bowl at the foot of a stroke
    "BßβВв"  # 8: two bowls at a stem, with which 8 is drawn by some
    "gq,‘’‚"  # 9: a bowl at the head of a stroke; two-storey g is an 8
)
OTHERS = (
    "ACEFHJKLMNPRTUVWXYacdefhkmnprtuvwxy"
    "ΓΔΛΞΠΣΨΩαπωψ"
    "ДЖИЙЛПЦШЩЫЮЯжишюя"
    "ÄÅÆÇÉÑàäåæçèéêëñÿ"
    '+-=×÷±<>≤≥≠≈~^_%‰#&@*?¿():;."«»…–—§¶†€$£¥¢©®™√∑∫∞'
    "✓✗✔✘←↑→↓↔▲▼◆■★♥♪"
)

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_MAX_INDEX = 64  # faces in one collection
_MAX_HEIGHT = 1024
_PROBE = 200  # points at which a face's digits are measured
_COMPARED = 48  # pixels, their height when they are compared
_ABSENT = ("\U0010fffe", "\u0378")  # never assigned: whatever a face draws here is its picture for what it lacks
_WIDEST = 4  # times the height; wider ones are ligatures and ornaments
# Families whose digits are pictograms, or stand in boxes, on ruled lines or in smiles: what measuring alone lets
# through, and what need not be measured; by words in the family's name.
_NO_DIGITS = (
    "abecedario_", "awesome", "barcode", "braille", "circled", "code128", "code39", "dingbat", "emoji", "ferrite",
    "glyphicon", "icon", "keyboard", "lignes", "music", "opensymbol", "oraeorae", "ornament", "segoe mdl", "seggchan",
    "symbol", "webding", "wingding",
)  # fmt: skip
# Of ten digits, how many must look most like their own kind. Of 1,252 faces looked at, those with fewer drew
# pictograms, boxes and fragments (and three ornate scripts), those with more drew digits.
_AGREEING = 4
_BOX = (32, 24)  # pixels, height and width, that digits are stretched to for comparison: condensed ones are digits too
_BLUR = 2.5  # pixels in that box; forgives where exactly a stroke runs

_Grey = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, order=True)
class FontFace:
    """One face of a font file, ordered by names before places.

    family, style: as the font names itself ("DejaVu Sans", "Bold Oblique"). path: the file. index: the face's number in
    a collection, else 0.
    """

    family: str
    style: str
    path: Path
    index: int = 0


def find_fonts(folders: Sequence[Path] | None = None) -> list[FontFace]:
    """Find the font faces in ``folders`` and below, by family and style; of equal ones the first file's.

    folders: where to look; left out, where this system keeps fonts. Files that FreeType cannot scale are passed over.
    Raises FileError where a named folder is not there.

    >>> find_fonts([Path("/usr/share/fonts")])                                    # doctest: +SKIP
    [FontFace(family='3270', style='Condensed', path=PosixPath('/usr/share/fonts/...
    """
    if folders is None:
        folders = [folder for folder in _platform_folders() if folder.is_dir()]
    for folder in folders:
        if not Path(folder).is_dir():
            raise FileError(f"{folder}: expected a folder of fonts, found none", code="missing")
    faces = sorted(face for folder in folders for path in _font_files(Path(folder)) for face in _faces(path))
    first = {(face.family.lower(), face.style.lower()): face for face in reversed(faces)}
    return sorted(first.values())


def render(face: FontFace, character: str, height: int) -> _Grey | None:
    """Draw one character: uint8 (h, w), cropped to its ink, ink bright on black, edges smooth.

    height: pixels of the face's tallest digit, 4-1024; letters and signs keep their size beside it.
    Returns None where the face lacks the character, draws nothing for it, or more than four times ``height`` across.
    Raises UsageError where ``height`` is out of range or ``character`` is not one, FileError where the font is gone.

    >>> render(FontFace("DejaVu Sans", "Book", Path("DejaVuSans.ttf")), "7", 40).shape       # doctest: +SKIP
    (40, 26)
    """
    if not 4 <= height <= _MAX_HEIGHT:
        raise UsageError(f"height: expected 4 to {_MAX_HEIGHT} pixels, found {height}")
    if len(character) != 1:
        raise UsageError(f"expected one character, found {character!r}")
    font = _sized(face.path, face.index, height)
    picture = None if font is None else _picture(font, character)
    if font is None or picture is None or max(picture.shape) > _WIDEST * height:
        return None
    for code in _ABSENT:
        absent = _picture(font, code)
        if absent is not None and np.array_equal(absent, picture):
            return None
    return picture


def usable_for_digits(face: FontFace) -> bool:
    """Whether the face draws the ten digits as such: all there, all different, enough of them like known digits.

    Each is compared with the embedded handwritten sample (sources/sample.py) and with the face inside Pillow, upright
    and slanted, thin and bold. Faces of pictograms, inverted boxes or fragments agree with 0 to 3 digits, plain ones
    with 8 or more, seven-segment displays and wild hands with 4 to 8.

    >>> [face for face in find_fonts() if usable_for_digits(face)]                # doctest: +SKIP
    """
    if any(word in face.family.lower() for word in _NO_DIGITS):
        return False
    drawn = [render(face, digit, _COMPARED) for digit in DIGITS]
    pictures = [picture for picture in drawn if picture is not None]
    if len(pictures) < CLASSES or len({(picture.shape, picture.tobytes()) for picture in pictures}) < CLASSES:
        return False
    known, labels = _known_digits()
    alike = _vectors(pictures) @ known.T
    nearest = np.stack([alike[:, labels == digit].max(axis=1) for digit in range(CLASSES)], axis=1).argmax(axis=1)
    return int((nearest == np.arange(CLASSES)).sum()) >= _AGREEING


def split_faces(faces: Sequence[FontFace], share: float, seed: int) -> tuple[list[FontFace], list[FontFace]]:
    """Split into (training, held out), so that no design is on both sides; each in the order given.

    Faces stay together where their families share the first word ("DejaVu Sans", "DejaVu Serif").
    share: of the groups to hold out, 0-1. seed: same faces and seed, same split, in whichever folders they lie.
    Raises UsageError where one side would be empty.

    >>> faces = [FontFace(name, "Regular", Path(name)) for name in ("Noto Sans", "Noto Mono", "Lato", "Jura")]
    >>> [len(side) for side in split_faces(faces, 0.3, seed=0)]                   # doctest: +SKIP
    [3, 1]
    """
    groups = sorted({_group(face) for face in faces})
    size = round(share * len(groups))
    if not 0 < size < len(groups):
        raise UsageError(f"a share of {share:g} of {len(groups)} groups of fonts leaves one side empty")
    order = np.random.default_rng(seed).permutation(len(groups))
    held_out = {groups[i] for i in order[:size]}
    return [f for f in faces if _group(f) not in held_out], [f for f in faces if _group(f) in held_out]


def by_family(faces: Sequence[FontFace]) -> list[list[FontFace]]:
    """The faces of each family, in the order given: some have fifty.

    >>> faces = [FontFace("Lato", style, Path("Lato.ttf")) for style in ("Bold", "Thin")]
    >>> [len(family) for family in by_family(faces)]
    [2]
    """
    families: dict[str, list[FontFace]] = {}
    for face in faces:
        families.setdefault(face.family, []).append(face)
    return list(families.values())


def any_face(families: Sequence[Sequence[FontFace]], rng: np.random.Generator) -> FontFace:
    """A family at random, then one of its styles. families: as ``by_family`` gives them, at least one."""
    family = families[int(rng.integers(len(families)))]
    return family[int(rng.integers(len(family)))]


def _group(face: FontFace) -> str:
    return face.family.lower().split()[0]


def _platform_folders() -> list[Path]:
    home = Path(os.path.expanduser("~"))  # Path.home() raises where the user has none
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home / "AppData/Local"))
        return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts", Path(local) / "Microsoft/Windows/Fonts"]
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts", home / ".fonts"]


def _font_files(folder: Path) -> Iterator[Path]:
    for place, _, files in os.walk(folder):
        yield from (Path(place, name) for name in files if name.lower().endswith(_SUFFIXES))


def _faces(path: Path) -> Iterator[FontFace]:
    """The faces in one file that FreeType can open and scale; none where it is broken."""
    indices = range(_MAX_INDEX) if path.suffix.lower() in (".ttc", ".otc") else range(1)
    for index in indices:
        try:
            font = ImageFont.truetype(path, _PROBE, index, layout_engine=ImageFont.Layout.BASIC)
        except (OSError, ValueError):  # not a font, a damaged one, bitmaps of other sizes; past the last face
            return
        family, style = font.getname()
        if family and family.strip():
            yield FontFace(family.strip(), (style or "Regular").strip(), path, index)


@lru_cache(maxsize=32)
def _sized(path: Path, index: int, height: int) -> ImageFont.FreeTypeFont | None:
    """The face at the size at which its tallest digit (or H, where it has none) is ``height`` pixels tall."""
    try:
        probe = ImageFont.truetype(path, _PROBE, index, layout_engine=ImageFont.Layout.BASIC)
        heights = [len(picture) for text in (*DIGITS, "H") if (picture := _picture(probe, text)) is not None]
        if not heights:
            return None
        tallest = max(heights[:CLASSES])
        return ImageFont.truetype(path, _PROBE * height / tallest, index, layout_engine=ImageFont.Layout.BASIC)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read as a font ({error})") from error


def _picture(font: ImageFont.FreeTypeFont, character: str) -> _Grey | None:
    """What the font draws, cropped to its ink: uint8 (h, w); None where that is nothing, or fails."""
    try:
        ink = _drawn(font, character)
    except (OSError, ValueError):  # a broken outline
        return None
    return _cropped(ink) if ink.any() else None


def _drawn(font: ImageFont.FreeTypeFont, character: str) -> _Grey:
    mask = font.getmask(character, mode="L")
    width, height = mask.size
    return np.array(mask, np.uint8).reshape(height, width)


def _cropped(ink: _Grey) -> _Grey:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@lru_cache(maxsize=1)
def _known_digits() -> tuple[_Floats, npt.NDArray[np.int64]]:
    """What digits look like: vectors float32 (N, 768) and labels (N,), from the sample and from Pillow's own face."""
    coarse, labels = raw_sample()
    fine = [cv2.resize(np.uint8(15) * image, (48, 48), interpolation=cv2.INTER_CUBIC) for image in coarse]
    pictures = [_cropped(np.where(picture > 40, picture, 0).astype(np.uint8)) for picture in fine]
    face = ImageFont.load_default(_PROBE)
    if isinstance(face, ImageFont.FreeTypeFont):
        for digit in DIGITS:
            upright = np.pad(_drawn(face, digit), _PROBE // 2)
            height, width = upright.shape
            for slant in (-0.1, 0.1, 0.3):
                shear = np.array([[1, -slant, slant * height / 2], [0, 1, 0]], np.float32)
                slanted = cv2.warpAffine(upright, shear, (width, height))
                kernel = np.ones((_PROBE // 14, _PROBE // 14), np.uint8)
                variants = (cv2.erode(slanted, kernel), slanted, cv2.dilate(slanted, kernel))
                pictures += [_cropped(np.asarray(variant, np.uint8)) for variant in variants]
        labels = np.concatenate([labels, np.repeat(np.arange(CLASSES), (len(pictures) - len(labels)) // CLASSES)])
    return _vectors(pictures), labels


def _vectors(pictures: Sequence[_Grey]) -> _Floats:
    """Pictures stretched to one box, blurred, and of equal length: a product of two is their correlation."""
    height, width = _BOX
    boxes = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    blurred = [cv2.GaussianBlur(box, (0, 0), _BLUR, borderType=cv2.BORDER_CONSTANT) for box in boxes]
    vectors = np.stack(blurred).reshape(len(pictures), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


__all__ = [
    "AMBIGUOUS",
    "DIGITS",
    "OTHERS",
    "FontFace",
    "any_face",
    "by_family",
    "find_fonts",
    "render",
    "split_faces",
    "usable_for_digits",
]
