from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digit_recognizer.digits import Digits
from digit_recognizer.errors import CheckpointError, Interrupted, TrainingDiverged
from digit_recognizer.training import trainer
from digit_recognizer.training.augment import Augmentation
from digit_recognizer.training.checkpoint import CheckpointFolder
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.progress import Progress, StopRequest
from digit_recognizer.training.recipe import Recipe, notebook
from digit_recognizer.training.trainer import Trained, logits, train
from tests.conftest import draw_digits
from tests.training.tiny import TINY

FLOAT32 = Hardware(torch.device("cpu"), "float32", torch.get_num_threads())

TINY_NOTEBOOK = replace(notebook(), epochs=2, batch_size=40)


def run(recipe: Recipe, seed: int = 0, **options: object) -> Trained:
    digits = draw_digits(90, seed=1)
    return train(
        recipe,
        digits.take(np.arange(70)),
        digits.take(np.arange(70, 90)),
        seed=seed,
        hardware=FLOAT32,
        **options,  # type: ignore[arg-type]
    )


def weights(trained: Trained) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in trained.network.state_dict().items()}


def stop_at(step: int) -> tuple[StopRequest, Callable[[], None]]:
    """A request that is filled in at a step, counted by calls of the augmentation."""
    request, count = StopRequest(), 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == step:
            request.signal_number = 15

    return request, tick


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    assert weights(run(TINY, seed=3)) == weights(run(TINY, seed=3)) != weights(run(TINY, seed=4))


def test_training_does_not_touch_torchs_global_randomness() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    run(TINY)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_second_training_begins_where_the_first_ended() -> None:
    first = run(TINY, seed=3)
    still = replace(TINY, epochs=1, learning_rate=1e-12)
    again = run(still, seed=4, start=first.network.state_dict())
    for name, value in again.network.named_parameters():
        assert torch.allclose(value, first.network.state_dict()[name], atol=1e-6), name
    fresh = run(still, seed=4)
    assert not torch.allclose(next(fresh.network.parameters()), next(first.network.parameters()), atol=1e-2)


def test_what_a_network_knew_is_kept_where_its_answers_are_learnt_too() -> None:
    """Labels of other digits are learnt; retained answers hold only where they agree with these: on 3s."""
    first = run(replace(TINY, epochs=6), seed=3)
    wrong = draw_digits(90, seed=1)
    labels = wrong.known_labels().copy()
    labels[labels != 3] = (labels[labels != 3] + 1) % 10
    wrong = Digits(wrong.images, labels)

    def after(retain: float) -> Trained:
        recipe = replace(TINY, epochs=1, learning_rate=1e-3, retain=retain)
        return train(recipe, wrong, wrong, seed=1, hardware=FLOAT32, start=first.network.state_dict())

    assert weights(after(0.0)) != weights(after(0.9))
    threes = wrong.images[labels == 3]
    before, without, retained = (
        logits(one.network, threes, FLOAT32).softmax(1) for one in (first, after(0.0), after(0.9))
    )
    assert (retained - before).abs().mean() < (without - before).abs().mean()


def test_without_a_network_to_start_from_there_is_nothing_to_retain() -> None:
    assert weights(run(TINY, seed=3)) == weights(run(replace(TINY, retain=0.5), seed=3))


def test_drawn_digits_are_learnt() -> None:
    digits = draw_digits(400, seed=2)
    recipe = replace(TINY, epochs=12, focus=1.0, widths=(8, 16, 16))
    trained = train(recipe, digits.take(np.arange(300)), digits.take(np.arange(300, 400)), seed=0, hardware=FLOAT32)
    unseen = draw_digits(200, seed=9)
    answers = logits(trained.network, unseen.images, FLOAT32).argmax(1).numpy()
    assert (answers == unseen.known_labels()).mean() > 0.95
    assert (
        trained.history[-1]["val_accuracy"]
        == (
            logits(trained.network, digits.images[300:], FLOAT32).argmax(1).numpy() == digits.known_labels()[300:]
        ).mean()
    )


