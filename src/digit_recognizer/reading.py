"""Reading: what the recognizer says of one digit. Line and Page: of many, and where they stand.

Knows nothing of models or pictures; numbers in, plain values out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Images

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLANK = "blank"
NOT_A_DIGIT = "not a digit"
UNSURE = "unsure"

Box = tuple[int, int, int, int]

# More likely no digit than one.
MAX_UNFAMILIARITY = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """One digit as the recognizer reads it.

    digit: 0-9. confidence: calibrated probability that the picture shows this digit, 0-1; the largest of
    ``probabilities``. accepted: confident enough to act on. second, second_confidence: the runner-up.
    probabilities: float32 (10,); their sum is 1 - unfamiliarity. frame: uint8 (28, 28), what the network saw, ink
    bright on black. name: what the image is called. unfamiliarity: probability that the picture shows no digit, 0-1;
    0 where the model cannot tell. reason: why it was not accepted, None where it was:

    - ``"blank"``: there is no ink; all probabilities are 0, and ``digit`` means nothing
    - ``"not a digit"``: unfamiliarity is above 0.5
    - ``"unsure"``: the confidence is below the model's threshold
    - on pages also what speaks against the number that it stands in, in words

    Two readings are equal where all else than the arrays is; so are lines and pages of equal readings.
    """

    digit: int
    confidence: float
    accepted: bool
    second: int
    second_confidence: float
    probabilities: npt.NDArray[np.float32] = field(repr=False, compare=False)
    frame: Images = field(repr=False, compare=False)
    name: str = ""
    unfamiliarity: float = 0.0
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain JSON values, in the order of the CSV that ``digits predict`` writes."""
        return {
            "name": self.name,
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "accepted": self.accepted,
            "second": self.second,
            "second_confidence": round(self.second_confidence, 6),
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the frame that the network saw and what it said, with matplotlib (extra ``report``).

        axes: where to; new ones where left out, which a notebook shows. Raises MissingExtra without matplotlib.
        """
        from digit_recognizer.reading_plots import plot_reading

        return plot_reading(self, axes)


@dataclass(frozen=True, slots=True)
class PlacedReading(Reading):
    """A digit on a page, whose name the page has: its own is empty.

    box: (x, y, width, height) in pixels of the picture as the person sees it.
    """

    box: Box = (0, 0, 0, 0)

    @classmethod
    def of(cls, reading: Reading, box: Box) -> PlacedReading:
        """The same reading, with its place."""
        return cls(**{each.name: getattr(reading, each.name) for each in fields(Reading)}, box=box)

    def to_dict(self) -> dict[str, Any]:
        """The digit as plain JSON values, as a page lists it."""
        return {
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "accepted": self.accepted,
            "box": list(self.box),
            "second": self.second,
            "second_confidence": round(self.second_confidence, 6),
        }


def refused(digit: PlacedReading, reason: str) -> PlacedReading:
    """The digit, not accepted for that reason; one that was not before keeps its own.

    >>> digit = PlacedReading(7, 0.99, True, 1, 0.01, np.zeros(10, np.float32), np.zeros((28, 28), np.uint8))
    >>> refused(refused(digit, "too small"), "bars").reason
    'too small'
    """
    return replace(digit, accepted=False, reason=reason) if digit.accepted else digit


@dataclass(frozen=True, slots=True)
class Line:
    """A line of numbers. text: its digits, a space between two numbers. digits: left to right."""

    text: str
    digits: tuple[PlacedReading, ...]

    @property
    def confidence(self) -> float:
        """How sure it is that every digit is right, 0-1: the product of their confidences."""
        return math.prod(digit.confidence for digit in self.digits)

    @property
    def accepted(self) -> bool:
        """Whether every digit is accepted."""
        return all(digit.accepted for digit in self.digits)

    @property
    def reason(self) -> str | None:
        """Why it is not accepted, of the first digit that has more than doubts of its own; None where it is."""
        reasons = [digit.reason for digit in self.digits if digit.reason is not None]
        return next((reason for reason in reasons if reason not in (UNSURE, NOT_A_DIGIT)), next(iter(reasons), None))

    @property
    def box(self) -> Box:
        """The smallest box around its digits, (x, y, width, height)."""
        return around(digit.box for digit in self.digits)

    def to_dict(self) -> dict[str, Any]:
        """The line as plain JSON values."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "accepted": self.accepted,
            "reason": self.reason,
            "box": list(self.box),
            "digits": [digit.to_dict() for digit in self.digits],
        }

    def plot(self, picture: Any, axes: Axes | None = None) -> Axes:
        """Draw the part of the picture where the line stands, as ``Page.plot`` draws all of it."""
        from digit_recognizer.reading_plots import plot_page

        return plot_page(Page((self,)), picture, axes, self.box)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something on a page that was not read, or not as expected. box: where it stands. reason: why, in words."""

    box: Box
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on one picture. lines: top to bottom. rejected: what is no digit. name: what the picture is called.

    turned: by how many degrees clockwise the picture was turned to be read, 0, 90, 180 or 270; boxes lie in the picture
    as it came all the same.

    >>> Page().text, Page(name="blank.png").to_dict()
    ('', {'file': 'blank.png', 'lines': [], 'rejected': []})
    """

    lines: tuple[Line, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    name: str = ""
    turned: int = field(default=0, repr=False)

    @property
    def text(self) -> str:
        """The numbers as text, one line for each line."""
        return "\n".join(line.text for line in self.lines)

    @property
    def digits(self) -> tuple[PlacedReading, ...]:
        """All digits in reading order."""
        return tuple(digit for line in self.lines for digit in line.digits)

    def to_dict(self) -> dict[str, Any]:
        """The page as plain JSON values, as ``digits read --json`` prints it."""
        return {
            "file": self.name,
            "lines": [line.to_dict() for line in self.lines],
            "rejected": [{"box": list(found.box), "reason": found.reason} for found in self.rejected],
        }

    def plot(self, picture: Any, axes: Axes | None = None) -> Axes:
        """Draw the picture with what was read on it, with matplotlib (extra ``report``).

        picture: the one that was read, an array (H, W) or (H, W, 3) or a PIL image. axes: where to; new ones where
        left out, which a notebook shows. Accepted digits are blue, others orange with a question mark, what is no digit
        is grey. Raises MissingExtra without matplotlib, UsageError where ``picture`` is none.
        """
        from digit_recognizer.reading_plots import plot_page

        return plot_page(self, picture, axes)


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around one or more others, each (x, y, width, height).

    >>> around([(0, 0, 2, 2), (5, 1, 2, 4)])
    (0, 0, 7, 5)
    """
    given = list(boxes)
    left, top = min(box[0] for box in given), min(box[1] for box in given)
    right, bottom = max(box[0] + box[2] for box in given), max(box[1] + box[3] for box in given)
    return left, top, right - left, bottom - top


def overlap(box: Box, other: Box) -> bool:
    """Whether two boxes have a part in common.

    >>> overlap((0, 0, 10, 10), (9, 9, 5, 5)), overlap((0, 0, 10, 10), (10, 0, 5, 5))
    (True, False)
    """
    return (
        box[0] < other[0] + other[2]
        and other[0] < box[0] + box[2]
        and box[1] < other[1] + other[3]
        and other[1] < box[1] + box[3]
    )


def clipped(box: Box, width: int, height: int) -> Box:
    """The part of a box that lies in a picture of that size, one pixel at least.

    >>> clipped((-3, 5, 10, 10), 60, 12), clipped((60, 2, 4, 4), 60, 12)
    ((0, 5, 7, 7), (59, 2, 1, 4))
    """
    x, y = min(max(box[0], 0), width - 1), min(max(box[1], 0), height - 1)
    return x, y, max(min(box[0] + box[2], width) - x, 1), max(min(box[1] + box[3], height) - y, 1)


def readings(
    probabilities: npt.NDArray[np.float32],
    names: Sequence[str],
    min_confidence: float,
    *,
    frames: Images,
    unfamiliarity: npt.NDArray[np.float32] | None = None,
) -> list[Reading]:
    """Turn probabilities, float32 (N, 10), into N readings; those below ``min_confidence`` are not accepted.

    frames: uint8 (N, 28, 28), what the probabilities were found for. unfamiliarity: float32 (N,), 0-1, by which the
    rows are short of 1; None where they sum to 1.

    >>> p = np.full((1, 10), 0.02, np.float32); p[0, 7] = 0.82
    >>> readings(p, ["a.png"], 0.9, frames=np.full((1, 28, 28), 255, np.uint8))[0].reason
    'unsure'
    """
    count = np.arange(len(probabilities))
    first = probabilities.argmax(axis=1)
    others = probabilities.copy()
    others[count, first] = -1
    second = others.argmax(axis=1)
    blank: npt.NDArray[np.bool_] = np.logical_not(frames.any(axis=(1, 2)))
    strange = np.zeros(len(count), np.float32) if unfamiliarity is None else unfamiliarity
    if blank.any():
        # Whatever a network makes of nothing: it is no digit, surely.
        probabilities = np.where(blank[:, None], np.float32(0), probabilities)
        strange = np.where(blank, np.float32(1), strange)
    confidence = probabilities[count, first].astype(np.float64)
    reasons = np.full(len(count), None, object)
    reasons[confidence < min_confidence] = UNSURE
    reasons[strange > MAX_UNFAMILIARITY] = NOT_A_DIGIT
    reasons[blank] = BLANK
    return [
        Reading(digit, sure, reason is None, runner_up, less_sure, row, frame, name, strangeness, reason)
        for digit, sure, runner_up, less_sure, row, frame, name, strangeness, reason in zip(
            first.tolist(),
            confidence.tolist(),
            second.tolist(),
            probabilities[count, second].tolist(),
            probabilities,
            frames,
            names,
            strange.tolist(),
            reasons.tolist(),
            strict=True,
        )
    ]


__all__ = [
    "BLANK",
    "MAX_UNFAMILIARITY",
    "NOT_A_DIGIT",
    "UNSURE",
    "Box",
    "Line",
    "Page",
    "PlacedReading",
    "Reading",
    "Rejected",
    "around",
    "clipped",
    "overlap",
    "readings",
    "refused",
]
