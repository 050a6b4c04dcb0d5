"""A data set and a recipe become a finished run folder: split, train, calibrate, export, evaluate.

Knows nothing of terminals, plots or command lines.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from digit_recognizer._version import __version__
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import CheckpointError, FileError, Interrupted, UsageError
from digit_recognizer.files import write_json
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.averaging import between
from digit_recognizer.training.calibration import MAX_ERROR, export_calibrated, export_cascade_calibrated
from digit_recognizer.training.checkpoint import CheckpointFolder, Snapshot, save_snapshot
from digit_recognizer.training.distributed import ALONE, Ranks
from digit_recognizer.training.hardware import Hardware, describe_machine
from digit_recognizer.training.members import FinishedMember, MembersEngine, train_members
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.parts import Split, split
from digit_recognizer.training.progress import Progress, StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.run_folder import RunFolder
from digit_recognizer.training.same_run import SIDE_BY_SIDE, check_same_run
from digit_recognizer.training.ship.preparation import prepare
from digit_recognizer.training.trainer import Labelled, Trained, train


@dataclass(frozen=True)
class Settings:
    """What a run is, beside its data: a resumed run must agree in all of it.

    val: share of the labelled images kept for validation. seed: of everything random. strokes: a file of pen drawings,
    fonts: a folder of fonts, for recipes that compose; left out, none, and the platform's own. max_error: share of the
    accepted readings that may be wrong, 0-1; decides min_confidence.
    """

    recipe: Recipe
    seed: int = 0
    val: float = 0.1
    strokes: str | None = None
    fonts: str | None = None
    max_error: float = MAX_ERROR

    def __post_init__(self) -> None:
        if not 0 < self.val < 1:
            raise UsageError(f"--val: expected a share between 0 and 1, found {self.val:g}")
        if self.seed < 0:
            raise UsageError(f"--seed: expected 0 or more, found {self.seed}")
        if not 0 < self.max_error < 1:
            raise UsageError(f"--max-error: expected a share between 0 and 1, found {self.max_error:g}")
        if self.recipe.composition is None and (self.strokes or self.fonts):
            raise UsageError(f"--strokes and --fonts are for the preset ship, not for {self.recipe.preset}")


@dataclass(frozen=True)
class FinishedRun:
    """folder, its metrics, the recognizer on its model, and the two parts that the labelled images were split into."""

    folder: RunFolder
    metrics: Mapping[str, Any]
    recognizer: Recognizer
    training: Digits
    validation: Digits


def train_run(
    dataset: Dataset,
    folder: RunFolder,
    settings: Settings,
    *,
    hardware: Hardware,
    source: str | None = None,
    command: str = "",
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda note: None,
    stop: StopRequest | None = None,
    ranks: Ranks = ALONE,
    engine: MembersEngine | None = None,
) -> FinishedRun:
    """Train on the labelled part of ``dataset`` and leave a finished run in ``folder``.

    The folder must be empty or hold the run to go on with: see RunFolder.claim.

    source, command: which data, and how to repeat the run; both are kept in config.json. tell: called with a
    sentence where there is something to say. ranks: the processes that train together, of which this one leads.
    engine: what trains the members side by side, each as a task of its own; left out, one after another, here.
    Raises InputError where less than two classes are there to learn, UsageError where ``engine`` is given and the
    recipe has no members, RunFolderBusy, CheckpointError where ``resume``
    meets a run of other data or settings, FileError where the folder cannot be written or vanishes, and what train
    raises.
    """
    if engine is not None:
        require_members(settings.recipe)
    parts = split(dataset.labelled(), settings, dataset.held_out())
    training, validation = parts.training, parts.validation
    for digit in np.flatnonzero(training.counts() == 0):
        tell(f"no image of a {digit} to learn from; it will not be recognised")
    config = {
        "command": command,
        "source": source,
        **_config(dataset, training, validation, settings, hardware),
        **({"ranks": ranks.count} if ranks.count > 1 else {}),
        **({SIDE_BY_SIDE: True} if engine is not None else {}),
    }
    with folder.locked():
        if resume:
            check_same_run(folder, config, tell)
            if folder.is_finished():
                tell(f"{folder.path}: the training is already finished")
                folder.clear_checkpoints()  # a run killed at its very end still has them
                return FinishedRun(
                    folder, folder.read_json(folder.metrics), Recognizer(folder.path), training, validation
                )
        else:
            folder.write_config(config)
        if not folder.split.is_file():  # a run killed at its very beginning has none
            write_json(folder.split, {"validation": parts.held_out.tolist()})
        history: list[Any] = []

        def note_rows(rows: Sequence[Any]) -> None:
            if not folder.config.is_file():  # writing would make a new folder, without what belongs in it
                raise FileError(f"{folder.path}: the run folder vanished during training")
            history[:] = rows
            folder.write_history(history)

        def note_progress(progress: Progress) -> None:
            if progress.row is not None:
                note_rows([*history, progress.row])
            on_progress(progress)

        def note_member(finished: FinishedMember, rows: Sequence[Any]) -> None:
            note_rows(rows)
            found = finished.history[-1]["val_accuracy"]
            tell(f"net {finished.member}: val accuracy {found:.4f}, trained in {finished.seconds:.0f} s")

        materials, checked, made_of = _material(training, validation, settings, tell, stop)
        if resume and (saved := folder.checkpoints.latest(lambda warning: None)) is not None:
            history.extend(saved.facts["history"])

        def taught(
            recipe: Recipe, learnt: Labelled, checkpoints: CheckpointFolder, start: nn.Module | None = None
        ) -> Trained:
            """The next network of the run, with the run's history so far."""
            seed = settings.seed + len(stages)
            if engine is not None:
                trained = train_members(
                    recipe,
                    learnt,
                    checked,
                    seed=seed,
                    engine=engine,
                    folder=folder.members,
                    on_member=note_member,
                    on_progress=on_progress,
                    tell=tell,
                )
            else:
                trained = train(
                    recipe,
                    learnt,
                    checked,
                    seed=seed,
                    hardware=hardware,
                    checkpoints=checkpoints,
                    on_progress=note_progress,
                    stop=stop,
                    start=None if start is None else start.state_dict(),
                    ranks=ranks,
                )
            stages.append(trained)
            history[:] = [row for stage in stages for row in stage.history]
            return trained

        recipe, stages = settings.recipe, list[Trained]()

        def taught_and_polished(recipe: Recipe, checkpoints: Callable[[int], CheckpointFolder]) -> nn.Module:
            network = taught(recipe, materials[0], checkpoints(0)).network
            for number, polish in enumerate(recipe.polishes, 1):
                polished = taught(polish, materials[number], checkpoints(number), network).network
                network = between(network, polished, materials[number].images, polish.blend)
            return network

        networks = {"": taught_and_polished(recipe, folder.main_checkpoints)}
        if recipe.second is not None:
            networks["second."] = taught_and_polished(recipe.second, folder.second_checkpoints)
        if recipe.scout is not None:
            networks["scout."] = taught(recipe.scout, materials[-1], folder.scout_checkpoints).network
        seconds = sum(trained.seconds for trained in stages)
        folder.write_history(history)
        if stop is not None and stop.signal_number is not None:
            raise Interrupted(
                "stopped after the last epoch; saved, go on with --resume", signal_number=stop.signal_number
            )
        tensors = {f"{prefix}{name}": t for prefix, net in networks.items() for name, t in net.state_dict().items()}
        save_snapshot(folder.weights, Snapshot(tensors, {"recipe": settings.recipe.to_dict()}))
        card = _card(dataset, settings, made_of, command, seconds)
        if "scout." in networks:
            recognizer, facts = export_cascade_calibrated(
                networks["scout."],
                networks[""],
                checked,
                folder.model,
                card,
                validation,
                networks.get("second."),
            )
        else:
            recognizer, facts = export_calibrated(networks[""], folder.model, card, validation)
        results = {
            "preset": settings.recipe.preset,
            "val_accuracy": facts["accuracy"],
            "val_loss": facts["log_loss"],
            "train_seconds": round(seconds, 3),
            "epochs": sum(stage.epochs for stage in (recipe, *recipe.polishes)),
            "members": settings.recipe.members,
            "parameters": sum(count_parameters(network) for network in networks.values()),
            **({"learnt_from": made_of} if made_of else {}),
            **facts,
        }
        folder.write_metrics(results)
        folder.clear_checkpoints()
    return FinishedRun(folder, results, recognizer, training, validation)


