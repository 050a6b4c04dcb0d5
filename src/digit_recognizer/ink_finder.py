"""A grey picture becomes its ink, pixel by pixel, as a small network sees it: one ONNX file, run by ONNX Runtime.

Input ``pictures`` uint8 (N, H, W), sides multiples of 32; output ``ink`` float32 (N, H, W), 0-1: how likely a stroke
covers a pixel; shadows, paper, rules and boxes are no ink. Knows nothing of digits or training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.small_network import SmallNetwork

INPUT = "pictures"
OUTPUT = "ink"
STRIDE = 32  # sides of what the network sees are multiples of it

Grey = npt.NDArray[np.uint8]


class InkFinder(SmallNetwork):
    """An ink finder.

    >>> finder = InkFinder(Path("ink.onnx").read_bytes(), "ink.onnx")                  # doctest: +SKIP
    """

    kind, input, output = "an ink finder", INPUT, OUTPUT

    def ink(self, grey: Grey) -> npt.NDArray[np.float32]:
        """How likely a stroke covers each pixel, 0-1: float32 (H, W).

        grey: uint8 (H, W), any size of at least 1 x 1; beyond its edges its outermost pixels are repeated. Raises
        ModelError where the model fails.

        >>> finder.ink(np.full((50, 70), 255, np.uint8)).shape                          # doctest: +SKIP
        (50, 70)
        """
        height, width = grey.shape
        padded = np.pad(grey, ((0, -height % STRIDE), (0, -width % STRIDE)), mode="edge")
        found = self._run(padded[None], (1, *padded.shape))
        return np.ascontiguousarray(found[0, :height, :width])


__all__ = ["INPUT", "OUTPUT", "STRIDE", "InkFinder"]
