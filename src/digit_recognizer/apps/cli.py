"""The command ``digits``: words become calls, results become lines, errors become exit codes.

0 ok · 1 finished, but some inputs failed, or an unexpected error · 2 usage · 3 bad input · 4 model or checkpoint ·
5 input/output · 130 Ctrl-C · 143 SIGTERM. Heavy libraries are loaded by the command that needs them.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from digit_recognizer._version import __version__
from digit_recognizer.apps.terminal import Terminal, percent
from digit_recognizer.errors import CheckpointError, DigitsError, InputError, Interrupted, MissingExtra, UsageError

if TYPE_CHECKING:
    from digit_recognizer.apps.whole_job import RunRequest
    from digit_recognizer.digits import Dataset, Digits

app = typer.Typer(
    name="digits",
    help="Reads handwritten digits: explore, train, evaluate, predict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DATA_HELP = (
    "A Kaggle zip, a folder or CSV, an IDX folder, .npz, .parquet, a folder of images, or a name: mnist, sample."
)
Data = Annotated[str, typer.Argument(help=DATA_HELP, show_default=True)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A run folder or an .onnx file; left out: the model that ships."),
]
Preset = Annotated[
    str | None,
    typer.Option(help="notebook, fast or best.  [default: fast]", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Of everything random.  [default: 0]", show_default=False)]
Val = Annotated[
    float | None,
    typer.Option(help="Share of the labelled images kept for validation.  [default: 0.1]", show_default=False),
]
Epochs = Annotated[int | None, typer.Option(help="Instead of the preset's own number.", show_default=False)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Remove a run that is in this folder, start anew.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The run folder.  [default: runs/NAME, with the next free number]"),
]


@app.callback(invoke_without_command=True)
def _common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback where something goes wrong.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if debug:
        os.environ["DIGITS_DEBUG"] = "1"


@app.command()
def run(
    data: Data = "sample",
    output: Output = None,
    preset: Preset = None,
    seed: Seed = None,
    val: Val = None,
    epochs: Epochs = None,
    device: Device = "auto",
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """The whole job: explore, train, evaluate, predict, report."""
    terminal = Terminal(as_json=as_json)
    with _needs("train", "training"), _needs("report", "the report"):
        from digit_recognizer.apps.whole_job import run_whole_job

        _require_report()
        request = _request(data, output, preset, seed, val, epochs, device, resume, overwrite)
        terminal.document(run_whole_job(request, terminal))


@app.command()
def explore(
    data: Data = "sample",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for explore.json, the plots and a report."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the samples shown.")] = 0,
    as_json: Json = False,
) -> None:
    """Label counts, missing values, sizes, duplicates, sample pictures."""
    from digit_recognizer.analysis.explore import explore as explore_dataset
    from digit_recognizer.apps.whole_job import show_exploration, write_exploration

    terminal = Terminal(as_json=as_json)
    dataset = _load(data)
    exploration = explore_dataset(dataset)
    show_exploration(terminal, dataset, exploration, seed)
    if output is not None:
        with _needs("report", "plots"):
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
    resume: Resume = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a network; leaves a run folder with model.onnx."""
    terminal = Terminal(as_json=as_json)
    with _needs("train", "training"):
        from digit_recognizer.apps.whole_job import show_result, train_into
        from digit_recognizer.training.run_folder import RunFolder

        if data is None and not resume:
            raise UsageError("which data? digits train DATA; try: digits train sample")
        request = _request(data, output, preset, seed, val, epochs, device, resume, overwrite)
        RunFolder(request.folder).begin(resume=resume, overwrite=overwrite)
        finished = train_into(request, terminal)
        show_result(terminal, finished.metrics)
        terminal.say(f"written to {request.folder}")
        terminal.document({"run": str(request.folder), "metrics": dict(finished.metrics)})


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
    as_json: Json = False,
) -> None:
    """Accuracy with its interval, log-loss, calibration, per-digit scores."""
    from digit_recognizer.analysis import metrics
    from digit_recognizer.recognizer import Recognizer

    terminal = Terminal(as_json=as_json)
    recognizer = Recognizer(model)
    dataset = _load(data)
    name, digits, seen = _part_to_evaluate(dataset, model, recognizer.metadata.data_fingerprint, part)
    if seen:
        terminal.note(f"warning: the model was trained on {name} of {dataset.name}; these figures flatter it")
    result = metrics.evaluate(recognizer.probabilities(digits.images), digits.known_labels())
    low, high = result.interval95
    terminal.heading(f"{dataset.name}, {name}: {result.n:,} images")
    terminal.say(
        f"accuracy {percent(result.accuracy)} ({percent(low)} to {percent(high)} with 95 % confidence): "
        f"{result.errors:,} wrong"
    )
    terminal.say(f"log-loss {result.log_loss:.4f} · calibration error {percent(result.ece)}")
    terminal.heading("Per digit")
    terminal.table(_score_rows(result.to_dict()))
    terminal.heading("Confusion (rows: label, columns: answer)")
    header = ("", *map(str, range(10)))
    confusion = result.to_dict()["confusion"]
    terminal.table([header, *((str(d), *(str(n) if n else "·" for n in row)) for d, row in enumerate(confusion))])
    terminal.document({"data": dataset.name, "part": name, "seen_in_training": seen, **result.to_dict()})


