"""Answers become Parquet parts, and parts tell their counts again. What a column means is said in SCHEMAS.

A part's own counts stand in its footer, so that a job that goes on need not read its rows. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from digit_recognizer.analysis.inputs import MEASURES, measure
from digit_recognizer.apps.batch.tally import Tally, confidence_counts
from digit_recognizer.digits import Images
from digit_recognizer.errors import DigitsError, FileError
from digit_recognizer.files import whole_file
from digit_recognizer.reading import BLANK, MAX_UNFAMILIARITY, NOT_A_DIGIT, UNSURE, Page

_TALLY = b"digits.tally"
_ERRORS_AT_ONCE = 65_536  # failures that are held while they are divided again
_REASONS = (BLANK, NOT_A_DIGIT, UNSURE)
_WORD = pa.dictionary(pa.int8(), pa.string())
_BOX = pa.list_(pa.int32(), 4)  # x, y, width, height in pixels of the picture as a person sees it

PREDICTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("digit", pa.int8()),
        ("confidence", pa.float32()),
        ("accepted", pa.bool_()),
        ("reason", _WORD),  # why it was not accepted: blank, not a digit, unsure; null where it was
        ("second", pa.int8()),
        ("second_confidence", pa.float32()),
        ("unfamiliarity", pa.float32()),
        ("model", _WORD),  # SHA-256 of the model file
    ]
)
PAGES = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("confidence", pa.float32()),  # that every digit is right; null where there is none
        ("accepted", pa.bool_()),  # every digit is, and there is one
        (
            "digits",
            pa.list_(
                pa.struct(
                    [
                        ("line", pa.int16()),
                        ("digit", pa.int8()),
                        ("confidence", pa.float32()),
                        ("accepted", pa.bool_()),
                        ("box", _BOX),
                        ("second", pa.int8()),
                        ("second_confidence", pa.float32()),
                    ]
                )
            ),
        ),
        ("rejected", pa.list_(pa.struct([("box", _BOX), ("reason", pa.string())]))),
        ("model", _WORD),
    ]
)
ERRORS = pa.schema([("id", pa.string()), ("code", pa.string()), ("sentence", pa.string())])
SCHEMAS = {"predict": PREDICTIONS, "read": PAGES}


def prediction_columns(
    ids: Any,
    frames: Images,
    probabilities: npt.NDArray[np.float32],
    min_confidence: float,
    model: str,
    *,
    tells_non_digits: bool,
) -> tuple[Any, Tally]:
    """Answers as a table of PREDICTIONS, and their counts: the same values as ``reading.readings`` gives one by one.

    ids: a string array (N,). frames: uint8 (N, 28, 28). probabilities: float32 (N, 10), short of 1 by unfamiliarity.
    """
    rows = np.arange(len(probabilities))
    first = probabilities.argmax(axis=1)
    others = probabilities.copy()
    others[rows, first] = -1
    second = others.argmax(axis=1)
    blank = ~frames.any(axis=(1, 2))
    strange = np.zeros(len(rows))
    if tells_non_digits:
        strange = np.clip(1 - probabilities.sum(axis=1, dtype=np.float64), 0, 1)
    strange[blank] = 1
    confidence = np.where(blank, np.float32(0), probabilities[rows, first])
    reasons = np.full(len(rows), -1, np.int8)
    reasons[confidence.astype(np.float64) < min_confidence] = _REASONS.index(UNSURE)
    reasons[strange > MAX_UNFAMILIARITY] = _REASONS.index(NOT_A_DIGIT)
    reasons[blank] = _REASONS.index(BLANK)
    accepted = reasons < 0
    table = pa.table(
        {
            "id": ids,
            "digit": first.astype(np.int8),
            "confidence": confidence,
            "accepted": accepted,
            "reason": pa.DictionaryArray.from_arrays(pa.array(reasons, mask=accepted), pa.array(_REASONS)),
            "second": second.astype(np.int8),
            "second_confidence": np.where(blank, np.float32(0), probabilities[rows, second]),
            "unfamiliarity": strange.astype(np.float32),
            "model": _constant(model, len(rows)),
        },
        PREDICTIONS,
    )
    counts = np.bincount(reasons[~accepted], minlength=len(_REASONS)).tolist()
    digits, histogram, confidence_sum = confidence_counts(first[~blank], confidence[~blank])
    tally = Tally(
        read=len(rows),
        accepted=int(accepted.sum()),
        reasons={word: count for word, count in zip(_REASONS, counts, strict=True) if count},
        digits=digits,
        confidence=histogram,
        confidence_sum=confidence_sum,
        sure=int(accepted.sum()),
        frames=int((~blank).sum()),
        **dict(zip(MEASURES, measure(frames[~blank]).sum(axis=0).tolist(), strict=True)),
    )
    return table, tally


def page_columns(ids: Sequence[str], pages: Sequence[Page], model: str) -> tuple[Any, Tally]:
    """Pages as a table of PAGES, and their counts."""
    accepted = [bool(page.lines) and all(line.accepted for line in page.lines) for page in pages]
    table = pa.table(
        {
            "id": list(ids),
            "text": [page.text for page in pages],
            "confidence": [
                float(np.prod([line.confidence for line in page.lines])) if page.lines else None for page in pages
            ],
            "accepted": accepted,
            "digits": [
                [{"line": number, **digit.to_dict()} for number, line in enumerate(page.lines) for digit in line.digits]
                for page in pages
            ],
            "rejected": [[{"box": list(part.box), "reason": part.reason} for part in page.rejected] for page in pages],
            "model": _constant(model, len(pages)),
        },
        PAGES,
    )
    found = [digit for page in pages for digit in page.digits]
    digits, histogram, confidence_sum = confidence_counts(
        np.array([digit.digit for digit in found], np.int64), np.array([digit.confidence for digit in found])
    )
    tally = Tally(
        read=len(pages),
        accepted=sum(accepted),
        reasons=_without_zeros(
            {
                "no digits": sum(not page.lines for page in pages),
                UNSURE: sum(bool(page.lines) and not sure for page, sure in zip(pages, accepted, strict=True)),
            }
        ),
        digits=digits,
        confidence=histogram,
        confidence_sum=confidence_sum,
        sure=sum(digit.accepted for digit in found),
    )
    return table, tally


def error_columns(ids: Sequence[str], errors: Sequence[DigitsError]) -> Any:
    """Failures as a table of ERRORS."""
    return pa.table(
        {"id": list(ids), "code": [error.code for error in errors], "sentence": [_text(error) for error in errors]},
        ERRORS,
    )


def write_part(path: Path, tables: Sequence[Any], schema: Any, tally: Tally) -> None:
    """Write a part, whole or not at all, its counts in its footer. Equal rows give equal bytes. Raises FileError."""
    facts = {_TALLY: json.dumps(tally.to_dict())}
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    with whole_file(path) as temporary:
        _write(table.replace_schema_metadata(facts), temporary)


def write_errors(path: Path, table: Any) -> None:
    """Write the failures of a part, whole or not at all. Raises FileError."""
    with whole_file(path) as temporary:
        _write(table, temporary)


def read_tally(path: Path) -> Tally:
    """The counts in a part's footer. Raises FileError where it is no part."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return Tally.from_dict(json.loads(metadata[_TALLY]))
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise FileError(f"{path}: expected a part of this job, cannot be read ({_words(error)})") from error


