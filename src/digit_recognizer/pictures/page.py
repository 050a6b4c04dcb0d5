"""A picture of numbers becomes a Page: ink, marks, lines, words, candidates for digits, and the best way through them.

All candidates of a page are scored together by ``answer``, which is all that is known of a model here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.pictures.cells import read_cells
from digit_recognizer.pictures.coarseness import has_even_ground, is_drawing, longest_needed
from digit_recognizer.pictures.context import ReadWord, judged, without_text
from digit_recognizer.pictures.cutting import Candidate, Labels, Piece, candidates, cut_marks, frame_of
from digit_recognizer.pictures.edges import EDGE, is_edge
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.grid import crossed_sides, find_grid
from digit_recognizer.pictures.ink_map import FindInk, ink_map, ink_of_map
from digit_recognizer.pictures.lines import Boxes, find_lines, join_broken, line_height, split_words, tallest_mark
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.lone import lone_digit
from digit_recognizer.pictures.paper import Contrast, PageInk, contrast_of_page, ink_of, shrunk
from digit_recognizer.pictures.paths import Step, best_path
from digit_recognizer.pictures.rules import turn_of_ruling, without_lines, without_ruling
from digit_recognizer.pictures.runs import ReadStrips, Run, cut_runs, run_scores, with_runs
from digit_recognizer.pictures.signs import find_signs
from digit_recognizer.pictures.steps import Watch, unwatched
from digit_recognizer.pictures.ticks import find_ticks
from digit_recognizer.pictures.upright import View, turned, view_of
from digit_recognizer.pictures.within import Part
from digit_recognizer.reading import (
    MAX_UNFAMILIARITY,
    NOT_A_DIGIT,
    Box,
    Line,
    Page,
    PlacedReading,
    Rejected,
    around,
    readings,
)

Scores = npt.NDArray[np.float32]
Answer = Callable[[Images], tuple[Scores, Scores | None]]

_MOST_MARKS = 2_000  # the largest ones of a page; beyond that it is noise or a printed text
_DIRT = 0.006  # share of the square of a line's height: smaller marks are no part of a digit
_FILLED = 0.25  # share of the cells that hold a digit in a grid that nobody told of
_LOWEST = 5  # pixels of a line's height: even the digits of the smallest fonts are no lower
# Of 24 photographed grids 0.92 at least; digits across squares, read square by square, had 0.17 to 0.35.
_READABLE = 0.6  # mean confidence that a grid's digits have at least
_CROSSED = 0.1  # sides of cells that ink crosses there, for each of these digits, at most
_LEAST_TURN = 0.4  # degrees by which a page is turned before it is turned back
_CHARACTER = 0.4  # of the line's height from which on a mark counts as a digit or letter
_BROADEST = 0.9  # heights that one is broad at most; two digits that touch are broader
_SURE = 0.9  # probability of a digit from which on a mark surely is one
_CERTAIN = 0.95  # confidence from which on all ink is one digit, whatever was read in its parts
# Of a line of so many digits fewer than this share sure: letters, a few of which look like digits.
_LONG_LINE, _SURE_SHARE = 5, 0.25


@dataclass(frozen=True, slots=True)
class _Word:
    """Pieces of one word and its candidates for digits, none where it is too low to hold any. line: where it stands.
    height: of that line's digits. signs: of a decimal number, (where from left to right, sign). runs: which pieces a
    line reader cut. tallest: of the line's marks.
    """

    line: int
    height: float
    pieces: list[Piece]
    candidates: list[Candidate]
    signs: list[tuple[float, str]]
    runs: list[Run]
    tallest: float


def read_page(
    grey: Grey,
    answer: Answer,
    expectation: Expectation | None = None,
    *,
    min_confidence: float = 0.0,
    name: str = "",
    watch: Watch = unwatched,
    read_strips: ReadStrips | None = None,
    find_ink: FindInk | None = None,
) -> Page:
    """Read all numbers on a picture.

    grey: uint8 (H, W), any size. answer: gives for frames, uint8 (N, 28, 28), probabilities float32 (N, 10), which are
    short of 1 by unfamiliarity, float32 (N,); None for that where the model cannot tell. expectation: what the numbers
    look like; a number that does not is not accepted. min_confidence: 0-1, digits below are not accepted. name: what
    the picture is called. watch: is told of each step on the way. read_strips: a line reader, asked about marks that
    may be several digits in touch; left out, they are cut along seams. find_ink: a network that sees where there is
    ink, asked about all but plain drawings; left out, ink is what stands out from the ground and is no printed line.

    >>> read_page(np.full((60, 80), 255, np.uint8), lambda frames: (np.zeros((len(frames), 10), np.float32), None))
    Page(lines=(), rejected=(), name='')
    """
    expectation = expectation or Expectation()
    if expectation.grid is not None or not expectation.asks:
        grid = find_grid(grey, expectation.grid)
        if grid is not None:
            expected = expectation.grid is not None
            page = read_cells(
                grid, answer, min_confidence=min_confidence, name=name, expected=expected, find_ink=find_ink
            )
            rows, columns = grid.shape
            # Nobody told of a grid: squared paper has cells, too, but digits lie across them, and not in each.
            count = len(page.digits)
            is_meant = count >= _FILLED * rows * columns and crossed_sides(grid) <= _CROSSED * count
            if expected or (is_meant and sum(digit.confidence for digit in page.digits) >= _READABLE * count):
                watch("grid", grid)
                return page
        if expectation.grid is not None:
            whole = (0, 0, grey.shape[1], grey.shape[0])
            rows, columns = expectation.grid
            return Page((), (Rejected(whole, f"expected a grid of {rows} x {columns} cells, found none"),), name)
    view, contrast = _upright(grey)
    if contrast is None:
        return Page(name=name)
    find_ink = None if is_drawing(grey) else find_ink
    ink = _ink(view, contrast, find_ink, has_even_ground(grey), watch)
    if ink is None:
        page = Page(name=name)
    else:
        page = _read_ink(view, ink, answer, expectation, min_confidence, name, watch, read_strips)
    if len(page.lines) == 1 or not expectation.allows_length(1):
        return page
    return _as_one_digit(page, view, ink if find_ink else ink_of(contrast), ink, answer, min_confidence) or page


def _read_ink(
    view: View,
    ink: PageInk,
    answer: Answer,
    expectation: Expectation,
    min_confidence: float,
    name: str,
    watch: Watch,
    read_strips: ReadStrips | None,
) -> Page:
    """Read all numbers of a page whose ink is found; arguments as for ``read_page``."""
    watch("ink", ink)
    labels, boxes = _marks(ink)
    lines = find_lines(boxes)
    words = list(_words(ink, labels, boxes, lines, expectation, read_strips))
    watch("pieces", [(word.line, word.pieces) for word in words])
    frames = [frame_of(ink, labels, word.pieces, found) for word in words for found in word.candidates]
    if not words:
        return Page(name=name)
    images = np.stack(frames) if frames else np.zeros((0, SIDE, SIDE), np.uint8)
    probabilities, unfamiliarity = answer(images) if frames else (np.zeros((0, CLASSES), np.float32), None)
    strange = np.zeros(len(images), np.float32) if unfamiliarity is None else unfamiliarity

    read: list[ReadWord] = []
    start = 0
    for word in words:
        part = slice(start, start + len(word.candidates))
        start = part.stop
        if not word.candidates:
            whole = around([piece.box for piece in word.pieces])
            read.append(ReadWord(word.line, word.height, "", (), (Rejected(whole, NOT_A_DIGIT),)))
            continue
        weighed, scores, unfamiliar = run_scores(word.candidates, word.runs, probabilities[part], strange[part])
        path = best_path(len(word.pieces), weighed, scores, unfamiliar, word.height, expectation)
        digits = _readings(word, path, images[part], scores, unfamiliar, min_confidence)
        if len(digits) == 1 and is_edge(view.grey, ink.mask, digits[0].box):
            read.append(ReadWord(word.line, word.height, "", (), (Rejected(digits[0].box, EDGE),)))
            continue
        letters, familiar = _company(word, path, digits, probabilities[part], strange[part])
        parts = _parts(word, path, digits)
        seen = ReadWord(word.line, word.height, "", tuple(digits), (), letters, familiar, word.tallest, parts)
        none = [word.candidates[step.candidate].box for step in path if step.digit is None]
        read.append(judged(seen, none, word.signs, expectation))
    return _page(without_text(read, expectation), view, name)


def _as_one_digit(
    page: Page, view: View, whole: PageInk | None, ink: PageInk | None, answer: Answer, min_confidence: float
) -> Page | None:
    """The page with a single digit, where all its ink surely is one; None elsewhere.

    whole: the ink, printed lines included. ink: without these. Asked where several lines of digits were read, or none
    though something was taken for a line.
    """
    if whole is None or (not page.lines and ink is not None and whole.mask.sum() == ink.mask.sum()):
        return None
    found = lone_digit(whole)
    if found is None:
        return None
    frame, box = found
    probabilities, unfamiliarity = answer(frame[None])
    (reading,) = readings(probabilities, [""], min_confidence, frames=frame[None], unfamiliarity=unfamiliarity)
    if reading.confidence < _CERTAIN:
        return None
    return Page((Line(str(reading.digit), (PlacedReading.of(reading, view.box(box)),)),), (), page.name)


def _upright(grey: Grey) -> tuple[View, Contrast | None]:
    """The picture, shrunk and turned until printed lines on it are level, and what stands out from its ground."""
    view = view_of(*shrunk(grey, longest_needed(grey)))
    contrast = contrast_of_page(view.grey)
    turn = 0.0 if contrast is None else turn_of_ruling(contrast)
    if abs(turn) >= _LEAST_TURN:
        view = turned(view, turn)
        contrast = contrast_of_page(view.grey)
        if contrast is not None and view.inside is not None:
            contrast = contrast._replace(depth=np.where(view.inside, contrast.depth, np.float32(0)))
    return view, contrast


def _ink(view: View, contrast: Contrast, find_ink: FindInk | None, is_even: bool, watch: Watch) -> PageInk | None:
    """The ink of a page, without what is printed for people to write on.

    is_even: whether its ground is; if so, ``find_ink`` is asked only where lines are printed on it.
    """
    if find_ink is None or is_even:
        unruled = without_ruling(contrast)
        ink = ink_of(unruled)
        if ink is None:
            return None
        rest = without_lines(ink)
        if find_ink is None or (unruled is contrast and rest is ink):
            watch("ground removed", ink)
            return rest
    if watch is not unwatched and (all_that_stands_out := ink_of(contrast)) is not None:
        watch("ground removed", all_that_stands_out)
    found = ink_map(view.grey, contrast.thickness, find_ink)
    return ink_of_map(found if view.inside is None else np.where(view.inside, found, np.float32(0)))


def _marks(ink: PageInk) -> tuple[Labels, Boxes]:
    """Connected ink by number, int32 (H, W), and the boxes of marks 1, 2, ..., int64 (N, 4); dirt is taken away."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.mask.view(np.uint8), connectivity=8)
    least = max(4.0, 0.5 * ink.thickness**2)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    if kept.sum() > _MOST_MARKS:
        kept &= stats[:, cv2.CC_STAT_AREA] >= np.sort(stats[kept, cv2.CC_STAT_AREA])[-_MOST_MARKS]
    boxes = stats[kept, :4].astype(np.int64)
    groups = join_broken(boxes)
    numbers = np.zeros(len(boxes), np.int32)
    for number, group in enumerate(groups, 1):
        numbers[group] = number
    of_label = np.zeros(len(kept), np.int32)
    of_label[kept] = numbers
    joined = [around([_box(boxes[mark]) for mark in group]) for group in groups]
    return of_label[labels], np.array(joined, np.int64).reshape(-1, 4)


