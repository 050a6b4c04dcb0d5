"""A folder or a pattern becomes the files that it stands for, with their marks. Opens none of them."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.marks import mark_of_info, mark_of_stat
from digit_recognizer.errors import FileError
from digit_recognizer.pictures import pdf
from digit_recognizer.pictures.collect import is_hidden

PDF = "PDF"

OnHidden = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found. path: to open it. name: from the root down, with "/". mark: see marks.py, "" for none."""

    path: str
    name: str
    mark: str = ""


def walk(root: str, on_hidden: OnHidden = lambda folder, count: None) -> Iterator[Found]:
    """Every file below a folder, files before folders, each by name; only the names of one folder are held at a time.

    Hidden files are passed over, linked folders not followed. on_hidden: called with each folder and how many hidden
    ones it has. Raises FileError where a folder cannot be read.
    """
    if storage.is_url(root):
        system, inside = storage.file_system(root)
        yield from _walk_url(system, root, inside.rstrip("/"), "", on_hidden)
        return
    try:
        yield from _walk(root, "", on_hidden)
    except OSError as error:
        raise FileError(f"{error.filename or root}: cannot be read ({error.strerror or error})") from error


def matching(pattern: str) -> Iterator[Found]:
    """The files that a pattern names, by name. Raises FileError."""
    if storage.is_url(pattern):
        system, inside = storage.file_system(pattern)
        with storage.translated(pattern):
            found = system.glob(inside, detail=True)
        for name in sorted(found):
            if found[name].get("type") == "file":
                url = storage.url_in(system, name, pattern)
                yield Found(url, system.unstrip_protocol(name), mark_of_info(found[name]))
        return
    for name in sorted(glob.iglob(pattern, recursive=True)):
        try:
            status = os.stat(name)
        except (OSError, ValueError):  # a link to nowhere
            continue
        if stat.S_ISREG(status.st_mode):
            yield Found(name, name, mark_of_stat(status))


def kind_of_other(name: str) -> str:
    """What a file that is no picture is counted as.

    >>> kind_of_other("scans/form.PDF"), kind_of_other("notes.txt")
    ('PDF', 'file that is no picture')
    """
    return PDF if name.lower().endswith(pdf.SUFFIX) else "file that is no picture"


def _walk(folder: str, above: str, on_hidden: OnHidden) -> Iterator[Found]:
    files, folders, hidden = [], [], 0
    with os.scandir(folder) as found:
        for entry in found:
            if is_hidden(entry.name):
                hidden += 1
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link that leads in a circle, or to where nobody may look
                is_folder = False
            if not is_folder:
                files.append(entry.name)
            elif not entry.is_symlink():
                folders.append(entry.name)
    on_hidden(folder, hidden)
    files.sort()
    for name in files:
        path = os.path.join(folder, name)
        yield Found(path, above + name, storage.local_mark(path))
    files.clear()
    for name in sorted(folders):
        yield from _walk(os.path.join(folder, name), f"{above}{name}/", on_hidden)


def _walk_url(system: Any, root: str, folder: str, above: str, on_hidden: OnHidden) -> Iterator[Found]:
    with storage.translated(storage.url_in(system, folder, root)):
        found = sorted(system.ls(folder, detail=True), key=lambda entry: str(entry["name"]))
    below = []
    for entry in found:
        path = str(entry["name"]).rstrip("/")
        name = path.rpartition("/")[2]
        if path == folder:  # object stores may list the folder itself
            continue
        if is_hidden(name):
            on_hidden(folder, 1)
            continue
        if entry["type"] == "directory":
            below.append((path, name))
        else:
            yield Found(storage.url_in(system, path, root), above + name, mark_of_info(entry))
    found.clear()
    for path, name in below:
        yield from _walk_url(system, root, path, f"{above}{name}/", on_hidden)


__all__ = ["PDF", "Found", "kind_of_other", "matching", "walk"]
