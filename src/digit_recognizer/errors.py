"""Every error that this package raises on purpose, as one tree.

DigitsError                        exit code 1
├── UsageError                     2   the call itself is wrong
│   └── MissingExtra                   an optional part of the package is not installed
├── InputError                     3   the data or picture is not what it should be
│   ├── TooManyPixels                  a picture is over the limit; ``pixels`` says how many it has
│   └── EstimatorInputError            arrays that the scikit-learn estimator cannot take; a ValueError too
├── ModelError                     4   a model file cannot be used
│   ├── CheckpointError                a checkpoint or run folder cannot be used
│   └── TrainingDiverged               the loss stopped being a number
├── RankLost                       1   another process of a training that torchrun started ended
├── FileError                      5   reading or writing failed (missing, permission, disk full)
│   └── RunFolderBusy                  another process trains in this folder
└── Interrupted                  130   Ctrl-C (130) or SIGTERM (143); what was done is saved

A message names the thing, what was expected, what came and what to do, in one sentence:
``train.csv, line 17: expected 784 pixel values, found 783``. It holds no stack.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar


class DigitsError(Exception):
    """Base of the family. ``code`` is a stable word for programs, ``exit_code`` what the command returns."""

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code


class UsageError(DigitsError):
    """The call itself is wrong: an unknown option value, a combination that makes no sense."""

    exit_code = 2
    default_code = "usage"


class MissingExtra(UsageError):
    """A part of the package that is not installed was asked for; the message holds the install command."""

    default_code = "missing_extra"

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs an extra: pip install "digit-recognizer[{extra}]"')
        self.extra, self.purpose = extra, purpose

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.extra, self.purpose), self.__dict__  # a pool's workers send errors by pickle


class InputError(DigitsError):
    """The data or the picture is not what it should be. Nothing was written."""

    exit_code = 3
    default_code = "bad_input"


class TooManyPixels(InputError):
    """A picture has more pixels than the limit. ``pixels`` is width times height."""

    default_code = "too_many_pixels"

    def __init__(self, message: str, *, pixels: int) -> None:
        super().__init__(message)
        self.pixels = pixels

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), pixels=self.pixels), self.args, self.__dict__


class EstimatorInputError(InputError, ValueError):
    """Arrays that DigitClassifier cannot learn from or read; a ValueError too, as scikit-learn's tools expect."""


class ModelError(DigitsError):
    """A model file cannot be used."""

    exit_code = 4
    default_code = "bad_model"


class CheckpointError(ModelError):
    """A checkpoint or a run folder cannot be used, or does not belong to this run."""

    default_code = "bad_checkpoint"


class TrainingDiverged(ModelError):
    """The loss or a gradient stopped being a finite number, several times over."""

    default_code = "diverged"


class FileError(DigitsError):
    """Reading or writing failed: missing file, permission, disk full."""

    exit_code = 5
    default_code = "io_error"


class RunFolderBusy(FileError):
    """Another living process trains in this folder."""

    default_code = "run_folder_busy"


class RankLost(DigitsError):
    """Another process of a training that torchrun started ended before this one."""

    default_code = "rank_lost"


class Interrupted(DigitsError):
    """Training was asked to stop; the state up to the last step is saved. ``signal_number`` says by what."""

    default_code = "interrupted"

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), signal_number=self.signal_number), self.args, self.__dict__


__all__ = [
    "CheckpointError",
    "DigitsError",
    "EstimatorInputError",
    "FileError",
    "InputError",
    "Interrupted",
    "MissingExtra",
    "ModelError",
    "RankLost",
    "RunFolderBusy",
    "TooManyPixels",
    "TrainingDiverged",
    "UsageError",
]
