import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from digit_recognizer.training.schedule import OneCycle, Plateau


def test_one_cycle_rises_to_its_peak_and_falls_to_zero() -> None:
    cycle = OneCycle(0.01, steps=200, warmup=0.1)
    rates = np.array([cycle.rate(step, 1) for step in range(201)])
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates.argmax() == 20
    assert rates.max() == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0)
    assert (np.diff(rates[:21]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_plateau_acts_when_torchs_own_scheduler_does(seed: int) -> None:
    # Keras acts in the patience-th epoch without a gain, torch in the one after patience such epochs.
    accuracies = np.round(0.99 + 0.005 * np.random.default_rng(seed).random(60), 4)
    ours = Plateau(1e-3)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1e-3)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", factor=0.5, patience=2, threshold=1e-4, threshold_mode="abs", min_lr=1e-5
    )
    for epoch, accuracy in enumerate(accuracies, 1):
        ours.after_epoch(epoch, accuracy)
        theirs.step(accuracy)
        assert ours.current == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.current == pytest.approx(1e-5)


def test_plateau_says_when_it_acts_and_never_goes_below_its_floor() -> None:
    plateau = Plateau(1e-3)
    notes = [plateau.after_epoch(epoch, 0.9) for epoch in range(1, 60)]
    assert next(note for note in notes if note) == (
        "epoch 4: validation accuracy stands still, learning rate 0.001 -> 0.0005"
    )
    assert len([note for note in notes if note]) == 7
    assert plateau.current == 1e-5


def test_plateau_goes_on_from_its_state() -> None:
    accuracies = [0.9, 0.91, 0.91, 0.91, 0.91, 0.92, 0.92, 0.92, 0.92]
    whole, half = Plateau(1e-3), Plateau(1e-3)
    for epoch, accuracy in enumerate(accuracies, 1):
        whole.after_epoch(epoch, accuracy)
        if epoch <= 4:
            half.after_epoch(epoch, accuracy)
    rest = Plateau(1e-3)
    rest.restore(half.state())
    for epoch, accuracy in list(enumerate(accuracies, 1))[4:]:
        rest.after_epoch(epoch, accuracy)
    assert rest.state() == whole.state()


@pytest.mark.real_data
def test_plateau_halves_where_the_notebooks_log_says_that_keras_did(real_data: Path) -> None:
    with open(real_data / "notebook_log.csv", encoding="utf-8") as lines:
        log = [(int(row["epoch"]), float(row["val_accuracy"])) for row in csv.DictReader(lines)]
    plateau = Plateau(1e-3)
    acted = [epoch for epoch, accuracy in log if plateau.after_epoch(epoch, accuracy)]
    assert acted[:7] == [11, 18, 23, 26, 29, 32, 35]
    assert plateau.current == 1e-5
