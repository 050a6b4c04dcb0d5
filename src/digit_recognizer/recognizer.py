"""Digits become readings: one ONNX file, opened once, run by ONNX Runtime. Knows nothing of training."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, Digits
from digit_recognizer.errors import ModelError, UsageError
from digit_recognizer.model_file import ModelFile, ModelMetadata, check_model, read_model
from digit_recognizer.model_probe import ensure_safe, open_session, run_session
from digit_recognizer.reading import Reading, readings

_SHIPPED = "assets/digits.onnx"
_MOST_THREADS = 4  # on 28x28 pictures more threads wait for each other longer than they work


class Recognizer:
    """Reads digits with one model. Open it once; it may be used by several threads at the same time.

    model:   an .onnx file, or a run folder holding model.onnx; None means the model that ships with the package.
    threads: how many threads ONNX Runtime uses, 1 or more; None means one per core, four at most.

    The file is checked, and one not seen before is tried in a limited child process, before it is opened here. Raises
    ModelError where it is no model that keeps the contract, FileError where it cannot be read, UsageError for threads
    below 1.

    >>> recognizer = Recognizer("runs/kaggle")                            # doctest: +SKIP
    >>> recognizer.predict(digits)[0].digit                               # doctest: +SKIP
    7
    """

    def __init__(self, model: str | Path | None = None, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"expected 1 or more threads, found {threads}")
        if model is None:
            file = _shipped_model()
        else:
            file = read_model(model)
            ensure_safe(file)
        self._name = file.name
        self._metadata = file.metadata
        self._sha256 = file.sha256
        try:
            self._session = open_session(file.content, threads or min(_MOST_THREADS, _cores()))
        except ModelError as error:
            raise ModelError(f"{file.name}: {error}", code=error.code) from error

    def __repr__(self) -> str:
        return f"Recognizer({self._name!r}, preset {self._metadata.preset!r})"

    @property
    def metadata(self) -> ModelMetadata:
        """What the model file says of itself."""
        return self._metadata

    @property
    def min_confidence(self) -> float:
        """The threshold in the file, 0-1: readings with less confidence are not accepted."""
        return self._metadata.min_confidence

    @property
    def sha256(self) -> str:
        """SHA-256 of the model file, hex: which model gave an answer."""
        return self._sha256

    def probabilities(self, images: npt.NDArray[np.uint8], batch_size: int = 256) -> npt.NDArray[np.float32]:
        """Calibrated probabilities, float32 (N, 10), of images uint8 (N, 28, 28), ink bright on black.

        batch_size: images per run, 1 or more; it bounds memory and changes answers by rounding alone (< 1e-5).
        Raises InputError where the images are of another type or shape, ModelError where the model fails.

        >>> recognizer.probabilities(np.zeros((0, 28, 28), np.uint8)).shape   # doctest: +SKIP
        (0, 10)
        """
        if batch_size < 1:
            raise UsageError(f"expected a batch size of 1 or more, found {batch_size}")
        images = Digits(images).images
        result = np.empty((len(images), CLASSES), np.float32)
        for start in range(0, len(images), batch_size):
            batch = np.ascontiguousarray(images[start : start + batch_size])
            try:
                result[start : start + len(batch)] = run_session(self._session, batch)
            except ModelError as error:
                raise ModelError(f"{self._name}: {error}", code=error.code) from error
        return result

    def predict(self, digits: Digits | npt.NDArray[np.uint8]) -> list[Reading]:
        """One reading per image, in order, accepted where its confidence reaches the threshold in the model file.

        digits: Digits, or images uint8 (N, 28, 28), then named by their number from 1. Raises as ``probabilities``.

        >>> recognizer.predict(digits)[0].accepted                            # doctest: +SKIP
        True
        """
        if not isinstance(digits, Digits):
            digits = Digits(digits)
        names = [digits.name(index) for index in range(len(digits))]
        return readings(self.probabilities(digits.images), names, self.min_confidence)


def _shipped_model() -> ModelFile:
    shipped = resources.files("digit_recognizer").joinpath(_SHIPPED)
    if not shipped.is_file():
        raise ModelError(
            "this version ships without a model; train one with: digits train DATA -o RUN, then --model RUN"
        )
    return check_model(shipped.read_bytes(), Path(_SHIPPED).name)


def _cores() -> int:
    """Cores that this process may use; a container or taskset often allows fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["Recognizer"]
