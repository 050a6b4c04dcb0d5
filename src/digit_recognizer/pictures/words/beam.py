"""The line reader's answers become the labellings that they likely hold: prefix beam search (Hannun et al., 2014).

Many answers are searched at the same time, frame by frame. Knows nothing of pictures or models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES

OTHER = CLASSES  # the label of a character that is no digit
BLANK = CLASSES + 1
OUTPUTS = CLASSES + 2

_BEAM = 8  # labellings that are followed at the same time, of each answer
_UNLIKELY = -9.0  # log-probability of a frame's label below which no labelling is tried with it
_TOGETHER = 128  # answers that are searched together: what a core's cache holds
# Names of labellings: nothing is _NOTHING, and each further label multiplies and adds, so that others have other names.
_FACTOR, _NOTHING, _NOBODY = np.uint64(0x9E3779B97F4A7C15), np.uint64(1), np.uint64(0)

LogProbabilities = npt.NDArray[np.float32]
Labelling = tuple[int, ...]
_Floats = npt.NDArray[np.float64]


def likely_labellings(answers: Sequence[LogProbabilities]) -> list[list[Labelling]]:
    """Up to eight labellings that each answer is likely to hold, one at least, in no order.

    answers: float32 (T, 12) each, logarithms of probabilities, T may be 0.

    >>> frames = np.log(np.full((3, 12), 1e-5, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 7]] = 0
    >>> (4, 7) in likely_labellings([frames])[0]
    True
    """
    result: list[list[Labelling]] = [[()]] * len(answers)
    order = sorted(range(len(answers)), key=lambda number: -len(answers[number]))
    for start in range(0, len(order), _TOGETHER):
        part = order[start : start + _TOGETHER]
        for number, found in zip(part, _searched(*side_by_side([answers[one] for one in part])), strict=True):
            result[number] = found
    return result


def side_by_side(answers: Sequence[LogProbabilities]) -> tuple[_Floats, npt.NDArray[np.int64]]:
    """Answers (T, 12) in one array, float64 (N, T, 12), T the longest one's, zeros beyond the others; and all T."""
    lengths = np.array([len(frames) for frames in answers], np.int64)
    result = np.zeros((len(answers), int(lengths.max(initial=0)), OUTPUTS))
    for row, frames in zip(result, answers, strict=True):
        row[: len(frames)] = frames
    return result, lengths


def _searched(frames: _Floats, lengths: npt.NDArray[np.int64]) -> list[list[Labelling]]:
    """The labellings of each answer, float64 (N, T, 12), longest first.

    What is followed is known by a name that its labels make, and by the log-probabilities of ending in a blank, and of
    ending in its last label. In each frame it stays as it is, or becomes longer by a label: 8 and 8 times 12 ways on.
    """
    shape = len(frames), _BEAM
    tried = np.where(frames >= _UNLIKELY, frames, -np.inf)
    tried[:, :, BLANK] = -np.inf
    blank, label = np.full(shape, -np.inf), np.full(shape, -np.inf)
    blank[:, 0] = 0
    last = np.full(shape, BLANK)  # of those that say nothing yet
    names = np.full(shape, _NOBODY)
    names[:, 0] = _NOTHING
    before = np.zeros((frames.shape[1], *shape), np.int8)  # which one each came from, in every frame,
    added = np.full((frames.shape[1], *shape), BLANK, np.int8)  # and by which label it is longer
    row, column = np.arange(len(frames))[:, None], np.arange(_BEAM)
    came_by, label_by = np.divmod(np.arange(_BEAM * OUTPUTS), OUTPUTS)
    came_by, label_by = np.append(column, came_by), np.append(np.full(_BEAM, BLANK), label_by)
    ends_blank = np.full((len(frames), len(came_by)), -np.inf)
    ends_label = np.empty_like(ends_blank)
    for number in range(frames.shape[1]):
        count = int(np.searchsorted(-lengths, -number))
        at, mine, named = row[:count], last[:count], names[:count]
        either = np.logaddexp(blank[:count], label[:count])
        longer = either[:, :, None] + tried[:count, number, None]
        # The same label once more is another one only after a blank.
        longer[at, column, mine] = blank[:count] + tried[at, number, mine]
        kept = label[:count] + frames[at, number, mine]
        # What a shorter one becomes may be followed already.
        grown = (named * _FACTOR)[:, None, :] + mine.astype(np.uint64)[:, :, None]
        rows, ones, shorter = np.nonzero(grown == named[:, :, None])
        labels = mine[rows, ones]
        kept[rows, ones] = np.logaddexp(kept[rows, ones], longer[rows, shorter, labels])
        longer[rows, shorter, labels] = -np.inf

        ends_blank[:count, :_BEAM] = either + frames[:count, number, BLANK, None]
        ends_label[:count, :_BEAM] = kept
        ends_label[:count, _BEAM:] = longer.reshape(count, -1)
        scores = ends_label[:count].copy()
        scores[:, :_BEAM] = np.logaddexp(ends_blank[:count, :_BEAM], kept)
        best = np.argpartition(-scores, _BEAM - 1, axis=1)[:, :_BEAM]
        came, labels = came_by[best], label_by[best]
        is_new = best >= _BEAM
        named = named[at, came]
        named = np.where(is_new, named * _FACTOR + labels.astype(np.uint64), named)
        names[:count] = np.where(scores[at, best] > -np.inf, named, _NOBODY)
        last[:count] = np.where(is_new, labels, mine[at, came])
        blank[:count], label[:count] = ends_blank[at, best], ends_label[at, best]
        before[number, :count], added[number, :count] = came, labels
    return _followed_back(lengths, np.logaddexp(blank, label) > -np.inf, before, added)


def _followed_back(
    lengths: npt.NDArray[np.int64],
    is_alive: npt.NDArray[np.bool_],
    before: npt.NDArray[np.int8],
    added: npt.NDArray[np.int8],
) -> list[list[Labelling]]:
    """The labels by which each of those in the end became longer, in their order."""
    said = np.full(added.shape, BLANK, np.int8)
    row, at = np.arange(len(lengths))[:, None], np.tile(np.arange(_BEAM), (len(lengths), 1))
    for number in range(len(before) - 1, -1, -1):
        count = int(np.searchsorted(-lengths, -number))
        said[number, :count] = added[number, row[:count], at[:count]]
        at[:count] = before[number, row[:count], at[:count]]
    return [
        [tuple(labels[labels != BLANK].tolist()) for labels, lives in zip(each.T, living, strict=True) if lives]
        for each, living in zip(said.transpose(1, 0, 2), is_alive, strict=True)
    ]


__all__ = ["BLANK", "OTHER", "OUTPUTS", "Labelling", "LogProbabilities", "likely_labellings", "side_by_side"]
