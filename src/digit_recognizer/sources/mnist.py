"""The name "mnist" becomes a Dataset: found on this machine, or downloaded once, hash-checked, and kept.

Knows nothing of the format of the files (idx.py reads them).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from digit_recognizer.digits import Dataset
from digit_recognizer.errors import FileError, MissingExtra
from digit_recognizer.sources.idx import has_idx_files, read_idx_folder

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
# MD5 of the files as they are published. It guards against damage; TLS guards the way.
HASHES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
# ``Digits.fingerprint()`` of its two parts.
TRAIN_FINGERPRINT = "d18cfd466eb143ac1097fde604dba9eec4116885869d04cc648b510949f9e88c"
TEST_FINGERPRINT = "a0863a96c44e5666edbb30c4071ee79ca0514c621e6349c5967fc78e7305c891"
_TIMEOUT_S = 15


def load_mnist(
    *,
    folder: Path | None = None,
    cache: Path | None = None,
    mirrors: Sequence[str] = MIRRORS,
    hashes: Mapping[str, str] = HASHES,
) -> Dataset:
    """MNIST (LeCun, Cortes, Burges): 60,000 labelled digits to learn from and 10,000 to test on.

    folder: where to look first, in itself and in its ``mnist/``; left out, the folder that DIGITS_DATA names.
    cache: where downloads are kept; left out, DIGITS_CACHE, else the platform's cache folder. What lies there already
    is checked by its hash and not downloaded again.
    mirrors: addresses of folders, tried in turn for each file. hashes: the files' names with their MD5.
    Progress goes to stderr. Raises MissingExtra without pooch, FileError where no mirror gave a file whose hash is
    right, and what read_idx_folder raises.

    >>> load_mnist()                                                              # doctest: +SKIP
    Dataset(name='mnist', train=Digits(60,000 images, labelled), test=Digits(10,000 images, labelled))
    """
    place = _on_this_machine(folder) or _downloaded(cache, mirrors, hashes)
    found = read_idx_folder(place)
    return Dataset("mnist", found.train, found.test)


def _on_this_machine(folder: Path | None) -> Path | None:
    named = os.environ.get("DIGITS_DATA")
    root = folder or (Path(named) if named else None)
    if root is None:
        return None
    return next((place for place in (root / "mnist", root) if has_idx_files(place)), None)


def _downloaded(cache: Path | None, mirrors: Sequence[str], hashes: Mapping[str, str]) -> Path:
    """The cache folder, every file in it whole."""
    try:
        import pooch
    except ImportError as error:
        raise MissingExtra("data", "downloading MNIST") from error
    named = os.environ.get("DIGITS_CACHE")
    place = (cache or Path(named or pooch.os_cache("digit-recognizer"))) / "mnist"
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # the progress bar says what is being loaded
    try:
        for name, md5 in hashes.items():
            _fetch(pooch, name, md5, place, mirrors)
    finally:
        logger.setLevel(level)
    return place


def _fetch(pooch: ModuleType, name: str, md5: str, place: Path, mirrors: Sequence[str]) -> None:
    """Make sure that ``place / name`` is there with the right hash. It appears whole or not at all."""
    reasons = []
    for mirror in mirrors:
        downloader = pooch.HTTPDownloader(timeout=_TIMEOUT_S, progressbar=_Progress(name))
        try:
            pooch.retrieve(
                mirror.rstrip("/") + "/" + name, known_hash=f"md5:{md5}", fname=name, path=place, downloader=downloader
            )
            return
        except ValueError:  # pooch's word for a wrong hash
            reasons.append(f"{urlsplit(mirror).netloc}: wrong hash")
        except OSError as error:  # of the network (requests' errors are OSErrors), or of the disk
            if error.errno is not None:  # requests' errors bear no number, the system's do
                raise FileError(f"{error.filename or place}: cannot be written ({error.strerror})") from error
            reasons.append(f"{urlsplit(mirror).netloc}: {_short(error)}")
        finally:
            downloader.progressbar.stop()
    raise FileError(
        f"mnist: {name} is not on this machine and no mirror gave it ({'; '.join(reasons) or 'none was named'}); "
        "set DIGITS_DATA to a folder that holds MNIST's four IDX files, or use `sample`, which needs no download",
        code="download_failed",
    )


def _short(error: OSError) -> str:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status is not None:
        return f"answered {status}"
    names = {"ConnectionError": "no connection", "ConnectTimeout": "no answer", "ReadTimeout": "no answer"}
    return names.get(type(error).__name__, type(error).__name__)


class _Progress:
    """A progress bar on stderr, as pooch asks for one (total, update, reset, close); silent without a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: Any = None
        self._task: Any = None
        self.total = 0

    def update(self, count: int) -> None:
        """``count`` more bytes have come. The first call shows the bar."""
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
            self._task = self._bar.add_task(self._name, total=self.total or None)
            self._bar.start()
        self._bar.update(self._task, advance=count)

    def reset(self) -> None:
        """Back to no bytes: pooch counts whole chunks first and sets the true size at the end."""
        if self._bar is not None:
            self._bar.reset(self._task)

    def close(self) -> None:
        """The file is here."""
        self.stop()

    def stop(self) -> None:
        """Leave the terminal as it was, also after an error."""
        if self._bar is not None:
            self._bar.stop()


__all__ = ["HASHES", "MIRRORS", "TEST_FINGERPRINT", "TRAIN_FINGERPRINT", "load_mnist"]
