"""Sprites: the ink of characters, bent, broken, cut and run together, and what is no digit."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.sources.strokes import Drawing
from digit_recognizer.training.ship.sprites import (
    SPRITE_SIDE,
    Ink,
    bent,
    figure,
    is_upright_bar,
    line_of,
    outlined,
    piece,
    run_together,
    scribble,
    sprite_of_drawing,
    sprite_of_frame,
    straight_stroke,
    tight,
    with_gaps,
)
from tests.conftest import draw_digits


@pytest.fixture
def sprite() -> Ink:
    return sprite_of_frame(draw_digits(3, seed=1).images[2])


def test_a_frame_becomes_a_tight_sprite_three_times_as_large() -> None:
    frame = draw_digits(1, seed=0).images[0]
    rows = np.flatnonzero((frame >= 40).any(1))
    sprite = sprite_of_frame(frame)
    assert sprite.shape[0] == 3 * (rows[-1] + 1 - rows[0])
    small = sprite[1::3, 1::3].astype(float)
    inner = tight(frame).astype(float)
    assert np.corrcoef(small.ravel(), inner.ravel())[0, 1] > 0.9  # the same digit


def test_a_blank_frame_has_a_sprite_too() -> None:
    assert not sprite_of_frame(np.zeros((28, 28), np.uint8)).any()


def test_a_drawing_is_drawn_in_pens_of_many_widths() -> None:
    drawing = Drawing(7, (np.array([[0, 0], [40, 0], [15, 80]], np.float32),))
    sprites = [sprite_of_drawing(drawing, np.random.default_rng(seed)) for seed in range(20)]
    assert all(abs(max(s.shape) - SPRITE_SIDE) <= 12 for s in sprites)
    shares = [float((s > 128).mean()) for s in sprites]
    assert max(shares) > 2 * min(shares)


def test_bending_changes_a_sprite_and_keeps_its_ink_within_bounds(sprite: Ink) -> None:
    shapes = set()
    for seed in range(30):
        other = bent(sprite, np.random.default_rng(seed))
        shapes.add(other.shape)
        assert 0.3 * (sprite > 128).sum() < (other > 128).sum() < 4 * (sprite > 128).sum()
    assert len(shapes) > 15
    assert np.array_equal(bent(sprite, np.random.default_rng(4)), bent(sprite, np.random.default_rng(4)))


def test_no_dose_leaves_a_sprite_as_it_is(sprite: Ink) -> None:
    same = bent(sprite, np.random.default_rng(0), dose=0.0)
    assert same.shape == sprite.shape
    assert np.abs(same.astype(int) - sprite).max() <= 2


def test_a_straight_stroke_is_tall_and_narrow_in_pens_of_many_widths() -> None:
    strokes = [straight_stroke(np.random.default_rng(seed)) for seed in range(60)]
    assert all(50 <= stroke.shape[0] <= 60 for stroke in strokes)
    assert all(stroke.shape[1] < 0.6 * stroke.shape[0] for stroke in strokes)
    pens = [np.median((stroke > 128).sum(1)) for stroke in strokes]
    assert min(pens) <= 2
    assert max(pens) >= 8


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (slice(4, 24), slice(13, 16), True),
        (slice(4, 24), slice(11, 17), True),
        (slice(4, 24), slice(10, 17), False),  # too broad
        (slice(6, 22), slice(13, 16), False),  # too short
        (slice(13, 16), slice(4, 24), False),  # lies
        (slice(0, 0), slice(0, 0), False),  # nothing there
    ],
)
def test_upright_bars_are_told_from_others(rows: slice, columns: slice, expected: bool) -> None:
    frame = np.zeros((28, 28), np.uint8)
    frame[rows, columns] = 255
    assert is_upright_bar(frame) is expected


def test_gaps_take_some_ink_and_never_most_of_it(sprite: Ink) -> None:
    left = [(with_gaps(sprite, np.random.default_rng(seed)) > 128).sum() / (sprite > 128).sum() for seed in range(20)]
    assert min(left) > 0.6
    assert min(left) < 0.97


def test_an_outline_is_hollow() -> None:
    block = np.full((40, 30), 255, np.uint8)
    hollow = outlined(block, np.random.default_rng(0))
    middle = hollow[hollow.shape[0] // 2, hollow.shape[1] // 2]
    assert middle == 0
    assert hollow[hollow.shape[0] // 2].max() == 255


def test_two_digits_run_together_are_one_piece_of_ink_as_wide_as_both(sprite: Ink) -> None:
    for seed in range(10):
        both = run_together(sprite, sprite, np.random.default_rng(seed))
        assert 2 * sprite.shape[1] - 8 <= both.shape[1] <= 2 * sprite.shape[1]


def test_pieces_are_cut_from_digits_whose_halves_are_no_digits_alone(sprite: Ink) -> None:
    for digit in (1, 4, 6, 7, 9):
        assert piece(sprite, digit, np.random.default_rng(0)) is None
    part = piece(sprite, 3, np.random.default_rng(0))
    assert part is not None
    assert 0.3 * sprite.shape[1] < part.shape[1] < 0.62 * sprite.shape[1]


@pytest.mark.parametrize("make", [scribble, figure])
def test_scribbles_and_figures_of_every_kind_hold_ink(make: object) -> None:
    for seed in range(60):
        ink = make(np.random.default_rng(seed))  # type: ignore[operator]
        assert ink.dtype == np.uint8
        assert (ink > 128).sum() > 20


def test_a_word_is_as_wide_as_its_letters_and_gaps(sprite: Ink) -> None:
    word = line_of([sprite, sprite[:10], sprite], gap=5)
    assert word.shape == (sprite.shape[0], 3 * sprite.shape[1] + 10)
    assert not word[:-10, sprite.shape[1] + 5 : 2 * sprite.shape[1] + 5].any()  # the short one stands on the foot
