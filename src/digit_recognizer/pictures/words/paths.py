"""Scores of candidates become the best way through a word: which runs of pieces are its digits, and which are none.

Dynamic programming over the pieces from right to left; lengths and check digits are part of the state. Knows nothing of
pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.expectation import LUHN, Expectation, luhn_value
from digit_recognizer.pictures.words.cutting import Candidate

_LEAST = 1e-4  # probability that counts as none
_NO_DIGIT = 3.0  # what it costs to leave a piece out, beside how much it looks like a digit
_PER_PIECE = 0.2  # how much of a candidate's weight grows with its number of pieces
_LOW = 0.5  # share of the line's height below which a candidate is hardly a digit
_LOW_COST = 3.0
_BROAD = 0.95  # heights from which on a digit is unusually broad
_BROAD_COST = 2.5
_FORCED = 6.0  # how much dearer than the cheapest a way may be that meets an expectation; beyond, it is no reading
_LEAST_STRANGE = 0.05  # unfamiliarity below which it makes no difference
_READ = 0.9  # probability of a digit that is no stranger than that from which on it is one, whatever is expected
_ROUNDING = 1e-6  # of costs that are summed in another order
_ALTERNATIVE = 0.005  # probability from which on a digit may stand for the likeliest, where a check digit asks for it

Costs = npt.NDArray[np.float64]


class Step(NamedTuple):
    """One candidate of the path, by its number, and the digit that it is taken for, None for no digit."""

    candidate: int
    digit: int | None


def best_path(
    count: int,
    found: Sequence[Candidate],
    probabilities: npt.NDArray[np.float32],
    unfamiliarity: npt.NDArray[np.float32],
    height: float,
    expectation: Expectation,
) -> list[Step]:
    """The cheapest way through a word of ``count`` pieces, left to right.

    found: the candidates. probabilities: float32 (N, 10) of them, short of 1 by unfamiliarity, float32 (N,). height: of
    the line's digits, in pixels. Where no likely way meets the expectation, the cheapest of all is returned. Nothing is
    left out to meet one that is read as a digit without it.

    >>> path = best_path(1, [Candidate(0, 1, (0, 0, 9, 20))], np.eye(10, dtype=np.float32)[[7]],
    ...                  np.zeros(1, np.float32), 20.0, Expectation())
    >>> path[0].digit
    7
    """
    digit_costs, none_costs = _costs(found, probabilities, unfamiliarity, height)
    free, cost = _cheapest(count, found, digit_costs, none_costs, probabilities, Expectation())
    if expectation.asks:
        most = cost + _FORCED
        none_costs = np.where(_are_read(found, free, probabilities, unfamiliarity), math.inf, none_costs)
        path, forced_cost = _cheapest(count, found, digit_costs, none_costs, probabilities, expectation, most)
        if forced_cost <= most:
            return path
    return free


def _costs(
    found: Sequence[Candidate],
    probabilities: npt.NDArray[np.float32],
    unfamiliarity: npt.NDArray[np.float32],
    height: float,
) -> tuple[Costs, Costs]:
    """What it costs to take each candidate for each digit, (N, 10), and for none, (N,)."""
    pieces = np.array([candidate.end - candidate.start for candidate in found])
    sizes = np.array([candidate.box[2:] for candidate in found], np.float64).reshape(-1, 2) / height
    weight = 1 - _PER_PIECE + _PER_PIECE * pieces
    shape = _LOW_COST * np.maximum(_LOW - sizes[:, 1], 0) / _LOW
    shape += _BROAD_COST * np.maximum(sizes[:, 0] - _BROAD, 0)
    apart = np.array([candidate.apart for candidate in found])
    digit_costs = weight[:, None] * (shape[:, None] - np.log(np.maximum(probabilities.astype(np.float64), _LEAST)))
    digit_costs += apart[:, None]
    none_costs = weight * (_NO_DIGIT - np.log(np.maximum(unfamiliarity.astype(np.float64), _LEAST_STRANGE)))
    cuts = np.array([candidate.parting for candidate in found])
    return digit_costs + cuts[:, None], none_costs + cuts


def _are_read(
    found: Sequence[Candidate],
    path: Sequence[Step],
    probabilities: npt.NDArray[np.float32],
    unfamiliarity: npt.NDArray[np.float32],
) -> npt.NDArray[np.bool_]:
    """Which candidates share pieces with what a path surely takes for a digit: bool (N,)."""
    result = np.zeros(len(found), np.bool_)
    starts, ends = np.array([(candidate.start, candidate.end) for candidate in found]).reshape(-1, 2).T
    for number, digit in path:
        if digit is not None and probabilities[number, digit] >= _READ and unfamiliarity[number] <= _LEAST_STRANGE:
            result |= (starts < found[number].end) & (ends > found[number].start)
    return result


def _cheapest(
    count: int,
    found: Sequence[Candidate],
    digit_costs: Costs,
    none_costs: Costs,
    probabilities: npt.NDArray[np.float32],
    expectation: Expectation,
    most: float = math.inf,
) -> tuple[list[Step], float]:
    """The cheapest way that meets the expectation, and its cost; infinite where there is none up to ``most``."""
    with_length, with_check = expectation.asks, expectation.check == LUHN
    # State: (digits so far from the right, their sum modulo 10); both stay 0 where nobody asks.
    ways: list[dict[tuple[int, int], tuple[float, Step | None, tuple[int, int]]]] = [{} for _ in range(count + 1)]
    ways[count][0, 0] = (0.0, None, (0, 0))
    starts: list[list[int]] = [[] for _ in range(count)]
    for number, candidate in enumerate(found):
        starts[candidate.start].append(number)
    least = _least_costs(starts, found, np.minimum(digit_costs.min(axis=1, initial=np.inf), none_costs))
    likeliest = probabilities.argmax(axis=1)
    for at in range(count - 1, -1, -1):
        for number in starts[at]:
            choices: list[tuple[int | None, float]] = [(None, float(none_costs[number]))]
            digits = np.flatnonzero(probabilities[number] >= _ALTERNATIVE) if with_check else [likeliest[number]]
            choices += [(int(digit), float(digit_costs[number, digit])) for digit in digits]
            for state, (cost, _, _) in ways[found[number].end].items():
                for digit, extra in choices:
                    if cost + extra + least[at] > most + _ROUNDING:
                        continue
                    length, total = state
                    if digit is not None and with_length:
                        if length >= expectation.most:
                            continue
                        total = (total + luhn_value(digit, length)) % 10 if with_check else 0
                        length += 1
                    known = ways[at].get((length, total))
                    if known is None or cost + extra < known[0]:
                        ways[at][length, total] = (cost + extra, Step(number, digit), state)
    ends = [
        (way[0], state)
        for state, way in ways[0].items()
        if not with_length or (expectation.allows_length(state[0]) and not (with_check and (state[1] or state[0] < 2)))
    ]
    if not ends:
        return [], math.inf
    (cost, state), at, path = min(ends), 0, []
    while at < count:
        _, step, state = ways[at][state]
        if step is None:
            break
        path.append(step)
        at = found[step.candidate].end
    return path, cost


def _least_costs(starts: Sequence[list[int]], found: Sequence[Candidate], costs: Costs) -> list[float]:
    """What it costs at least to get to each piece from the left, one more for the end. costs: of each candidate."""
    least = [0.0] + [math.inf] * len(starts)
    for at, numbers in enumerate(starts):
        for number in numbers:
            end = found[number].end
            least[end] = min(least[end], least[at] + float(costs[number]))
    return least


__all__ = ["Step", "best_path"]