@app.command()
def predict(
    data: Data = "sample",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The CSV to write; left out: stdout."),
    ] = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Predict: Kaggle's test data as ImageId,Label; anything else as name,digit,confidence,..."""
    from digit_recognizer.apps.whole_job import predictions_csv, write_predictions
    from digit_recognizer.recognizer import Recognizer

    terminal = Terminal(as_json=as_json)
    recognizer = Recognizer(model)
    dataset = _load(data)
    digits = dataset.test if dataset.test is not None else dataset.labelled()
    found = recognizer.predict(digits)
    if output is not None and str(output) != "-":
        write_predictions(output, digits, found)
        terminal.note(f"{len(found):,} predictions written to {output}")
    elif not as_json:
        sys.stdout.write(predictions_csv(digits, found))
    terminal.document([reading.to_dict() for reading in found])


@app.command()
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
) -> None:
    """Copy a run's model, checked, to a file of its own."""
    from digit_recognizer.files import write_bytes
    from digit_recognizer.model_file import read_model
    from digit_recognizer.model_probe import ensure_safe

    file = read_model(run_folder)
    ensure_safe(file)
    write_bytes(output, file.content)
    Terminal().say(f"{output}: {len(file.content):,} bytes, sha256 {file.sha256}")


@app.command()
def report(run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]) -> None:
    """Write report.html of a run anew from its files."""
    with _needs("report", "the report"):
        from digit_recognizer.analysis.report import write_report

        Terminal().say(str(write_report(run_folder)))


@app.command()
def info(model: Model = None, as_json: Json = False) -> None:
    """Versions, and what a model says of itself."""
    import platform
    from dataclasses import asdict
    from importlib import metadata

    terminal = Terminal(as_json=as_json)
    facts: dict[str, Any] = {"digit-recognizer": __version__, "python": platform.python_version()}
    for name in ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "torch", "onnx", "matplotlib", "pyarrow"):
        try:
            facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            facts[name] = None
    document: dict[str, Any] = {"versions": facts, "model": None}
    terminal.heading("Versions")
    terminal.table([("Package", "version"), *((name, value or "not installed") for name, value in facts.items())])
    if model is not None:
        from digit_recognizer.recognizer import Recognizer

        recognizer = Recognizer(model)
        document["model"] = {**asdict(recognizer.metadata), "sha256": recognizer.sha256}
        terminal.heading(f"Model: {model}")
        terminal.table([("Field", "value"), *((name, str(value)) for name, value in document["model"].items())])
    terminal.document(document)


def main() -> NoReturn:
    """Run the command; every error of ours becomes one sentence on stderr and its exit code."""
    as_json = "--json" in sys.argv
    try:
        app(standalone_mode=False)
        code = 0
    except typer.Exit as exit_request:
        code = exit_request.exit_code
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        code = _tell(error, as_json)
    sys.exit(code)


def _tell(error: Exception, as_json: bool) -> int:
    """Say what went wrong, once; returns the exit code."""
    if os.environ.get("DIGITS_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, Interrupted):
        code, word, message = 128 + error.signal_number, error.code, str(error)
    elif isinstance(error, DigitsError):
        code, word, message = error.exit_code, error.code, str(error)
    elif hasattr(error, "format_message"):  # typer's own: an unknown option, a missing argument
        code, word, message = 2, "usage", error.format_message()
    elif isinstance(error, MemoryError):
        code, word, message = 5, "out_of_memory", "not enough memory for this"
    else:
        code, word = 1, "unexpected"
        message = f"unexpected {type(error).__name__}: {error} (once more with digits --debug ... shows where)"
    print(f"error: {message}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": {"code": word, "message": message}}, ensure_ascii=False))
    return code


