"""One trial's recipe becomes one row of the table: trained on the training part, judged on the validation part.

Knows nothing of other trials, of tables or of where it runs: an engine may call it in any process, on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

from digit_recognizer.digits import Digits
from digit_recognizer.errors import TrainingDiverged
from digit_recognizer.training.checkpoint import CheckpointFolder
from digit_recognizer.training.hardware import Hardware
from digit_recognizer.training.networks import count_parameters
from digit_recognizer.training.progress import StopRequest
from digit_recognizer.training.recipe import Recipe
from digit_recognizer.training.trainer import logits, train


@dataclass(frozen=True)
class TrialJob:
    """What an engine is to do: the recipe of trial ``trial`` as it is trained in rung ``rung``, both from 1.

    dose: the trial's factor of the augmentation.
    """

    trial: int
    rung: int
    recipe: Recipe
    dose: float = 1.0

    @property
    def name(self) -> str:
        """A name for files.

        >>> from digit_recognizer.training.recipe import fast
        >>> TrialJob(3, 1, fast()).name
        'trial-3-rung-1'
        """
        return f"trial-{self.trial}-rung-{self.rung}"


@dataclass(frozen=True)
class TrialResult:
    """A row of the table. val_accuracy, val_loss: of the validation part; accuracy 0 and no loss where it diverged.

    dose: how much of the recipe's own augmentation. seconds: spent training.
    """

    trial: int
    rung: int
    epochs: int
    widths: str
    learning_rate: float
    dose: float
    parameters: int
    val_accuracy: float
    val_loss: float | None
    seconds: float

    @property
    def score(self) -> tuple[float, float]:
        """(accuracy, loss), as ``best_trials`` compares them."""
        return self.val_accuracy, float("inf") if self.val_loss is None else self.val_loss

    def to_row(self) -> dict[str, Any]:
        """The row as plain values."""
        return asdict(self)

    @staticmethod
    def from_row(row: Mapping[str, str]) -> TrialResult:
        """The result back from the strings of a CSV row. Raises KeyError or ValueError where it is none."""
        return TrialResult(
            trial=int(row["trial"]),
            rung=int(row["rung"]),
            epochs=int(row["epochs"]),
            widths=row["widths"],
            learning_rate=float(row["learning_rate"]),
            dose=float(row["dose"]),
            parameters=int(row["parameters"]),
            val_accuracy=float(row["val_accuracy"]),
            val_loss=float(row["val_loss"]) if row["val_loss"] else None,
            seconds=float(row["seconds"]),
        )


def run_trial(
    job: TrialJob,
    training: Digits,
    validation: Digits,
    *,
    seed: int,
    hardware: Hardware,
    folder: Path | None = None,
    stop: StopRequest | None = None,
) -> TrialResult:
    """Train one trial and judge it; the same row for the same arguments, but for ``seconds``.

    seed: the same for all trials, so that luck is shared. folder: for checkpoints while it runs, from which a killed
    one goes on; None keeps none. A training whose loss stops being a number is a result too: the poorest.
    Raises Interrupted where ``stop`` was set, and what train raises beside TrainingDiverged.
    """
    checkpoints = None if folder is None else CheckpointFolder(folder)
    recipe = job.recipe
    facts: dict[str, Any] = {
        "trial": job.trial,
        "rung": job.rung,
        "epochs": recipe.epochs,
        "widths": "-".join(map(str, recipe.widths)) if recipe.network == "compact" else recipe.network,
        "learning_rate": recipe.learning_rate,
        "dose": job.dose,
    }
    try:
        trained = train(recipe, training, validation, seed=seed, hardware=hardware, checkpoints=checkpoints, stop=stop)
        answers = logits(trained.network, validation.images, Hardware(torch.device("cpu"), "float32", hardware.threads))
        labels = torch.from_numpy(validation.known_labels().copy())
        facts |= {
            "parameters": count_parameters(trained.network),
            "val_accuracy": round(float((answers.argmax(1) == labels).double().mean()), 6),
            "val_loss": round(float(functional.cross_entropy(answers, labels)), 6),
            "seconds": round(trained.seconds, 3),
        }
    except TrainingDiverged:
        facts |= {"parameters": 0, "val_accuracy": 0.0, "val_loss": None, "seconds": 0.0}
    if checkpoints is not None:
        checkpoints.clear()
    return TrialResult(**facts)


def one_after_another(
    training: Digits,
    validation: Digits,
    *,
    seed: int,
    hardware: Hardware,
    folder: Path,
    stop: StopRequest | None = None,
) -> Callable[[Sequence[TrialJob]], Iterator[TrialResult]]:
    """The engine of one machine: each trial has all of it. folder: for the checkpoints of the one that runs."""

    def engine(jobs: Sequence[TrialJob]) -> Iterator[TrialResult]:
        for job in jobs:
            yield run_trial(
                job, training, validation, seed=seed, hardware=hardware, folder=folder / job.name, stop=stop
            )
        with suppress(OSError):
            folder.rmdir()  # where it is there, and empty

    return engine


__all__ = ["TrialJob", "TrialResult", "one_after_another", "run_trial"]
