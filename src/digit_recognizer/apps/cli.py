"""The command ``digits``: words become calls, results become lines, errors become exit codes.

0 ok · 1 finished, but some inputs failed, or an unexpected error · 2 usage · 3 bad input · 4 model or checkpoint ·
5 input/output · 130 Ctrl-C · 143 SIGTERM. Heavy libraries are loaded by the command that needs them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from digit_recognizer._version import __version__
from digit_recognizer.apps.batch.command import batch
from digit_recognizer.apps.cell_training import train_cells
from digit_recognizer.apps.exporting import export, report
from digit_recognizer.apps.ink_training import train_ink
from digit_recognizer.apps.line_training import train_lines
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
    MaxPixels,
    MinConfidence,
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
    check_min_confidence,
    check_seed,
)
from digit_recognizer.apps.outcome import close_output, needs, tell
from digit_recognizer.apps.outputs import (
    refuse_inside_pictures,
    refuse_other_files,
    refuse_other_run,
    refuse_own_input,
    refuse_unwritable,
)
from digit_recognizer.apps.server.command import serve
from digit_recognizer.apps.terminal import Terminal, counted, prepare_streams
from digit_recognizer.apps.tuning import tune
from digit_recognizer.errors import UsageError

if TYPE_CHECKING:
    from digit_recognizer.digits import Dataset

app = typer.Typer(
    name="digits",
    help="Reads handwritten and printed digits from pictures and pages, and trains models that do.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would take [default: 0.1] for a style and swallow it
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something goes wrong.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if debug:
        os.environ["DIGITS_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command()
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


@app.command()
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
    dataset = _load(data, terminal, skip_bad_rows)
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


@app.command()
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


@app.command()
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
    dataset = _load(data, terminal, skip_bad_rows)
    name, digits, seen = part_to_evaluate(dataset, model, recognizer.metadata.data_fingerprint, part)
    if seen is not False:
        terminal.note(what_flatters(seen, f"{name} of {dataset.name}", printable(recognizer.metadata.data)))
    result = metrics.evaluate(recognizer.probabilities(digits.images), digits.known_labels())
    show_evaluation(terminal, dataset.name, name, result)
    terminal.document({"data": dataset.name, "part": name, "seen_in_training": seen, **result.to_dict()})


@app.command()
def predict(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Pictures of one digit each: files, folders, patterns such as 'scans/*.png', - for stdin; or one data "
            "set: a Kaggle zip, a folder or CSV, an IDX folder, .npz, .parquet, a folder of images by class, or a "
            "name: mnist, sample.  [default: sample]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The CSV to write; left out: stdout."),
    ] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Read digits from pictures, or predict a data set.

    A data set without names or labels, as Kaggle's test data: ImageId,Label. Anything else: name,digit,confidence,
    accepted,second,second_confidence; pictures on a terminal: a table. In CSV, a name that begins with = + - @ or a tab
    gets an apostrophe before it, so that no spreadsheet runs it as a formula.
    """
    from digit_recognizer.apps.predictions import (
        COLUMNS,
        predict_pictures,
        predictions_csv,
        reading_entry,
        write_predictions,
    )
    from digit_recognizer.recognizer import Recognizer
    from digit_recognizer.sources.catalog import NAMES, is_data_set

    terminal = Terminal(as_json=as_json)
    check_min_confidence(min_confidence)
    words = data or ["sample"]
    if as_json and output is not None and str(output) == "-":
        raise UsageError("--output - and --json both print on stdout; give --output a file")
    if len(words) > 1 and all(word in NAMES or (os.path.isfile(word) and is_data_set(word)) for word in words):
        raise UsageError(f"{', '.join(words)}: expected pictures, or one data set at a time")
    refuse_own_input(output, "--output", words, model, COLUMNS)
    recognizer = Recognizer(model, min_confidence=min_confidence)
    if len(words) > 1 or not is_data_set(words[0]):
        raise typer.Exit(predict_pictures(words, recognizer, terminal, output, max_pixels))
    if max_pixels is not None:
        raise UsageError(f"--max-pixels is for pictures, and {words[0]} is a data set")
    dataset = _load(words[0], terminal)
    digits = dataset.test if dataset.test is not None else dataset.labelled()
    found = recognizer.predict(digits)
    if output is not None and str(output) != "-":
        write_predictions(output, digits, found)
        terminal.note(f"{counted(len(found), 'prediction')} written to {output}")
    elif not as_json:
        sys.stdout.write(predictions_csv(digits, found))
    terminal.document([reading_entry(reading) for reading in found])


