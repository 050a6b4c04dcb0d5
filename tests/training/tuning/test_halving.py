import pytest

from digit_recognizer.training.tuning.halving import MIN_EPOCHS, best_trials, plan_rungs


@pytest.mark.parametrize("trials", range(1, 40))
@pytest.mark.parametrize("epochs", [1, 8, 9, 13, 27, 50])
def test_a_plan_begins_with_all_ends_at_full_length_and_costs_no_more_than_training_all(
    trials: int, epochs: int
) -> None:
    rungs = plan_rungs(trials, epochs)
    assert [rung.number for rung in rungs] == list(range(1, len(rungs) + 1))
    assert rungs[0].trials == trials
    assert rungs[-1].share == 1
    assert [rung.trials for rung in rungs] == sorted((rung.trials for rung in rungs), reverse=True)
    assert all(rung.share * epochs >= MIN_EPOCHS - 1e-9 for rung in rungs[:-1])
    assert sum(rung.trials * rung.share for rung in rungs) <= trials * 4 / 3 + 1


def test_a_few_trials_or_short_trainings_have_one_rung() -> None:
    assert [(rung.trials, rung.share) for rung in plan_rungs(2, 27)] == [(2, 1.0)]
    assert [(rung.trials, rung.share) for rung in plan_rungs(30, 8)] == [(30, 1.0)]


def test_accuracy_decides_then_loss_then_the_number() -> None:
    scores = {1: (0.9, 0.5), 2: (0.9, 0.4), 3: (0.8, 0.1), 4: (0.9, 0.4), 5: (0.0, float("inf"))}
    assert best_trials(scores, 1) == [2]
    assert best_trials(scores, 2) == [2, 4]
    assert best_trials(scores, 4) == [1, 2, 3, 4]
