"""Three ranks of one training against one process that does it alone, in real processes that torchrun starts."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from digit_recognizer.errors import UsageError
from digit_recognizer.training.distributed import ALONE, Ranks, joined, launched_ranks
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.trainer import train
from tests.training.rank_program import CPU, RECIPE, TRAINING, TWO, VALIDATION, batch_norm, example, normalise

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")
Found = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def three_ranks(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """What each of three ranks found."""
    folder = tmp_path_factory.mktemp("ranks")
    child = subprocess.run(
        [*TORCHRUN, "--nproc-per-node", "3", "-m", "tests.training.rank_program", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert child.returncode == 0, child.stderr
    return [dict(np.load(folder / f"rank-{rank}.npz")) for rank in range(3)]


@pytest.mark.parametrize(("name", "recipe"), [("focus", RECIPE), ("two", TWO)])
def test_three_ranks_learn_what_one_process_learns(name: str, recipe: Recipe, three_ranks: list[Found]) -> None:
    alone = train(recipe, TRAINING, VALIDATION, seed=3, hardware=CPU)
    lead = three_ranks[0]
    for key, value in alone.network.state_dict().items():
        np.testing.assert_allclose(lead[f"{name}.{key}"], value.numpy(), atol=2e-3, err_msg=key)
    losses = [[row["loss"], row["val_loss"]] for row in alone.history]
    np.testing.assert_allclose(lead[f"{name}.losses"], losses, rtol=1e-3)


def test_every_rank_counts_the_answers_of_all(three_ranks: list[Found]) -> None:
    alone = [row["accuracy"] for row in train(RECIPE, TRAINING, VALIDATION, seed=3, hardware=CPU).history]
    for follower in three_ranks[1:]:
        np.testing.assert_allclose(follower["0.accuracy"], alone, atol=1.5 / 33)  # one answer on the edge at most


def test_shared_batch_norm_is_torchs_own_over_the_whole_batch(three_ranks: list[Found]) -> None:
    network = batch_norm()
    expected = normalise(example(), network, 1)
    for name, value in expected.items():
        joined_up = np.concatenate([found[f"norm.{name}"] for found in three_ranks])
        np.testing.assert_allclose(joined_up, value.numpy(), rtol=1e-4, atol=1e-4, err_msg=name)
    for found in three_ranks:
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None
            np.testing.assert_allclose(found[f"norm.by.{name}"], parameter.grad.numpy(), rtol=1e-3, atol=1e-3)
        for name, buffer in network.named_buffers():
            np.testing.assert_allclose(found[f"norm.after.{name}"], buffer.numpy(), rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [0, 1, 7, 96])
def test_shares_cover_everything_once_and_differ_by_one_at_most(size: int, count: int) -> None:
    shares = [range(size)[Ranks(rank, count).share(size)] for rank in range(count)]
    assert [index for share in shares for index in share] == list(range(size))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "4")  # a scheduler may set it for purposes of its own
    assert launched_ranks() == ALONE


def test_torchruns_variables_say_which_rank_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RUN_ID": "a", "RESTART_COUNT": "2"}.items():
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert launched_ranks() == Ranks(rank=1, count=4, restarts=2)
    monkeypatch.setenv("RANK", "one")
    with pytest.raises(UsageError, match="RANK"):
        launched_ranks()


def test_more_ranks_than_images_of_a_batch_are_refused() -> None:
    with pytest.raises(UsageError, match="at most 16 ranks"):
        train(RECIPE, TRAINING, VALIDATION, seed=0, hardware=CPU, ranks=Ranks(0, 17))


def test_ranks_on_a_device_without_collectives_are_refused() -> None:
    with (
        pytest.raises(UsageError, match="--device cpu"),
        joined(Ranks(0, 2), Hardware(torch.device("mps"), "float32", 1)),
    ):
        pytest.fail("the ranks were connected")