def _box(sides: npt.NDArray[np.int64]) -> Box:
    return int(sides[0]), int(sides[1]), int(sides[2]), int(sides[3])


def _words(
    ink: PageInk,
    labels: Labels,
    boxes: Boxes,
    lines: Sequence[list[int]],
    expectation: Expectation,
    read_strips: ReadStrips | None,
) -> Iterator[_Word]:
    """The words of each line, with their marks cut into pieces; pieces that were cut get numbers of their own."""
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
    number = len(boxes) + 1
    for line_number, line in enumerate(lines):
        height = line_height(boxes, line)
        tallest = tallest_mark(boxes, line)
        line = [mark for mark in line if areas[mark + 1] >= _DIRT * height**2]
        signs = find_signs(boxes, line, height) if expectation.numbers == "decimal" else {}
        ticks = find_ticks(boxes, [mark for mark in line if mark not in signs], height)
        line = [mark for mark in line if mark not in ticks]
        waiting: list[tuple[float, str]] = []
        for word in split_words(boxes, line, height):
            waiting += [(float(boxes[mark, 0]), signs[mark]) for mark in word if mark in signs]
            marks = [mark for mark in word if mark not in signs]
            if not marks:  # a minus that stands apart belongs to the number after it
                continue
            pieces = [Piece(mark + 1, _box(boxes[mark]), int(areas[mark + 1])) for mark in marks]
            runs: list[Run] = []
            if height < _LOWEST:
                yield _Word(line_number, height, pieces, [], waiting, runs, tallest)
                waiting = []
                continue
            if read_strips is None:
                pieces = cut_marks(labels, pieces, height, ink.thickness, number)
            else:
                pieces, runs = cut_runs(ink, labels, pieces, height, read_strips, number, expectation.allows_length)
            number = max(number, 1 + max(piece.number for piece in pieces))
            found = with_runs(candidates(pieces, height), pieces, runs)
            yield _Word(line_number, height, pieces, found, waiting, runs, tallest)
            waiting = []


