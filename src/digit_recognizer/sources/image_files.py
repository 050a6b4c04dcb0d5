"""A folder of pictures, by class or flat, becomes Digits: each through pictures/load and pictures/ink.

Knows nothing of pixels or framing, only of which file is which digit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digit_recognizer.digits import CLASSES, Dataset, Digits
from digit_recognizer.errors import DigitsError, FileError, InputError
from digit_recognizer.pictures.collect import SUFFIXES, is_hidden, looks_like_picture, natural
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import load_grey

_CLASS_NAMES = tuple(str(digit) for digit in range(CLASSES))
_TRAIN, _TEST = ("train", "training"), ("test", "testing")
_NAMED = 5  # how many bad files a message lists


@dataclass(frozen=True)
class Picture:
    """One picture file. path: the file. name: its path from the root, with "/". label: 0-9, or None."""

    path: Path
    name: str
    label: int | None


@dataclass(frozen=True)
class PictureFolder:
    """What lies in a folder: pictures to learn from, pictures to predict, and the names of what is neither."""

    train: tuple[Picture, ...]
    test: tuple[Picture, ...]
    ignored: tuple[str, ...]


def read_image_folder(folder: Path) -> Dataset:
    """Read a folder of pictures of one digit each, framed as MNIST's are.

    folder: ``<0-9>/*`` (the training part), or ``train/<0-9>/*`` with ``test/<0-9>/*`` or ``test/*``, or pictures
    without class folders (an unlabelled test part). Names are paths from the folder, in natural order.
    Raises InputError as list_pictures does, and where pictures cannot be read: every one is counted, the first five
    are named with their reasons, and none is left out silently.

    >>> read_image_folder(Path("scans"))                                          # doctest: +SKIP
    Dataset(name='scans', train=Digits(120 images, labelled), test=None)
    """
    found = list_pictures(folder)
    return Dataset(Path(folder).name, _read(found.train), _read(found.test))


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

    >>> holds_labels(Path("scans"))                                               # doctest: +SKIP
    False
    """
    try:
        below = {path.name.lower() for path in Path(folder).iterdir() if path.is_dir()}
    except OSError as error:
        raise FileError(f"{folder}: cannot be read ({error.strerror or error})") from error
    return not below.isdisjoint({*_CLASS_NAMES, *_TRAIN, *_TEST})


def _list(root: Path) -> PictureFolder:
    ignored: list[str] = []
    folders = {path.name.lower(): path for path in _subfolders(root, root, ignored=[])}
    train_root = next((folders[name] for name in _TRAIN if name in folders), None)
    test_root = next((folders[name] for name in _TEST if name in folders), None)
    if train_root or test_root:
        used = {path for path in (train_root, test_root) if path}
        others = [path.name for path in _subfolders(root, root, ignored) if path not in used]
        ignored += [f"{name}/" for name in others]
        ignored += [path.name for path in _files(root)]
        train = _labelled(train_root, root, ignored) if train_root else []
        if train_root and not train:
            raise InputError(f"{root.name}/{train_root.name}: expected class folders 0 to 9 with pictures, found none")
        test = _labelled_or_flat(test_root, root, ignored) if test_root else []
    else:
        pictures = _labelled_or_flat(root, root, ignored)
        labelled = bool(pictures) and pictures[0].label is not None
        train, test = (pictures, []) if labelled else ([], pictures)
    if not train and not test:
        raise InputError(f"{root.name}: expected pictures ({', '.join(SUFFIXES)}), found none", code="no_pictures")
    return PictureFolder(tuple(train), tuple(test), tuple(sorted(ignored, key=natural)))


def _labelled_or_flat(folder: Path, root: Path, ignored: list[str]) -> list[Picture]:
    by_class = any(path.name in _CLASS_NAMES for path in _subfolders(folder, root, ignored=[]))
    at_top = any(looks_like_picture(path) for path in _files(folder))
    if by_class or not at_top:
        return _labelled(folder, root, ignored)
    return _pictures(folder, root, None, ignored)


def _labelled(folder: Path, root: Path, ignored: list[str]) -> list[Picture]:
    """The pictures in ``folder``'s class folders, class by class."""
    result = []
    for place in _subfolders(folder, root, ignored):
        if place.name not in _CLASS_NAMES:
            raise InputError(
                f"{_name(folder, root) or root.name}: expected class folders named 0 to 9, found '{place.name}'",
                code="unknown_class",
            )
        if place.is_symlink():
            raise InputError(f"{_name(place, root)}: this class folder is a link, which is not followed")
        result += _pictures(place, root, int(place.name), ignored)
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


__all__ = ["SUFFIXES", "Picture", "PictureFolder", "holds_labels", "list_pictures", "read_image_folder"]
