"""What a batch was asked for, checked. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from digit_recognizer.apps.batch.source import Sizes
from digit_recognizer.apps.options import check_min_confidence
from digit_recognizer.apps.predictions import pixel_limit
from digit_recognizer.errors import UsageError
from digit_recognizer.files import refuse_no_path
from digit_recognizer.pictures.expectation import parse_expectation

TASKS = ("predict", "read")

_PAGES_AT_ONCE = 64  # a page takes a hundred times as long as a digit


@dataclass(frozen=True)
class Request:
    """What ``digits batch`` was asked for.

    source: see ``source.find_source``. output: the folder to write. task: "predict" or "read". model: as Recognizer
    takes it. expect, check, numbers: as ``Recognizer.read`` takes them. part_size: pictures of a part, None for the
    usual. limit: how many pictures at most, from the first on. shard: (k, n), every n-th part from the k-th on, from 1.
    max_pixels: cap on width times height of a picture, None for the usual. min_confidence: from which confidence on a
    digit is accepted, 0-1, None for the model's own.
    Raises UsageError where something is none of these, FileError where the source is the empty text.
    """

    source: str
    output: Path
    task: str = "predict"
    model: str | None = None
    expect: str | None = None
    check: str | None = None
    numbers: str = "digits"
    part_size: int | None = None
    limit: int | None = None
    shard: tuple[int, int] = (1, 1)
    max_pixels: int | None = None
    min_confidence: float | None = None

    def __post_init__(self) -> None:
        refuse_no_path(self.source)
        if self.task not in TASKS:
            raise UsageError(f"expected the task to be one of {', '.join(TASKS)}, found {self.task!r}")
        if self.task == "predict" and (self.expect or self.check or self.numbers != "digits"):
            raise UsageError("--expect, --check and --numbers are for --task read")
        parse_expectation(self.expect, check=self.check, numbers=self.numbers)
        pixel_limit(self.max_pixels)
        check_min_confidence(self.min_confidence)
        shown = str(self.output).encode("utf-8", "backslashreplace").decode("utf-8")
        if shown != str(self.output):
            raise UsageError(f"--output {shown}: expected a name in UTF-8, as Parquet files are not opened by others")
        for name, value in (("--part-size", self.part_size), ("--limit", self.limit)):
            if value is not None and value < 1:
                raise UsageError(f"expected {name} of 1 or more, found {value}")
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise UsageError(f"expected --shard k/n with k from 1 to n, found {self.shard[0]}/{self.shard[1]}")

    def sizes(self) -> Sizes:
        """How many pictures are read as one task."""
        usual = Sizes(_PAGES_AT_ONCE, _PAGES_AT_ONCE) if self.task == "read" else Sizes()
        return usual if self.part_size is None else Sizes(self.part_size, self.part_size)


__all__ = ["TASKS", "Request"]
