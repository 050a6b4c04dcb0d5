"""Plots: whole PNG files that say what the values say, without pyplot and without a trace of the writer."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from digit_recognizer.analysis import metrics, plots
from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError
from tests.conftest import draw_digits


def make_history(members: int = 1, epochs: int = 3) -> list[dict[str, float | None]]:
    return [
        {"member": m, "epoch": e, "learning_rate": 0.004 / e, "loss": 0.9 / e, "accuracy": 1 - 0.2 / e / m}
        | {"val_loss": 0.1 / e, "val_accuracy": 1 - 0.05 / e / m}
        for m in range(1, members + 1)
        for e in range(1, epochs + 1)
    ]


def make_trials() -> list[dict[str, object]]:
    """Three trials, of which the second is beaten by the first in every way."""
    facts = [(4.0, 0.98, True, False), (5.0, 0.97, False, False), (9.0, 0.99, True, True)]
    return [
        {"seconds": seconds, "accuracy": accuracy, "name": str(number), "front": front, "best": best, "short": not best}
        for number, (seconds, accuracy, front, best) in enumerate(facts, start=1)
    ]


def make_probabilities(digits: Digits, wrong: dict[int, tuple[int, float]]) -> np.ndarray:
    """Sure and right everywhere but at ``wrong``: index -> (answer, confidence)."""
    labels = digits.known_labels()
    probabilities = np.where(np.eye(10, dtype=bool)[labels], 0.991, 0.001)
    for index, (answer, confidence) in wrong.items():
        probabilities[index] = (1 - confidence) / 9
        probabilities[index, answer] = confidence
    return probabilities.astype(np.float32)


def draw_everything(folder: Path) -> list[Path]:
    digits = draw_digits(120)
    probabilities = make_probabilities(digits, {3: (8, 0.9)})
    evaluation = metrics.evaluate(probabilities, digits.known_labels())
    augmented = np.stack([digits.images[:4], digits.images[10:14]], axis=1)
    names = [digits.name(i) for i in range(len(digits))]
    return [
        plots.plot_label_counts({"train": digits.counts().tolist(), "test": [1] * 10}, folder / "label_counts.png"),
        plots.plot_samples(digits, folder / "samples.png", seed=0),
        plots.plot_mean_digits(digits, folder / "mean_digits.png"),
        plots.plot_outliers(digits, [5, 3], folder / "outliers.png"),
        plots.plot_loss(make_history(), folder / "loss.png"),
        plots.plot_accuracy(make_history(3), folder / "accuracy.png"),
        plots.plot_learning_rate(make_history(), folder / "learning_rate.png"),
        plots.plot_confusion(evaluation.confusion, folder / "confusion.png"),
        plots.plot_reliability(evaluation.to_dict()["reliability"], evaluation.ece, folder / "reliability.png"),
        plots.plot_mistakes(digits.images, digits.known_labels(), probabilities, names, folder / "mistakes.png"),
        plots.plot_augmentation(digits.images[:4], augmented, folder / "augmentation.png"),
        plots.plot_trials(make_trials(), folder / "trials.png"),
    ]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures themselves, caught before they become files."""
    figures: list[Figure] = []

    def keep(figure: Figure, path: Path) -> Path:
        figures.append(figure)
        return path

    monkeypatch.setattr(plots, "_save", keep)
    return figures


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_every_plot_is_a_whole_png_narrow_enough_for_a_phone_and_nothing_else_is_left(tmp_path: Path):
    paths = draw_everything(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert len(paths) == len(plots.__all__)
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert 600 <= picture.width <= 800
            assert len(picture.convert("L").getcolors()) > 8  # something is drawn


def test_the_same_values_give_the_same_bytes(tmp_path: Path):
    for first, second in zip(draw_everything(tmp_path / "a"), draw_everything(tmp_path / "b"), strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_drawing_never_loads_pyplot(tmp_path: Path):
    program = (
        "import sys; from digit_recognizer.analysis import plots;"
        "plots.plot_loss([{'epoch': 1, 'loss': 1.0, 'val_loss': 0.5}], sys.argv[1]);"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "l.png"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"


def test_axes_are_labelled(drawn: list[Figure], tmp_path: Path):
    draw_everything(tmp_path)
    with_axes = [figure.axes[0] for figure in drawn if figure.axes[0].axison]
    assert len(with_axes) == 7
    assert all(axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left") for axes in with_axes)


def test_mistakes_stand_in_order_of_confidence_with_label_answer_and_name(drawn: list[Figure]):
    digits = draw_digits(30)
    probabilities = make_probabilities(digits, {4: (9, 0.6), 21: (7, 0.98)})
    names = [f"$folder$/page-{i}.png" for i in range(30)]
    plots.plot_mistakes(digits.images, digits.known_labels(), probabilities, names, Path("unused"))
    assert texts(drawn[0]) == ["1 read as 7\n98.0 %\n~page-21.png", "4 read as 9\n60.0 %\n~/page-4.png"]


def test_no_mistakes_is_said_rather_than_an_empty_picture(drawn: list[Figure]):
    digits = draw_digits(10)
    names = [str(i) for i in range(10)]
    plots.plot_mistakes(digits.images, digits.known_labels(), make_probabilities(digits, {}), names, Path("unused"))
    assert texts(drawn[0]) == ["none"]


def test_the_confusion_plot_writes_every_count_and_the_share_that_was_right(drawn: list[Figure]):
    confusion = np.diag([40] * 10)
    confusion[4, 9] = 10
    plots.plot_confusion(confusion, Path("unused"))
    written = texts(drawn[0])
    assert sorted(written) == sorted(["40"] * 10 + ["100.0 %"] * 9 + ["80.0 %", "10"])


def test_curves_go_through_the_mean_of_the_members(drawn: list[Figure]):
    history = make_history(members=3, epochs=4)
    plots.plot_loss([row | {"val_loss": row["member"]} for row in history], Path("unused"))
    thick = [line for line in drawn[0].axes[0].lines if line.get_linewidth() == 2]
    assert len(drawn[0].axes[0].lines) == 2 * 3 + 2
    np.testing.assert_allclose(thick[0].get_ydata(), [0.9, 0.45, 0.3, 0.225])
    np.testing.assert_allclose(thick[1].get_ydata(), [2, 2, 2, 2])
    assert "augmented" in thick[0].get_label()


@pytest.mark.parametrize("epochs", [1, 2, 3, 34])
def test_epochs_are_whole_numbers(drawn: list[Figure], tmp_path: Path, epochs: int):
    row = {"member": 1, "loss": 0.2, "val_loss": 0.3, "accuracy": 0.9, "val_accuracy": 0.8, "learning_rate": 0.01}
    history = [{**row, "epoch": epoch + 1} for epoch in range(epochs)]
    for draw in (plots.plot_loss, plots.plot_accuracy, plots.plot_learning_rate):
        draw(history, tmp_path / "a.png")
        axes = drawn[-1].axes[0]
        low, high = axes.get_xlim()
        ticks = [float(tick) for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick.is_integer() for tick in ticks)


def test_a_flawless_epoch_stands_at_the_tick_of_a_hundred_per_cent(drawn: list[Figure]):
    history = [{"epoch": e, "accuracy": 0.9, "val_accuracy": a} for e, a in ((1, 0.99), (2, 1.0))]
    plots.plot_accuracy(history, Path("unused"))
    axes = drawn[0].axes[0]
    ticks = {
        label.get_text(): position for label, position in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    validation = next(line for line in axes.lines if line.get_label() == "validation").get_ydata()
    assert validation[1] == ticks["100"]
    assert validation[0] == pytest.approx(ticks["99"])
    assert ticks["99"] < ticks["100"]


@pytest.mark.parametrize("draw", [plots.plot_loss, plots.plot_accuracy, plots.plot_learning_rate])
def test_missing_values_are_left_out_and_a_missing_history_is_refused(draw: Callable[..., Path], tmp_path: Path):
    holes = [dict.fromkeys(("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate")) | {"epoch": 1}]
    assert draw(holes + make_history()[1:], tmp_path / "holes.png").exists()
    assert draw(holes, tmp_path / "nothing.png").exists()
    with pytest.raises(InputError, match="at least one epoch"):
        draw([], tmp_path / "empty.png")
    assert not (tmp_path / "empty.png").exists()


def test_samples_follow_the_seed_and_do_without_labels(tmp_path: Path):
    digits = draw_digits(400)
    first, again, other = (
        plots.plot_samples(digits, tmp_path / f"{i}.png", seed).read_bytes() for i, seed in enumerate((1, 1, 2))
    )
    assert first == again != other
    assert plots.plot_samples(Digits(digits.images[:3]), tmp_path / "few.png", 0).exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match="cannot be written"):
        plots.plot_learning_rate(make_history(), tmp_path / "file" / "a.png")


def test_the_plot_of_trials_has_a_point_each_and_a_line_through_the_front(drawn: list[Figure]):
    plots.plot_trials(make_trials(), Path("unused"))
    *points, front = drawn[-1].axes[0].lines
    assert [float(point.get_xdata()[0]) for point in points] == [4, 5, 9]
    assert list(front.get_xdata()) == [4, 9]
    assert [point.get_markerfacecolor() == "white" for point in points] == [True, True, False]
    assert [text.get_text() for text in drawn[-1].axes[0].texts] == ["1", "2", "3"]
    with pytest.raises(InputError, match="at least one trial"):
        plots.plot_trials([], Path("unused"))


def test_trials_that_took_no_time_are_drawn(drawn: list[Figure]):
    plots.plot_trials([{**trial, "seconds": 0.0} for trial in make_trials()], Path("unused"))
    left, right = drawn[-1].axes[0].get_xlim()
    assert left == 0 < right


def test_points_of_trials_are_drawn_whole_even_where_all_took_as_long(drawn: list[Figure], tmp_path: Path):
    trials = [{**trial, "seconds": 20 + index / 100} for index, trial in enumerate(make_trials())]
    plots.plot_trials(trials, Path("unused"))
    figure = drawn[-1]
    figure.savefig(tmp_path / "laid_out.png")
    axes = figure.axes[0]
    right_edge, _ = axes.transAxes.transform((1, 0))
    for point in axes.lines[:-1]:
        centre, _ = axes.transData.transform((float(point.get_xdata()[0]), 0.0))
        assert centre + point.get_markersize() * figure.dpi / 72 < right_edge
        assert not point.get_clip_on()


def test_bins_without_a_mistake_stand_at_100_and_no_legend_hides_an_interval(drawn: list[Figure], tmp_path: Path):
    surest = 1 - 1.2e-6
    bins = [{"confidence": 0.9, "accuracy": 0.9, "count": 50}, {"confidence": surest, "accuracy": 1.0, "count": 50}]
    plots.plot_reliability(bins, 0.01, Path("unused"))
    figure = drawn[-1]
    figure.savefig(tmp_path / "laid_out.png")
    axes = figure.axes[0]
    ticks = {label.get_text(): place for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert [float(line.get_ydata()[0]) for line in hollow] == [ticks["100"]]
    assert not figure.legends[0].get_window_extent().overlaps(axes.bbox)
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert not any(left.overlaps(right) for left, right in itertools.pairwise(boxes))
