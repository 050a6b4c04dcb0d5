"""The words of ``digits batch`` become a request and an engine, its result lines. Loads nothing heavy until called.

Knows nothing of how pictures are read.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from digit_recognizer.apps.options import Address, Json, MaxPixels, MinConfidence, Model, Unfinished, Workers
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import Terminal, counted, percent
from digit_recognizer.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from digit_recognizer.apps.batch.driver import Result
    from digit_recognizer.apps.batch.engine import Engine


def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="A folder with all below it, a pattern such as 'scans/*.png', a CSV or Parquet list of paths, a "
            "Parquet table of pictures, a tar of pictures, a CSV of pixels, IDX files, or .txt with a path a line; "
            "local, or a URL such as s3://bucket/scans.",
        ),
    ],
    output: Unfinished,
    task: Annotated[str, typer.Option(help="predict: one digit each; read: the numbers on pages.")] = "predict",
    model: Model = None,
    expect: Annotated[str | None, typer.Option(help="read: digits of each number, 5 or 3-7; or a grid, 9x9.")] = None,
    check: Annotated[str | None, typer.Option(help="read: luhn, each number ends in a check digit.")] = None,
    numbers: Annotated[str, typer.Option(help="read: digits, or decimal.")] = "digits",
    limit: Annotated[int | None, typer.Option(help="Only so many pictures, the first ones.")] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="k/n: only the k-th of n shares of whole parts, for a scheduler; give each its own -o."),
    ] = None,
    part_size: Annotated[
        int | None,
        typer.Option(help="Pictures of a part.  [default: 1024; 8192 rows of pixels; 64 pages]", show_default=False),
    ] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    engine: Annotated[str, typer.Option(help="local: processes of this machine; ray: a cluster.")] = "local",
    workers: Workers = None,
    address: Address = None,
    as_json: Json = False,
) -> None:
    """Read pictures by the million, into Parquet."""
    terminal = Terminal(as_json=as_json)
    if len(sources) > 1:
        raise UsageError(
            f"expected one source, found {len(sources):,}; a pattern is quoted, as 'scans/*.png', so that the shell "
            "leaves it as it is"
        )
    with needs("batch", "batch reading"):
        from digit_recognizer.apps.batch.display import BatchDisplay
        from digit_recognizer.apps.batch.driver import Request, run_batch

    request = Request(
        source=sources[0],
        output=output,
        task=task,
        model=model,
        expect=expect,
        check=check,
        numbers=numbers,
        part_size=part_size,
        limit=limit,
        shard=parse_shard(shard),
        max_pixels=max_pixels,
        min_confidence=min_confidence,
    )
    with (
        stopped_by_signals(),
        make_engine(engine, workers, address) as chosen,
        BatchDisplay(terminal) as display,
    ):
        result = run_batch(request, chosen, display.show)
    _show_result(result, terminal)
    raise typer.Exit(_exit_code(result))


def make_engine(name: str, workers: int | None, address: str | None) -> Engine:
    """The engine of that name. Raises UsageError where there is none, MissingExtra where it is not installed."""
    if name == "local":
        if address is not None:
            raise UsageError("--address is for --engine ray")
        from digit_recognizer.apps.batch.local_engine import LocalEngine

        return LocalEngine(workers)
    if name == "ray":
        with needs("scale", "--engine ray"):
            from digit_recognizer.apps.scale.ray_engine import RayEngine

            return RayEngine(workers=workers, address=address)
    raise UsageError(f"expected the engine to be local or ray, found {name!r}")


def parse_shard(text: str | None) -> tuple[int, int]:
    """ "k/n" as two numbers; all of it, (1, 1), where nothing is given. Raises UsageError.

    >>> parse_shard("2/8"), parse_shard(None)
    ((2, 8), (1, 1))
    """
    if text is None:
        return 1, 1
    if (found := re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())) is None:
        raise UsageError(f"expected --shard k/n, such as 2/8, found {text!r}")
    return int(found[1]), int(found[2])


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """While the block runs, Ctrl-C and SIGTERM raise Interrupted: nothing is lost that is not done again by itself."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted("stopped; the same command goes on where this one was", signal_number=number)

    if threading.current_thread() is not threading.main_thread():  # Python allows handlers there alone
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_result(result: Result, terminal: Terminal) -> None:
    from digit_recognizer.apps.batch.summary import passed_over_words, speed_words

    tally = result.tally
    if result.was_finished:
        terminal.note(f"{result.folder}: finished before; nothing was read")
    all_parts = result.manifest.get("all_parts", 0)
    if all_parts and not result.parts:
        there = counted(result.manifest["inputs"]["pictures"], "picture")
        terminal.note(
            f"share {result.manifest['shard']} holds none of the parts: {there} in {counted(all_parts, 'part')}; "
            "a smaller --part-size makes more"
        )
    elif not tally.pictures:
        terminal.note("no pictures were found")
    accepted = f", {percent(tally.accepted / tally.read)} of them accepted" if tally.read else ""
    terminal.say(f"{counted(tally.pictures, 'picture')}: {tally.read:,} read{accepted}; {tally.failures:,} failed")
    if speed := speed_words(result.rate):
        terminal.say(speed)
    terminal.say(f"written to {result.folder}: {counted(result.parts, 'part')}, errors.parquet, summary.html")
    if words := passed_over_words(result.manifest.get("ignored", {})):
        terminal.note(f"passed over: {words}")
    for sentence in result.drift:
        terminal.note(f"drift: {sentence}")
    terminal.document(
        {
            "folder": str(result.folder),
            "seconds": round(result.seconds, 3),
            "rate": None if result.rate is None else round(result.rate, 1),
            **{key: value for key, value in result.manifest.items() if key != "parts"},
            "parts": result.parts,
        }
    )


def _exit_code(result: Result) -> int:
    """0, or 1 where some pictures failed, 3 where all did."""
    if not result.tally.failures:
        return 0
    return 1 if result.tally.read else 3


__all__ = ["batch", "make_engine", "parse_shard", "stopped_by_signals"]
