"""A word's marks become pieces in reading order, and runs of pieces become candidates for digits.

Marks too broad for one digit are cut along thin seams, more often than needed; which cuts were right is decided by
whoever scores the candidates. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.paper import Labels, PageInk
from digit_recognizer.pictures.words.strips import own_ink
from digit_recognizer.reading import Box, around

_SEAM_ROWS = 48  # rows that a mark is shrunk to before seams are looked for
_CUT_FROM = 0.55  # times the line's height that a mark is broad before it is cut; two ones that touch are 0.6
_PARTING = 2.5  # how fast cuts become likelier as marks grow broader
_TWO_BROAD = 1.15  # heights from which on a mark is rather two digits than one
_SLIVER = 0.012  # of the square of the height: smaller pieces stay with the one before
_LEAST_MOST = (0.1, 1.5)
_SLANT = 0.35  # what a step aside costs a seam, in full ink pixels
_THICK = 3.5  # stroke widths of ink that a seam crosses at most
_APART = 0.1  # heights between two seams at least
BROADEST = 1.45  # heights that a digit is broad at most
_MOST_PIECES = 14  # pieces that make up one digit at most; more do not fit into its breadth
_MOST_STROKES = 3  # whole marks, each taller than half, side by side: all cross its middle, where a digit has so many
_BESIDE = 0.7  # what it costs to join two tall marks that stand side by side, for each pair; 0.4 and 1.0 do as well
_STROKE = 0.6  # of the line's height that such a mark is tall at least
_HOLE = 0.3  # heights between two pieces of a broken digit at most
_OVER = 0.6  # share of the narrower one that lies above or below the other: parts of a broken digit
_PART = 0.12  # heights that a part of one is tall at least
_TOGETHER = 1.25  # heights that the parts of one are tall together at most
_STACKED, _INSIDE = 2.5, 1.0  # what it costs to take a digit without what lies above or below, or within it
_ROOM = 2  # black pixels around a candidate, so that none of it touches its crop's edge
_MARGIN = 0.2  # share of a candidate's longest side that is left free around it


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a mark: its number in the page's labels, its box (x, y, w, h), how many pixels it has.

    parting: how unlikely the seam is that parts it from the piece before it, a cost; 0 where it stands alone.
    """

    number: int
    box: Box
    area: int
    parting: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Pieces ``start`` to ``end`` (exclusive) of a word, taken for one digit. box: (x, y, w, h) in the page.

    parting: that of its first piece. whole: whether it is one mark, and all of it. apart: what it costs that it leaves
    out what lies above, below or within it, and would be the rest of a broken digit.
    """

    start: int
    end: int
    box: Box
    parting: float = 0.0
    whole: bool = False
    apart: float = 0.0


def cut_marks(labels: Labels, pieces: list[Piece], height: float, thickness: float, number: int) -> list[Piece]:
    """Cut what is broader than a digit: pieces in the order of their marks, those of a mark left to right.

    labels: int32 (H, W), the page's marks by number; pieces that are cut get numbers from ``number`` on in it. height:
    of the line's digits. thickness: of its strokes. Seams run from top to bottom, a pixel aside in each row at most,
    where they cross the least ink (after Avidan and Shamir's seams, 2007).
    """
    result: list[Piece] = []
    for piece in pieces:
        x, y, width, tall = piece.box
        if width < _CUT_FROM * height or tall < 0.5 * height:
            result.append(piece)
            continue
        part = labels[y : y + tall, x : x + width]
        sides = _sides(part == piece.number, height, thickness)
        if sides is None:
            result.append(piece)
            continue
        # Half of a 4 looks like a 1: what is no broader than a digit is hardly ever two.
        unlikely = float(np.clip(_PARTING * (_TWO_BROAD - width / height), *_LEAST_MOST))
        sides = _without_slivers(sides, part == piece.number, _SLIVER * height**2)
        for side in range(int(sides.max()) + 1):
            mine = (part == piece.number) & (sides == side)
            if side:
                part[mine] = number
            found = _piece(mine, piece.number if side == 0 else number, x, y, parting=unlikely * (side > 0))
            number += side > 0
            if found is not None:
                result.append(found)
    return result


def candidates(pieces: list[Piece], height: float, broadest: float = BROADEST) -> list[Candidate]:
    """Every run of pieces that could be one digit by its size: no wide hole inside, no comb of strokes, and not too
    broad: ``broadest`` heights.

    >>> pieces = [Piece(1, (0, 0, 10, 20), 99), Piece(2, (11, 0, 10, 20), 99), Piece(3, (40, 0, 10, 20), 99)]
    >>> [(found.start, found.end) for found in candidates(pieces, 20.0)]
    [(0, 1), (0, 2), (1, 2), (2, 3)]
    """
    result = []
    ends_mark = [piece.parting == 0 for piece in pieces[1:]] + [True]
    is_stroke = [
        piece.parting == 0 and ends and piece.box[3] >= _STROKE * height
        for piece, ends in zip(pieces, ends_mark, strict=True)
    ]
    for start, first in enumerate(pieces):
        box = first.box
        strokes = 0
        for end in range(start, min(start + _MOST_PIECES, len(pieces))):
            if end > start:
                if pieces[end].box[0] - (box[0] + box[2]) > _HOLE * height:
                    break
                box = around((box, pieces[end].box))
                if box[2] > broadest * height:
                    break
            strokes += is_stroke[end]
            if strokes > _MOST_STROKES:
                break
            alone = first.parting == 0 and ends_mark[end]
            of_one = all(piece.parting > 0 for piece in pieces[start + 1 : end + 1])
            if end > start and not alone and not of_one:
                continue  # a part of one mark with a part of the next
            apart = _apart(pieces, start, end + 1, box, height)
            apart += _side_by_side(pieces[start : end + 1], is_stroke[start : end + 1])
            result.append(Candidate(start, end + 1, box, first.parting, alone and of_one, apart))
    return result


def _side_by_side(pieces: list[Piece], is_stroke: list[bool]) -> float:
    """What it costs to take tall marks that stand side by side, with ground between them, for one digit: a thin 1
    before a 0 makes hardly a difference to how that looks.
    """
    count = 0
    for (one, tall), (other, other_tall) in pairwise(zip(pieces, is_stroke, strict=True)):
        count += tall and other_tall and other.box[0] >= one.box[0] + one.box[2]
    return _BESIDE * count


def _apart(pieces: list[Piece], start: int, end: int, box: Box, height: float) -> float:
    """What it costs to leave the other pieces out, of those that lie above, below or within ``box``."""
    x, y, width, tall = box
    cost = 0.0
    for other in pieces[max(0, start - 4) : start] + pieces[end : end + 4]:
        left, top, breadth, depth = other.box
        shared = min(x + width, left + breadth) - max(x, left)
        if shared < _OVER * min(width, breadth) or depth < _PART * height:
            continue
        beside = min(y + tall, top + depth) - max(y, top)
        together = max(y + tall, top + depth) - min(y, top)
        if beside <= 0.3 * min(tall, depth) and together <= _TOGETHER * height:
            cost = max(cost, _STACKED)
        elif beside >= 0.9 * depth and shared >= 0.9 * breadth:
            cost = max(cost, _INSIDE)
    return cost


def frame_of(ink: PageInk, labels: Labels, pieces: list[Piece], candidate: Candidate) -> npt.NDArray[np.uint8]:
    """A candidate's own ink, without its neighbours', in MNIST's frame: uint8 (28, 28)."""
    x, y, width, height = candidate.box
    # The soft edge of a stroke lies outside of its mark; where a neighbour is nearer it is not this one's.
    top, left = max(0, y - 1), max(0, x - 1)
    numbers = [piece.number for piece in pieces[candidate.start : candidate.end]]
    mine = own_ink(ink.strength, labels, numbers, (left, top, x + width + 1 - left, y + height + 1 - top))
    # With room on all sides: the bar of a 7 that fills its crop from edge to edge would pass for a rule.
    room = max(_ROOM, round(_MARGIN * max(mine.shape)))
    return to_frame(np.asarray(cv2.copyMakeBorder(mine, room, room, room, room, cv2.BORDER_CONSTANT, value=0)))


def _sides(mark: npt.NDArray[np.bool_], height: float, thickness: float) -> Labels | None:
    """How many seams lie to the left of each pixel: int32 (H, W); None where there is no seam worth a cut."""
    times = max(1.0, len(mark) / _SEAM_ROWS)
    size = (max(3, round(mark.shape[1] / times)), max(3, round(len(mark) / times)))
    small = cv2.resize(mark.astype(np.float32), size, interpolation=cv2.INTER_AREA) if times > 1 else mark * 1.0
    rows, columns = small.shape
    height, thickness = height / times, max(1.0, thickness / times)

    cost = np.zeros((rows, columns), np.float32)
    came = np.zeros((rows, columns), np.int32)
    cost[0] = small[0]
    far = np.float32(np.inf)
    for row in range(1, rows):
        above = cost[row - 1]
        three = np.stack([np.append(far, above[:-1]) + _SLANT, above, np.append(above[1:], far) + _SLANT])
        step = np.argmin(three, axis=0)
        came[row] = step - 1
        cost[row] = three[step, np.arange(columns)] + small[row]
    final = cost[-1]

    apart = max(2, round(_APART * height))
    margin = max(2, round(0.08 * height))
    ends: list[int] = []
    for column in np.argsort(final, kind="stable"):
        if final[column] > _THICK * thickness:
            break
        if margin <= column < columns - margin and all(abs(column - other) >= apart for other in ends):
            ends.append(int(column))
    if not ends:
        return None
    seams = np.zeros((rows, len(ends)), np.int32)
    at = np.array(sorted(ends))
    for row in range(rows - 1, -1, -1):
        seams[row] = at
        if row:
            at = at + came[row, at]
    kept = [0]
    for seam in range(1, seams.shape[1]):  # seams that ran together are one cut
        if np.abs(seams[:, seam] - seams[:, kept[-1]]).mean() >= 0.6 * apart:
            kept.append(seam)
    sides = (np.arange(columns)[None, :, None] > seams[:, None, kept]).sum(axis=2).astype(np.uint16)
    return np.asarray(cv2.resize(sides, mark.shape[::-1], interpolation=cv2.INTER_NEAREST), np.int32)


def _without_slivers(sides: Labels, mark: npt.NDArray[np.bool_], least: float) -> Labels:
    """The same sides, those that hold hardly any of the mark joined with the one before, or the first with the next."""
    areas = np.bincount(sides[mark], minlength=int(sides.max()) + 1)
    target = np.zeros(len(areas), np.int32)
    current, filled = 0, 0
    for side, area in enumerate(areas):
        if area >= least and filled >= least:
            current, filled = current + 1, 0
        target[side] = current
        filled += int(area)
    return target[sides]


def _piece(mine: npt.NDArray[np.bool_], number: int, x: int, y: int, *, parting: float) -> Piece | None:
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    if not len(rows):
        return None
    box = (
        x + int(columns[0]),
        y + int(rows[0]),
        int(columns[-1] - columns[0]) + 1,
        int(rows[-1] - rows[0]) + 1,
    )
    return Piece(number, box, int(mine.sum()), parting)


__all__ = ["BROADEST", "Candidate", "Piece", "candidates", "cut_marks", "frame_of"]
