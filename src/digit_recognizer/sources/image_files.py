"""A folder of pictures, by class or flat, becomes Digits: each through pictures/load and pictures/ink.

Knows nothing of pixels or framing, only of which file is which digit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digit_recognizer.digits import CLASSES, Dataset, Digits
from digit_recognizer.errors import DigitsError, FileError, InputError
from digit_recognizer.pictures.collect import SUFFIXES, is_hidden, looks_like_picture, natural
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import load_grey

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# What folders are called, in lower case and without _, - and blanks: trainingSet, test_set, digit_7.
_TRAIN = ("train", "training", "trainset", "trainingset")
_VALIDATION = ("val", "valid", "validation", "validset", "validationset")
_TEST = ("test", "testing", "testset", "testingset")
_CLASSES = {name: digit for digit in range(CLASSES) for name in (str(digit), f"digit{digit}", WORDS[digit])}
_NAMED = 5  # how many bad files a message lists
_NOBODYS = ("thumbs.db", "desktop.ini")  # what Windows adds to folders


@dataclass(frozen=True)
class Picture:
    """One picture file. path: the file. name: its path from the root, with "/". label: 0-9, or None."""

    path: Path
    name: str
    label: int | None


@dataclass(frozen=True)
class PictureFolder:
    """What lies in a folder: pictures to learn from, to predict, to judge by, and the names of all else."""

    train: tuple[Picture, ...]
    test: tuple[Picture, ...]
    ignored: tuple[str, ...]
    validation: tuple[Picture, ...] = ()


def read_image_folder(folder: Path) -> Dataset:
    """Read a folder of pictures of one digit each, framed as MNIST's are.

    folder: ``<0-9>/*`` (the training part), or ``train/<0-9>/*`` with ``test/<0-9>/*`` or ``test/*`` and, labelled,
    ``val/<0-9>/*``, or pictures without class folders (an unlabelled test part). ``digit_7`` and ``seven`` are 7, and
    ``trainingSet`` is ``train``. Names are paths from the folder, in natural order. The Dataset's ``unread`` names what
    is no part of that, hidden files aside.
    Raises InputError as list_pictures does, and where pictures cannot be read: every one is counted, the first five
    are named with their reasons, and none is left out silently.

    >>> read_image_folder(Path("scans"))                                          # doctest: +SKIP
    Dataset(name='scans', train=Digits(120 images, labelled), test=None)
    """
    found = list_pictures(folder)
    return Dataset(
        Path(folder).name,
        _read(found.train),
        _read(found.test),
        validation=_read(found.validation),
        unread=tuple(_unread(Path(folder), found.ignored)),
    )


def list_pictures(folder: Path) -> PictureFolder:
    """Find the pictures in a folder, and the digit that each one's class folder says it is.

    Hidden files and files that are no pictures (by suffix and by first bytes) are ignored and listed; linked folders
    are not followed. Raises InputError where there is no picture, where a class folder is not named 0 to 9, or where
    pictures lie beside class folders, so that nobody can tell what they are; FileError where a folder cannot be read.

    >>> list_pictures(Path("scans")).ignored                                      # doctest: +SKIP
    ('.DS_Store',)
    """
    try:
        return _list(Path(folder))
    except OSError as error:
        raise FileError(f"{error.filename or folder}: cannot be read ({error.strerror or error})") from error


def holds_labels(folder: Path) -> bool:
    """Whether a folder says which digits its pictures show, or which are to learn from: by folders 0 to 9, train, test.

    Words as ``seven`` say so only where all its folders are classes: they are names for anything.

    >>> holds_labels(Path("scans"))                                               # doctest: +SKIP
    False
    """
    try:
        below = {path.name for path in Path(folder).iterdir() if path.is_dir() and not is_hidden(path.name)}
    except OSError as error:
        raise FileError(f"{folder}: cannot be read ({error.strerror or error})") from error
    return _are_classes(below) or not {_plain(name) for name in below}.isdisjoint({*_TRAIN, *_TEST})


def _list(root: Path) -> PictureFolder:
    ignored: list[str] = []
    folders = {_plain(path.name): path for path in _subfolders(root, root, ignored=[])}
    train_root, validation_root, test_root = (
        next((folders[name] for name in names if name in folders), None) for names in (_TRAIN, _VALIDATION, _TEST)
    )
    validation: list[Picture] = []
    if train_root or test_root:
        used = {path for path in (train_root, test_root, train_root and validation_root) if path}
        others = [path.name for path in _subfolders(root, root, ignored) if path not in used]
        ignored += [f"{name}/" for name in others]
        ignored += [path.name for path in _files(root)]
        train = _labelled(train_root, root, ignored) if train_root else []
        if train_root and not train:
            raise InputError(f"{root.name}/{train_root.name}: expected class folders 0 to 9 with pictures, found none")
        validation = _labelled(validation_root, root, ignored) if train_root and validation_root else []
        test = _labelled_or_flat(test_root, root, ignored) if test_root else []
    else:
        pictures = _labelled_or_flat(root, root, ignored)
        labelled = bool(pictures) and pictures[0].label is not None
        train, test = (pictures, []) if labelled else ([], pictures)
    if not train and not test:
        raise InputError(f"{root.name}: expected pictures ({', '.join(SUFFIXES)}), found none", code="no_pictures")
    return PictureFolder(tuple(train), tuple(test), tuple(sorted(ignored, key=natural)), tuple(validation))


def _plain(name: str) -> str:
    """A folder's name as _TRAIN and _CLASSES have it."""
    return re.sub(r"[ _-]", "", name.lower())


def _are_classes(names: Collection[str]) -> bool:
    """Whether folders of these names are classes: one that names a digit says so, words only all together."""
    plain = {_plain(name) for name in names}
    return not plain.isdisjoint(_CLASSES.keys() - set(WORDS)) or (bool(plain) and plain <= _CLASSES.keys())


def _unread(root: Path, ignored: Iterable[str]) -> Iterable[str]:
    """What of that which is not read a person should know of; a folder with the number of pictures in it."""
    for name in ignored:
        path = root / name
        if any(is_hidden(part) for part in Path(name).parts) or path.name.lower() in _NOBODYS:
            continue
        if not name.endswith("/"):
            yield name
        elif path.is_symlink():
            yield f"{name} (a link)"
        else:
            count = sum(looks_like_picture(file) for file in path.rglob("*"))
            yield f"{name} ({count:,} picture{'' if count == 1 else 's'})"


def _labelled_or_flat(folder: Path, root: Path, ignored: list[str]) -> list[Picture]:
    by_class = _are_classes({path.name for path in _subfolders(folder, root, ignored=[])})
    at_top = any(looks_like_picture(path) for path in _files(folder))
    if by_class or not at_top:
        return _labelled(folder, root, ignored)
    return _pictures(folder, root, None, ignored)


def _labelled(folder: Path, root: Path, ignored: list[str]) -> list[Picture]:
    """The pictures in ``folder``'s class folders, class by class."""
    result = []
    for place in _subfolders(folder, root, ignored):
        label = _CLASSES.get(_plain(place.name))
        if label is None:
            where = _name(folder, root) or root.name
            raise InputError(
                f"{where}: expected class folders named 0 to 9, found '{place.name}' (digit_7 and seven will do, too)",
                code="unknown_class",
            )
        if place.is_symlink():
            raise InputError(f"{_name(place, root)}: this class folder is a link, which is not followed")
        result += _pictures(place, root, label, ignored)
    for path in _files(folder):
        if looks_like_picture(path):
            raise InputError(f"{_name(path, root)}: this picture lies beside the class folders; which digit is it?")
        ignored.append(_name(path, root))
    return result


def _pictures(folder: Path, root: Path, label: int | None, ignored: list[str]) -> list[Picture]:
    """Every picture below ``folder``, in natural order of its name."""
    result = []
    for place, folders, files in os.walk(folder, onerror=_raise, followlinks=False):
        ignored += [f"{_name(Path(place, name), root)}/" for name in folders if Path(place, name).is_symlink()]
        folders[:] = [name for name in folders if not is_hidden(name)]
        for path in (Path(place, name) for name in files):
            if looks_like_picture(path):
                result.append(Picture(path, _name(path, root), label))
            else:
                ignored.append(_name(path, root))
    return sorted(result, key=lambda picture: natural(picture.name))


def _raise(error: OSError) -> None:
    raise error  # os.walk would pass over a folder that it may not read


def _subfolders(folder: Path, root: Path, ignored: list[str]) -> list[Path]:
    found = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: natural(path.name))
    ignored += [f"{_name(path, root)}/" for path in found if is_hidden(path.name)]
    return [path for path in found if not is_hidden(path.name)]


def _files(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if not path.is_dir()), key=lambda path: natural(path.name))


def _name(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else relative


def _read(pictures: Iterable[Picture]) -> Digits | None:
    pictures = list(pictures)
    if not pictures:
        return None
    frames, problems = [], []
    for picture in pictures:
        try:
            frames.append(to_frame(load_grey(picture.path, name=picture.name)))
        except DigitsError as error:  # gathered, so that a person mends all of them at once
            problems.append(error)
    if len(problems) == 1:
        raise InputError(str(problems[0]), code=problems[0].code) from problems[0]
    if problems:
        reasons = "; ".join(str(problem) for problem in problems[:_NAMED])
        more = f"; and {len(problems) - _NAMED:,} more" if len(problems) > _NAMED else ""
        raise InputError(
            f"{len(problems):,} of {len(pictures):,} pictures cannot be read: {reasons}{more}", code="bad_pictures"
        ) from problems[0]
    labels = [picture.label for picture in pictures if picture.label is not None]
    return Digits(
        np.stack(frames),
        np.array(labels, np.int64) if len(labels) == len(pictures) else None,
        tuple(picture.name for picture in pictures),
    )


__all__ = ["SUFFIXES", "WORDS", "Picture", "PictureFolder", "holds_labels", "list_pictures", "read_image_folder"]
