"""How far the lines of bent paper fall from left to right, told by marks that stand close to each other.

Knows nothing of lines as a whole, nor of what is written.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_FEWEST = 20  # pairs of marks that tell of a bend, at least
_SURE = 4.0  # standard errors that it differs from none, at least
_LEAST = 0.25  # of the marks' height: how far they lie from a straight line at least; less tears no line
_ROUNDS = 5  # of weighing down what strays from the others,
_STRAYS = 4.7  # by so many median deviations, that it has no say at all (Tukey's biweight)

_Floats = npt.NDArray[np.float64]
_Places = npt.NDArray[np.int64]


def fall_of_bent(boxes: _Places, first: _Places, second: _Places, degree: int) -> _Floats | None:
    """How much lower each mark lies than it would in level lines: float64 (N,), in pixels; None where nothing tells of
    a bend.

    boxes: int64 (N, 4), x, y, width, height. first, second: int64 (P,), marks of one line each, and the next one of
    each. degree: of the polynomial that is fitted to where the marks end, 2 or 3; the page's lines bend alike.

    >>> x = np.arange(0, 600, 20)
    >>> boxes = np.stack([x, x * x // 4000, np.full(30, 12), np.full(30, 20)], 1)
    >>> fall = fall_of_bent(boxes, np.arange(29), np.arange(1, 30), 2)
    >>> bool(np.ptp(boxes[:, 1] - fall) < 2)
    True
    """
    if len(first) < _FEWEST:
        return None
    middles, feet = boxes[:, 0] + boxes[:, 2] / 2, (boxes[:, 1] + boxes[:, 3]).astype(np.float64)
    breadth = max(1.0, float(np.ptp(middles)))
    places = (middles - middles.min()) / breadth
    terms = np.stack([places**power for power in range(1, degree + 1)], 1)
    across, down = terms[second] - terms[first], feet[second] - feet[first]
    weights = np.ones(len(first))
    for _ in range(_ROUNDS):
        normal = across.T @ (weights[:, None] * across)
        if np.linalg.cond(normal) > 1e10:
            return None
        fitted = np.linalg.solve(normal, across.T @ (weights * down))
        strays = down - across @ fitted
        spread = max(0.5, float(np.median(np.abs(strays))))
        weights = np.maximum(0.0, 1 - (strays / (_STRAYS * spread)) ** 2) ** 2
    variance = float(weights @ strays**2) / max(1.0, float(weights.sum()) - degree)
    error = float(np.sqrt(variance * np.linalg.inv(normal)[-1, -1]))
    along = np.linspace(0, 1, 21)
    bend = sum(share * (along**power - along) for power, share in enumerate(fitted, 1))
    is_bent = np.ptp(bend) >= _LEAST * np.median(boxes[first, 3]) and abs(fitted[-1]) >= _SURE * error
    return terms @ fitted if is_bent else None


__all__ = ["fall_of_bent"]
