"""What a page is read with, and what is asked for: one value, handed on by all that read a part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Images
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.marks.ink_map import FindInk
from digit_recognizer.pictures.watch import Watch, unwatched
from digit_recognizer.pictures.words.runs import ReadStrips

Scores = npt.NDArray[np.float32]
Answer = Callable[[Images], tuple[Scores, Scores | None]]
ReadViews = Callable[[Images], Scores]  # uint8 (N, 48, 48), as cell_view makes them, to float32 (N, 12)


class Means(NamedTuple):
    """Each as the argument of ``read_page`` that is called so."""

    answer: Answer
    expectation: Expectation
    min_confidence: float = 0.0
    name: str = ""
    watch: Watch = unwatched
    read_strips: ReadStrips | None = None
    find_ink: FindInk | None = None
    read_views: ReadViews | None = None
    sample: bool = False


__all__ = ["Answer", "Means", "ReadViews", "Scores"]
