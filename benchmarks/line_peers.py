"""What people use today reads pictures of lines: Tesseract, and RapidOCR in an environment of its own.

RapidOCR brings opencv-python, which overwrites the headless one that this package installs; so it runs as a child:

    python -m venv .peers && .peers/bin/pip install rapidocr-onnxruntime==1.4.4
    python benchmarks/lines.py --rapidocr .peers/bin/python

Knows nothing of what is right. Imports nothing of this package: the child runs this very file.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WHITELIST = "0123456789"


def tesseract_version() -> str | None:
    """Its version, "tesseract 5.3.0", or None where it is not installed."""
    if shutil.which("tesseract") is None:
        return None
    run = subprocess.run(["tesseract", "--version"], capture_output=True, text=True)
    return (run.stdout or run.stderr).splitlines()[0]


def ask_tesseract(pictures: Sequence[bytes], *, one_line: bool, threads: int) -> list[str]:
    """What Tesseract's LSTM reads with a whitelist of digits. pictures: PNG files. one_line: told that there is one."""
    command = ["tesseract", "stdin", "stdout", "--oem", "1", "--psm", "7" if one_line else "6"]
    command += ["-c", f"tessedit_char_whitelist={WHITELIST}"]
    environment = {"OMP_THREAD_LIMIT": str(threads), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    return [
        subprocess.run(command, input=picture, capture_output=True, env=environment, timeout=120).stdout.decode()
        for picture in pictures
    ]


def ask_rapidocr(python: str, pictures: Sequence[bytes], *, one_line: bool, threads: int) -> list[str]:
    """What RapidOCR reads, run by another Python. one_line: its recogniser alone, without looking for lines first.

    Raises SystemExit, with the last line of what it said, where it does not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(pictures):
            Path(folder, f"{number:06}.png").write_bytes(picture)
        command = [python, __file__, folder, "line" if one_line else "page", str(threads)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if run.returncode:
        raise SystemExit(f"error: {python} does not run RapidOCR: {(run.stderr.strip().splitlines() or ['?'])[-1]}")
    found: list[str] = json.loads(run.stdout.splitlines()[-1])
    return found


def digits_of(text: str) -> str:
    """The digits in a text, whatever stands between them."""
    return re.sub(r"[^0-9]", "", text)


def _child(folder: str, kind: str, threads: int) -> None:
    """Read every picture in a folder; print a JSON list of texts."""
    from rapidocr_onnxruntime import RapidOCR

    engine: Any = RapidOCR(intra_op_num_threads=threads, inter_op_num_threads=1)
    texts = []
    for path in sorted(Path(folder).glob("*.png")):
        if kind == "line":
            found, _ = engine(str(path), use_det=False, use_cls=False, use_rec=True)
            texts.append(" ".join(str(row[0]) for row in found or []))
        else:
            found, _ = engine(str(path))
            texts.append("\n".join(str(row[1]) for row in found or []))
    print(json.dumps(texts))


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
