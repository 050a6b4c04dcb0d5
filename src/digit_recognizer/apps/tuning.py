"""The words of ``digits tune`` become a sweep; its results become lines, a table and a plot.

Decides nothing of trials or engines. Loads torch when it is called.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digit_recognizer.apps.engines import asked_engine, chosen_engine, device_for
from digit_recognizer.apps.options import (
    Address,
    Device,
    Engine,
    Epochs,
    Json,
    SkipBadRows,
    Unfinished,
    Workers,
    check_epochs,
)
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.outputs import refuse_inside_pictures
from digit_recognizer.apps.terminal import Terminal, counted, percent
from digit_recognizer.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from digit_recognizer.training.tuning.sweep import FinishedSweep
    from digit_recognizer.training.tuning.trial import TrialResult


_PRESETS = ("notebook", "fast", "best")


def tune(
    data: Annotated[str, typer.Argument(help="What to learn from, as for train.")],
    output: Unfinished,
    trials: Annotated[int, typer.Option(help="Recipes to try; the first is the preset itself.")] = 9,
    preset: Annotated[str, typer.Option(help="What to vary: notebook, fast or best.")] = "fast",
    epochs: Epochs = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    val: Annotated[
        float,
        typer.Option(help="Share of the labelled images that decides, where DATA has no part of its own for that."),
    ] = 0.1,
    device: Device = "auto",
    engine: Engine = None,
    workers: Workers = None,
    address: Address = None,
    skip_bad_rows: SkipBadRows = False,
    as_json: Json = False,
) -> None:
    """Search for a better recipe.

    Tries widths, epochs, learning rates and doses of augmentation.
    """
    asked = asked_engine(engine, workers, address)
    terminal = Terminal(as_json=as_json)
    with needs("train", "training"):
        from digit_recognizer.apps.ranks import refuse_torchrun
        from digit_recognizer.apps.signals import stop_on_signals
        from digit_recognizer.sources.catalog import load
        from digit_recognizer.training.hardware import choose_hardware
        from digit_recognizer.training.job import Settings, split
        from digit_recognizer.training.recipe import preset as preset_of
        from digit_recognizer.training.tuning.space import Trial, draw_trials, trial_recipe
        from digit_recognizer.training.tuning.sweep import SweepFolder, SweepSettings, run_sweep

        refuse_torchrun("tune")
        if preset not in _PRESETS:
            raise UsageError(f"no preset to vary: {preset!r}; tune {', '.join(_PRESETS[:-1])} or {_PRESETS[-1]}")
        check_epochs(epochs)
        recipe = preset_of(preset) if epochs is None else replace(preset_of(preset), epochs=epochs)
        hardware = choose_hardware(device_for(asked, device))
        chosen = chosen_engine(asked, trials, hardware.device.type)
        # refuse what makes no sense before the data is read
        Settings(recipe, seed, val), draw_trials(trials, seed), trial_recipe(recipe, Trial(1))
        refuse_inside_pictures(output, data)
        dataset = load(data, skip_bad_rows=skip_bad_rows)
        terminal.about(dataset)
        parts = split(dataset.labelled(), Settings(recipe, seed, val), dataset.held_out())
        if epochs is None:
            recipe = recipe.fitted(len(parts.training))
        facts = {
            "data": dataset.name,
            "fingerprint": dataset.labelled().fingerprint(),
            "val": val,
            "device": hardware.device.type,
            "precision": hardware.precision,
        }
        settings, folder = SweepSettings(recipe, trials, seed, facts), SweepFolder(output)
        terminal.heading(
            f"Tuning: {preset}, {counted(trials, 'trial')} around its {counted(recipe.epochs, 'epoch')}, "
            f"{len(parts.training):,} images to learn from, {len(parts.validation):,} that decide"
            f"{', each trial on a CPU of its own' if chosen == 'ray' else ''}"
        )
        with stop_on_signals() as stop, folder.claim(settings):
            if kept := folder.read_results():
                terminal.note(f"{output}: {counted(len(kept), 'row')} kept, going on")
            try:
                with _engine(chosen, parts, seed, hardware, workers, address, folder.checkpoints, stop) as do:
                    finished = run_sweep(folder, settings, do, lambda result: terminal.note(_line(result)))
            except Interrupted as interrupted:
                rows = counted(len(folder.read_results()), "row")
                raise Interrupted(
                    f"stopped; {rows} in {folder.table}, the same command goes on",
                    signal_number=interrupted.signal_number,
                ) from interrupted
        plot = _draw(finished, folder.plot)
        words = ["digits", "train", data, "--recipe", str(folder.best)]
        command = shlex.join([*words, "--skip-bad-rows"] if dataset.left_out else words)
        _show(terminal, finished, plot, command, len(parts.validation))
        terminal.document(
            {
                "sweep": str(output),
                "trials": [result.to_row() for result in finished.results],
                "best": finished.best.to_row(),
                "recipe": finished.recipe.to_dict(),
                "command": command,
            }
        )


@contextmanager
def _engine(
    name: str,
    parts: Any,
    seed: int,
    hardware: Any,
    workers: int | None,
    address: str | None,
    checkpoints: Path,
    stop: Any,
) -> Iterator[Any]:
    """The engine of that name, ready while the block runs."""
    if name == "local":
        from digit_recognizer.training.tuning.trial import one_after_another

        yield one_after_another(
            parts.training, parts.validation, seed=seed, hardware=hardware, folder=checkpoints, stop=stop
        )
        return
    from digit_recognizer.apps.scale.trials import trials_side_by_side

    with trials_side_by_side(
        parts.training,
        parts.validation,
        seed=seed,
        precision=hardware.precision,
        workers=workers,
        address=address,
        stop=stop,
    ) as engine:
        yield engine


def _line(result: TrialResult) -> str:
    """One finished trial in one line."""
    found = "the loss stopped being a number" if result.val_loss is None else percent(result.val_accuracy)
    return (
        f"trial {result.trial}, rung {result.rung}: {found} · {result.seconds:.1f} s · "
        f"{counted(result.epochs, 'epoch')}, widths {result.widths}, rate {result.learning_rate:g}, "
        f"dose {result.dose:g}"
    )


def _show(terminal: Terminal, finished: FinishedSweep, plot: Path | None, command: str, deciding: int) -> None:
    from digit_recognizer.training.tuning.sweep import pareto_front

    best, last = finished.best, max(result.rung for result in finished.results)
    front = pareto_front(finished.results)
    rows = [("trial", "rung", "epochs", "widths", "rate", "dose", "parameters", "seconds", "accuracy", "loss", "")]
    for result in sorted(finished.results, key=lambda each: (-each.rung, -each.val_accuracy, each.trial)):
        marks = (
            (result == best, "best"),
            (result.trial == 1 and result.rung == last, "the preset itself"),
            (result in front, "on the front"),
        )
        rows.append(
            (
                str(result.trial),
                str(result.rung),
                str(result.epochs),
                result.widths,
                f"{result.learning_rate:g}",
                f"{result.dose:g}",
                f"{result.parameters:,}",
                f"{result.seconds:.1f}",
                percent(result.val_accuracy),
                "-" if result.val_loss is None else f"{result.val_loss:.4f}",
                ", ".join(word for holds, word in marks if holds),
            )
        )
    terminal.heading("Trials, by rung and accuracy")
    terminal.table(_aligned(rows))
    terminal.say(
        f"trial {best.trial} was best on the {deciding:,} images that decided, so {percent(best.val_accuracy)} "
        "flatters it; evaluate on others"
    )
    if plot is not None:
        terminal.say(f"drawn in {plot}")
    terminal.say(f"train it: {command}")


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows with their last column, words, filled up: a table sets every column to the right."""
    width = max(len(row[-1]) for row in rows)
    return [(*row[:-1], row[-1].ljust(width)) for row in rows]


def _draw(finished: FinishedSweep, path: Path) -> Path | None:
    """The plot of all trials, or None where the libraries that draw are not installed: the table says the same."""
    from digit_recognizer.errors import MissingExtra
    from digit_recognizer.training.tuning.sweep import pareto_front

    try:
        from digit_recognizer.analysis.plots import plot_trials
    except MissingExtra:
        return None
    front = {(result.rung, result.trial) for result in pareto_front(finished.results)}
    points = [
        {
            "seconds": result.seconds,
            "accuracy": result.val_accuracy,
            "name": str(result.trial),
            "front": (result.rung, result.trial) in front,
            "short": result.rung < finished.best.rung,
            "best": result == finished.best,
        }
        for result in finished.results
        if result.val_loss is not None
    ]
    return plot_trials(points, path)


__all__ = ["tune"]
