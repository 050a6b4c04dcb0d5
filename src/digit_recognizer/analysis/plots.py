"""Values -> PNG files in one calm style: label counts, grids of digits, curves, confusion, reliability, mistakes.

Each function takes values and a path, writes the file whole and returns its path. Knows nothing of runs or models.
Figures are matplotlib ``Figure`` objects, never pyplot's, so nothing global changes and no display is needed. All stand
on white with their own margin, narrow enough that the text is still readable on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis.metrics import wilson_interval
from digit_recognizer.digits import CLASSES, SIDE, Digits
from digit_recognizer.errors import InputError, MissingExtra
from digit_recognizer.files import whole_file

try:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
except ImportError as error:
    raise MissingExtra("report", "drawing plots") from error

Images = npt.NDArray[np.uint8]
History = Sequence[Mapping[str, Any]]
TRAINING_NOTE = "augmented, with dropout"

# Blue and vermilion of Okabe and Ito (2008), told apart by every kind of sight; dashes tell them apart in grey.
BLUE, VERMILION, INK, MUTED, GRID, TILE = "#0072B2", "#D55E00", "#1f2933", "#5f6b78", "#e4e8ec", "#f3f5f7"
_WIDTH, _DPI = 5.6, 130
_GAP, _LINE = 4, 7  # between tiles, and for a line of caption, in pixels of the digit
_TICKS = (0, 20, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99)
_FEW_TICKS = (0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999)


def plot_label_counts(counts_by_part: Mapping[str, Sequence[int]], path: str | Path) -> Path:
    """Bars of how many images each digit has, a panel a part. counts_by_part: part name -> 10 counts, from digit 0."""
    figure = _paper(0.5 + 2.3 * len(counts_by_part))
    for number, (name, counts) in enumerate(counts_by_part.items(), start=1):
        axes = figure.add_subplot(len(counts_by_part), 1, number)
        _style(axes, f"Images of each digit: {name} ({sum(counts):,})", "digit", "images", grid="y")
        bars = axes.bar(range(CLASSES), counts, width=0.72, color=BLUE)
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=2, fontsize=8, color=MUTED)
        axes.set_xticks(range(CLASSES))
        axes.margins(y=0.14)
    return _save(figure, path)


def plot_samples(digits: Digits, path: str | Path, seed: int, columns: int = 12) -> Path:
    """Digits chosen at random: a row a digit where labels are known, else a plain grid. Same seed, same choice."""
    rng = np.random.default_rng(seed)
    if digits.labels is None:
        chosen = np.sort(rng.permutation(len(digits))[: 8 * columns])
        return _sheet(digits.images[chosen], path, "Samples", columns)
    tiles = np.zeros((CLASSES * columns, SIDE, SIDE), np.uint8)
    for digit in range(CLASSES):
        chosen = rng.permutation(np.flatnonzero(digits.labels == digit))[:columns]
        tiles[digit * columns : digit * columns + len(chosen)] = digits.images[chosen]
    return _sheet(tiles, path, "Samples of each digit", columns, rows=[str(digit) for digit in range(CLASSES)])


def plot_mean_digits(digits: Digits, path: str | Path) -> Path:
    """The mean image of each class, blank where a class has none. Raises InputError without labels."""
    labels = digits.known_labels()
    means = np.zeros((CLASSES, SIDE, SIDE), np.uint8)
    for digit in np.unique(labels):
        means[digit] = digits.images[labels == digit].mean(axis=0).round()
    return _sheet(means, path, "The mean of each digit", 5, captions=[str(digit) for digit in range(CLASSES)])


def plot_outliers(digits: Digits, indices: Sequence[int], path: str | Path) -> Path:
    """The images at ``indices`` in that order, each with its label and name. Raises InputError without labels."""
    labels = digits.known_labels()
    captions = [f"{labels[i]}\n{_short(digits.name(i))}" for i in indices]
    images = digits.images[np.asarray(indices, np.int64)]
    return _sheet(images, path, "Furthest from their class: label and name", 8, captions=captions)


def plot_loss(history: History, path: str | Path, training_note: str = TRAINING_NOTE) -> Path:
    """Training and validation loss over epochs; several members thin, with their mean. Raises InputError if empty.

    history: rows with ``member``, ``epoch``, ``loss``, ``val_loss``; None where unknown. training_note says under which
    conditions the training figures were taken, for they usually lie above those of validation.
    """
    figure, axes = _figure("Loss", "epoch", "loss")
    _draw_curves(axes, history, {"loss": f"training ({training_note})", "val_loss": "validation"})
    if axes.dataLim.y1 > 5 * axes.dataLim.y0 > 0:
        axes.set_ylabel("loss (log scale)")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
    return _save(figure, path)


def plot_accuracy(history: History, path: str | Path, training_note: str = TRAINING_NOTE) -> Path:
    """Training and validation accuracy over epochs, as plot_loss; the axis is stretched towards 100 %.

    On a plain axis all that matters hides in the topmost line; here 90, 99 and 99.9 % stand equally far apart.
    """
    figure, axes = _figure("Accuracy", "epoch", "accuracy (%, stretched towards 100)")
    keys = {"accuracy": f"training ({training_note})", "val_accuracy": "validation"}
    shares = [float(row[key]) for row in history for key in keys if row.get(key) is not None]
    top = _stretch(max((share for share in shares if share < 1), default=0.99)) + 0.3
    _draw_curves(axes, history, keys, lambda share: min(_stretch(share), top))
    _stretched_ticks(axes, "y", _stretch(min(shares, default=0)) - 0.05, top if 1.0 in shares else top - 0.2, top)
    return _save(figure, path)


def plot_learning_rate(history: History, path: str | Path) -> Path:
    """The learning rate of each epoch (``learning_rate`` in the rows), as plot_loss."""
    figure, axes = _figure("Learning rate", "epoch", "learning rate")
    _draw_curves(axes, history, {"learning_rate": "learning rate"})
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:g}")
    return _save(figure, path)


def plot_trials(trials: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """A point a trial: validation accuracy against seconds of training, a line through those that no other beats.

    trials: each with ``seconds``, ``accuracy`` (0-1), ``name``, ``front`` (on that line), ``short`` (of the epochs) and
    ``best``. Raises InputError if empty.
    """
    if not trials:
        raise InputError("expected at least one trial, found none")
    figure, axes = _figure(
        "Trials (hollow: shortened; large: the best)", "seconds of training", "accuracy (%, stretched towards 100)"
    )
    heights = [_stretch(trial["accuracy"]) for trial in trials]
    top = _stretch(max((t["accuracy"] for t in trials if t["accuracy"] < 1), default=0.99)) + 0.3
    for trial, height in zip(trials, heights, strict=True):
        place = trial["seconds"], min(height, top)
        colour, size = (VERMILION, 8) if trial["best"] else (BLUE, 5)
        face = "white" if trial["short"] else colour
        axes.plot(*place, "o", color=colour, markersize=size, markerfacecolor=face, clip_on=False)
        axes.annotate(trial["name"], place, (4, 3), textcoords="offset points", fontsize=7, color=MUTED)
    front = sorted((trial["seconds"], min(_stretch(trial["accuracy"]), top)) for trial in trials if trial["front"])
    axes.plot(*zip(*front, strict=True), color=INK, linewidth=1, drawstyle="steps-post", zorder=1)
    axes.set_xlim(0, 1.06 * max(trial["seconds"] for trial in trials) or 1)
    _stretched_ticks(axes, "y", min(heights) - 0.05, top if 1.0 in (t["accuracy"] for t in trials) else top - 0.2, top)
    return _save(figure, path)


def plot_confusion(confusion: npt.ArrayLike, path: str | Path) -> Path:
    """Counts of every answer for every true digit, int (10, 10), rows the true digit.

    Only mistakes are coloured, by their share of the true digit's images, so that the diagonal does not drown them; the
    diagonal gives the count and the share that was right.
    """
    counts = np.asarray(confusion, np.int64)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = 100 * counts / totals
    wrong = np.ma.masked_where(np.eye(CLASSES, dtype=bool) | (counts == 0), shares)
    figure, axes = _figure("Confusion", "answer", "true digit", height=5.4, grid=None)
    colours = LinearSegmentedColormap.from_list("mistakes", ["#fde9dc", "#f3a26d", "#b84a00"])
    top = float(wrong.max()) if wrong.count() else 1.0
    drawn = axes.imshow(wrong, cmap=colours, vmin=0, vmax=top)
    for row in range(CLASSES):
        for column in range(CLASSES):
            if row == column:
                axes.text(column, row - 0.12, f"{counts[row, row]:,}", ha="center", va="center", fontsize=9, color=INK)
                share = f"{shares[row, row]:.1f} %"
                axes.text(column, row + 0.24, share, ha="center", va="center", fontsize=6.5, color=MUTED)
            elif counts[row, column]:
                colour = "white" if shares[row, column] > 0.65 * top else INK
                number = f"{counts[row, column]:,}"
                axes.text(column, row, number, ha="center", va="center", fontsize=9, color=colour, weight="bold")
    diagonal = np.ma.masked_where(~np.eye(CLASSES, dtype=bool), np.ones_like(counts))
    axes.imshow(diagonal, cmap=LinearSegmentedColormap.from_list("right", ["#e3eef6", "#e3eef6"]))
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xticks(np.arange(-0.5, CLASSES), minor=True)
    axes.set_yticks(np.arange(-0.5, CLASSES), minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    bar = figure.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.035, pad=0.02, aspect=36)
    bar.set_label("mistakes: share of the true digit's images (%)", fontsize=9, color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0, colors=MUTED)
    return _save(figure, path)


def plot_reliability(reliability: Sequence[Mapping[str, float]], ece: float, path: str | Path) -> Path:
    """How often answers of a given confidence are right, bins as in Evaluation.to_dict(), with 95 % intervals.

    Both axes are stretched towards 100 %, where nearly all answers of a good model lie. Bins without a mistake are
    hollow, at the upper edge. ece: expected calibration error, 0-1.
    """
    title = f"Reliability (calibration error {100 * ece:.2f} %)"
    figure, axes = _figure(title, "stated confidence (%, stretched towards 100)", "right (%, stretched towards 100)", 5)
    points = [(float(b["confidence"]), float(b["accuracy"]), int(b["count"])) for b in reliability]
    ranges = [wilson_interval(round(accuracy * count), count) for _, accuracy, count in points]
    stretched = [_stretch(share) for (c, a, _), (low, _) in zip(points, ranges, strict=True) for share in (c, low, a)]
    finite = [value for value in stretched if value < _stretch(1)] or [1.0]
    bottom, top = min(finite) - 0.1, min(max(finite) + 0.4, _stretch(1))
    axes.plot([bottom, top], [bottom, top], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="as sure as right")
    for (confidence, accuracy, _), (low, high) in zip(points, ranges, strict=True):
        x, y = min(_stretch(confidence), top), min(_stretch(accuracy), top)
        axes.plot([x, x], [_stretch(low), min(_stretch(high), top)], color=BLUE, alpha=0.35, linewidth=2)
        face = BLUE if accuracy < 1 else "white"
        axes.plot(x, y, "o", markersize=6, markerfacecolor=face, markeredgecolor=BLUE, clip_on=False, zorder=3)
    axes.plot([], [], "o", color=BLUE, markersize=6, label="answers of like confidence, 95 % interval")
    axes.plot([], [], "o", markerfacecolor="white", markeredgecolor=BLUE, markersize=6, label="no mistake among them")
    _stretched_ticks(axes, "x", bottom, top, top)
    _stretched_ticks(axes, "y", bottom, top, top)
    _legend(figure, loc="outside lower center")  # anywhere within, it would hide the ends of intervals
    return _save(figure, path)


def plot_mistakes(
    images: Images,
    labels: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.floating[Any]],
    names: Sequence[str],
    path: str | Path,
    count: int = 24,
) -> Path:
    """The most confident mistakes, most confident first: each with label, answer, confidence and name.

    images: uint8 (N, 28, 28), labels: int64 (N,), probabilities: float (N, 10), names: N; of all that was evaluated.
    """
    answers, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    shown = wrong[np.argsort(-confidences[wrong], kind="stable")][:count]
    title = f"Mistakes: {len(wrong):,} of {len(labels):,}" + (", the surest first" if len(wrong) else "")
    captions = [
        f"{labels[i]} read as {answers[i]}\n{100 * confidences[i]:.1f} %\n{_short(names[i], 12)}" for i in shown
    ]
    return _sheet(images[shown], path, title, 6, captions=captions)


def plot_augmentation(originals: Images, augmented: Images, path: str | Path) -> Path:
    """Digits beside what augmentation makes of them. originals: uint8 (R, 28, 28); augmented: uint8 (R, K, 28, 28)."""
    tiles = np.concatenate([originals[:, None], augmented], axis=1)
    sheet = tiles.reshape(-1, SIDE, SIDE)
    return _sheet(sheet, path, "Augmentation: the original first, then what the network saw", tiles.shape[1])


def _sheet(
    images: Images,
    path: str | Path,
    title: str,
    columns: int,
    captions: Sequence[str] = (),
    rows: Sequence[str] = (),
) -> Path:
    """Tiles of digits, dark on light, composed in numpy into one picture: a hundred axes would take seconds."""
    strip = _LINE * max((caption.count("\n") + 1 for caption in captions), default=0)
    lines = max(1, -(-len(images) // columns))
    step = SIDE + _GAP
    canvas = np.full((lines * (step + strip) - _GAP, columns * step - _GAP, 3), 255, np.uint8)
    paper, ink = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (TILE, INK))
    for index, image in enumerate(images):
        top, left = index // columns * (step + strip), index % columns * step
        strength = image[:, :, None] / 255
        canvas[top : top + SIDE, left : left + SIDE] = np.round(paper + (ink - paper) * strength)
    margin = 0.3 if rows else 0.12
    width = _WIDTH - margin - 0.12
    height = width * canvas.shape[0] / canvas.shape[1]
    full = height + 0.6
    figure = Figure(figsize=(_WIDTH, full), dpi=_DPI, facecolor="white")
    figure.text(0.12 / _WIDTH, 1 - 0.16 / full, title, va="top", fontsize=11, color=INK, weight="bold")
    axes = figure.add_axes((margin / _WIDTH, 0.12 / full, width / _WIDTH, height / full))
    axes.imshow(canvas, aspect="auto")
    axes.set_axis_off()
    for index, caption in enumerate(captions):
        top, left = index // columns * (step + strip), index % columns * step
        size = min(9.0, 60 / columns)
        axes.text(left + SIDE / 2, top + SIDE + 1.5, caption, ha="center", va="top", fontsize=size, color=INK)
    for index, text in enumerate(rows):
        axes.text(-3, index * (step + strip) + SIDE / 2, text, ha="right", va="center", fontsize=10, color=MUTED)
    if not len(images):
        axes.text(canvas.shape[1] / 2, canvas.shape[0] / 2, "none", ha="center", va="center", color=MUTED)
    return _save(figure, path)


def _draw_curves(axes: Axes, history: History, names: Mapping[str, str], scale: Any = float) -> None:
    """Draw each key of ``names`` with its legend: validation in full lines, training dashed, members thin."""
    if not history:
        raise InputError("expected a history of at least one epoch, found none")
    members = sorted({int(row.get("member") or 1) for row in history})
    for key, name in names.items():
        validation = len(names) == 1 or key.startswith("val_")
        look: dict[str, Any] = {
            "color": BLUE if validation else VERMILION,
            "linestyle": "-" if validation else (0, (4, 2)),
            "clip_on": False,  # at 100 %, the edge would take half of the line
        }
        by_epoch: dict[int, list[float]] = {}
        for member in members:
            rows = [r for r in history if int(r.get("member") or 1) == member and r.get(key) is not None]
            values = [scale(float(row[key])) for row in rows]
            for row, value in zip(rows, values, strict=True):
                by_epoch.setdefault(int(row["epoch"]), []).append(value)
            if len(members) > 1:
                axes.plot([int(row["epoch"]) for row in rows], values, linewidth=0.8, alpha=0.35, **look)
        epochs = sorted(by_epoch)
        means = [float(np.mean(by_epoch[epoch])) for epoch in epochs]
        marker: dict[str, Any] = {"marker": "o", "markersize": 4} if len(epochs) <= 12 else {}
        label = f"{name}, mean of {len(members)}" if len(members) > 1 else name
        if epochs:
            axes.plot(epochs, means, linewidth=2, label=label, **look, **marker)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))  # with 2, one epoch has ticks like 0.975
    if len(names) > 1 and axes.lines:
        _legend(axes)


def _stretch(share: float) -> float:
    """0.9 -> 1, 0.99 -> 2, 0.999 -> 3; never past 6."""
    return -math.log10(max(1 - share, 1e-6))


def _stretched_ticks(axes: Axes, which: str, low: float, high: float, hundred: float) -> None:
    """Ticks in per cent on a stretched axis from ``low`` to ``high``; ``hundred`` is where 100 % was drawn."""
    percents = _TICKS if high - low < 2.2 else _FEW_TICKS
    room = max(0.12, (0.1 if which == "x" else 0.05) * (high - low))  # for "100" beside the last of the others
    ticks = {_stretch(p / 100): f"{p:g}" for p in percents if low <= _stretch(p / 100) < hundred - room}
    if high >= hundred:
        ticks[hundred] = "100"
    if which == "x":
        axes.set_xlim(low, high)
        axes.set_xticks(list(ticks), list(ticks.values()))
    else:
        axes.set_ylim(low, high)
        axes.set_yticks(list(ticks), list(ticks.values()))


def _figure(
    title: str, x_label: str, y_label: str, height: float = 3.5, grid: str | None = "both"
) -> tuple[Figure, Axes]:
    figure = _paper(height)
    axes = figure.add_subplot()
    _style(axes, title, x_label, y_label, grid)
    return figure, axes


def _paper(height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.13, h_pad=0.12)
    return Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white", layout=layout)


def _style(axes: Axes, title: str, x_label: str, y_label: str, grid: str | None) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK, weight="bold", pad=8)
    axes.set_xlabel(x_label, fontsize=10, color=MUTED)
    axes.set_ylabel(y_label, fontsize=10, color=MUTED)
    axes.tick_params(labelsize=9, colors=MUTED, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if grid is not None:
        axes.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]  # a literal of three words
        axes.set_axisbelow(True)


def _legend(home: Axes | Figure, loc: Any = "best") -> None:
    home.legend(loc=loc, fontsize=8.5, labelcolor=INK, frameon=True, framealpha=0.9, edgecolor="none", handlelength=2.4)


def _short(name: str, width: int = 9) -> str:
    """The name's end (the part that differs), without letters that the font cannot draw or mathtext would read."""
    plain = "".join(c if c.isascii() and c.isprintable() and c != "$" else "?" for c in name)
    return plain if len(plain) <= width else "~" + plain[-(width - 1) :]


def _save(figure: Figure, path: str | Path) -> Path:
    with whole_file(path) as temporary:
        # No software name in the file: the same values give the same bytes.
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return Path(path)


__all__ = [
    "plot_accuracy",
    "plot_augmentation",
    "plot_confusion",
    "plot_label_counts",
    "plot_learning_rate",
    "plot_loss",
    "plot_mean_digits",
    "plot_mistakes",
    "plot_outliers",
    "plot_reliability",
    "plot_samples",
    "plot_trials",
]
