"""A grey picture becomes its ink, pixel by pixel, as a small network sees it: one ONNX file, run by ONNX Runtime.

Input ``pictures`` uint8 (N, H, W), sides multiples of 32; output ``ink`` float32 (N, H, W), 0-1: how likely a stroke
covers a pixel; shadows, paper, rules and boxes are no ink. Knows nothing of digits or training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import ModelError
from digit_recognizer.model_probe import open_session

INPUT = "pictures"
OUTPUT = "ink"
STRIDE = 32  # sides of what the network sees are multiples of it

Grey = npt.NDArray[np.uint8]


class InkFinder:
    """An ink finder, opened once; it may be used by several threads at the same time.

    content: of the ONNX file. name: what messages call it. threads: of ONNX Runtime, 1 or more.
    Raises ModelError where it cannot be opened, or is none.

    >>> finder = InkFinder(Path("ink.onnx").read_bytes(), "ink.onnx")                  # doctest: +SKIP
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
            raise ModelError(f"{name}: expected an ink finder, {INPUT} to {OUTPUT}, found {inputs} to {outputs}")

    def ink(self, grey: Grey) -> npt.NDArray[np.float32]:
        """How likely a stroke covers each pixel, 0-1: float32 (H, W).

        grey: uint8 (H, W), any size of at least 1 x 1; beyond its edges its outermost pixels are repeated. Raises
        ModelError where the model fails.

        >>> finder.ink(np.full((50, 70), 255, np.uint8)).shape                          # doctest: +SKIP
        (50, 70)
        """
        height, width = grey.shape
        padded = np.pad(grey, ((0, -height % STRIDE), (0, -width % STRIDE)), mode="edge")
        try:
            found = self._session.run([OUTPUT], {INPUT: padded[None]})[0]
        except Exception as error:  # ONNX Runtime's errors have no base class of their own
            raise ModelError(f"{self.name}: ONNX Runtime cannot run the model") from error
        if found.shape != (1, *padded.shape) or not np.isfinite(found).all():
            raise ModelError(f"{self.name}: expected finite answers {(1, *padded.shape)}, found others {found.shape}")
        return np.ascontiguousarray(found[0, :height, :width])


__all__ = ["INPUT", "OUTPUT", "STRIDE", "InkFinder"]
