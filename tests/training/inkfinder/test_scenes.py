"""Scenes: what is written is ink, what is printed or lies in shadow is none."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.digits import Digits
from digit_recognizer.errors import InputError
from digit_recognizer.training.inkfinder.compose import SHAPE, Scenes, compose_scenes
from digit_recognizer.training.inkfinder.scenes import compose_scene
from digit_recognizer.training.ship.material import Ingredients
from tests.conftest import draw_digits

INGREDIENTS = Ingredients(draw_digits(30, seed=4))


def test_the_same_scenes_come_from_one_process_and_from_two() -> None:
    alone = compose_scenes(INGREDIENTS, 220, seed=3, workers=1)
    together = compose_scenes(INGREDIENTS, 220, seed=3, workers=2)
    assert alone.grey.shape == (220, *SHAPE)
    assert (alone.grey == together.grey).all()
    assert (alone.ink == together.ink).all()


def test_other_seeds_give_other_scenes() -> None:
    one, other = (compose_scenes(INGREDIENTS, 4, seed=seed, workers=1) for seed in (0, 1))
    assert (one.grey != other.grey).any()


def test_most_scenes_hold_ink_and_some_hold_none() -> None:
    scenes = compose_scenes(INGREDIENTS, 100, seed=0, workers=1)
    inked = (scenes.ink > 128).any((1, 2)).mean()
    assert 0.6 < inked < 0.97


def test_where_nothing_is_written_there_is_no_ink_whatever_is_printed() -> None:
    scenes = [compose_scene(list, (64, 96), np.random.default_rng(seed)) for seed in range(20)]
    assert not any(scene.ink.any() for scene in scenes)
    assert np.mean([float(scene.grey.std()) for scene in scenes]) > 5  # though pictures differ from a blank one


def test_ink_differs_from_the_ground_beside_it() -> None:
    """The picture shows what the ink says: along a stroke's middle it is darker, or lighter, than around."""
    block = np.full((60, 30), 255, np.uint8)
    told = []
    for seed in range(30):
        scene = compose_scene(lambda: [block] * 3, (96, 160), np.random.default_rng(seed))
        inside = scene.ink > 250
        if inside.sum() > 200 and (~inside).sum() > 200:
            told.append(abs(float(scene.grey[inside].mean()) - float(scene.grey[scene.ink == 0].mean())))
    assert len(told) > 15
    assert np.median(told) > 25


def test_without_labelled_digits_there_is_nothing_to_compose_from() -> None:
    with pytest.raises(InputError, match="found none"):
        compose_scenes(Ingredients(Digits.join([])), 5, seed=0)


def test_pictures_and_ink_must_fit() -> None:
    with pytest.raises(InputError, match="expected as much ink as pictures"):
        Scenes(np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 5), np.uint8))
