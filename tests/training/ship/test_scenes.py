"""Scenes: crops of a sprite as people take them; each thing that may be on them can be asked for alone."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.training.ship.scenes import Odds, crop_of, texture
from digit_recognizer.training.ship.sprites import Ink, sprite_of_frame
from tests.conftest import draw_digits

NOTHING = Odds(**dict.fromkeys(asdict(Odds()), 0.0))


@pytest.fixture
def sprite() -> Ink:
    return sprite_of_frame(draw_digits(6, seed=2).images[5])


def test_with_nothing_on_it_a_crop_shows_dark_ink_on_a_light_ground_that_frames_to_the_digit(sprite: Ink) -> None:
    frame = draw_digits(6, seed=2).images[5]
    for seed in range(10):
        crop = crop_of(sprite, [], np.random.default_rng(seed), NOTHING)
        assert np.median(crop) > crop.min()
        assert np.corrcoef(to_frame(crop).ravel(), to_frame(frame).ravel())[0, 1] > 0.9


@pytest.mark.parametrize("thing", asdict(Odds()))
def test_each_thing_alone_changes_the_crop(thing: str, sprite: Ink) -> None:
    odds = replace(NOTHING, **{thing: 1.0})
    changed = 0
    for seed in range(6):
        plain = crop_of(sprite, [sprite], np.random.default_rng(seed), NOTHING)
        crop = crop_of(sprite, [sprite], np.random.default_rng(seed), odds)
        assert crop.dtype == np.uint8
        assert min(crop.shape) >= 3
        changed += crop.shape != plain.shape or not np.array_equal(crop, plain)
    assert changed >= 5


def test_a_black_and_white_crop_has_two_values_alone(sprite: Ink) -> None:
    crop = crop_of(sprite, [], np.random.default_rng(0), replace(NOTHING, hard=1.0, blur=1.0, shade=1.0))
    assert set(np.unique(crop)) == {0, 255}


def test_a_stretched_crop_is_square_and_filled(sprite: Ink) -> None:
    crop = crop_of(sprite, [], np.random.default_rng(0), replace(NOTHING, stretched=1.0))
    assert crop.shape[0] == crop.shape[1]
    ink = crop < (int(crop.max()) + int(crop.min())) / 2
    assert ink.any(0)[[0, -1]].all() or ink.any(1)[[0, -1]].all()


def test_the_same_stream_of_randomness_gives_the_same_crop(sprite: Ink) -> None:
    crops = [crop_of(sprite, [sprite], np.random.default_rng(11)) for _ in range(2)]
    assert np.array_equal(*crops)


def test_textures_are_pictures_of_many_sizes() -> None:
    found = [texture(np.random.default_rng(seed)) for seed in range(40)]
    assert len({picture.shape for picture in found}) > 30
    assert all(picture.dtype == np.uint8 and min(picture.shape) >= 12 for picture in found)