def _readings(
    word: _Word, path: Sequence[Step], images: Images, probabilities: Scores, strange: Scores, min_confidence: float
) -> list[PlacedReading]:
    """The digits of a path, left to right."""
    chosen = [step.candidate for step in path if step.digit is not None]
    found = readings(
        probabilities[chosen].reshape(-1, CLASSES),
        [""] * len(chosen),
        min_confidence,
        frames=images[chosen].reshape(-1, SIDE, SIDE),
        unfamiliarity=strange[chosen],
    )
    result = []
    for step, reading in zip((step for step in path if step.digit is not None), found, strict=True):
        if step.digit is not None and step.digit != reading.digit:  # a check digit asked for another one
            confidence = float(reading.probabilities[step.digit])
            sure = confidence >= min_confidence and confidence >= 0.5
            reading = replace(
                reading,
                digit=step.digit,
                confidence=confidence,
                second=reading.digit,
                second_confidence=reading.confidence,
                accepted=sure,
            )
        result.append(PlacedReading.of(reading, word.candidates[step.candidate].box))
    return result


def _parts(word: _Word, path: Sequence[Step], digits: Sequence[PlacedReading]) -> tuple[Part, ...]:
    """The digits of a path and the boxes of what is none, left to right."""
    read = iter(digits)
    return tuple(next(read) if step.digit is not None else word.candidates[step.candidate].box for step in path)


