"""On a full page each mark is looked at by itself first: words most of whose marks are letters need no closer look.

Asked of a page of print, a closer look at each letter (is it two digits in touch, is it a half of one?) takes most of
the time, and finds letters. Knows nothing of lines, or of how words are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.pictures.means import Answer
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.cutting import Candidate, Piece, frame_of
from digit_recognizer.pictures.words.words import UncutWord, Word
from digit_recognizer.reading import MAX_UNFAMILIARITY

_FULL = 200  # marks from which on a page is full
_MOST = 0.5  # share of its marks that are no digits from which on it is one of letters
_LETTERS = 2  # of a word of these at least,
_SHARE = 0.6  # and their share of its marks
_TALL = 0.4  # heights that a mark is tall at least that may be a digit or a letter

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What single marks of a page look like. marks: their numbers in its labels, and where they are in what follows.

    frames: uint8 (N, 28, 28). probabilities: float32 (N, 10). unfamiliarity: float32 (N,).
    """

    marks: dict[int, int]
    frames: Images
    probabilities: Scores
    unfamiliarity: Scores

    def answers(
        self, words: Sequence[Word], ink: PageInk, labels: Labels, answer: Answer
    ) -> tuple[Images, Scores, Scores]:
        """Frames, probabilities and unfamiliarity of all candidates of words; what was looked at is not asked anew."""
        wanted = [(word, found) for word in words for found in word.candidates]
        known = np.array([self._known(word.pieces, found) for word, found in wanted], np.int64)
        new = np.flatnonzero(known < 0)
        frames = np.empty((len(wanted), SIDE, SIDE), np.uint8)
        for place in new:
            word, found = wanted[place]
            frames[place] = frame_of(ink, labels, word.pieces, found)
        probabilities = np.zeros((len(wanted), CLASSES), np.float32)
        unfamiliarity = np.zeros(len(wanted), np.float32)
        probabilities[new], unfamiliarity[new] = _asked(frames[new], answer)
        old = known >= 0
        frames[old] = self.frames[known[old]]
        probabilities[old], unfamiliarity[old] = self.probabilities[known[old]], self.unfamiliarity[known[old]]
        return frames, probabilities, unfamiliarity

    def _known(self, pieces: Sequence[Piece], found: Candidate) -> int:
        """Where a candidate is among the marks that were looked at; -1 where it is none of them."""
        return self.marks.get(pieces[found.start].number, -1) if found.whole and found.end == found.start + 1 else -1


def first_look(
    words: Sequence[UncutWord], ink: PageInk, labels: Labels, answer: Answer
) -> tuple[FirstLook, list[UncutWord]]:
    """Look at each mark of a full page by itself; at none where there are few. Also the words, those that are letters
    marked as such.

    words: of a page. labels: int32 (H, W), its marks by number.
    """
    marks = [piece for word in words for piece in word.marks]
    if len(marks) <= _FULL:
        marks = []
    frames = np.zeros((len(marks), SIDE, SIDE), np.uint8)
    for place, piece in enumerate(marks):
        frames[place] = frame_of(ink, labels, [piece], Candidate(0, 1, piece.box))
    probabilities, unfamiliarity = _asked(frames, answer)
    at = {piece.number: place for place, piece in enumerate(marks)}
    looked = FirstLook(at, frames, probabilities, unfamiliarity)
    strange = unfamiliarity > MAX_UNFAMILIARITY
    if np.count_nonzero(strange) <= _MOST * len(marks):
        return looked, list(words)
    return looked, [replace(word, is_spelt=_is_spelt(word, strange, at)) for word in words]


def _asked(frames: Images, answer: Answer) -> tuple[Scores, Scores]:
    if not len(frames):
        return np.zeros((0, CLASSES), np.float32), np.zeros(0, np.float32)
    probabilities, unfamiliarity = answer(frames)
    return probabilities, np.zeros(len(frames), np.float32) if unfamiliarity is None else unfamiliarity


def _is_spelt(word: UncutWord, strange: npt.NDArray[np.bool_], at: dict[int, int]) -> bool:
    """Whether most of a word's marks are no digits. strange: bool (N,), of the marks ``at`` these places."""
    tall = [piece.number for piece in word.marks if piece.box[3] >= _TALL * word.height]
    letters = sum(bool(strange[at[number]]) for number in tall)
    return letters >= _LETTERS and letters >= _SHARE * len(tall)


__all__ = ["FirstLook", "first_look"]
