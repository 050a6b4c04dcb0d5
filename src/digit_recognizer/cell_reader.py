"""Views of a grid's cells become probabilities, as a small network sees them: one ONNX file, run by ONNX Runtime.

Input ``views`` uint8 (N, 48, 48), as ``pictures.cell_view`` makes them; output ``probabilities`` float32 (N, 12): ten
digits, an empty cell, what is no digit. Knows nothing of grids or training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import ModelError
from digit_recognizer.model_probe import open_session

INPUT = "views"
OUTPUT = "probabilities"
OUTPUTS = 12
EMPTY, OTHER = 10, 11  # of a cell without ink, and of one whose ink is no digit, or several

_AT_ONCE = 32  # views of a run, which bounds memory


class CellReader:
    """A cell reader, opened once; it may be used by several threads at the same time.

    content: of the ONNX file. name: what messages call it. threads: of ONNX Runtime, 1 or more.
    Raises ModelError where it cannot be opened, or is none.

    >>> reader = CellReader(Path("cells.onnx").read_bytes(), "cells.onnx")             # doctest: +SKIP
    """

    def __init__(self, content: bytes, name: str, threads: int = 1) -> None:
        self.name = name
        try:
            self._session = open_session(content, threads)
        except ModelError as error:
            raise ModelError(f"{name}: {error}", code=error.code) from error
        inputs = [(value.name, value.type) for value in self._session.get_inputs()]
        outputs = [value.name for value in self._session.get_outputs()]
        if inputs != [(INPUT, "tensor(uint8)")] or outputs != [OUTPUT]:
            raise ModelError(f"{name}: expected a cell reader, {INPUT} to {OUTPUT}, found {inputs} to {outputs}")

    def probabilities(self, views: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """How likely each cell holds each digit, nothing, or what is no digit: float32 (N, 12), each row's sum 1.

        views: uint8 (N, 48, 48). Raises ModelError where the model fails.

        >>> reader.probabilities(np.zeros((81, 48, 48), np.uint8)).shape                # doctest: +SKIP
        (81, 12)
        """
        found = np.zeros((len(views), OUTPUTS), np.float32)
        for first in range(0, len(views), _AT_ONCE):
            batch = np.ascontiguousarray(views[first : first + _AT_ONCE])
            try:
                answer = self._session.run([OUTPUT], {INPUT: batch})[0]
            except Exception as error:  # ONNX Runtime's errors have no base class of their own
                raise ModelError(f"{self.name}: ONNX Runtime cannot run the model") from error
            if answer.shape != (len(batch), OUTPUTS) or not np.isfinite(answer).all():
                expected = (len(batch), OUTPUTS)
                raise ModelError(f"{self.name}: expected finite answers {expected}, found others {answer.shape}")
            found[first : first + len(batch)] = answer
        return found


__all__ = ["EMPTY", "INPUT", "OTHER", "OUTPUT", "OUTPUTS", "CellReader"]
