"""Strips of digits that touch become the line reader's answer, frame by frame: one ONNX file, run by ONNX Runtime.

Input ``strips`` uint8 (N, 32, W), ink bright on black; output ``log_probabilities`` float32 (N, T, 12), T frames of two
columns each: ten digits, another character, none. Knows nothing of pages or training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digit_recognizer.errors import ModelError
from digit_recognizer.model_probe import open_session
from digit_recognizer.pictures.ctc import OUTPUTS, LogProbabilities
from digit_recognizer.pictures.strips import COLUMNS_A_FRAME, Grey, batches

INPUT = "strips"
OUTPUT = "log_probabilities"


class LineReader:
    """A line reader, opened once; it may be used by several threads at the same time.

    content: of the ONNX file. name: what messages call it. threads: of ONNX Runtime, 1 or more.
    Raises ModelError where it cannot be opened, or is none.

    >>> reader = LineReader(Path("lines.onnx").read_bytes(), "lines.onnx")             # doctest: +SKIP
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
            raise ModelError(f"{name}: expected a line reader, {INPUT} to {OUTPUT}, found {inputs} to {outputs}")

    def frames(self, strips: Sequence[Grey]) -> list[LogProbabilities]:
        """The answer for each strip, float32 (T, 12), logarithms of probabilities, T half its width, in their order.

        strips: uint8 (32, W) each, as ``pictures.strips`` makes them. Raises ModelError where the model fails.

        >>> [answer.shape for answer in reader.frames([np.zeros((32, 60), np.uint8)])]   # doctest: +SKIP
        [(30, 12)]
        """
        found: list[LogProbabilities] = [np.zeros((0, OUTPUTS), np.float32)] * len(strips)
        for numbers, batch in batches(strips):
            try:
                answers = self._session.run([OUTPUT], {INPUT: batch})[0]
            except Exception as error:  # ONNX Runtime's errors have no base class of their own
                raise ModelError(f"{self.name}: ONNX Runtime cannot run the model") from error
            expected = (len(numbers), batch.shape[2] // COLUMNS_A_FRAME, OUTPUTS)
            if answers.shape != expected or not np.isfinite(answers).all():
                raise ModelError(f"{self.name}: expected finite answers {expected}, found others {answers.shape}")
            for number, answer in zip(numbers, answers, strict=True):
                found[number] = answer[: strips[number].shape[1] // COLUMNS_A_FRAME]
        return found


__all__ = ["INPUT", "OUTPUT", "LineReader"]
