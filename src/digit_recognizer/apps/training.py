"""The words of ``digits train`` become a run folder with a model, in one process or in several that torchrun started.

Knows nothing of how options are spelled. Loads torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from digit_recognizer.apps.options import check_engine
from digit_recognizer.apps.ranks import goes_on, leading, repeat_command
from digit_recognizer.apps.request import RunRequest, make_request
from digit_recognizer.apps.terminal import Terminal
from digit_recognizer.apps.whole_job import show_result, train_into
from digit_recognizer.errors import UsageError
from digit_recognizer.training.job import require_members
from digit_recognizer.training.progress import StopRequest
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.same_run import SIDE_BY_SIDE


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
    engine: str | None = None,
    workers: int | None = None,
    address: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> None:
    """Train and say what came of it. A training that torchrun starts again goes on from its last checkpoint.

    Arguments as for ``make_request``; engine: "local" or "ray", None for that of the run that is resumed, or local;
    workers, address: as for ``side_by_side``. Raises what it does, RunFolder.claim and train_run do; typer.Exit in
    every process of torchrun's but the first.
    """
    with leading(device, output) as ranks:
        again = goes_on(ranks, output)
        if data is None and not (resume or again):
            raise UsageError("which data? digits train DATA; try: digits train sample")
        on_ray = _wants_ray(engine, workers, address, output if resume else None)
        if on_ray and ranks.count > 1:
            raise UsageError("torchrun and --engine ray exclude each other")
        request = make_request(
            data,
            output,
            preset,
            seed,
            val,
            epochs,
            "cpu" if on_ray and device == "auto" else device,
            recipe_file=recipe,
            strokes=strokes,
            fonts=fonts,
            max_error=max_error,
            resume=resume or again,
            overwrite=overwrite and not again,
            command=repeat_command(ranks),
        )
        members = None
        if on_ray:
            request, members = _side_by_side(request, workers, address)
        folder = RunFolder(request.folder)
        with folder.claim(resume=request.resume, overwrite=request.overwrite):
            finished = train_into(folder, request, terminal, ranks, members)
    show_result(terminal, finished.metrics)
    terminal.say(f"written to {request.folder}")
    terminal.document({"run": str(request.folder), "metrics": dict(finished.metrics)})


def _wants_ray(engine: str | None, workers: int | None, address: str | None, resumed: Path | None) -> bool:
    """Whether Ray is to train the members. Raises UsageError, MissingExtra, and what ``ensure_possible`` does."""
    if engine is None and resumed is not None and RunFolder(resumed).is_started():
        before = RunFolder(resumed).read_json(RunFolder(resumed).config)
        engine = "ray" if before.get(SIDE_BY_SIDE) else None
    check_engine(engine or "local", workers, address)
    if engine != "ray":
        return False
    from digit_recognizer.apps.scale.cluster import ensure_possible

    ensure_possible(address)
    return True


def _side_by_side(
    request: RunRequest, workers: int | None, address: str | None
) -> tuple[RunRequest, Callable[[StopRequest], Any]]:
    """The request as it is for members that have a CPU each, and what gives their engine. Raises UsageError."""
    from digit_recognizer.apps.scale.members import members_side_by_side

    require_members(request.settings.recipe)
    hardware = replace(request.hardware, threads=1)
    if hardware.device.type != "cpu":
        raise UsageError(f"--engine ray trains each net on a CPU of its own, not on {hardware.device.type}")

    def engine(stop: StopRequest) -> Any:
        return members_side_by_side(precision=hardware.precision, workers=workers, address=address, stop=stop)

    return replace(request, hardware=hardware), engine


__all__ = ["train_as_asked"]
