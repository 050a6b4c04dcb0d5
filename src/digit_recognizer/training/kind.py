"""Whose run folder is this? The trainings of readers other than the digit's say their kind in config.json."""

from __future__ import annotations

import json
from pathlib import Path

from digit_recognizer.errors import FileError
from digit_recognizer.files import read_bytes

CONFIG, KIND = "config.json", "kind"


def ensure_kind(folder: Path, kind: str) -> None:
    """Raise FileError where ``folder`` holds the run of another training, so that none is written over by mistake.

    kind: what this one calls itself in its config.json.

    >>> ensure_kind(Path("no such folder"), "lines")
    """
    config = folder / CONFIG
    if not config.is_file():
        return
    try:
        found = json.loads(read_bytes(config)).get(KIND)
    except (ValueError, AttributeError):
        found = None
    if found != kind:
        raise FileError(
            f"{folder}: holds the run of another training; name another folder with --output", code="folder_not_empty"
        )


__all__ = ["CONFIG", "KIND", "ensure_kind"]
