"""The line reader's answer, log-probabilities by frame, becomes digits: how likely, how sure of each, and where.

Connectionist temporal classification (Graves, Fernández, Gomez, Schmidhuber, 2006): each frame shows one of ten digits,
another character, or none ("blank"); labels that follow each other without a blank between are one. Knows nothing of
pictures or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES

OTHER = CLASSES  # the label of a character that is no digit
BLANK = CLASSES + 1
OUTPUTS = CLASSES + 2

_BEAM = 8  # labellings that are followed at the same time
_UNLIKELY = -9.0  # log-probability of a frame's label below which no labelling is tried with it
_WORTH = 8.0  # how much less likely than the likeliest a labelling may be, in logarithms, to be told

LogProbabilities = npt.NDArray[np.float32]
Labelling = tuple[int, ...]


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


def hypotheses(frames: LogProbabilities, most: int = 6) -> list[Hypothesis]:
    """The likeliest labellings, likeliest first, at least one and ``most`` at most; ``()`` means that nothing is there.

    frames: float32 (T, 12), logarithms of probabilities, T may be 0. Prefix beam search (Hannun et al., 2014) finds
    them, ``log_probabilities`` weighs them.

    >>> frames = np.log(np.full((3, 12), 0.01, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 7]] = 0
    >>> hypotheses(frames)[0].labels
    (4, 7)
    """
    # labels -> (log-probability of ending in a blank, of ending in the last label)
    beam: dict[Labelling, tuple[float, float]] = {(): (0.0, -math.inf)}
    for frame in frames:
        blank = float(frame[BLANK])
        likely = [(int(label), float(frame[label])) for label in np.flatnonzero(frame[:BLANK] >= _UNLIKELY)]
        grown: dict[Labelling, tuple[float, float]] = {}
        for labels, (ends_blank, ends_label) in beam.items():
            either = _added(ends_blank, ends_label)
            kept = ends_label + float(frame[labels[-1]]) if labels else -math.inf
            _note(grown, labels, either + blank, kept)
            for label, log_probability in likely:
                before = ends_blank if labels and label == labels[-1] else either
                _note(grown, (*labels, label), -math.inf, before + log_probability)
        ranked = sorted(grown.items(), key=lambda entry: -_added(*entry[1]))
        beam = dict(ranked[:_BEAM])
    labellings = list(beam)
    exact = log_probabilities(frames, labellings)
    found = sorted(map(Hypothesis, labellings, exact.tolist()), key=lambda one: -one.log_probability)
    return [one for one in found[:most] if one.log_probability >= found[0].log_probability - _WORTH]


def log_probabilities(frames: LogProbabilities, labellings: Sequence[Labelling]) -> npt.NDArray[np.float64]:
    """How likely each labelling is, over all ways to write it into the frames: float64 (N,), -inf where impossible.

    The forward algorithm of Graves et al. (2006), for all labellings at once.

    >>> frames = np.log(np.full((2, 12), 1 / 12, np.float32))
    >>> (np.exp(log_probabilities(frames, [(), (3,), (3, 4), (3, 3)])) * 144).round(3)
    array([1., 3., 1., 0.])
    """
    longest = max((len(labels) for labels in labellings), default=0)
    states = np.full((len(labellings), 2 * longest + 1), BLANK)  # blank, first label, blank, second label, ...
    for row, labels in zip(states, labellings, strict=True):
        row[1 : 2 * len(labels) : 2] = labels
    may_skip = np.zeros(states.shape, np.float64)
    may_skip[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    probabilities = np.exp(frames.astype(np.float64))
    # Before the first frame: as if in a blank just outside, from which the first two states are reached.
    reached = np.zeros((len(labellings), states.shape[1] + 2))
    now = reached[:, 2:]
    total = np.zeros(len(labellings))
    for number, frame in enumerate(probabilities):
        if number == 0:
            arriving = np.zeros_like(now)
            arriving[:, :2] = 1
        else:
            arriving = now + reached[:, 1:-1] + may_skip * reached[:, :-2]
        now[:] = arriving * frame[states]
        size = now.sum(axis=1)
        now /= np.where(size > 0, size, 1)[:, None]
        with np.errstate(divide="ignore"):
            total += np.log(size)
    if not len(frames):
        return np.array([0.0 if not labels else -math.inf for labels in labellings])
    ends = 2 * np.array([len(labels) for labels in labellings], np.int64)
    rows = np.arange(len(labellings))
    ending = now[rows, ends] + np.where(ends > 0, now[rows, ends - 1], 0)
    with np.errstate(divide="ignore"):
        return np.asarray(total + np.log(ending))


def label_probabilities(frames: LogProbabilities, labels: Labelling) -> npt.NDArray[np.float32]:
    """How likely each place of a labelling holds each label, the other places being as they are: float32 (n, 12).

    A column for each digit, one for OTHER, the last for nothing being there at all; rows sum to 1. Weighs the labelling
    against those that differ from it in that place alone.

    >>> frames = np.log(np.full((3, 12), 0.01, np.float32))
    >>> frames[[0, 1, 2], [4, BLANK, 7]] = np.log(0.89)
    >>> label_probabilities(frames, (4, 7)).argmax(axis=1).tolist()
    [4, 7]
    """
    if not labels:
        return np.zeros((0, OUTPUTS), np.float32)
    others = [
        labels[:place] + (() if label == BLANK else (label,)) + labels[place + 1 :]
        for place in range(len(labels))
        for label in range(OUTPUTS)
    ]
    weights = log_probabilities(frames, others).reshape(len(labels), OUTPUTS)
    powers = np.exp(weights - weights.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def places(frames: LogProbabilities, labels: Labelling) -> npt.NDArray[np.float64]:
    """Where each label stands on the likeliest way to write it: float64 (n,), frames, counted from 0, ascending.

    The middle of its frames, each counted by its probability; all NaN where it cannot be written.

    >>> frames = np.log(np.full((5, 12), 0.01, np.float32))
    >>> frames[np.arange(5), [4, 4, BLANK, BLANK, 7]] = np.log(0.89)
    >>> places(frames, (4, 7)).round(2).tolist()
    [0.5, 4.0]
    """
    states = np.full(2 * len(labels) + 1, BLANK)
    states[1::2] = labels
    may_skip = np.zeros(len(states), np.bool_)
    may_skip[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    best = np.full(len(states), -np.inf)
    came = np.zeros((len(frames), len(states)), np.int64)
    for number, frame in enumerate(frames.astype(np.float64)):
        if number == 0:
            best[:2] = frame[states[:2]]
            continue
        ways = np.stack([best, _shifted(best, 1), np.where(may_skip, _shifted(best, 2), -np.inf)])
        came[number] = ways.argmax(axis=0)
        best = ways.max(axis=0) + frame[states]
    state = len(states) - 1
    if labels and (not len(frames) or best[state - 1] > best[state]):
        state -= 1
    if not labels or not len(frames) or best[state] == -np.inf:
        return np.full(len(labels), np.nan)
    weights, sums = np.zeros(len(labels)), np.zeros(len(labels))
    for number in range(len(frames) - 1, -1, -1):
        if state % 2:
            weight = math.exp(float(frames[number, states[state]]))
            weights[state // 2] += weight
            sums[state // 2] += weight * number
        state -= int(came[number, state])
    return np.asarray(sums / np.maximum(weights, 1e-300))


def _added(first: float, second: float) -> float:
    """log(exp(first) + exp(second))."""
    high, low = (first, second) if first >= second else (second, first)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _note(found: dict[Labelling, tuple[float, float]], labels: Labelling, ends_blank: float, ends_label: float) -> None:
    known = found.get(labels)
    if known is not None:
        ends_blank, ends_label = _added(known[0], ends_blank), _added(known[1], ends_label)
    found[labels] = (ends_blank, ends_label)


def _shifted(values: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    moved = np.full(len(values), -np.inf)
    moved[steps:] = values[:-steps] if steps < len(values) else moved[steps:]
    return moved


__all__ = [
    "BLANK",
    "OTHER",
    "OUTPUTS",
    "Hypothesis",
    "best_labelling",
    "hypotheses",
    "label_probabilities",
    "log_probabilities",
    "places",
]