@contextmanager
def _needs(extra: str, purpose: str) -> Iterator[None]:
    """Turn a missing library of an extra into MissingExtra, with the install command."""
    libraries = {
        "train": ("torch", "onnx", "onnxscript", "safetensors", "filelock"),
        "report": ("matplotlib", "jinja2"),
    }
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in libraries[extra]:
            raise
        raise MissingExtra(extra, purpose) from error


def _require_report() -> None:
    """Fail before training, not after it, where the report could not be drawn."""
    import jinja2  # noqa: F401
    import matplotlib  # noqa: F401


def _load(data: str) -> Dataset:
    from digit_recognizer.sources.catalog import load

    return load(data)


def _request(
    data: str | None,
    output: Path | None,
    preset_name: str | None,
    seed: int | None,
    val: float | None,
    epochs: int | None,
    device: str,
    resume: bool,
    overwrite: bool,
) -> RunRequest:
    """Everything that was asked for, checked and complete, the data loaded. A resumed run brings what is not said."""
    import time
    from dataclasses import replace

    from digit_recognizer.apps.whole_job import RunRequest
    from digit_recognizer.training.job import Settings, settings_of, split
    from digit_recognizer.training.recipe import preset
    from digit_recognizer.training.run_folder import RunFolder, next_free

    began = time.perf_counter()
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other")
    if resume and output is None:
        raise UsageError("--resume needs --output: the run folder to go on with")
    recipe = preset(preset_name or "fast")
    settings = Settings(recipe, 0 if seed is None else seed, 0.1 if val is None else val)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    if resume and output is not None:
        saved = settings_of(RunFolder(output))
        data = data or RunFolder(output).read_json(RunFolder(output).config).get("source")
        if not isinstance(data, str):
            raise UsageError(f"{output}: does not say which data it was started on; give DATA")
        if preset_name in (None, saved.recipe.preset):
            recipe = saved.recipe if epochs is None else replace(saved.recipe, epochs=epochs)
        settings = Settings(recipe, saved.seed if seed is None else seed, saved.val if val is None else val)
    data = data or "sample"
    dataset = _load(data)
    training, _ = split(dataset.labelled(), settings)
    if epochs is None and not resume:
        recipe = recipe.fitted(len(training))
    return RunRequest(
        source=data,
        dataset=dataset,
        folder=output or next_free("runs", dataset.name),
        settings=replace(settings, recipe=recipe),
        device=device,
        resume=resume,
        overwrite=overwrite,
        command=shlex.join(["digits", *sys.argv[1:]]),
        began=began,
    )


def _part_to_evaluate(dataset: Dataset, model: str | None, trained_on: str, part: str) -> tuple[str, Digits, bool]:
    """(name, digits, whether the model learnt from them) for ``--part``.

    Left to itself it takes a labelled test part; else, for a run folder trained on these very images, the part that
    the run kept for validation; else all labelled images. Raises UsageError or InputError where there is no such part.
    """
    if part not in ("auto", "train", "test", "validation"):
        raise UsageError(f"--part: expected auto, train, test or validation, found {part!r}")
    if part == "test" or (part == "auto" and dataset.test is not None and dataset.test.labels is not None):
        if dataset.test is None or dataset.test.labels is None:
            raise InputError(f"{dataset.name}: expected a test part with labels, found none", code="no_labels")
        return "test", dataset.test, False
    labelled = dataset.labelled()
    seen = labelled.fingerprint() == trained_on
    split_file = Path(model or "") / "split.json"
    if part == "validation" or (part == "auto" and seen and split_file.is_file()):
        if not (seen and split_file.is_file()):
            raise UsageError("--part validation needs --model RUN, a run folder trained on this data")
        try:
            held_out = labelled.take(json.loads(split_file.read_text("utf-8"))["validation"])
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise CheckpointError(f"{split_file}: cannot be used ({error})") from error
        return "validation", held_out, False
    return "train", labelled, seen


def _score_rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    def shown(value: float | None) -> str:
        return "-" if value is None else percent(value)

    rows: list[tuple[str, ...]] = [("Digit", "images", "precision", "recall", "f1")]
    for digit, score in enumerate(result["per_class"]):
        rows.append(
            (str(digit), f"{score['support']:,}", *(shown(score[name]) for name in ("precision", "recall", "f1")))
        )
    return rows


if __name__ == "__main__":
    main()