@app.command()
def read(
    pictures: Annotated[
        list[str],
        typer.Argument(
            help="Pictures of numbers, or PDFs: files, folders, patterns, form.pdf#2 for a page, - for stdin."
        ),
    ],
    expect: Annotated[str | None, typer.Option(help="Digits of each number, 5 or 3-7; or a grid, 9x9.")] = None,
    check: Annotated[str | None, typer.Option(help="luhn: each number ends in a check digit.")] = None,
    numbers: Annotated[str, typer.Option(help="digits, or decimal: with comma or point, and minus.")] = "digits",
    csv: Annotated[Path | None, typer.Option(help="A CSV to write, a row a line of numbers; - for stdout.")] = None,
    annotate: Annotated[Path | None, typer.Option(help="A folder for the pictures with boxes and digits.")] = None,
    show_steps: Annotated[Path | None, typer.Option(help="A folder for pictures of what the reader saw.")] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Read the numbers on photos, scans and pages.

    A line of text for each line of numbers. Lines that are not accepted are printed, too, and named on stderr with the
    reason: one of their digits has less confidence than --min-confidence, and a second look at the whole number does
    not bear it out; or something speaks against the number. The model's own threshold is strict: many such lines are
    right, but have somebody look.
    """
    from digit_recognizer.apps.reading_pages import COLUMNS, Wanted, read_pictures
    from digit_recognizer.recognizer import Recognizer

    check_min_confidence(min_confidence)
    wanted = Wanted(expect, check, numbers, annotate, csv, show_steps, max_pixels)
    refuse_own_input(csv, "--csv", pictures, model, COLUMNS)
    refuse_unwritable(annotate, "--annotate", folder=True)
    refuse_unwritable(show_steps, "--show-steps", folder=True)
    recognizer = Recognizer(model, min_confidence=min_confidence)
    raise typer.Exit(read_pictures(pictures, recognizer, Terminal(as_json=as_json), wanted))


app.command("export")(export)
app.command("report")(report)
app.command("train-lines")(train_lines)
app.command("train-ink")(train_ink)
app.command("train-cells")(train_cells)
app.command("tune")(tune)
app.command("serve")(serve)
app.command("batch")(batch)


@app.command()
def info(model: Model = None, as_json: Json = False) -> None:
    """Versions, and what a model says of itself."""
    from digit_recognizer.apps.about import show_about

    show_about(model, Terminal(as_json=as_json))


def main() -> NoReturn:
    """Run the command; every error of ours becomes one sentence on stderr and its exit code."""
    if "_DIGITS_COMPLETE" in os.environ:  # a shell asks what could come next
        app()
    prepare_streams()
    as_json = "--json" in sys.argv
    code = 0
    command = typer.main.get_command(app)
    try:
        code = _code_of(command, sys.argv[1:])
        sys.stdout.flush()  # what a full disk did not take must be told
    except BrokenPipeError as error:
        code = code or tell(error, as_json)
    except (Exception, KeyboardInterrupt) as error:
        code = tell(error, as_json, _called(command, sys.argv[1:]))
    close_output()
    sys.exit(code)


def _called(command: Any, words: list[str]) -> str:
    """The command that the words call, as they would be typed: "digits train"."""
    name = next((word for word in words if not word.startswith("-")), "")
    return f"digits {name}" if name in command.commands else "digits"


def _code_of(command: Any, words: list[str]) -> int:
    """Run the command; its exit code. Not app(): typer has its own ideas of Ctrl-C and of a closed pipe."""
    try:
        with command.make_context("digits", words) as context:
            command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    return 0


def _require_report() -> None:
    """Fail before the work, not after it, where the report could not be drawn."""
    import jinja2  # noqa: F401
    import matplotlib  # noqa: F401


def _load(data: str, terminal: Terminal, skip_bad_rows: bool = False) -> Dataset:
    from digit_recognizer.sources.catalog import load

    dataset = load(data, skip_bad_rows=skip_bad_rows)
    terminal.about(dataset)
    return dataset


if __name__ == "__main__":
    main()
