"""Which engine does a command's trainings: one after another in this process, or side by side on Ray Tune.

Loads neither torch nor Ray by itself. Knows nothing of how trainings are done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from digit_recognizer.apps.options import check_engine
from digit_recognizer.apps.request import RunRequest
from digit_recognizer.errors import UsageError

Engine = Literal["local", "ray"]
Asked = Literal["auto", "local", "ray"]


def asked_engine(engine: str | None, workers: int | None, address: str | None, resumed: Path | None = None) -> Asked:
    """What was asked for: "auto" where nothing was said; who names workers or a cluster asks for Ray.

    resumed: a run to go on with, which brings its engine where none was named. Raises UsageError for options that make
    no sense and, where Ray is asked for, what ``ensure_possible`` does: before any data are read.
    """
    check_engine(engine or "auto", workers, address)
    if engine is None and resumed is not None:
        engine = _begun_with(resumed)
    if engine == "ray" or workers is not None or address is not None:
        from digit_recognizer.apps.scale.cluster import ensure_possible

        ensure_possible(address)
        return "ray"
    return "local" if engine == "local" else "auto"


def device_for(asked: Asked, device: str) -> str:
    """The device that was asked for; Ray's trainings have CPUs, where nobody asked for another.

    >>> device_for("ray", "auto"), device_for("auto", "auto"), device_for("ray", "cuda")
    ('cpu', 'auto', 'cuda')
    """
    return "cpu" if asked == "ray" and device == "auto" else device


def chosen_engine(asked: Asked, trainings: int, device: str) -> Engine:
    """ "auto" becomes Ray where there are several trainings and several cores, no GPU is used, and Ray Tune is there.

    trainings: that do not wait for one another. device: torch's word for where they would reckon. Raises UsageError
    where Ray is asked for and that is no CPU.
    """
    if asked == "ray" and device != "cpu":
        raise UsageError(f"--engine ray gives each training a CPU of its own, not {device}")
    if asked != "auto":
        return asked
    from digit_recognizer.apps.scale.side_by_side import available_cores, is_installed

    return "ray" if trainings > 1 and device == "cpu" and available_cores() > 1 and is_installed() else "local"


def with_engine(
    request: RunRequest, asked: Asked, workers: int | None = None, address: str | None = None
) -> tuple[RunRequest, Callable[..., Any] | None]:
    """The request as its nets are to be trained, and what gives their engine: None where that is this process.

    workers, address: as for ``side_by_side``. Raises UsageError where Ray is asked for and there is one net, or a GPU.
    """
    from digit_recognizer.training.job import require_members

    recipe = request.settings.recipe
    if asked == "ray":
        require_members(recipe)
    nets = 1 if recipe.composition is not None else recipe.members
    if chosen_engine(asked, nets, request.hardware.device.type) == "local":
        return request, None
    from digit_recognizer.apps.scale.members import members_side_by_side

    hardware = replace(request.hardware, threads=1)

    def engine(stop: Any) -> Any:
        return members_side_by_side(precision=hardware.precision, workers=workers, address=address, stop=stop)

    return replace(request, hardware=hardware), engine


def _begun_with(path: Path) -> Engine | None:
    """The engine that a run was begun with, or None where nothing was begun."""
    from digit_recognizer.training.run_folder import RunFolder
    from digit_recognizer.training.same_run import SIDE_BY_SIDE

    folder = RunFolder(path)
    if not folder.is_started():
        return None
    return "ray" if folder.read_json(folder.config).get(SIDE_BY_SIDE) else "local"


__all__ = ["Asked", "Engine", "asked_engine", "chosen_engine", "device_for", "with_engine"]
