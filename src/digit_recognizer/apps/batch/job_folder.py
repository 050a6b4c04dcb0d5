"""The folder of a batch: whose it is, what it was begun with, what may go on in it. Reads no picture."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digit_recognizer._version import __version__
from digit_recognizer.apps.batch.listing import Listing, first_difference, refuse_duplicates, write_listing
from digit_recognizer.apps.batch.parts import split_errors
from digit_recognizer.apps.batch.request import Request
from digit_recognizer.apps.batch.source import JOB, Source, find_source
from digit_recognizer.errors import FileError
from digit_recognizer.files import read_bytes, write_json
from digit_recognizer.recognizer import Recognizer

FORMAT = 3  # of the folder; another one is not gone on with
INPUTS, MANIFEST, ERRORS = "inputs.parquet", "manifest.json", "errors.parquet"
SUMMARY, PARTS, WORK = "summary.html", "parts", "work"

# What a job was asked for, in the order in which it is told that one of them differs.
_OPTIONS = (
    "task", "model", "expect", "check", "numbers", "max_pixels", "min_confidence", "part_size", "limit", "shard",
)  # fmt: skip

_OURS = (JOB, INPUTS, MANIFEST, ERRORS, SUMMARY, PARTS, WORK, ".lock")
_OF_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini")  # which they leave wherever somebody looks


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make the folder and keep every other process out of it; a claim ends with its process, however that ends.

    Raises FileError where it holds things that are no batch's, is claimed by another process, or cannot be written.
    """
    _check_folder(folder)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise FileError(f"{folder}: another process writes to this folder", code="folder_busy") from error
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        lock.release()


def settle(request: Request, recognizer: Recognizer, names: Callable[[Listing], Iterable[str]]) -> Listing:
    """The listing of what is to be read, its job on disk; or that of the job which is there, if it is the same one.

    names: what the parts of a listing are called. Where ``job.json`` is damaged or gone it is written anew, if every
    part that is there is one of this job: their names hold all that was asked. Raises FileError, what finding the
    source raises, and InputError where pictures are there twice.
    """
    folder = request.output
    found = find_source(request.source, request.sizes(), folder.absolute() / WORK / "unpacked", apart_from=folder)
    now = write_listing(folder / WORK / INPUTS, found.kind, found.entries, found.size, request.limit)
    _refuse_duplicates(request.source, found, now)
    facts = {
        "format": FORMAT,
        "version": __version__,
        "source": request.source,
        "task": request.task,
        "model": {"name": Path(recognizer.name).name, "sha256": recognizer.sha256},
        "expect": request.expect,
        "check": request.check,
        "numbers": request.numbers,
        "max_pixels": request.max_pixels,
        "min_confidence": request.min_confidence,
        "part_size": request.part_size,
        "limit": request.limit,
        "shard": f"{request.shard[0]}/{request.shard[1]}",
        "inputs": {"kind": now.kind, "pictures": now.pictures, "digest": now.digest},
        "ignored": dict(sorted(found.facts.passed_over.items())),
    }
    before = _json_or_none(folder / JOB)
    known = before or _json_or_none(folder / MANIFEST)  # which says the same, and more
    if known is None:
        _refuse_parts_of_others(folder, names(now))
    elif different := _differences(known, facts, folder, now):
        raise FileError(
            f"{folder}: begun with other things than asked for now: {'; '.join(different)}; ask for the same, or "
            "give another -o",
            code="changed_job",
        )
    now.path.replace(folder / INPUTS)
    if before is None:
        write_json(folder / JOB, facts)
    return Listing(folder / INPUTS)


def finished(folder: Path) -> dict[str, Any] | None:
    """The manifest of a job that is finished; None where there is none, or what it names is damaged or gone.

    Then what is left is made a job that goes on: damaged parts are taken away, and the failures of the others are put
    where they were. Raises FileError where the folder cannot be written.
    """
    manifest = _json_or_none(folder / MANIFEST)
    if manifest is None or not {"counts", "errors", "parts"} <= manifest.keys():
        (folder / MANIFEST).unlink(missing_ok=True)
        return None
    errors_are_whole = _size(folder / ERRORS) == manifest["errors"]["bytes"]
    damaged = [part["name"] for part in manifest["parts"] if _size(folder / PARTS / part["name"]) != part["bytes"]]
    if errors_are_whole and not damaged and (folder / SUMMARY).exists():
        return manifest
    if errors_are_whole:
        failed = [(folder / WORK / "errors" / part["name"], part["failed"]) for part in manifest["parts"]]
        split_errors(folder / ERRORS, [(path, count) for path, count in failed if count])
    for name in damaged:
        (folder / PARTS / name).unlink(missing_ok=True)
    (folder / MANIFEST).unlink()
    return None


