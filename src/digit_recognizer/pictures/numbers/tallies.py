"""Strokes in groups may be counts, as people keep them, and no numbers of 1s: they are not accepted.

Knows nothing of pixels but a digit's frame, nor of models.
"""

from __future__ import annotations

from collections.abc import Sequence

from digit_recognizer.pictures.numbers.read_word import ReadWord, not_accepted_at
from digit_recognizer.pictures.numbers.slashes import is_stroke

TALLY = "strokes, which may be a tally"

_GROUP, _SEVERAL = 2, 3  # bare strokes of a word that may be a group of a tally, and that may be one by themselves


def tallies_refused(words: Sequence[ReadWord]) -> list[ReadWord]:
    """The same words; those of bare strokes alone, three at least, or two where there are more such words, are not
    accepted: of a lone 11 nobody thinks so.

    A 1 with a foot or a flag, as in most print, is no bare stroke.

    >>> tallies_refused([])
    []
    """
    groups = {
        place: len(word.digits)
        for place, word in enumerate(words)
        if len(word.digits) >= _GROUP and all(is_stroke(digit) for digit in word.digits)
    }
    if len(groups) < 2 and max(groups.values(), default=0) < _SEVERAL:
        return list(words)
    return not_accepted_at(words, groups, TALLY)


__all__ = ["TALLY", "tallies_refused"]
