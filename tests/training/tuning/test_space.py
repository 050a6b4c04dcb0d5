from dataclasses import replace

import numpy as np
import pytest

from digit_recognizer.errors import UsageError
from digit_recognizer.training.recipe import best, fast, notebook, ship
from digit_recognizer.training.tuning.space import (
    DOSE,
    EPOCHS,
    LEARNING_RATE,
    WIDTH,
    Trial,
    draw_trials,
    trial_recipe,
    tuned_recipe,
)


def test_the_same_count_and_seed_draw_the_same_trials_and_another_seed_others() -> None:
    assert draw_trials(9, seed=4) == draw_trials(9, seed=4) != draw_trials(9, seed=5)


def test_the_first_trial_is_the_preset_itself() -> None:
    first = draw_trials(5, seed=1)[0]
    assert trial_recipe(fast(), first) == replace(fast(), min_steps=0)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("width", *WIDTH), ("epochs", *EPOCHS), ("learning_rate", *LEARNING_RATE)]
)
def test_each_part_of_a_range_is_drawn_from_once(name: str, low: float, high: float) -> None:
    values = [getattr(trial, name) for trial in draw_trials(21, seed=2)[1:]]
    edges = np.geomspace(low, high, 21) * (1 + 1e-3 * np.r_[-1, np.zeros(19), 1])  # factors are rounded
    assert np.histogram(values, edges)[0].sum() == 20
    ranks = 20 * np.log(np.array(values) / low) / np.log(high / low)
    np.testing.assert_allclose(np.sort(ranks), np.arange(20) + 0.5, atol=0.55)


def test_doses_cover_none_to_double() -> None:
    doses = sorted(trial.dose for trial in draw_trials(11, seed=3)[1:])
    assert DOSE[0] <= doses[0] < 0.2
    assert 1.8 < doses[-1] <= DOSE[1]


def test_every_trial_of_every_preset_is_a_recipe_within_its_limits() -> None:
    for base in (notebook(), fast(), best()):
        for trial in draw_trials(30, seed=0):
            recipe = trial_recipe(base, trial, share=1 / 9)
            assert recipe.epochs >= 1
            assert recipe.members == 1
            assert recipe.network == "notebook" or all(width % 8 == 0 and width > 0 for width in recipe.widths)


def test_a_dose_of_none_bends_nothing_and_double_bends_twice_as_far() -> None:
    none, double = (trial_recipe(best(), Trial(2, dose=dose)).augmentation for dose in (0.0, 2.0))
    assert (none.rotation, none.zoom, none.shear) == (0, 0, 0)
    assert double.rotation == 2 * best().augmentation.rotation


def test_the_tuned_recipe_has_the_presets_members_again() -> None:
    assert tuned_recipe(best(), Trial(2)).members == best().members > 1
    assert tuned_recipe(best(), Trial(2)).preset == "best-tuned"


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(UsageError, match="notebook, fast or best"):
        trial_recipe(ship(), Trial(1))
    with pytest.raises(UsageError, match="--trials"):
        draw_trials(0, seed=0)
