"""What ``digits evaluate`` and ``digits export --int8`` look at: a part of the data that a model never learnt from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from digit_recognizer.analysis.metrics import Evaluation
from digit_recognizer.apps.terminal import Terminal, percent
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import CheckpointError, InputError, UsageError
from digit_recognizer.sources.catalog import load

_ADVICE = "; for answers without labels: digits predict"


def part_to_evaluate(
    dataset: Dataset, model: str | None, trained_on: str, part: str
) -> tuple[str, Digits, bool | None]:
    """(name, digits, whether the model learnt from them: see ``is_seen``) for ``--part``.

    trained_on: the fingerprint of what the model learnt from, as its file tells it.
    Left to itself it takes a labelled test part; else the part for validation that the data bring; else, for a run
    folder trained on these very images, the part that the run kept for validation; else all images to learn from.
    Raises UsageError or InputError where there is no such part.
    """
    if part not in ("auto", "train", "test", "validation"):
        raise UsageError(f"--part: expected auto, train, test or validation, found {part!r}")
    if part == "test" or (part == "auto" and dataset.test is not None and dataset.test.labels is not None):
        if dataset.test is None or dataset.test.labels is None:
            raise InputError(f"{dataset.name}: expected a test part with labels, found none{_ADVICE}", code="no_labels")
        return "test", dataset.test, is_seen(dataset.test, dataset, trained_on)
    if part in ("auto", "validation") and dataset.validation is not None:
        return "validation", dataset.validation, is_seen(dataset.validation, dataset, trained_on)
    try:
        labelled = dataset.labelled("to compare with")
    except InputError as error:
        raise InputError(f"{error}{_ADVICE}", code=error.code) from error
    if dataset.validation is not None and dataset.train is not None:
        return "train", dataset.train, is_seen(dataset.train, dataset, trained_on)
    seen = is_seen(labelled, dataset, trained_on)
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


def is_seen(digits: Digits, dataset: Dataset, trained_on: str) -> bool | None:
    """Whether a model learnt from ``digits``, a part of ``dataset``; None where that is not known.

    trained_on: ``Digits.fingerprint()`` of what it learnt from. It did where these are the very images, in their order,
    with their labels. It did not where they are another part of the data that it learnt from, or where both are parts
    of MNIST or the sample. All else may hold images that it learnt from: shuffled, in part, or as another data set that
    was made of the same ones, as Kaggle's was of MNIST.

    >>> digits = load("sample").labelled()
    >>> part = digits.take([2, 0, 1])
    >>> is_seen(digits, load("sample"), digits.fingerprint())
    True
    >>> is_seen(part, Dataset("three", part, None), digits.fingerprint())
    """
    from digit_recognizer.sources.mnist import TEST_FINGERPRINT, TRAIN_FINGERPRINT
    from digit_recognizer.sources.sample import load_sample

    learnt = set() if dataset.train is None else {dataset.train.fingerprint(), dataset.labelled().fingerprint()}
    if trained_on in learnt:
        return digits is dataset.train or digits.fingerprint() == trained_on
    found = digits.fingerprint()
    if found == trained_on:
        return True
    published = (TRAIN_FINGERPRINT, TEST_FINGERPRINT, load_sample().labelled().fingerprint())
    return False if trained_on in published and found in published else None


def what_flatters(seen: bool | None, part: str, trained_on: str) -> str:
    """What a person should know of figures on images that a model learnt from, or may have.

    seen: as ``is_seen`` gives it. part, trained_on: what the images, and what it learnt from, are called.

    >>> what_flatters(True, "train of mnist", "mnist")
    'warning: the model was trained on train of mnist; these figures flatter it'
    """
    if seen:
        return f"warning: the model was trained on {part}; these figures flatter it"
    return (
        f"note: it is not known whether the model, trained on {trained_on}, learnt from any of these images; if it "
        "did, these figures flatter it"
    )


def held_out_of(run_folder: Path, data: str | None) -> Digits:
    """The labelled images that a run kept for validation, from the data that it was trained on or from ``data``.

    Of other data all labelled images. Raises UsageError where the run does not name its data, InputError where there
    are no labels: pieces that are no digit are made of the images, and which are none hangs on the label.
    """
    from digit_recognizer.training.job import has_left_out
    from digit_recognizer.training.run_folder import RunFolder

    folder = RunFolder(run_folder)
    config = folder.read_json(folder.config)
    source = data or config.get("source")
    if not isinstance(source, str):
        raise UsageError(f"{run_folder}: does not say which data it was trained on; give --data")
    purpose = "to find the layers' ranges with (their labels tell which pieces of them are no digit)"
    labelled = load(source, skip_bad_rows=has_left_out(config)).labelled(purpose)
    if not folder.split.is_file() or labelled.fingerprint() != config["data"]["fingerprint"]:
        return labelled
    return labelled.take(folder.read_json(folder.split)["validation"])


def show_evaluation(terminal: Terminal, dataset: str, part: str, result: Evaluation) -> None:
    """Print accuracy with its interval, log-loss, scores per digit and the confusion matrix."""
    low, high = result.interval95
    terminal.heading(f"{dataset}, {part}: {result.n:,} images")
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


def _score_rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    def shown(value: float | None) -> str:
        return "-" if value is None else percent(value)

    rows: list[tuple[str, ...]] = [("Digit", "images", "precision", "recall", "f1")]
    for digit, score in enumerate(result["per_class"]):
        rows.append(
            (str(digit), f"{score['support']:,}", *(shown(score[name]) for name in ("precision", "recall", "f1")))
        )
    return rows


__all__ = ["held_out_of", "is_seen", "part_to_evaluate", "show_evaluation", "what_flatters"]
