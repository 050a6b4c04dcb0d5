"""Candidates are runs of pieces; what leaves out the rest of a broken digit costs more than what takes it in."""

from __future__ import annotations

import numpy as np

from digit_recognizer.pictures.words.cutting import Piece, candidates, cut_marks


def test_pieces_of_two_marks_never_make_one_candidate_by_halves() -> None:
    pieces = [
        Piece(1, (0, 0, 8, 20), 90),
        Piece(2, (8, 0, 8, 20), 90, parting=0.4),
        Piece(3, (17, 0, 8, 20), 90),
    ]
    found = candidates(pieces, 20.0)
    assert [(one.start, one.end) for one in found] == [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)]
    assert [one.whole for one in found] == [False, True, False, False, True]


def test_one_half_of_a_digit_broken_across_costs_more_than_the_whole() -> None:
    upper, lower = Piece(1, (0, 0, 12, 9), 60), Piece(2, (1, 11, 12, 9), 60)
    costs = {(one.start, one.end): one.apart for one in candidates([upper, lower], 20.0)}
    assert costs[0, 2] == 0
    assert costs[0, 1] > 0
    assert costs[1, 2] > 0


def test_digits_side_by_side_cost_nothing_extra() -> None:
    pieces = [Piece(number + 1, (number * 14, 0, 11, 20), 90) for number in range(3)]
    assert {one.apart for one in candidates(pieces, 20.0) if one.end - one.start == 1} == {0.0}


def test_a_thin_1_before_a_0_is_joined_with_it_at_a_cost_and_a_loose_stroke_that_overlaps_is_not() -> None:
    one, zero, flag = Piece(1, (0, 0, 3, 20), 60), Piece(2, (6, 0, 12, 20), 130), Piece(3, (10, 0, 10, 4), 30)
    beside = {(found.start, found.end): found.apart for found in candidates([one, zero], 20.0)}
    assert beside[0, 1] == beside[1, 2] == 0
    assert beside[0, 2] > 0.3
    assert {(found.start, found.end): found.apart for found in candidates([zero, flag], 20.0)}[0, 2] == 0


def test_two_bars_that_touch_are_cut_between_them() -> None:
    labels = np.zeros((40, 60), np.int32)
    labels[5:35, 10:16] = labels[5:35, 32:38] = labels[19:21, 16:32] = 1
    pieces = cut_marks(labels, [Piece(1, (10, 5, 28, 30), 392)], 30.0, 4.0, 2)
    assert len(pieces) >= 2
    assert pieces[0].box[0] == 10
    assert pieces[-1].box[0] + pieces[-1].box[2] == 38
    assert sum(piece.area for piece in pieces) == 392
    assert sorted(np.unique(labels)) == [0, 1, *range(2, len(pieces) + 1)]


def test_a_mark_with_hundreds_of_seams_is_cut_from_its_first_to_its_last() -> None:
    labels = np.zeros((40, 20 * 90 + 20), np.int32)
    for place in range(90):
        labels[5:35, 10 + 20 * place : 14 + 20 * place] = 1
    labels[20, 10 : 10 + 20 * 89] = 1
    area = int(labels.sum())
    pieces = cut_marks(labels, [Piece(1, (10, 5, 20 * 89 + 4, 30), area)], 30.0, 4.0, 2)
    assert len(pieces) == 90
    assert sum(piece.area for piece in pieces) == area
    assert max(piece.box[2] for piece in pieces) < 60
    assert [piece.box[0] for piece in pieces] == sorted(piece.box[0] for piece in pieces)


def test_no_digit_is_made_of_more_than_three_strokes_side_by_side() -> None:
    strokes = [Piece(number + 1, (number * 3, 0, 1, 20), 20) for number in range(8)]
    assert max(one.end - one.start for one in candidates(strokes, 20.0)) == 3
    short = [Piece(number + 1, (number * 3, 0, 1, 9), 9) for number in range(8)]
    assert max(one.end - one.start for one in candidates(short, 20.0)) == 8


def test_pieces_of_one_mark_may_be_as_many_as_they_like() -> None:
    cut = [Piece(number + 1, (number * 3, 0, 3, 20), 60, parting=0.4 * (number > 0)) for number in range(6)]
    assert (0, 6) in [(one.start, one.end) for one in candidates(cut, 20.0)]
