"""The counts of a batch beside the figures in a model's file: what came in otherwise than the model knows it.

The rule, one for all figures: a difference is notable where it is more than half of what single digits differ by (half
a standard deviation among the model's own validation digits), and more than chance gives among so many (three standard
errors of the difference). The first keeps a million pictures from making every trifle notable, the second a few dozen.
Of fewer than that nothing is: a standard error tells of chance only where many are added up; a single digit is one of
the ten, and may be one of the few that a good model is unsure of. Reads no pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from digit_recognizer.analysis.inputs import MEASURES, InputFigures, Spread
from digit_recognizer.apps.batch.tally import Tally

NOTABLE = 0.5  # standard deviations
CHANCE = 3.0  # standard errors
FEWEST = 30  # digits

# The smallest deviation that is reckoned with: a model that was validated on little may have met hardly any.
_LEAST = {"ink": 0.02, "inked": 0.02, "soft": 0.02, "size": 1.0, "confidence": 0.05, "accepted": 0.1, "share": 0.1}

_WORDS = {
    "ink": "mean ink of a frame, 0-1",
    "inked": "inked pixels of a frame, 0-1",
    "soft": "pixels neither empty nor full, 0-1",
    "size": "longer side of a digit, pixels",
    "confidence": "mean confidence",
    "accepted": "digits accepted, 0-1",
}
# What it says where there is less than the model knows, and where there is more.
_MEANINGS = {
    "ink": ("fainter or thinner strokes", "darker or thicker strokes"),
    "inked": ("thinner strokes", "thicker strokes"),
    "soft": ("harder edges", "softer edges: blurred, or enlarged from few pixels"),
    "size": (
        "digits are smaller in their frames; pixels are read as they are given, pictures are framed",
        "digits are larger in their frames; pixels are read as they are given, pictures are framed",
    ),
    "confidence": ("the model is less sure", "the model is surer"),
    "accepted": ("the model is less often sure enough", "the model is more often sure enough"),
}


@dataclass(frozen=True)
class Difference:
    """One figure of a batch beside the model's. here: over ``count`` digits, None where it is not known (of pages).

    known: over ``known_count`` digits that the model was validated on; deviation: of single ones among these. meaning:
    what it says, if it is notable.
    """

    figure: str
    words: str
    here: float | None
    known: float
    deviation: float
    count: int
    known_count: int
    meaning: str

    @property
    def distance(self) -> float | None:
        """In standard deviations, above 0 where there is more here."""
        return None if self.here is None else (self.here - self.known) / self.deviation

    @property
    def is_notable(self) -> bool:
        """Whether it is by the rule above."""
        if self.distance is None or self.count < FEWEST:
            return False
        chance = CHANCE * math.sqrt(1 / max(1, self.count) + 1 / max(1, self.known_count))
        return abs(self.distance) > max(NOTABLE, chance)

    @property
    def sentence(self) -> str:
        """For a person.

        >>> Difference("ink", "mean ink", 0.07, 0.13, 0.04, 900, 6000, "fainter or thinner strokes").sentence
        'mean ink: 0.07, where the model knows 0.13 (1.5 deviations less): fainter or thinner strokes'
        """
        distance = self.distance or 0.0
        return (
            f"{self.words}: {self.here:.3g}, where the model knows {self.known:.3g} ({abs(distance):.1f} deviations "
            f"{'more' if distance > 0 else 'less'}): {self.meaning}"
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "figure": self.figure,
            "here": self.here,
            "model": self.known,
            "deviations": None if self.distance is None else round(self.distance, 3),
            "notable": self.is_notable,
        }


def differences(tally: Tally, known: InputFigures, *, own_threshold: bool = True) -> list[Difference]:
    """Every figure of a batch beside the model's, of the digits' shares the one that is furthest off.

    own_threshold: digits were accepted by the model's own threshold; by another one their share says nothing.
    """
    digits = sum(tally.digits)
    spreads = {**{name: getattr(known, name) for name in MEASURES}, "confidence": known.confidence}
    if own_threshold:
        spreads["accepted"] = Spread(known.accepted, _of_share(known.accepted))
    here = {**{name: tally.mean_of(name) for name in MEASURES}, "confidence": tally.mean_confidence}
    here["accepted"] = tally.sure_share
    found = [
        _difference(name, here[name], spread, tally.frames if name in MEASURES else digits, known.frames)
        for name, spread in spreads.items()
    ]
    shares = [
        Difference(
            f"share of {digit}",
            f"share of the digit {digit}, 0-1",
            found_here if digits else None,
            share,
            max(_of_share(share), _LEAST["share"]),
            digits,
            known.frames,
            f"{'more' if found_here > share else 'fewer'} of it than usual",
        )
        for digit, (found_here, share) in enumerate(zip(tally.shares, known.shares, strict=True))
    ]
    return [*found, max(shares, key=lambda each: abs(each.distance or 0))]


def notable(found: Sequence[Difference]) -> list[str]:
    """Sentences on those that are notable."""
    return [each.sentence for each in found if each.is_notable]


def _difference(figure: str, here: float | None, known: Spread, count: int, known_count: int) -> Difference:
    less, more = _MEANINGS[figure]
    meaning = more if here is not None and here > known.mean else less
    deviation = max(known.deviation, _LEAST[figure])
    return Difference(figure, _WORDS[figure], here, known.mean, deviation, count, known_count, meaning)


def _of_share(share: float) -> float:
    """The standard deviation of what is so with probability ``share``."""
    return math.sqrt(share * (1 - share)) if share < 1 else 0.0


__all__ = ["CHANCE", "FEWEST", "NOTABLE", "Difference", "differences", "notable"]
