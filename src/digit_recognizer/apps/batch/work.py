"""What a worker does: a task becomes a Parquet part, whole or not at all. Every engine runs this function alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from digit_recognizer.apps.batch.blocks import Block, all_failed, no_pixels, numbered
from digit_recognizer.apps.batch.engine import Entry, Outcome, Task
from digit_recognizer.apps.batch.parts import (
    SCHEMAS,
    error_columns,
    page_columns,
    prediction_columns,
    write_errors,
    write_part,
)
from digit_recognizer.apps.batch.source import PICTURES, read_entry, read_pictures
from digit_recognizer.apps.batch.tally import Tally
from digit_recognizer.digits import SIDE, Digits, Images
from digit_recognizer.errors import DigitsError, InputError, ModelError
from digit_recognizer.pictures.collect import Picture
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import MAX_PIXELS, Grey, load_grey
from digit_recognizer.recognizer import Recognizer

KILLED = "killed_the_worker"
Decode = Callable[[bytes, str], Grey]


def prepare_process() -> None:
    """Tell the libraries of this process that its cores are shared: as many processes run as there are cores."""
    cv2.setNumThreads(1)
    pa.set_cpu_count(1)


def do(task: Task, *, decode: Decode | None = None) -> Outcome:
    """Read the pictures of a task and leave its part; of a trial, read them and leave nothing.

    decode: what turns the bytes of a picture and its name into grey pixels, uint8 (H, W), where it is not load_grey;
    tests put one in its place that kills its process.
    A picture that cannot be read is a row of the errors, which are written before the part: where there is a part,
    all of it is there. Doing a task twice leaves the same bytes. Raises ModelError where the model cannot be opened or
    is another one, FileError where a table or archive is gone or the part cannot be written, MemoryError.
    """
    began = time.perf_counter()
    recognizer = _opened(task.job.model, task.job.model_sha256, task.job.min_confidence)
    decode = decode or _decoder(task.job.max_pixels or MAX_PIXELS)
    tables: list[Any] = []
    errors: list[Any] = []
    tally = Tally()
    for position, block in _blocks(task):
        failed = dict(block.failed)
        skipped = _skipped(task, position, len(block), failed)
        if task.job.task == "predict":
            table, counts = _predict(block, failed, skipped, recognizer, decode)
        else:
            table, counts = _read(block, failed, skipped, recognizer, decode, task)
        tables.append(table)
        tally += counts
        if failed:
            names = [block.ids[place].as_py() for place in sorted(failed)]
            errors.append(error_columns(names, [failed[place] for place in sorted(failed)]))
            tally += Tally(failed=_by_code(failed))
    if task.only is None:
        if errors:
            write_errors(Path(task.errors), pa.concat_tables(errors))
        write_part(Path(task.part), tables, SCHEMAS[task.job.task], tally)
    return Outcome(task.number, tally.read, tally.failures, time.perf_counter() - began)


def _decoder(max_pixels: int) -> Decode:
    return lambda content, name: load_grey(content, name=name, max_pixels=max_pixels)


@lru_cache(maxsize=1)
def _opened(model: str | None, sha256: str, min_confidence: float | None) -> Recognizer:
    """The model, opened once in a process, on one thread. Raises ModelError where it is not the one of the job."""
    recognizer = Recognizer(model, threads=1, min_confidence=min_confidence)
    if recognizer.sha256 != sha256:
        raise ModelError(
            f"{recognizer.name}: expected the model with the SHA-256 {sha256[:12]}, found {recognizer.sha256[:12]}; "
            "every machine needs the same file under the same name",
            code="other_model",
        )
    return recognizer


def _blocks(task: Task) -> Iterator[tuple[int, Block]]:
    """The pictures of a task in blocks, each with its position; of a trial, at least those that are tried."""
    start, stop = task.only or (0, task.pictures)
    if len(task.without) >= task.pictures and task.only is None:
        # Not even the file is opened: whoever tried did not come back.
        nobody = InputError("never opened", code=KILLED)
        position = 0
        for entry in task.entries:
            names = _names(task, entry)
            for block in all_failed(names, nobody):
                yield position, block
                position += len(block)
        return
    if task.job.kind == PICTURES:
        position = start
        for block in read_pictures(task.entries[start:stop]):
            yield position, block
            position += len(block)
        return
    position = 0
    for entry in task.entries:
        if position < stop and position + entry.rows > start:
            at = position
            for block in _entry_blocks(task, entry):
                if at < stop and at + len(block) > start:
                    yield at, block
                at += len(block)
        position += entry.rows


def _entry_blocks(task: Task, entry: Entry) -> Iterator[Block]:
    """The blocks of an entry; what a damaged file does not give any more are pictures that failed."""
    done = 0
    try:
        for block in read_entry(task.job.kind, entry):
            yield block
            done += len(block)
        if done < entry.rows:
            raise InputError(
                f"{Path(entry.path).name}: expected {entry.rows:,} pictures from number {entry.first:,} on, "
                f"found {done:,}",
                code="truncated",
            )
    except InputError as error:
        yield from all_failed(numbered(entry.id, entry.first + done, entry.rows - done), error)


def _names(task: Task, entry: Entry) -> Any:
    return pa.array([entry.id]) if task.job.kind == PICTURES else numbered(entry.id, entry.first, entry.rows)


def _skipped(task: Task, position: int, count: int, failed: dict[int, DigitsError]) -> set[int]:
    """Places in a block that are not opened; those that killed their workers are noted in ``failed``."""
    skipped = {place - position for place in task.without if position <= place < position + count}
    for place in skipped:
        failed[place] = InputError(
            "the process that opened this picture died, twice, of this picture alone; it is set aside", code=KILLED
        )
    if task.only is not None:
        low, high = task.only
        skipped |= {place for place in range(count) if not low <= position + place < high}
    return skipped


def _predict(
    block: Block, failed: dict[int, DigitsError], skipped: set[int], recognizer: Recognizer, decode: Decode
) -> tuple[Any, Tally]:
    if block.pixels is not None:
        places = np.delete(np.arange(len(block)), sorted(block.failed))
        frames = block.pixels
        if skipped:
            wanted = ~np.isin(places, list(skipped))
            places, frames = places[wanted], frames[wanted]
    else:
        pictures: dict[int, Images] = {}
        for place, name in enumerate(block.ids.to_pylist()):
            if place not in failed and place not in skipped:
                content = block.encoded[place]
                try:
                    grey = decode(content, name)
                    pictures[place] = grey if block.as_published and _is_published(content, grey) else to_frame(grey)
                except DigitsError as error:
                    failed[place] = error
                except MemoryError:
                    raise  # the worker's death: which picture needs so much, the driver finds out by halving
                except Exception as error:  # a fault of ours with one picture must not stop a million others
                    failed[place] = _unexpected(error)
        places = np.array(list(pictures), np.int64)
        frames = np.stack(list(pictures.values())) if pictures else no_pixels()
    probabilities = recognizer.predict(Digits(frames), raw=True)
    return prediction_columns(
        block.ids.take(pa.array(places)),
        frames,
        probabilities,
        recognizer.min_confidence,
        recognizer.sha256,
        tells_non_digits=recognizer.tells_non_digits,
    )


def _read(
    block: Block,
    failed: dict[int, DigitsError],
    skipped: set[int],
    recognizer: Recognizer,
    decode: Decode,
    task: Task,
) -> tuple[Any, Tally]:
    job = task.job
    rows = iter(block.pixels) if block.pixels is not None else None
    names, pages = [], []
    for place in range(len(block)):
        if rows is not None and place not in block.failed:
            grey = next(rows)
        if place in failed or place in skipped:
            continue
        name = block.ids[place].as_py()
        try:
            if rows is None:
                grey = decode(block.encoded[place], name)
            pages.append(recognizer.read(Picture(name, grey), expect=job.expect, check=job.check, numbers=job.numbers))
            names.append(name)
        except (ModelError, MemoryError):
            raise
        except DigitsError as error:
            failed[place] = error
        except Exception as error:  # as above
            failed[place] = _unexpected(error)
    return page_columns(names, pages, recognizer.sha256)


def _is_published(content: bytes, grey: Grey) -> bool:
    # PNG's header holds width, height, bits and colour type at fixed places: 28, 28, 8, 0 is MNIST's own form.
    return content[16:26] == bytes([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 0]) and grey.shape == (SIDE, SIDE)


def _by_code(failed: dict[int, DigitsError]) -> dict[str, int]:
    codes = [error.code for error in failed.values()]
    return {code: codes.count(code) for code in sorted(set(codes))}


def _unexpected(error: Exception) -> DigitsError:
    return DigitsError(f"unexpected {type(error).__name__}: {error}", code="unexpected")


__all__ = ["KILLED", "Decode", "do", "prepare_process"]
