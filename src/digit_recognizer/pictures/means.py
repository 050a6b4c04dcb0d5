"""What a page is read with, and what is asked for: one value, handed on by all that read a part of it."""

from __future__ import annotations

from typing import NamedTuple

from digit_recognizer.pictures.cells import Answer, ReadViews
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.ink_map import FindInk
from digit_recognizer.pictures.runs import ReadStrips
from digit_recognizer.pictures.steps import Watch, unwatched


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


__all__ = ["Means"]
