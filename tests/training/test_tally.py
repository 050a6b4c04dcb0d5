import torch

from digit_recognizer.training.distributed import ALONE
from digit_recognizer.training.tally import Tally


def tallied(settle_after: int) -> Tally:
    tally, generator = Tally(), torch.Generator().manual_seed(0)
    for step in range(1, 31):
        losses = torch.rand(7, generator=generator)
        tally.add(losses, (losses < 0.5).sum(), images=7)
        if step % settle_after == 0:
            tally.settle(ALONE)
    tally.settle(ALONE)
    return tally


def test_the_sums_do_not_depend_on_how_often_they_are_looked_at() -> None:
    assert tallied(1).state() == tallied(7).state() == tallied(100).state()


def test_the_sums_are_those_of_all_losses_and_right_answers() -> None:
    losses = torch.cat([torch.rand(7, generator=g) for g in [torch.Generator().manual_seed(0)] for _ in range(30)])
    tally = tallied(5)
    assert tally.seen == 210
    assert abs(tally.loss - float(losses.double().mean())) < 1e-6
    assert tally.accuracy == float((losses < 0.5).double().mean())


def test_a_tally_comes_back_from_its_state() -> None:
    assert Tally(**tallied(3).state()).state() == tallied(3).state()  # type: ignore[arg-type]


def test_an_empty_tally_has_no_loss_and_no_answers() -> None:
    tally = Tally()
    tally.settle()
    assert (tally.loss, tally.accuracy, tally.seen) == (0, 0, 0)
