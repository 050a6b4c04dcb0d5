"""Strips of digits that touch become the line reader's answer, frame by frame: one ONNX file, run by ONNX Runtime.

Input ``strips`` uint8 (N, 32, W), ink bright on black; output ``log_probabilities`` float32 (N, T, 12), T frames of two
columns each: ten digits, another character, none. Knows nothing of pages or training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digit_recognizer.pictures.words.ctc import OUTPUTS, LogProbabilities
from digit_recognizer.pictures.words.strips import COLUMNS_A_FRAME, Grey, batches
from digit_recognizer.small_network import SmallNetwork

INPUT = "strips"
OUTPUT = "log_probabilities"


class LineReader(SmallNetwork):
    """A line reader.

    >>> reader = LineReader(Path("lines.onnx").read_bytes(), "lines.onnx")             # doctest: +SKIP
    """

    kind, input, output = "a line reader", INPUT, OUTPUT

    def frames(self, strips: Sequence[Grey]) -> list[LogProbabilities]:
        """The answer for each strip, float32 (T, 12), logarithms of probabilities, T half its width, in their order.

        strips: uint8 (32, W) each, as ``pictures.strips`` makes them; ask about many at once, each is answered as it
        would be alone. Raises ModelError where the model fails.

        >>> [answer.shape for answer in reader.frames([np.zeros((32, 60), np.uint8)])]   # doctest: +SKIP
        [(30, 12)]
        """
        found: list[LogProbabilities] = [np.zeros((0, OUTPUTS), np.float32)] * len(strips)
        for numbers, batch in batches(strips):
            answers = self._run(batch, (len(numbers), batch.shape[2] // COLUMNS_A_FRAME, OUTPUTS))
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer
        return found


__all__ = ["INPUT", "OUTPUT", "LineReader"]