def _company(
    word: _Word, path: Sequence[Step], digits: Sequence[PlacedReading], probabilities: Scores, strange: Scores
) -> tuple[int, int]:
    """How many whole marks of a word are no digits, and how many surely are: what it tells of the words around it.

    A mark that was cut into digits, all of them sure, is neither; into ones alone, it is still a letter: an H. Nor is
    a mark that makes up a sure digit with others: its strokes are broken.
    """
    chosen = [word.candidates[step.candidate] for step in path if step.digit is not None]
    broken = [one for one, digit in zip(chosen, digits, strict=True) if not one.whole and digit.accepted]
    letters = familiar = 0
    for number, found in enumerate(word.candidates):
        if not found.whole or found.box[3] < _CHARACTER * word.height or found.box[2] > _BROADEST * word.height:
            continue
        familiar += bool(probabilities[number].max() >= _SURE)
        if strange[number] > MAX_UNFAMILIARITY:
            if any(one.start <= found.start and found.end <= one.end for one in broken):
                continue
            cut = [
                digit
                for one, digit in zip(chosen, digits, strict=True)
                if found.start <= one.start and one.end <= found.end
            ]
            sure = len(cut) > 1 and all(digit.accepted for digit in cut) and any(digit.digit != 1 for digit in cut)
            letters += not sure
    return letters, familiar


def _page(read: Sequence[ReadWord], view: View, name: str) -> Page:
    """Words to lines, boxes to the pixels of the picture as it came."""
    lines = []
    for number in sorted({word.line for word in read}):
        words = [word for word in read if word.line == number and word.digits]
        if not words:
            continue
        digits = [replace(digit, box=view.box(digit.box)) for word in words for digit in word.digits]
        if len(digits) >= _LONG_LINE and sum(digit.accepted for digit in digits) < _SURE_SHARE * len(digits):
            digits = [replace(digit, accepted=False) for digit in digits]
        text = " ".join(word.text for word in words)
        lines.append(Line(text, tuple(digits)))
    rejected = tuple(Rejected(view.box(found.box), found.reason) for word in read for found in word.rejected)
    return Page(tuple(lines), rejected, name)


__all__ = ["Answer", "read_page"]