def join_errors(path: Path, files: Iterable[Path]) -> int:
    """Join the failures of many parts to one table, in their order; returns how many. Raises FileError."""
    count = 0
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, ERRORS, compression="zstd") as writer:
        for file in files:
            table = _read_errors(file)
            count += len(table)
            writer.write_table(table)
    return count


def count_errors(path: Path) -> int | None:
    """How many failures of a part are written there; None where that cannot be read."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None


def split_errors(path: Path, files: Sequence[tuple[Path, int]]) -> None:
    """The inverse of ``join_errors``: the files and how many failures each held. Raises FileError.

    >>> split_errors(Path("errors.parquet"), [(Path("part-000003.parquet"), 2)])      # doctest: +SKIP
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as joined:
            batches = joined.iter_batches(_ERRORS_AT_ONCE, use_threads=False)
            rest = ERRORS.empty_table()
            for file, count in files:
                while len(rest) < count and (batch := next(batches, None)) is not None:
                    rest = pa.concat_tables([rest, pa.Table.from_batches([batch])])
                if len(rest) < count:
                    raise FileError(f"{path}: ends before the failures of {file.name}")
                write_errors(file, rest.slice(0, count))
                rest = rest.slice(count)
    except (OSError, pa.ArrowException) as error:
        raise FileError(f"{path}: the errors cannot be read ({_words(error)})") from error


def _read_errors(path: Path) -> Any:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        path.unlink(missing_ok=True)
        raise FileError(
            f"{path}: the errors of a part cannot be read ({_words(error)}) and are removed; the same command reads it "
            "again"
        ) from error


def _words(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _write(table: Any, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


def _constant(word: str, count: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([word]))


def _without_zeros(counts: dict[str, int]) -> dict[str, int]:
    return {key: count for key, count in counts.items() if count}


def _text(error: DigitsError) -> str:
    return str(error).encode("utf-8", "backslashreplace").decode("utf-8")


__all__ = [
    "ERRORS",
    "PAGES",
    "PREDICTIONS",
    "SCHEMAS",
    "count_errors",
    "error_columns",
    "join_errors",
    "page_columns",
    "prediction_columns",
    "read_tally",
    "split_errors",
    "write_errors",
    "write_part",
]
