"""The CTC decoder against all ways counted by hand, and against torch's own loss."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from digit_recognizer.pictures.words.ctc import (
    BLANK,
    OTHER,
    OUTPUTS,
    LogProbabilities,
    best_labelling,
    hypotheses,
    label_probabilities,
    log_probabilities,
    places,
)


def random_frames(count: int, seed: int, spread: float = 2.0) -> LogProbabilities:
    values = np.random.default_rng(seed).normal(0, spread, (count, OUTPUTS))
    return np.asarray(values - np.log(np.exp(values).sum(1, keepdims=True)), np.float32)


def clear_frames(labels: list[int], sure: float = 0.97) -> LogProbabilities:
    """Frames that show ``labels``, BLANK among them, one each."""
    frames = np.full((len(labels), OUTPUTS), (1 - sure) / (OUTPUTS - 1))
    frames[np.arange(len(labels)), labels] = sure
    return np.log(frames).astype(np.float32)


def few(frames: LogProbabilities, kept: tuple[int, ...]) -> LogProbabilities:
    """The same, with labels other than ``kept`` impossible."""
    result = np.full_like(frames, -np.inf)
    result[:, kept] = frames[:, kept]
    return result


def every_way(frames: LogProbabilities, kept: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """The probability of each labelling: all paths through the frames, written out."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(kept, repeat=len(frames)):
        labels = tuple(label for label, _ in itertools.groupby(path) if label != BLANK)
        weight = math.exp(sum(float(frames[number, label]) for number, label in enumerate(path)))
        found[labels] = found.get(labels, 0.0) + weight
    return found


KEPT = (1, 4, BLANK)


@pytest.mark.parametrize("seed", range(5))
def test_probabilities_are_those_of_all_paths_added_up(seed: int) -> None:
    frames = few(random_frames(6, seed), KEPT)
    expected = every_way(frames, KEPT)
    found = log_probabilities([frames], [list(expected)])[0]
    assert np.exp(found) == pytest.approx(list(expected.values()), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_likeliest_labelling_is_found_first_with_its_exact_probability(seed: int) -> None:
    frames = few(random_frames(6, seed, spread=1.0), KEPT)
    expected = sorted(every_way(frames, KEPT).items(), key=lambda entry: -entry[1])
    found = hypotheses([frames])[0]
    assert found[0].labels == expected[0][0]
    assert math.exp(found[0].log_probability) == pytest.approx(expected[0][1], rel=1e-9)
    assert [one.log_probability for one in found] == sorted((one.log_probability for one in found), reverse=True)


def test_probabilities_agree_with_the_loss_of_torch() -> None:
    torch = pytest.importorskip("torch")
    frames = random_frames(20, seed=3)
    labelling = (3, 3, OTHER, 0, 9)
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(frames).double().unsqueeze(1),
        torch.tensor([labelling]),
        torch.tensor([20]),
        torch.tensor([5]),
        blank=BLANK,
        reduction="sum",
    )
    assert log_probabilities([frames], [[labelling]])[0][0] == pytest.approx(-float(loss), rel=1e-9)


def test_the_same_digit_twice_needs_a_blank_between() -> None:
    with_blank, without = clear_frames([7, BLANK, 7]), clear_frames([7, 7])
    assert best_labelling(with_blank) == hypotheses([with_blank])[0][0].labels == (7, 7)
    assert best_labelling(without) == hypotheses([without])[0][0].labels == (7,)
    assert log_probabilities([without], [[(7, 7)]])[0][0] == -math.inf


def test_no_frames_hold_nothing() -> None:
    nothing = np.zeros((0, OUTPUTS), np.float32)
    assert best_labelling(nothing) == ()
    assert [one.labels for one in hypotheses([nothing])[0]] == [()]
    assert log_probabilities([nothing], [[(), (3,)]])[0].tolist() == [0.0, -math.inf]


def test_a_doubtful_place_shares_its_probability_with_its_rival() -> None:
    frames = clear_frames([BLANK, 1, BLANK, 7, BLANK])
    frames[3, [7, 1]] = np.log([0.6, 0.3])
    found = label_probabilities([frames], [(1, 7)])[0]
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert found[0].argmax() == 1
    assert found[1, 7] / found[1, 1] == pytest.approx(2, rel=0.05)


def test_places_ascend_and_lie_in_the_middle_of_their_frames() -> None:
    frames = clear_frames([BLANK, 5, 5, 5, BLANK, OTHER, BLANK, 5])
    assert places([frames], [(5, OTHER, 5)])[0] == pytest.approx([2, 5, 7])


def test_what_cannot_be_written_has_no_place() -> None:
    assert np.isnan(places([clear_frames([7, 7])], [(7, 7)])[0]).all()
    assert len(places([clear_frames([BLANK])], [()])[0]) == 0


def test_many_answers_of_all_lengths_are_told_what_each_is_told_alone() -> None:
    rng = np.random.default_rng(0)
    spreads, lengths = rng.choice([0.5, 2.0, 5.0], 300), rng.integers(0, 40, 300)
    answers = [random_frames(int(lengths[seed]), seed, float(spreads[seed])) for seed in range(300)]
    together = hypotheses(answers)
    alone = [hypotheses([frames])[0] for frames in answers]
    assert [[one.labels for one in some] for some in together] == [[one.labels for one in some] for some in alone]
    weights = [np.array([one.log_probability for one in some]) for some in together]
    assert all(
        found == pytest.approx([one.log_probability for one in some], abs=1e-9)
        for found, some in zip(weights, alone, strict=True)
    )
    said = [some[0].labels for some in together]
    for frames, labels, rows, middles in zip(
        answers, said, label_probabilities(answers, said), places(answers, said), strict=True
    ):
        assert rows == pytest.approx(label_probabilities([frames], [labels])[0], abs=1e-6)
        assert middles == pytest.approx(places([frames], [labels])[0], abs=1e-9, nan_ok=True)
    assert hypotheses([]) == label_probabilities([], []) == places([], []) == []
