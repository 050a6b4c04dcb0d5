"""What members that were trained apart leave behind until all are there: weights and history, a file for each.

Knows nothing of recipes. A file appears whole or not at all, as every snapshot does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from digit_recognizer.training.checkpoint import CheckpointFolder, Snapshot, load_snapshot, save_snapshot


class MemberFolder:
    """The finished members of a run, and the checkpoints of those that are not. Making the object touches nothing.

    >>> MemberFolder("runs/best/checkpoints-members").file(3).name
    'member-3.safetensors'
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def file(self, member: int) -> Path:
        """Where the finished member lies, or will."""
        return self.folder / f"member-{member}.safetensors"

    def checkpoints(self, member: int) -> CheckpointFolder:
        """Of the member, while it is trained."""
        return CheckpointFolder(self.folder / f"member-{member}")

    def read(self, member: int) -> Snapshot | None:
        """The finished member, None where it is not there. Raises CheckpointError where its file is damaged."""
        return load_snapshot(self.file(member)) if self.file(member).is_file() else None

    def write(self, member: int, snapshot: Snapshot) -> None:
        """Keep a finished member; its checkpoints go. Raises as save_snapshot does."""
        save_snapshot(self.file(member), snapshot)
        self.checkpoints(member).clear()

    def folders(self) -> Iterator[Path]:
        """All folders in which something may have been left half written."""
        if self.folder.is_dir():
            yield self.folder
            yield from (path for path in self.folder.glob("member-*") if path.is_dir())

    def clear(self) -> None:
        """Remove all of it. Raises OSError where that is not allowed."""
        for path in self.folder.glob("member-*"):
            if path.is_dir():
                CheckpointFolder(path).clear()
            else:
                path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()  # where it is there, and empty


__all__ = ["MemberFolder"]
