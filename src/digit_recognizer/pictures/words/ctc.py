"""The line reader's answers, log-probabilities by frame, become digits: how likely, how sure of each, and where.

Connectionist temporal classification (Graves, Fernández, Gomez, Schmidhuber, 2006): each frame shows one of ten digits,
another character, or none ("blank"); labels that follow each other without a blank between are one. All answers of a
page are weighed together, which gives each what it would get alone. Knows nothing of pictures or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.words.beam import (
    BLANK,
    OTHER,
    OUTPUTS,
    Labelling,
    LogProbabilities,
    likely_labellings,
    side_by_side,
)

_WORTH = 8.0  # how much less likely than the likeliest a labelling may be, in logarithms, to be told
_MOST_STATES = 65_536  # of labellings that are weighed together: what a core's cache holds


class Hypothesis(NamedTuple):
    """What a run may say. labels: 0-9, or OTHER. log_probability: of exactly these, all ways to write them together."""

    labels: Labelling
    log_probability: float


def best_labelling(frames: LogProbabilities) -> Labelling:
    """The labels of the likeliest way through the frames, float32 (T, 12); quick, and most often the likeliest labels.

    >>> frames = np.log(np.full((3, 12), 0.01, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 4]] = 0
    >>> best_labelling(frames)
    (4, 4)
    """
    labels = frames.argmax(axis=1)
    changed = np.concatenate([[True], labels[1:] != labels[:-1]])
    return tuple(int(label) for label in labels[changed & (labels != BLANK)])


def hypotheses(answers: Sequence[LogProbabilities], most: int = 6) -> list[list[Hypothesis]]:
    """For each answer its likeliest labellings, likeliest first, at least one and ``most`` at most; ``()`` means that
    nothing is there.

    answers: float32 (T, 12) each, logarithms of probabilities, T may be 0. Prefix beam search finds them (beam.py),
    ``log_probabilities`` weighs them.

    >>> frames = np.log(np.full((3, 12), 0.01, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 7]] = 0
    >>> hypotheses([frames])[0][0].labels
    (4, 7)
    """
    labellings = likely_labellings(answers)
    result = []
    for some, exact in zip(labellings, log_probabilities(answers, labellings), strict=True):
        found = sorted(map(Hypothesis, some, exact.tolist()), key=lambda one: -one.log_probability)
        result.append([one for one in found[:most] if one.log_probability >= found[0].log_probability - _WORTH])
    return result


def log_probabilities(
    answers: Sequence[LogProbabilities], labellings: Sequence[Sequence[Labelling]]
) -> list[npt.NDArray[np.float64]]:
    """How likely an answer makes each of its labellings, over all ways to write it: float64 (N,); -inf where none is.

    answers: float32 (T, 12) each. labellings: N of each. Graves et al.'s forward algorithm (2006), for all at once.

    >>> frames = np.log(np.full((2, 12), 1 / 12, np.float32))
    >>> (np.exp(log_probabilities([frames], [[(), (3,), (3, 4), (3, 3)]])[0]) * 144).round(3)
    array([1., 3., 1., 0.])
    """
    rows = [(place, labels) for place, some in enumerate(labellings) for labels in some]
    result = np.empty(len(rows))
    for part in _parts([(len(answers[place]), 2 * len(labels) + 1) for place, labels in rows]):
        used = {rows[number][0]: None for number in part}
        place_of = {place: at for at, place in enumerate(used)}
        whose = np.array([place_of[rows[number][0]] for number in part])
        result[part] = _forward([answers[place] for place in used], whose, [rows[number][1] for number in part])
    ends = np.cumsum([len(some) for some in labellings], dtype=np.int64)
    return [result[end - len(some) : end] for some, end in zip(labellings, ends.tolist(), strict=True)]


def label_probabilities(
    answers: Sequence[LogProbabilities], labellings: Sequence[Labelling]
) -> list[npt.NDArray[np.float32]]:
    """How likely each place of an answer's labelling holds each label, the others being as they are: float32 (n, 12).

    A column for each digit, one for OTHER, the last for nothing being there at all; rows sum to 1. Weighs the labelling
    against those that differ from it in that place alone.

    >>> frames = np.log(np.full((3, 12), 0.01, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 7]] = np.log(0.89)
    >>> label_probabilities([frames], [(4, 7)])[0].argmax(axis=1).tolist()
    [4, 7]
    """
    others = [
        [
            labels[:place] + (() if label == BLANK else (label,)) + labels[place + 1 :]
            for place in range(len(labels))
            for label in range(OUTPUTS)
        ]
        for labels in labellings
    ]
    result = []
    for found, labels in zip(log_probabilities(answers, others), labellings, strict=True):
        weights = found.reshape(len(labels), OUTPUTS)
        powers = np.exp(weights - weights.max(axis=1, keepdims=True))
        result.append(np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32))
    return result


def places(answers: Sequence[LogProbabilities], labellings: Sequence[Labelling]) -> list[npt.NDArray[np.float64]]:
    """Where each label stands on the likeliest way to write it: float64 (n,), frames, counted from 0, ascending.

    answers: float32 (T, 12) each, of one labelling each. The middle of its frames, each counted by its probability; all
    NaN where it cannot be written.

    >>> frames = np.log(np.full((5, 12), 0.01, np.float32))
    >>> frames[np.arange(5), [4, 4, BLANK, BLANK, 7]] = np.log(0.89)
    >>> places([frames], [(4, 7)])[0].round(2).tolist()
    [0.5, 4.0]
    """
    result: list[npt.NDArray[np.float64]] = [np.zeros(0)] * len(answers)
    for part in _parts(
        [(len(frames), 2 * len(labels) + 1) for frames, labels in zip(answers, labellings, strict=True)]
    ):
        found = _middles([answers[number] for number in part], [labellings[number] for number in part])
        for number, middles in zip(part, found, strict=True):
            result[number] = middles[: len(labellings[number])]
    return result


def _forward(
    answers: Sequence[LogProbabilities], whose: npt.NDArray[np.int64], labellings: Sequence[Labelling]
) -> npt.NDArray[np.float64]:
    """The log-probability of each labelling: float64 (N,). whose: of which answer it is, longest answers first."""
    frames, lengths = side_by_side(answers)
    lengths = lengths[whose]
    states, may_skip = _states(labellings)
    probabilities = np.exp(frames).transpose(1, 0, 2)
    at = OUTPUTS * whose[:, None] + states
    # Before the first frame: as if in a blank just outside, from which the first two states are reached.
    reached = np.zeros((len(states), states.shape[1] + 2))
    total = np.zeros(len(states))
    for number in range(int(lengths.max(initial=0))):
        count = int(np.searchsorted(-lengths, -number))
        now = reached[:count, 2:]
        if number == 0:
            arriving = np.zeros_like(now)
            arriving[:, :2] = 1
        else:
            arriving = may_skip[:count] * reached[:count, :-2]
            arriving += now
            arriving += reached[:count, 1:-1]
        now[:] = arriving * probabilities[number].ravel().take(at[:count])
        size = now.sum(axis=1)
        now /= np.where(size > 0, size, 1)[:, None]
        with np.errstate(divide="ignore"):
            total[:count] += np.log(size)
    ends = 2 * np.array([len(labels) for labels in labellings], np.int64)
    rows, now = np.arange(len(states)), reached[:, 2:]
    ending = now[rows, ends] + np.where(ends > 0, now[rows, ends - 1], 0)
    ending = np.where(lengths > 0, ending, ends == 0)  # where nothing was asked, nothing is what it says
    with np.errstate(divide="ignore"):
        return np.asarray(total + np.log(ending))


def _middles(answers: Sequence[LogProbabilities], labellings: Sequence[Labelling]) -> npt.NDArray[np.float64]:
    """Where the labels of one labelling of each answer stand, longest answers first: float64 (N, n), NaN beyond."""
    frames, lengths = side_by_side(answers)
    states, may_skip = _states(labellings)
    rows = np.arange(len(states))
    best = np.full(states.shape, -np.inf)
    came = np.zeros((frames.shape[1], *states.shape), np.int8)
    for number in range(frames.shape[1]):
        count = int(np.searchsorted(-lengths, -number))
        seen = frames[rows[:count, None], number, states[:count]]
        if number == 0:
            best[:count, :2] = seen[:, :2]
            continue
        now = best[:count]
        ways = np.stack([now, _shifted(now, 1), np.where(may_skip[:count], _shifted(now, 2), -np.inf)])
        came[number, :count] = ways.argmax(axis=0)
        best[:count] = ways.max(axis=0) + seen
    counts = np.array([len(labels) for labels in labellings], np.int64)
    state = 2 * counts
    state -= (counts > 0) & ((lengths == 0) | (best[rows, np.maximum(state - 1, 0)] > best[rows, state]))
    is_possible = (lengths > 0) & (best[rows, state] > -np.inf)
    weights, sums = np.zeros((2, len(states), states.shape[1] // 2 + 1))
    for number in range(frames.shape[1] - 1, -1, -1):
        here = rows[: int(np.searchsorted(-lengths, -number))]
        at = state[here]
        weight = np.where(at % 2, np.exp(frames[here, number, states[here, at]]), 0)
        weights[here, at // 2] += weight
        sums[here, at // 2] += weight * number
        state[here] = at - came[number, here, at]
    return np.asarray(np.where(is_possible[:, None], sums / np.maximum(weights, 1e-300), np.nan))


def _states(labellings: Sequence[Labelling]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Blank, first label, blank, second label, ... of each, blanks beyond: int64 (N, S). And which may be come to from
    the label before, without a blank between: bool (N, S).
    """
    longest = max((len(labels) for labels in labellings), default=0)
    states = np.full((len(labellings), 2 * longest + 1), BLANK)
    for row, labels in zip(states, labellings, strict=True):
        row[1 : 2 * len(labels) : 2] = labels
    may_skip = np.zeros(states.shape, np.bool_)
    may_skip[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    return states, may_skip


def _parts(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Numbers of labellings to be weighed together, longest answers first. sizes: (frames, states) of each."""
    result: list[list[int]] = []
    states = 0
    for number in sorted(range(len(sizes)), key=lambda one: sizes[one], reverse=True):
        states = max(states, sizes[number][1])
        if not result or states * (len(result[-1]) + 1) > _MOST_STATES:
            result.append([])
            states = sizes[number][1]
        result[-1].append(number)
    return result


def _shifted(values: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """Values (N, S), each some states further on."""
    moved = np.full(values.shape, -np.inf)
    moved[:, steps:] = values[:, : max(0, values.shape[1] - steps)]
    return moved


__all__ = [
    "BLANK",
    "OTHER",
    "OUTPUTS",
    "Hypothesis",
    "LogProbabilities",
    "best_labelling",
    "hypotheses",
    "label_probabilities",
    "log_probabilities",
    "places",
]