def require_members(recipe: Recipe) -> None:
    """Raise UsageError where a recipe has no members that could be trained side by side."""
    if recipe.members == 1 or recipe.composition is not None:
        raise UsageError(
            f"side by side are trained the nets of an ensemble, as preset best has them; {recipe.preset} is one net"
        )


def _material(
    training: Digits,
    validation: Digits,
    settings: Settings,
    tell: Callable[[str], None],
    stop: StopRequest | None,
) -> tuple[Sequence[Labelled], Labelled, dict[str, Any]]:
    """What each training learns from, what all are validated on, and what it was composed of, in numbers."""
    recipe = settings.recipe
    if recipe.composition is None:
        return [training] * (1 + len(recipe.polishes)), validation, {}

    def go_on(done: int, total: int) -> None:
        if stop is not None and stop.signal_number is not None:
            raise Interrupted(
                "stopped while composing what is learnt from; start over with --resume",
                signal_number=stop.signal_number,
            )

    prepared = prepare(
        training,
        validation,
        [stage.composition or recipe.composition for stage in (recipe, *recipe.polishes)],
        strokes=settings.strokes,
        fonts=None if settings.fonts is None else [Path(settings.fonts)],
        seed=settings.seed,
        tell=tell,
        on_frames=go_on,
    )
    return prepared.training, prepared.validation, prepared.sources


