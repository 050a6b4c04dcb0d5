"""Runs: marks that a line reader, made up here, cuts into digits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from digit_recognizer.pictures.page import read_page
from digit_recognizer.pictures.paper import PageInk
from digit_recognizer.pictures.words.ctc import BLANK, OTHER, OUTPUTS, LogProbabilities
from digit_recognizer.pictures.words.cutting import Candidate, Piece, candidates
from digit_recognizer.pictures.words.runs import ReadStrips, cut_runs, run_scores, with_runs
from digit_recognizer.pictures.words.strips import Grey
from tests.pictures.test_page import answer, on_paper, page_of


def reader_of(labels: Sequence[int], sure: float = 0.98) -> ReadStrips:
    """A line reader that finds ``labels`` in each strip, evenly spread."""

    def read(strips: Sequence[Grey]) -> list[LogProbabilities]:
        answers = []
        for strip in strips:
            shown = np.full(strip.shape[1] // 2, BLANK)
            for place, label in enumerate(labels):
                shown[round((place + 0.5) / len(labels) * len(shown))] = label
            frames = np.full((len(shown), OUTPUTS), (1 - sure) / (OUTPUTS - 1))
            frames[np.arange(len(shown)), shown] = sure
            answers.append(np.log(frames).astype(np.float32))
        return answers

    return read


def one_mark(width: int = 60, height: int = 20) -> tuple[PageInk, np.ndarray, Piece]:
    mask = np.zeros((height + 4, width + 4), np.bool_)
    mask[2:-2, 2:-2] = True
    mask[6:-6, 5:-5] = False  # ground between its strokes, or it would be a bar
    ink = PageInk(np.where(mask, 255, 0).astype(np.uint8), mask, 3.0)
    return ink, mask.astype(np.int32), Piece(1, (2, 2, width, height), int(mask.sum()))


def test_a_mark_of_three_digits_becomes_three_pieces_that_share_its_ink() -> None:
    ink, labels, piece = one_mark()
    pieces, runs = cut_runs(ink, labels, [([piece], 20.0)], reader_of([1, 7, 7]), 5)[0]
    assert [one.number for one in pieces] == [1, 5, 6]
    assert sum(one.area for one in pieces) == piece.area
    assert [int((labels == one.number).sum()) for one in pieces] == [one.area for one in pieces]
    assert [one.box[0] for one in pieces] == sorted(one.box[0] for one in pieces)
    assert [one.box[2] for one in pieces] == pytest.approx([20, 20, 20], abs=4)
    assert runs[0].probabilities.argmax(axis=1).tolist() == [1, 7, 7]
    assert (runs[0].start, runs[0].end) == (0, 3)
    assert runs[0].one > 3
    assert runs[0].several < 0.05


def test_a_single_broad_digit_is_left_whole() -> None:
    ink, labels, piece = one_mark(width=20)
    pieces, runs = cut_runs(ink, labels, [([piece], 20.0)], reader_of([4], sure=0.9999), 5)[0]
    assert pieces == [piece]
    assert runs == []


def test_a_narrow_or_low_mark_is_not_asked_about() -> None:
    def nobody(strips: Sequence[Grey]) -> list[LogProbabilities]:
        raise AssertionError("asked")

    for width, height in ((10, 20), (40, 8)):
        ink, labels, piece = one_mark(width, height)
        assert cut_runs(ink, labels, [([piece], 20.0)], nobody, 5) == [([piece], [])]


def test_an_expected_length_chooses_among_likely_readings() -> None:
    ink, labels, piece = one_mark()

    def read(strips: Sequence[Grey]) -> list[LogProbabilities]:
        frames = reader_of([1, 7, 3])(strips)[0]
        at = int(frames[:, 7].argmax())
        frames[at, [7, BLANK]] = np.log([0.7, 0.25])
        return [frames]

    for length in (2, 3):
        pieces, _ = cut_runs(
            ink, labels.copy(), [([piece], 20.0)], read, 5, lambda count, wanted=length: count == wanted
        )[0]
        assert len(pieces) == length


def test_letters_in_touch_are_unfamiliar() -> None:
    ink, labels, piece = one_mark()
    _, runs = cut_runs(ink, labels, [([piece], 20.0)], reader_of([OTHER, OTHER]), 5)[0]
    assert (runs[0].unfamiliarity > 0.9).all()


def test_candidates_take_a_runs_pieces_alone_or_all_together() -> None:
    ink, labels, piece = one_mark()
    far = Piece(9, (70, 2, 10, 20), 200)
    pieces, runs = cut_runs(ink, labels, [([piece, far], 20.0)], reader_of([1, 7, 3]), 10)[0]
    found = with_runs(candidates(pieces, 20.0), pieces, runs)
    assert [(one.start, one.end) for one in found] == [(0, 1), (0, 3), (1, 2), (2, 3), (3, 4)]
    assert found[1].box == piece.box
    assert [one.parting for one in found] == [runs[0].several, runs[0].one, 0, 0, 0]


def test_a_run_is_joined_with_what_stands_beside_it_as_a_whole_alone() -> None:
    ink, labels, piece = one_mark(30, 40)
    flag = Piece(9, (35, 2, 6, 40), 200)
    pieces, runs = cut_runs(ink, labels, [([piece, flag], 40.0)], reader_of([1, 7]), 10)[0]
    found = with_runs(candidates(pieces, 40.0), pieces, runs)
    assert [(one.start, one.end) for one in found] == [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)]
    assert found[2].parting == runs[0].one
    assert not found[2].whole


def test_neighbours_that_another_reading_takes_for_one_digit_may_be_joined() -> None:
    """The stem of a 6 may be a 1 before it: the digit model is asked about both together."""
    ink, labels, piece = one_mark()

    def read(strips: Sequence[Grey]) -> list[LogProbabilities]:
        answers = []
        for frames in reader_of([1, 6, 0], 0.995)(strips):
            first = int(np.flatnonzero(frames.argmax(axis=1) != BLANK)[0])
            frames[first, [1, BLANK]] = np.log([0.6, 0.39])
            answers.append(frames)
        return answers

    pieces, runs = cut_runs(ink, labels, [([piece], 20.0)], read, 5)[0]
    assert [at for at, _ in runs[0].joins] == [0]
    assert runs[0].joins[0][1] == pytest.approx(math.log(0.6 / 0.39), abs=0.02)
    found = with_runs(candidates(pieces, 20.0), pieces, runs)
    spans = [(one.start, one.end) for one in found]
    assert (0, 2) in spans
    assert (1, 3) not in spans
    together = next(one for one in found if (one.start, one.end) == (0, 2))
    assert together.box[2] > pieces[0].box[2]
    assert not together.whole


def test_scores_of_a_run_are_the_line_readers_and_all_others_stay() -> None:
    ink, labels, piece = one_mark()
    pieces, runs = cut_runs(ink, labels, [([piece], 20.0)], reader_of([1, 7, 3]), 5)[0]
    found = [Candidate(0, 1, pieces[0].box), Candidate(0, 3, piece.box)]
    probabilities, strange = np.full((2, 10), 0.05, np.float32), np.full(2, 0.5, np.float32)
    weighed, scores, unfamiliar = run_scores(found, runs, probabilities, strange)
    assert [one.parting for one in weighed] == [
        pytest.approx(-math.log(0.5)),
        0.0,
    ]  # half a digit, says the digit model
    assert scores[0].argmax() == 1
    assert scores[0].sum() + unfamiliar[0] == pytest.approx(1, abs=1e-5)
    assert (scores[1] == probabilities[1]).all()
    assert unfamiliar[1] == strange[1]
    assert (probabilities == np.float32(0.05)).all()
    assert math.isclose(float(strange[0]), 0.5)


def test_a_page_asks_the_line_reader_about_broad_marks_alone() -> None:
    asked: list[int] = []

    def read(strips: Sequence[Grey]) -> list[LogProbabilities]:
        asked.append(len(strips))
        return reader_of([5, 2])(strips)

    apart, together = page_of(["11"]), page_of(["36"], gap=-0.1)
    height = max(len(apart), len(together))
    ink = np.hstack([np.pad(part, ((0, height - len(part)), (0, 40))) for part in (apart, together)])
    page = read_page(on_paper(ink), answer, read_strips=read)
    assert sum(asked) == 1
    assert page.text == "11 52"
    boxes = [digit.box for digit in page.lines[0].digits]
    assert boxes == sorted(boxes)
    assert boxes[3][0] == pytest.approx(boxes[2][0] + boxes[2][2], abs=2)


def test_nobody_is_asked_what_digits_a_bar_is() -> None:
    bar = np.zeros((24, 64), np.bool_)
    bar[2:-2, 2:-2] = True
    ink = PageInk(np.where(bar, 255, 0).astype(np.uint8), bar, 20.0)
    piece = Piece(1, (2, 2, 60, 20), 1200)

    def nobody(strips: Sequence[Grey]) -> list[LogProbabilities]:
        raise AssertionError(f"asked about {len(strips)} strips")

    assert cut_runs(ink, bar.astype(np.int32), [([piece], 20.0)], nobody, 5) == [([piece], [])]
