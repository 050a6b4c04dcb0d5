"""The words of ``digits run`` and ``digits train`` become one checked request, the data loaded. Writes nothing."""

from __future__ import annotations

import json
import shlex
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from digit_recognizer.apps.options import check_epochs
from digit_recognizer.apps.outputs import refuse_inside_pictures
from digit_recognizer.digits import Dataset
from digit_recognizer.errors import CheckpointError, UsageError
from digit_recognizer.files import read_bytes
from digit_recognizer.sources.catalog import load
from digit_recognizer.sources.strokes import read_strokes


@dataclass(frozen=True)
class RunRequest:
    """What ``digits run`` and ``digits train`` were asked for, checked and complete.

    source: DATA as it was given. command: how to repeat it. began: when, by time.perf_counter. note: what to tell
    before training, or nothing.
    """

    source: str
    dataset: Dataset
    folder: Path
    settings: Any  # digit_recognizer.training.job.Settings; its module loads torch
    hardware: Any  # digit_recognizer.training.hardware.Hardware, likewise
    resume: bool
    overwrite: bool
    command: str
    began: float
    note: str


def make_request(
    data: str | None,
    output: Path | None,
    preset_name: str | None,
    seed: int | None,
    val: float | None,
    epochs: int | None,
    device: str,
    *,
    recipe_file: Path | None = None,
    strokes: str | None = None,
    fonts: str | None = None,
    max_error: float | None = None,
    skip_bad_rows: bool = False,
    resume: bool,
    overwrite: bool,
    command: str | None = None,
) -> RunRequest:
    """Everything that was asked for, checked and complete, the data loaded. A resumed run brings what is not said.

    recipe_file: a recipe as JSON, instead of a preset. skip_bad_rows: as ``load`` takes it.
    command: how to repeat all this; left out, as it was called.
    Nothing is written. Raises UsageError where the options make no sense, CheckpointError where there is nothing to
    resume, and what reading the data raises.
    """
    from digit_recognizer.training.hardware import choose_hardware
    from digit_recognizer.training.job import MAX_ERROR, Settings, has_left_out, settings_of, split
    from digit_recognizer.training.recipe import preset
    from digit_recognizer.training.run_folder import RunFolder, next_free

    began = time.perf_counter()
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other")
    if resume and output is None:
        raise UsageError("--resume needs --output: the run folder to go on with")
    check_epochs(epochs)
    hardware = choose_hardware(device)
    if recipe_file is not None and preset_name is not None:
        raise UsageError("--recipe and --preset exclude each other")
    recipe = preset(preset_name or "fast") if recipe_file is None else _read_recipe(recipe_file)
    budget = MAX_ERROR if max_error is None else max_error
    settings = Settings(recipe, 0 if seed is None else seed, 0.1 if val is None else val, strokes, fonts, budget)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs)
    if resume and output is not None and RunFolder(output).is_started():
        saved, config = settings_of(RunFolder(output)), RunFolder(output).read_json(RunFolder(output).config)
        data = config.get("source") if data is None else data
        skip_bad_rows = skip_bad_rows or has_left_out(config)
        if not isinstance(data, str):
            raise UsageError(f"{output}: does not say which data it was started on; give DATA")
        if recipe_file is None and preset_name in (None, saved.recipe.preset):
            recipe = saved.recipe if epochs is None else replace(saved.recipe, epochs=epochs)
        settings = Settings(
            recipe,
            saved.seed if seed is None else seed,
            saved.val if val is None else val,
            strokes or saved.strokes,
            fonts or saved.fonts,
            saved.max_error if max_error is None else max_error,
        )
    if resume and data is None:
        raise CheckpointError(f"{output}: nothing to resume, no config.json in it")
    if settings.strokes is not None:
        read_strokes(Path(settings.strokes))  # refused before a folder is claimed; read again when it is needed
    data = "sample" if data is None else data
    if not resume:
        refuse_inside_pictures(output or Path("runs"), data)
    dataset = load(data, skip_bad_rows=skip_bad_rows)
    if val is not None and dataset.validation is not None:
        raise UsageError(
            f"--val: {dataset.name} brings {len(dataset.validation):,} images for validation, which are taken; leave "
            "--val out"
        )
    parts = split(dataset.labelled(), settings, dataset.held_out())
    note = ""
    if epochs is None and not resume:
        fitted = recipe.fitted(len(parts.training))
        if fitted != recipe:
            note = (
                f"only {len(parts.training):,} images to learn from: {fitted.epochs} epochs instead of {recipe.epochs}"
            )
        recipe = fitted
    return RunRequest(
        source=data,
        dataset=dataset,
        folder=output or next_free("runs", dataset.name),
        settings=replace(settings, recipe=recipe),
        hardware=hardware,
        resume=resume,
        overwrite=overwrite,
        command=command or shlex.join(["digits", *sys.argv[1:]]),
        began=began,
        note=note,
    )


def _read_recipe(path: Path) -> Any:
    """The Recipe in a JSON file. Raises UsageError where it holds none, FileError where it cannot be read."""
    from digit_recognizer.training.recipe import Recipe

    try:
        values = json.loads(read_bytes(path, limit=1 << 20))
        if not isinstance(values, dict):
            raise UsageError(f"expected a JSON object, found {type(values).__name__}")
        return Recipe.from_dict(values)
    except (ValueError, RecursionError, UsageError) as error:
        raise UsageError(f"--recipe {path}: not a recipe ({error})") from error


__all__ = ["RunRequest", "make_request"]