def _refuse_duplicates(where: str, found: Source, now: Listing) -> None:
    if found.ids is not None:
        refuse_duplicates(where, found.ids, now.pictures)
    if found.facts.own_names:
        refuse_duplicates(where, now.ids, now.entries)
    if found.facts.by_path:
        hint = ", under several names; where that is meant, give each an id"
        refuse_duplicates(where, now.files, now.entries, hint)


def _refuse_parts_of_others(folder: Path, ours: Iterable[str]) -> None:
    there = {path.name for path in (folder / PARTS).glob("part-*.parquet")}
    if there and (others := there.difference(ours)):
        raise FileError(
            f"{folder}: {JOB} is damaged or gone, and {len(others):,} of {len(there):,} parts ({min(others)}, for one) "
            "are not of what is asked for now: ask for what they were begun with, which writes it anew, or give "
            "another -o",
            code="damaged_job",
        )


def _json_or_none(path: Path) -> dict[str, Any] | None:
    """What the file says; None where it is not there, or damaged."""
    try:
        return read_json(path)
    except FileError:
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path, listing: Listing) -> list[str]:
    """What differs, in words: options first, as another limit gives other inputs, too."""
    names = {"version": "digit-recognizer", **{key: key.replace("_", " ") for key in _OPTIONS}}
    different = []
    for key in ("format", "version", *_OPTIONS):
        old, new = before.get(key), now[key]
        if key == "model" and isinstance(old, dict):
            if old.get("sha256") == new["sha256"]:  # however it is called
                continue
            old, new = (f"{model.get('name')} ({str(model.get('sha256'))[:12]})" for model in (old, new))
        if old != new:
            different.append(f"{names.get(key, key)} was {_word(old)} and is {_word(new)}")
    if not different and before.get("inputs") != now["inputs"]:
        try:
            difference = first_difference(Listing(folder / INPUTS), listing) or "the way the source is read"
        except FileError:  # what it was is lost
            difference = "its digest is another one"
        different.append(f"the input list: {difference}")
    return different


def _check_folder(folder: Path) -> None:
    """Raise FileError where the folder holds things that are not a batch's, or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted(path.name for path in folder.iterdir() if path.name not in _OURS)
    except OSError as error:
        raise FileError(f"{folder}: expected a folder to write to ({error.strerror or error})") from error
    strangers = [name for name in strangers if not name.endswith(".tmp") and name not in _OF_DESKTOPS]
    if strangers:
        raise FileError(
            f"{folder}: expected an empty folder or one of digits batch, found {strangers[0]}; give another -o",
            code="folder_not_empty",
        )


def remove_leftovers(folder: Path) -> None:
    """Take away what a killed process had not finished to write."""
    for place in (folder, folder / PARTS, folder / WORK / "errors"):
        for path in place.glob(".*.tmp"):
            path.unlink(missing_ok=True)


def remove_work(folder: Path) -> None:
    """Take away what was needed only until the job was finished."""
    shutil.rmtree(folder / WORK, ignore_errors=True)  # a file that stays behind there spoils nothing


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bytes(path))
    except ValueError as error:
        raise FileError(f"{path}: not JSON ({error}); give another -o", code="damaged_job") from error
    if not isinstance(value, dict):
        raise FileError(f"{path}: expected a JSON object; give another -o", code="damaged_job")
    return value


def _word(value: object) -> str:
    return "not given" if value is None else str(value)


__all__ = [
    "ERRORS",
    "FORMAT",
    "INPUTS",
    "JOB",
    "MANIFEST",
    "PARTS",
    "SUMMARY",
    "WORK",
    "claimed",
    "finished",
    "read_json",
    "remove_leftovers",
    "remove_work",
    "settle",
]
