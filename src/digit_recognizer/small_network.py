"""One of the small networks that ship beside the digit model: an ONNX file, opened once, looked at, and run.

One input of bytes, one output. Knows nothing of what they mean.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import ModelError
from digit_recognizer.model_probe import open_session


class SmallNetwork:
    """A network, opened once; it may be used by several threads at the same time.

    content: of the ONNX file. name: what messages call it. threads: of ONNX Runtime, 1 or more.
    Raises ModelError where it cannot be opened, or is another one. A copy, by ``pickle`` or ``copy``, opens the same
    content again.
    """

    kind: ClassVar[str]  # in messages
    input: ClassVar[str]
    output: ClassVar[str]

    def __init__(self, content: bytes, name: str, threads: int = 1) -> None:
        self.name = name
        self._made_of = content, name, threads  # for copies
        try:
            self._session = open_session(content, threads)
        except ModelError as error:
            raise ModelError(f"{name}: {error}", code=error.code) from error
        inputs = [(value.name, value.type) for value in self._session.get_inputs()]
        outputs = [value.name for value in self._session.get_outputs()]
        if inputs != [(self.input, "tensor(uint8)")] or outputs != [self.output]:
            found = f"{self.input} to {self.output}, found {inputs} to {outputs}"
            raise ModelError(f"{name}: expected {self.kind}, {found}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of

    def _run(self, batch: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """The answer of that shape. Raises ModelError where the model fails, or gives another one."""
        try:
            answer: Any = self._session.run([self.output], {self.input: batch})[0]
        except Exception as error:  # ONNX Runtime's errors have no base class of their own
            raise ModelError(f"{self.name}: ONNX Runtime cannot run the model") from error
        if answer.shape != shape or not np.isfinite(answer).all():
            raise ModelError(f"{self.name}: expected finite answers {shape}, found others {answer.shape}")
        return np.asarray(answer, np.float32)


__all__ = ["SmallNetwork"]
