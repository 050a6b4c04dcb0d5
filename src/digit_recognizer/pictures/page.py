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
from digit_recognizer.pictures.cutting import Candidate, Labels, Piece, candidates, cut_marks, frame_of
from digit_recognizer.pictures.expectation import Expectation
from digit_recognizer.pictures.grid import find_grid
from digit_recognizer.pictures.lines import Boxes, find_lines, join_broken, line_height, split_words
from digit_recognizer.pictures.load import Grey
from digit_recognizer.pictures.paper import PageInk, ink_of_page, shrunk
from digit_recognizer.pictures.paths import Step, best_path
from digit_recognizer.pictures.rules import without_lines
from digit_recognizer.pictures.signs import find_signs
from digit_recognizer.reading import NOT_A_DIGIT, Box, Line, Page, PlacedReading, Rejected, around, readings

Scores = npt.NDArray[np.float32]
Answer = Callable[[Images], tuple[Scores, Scores | None]]

_MOST_MARKS = 2_000  # the largest ones of a page; beyond that it is noise or a printed text
_DIRT = 0.006  # share of the square of a line's height: smaller marks are no part of a digit
_TALL = 0.5  # share of the line's height from which on a piece that is no digit counts as a letter
_FILLED = 0.25  # share of the cells that hold a digit in a grid that nobody told of
_UNLIKELY = 0.6  # confidence below which a digit may as well be a letter
_NUMBER_IN_TEXT = 3  # sure digits of a number that is believed in a line of words
_LETTERS = 0.3  # letters, or digits that may be some, for each digit of a word from which on it is not read