def _card(
    dataset: Dataset, settings: Settings, made_of: Mapping[str, Any], command: str, seconds: float
) -> ModelMetadata:
    """What the model file will say of its training; the calibration is put in later."""
    words = {"drawings": "pen strokes", "fonts": "fonts"}
    sources = [dataset.name, *(words[name] for name in words if made_of.get(name))]
    return ModelMetadata(
        preset=settings.recipe.preset,
        data=" + ".join(sources),
        data_fingerprint=dataset.labelled().fingerprint(),
        seed=settings.seed,
        max_error=settings.max_error,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        train_seconds=round(seconds, 1),
    )


def _config(
    dataset: Dataset, training: Digits, validation: Digits, settings: Settings, hardware: Hardware
) -> dict[str, Any]:
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "preset": settings.recipe.preset,
        "seed": settings.seed,
        "val": settings.val,
        "strokes": settings.strokes,
        "fonts": settings.fonts,
        "max_error": settings.max_error,
        "data": {
            "name": dataset.name,
            "fingerprint": dataset.labelled().fingerprint(),
            "train": len(training),
            "validation": len(validation),
            "test": len(dataset.test) if dataset.test is not None else 0,
            "rows_left_out": len(dataset.left_out),
            **({"own_validation": True} if dataset.validation is not None else {}),
        },
        "device": hardware.device.type,
        "precision": hardware.precision,
        "threads": hardware.threads,
        "versions": {
            "digit-recognizer": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
        "machine": describe_machine(),
        "recipe": settings.recipe.to_dict(),
    }


def settings_of(folder: RunFolder) -> Settings:
    """The settings that a run was started with. Raises CheckpointError where config.json does not hold them."""
    config = folder.read_json(folder.config)
    try:
        return Settings(
            Recipe.from_dict(config["recipe"]),
            int(config["seed"]),
            float(config["val"]),
            config.get("strokes"),
            config.get("fonts"),
            float(config.get("max_error", MAX_ERROR)),
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise CheckpointError(f"{folder.config}: does not describe a run ({error})") from error


def has_left_out(config: Mapping[str, Any]) -> bool:
    """Whether wrong rows were left out of a run's data, which must be read like that again. config: the run's."""
    data = config.get("data")
    return isinstance(data, dict) and bool(data.get("rows_left_out"))


__all__ = [
    "MAX_ERROR",
    "FinishedRun",
    "Settings",
    "Split",
    "has_left_out",
    "require_members",
    "settings_of",
    "split",
    "train_run",
]
