"""A listing and the settings of a job become its tasks, and the names of its parts. Reads and writes no part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from digit_recognizer._version import __version__
from digit_recognizer.apps.batch.engine import Job, Task
from digit_recognizer.apps.batch.job_folder import FORMAT, PARTS, WORK
from digit_recognizer.apps.batch.listing import Listing, Piece, piece_digest


class Plan:
    """The tasks of a job: which there are, how their parts are called, and which are done.

    pictures: of this share. all_parts: how many parts all shares have together.
    """

    def __init__(self, folder: Path, listing: Listing, job: Job, shard: tuple[int, int]) -> None:
        self.output = folder
        self.folder = folder.absolute()  # as workers need it, wherever they were started
        self.job = job
        self._listing = listing
        asked = [job.task, job.model_sha256, job.kind, job.expect, job.check, job.numbers]
        limits = [job.max_pixels, job.min_confidence]
        self._settings = json.dumps([FORMAT, __version__, *asked, *limits])
        k, n = shard
        pieces = listing.pieces()
        self.all_parts = len(pieces)
        self._pieces = {number: piece for number, piece in enumerate(pieces) if number % n == k - 1}
        self.pictures = sum(piece.pictures for piece in self._pieces.values())

    def tasks(self) -> Iterator[Task]:
        """Every task, in order; each is made when it is asked for."""
        for number, piece in self._pieces.items():
            yield self._task(number, piece)

    def names(self) -> Iterator[str]:
        """What the parts are called, in order."""
        return (Path(task.part).name for task in self.tasks())

    def _task(self, number: int, piece: Piece) -> Task:
        entries = self._listing.between(*piece.entries)
        name = f"part-{number:06d}-{piece_digest(entries, self._settings)}.parquet"
        return Task(
            number,
            piece.pictures,
            entries,
            self.job,
            str(self.folder / PARTS / name),
            str(self.folder / WORK / "errors" / name),
        )


__all__ = ["Plan"]