@dataclass(frozen=True, slots=True)
class _Word:
    """Pieces of one word and its candidates for digits. line: where it stands. height: of that line's digits. signs:
    of a decimal number, (where from left to right, sign).
    """

    line: int
    height: float
    pieces: list[Piece]
    candidates: list[Candidate]
    signs: list[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a word was read as. text: its digits and signs. digits: left to right. rejected: what is no digit in it."""

    line: int
    text: str
    digits: list[PlacedReading]
    rejected: list[Rejected]


def read_page(
    grey: Grey,
    answer: Answer,
    expectation: Expectation | None = None,
    *,
    min_confidence: float = 0.0,
    name: str = "",
) -> Page:
    """Read all numbers on a picture.

    grey: uint8 (H, W), any size. answer: gives for frames, uint8 (N, 28, 28), probabilities float32 (N, 10), which are
    short of 1 by unfamiliarity, float32 (N,); None for that where the model cannot tell. expectation: what the numbers
    look like; a number that does not is not accepted. min_confidence: 0-1, digits below are not accepted. name: what
    the picture is called.

    >>> read_page(np.full((60, 80), 255, np.uint8), lambda frames: (np.zeros((len(frames), 10), np.float32), None))
    Page(lines=(), rejected=(), name='')
    """
    expectation = expectation or Expectation()
    if expectation.grid is not None or not expectation.asks:
        grid = find_grid(grey, expectation.grid)
        if grid is not None:
            page = read_cells(grid, answer, min_confidence=min_confidence, name=name)
            rows, columns = grid.shape
            # Nobody told of a grid: squared paper has cells, too, but hardly a digit in each.
            if expectation.grid is not None or len(page.digits) >= _FILLED * rows * columns:
                return page
        if expectation.grid is not None:
            whole = (0, 0, grey.shape[1], grey.shape[0])
            rows, columns = expectation.grid
            return Page((), (Rejected(whole, f"expected a grid of {rows} x {columns} cells, found none"),), name)
    small, scale = shrunk(grey)
    ink = ink_of_page(small)
    if ink is None:
        return Page(name=name)
    ink = without_lines(ink)
    labels, boxes = _marks(ink)
    lines = find_lines(boxes)
    words = list(_words(ink, labels, boxes, lines, expectation.numbers == "decimal"))
    frames = [frame_of(ink, labels, word.pieces, found) for word in words for found in word.candidates]
    if not frames:
        return Page(name=name)
    images = np.stack(frames)
    probabilities, unfamiliarity = answer(images)
    strange = np.zeros(len(images), np.float32) if unfamiliarity is None else unfamiliarity

    read: list[_Read] = []
    start = 0
    for word in words:
        part = slice(start, start + len(word.candidates))
        start = part.stop
        path = best_path(
            len(word.pieces), word.candidates, probabilities[part], strange[part], word.height, expectation
        )
        found = _readings(word, path, images[part], probabilities[part], strange[part], min_confidence)
        read.append(_judged(word, path, found, expectation))
    return _page(_without_text(read), scale, name)


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


def _words(ink: PageInk, labels: Labels, boxes: Boxes, lines: Sequence[list[int]], with_signs: bool) -> Iterator[_Word]:
    """The words of each line, with their marks cut into pieces; pieces that were cut get numbers of their own."""
    areas = np.bincount(labels.ravel(), minlength=len(boxes) + 1)
    number = len(boxes) + 1
    for line_number, line in enumerate(lines):
        height = line_height(boxes, line)
        line = [mark for mark in line if areas[mark + 1] >= _DIRT * height**2]
        signs = find_signs(boxes, line, height) if with_signs else {}
        waiting: list[tuple[float, str]] = []
        for word in split_words(boxes, line, height):
            waiting += [(float(boxes[mark, 0]), signs[mark]) for mark in word if mark in signs]
            marks = [mark for mark in word if mark not in signs]
            if not marks:  # a minus that stands apart belongs to the number after it
                continue
            pieces = [Piece(mark + 1, _box(boxes[mark]), int(areas[mark + 1])) for mark in marks]
            pieces = cut_marks(labels, pieces, height, ink.thickness, number)
            number = max(number, 1 + max(piece.number for piece in pieces))
            yield _Word(line_number, height, pieces, candidates(pieces, height), waiting)
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


def _judged(word: _Word, path: Sequence[Step], digits: list[PlacedReading], expectation: Expectation) -> _Read:
    """A word's digits, or none where it is no number after all; what they fall short of goes to ``rejected``."""
    none = [word.candidates[step.candidate].box for step in path if step.digit is None]
    letters = [box for box in none if box[3] >= _TALL * word.height]
    rejected = [Rejected(box, NOT_A_DIGIT) for box in letters]
    unlikely = [digit for digit in digits if digit.confidence < _UNLIKELY]
    if not digits or len(letters) > _LETTERS * len(digits) or len(unlikely) > _LETTERS * len(digits):
        whole = around([digit.box for digit in digits] + none)
        return _Read(word.line, "", [], [Rejected(whole, NOT_A_DIGIT)] if letters or digits else [])
    complaint = expectation.complaint([digit.digit for digit in digits])
    if complaint is not None:
        digits = [replace(digit, accepted=False) for digit in digits]
        rejected.append(Rejected(around(digit.box for digit in digits), complaint))
    letters_from = [(float(digit.box[0]), str(digit.digit)) for digit in digits]
    text = "".join(letter for _, letter in sorted(letters_from + word.signs))
    return _Read(word.line, text, digits, rejected)


def _without_text(read: Sequence[_Read]) -> list[_Read]:
    """The same words; in a line of writing, where most are none, only sure numbers of three digits and more stay."""
    result = []
    for word in read:
        others = [other for other in read if other.line == word.line]
        writing = sum(1 for other in others if not other.digits and other.rejected)
        numbers = sum(1 for other in others if other.digits)
        sure = len(word.digits) >= _NUMBER_IN_TEXT and all(digit.accepted for digit in word.digits)
        if word.digits and writing > numbers and not sure:
            whole = around(digit.box for digit in word.digits)
            word = _Read(word.line, "", [], [*word.rejected, Rejected(whole, NOT_A_DIGIT)])
        result.append(word)
    return result


def _page(read: Sequence[_Read], scale: float, name: str) -> Page:
    """Words to lines, boxes to the pixels of the picture as it came."""

    def placed(box: Box) -> Box:
        left, top = int(box[0] / scale), int(box[1] / scale)
        return left, top, round((box[0] + box[2]) / scale) - left, round((box[1] + box[3]) / scale) - top

    lines = []
    for number in sorted({word.line for word in read}):
        words = [word for word in read if word.line == number and word.digits]
        if not words:
            continue
        digits = [replace(digit, box=placed(digit.box)) for word in words for digit in word.digits]
        text = " ".join(word.text for word in words)
        lines.append(Line(text, tuple(digits)))
    rejected = tuple(Rejected(placed(found.box), found.reason) for word in read for found in word.rejected)
    return Page(tuple(lines), rejected, name)


__all__ = ["Answer", "read_page"]