@pytest.mark.parametrize(
    "recipe",
    [TINY, replace(TINY, members=2, epochs=2), replace(TINY, members=2, epochs=1, deskew_every=2), TINY_NOTEBOOK],
    ids=["focus", "two", "kinds", "nb"],
)
def test_a_training_stopped_at_any_step_and_resumed_ends_with_the_same_bytes(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(recipe)
    steps = recipe.total_steps(70) * recipe.members
    bend = Augmentation.apply
    for step in range(1, steps + 1, max(1, steps // 3)):
        checkpoints = CheckpointFolder(tmp_path / str(step))
        request, tick = stop_at(step)

        def bend_and_tick(self: Augmentation, *values: object, tick: Callable[[], None] = tick) -> torch.Tensor:
            tick()
            return bend(self, *values)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(Augmentation, "apply", bend_and_tick)
            with pytest.raises(Interrupted, match="--resume"):
                run(recipe, checkpoints=checkpoints, stop=request)
        resumed = run(recipe, checkpoints=checkpoints)
        assert weights(resumed) == weights(whole), f"stopped at step {step}"
        for ours, theirs in zip(resumed.history, whole.history, strict=True):
            assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


def test_every_epoch_learns_from_every_image_once_without_focus(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    bend = Augmentation.apply

    def note(self: Augmentation, images: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(images.numpy().copy())
        return bend(self, images, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Augmentation, "apply", note)
    run(replace(TINY, focus=1.0, epochs=2))
    images = np.concatenate(seen)
    expected = np.sort((draw_digits(90, seed=1).images[:70].astype(np.float32) / 255).reshape(70, -1).sum(1))
    for epoch in (images[:70], images[70:]):
        np.testing.assert_allclose(np.sort(epoch.reshape(70, -1).sum(1)), expected, rtol=1e-5)
    assert not np.array_equal(images[:70], images[70:])


def test_focus_takes_the_hardest_images_and_others() -> None:
    from digit_recognizer.training.trainer import _Run

    digits = draw_digits(100)
    recipe = replace(TINY, focus=0.4, focus_hardest=0.5)
    state = _Run(recipe, digits, digits, 0, FLOAT32, None, lambda progress: None, StopRequest())
    state.steps = recipe.total_steps(100)
    state._start_member()
    state.epoch = 2
    state.last_loss = torch.arange(100.0)
    order = state._choose_order().tolist()
    assert len(order) == len(set(order)) == 40
    assert set(range(80, 100)) <= set(order)
    assert min(order) < 80
    assert order != sorted(order)


def test_a_rate_that_makes_the_loss_no_number_rolls_back_three_times_then_gives_up(tmp_path: Path) -> None:
    notes: list[str] = []

    def listen(progress: Progress) -> None:
        if progress.note:
            notes.append(progress.note)

    checkpoints = CheckpointFolder(tmp_path / "c")
    with pytest.raises(TrainingDiverged, match="3 halvings"):
        run(replace(TINY, learning_rate=1e38), checkpoints=checkpoints, on_progress=listen)
    assert len(notes) == 3
    assert all("half the learning rate" in note for note in notes)


@pytest.fixture
def one_bad_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seventh step sees no numbers."""
    bend, calls = Augmentation.apply, 0

    def poison(self: Augmentation, images: torch.Tensor, *rest: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return bend(self, images, *rest) * (float("nan") if calls == 7 else 1)  # type: ignore[arg-type]

    monkeypatch.setattr(Augmentation, "apply", poison)


@pytest.mark.usefixtures("one_bad_step")
def test_one_bad_epoch_is_rolled_back_and_training_goes_on() -> None:
    trained = run(replace(TINY, focus=1.0))
    assert [row["epoch"] for row in trained.history] == [1, 2, 3]
    assert all(torch.isfinite(value.float()).all() for value in trained.network.state_dict().values())


def test_a_training_stopped_right_after_a_step_that_spoilt_the_weights_is_saved_as_it_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = trainer._Run._step

    def spoiling(request: StopRequest) -> Callable[..., Any]:
        """A third step whose loss is finite and whose weights are not; with it comes a request to stop."""
        calls = 0

        def spoilt(self: Any, chosen: torch.Tensor) -> Any:
            nonlocal calls
            calls += 1
            found = step(self, chosen)
            if calls == 3:
                next(self.network.parameters()).data.fill_(float("nan"))
                request.signal_number = 15
            return found

        return spoilt

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_step", spoiling(StopRequest()))
        whole = run(TINY)
    checkpoints, request = CheckpointFolder(tmp_path), StopRequest()
    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "_step", spoiling(request))
        with pytest.raises(Interrupted, match="--resume"):
            run(TINY, checkpoints=checkpoints, stop=request)
    resumed = run(TINY, checkpoints=checkpoints)
    assert weights(resumed) == weights(whole) != weights(run(TINY))


def test_a_bad_step_of_one_member_changes_no_other(request: pytest.FixtureRequest) -> None:
    ensemble = replace(TINY, members=2)
    alone = run(ensemble, member=2)
    request.getfixturevalue("one_bad_step")
    together = run(ensemble)
    rates = [[row["learning_rate"] for row in together.history if row["member"] == member] for member in (1, 2)]
    assert rates[0] != rates[1]  # a step of the first one was bad
    assert rates[1] == [row["learning_rate"] for row in alone.history]
    found = together.network.state_dict()
    for name, value in alone.network.state_dict().items():
        assert torch.equal(found[f"members.1.{name}"], value), name


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    checkpoints = CheckpointFolder(tmp_path)
    request = StopRequest(15)
    with pytest.raises(Interrupted):
        run(TINY, checkpoints=checkpoints, stop=request)
    with pytest.raises(CheckpointError, match="does not fit"):
        run(replace(TINY, widths=(4, 8, 12)), checkpoints=checkpoints)


def test_an_ensemble_trains_each_member_from_its_own_seed() -> None:
    trained = run(replace(TINY, members=2, epochs=1))
    state = trained.network.state_dict()
    assert not torch.equal(state["members.0.head.weight"], state["members.1.head.weight"])
    assert [(row["member"], row["epoch"]) for row in trained.history] == [(1, 1), (2, 1)]


def test_logits_do_not_depend_on_how_many_images_come_at_once() -> None:
    trained = run(TINY)
    images = draw_digits(600).images
    together = logits(trained.network, images, FLOAT32)
    alone = torch.cat([logits(trained.network, images[i : i + 1], FLOAT32) for i in range(20)])
    np.testing.assert_allclose(together[:20].numpy(), alone.numpy(), atol=1e-4)


def test_unlabelled_digits_cannot_be_learnt_from() -> None:
    from digit_recognizer.errors import InputError

    digits = draw_digits(20)
    with pytest.raises(InputError, match="labelled"):
        train(TINY, Digits(digits.images), digits, seed=0, hardware=FLOAT32)
