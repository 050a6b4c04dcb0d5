"""The command ``digits``: words become calls, results become lines, errors become exit codes.

0 ok · 1 finished, but some inputs failed, or an unexpected error · 2 usage · 3 bad input · 4 model or checkpoint ·
5 input/output · 130 Ctrl-C · 143 SIGTERM. Heavy libraries are loaded by the command that needs them.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any, NoReturn

import typer

from digit_recognizer._version import __version__
from digit_recognizer.apps.batch.command import batch
from digit_recognizer.apps.cell_training import train_cells
from digit_recognizer.apps.data_commands import evaluate, explore, run, train
from digit_recognizer.apps.exporting import export, report
from digit_recognizer.apps.ink_training import train_ink
from digit_recognizer.apps.line_training import train_lines
from digit_recognizer.apps.options import Json, Model
from digit_recognizer.apps.outcome import close_output, tell
from digit_recognizer.apps.picture_commands import predict, read
from digit_recognizer.apps.server.command import serve
from digit_recognizer.apps.terminal import Terminal, prepare_streams
from digit_recognizer.apps.tuning import tune

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


app.command("run")(run)
app.command("explore")(explore)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("predict")(predict)
app.command("read")(read)
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


if __name__ == "__main__":
    main()
