"""Pictures that a person corrected, kept as an image folder that ``digits train`` and ``evaluate`` take.

``DIR/<digit>/<sha256 of the file>.png``, grey, as large as the picture was. Nothing of a client becomes part of a path.
"""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path

from PIL import Image

from digit_recognizer.errors import FileError, InputError
from digit_recognizer.files import write_bytes
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import Grey


class CorrectionFull(FileError):
    """The folder holds as many corrections as it may."""

    default_code = "corrections_full"


class CorrectionFolder:
    """A folder of corrected pictures.

    folder: made with the first one, where it is missing; ``digits serve`` makes it at its start. most: how many it may
    hold.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._count = sum(1 for _ in folder.glob("[0-9]/*.png"))

    def keep(self, digit: int, grey: Grey) -> str:
        """Keep a picture, uint8 (H, W), as an example of ``digit``, 0-9; returns its name in the folder.

        The same picture again is no second one; corrected otherwise, it moves. Raises InputError where it is blank,
        FileError, CorrectionFull.
        """
        if not 0 <= digit <= 9:
            raise InputError(f"expected a digit from 0 to 9, found {digit}")
        if not to_frame(grey).any():
            raise InputError("expected a picture of a digit, found a blank one", code="blank_picture")
        file = io.BytesIO()
        Image.fromarray(grey).save(file, "PNG")
        content = file.getvalue()
        name = hashlib.sha256(content).hexdigest() + ".png"
        with self._lock:
            before = [self._folder / str(other) / name for other in range(10)]
            known = [path for path in before if path.exists()]
            if not known and self._count >= self._most:
                raise CorrectionFull(f"{self._folder}: holds {self._most:,} corrections, as many as it may")
            write_bytes(before[digit], content)
            self._count += not known
            for path in known:
                if path != before[digit]:
                    path.unlink(missing_ok=True)
        return f"{digit}/{name}"


__all__ = ["CorrectionFolder", "CorrectionFull"]
