"""The words of ``digits run``, ``explore``, ``train`` and ``evaluate``, which work on a data set, become calls.

Heavy libraries are loaded by the command that needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digit_recognizer.apps.options import (
    DATA_HELP,
    Address,
    Data,
    Device,
    Engine,
    Epochs,
    Fonts,
    Json,
    MaxError,
    Model,
    Output,
    Overwrite,
    Preset,
    Resume,
    Seed,
    SkipBadRows,
    Strokes,
    Val,
    Workers,
    check_seed,
)
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.outputs import (
    refuse_inside_pictures,
    refuse_other_files,
    refuse_other_run,
    refuse_unwritable,
)
from digit_recognizer.apps.terminal import Terminal

if TYPE_CHECKING:
    from digit_recognizer.digits import Dataset


def run(
    data: Annotated[
        str | None,
        typer.Argument(
            help=DATA_HELP + "  [default: sample, or with --resume what the run was started on]", show_default=False
        ),
    ] = None,
    output: Output = None,
    preset: Preset = None,
    seed: Seed = None,
    val: Val = None,
    epochs: Epochs = None,
    device: Device = "auto",
    max_error: MaxError = None,
    skip_bad_rows: SkipBadRows = False,
    engine: Engine = None,
    workers: Workers = None,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """The whole job: explore, train, evaluate, predict, report."""
    terminal = Terminal(as_json=as_json)
    with needs("train", "training"), needs("report", "the report"):
        from digit_recognizer.apps.engines import asked_engine, device_for, with_engine
        from digit_recognizer.apps.ranks import refuse_torchrun
        from digit_recognizer.apps.request import make_request
        from digit_recognizer.apps.whole_job import run_whole_job

        refuse_torchrun("run")
        _require_report()
        asked = asked_engine(engine, workers, address, output if resume else None)
        request = make_request(
            data,
            output,
            preset,
            seed,
            val,
            epochs,
            device_for(asked, device),
            max_error=max_error,
            skip_bad_rows=skip_bad_rows,
            resume=resume,
            overwrite=overwrite,
        )
        request, members = with_engine(request, asked, workers, address)
        terminal.document(run_whole_job(request, terminal, members))


def explore(
    data: Data = "sample",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for explore.json, the plots and a report."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the samples shown.")] = 0,
    skip_bad_rows: SkipBadRows = False,
    as_json: Json = False,
) -> None:
    """Label counts, missing values, duplicates, pictures."""
    from digit_recognizer.analysis.explore import explore as explore_dataset
    from digit_recognizer.apps.whole_job import show_exploration, write_exploration

    terminal = Terminal(as_json=as_json)
    check_seed(seed)
    if output is not None:
        with needs("report", "plots"):
            _require_report()
        refuse_unwritable(output, "--output", folder=True)
        refuse_inside_pictures(output, data)
        refuse_other_files(output)
    dataset = loaded(data, terminal, skip_bad_rows)
    if output is not None:
        refuse_other_run(output, dataset)
    exploration = explore_dataset(dataset)
    show_exploration(terminal, dataset, exploration, seed)
    if output is not None:
        with needs("report", "plots"):
            from digit_recognizer.analysis.report import write_report

            write_exploration(dataset, exploration, output, seed)
            write_report(output)
        terminal.note(f"written to {output}: explore.json, report.html, plots/")
    terminal.document({"data": dataset.name, **exploration.to_dict()})


def train(
    data: Annotated[
        str | None,
        typer.Argument(help=DATA_HELP + "  With --resume it may be left out.", show_default=False),
    ] = None,
    output: Output = None,
    preset: Preset = None,
    seed: Seed = None,
    val: Val = None,
    epochs: Epochs = None,
    device: Device = "auto",
    recipe: Annotated[
        Path | None, typer.Option(help="A recipe.json, as tune writes it, instead of a preset.", show_default=False)
    ] = None,
    strokes: Strokes = None,
    fonts: Fonts = None,
    max_error: MaxError = None,
    skip_bad_rows: SkipBadRows = False,
    engine: Engine = None,
    workers: Workers = None,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a network; leaves a run folder with model.onnx.

    In several processes: torchrun --nproc-per-node N --max-restarts 1 -m digit_recognizer train DATA -o RUN
    """
    terminal = Terminal(as_json=as_json)
    with needs("train", "training"):
        from digit_recognizer.apps.training import train_as_asked

        train_as_asked(
            terminal,
            data,
            output,
            preset,
            seed,
            val,
            epochs,
            device,
            recipe=recipe,
            strokes=strokes,
            fonts=fonts,
            max_error=max_error,
            skip_bad_rows=skip_bad_rows,
            engine=engine,
            workers=workers,
            address=address,
            resume=resume,
            overwrite=overwrite,
        )


def evaluate(
    data: Data = "sample",
    model: Model = None,
    part: Annotated[
        str,
        typer.Option(
            help="train, test or validation; auto: test where it has labels, else what the model was not trained on."
        ),
    ] = "auto",
    skip_bad_rows: SkipBadRows = False,
    as_json: Json = False,
) -> None:
    """Accuracy with its interval, log-loss, per-digit scores.

    In JSON, seen_in_training is true where the model was trained on these very images; false where they were kept from
    it: another part of the same data, or of MNIST or the sample where it was trained on one of these; null where that
    is not known, as of images in another order, of some of them, or of a data set that shares images with its own.
    """
    from digit_recognizer.analysis import metrics
    from digit_recognizer.apps.evaluation import part_to_evaluate, show_evaluation, what_flatters
    from digit_recognizer.apps.predictions import printable
    from digit_recognizer.recognizer import Recognizer

    terminal = Terminal(as_json=as_json)
    recognizer = Recognizer(model)
    dataset = loaded(data, terminal, skip_bad_rows)
    name, digits, seen = part_to_evaluate(dataset, model, recognizer.metadata.data_fingerprint, part)
    if seen is not False:
        terminal.note(what_flatters(seen, f"{name} of {dataset.name}", printable(recognizer.metadata.data)))
    result = metrics.evaluate(recognizer.probabilities(digits.images), digits.known_labels())
    show_evaluation(terminal, dataset.name, name, result)
    terminal.document({"data": dataset.name, "part": name, "seen_in_training": seen, **result.to_dict()})


def loaded(data: str, terminal: Terminal, skip_bad_rows: bool = False) -> Dataset:
    """The data set that ``data`` names; says what is left out of it, and what lies beside it unread."""
    from digit_recognizer.sources.catalog import load

    dataset = load(data, skip_bad_rows=skip_bad_rows)
    terminal.about(dataset)
    return dataset


def _require_report() -> None:
    """Fail before the work, not after it, where the report could not be drawn."""
    import jinja2  # noqa: F401
    import matplotlib  # noqa: F401


__all__ = ["evaluate", "explore", "loaded", "run", "train"]
