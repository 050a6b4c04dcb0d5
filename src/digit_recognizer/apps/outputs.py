"""Where a command may write: never in the place of what it reads, nor of what is not its own. Writes nothing itself."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digit_recognizer.errors import FileError, ModelError, UsageError
from digit_recognizer.files import open_bytes, read_bytes

if TYPE_CHECKING:
    from digit_recognizer.digits import Dataset

_PAGE = re.compile(r"#[0-9]+$")  # form.pdf#2 is a page of form.pdf
_IDX = re.compile(r"-idx[13]-|-ubyte")


def refuse_own_input(
    output: Path | None, option: str, sources: Sequence[str], model: str | None, columns: Sequence[str]
) -> None:
    """Raise UsageError where the CSV that ``output`` names would take the place of something that is read, or FileError
    where it could not be written.

    option: how messages call it. sources: words that name files, folders, patterns; a name as "mnist" is no file.
    model: a run folder, a file, or None. columns: header that an earlier answer begins with; in a folder that is read,
    such a file alone may be written over. Files are compared by what they are, so that links and other spellings of a
    path are seen through. Nothing is read but names, and the first bytes of ``output``.
    """
    refuse_unwritable(output, option)
    if output is None or str(output) == "-" or not output.is_file():
        return
    headers = tuple(",".join(names).encode() for names in (columns, ("ImageId", "Label")))
    with open_bytes(output) as stream:
        is_answer = stream.read(200).startswith(headers)
    for place in _places([*sources, *([] if model is None else [model])]):
        inside = place.is_dir() and Path(os.path.realpath(output)).is_relative_to(os.path.realpath(place))
        if (inside and not is_answer) or os.path.samefile(place, output):
            found = f"lies in {place}" if inside else f"is {place}"
            raise UsageError(f"{option} {output} {found}, which is read, and would be lost; choose another file")


def refuse_unwritable(output: Path | None, option: str, *, folder: bool = False) -> None:
    """Raise FileError where ``output`` could not be written: before the work, not after it. None and "-" are stdout.

    option: how messages call it. folder: whether it is a folder to write to, else a file. What is missing above it is
    made when it is written, so that only the nearest folder that is there must let us.
    """
    if output is None or str(output) == "-":
        return
    place = os.path.realpath(output)
    is_file, is_folder = os.path.isfile(place), os.path.isdir(place)
    if os.path.exists(place) and not (is_folder if folder else is_file):
        expected = "folder" if folder else "file"
        found = "a folder" if is_folder else "a file" if is_file else "a device or a pipe"
        raise FileError(
            f"{option} {output}: expected a {expected} to write, this is {found}", code="not_a_regular_file"
        )
    above = place if folder else os.path.dirname(place)
    while not os.path.exists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        raise FileError(f"{option} {output}: cannot be written ({above} is no folder)")
    if not os.access(above, os.W_OK | os.X_OK):
        raise FileError(f"{option} {output}: cannot be written (permission denied in {above})")


def refuse_foreign_file(output: Path, run_folder: Path) -> None:
    """Raise where ``output`` is there already and is no model of digits, or is the very model of the run.

    Raises FileError for another kind of file, and as ``refuse_unwritable`` does, UsageError for the run's own. The file
    is judged by its bytes alone; it is not opened as a model.
    """
    from digit_recognizer.model_file import MAX_MODEL_BYTES, MODEL_NAME, check_model

    if not output.exists():
        refuse_unwritable(output, "--output")
        return
    for own in (run_folder, run_folder / MODEL_NAME):
        if own.is_file() and os.path.samefile(own, output):
            raise UsageError(f"--output {output} is the model that is exported; choose another file")
    try:
        check_model(read_bytes(output, limit=MAX_MODEL_BYTES), str(output))
    except (ModelError, FileError) as error:
        raise FileError(
            f"{output}: is there already and is no model of digits, so it is not written over; choose another file",
            code="would_overwrite",
        ) from error


def refuse_inside_pictures(output: Path, data: str) -> None:
    """Raise UsageError where ``output`` lies in ``data`` and that is a folder of pictures.

    What is written there would be taken for more of them: the data could not be read a second time.
    """
    from digit_recognizer.sources.catalog import is_image_folder

    if is_image_folder(data) and Path(os.path.realpath(output)).is_relative_to(os.path.realpath(data)):
        raise UsageError(
            f"--output {output} lies in {data}, a folder of pictures, which could not be read again then; choose a "
            "folder outside it"
        )


def refuse_other_files(output: Path) -> None:
    """Raise FileError where the folder ``output`` holds files, and neither what was explored nor a run.

    Plots and a report would lie among them, data perhaps. Hidden files do not count. Nothing is read but names.
    """
    try:
        names = {entry.name for entry in output.iterdir() if not entry.name.startswith(".")}
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileError(f"{output}: cannot be listed ({error.strerror})") from error
    if names and names.isdisjoint(("explore.json", "config.json")):
        raise FileError(
            f"--output {output}: holds other files, {min(names)} for one; choose another folder",
            code="folder_not_empty",
        )


def refuse_other_run(output: Path, dataset: Dataset) -> None:
    """Raise FileError where the folder ``output`` holds a run of other data: its report would tell of both."""
    config = output / "config.json"
    if not config.exists():
        return
    try:
        trained_on = json.loads(read_bytes(config, limit=64 << 20))["data"]
        same = dataset.train is not None and trained_on["fingerprint"] == dataset.labelled().fingerprint()
        name = f" ({trained_on['name']})"
    except (ValueError, TypeError, KeyError, RecursionError):
        same, name = False, ""
    if not same:
        raise FileError(
            f"{output}: holds a run of other data{name}; choose another folder for {dataset.name}",
            code="folder_not_empty",
        )


def _places(words: Sequence[str]) -> Iterator[Path]:
    """The files and folders that are there and that ``words`` stand for."""
    for word in words:
        if word == "-" or "\0" in word:
            continue
        path = Path(word) if os.path.exists(word) else Path(_PAGE.sub("", word))
        if path.exists():
            yield path
            if _IDX.search(path.name):  # its partner is looked for beside it
                yield path.parent
        elif glob.has_magic(word):
            yield from filter(Path.exists, map(Path, glob.iglob(word, recursive=True)))


__all__ = [
    "refuse_foreign_file",
    "refuse_inside_pictures",
    "refuse_other_files",
    "refuse_other_run",
    "refuse_own_input",
    "refuse_unwritable",
]
