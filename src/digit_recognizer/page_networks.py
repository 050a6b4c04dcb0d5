"""The networks that pages are read with beside the digit model, each opened when it is first asked: most are not.

Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from digit_recognizer.shipped import shipped_model

if TYPE_CHECKING:
    from digit_recognizer.cell_reader import CellReader
    from digit_recognizer.ink_finder import InkFinder
    from digit_recognizer.line_reader import LineReader

_Floats = npt.NDArray[np.float32]
_Bytes = npt.NDArray[np.uint8]


class PageNetworks:
    """A line reader, an ink finder and a cell reader. They may be asked by several threads at the same time.

    threads: of ONNX Runtime, for those that ship. lines, ink, cells: "shipped", the one that ships, whose file is
    looked at when it is first asked; another one; or None, and the function that asks it is None.
    """

    def __init__(
        self,
        threads: int,
        *,
        lines: LineReader | Literal["shipped"] | None,
        ink: InkFinder | Literal["shipped"] | None,
        cells: CellReader | Literal["shipped"] | None,
    ) -> None:
        self._threads = threads
        self._lines, self._ink, self._cells = lines, ink, cells

    @property
    def read_strips(self) -> Callable[[Sequence[_Bytes]], list[_Floats]] | None:
        """The line reader's answers, as ``LineReader.frames`` gives them."""
        return None if self._lines is None else self._read_strips

    @property
    def find_ink(self) -> Callable[[_Bytes], _Floats] | None:
        """The ink finder's answer, as ``InkFinder.ink`` gives it."""
        return None if self._ink is None else self._find_ink

    @property
    def read_views(self) -> Callable[[_Bytes], _Floats] | None:
        """The cell reader's answers, as ``CellReader.probabilities`` gives them."""
        return None if self._cells is None else self._read_views

    def _read_strips(self, strips: Sequence[_Bytes]) -> list[_Floats]:
        from digit_recognizer.line_reader import LineReader

        lines = self._lines
        if not isinstance(lines, LineReader):
            file = shipped_model("lines.onnx")
            lines = self._lines = LineReader(file.content, file.name, self._threads)
        return lines.frames(strips)

    def _find_ink(self, grey: _Bytes) -> _Floats:
        from digit_recognizer.ink_finder import InkFinder

        finder = self._ink
        if not isinstance(finder, InkFinder):
            file = shipped_model("ink.onnx")
            finder = self._ink = InkFinder(file.content, file.name, self._threads)
        return finder.ink(grey)

    def _read_views(self, views: _Bytes) -> _Floats:
        from digit_recognizer.cell_reader import CellReader

        cells = self._cells
        if not isinstance(cells, CellReader):
            file = shipped_model("cells.onnx")
            cells = self._cells = CellReader(file.content, file.name, self._threads)
        return cells.probabilities(views)


__all__ = ["PageNetworks"]
