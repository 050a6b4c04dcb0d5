"""Views of a grid's cells become probabilities, as a small network sees them: one ONNX file, run by ONNX Runtime.

Input ``views`` uint8 (N, 48, 48), as ``pictures.cell_view`` makes them; output ``probabilities`` float32 (N, 12): ten
digits, an empty cell, what is no digit. Knows nothing of grids or training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.small_network import SmallNetwork

INPUT = "views"
OUTPUT = "probabilities"
OUTPUTS = 12
EMPTY, OTHER = 10, 11  # of a cell without ink, and of one whose ink is no digit, or several

_AT_ONCE = 32  # views of a run, which bounds memory


class CellReader(SmallNetwork):
    """A cell reader.

    >>> reader = CellReader(Path("cells.onnx").read_bytes(), "cells.onnx")             # doctest: +SKIP
    """

    kind, input, output = "a cell reader", INPUT, OUTPUT

    def probabilities(self, views: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """How likely each cell holds each digit, nothing, or what is no digit: float32 (N, 12), each row's sum 1.

        views: uint8 (N, 48, 48). Raises ModelError where the model fails.

        >>> reader.probabilities(np.zeros((81, 48, 48), np.uint8)).shape                # doctest: +SKIP
        (81, 12)
        """
        found = np.zeros((len(views), OUTPUTS), np.float32)
        for first in range(0, len(views), _AT_ONCE):
            batch = np.ascontiguousarray(views[first : first + _AT_ONCE])
            found[first : first + len(batch)] = self._run(batch, (len(batch), OUTPUTS))
        return found


__all__ = ["EMPTY", "INPUT", "OTHER", "OUTPUT", "OUTPUTS", "CellReader"]
