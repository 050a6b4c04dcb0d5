"""Marks that may be several digits in touch become pieces, one for each digit that a line reader finds in them.

The line reader answers for a strip, frame by frame (pictures/words/ctc.py); it is all that is known of a model here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.ctc import (
    OTHER,
    Hypothesis,
    LogProbabilities,
    hypotheses,
    label_probabilities,
    places,
)
from digit_recognizer.pictures.words.cutting import Candidate, Piece
from digit_recognizer.pictures.words.strips import COLUMNS_A_FRAME, Grey, Strip, are_of, own_ink, padded, strip_of
from digit_recognizer.reading import MAX_UNFAMILIARITY, Box, around

ReadStrips = Callable[[Sequence[Grey]], list[LogProbabilities]]

_RUN_FROM = 0.55  # times the line's height that a mark is broad before it may be several digits
_BROAD_LETTER = 1.6  # heights that a letter is broad at most in a word of small ones: an m is 1.4
_TALL_LETTER, _BROAD_TALL_LETTER = 1.2, 0.9  # heights from which on one is tall, and its breadth in its own height
_TALL = 0.5  # share of the line's height that it is tall at least
_BAR_FROM = 1.5  # times the line's height that a mark is broad before it cannot be one digit any more
_FULL = 0.9  # share of its box that such a mark fills where it is a bar: between digits in touch there is ground
_SEVERAL = 0.01  # probability of several digits from which on a mark is taken for such, too
_LEAST = 1e-6
_DOUBT = 0.01  # unfamiliarity of the whole mark, at least, where it is weighed against the line reader's answer
_PARTED = 0.01  # tells pieces that were cut from marks that stand alone; what a cut costs stands in ``Run``

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Run:
    """Pieces ``start`` to ``end`` (exclusive) of a word, a digit each, cut out of one mark by the line reader.

    probabilities: float32 (n, 10) of each, short of 1 by unfamiliarity, float32 (n,). several, one: what it costs to
    take the mark for several digits, and for one: the negative logarithms of how likely the line reader finds that.
    joins: (piece, cost): that this piece and the next may be a single digit after all, as another reading says.
    """

    start: int
    end: int
    probabilities: Scores
    unfamiliarity: Scores
    several: float
    one: float
    joins: tuple[tuple[int, float], ...] = ()


def cut_runs(
    ink: PageInk,
    labels: Labels,
    words: Sequence[tuple[Sequence[Piece], float]],
    read: ReadStrips,
    number: int,
    allows: Callable[[int], bool] = lambda count: True,
    spelt: Collection[int] = (),
) -> list[tuple[list[Piece], list[Run]]]:
    """Have the line reader cut what may be several digits: for each word its pieces, and which of them are whose.

    labels: int32 (H, W), the page's marks by number; pieces that are cut get numbers from ``number`` on in it. words:
    pieces of each, and the height of its line's digits. read: the line reader, which is asked once for all of them.
    allows: whether a word may have that many digits; asked where it is one mark. spelt: which words are letters, of
    which none is looked at that is no broader than most.

    >>> ink = PageInk(np.full((20, 9), 255, np.uint8), np.ones((20, 9), np.bool_), 3.0)
    >>> cut_runs(ink, np.ones((20, 9), np.int32), [([Piece(1, (0, 0, 9, 20), 180)], 20.0)], list, 2)[0][1]
    []
    """
    marks = _asked(ink, labels, words, read, spelt)
    found = dict(zip(marks, hypotheses([mark.answer for mark in marks.values()]), strict=True))
    chosen: dict[tuple[int, int], Hypothesis] = {}
    for (word, place), some in found.items():
        several = _several(some, allows if len(words[word][0]) == 1 else lambda count: True)
        if several is not None:
            chosen[word, place] = several
    answers, said = [marks[at].answer for at in chosen], [one.labels for one in chosen.values()]
    middles = dict(zip(chosen, places(answers, said), strict=True))
    rows = dict(zip(chosen, label_probabilities(answers, said), strict=True))

    results: list[tuple[list[Piece], list[Run]]] = []
    for word, (pieces, _) in enumerate(words):
        result: list[Piece] = []
        runs: list[Run] = []
        for place, piece in enumerate(pieces):
            at = word, place
            if at not in chosen:
                result.append(piece)
                continue
            count = len(chosen[at].labels)
            where = [marks[at].strip.at((frame + 0.5) * COLUMNS_A_FRAME) for frame in middles[at]]
            names = [piece.number, *range(number, number + count - 1)]
            cut = share_ink(labels, [piece.number], piece.box, where, names)
            if len(cut) != count:  # two of them share all their ink
                result.append(piece)
                continue
            number += count - 1
            runs.append(_run(len(result), chosen[at], found[at], rows[at]))
            result += cut
        results.append((result, runs))
    return results


class _Mark(NamedTuple):
    """A mark that may be several digits, as a strip, and what the line reader says of it."""

    strip: Strip
    answer: LogProbabilities


def _asked(
    ink: PageInk,
    labels: Labels,
    words: Sequence[tuple[Sequence[Piece], float]],
    read: ReadStrips,
    spelt: Collection[int],
) -> dict[tuple[int, int], _Mark]:
    """The marks that the line reader was asked about, by the numbers of their words and of the pieces in these."""
    strips: dict[tuple[int, int], Strip] = {}
    images: list[Grey] = []
    for word, (pieces, height) in enumerate(words):
        mine = []
        for place, piece in enumerate(pieces):
            is_letter = word in spelt and _may_be_letter(piece, height)
            if not is_letter and _may_be_several(piece, height):
                strip = strip_of(own_ink(ink.strength, labels, [piece.number], piece.box))
                if strip is not None:
                    strips[word, place] = strip
                    mine.append(strip.image)
        images += padded(mine)
    answers = read(images) if images else []
    return {
        at: _Mark(strip, answer[: strip.image.shape[1] // COLUMNS_A_FRAME])
        for (at, strip), answer in zip(strips.items(), answers, strict=True)
    }


def _run(start: int, said: Hypothesis, found: Sequence[Hypothesis], rows: Scores) -> Run:
    """What was said of a mark, among all that was found, its digits from piece ``start`` on; rows: as of its labels."""
    likely = np.array([math.exp(one.log_probability) for one in found])
    single = float(likely[[len(one.labels) == 1 for one in found]].sum() / likely.sum())
    return Run(
        start,
        start + len(said.labels),
        np.ascontiguousarray(rows[:, :CLASSES]),
        np.asarray(rows[:, OTHER:].sum(axis=1), np.float32),
        -math.log(max(1 - single, _LEAST)),
        -math.log(max(single, _LEAST)),
        tuple((start + at, cost) for at, cost in _joins(said, found)),
    )


def with_runs(found: Sequence[Candidate], pieces: Sequence[Piece], runs: Sequence[Run]) -> list[Candidate]:
    """The candidates that respect the runs: of a run's pieces each alone, two where the line reader doubts that they
    are two, and all together, also with other marks.
    """
    in_run = np.zeros(len(pieces), np.bool_)
    begins: dict[int, Run] = {}
    for run in runs:
        in_run[run.start : run.end] = True
        begins[run.start] = run
    result = []
    for one in found:
        if one.end - one.start == 1:
            first = begins.get(one.start)
            cost = one.parting if not in_run[one.start] else 0.0 if first is None else first.several
            result.append(replace(one, parting=cost))
            continue
        inside = [run for run in runs if one.start <= run.start and run.end <= one.end]
        if in_run[one.start : one.end].sum() != sum(run.end - run.start for run in inside):
            continue  # a part of a run with something else
        if not inside:
            result.append(one)
        elif (one.start, one.end) != (inside[0].start, inside[0].end):  # a run alone stands below
            result.append(replace(one, parting=sum(run.one for run in inside), whole=False))
    for run in runs:
        for at, cost in run.joins if run.end - run.start > 2 else ():
            both = around(piece.box for piece in pieces[at : at + 2])
            result.append(Candidate(at, at + 2, both, cost + (run.several if at == run.start else 0.0)))
        box = around(piece.box for piece in pieces[run.start : run.end])
        # What one digit is like is no question to ask of several.
        is_one = run.one < run.several or float(run.unfamiliarity.mean()) > MAX_UNFAMILIARITY
        result.append(Candidate(run.start, run.end, box, run.one, whole=is_one))
    return sorted(result, key=lambda one: (one.start, one.end))


def run_scores(
    found: Sequence[Candidate], runs: Sequence[Run], probabilities: Scores, unfamiliarity: Scores
) -> tuple[list[Candidate], Scores, Scores]:
    """The candidates and their scores, with the line reader's for the digits of runs. Nothing is changed in place.

    The digit model has a say in whether a mark is one digit, too: several cost what finds it no digit, at most.
    """
    result, probabilities, unfamiliarity = list(found), probabilities.copy(), unfamiliarity.copy()
    strange = {(one.start, one.end): value for one, value in zip(found, unfamiliarity.tolist(), strict=True)}
    for number, one in enumerate(found):
        run = next((run for run in runs if run.start <= one.start < run.end), None)
        if run is not None and one.end - one.start == 1:
            probabilities[number] = run.probabilities[one.start - run.start]
            unfamiliarity[number] = run.unfamiliarity[one.start - run.start]
            if one.start == run.start:
                doubt = -math.log(max(strange.get((run.start, run.end), 1.0), _DOUBT))
                result[number] = replace(one, parting=one.parting + doubt)
    return result, probabilities, unfamiliarity


def _may_be_letter(piece: Piece, height: float) -> bool:
    """Whether a mark in a word of letters has the shape of one: small ones are broad, tall ones are not."""
    _, _, width, tall = piece.box
    return width < (_BROAD_TALL_LETTER * tall if tall >= _TALL_LETTER * height else _BROAD_LETTER * height)


def _may_be_several(piece: Piece, height: float) -> bool:
    """Whether a mark has the shape of digits in touch: broad and tall enough, and no bar."""
    _, _, width, tall = piece.box
    is_bar = width >= _BAR_FROM * height and piece.area >= _FULL * width * tall
    return width >= _RUN_FROM * height and tall >= _TALL * height and not is_bar


def _several(found: Sequence[Hypothesis], allows: Callable[[int], bool]) -> Hypothesis | None:
    """The likeliest reading of two characters or more, one of an allowed number of them if there is such."""
    least = math.log(_SEVERAL)
    likely = [one for one in found if len(one.labels) > 1 and one.log_probability >= least]
    return next((one for one in likely if allows(len(one.labels))), likely[0] if likely else None)


def _joins(chosen: Hypothesis, found: Sequence[Hypothesis]) -> list[tuple[int, float]]:
    """Where another reading has one digit for two neighbours of the chosen one, and how much less likely it is."""
    costs: dict[int, float] = {}
    for other in found:
        if len(other.labels) != len(chosen.labels) - 1:
            continue
        for at in range(len(other.labels)):
            same = other.labels[:at] == chosen.labels[:at] and other.labels[at + 1 :] == chosen.labels[at + 2 :]
            if same and other.labels[at] != OTHER:
                cost = max(0.0, chosen.log_probability - other.log_probability)
                costs[at] = min(cost, costs.get(at, math.inf))
    return sorted(costs.items())


def share_ink(
    labels: Labels, numbers: Sequence[int], box: Box, middles: Sequence[float], names: Sequence[int]
) -> list[Piece]:
    """The ink of marks shared out among digits, half-way between their middles; no pieces where one would get none.

    labels: int32 (H, W), a page's marks by number; those of the marks, ``numbers``, become ``names``, one for each
    digit. box: (x, y, w, h) around them. middles: of the digits, pixels from the box's left edge, ascending.

    >>> labels = np.array([[1, 1, 0, 2]], np.int32)
    >>> [piece.box for piece in share_ink(labels, [1, 2], (0, 0, 4, 1), [1.0, 3.0], [5, 6])]
    [(0, 0, 2, 1), (3, 0, 1, 1)]
    """
    x, y, width, tall = box
    part = labels[y : y + tall, x : x + width]
    mine = are_of(part, numbers)
    places = np.asarray(middles)
    sides = np.searchsorted((places[1:] + places[:-1]) / 2, np.arange(width) + 0.5)
    counts = [int((mine & (sides == side)).sum()) for side in range(len(places))]
    if min(counts) == 0:
        return []
    result: list[Piece] = []
    for side, count in enumerate(counts):
        own = mine & (sides == side)
        part[own] = names[side]
        rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
        own_box = x + int(columns[0]), y + int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
        result.append(Piece(names[side], own_box, count, _PARTED * (side > 0)))
    return result


__all__ = ["ReadStrips", "Run", "cut_runs", "run_scores", "share_ink", "with_runs"]
