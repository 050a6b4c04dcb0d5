"""The words of ``digits train`` become a run folder with a model, in one process or in several that torchrun started.

Knows nothing of how options are spelled. Loads torch.
"""

from __future__ import annotations

from pathlib import Path

from digit_recognizer.apps.engines import asked_engine, device_for, with_engine
from digit_recognizer.apps.ranks import goes_on, leading, repeat_command
from digit_recognizer.apps.request import make_request
from digit_recognizer.apps.terminal import Terminal
from digit_recognizer.apps.whole_job import show_result, train_into
from digit_recognizer.errors import UsageError
from digit_recognizer.training.run_folder import RunFolder


def train_as_asked(
    terminal: Terminal,
    data: str | None,
    output: Path | None,
    preset: str | None,
    seed: int | None,
    val: float | None,
    epochs: int | None,
    device: str,
    *,
    recipe: Path | None = None,
    strokes: str | None = None,
    fonts: str | None = None,
    max_error: float | None = None,
    skip_bad_rows: bool = False,
    engine: str | None = None,
    workers: int | None = None,
    address: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> None:
    """Train and say what came of it. A training that torchrun starts again goes on from its last checkpoint.

    Arguments as for ``make_request``, and for ``asked_engine`` and ``with_engine``. Raises what these, RunFolder.claim
    and train_run do; typer.Exit in every process of torchrun's but the first.
    """
    with leading(device, output) as ranks:
        again = goes_on(ranks, output)
        if data is None and not (resume or again):
            raise UsageError("which data? digits train DATA; try: digits train sample")
        asked = asked_engine(engine, workers, address, output if resume else None)
        if ranks.count > 1:
            if asked == "ray":
                raise UsageError("torchrun and --engine ray exclude each other")
            asked = "local"
        request = make_request(
            data,
            output,
            preset,
            seed,
            val,
            epochs,
            device_for(asked, device),
            recipe_file=recipe,
            strokes=strokes,
            fonts=fonts,
            max_error=max_error,
            skip_bad_rows=skip_bad_rows,
            resume=resume or again,
            overwrite=overwrite and not again,
            command=repeat_command(ranks),
        )
        request, members = with_engine(request, asked, workers, address)
        folder = RunFolder(request.folder)
        with folder.claim(resume=request.resume, overwrite=request.overwrite):
            finished = train_into(folder, request, terminal, ranks, members)
    show_result(terminal, finished.metrics)
    terminal.say(f"written to {request.folder}")
    terminal.document({"run": str(request.folder), "metrics": dict(finished.metrics)})


__all__ = ["train_as_asked"]
