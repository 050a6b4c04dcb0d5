import json
from dataclasses import replace

import pytest

from digit_recognizer.errors import UsageError
from digit_recognizer.training.assembly import build_network
from digit_recognizer.training.recipe import PRESETS, Recipe, best, fast, notebook, preset, ship


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_survives_the_way_through_json(name: str) -> None:
    recipe = preset(name)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_notebook_preset_is_the_notebook() -> None:
    recipe = notebook()
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.epochs) == ("rmsprop", 1e-3, 86, 50)
    bends = recipe.augmentation
    assert (bends.rotation, bends.zoom, bends.shift, bends.shear, bends.elastic) == (10, 0.1, 0.1, 0, 0)
    assert recipe.label_smoothing == recipe.weight_decay == 0
    assert (recipe.schedule, recipe.focus, recipe.members) == ("plateau", 1, 1)


def test_every_third_net_of_the_best_sees_digits_without_slant() -> None:
    kinds = [type(build_network(best(), member)).__name__ for member in range(1, 7)]
    assert kinds == ["CompactNetwork", "CompactNetwork", "Deskewed"] * 2
    assert type(build_network(fast(), 3)).__name__ == "CompactNetwork"
    with pytest.raises(UsageError, match="deskew_every: expected 0 or more"):
        replace(best(), deskew_every=-1)


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="notebook, fast, best"):
        preset("slow")


def test_a_small_data_set_gets_more_epochs_and_a_large_one_its_own() -> None:
    small = fast().fitted(1_000)
    assert small.total_steps(1_000) >= fast().min_steps > fast().total_steps(1_000)
    assert fast().fitted(37_800) == fast()


def test_steps_count_a_short_last_batch_and_the_focus() -> None:
    recipe = Recipe("t", "compact", 3, 64, "adamw", 1e-3, "one-cycle", focus=0.5)
    assert [recipe.steps_in_epoch(epoch, 1_000) for epoch in (1, 2, 3)] == [16, 8, 8]
    assert recipe.total_steps(1_000) == 32


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("learning_rate", float("nan")), ("dropout", 1.0), ("focus", 0), ("blend", 0), ("retain", 1)],
)
def test_a_value_that_makes_no_sense_is_named(name: str, value: float) -> None:
    values = {**fast().to_dict(), name: value}
    with pytest.raises(UsageError, match=name):
        Recipe.from_dict(values)


def test_a_second_network_needs_a_scout_and_the_material_of_its_polishes() -> None:
    recipe = ship()
    assert recipe.second is not None
    for change in ({"scout": None}, {"polish": None}):
        with pytest.raises(UsageError, match="second: expected a scout beside it, and no more polishes"):
            replace(recipe, **change)
