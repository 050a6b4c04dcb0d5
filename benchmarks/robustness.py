"""A model becomes a table of how it does on pictures that nobody prepared: accuracy, calibration, refusal, speed.

    python benchmarks/robustness.py [--model RUN|FILE.onnx] --validation        # for every choice
    python benchmarks/robustness.py [--model RUN|FILE.onnx]                     # reads t10k: once, at the end

--validation takes the images that a run kept for its validation, or, for a model without its run folder, the last 6,000
of MNIST's 60,000 training images; for a model trained on them that says nothing. Simulated sets are made from the
held-out images, --limit of them in each. --baseline FILE puts a model with plain resizing beside, on the same pictures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import scores
from common import print_heading, print_table, run, say
from digit_recognizer.analysis.metrics import expected_calibration_error
from digit_recognizer.apps.evaluation import part_to_evaluate
from digit_recognizer.cores import available_cores
from digit_recognizer.digits import Digits
from digit_recognizer.errors import DigitsError
from digit_recognizer.files import write_json
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.catalog import load
from picture_sets import (
    CORRUPTED,
    FOREIGN,
    MNIST,
    SENT,
    VALIDATION_IMAGES,
    DigitSet,
    Sources,
    digit_sets,
    other_sets,
    photos_left_out,
)
from readers import Probabilities, Reader, our_reader, plain_reader, read_both, speed

COVERAGE = 0.98
REFUSED = 0.01  # share of digits refused, at which the acceptance of other pictures is counted
TOGETHER = "all kinds that were asked for"
PACKAGES = ("onnxruntime", "numpy", "opencv-python-headless", "scikit-learn")


class Answers:
    """What every reader said of every set that could be read; why the others could not."""

    def __init__(self) -> None:
        self.sets: list[tuple[DigitSet, dict[str, Probabilities], np.ndarray[Any, np.dtype[np.int64]]]] = []
        self.others: list[tuple[str, bool, dict[str, Probabilities]]] = []
        self.skipped: list[str] = []

    def joined(self, reader: str, group: str, framed: bool) -> tuple[Probabilities, Any] | None:
        """Probabilities and labels of all sets of a group together; None where there is none."""
        found = [(p[reader], labels) for each, p, labels in self.sets if (each.group, each.framed) == (group, framed)]
        if not found:
            return None
        return np.concatenate([p for p, _ in found]), np.concatenate([labels for _, labels in found])


def main() -> None:
    arguments = _arguments()
    readers = [our_reader(arguments.model, arguments.threads)]
    if arguments.baseline:
        readers.append(plain_reader(arguments.baseline, arguments.threads))
    held_out, origin = held_out_digits(arguments.data, arguments.validation, arguments.model)
    facts = print_heading("Robustness", PACKAGES, arguments.threads)
    for reader in readers:
        card = reader.recognizer.metadata
        say(f"{reader.name}: {reader.path.name}, preset {card.preset}, trained on {card.data}")
    say(f"held-out digits: {origin}; at most {arguments.limit:,} pictures in a simulated set\n")
    sources = Sources(
        held_out,
        arguments.limit,
        arguments.strokes,
        arguments.photos,
        arguments.envelopes,
        tuple(arguments.fonts or ()) or None,
    )
    answers = ask(readers, sources)
    if left_out := photos_left_out(sources):
        answers.skipped.append(f"cells of {', '.join(left_out)}: no clear grid found")
    result: dict[str, Any] = {
        **facts,
        "held_out": origin,
        "limit": arguments.limit,
        "accuracy": accuracy_table(readers, answers),
        "mnist_c": corruption_table(readers, answers),
        "calibration": calibration_table(readers, answers),
        "not_a_digit": refusal_table(readers, answers),
        "speed": speed_table(readers, held_out),
        "not_measured": answers.skipped,
    }
    say(
        "Scans of 8 x 8 and of envelopes are real, so are the drawings and photographs (but "
        "not their handwriting, see pasted.py); the rest is simulated. A set "
        "says nothing of a model whose training data (above) hold it. Figures are of one model; intervals are "
        "Wilson's, 95 %."
    )
    for line in answers.skipped:
        say(f"not measured: {line}")
    if arguments.output:
        write_json(arguments.output, result)


def held_out_digits(data: str, validation: bool, model: str | None = None) -> tuple[Digits, str]:
    """(digits that the model should not have seen, where they come from).

    validation: what the run ``model`` kept of ``data``; where it is none, the last 6,000 labelled images, or the last
    tenth where there are fewer than 60,000; else the test part. Raises DigitsError where there is no such part.
    """
    found = load(data)
    if validation:
        labelled = found.labelled()
        if model and (Path(model) / "split.json").is_file():
            trained_on = Recognizer(model).metadata.data_fingerprint
            _, kept, _ = part_to_evaluate(found, model, trained_on, "validation")
            return kept, f"{data}, {len(kept):,} images that {model} kept for validation"
        count = min(VALIDATION_IMAGES, max(1, len(labelled) // 10))
        return labelled.take(np.arange(len(labelled) - count, len(labelled))), f"{data}, last {count:,} to learn from"
    if found.test is None or found.test.labels is None:
        raise SystemExit(f"error: {data}: expected a labelled test part, found none; use --validation")
    return found.test, f"{data}, test part, {len(found.test):,} images"


def ask(readers: Sequence[Reader], sources: Sources) -> Answers:
    """Every set, read by every reader. How far it is goes to stderr."""
    answers = Answers()
    for each in digit_sets(sources):
        began = time.perf_counter()
        labels: list[int] = []

        def pictures(each: DigitSet = each, labels: list[int] = labels) -> Any:
            for picture, label in each.read():
                labels.append(label)
                yield picture

        try:
            found = read_both(readers, pictures(), each.framed)
        except (DigitsError, ImportError, LookupError) as error:
            answers.skipped.append(f"{each.group}, {each.name}: {error}")
            continue
        if labels:
            answers.sets.append((each, found, np.array(labels)))
        _progress(f"{each.group}, {each.name}{', frames' if each.framed else ''}", began)
    for other in other_sets(sources):
        began = time.perf_counter()
        try:
            answers.others.append((other.name, other.counted, read_both(readers, other.read(), framed=False)))
        except (DigitsError, ImportError, LookupError) as error:
            answers.skipped.append(f"not a digit, {other.name}: {error}")
        _progress(f"not a digit, {other.name}", began)
    return answers


def accuracy_table(readers: Sequence[Reader], answers: Answers) -> list[dict[str, Any]]:
    """Accuracy of every set but MNIST-C's, printed, and as JSON values."""
    rows, result = [], []
    for each, probabilities, labels in answers.sets:
        if each.group == CORRUPTED:
            continue
        shares = {reader.name: scores.accuracy(probabilities[reader.name], labels) for reader in readers}
        ours = shares[readers[0].name].value
        asked = [f"{100 * bar:.2f}".rstrip("0").rstrip(".") if bar else "" for bar in (each.required, each.aim)]
        name = f"{each.group}: {each.name}"
        rows.append((name, f"{len(labels):,}", *map(str, shares.values()), *asked, verdict(ours, each)))
        result.append({"group": each.group, "set": each.name, "framed": each.framed, "required": each.required})
        result[-1] |= {"aim": each.aim} | {reader: share.to_dict() for reader, share in shares.items()}
    print_table(("set", "n", *(reader.name for reader in readers), "required %", "aim %", "met"), rows)
    return result


def verdict(value: float, asked: DigitSet) -> str:
    """Which bar a share, 0-1, reaches: "aim", "yes", "no", or nothing where none was set."""
    if asked.required is None:
        return ""
    if value < asked.required:
        return "no"
    return "aim" if asked.aim is not None and value >= asked.aim else "yes"


def corruption_table(readers: Sequence[Reader], answers: Answers) -> dict[str, Any]:
    """Accuracy under each corruption of MNIST-C, as frames and as pictures, mean and worst; printed, and as JSON."""
    doors = [(reader, framed) for reader in readers for framed in (True, False)]
    columns = [f"{reader.name}, {'arrays' if framed else 'pictures'}" for reader, framed in doors]
    found: dict[str, dict[str, scores.Share]] = {}
    for each, probabilities, labels in answers.sets:
        if each.group == CORRUPTED:
            for (reader, framed), column in zip(doors, columns, strict=True):
                if framed == each.framed:
                    share = scores.accuracy(probabilities[reader.name], labels)
                    found.setdefault(each.name, {})[column] = share
    rows = [(name, *(str(shares[column]) for column in columns)) for name, shares in found.items()]
    values = {column: [shares[column].value for shares in found.values()] for column in columns}
    summary = {column: {"mean": float(np.mean(part)), "worst": min(part)} for column, part in values.items()}
    rows.append(("**mean** (required 97, aim 98)", *(f"{100 * summary[column]['mean']:.2f} %" for column in columns)))
    rows.append(("**worst** (required 90, aim 95)", *(f"{100 * summary[column]['worst']:.2f} %" for column in columns)))
    n = next(iter(next(iter(found.values())).values())).n
    print_table((f"MNIST-C, {n:,} images each", *columns), rows)
    per_set = {name: {column: share.to_dict() for column, share in shares.items()} for name, shares in found.items()}
    return {"summary": summary, "corruptions": per_set}


def calibration_table(readers: Sequence[Reader], answers: Answers) -> list[dict[str, Any]]:
    """Whether confidence can be acted on: calibration error, errors among accepted answers. Printed, and as JSON."""
    rows, result = [], []
    groups = ((MNIST, True, "MNIST"), (CORRUPTED, True, "MNIST-C, frames"), (CORRUPTED, False, "MNIST-C, pictures"))
    for reader in readers:
        threshold = reader.recognizer.min_confidence
        for group, framed, name in (*groups, (SENT, False, "as sent"), (FOREIGN, False, "foreign")):
            joined = answers.joined(reader.name, group, framed)
            if joined is None:
                continue
            probabilities, labels = joined
            wide, even = (
                measure(probabilities, labels) for measure in (scores.calibration_error, expected_calibration_error)
            )
            covered = scores.errors_at_coverage(probabilities, labels, COVERAGE)
            kept = probabilities.max(axis=1) >= threshold
            wrong = int((probabilities[kept].argmax(axis=1) != labels[kept]).sum())
            own = scores.Share(wrong, int(kept.sum())) if kept.any() else None
            rows.append(
                (
                    f"{name}, {reader.name}",
                    f"{len(labels):,}",
                    f"{100 * wide:.2f} %",
                    f"{100 * even:.2f} %",
                    f"{covered.right}: {covered}",
                    f"{100 * kept.mean():.2f} %",
                    f"{own.right}: {own}" if own else "none accepted",
                )
            )
            result.append({"set": name, "reader": reader.name, "ece": wide, "ece_equal_mass": even})
            result[-1] |= {"errors_at_98": covered.to_dict(), "min_confidence": threshold}
            result[-1] |= {"accepted": float(kept.mean()), "errors_accepted": own.to_dict() if own else None}
    header = ("calibration", "n", "ECE, 15 equal widths", "ECE, equal counts", "errors at 98 % coverage")
    print_table((*header, "accepted by the model's own threshold", "errors among these"), rows)
    say("required: ECE 0.3 % on MNIST, 2 % corrupted (aim 0.2, 1); errors at 98 % of MNIST 0.05 % (aim 0)\n")
    return result


def refusal_table(readers: Sequence[Reader], answers: Answers) -> list[dict[str, Any]]:
    """How well confidence tells digits from other pictures, and how many of those are accepted. Printed, and as JSON.

    Digits are MNIST's frames; for all kinds together also every foreign digit and every one as sent.
    """
    rows, result = [], []
    for reader in readers:
        confidences = {name: part[reader.name].max(axis=1) for name, _, part in answers.others}
        counted = [confidences[name] for name, is_counted, _ in answers.others if is_counted]
        if counted:
            confidences[TOGETHER] = np.concatenate(counted)
        references = {"MNIST": [(MNIST, True)], "as sent and foreign": [(SENT, False), (FOREIGN, False)]}
        for reference, groups in references.items():
            found = [part for group in groups if (part := answers.joined(reader.name, *group)) is not None]
            if not found:
                continue
            digits = np.concatenate([probabilities.max(axis=1) for probabilities, _ in found])
            threshold = scores.threshold_refusing(digits, REFUSED)
            for name, others in confidences.items():
                if reference != "MNIST" and name != TOGETHER:
                    continue
                area = scores.auroc(digits, others)
                taken = scores.Share(int((others >= threshold).sum()), len(others))
                own = scores.Share(int((others >= reader.recognizer.min_confidence).sum()), len(others))
                rows.append((name, reader.name, reference, f"{len(others):,}", f"{area:.4f}", str(taken), str(own)))
                result.append({"kind": name, "reader": reader.name, "digits": reference, "auroc": area})
                result[-1] |= {"accepted": taken.to_dict(), "threshold": threshold, "accepted_own": own.to_dict()}
    header = ("not a digit", "reader", "against digits of", "n", "AUROC")
    print_table((*header, "accepted where 1 % of digits are refused", "accepted by the model's own threshold"), rows)
    say("required, all kinds against MNIST: AUROC 0.985, accepted 3 % (aim 0.995, 1 %)\n")
    return result


def speed_table(readers: Sequence[Reader], held_out: Digits) -> dict[str, Any]:
    """Speed and size, printed, and as JSON."""
    picture = 255 - np.kron(held_out.images[0], np.ones((4, 4), np.uint8))
    found = {reader.name: speed(reader, held_out.images, picture) for reader in readers}
    rows = [
        (
            f"{name}, {each['through']}",
            f"{each['images_per_s']:,.0f}",
            f"{each['readings_per_s']:,.0f}",
            f"{each['one_digit_p50_ms']:.2f} / {each['one_digit_p95_ms']:.2f}",
            f"{each['framing_p50_ms']:.2f}",
            f"{each['file_bytes'] / 1e6:.3f}" if each["file_bytes"] is not None else "",
        )
        for name, each in found.items()
    ]
    header = ("speed", "images/s, batches of 256", "readings/s", "one digit, p50 / p95 ms", "framing 112 x 112, ms")
    print_table((*header, "model file, MB"), rows)
    return found


def _progress(what: str, began: float) -> None:
    print(f"{time.perf_counter() - began:6.1f} s  {what}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How a model does on pictures that nobody prepared.")
    folder = Path(os.environ.get("DIGITS_DATA", ""))
    parser.add_argument("--model", help="a run folder or .onnx file; left out: the model that ships")
    parser.add_argument("--data", default="mnist", help="held-out digits: a name, or what `digits` takes")
    parser.add_argument("--validation", action="store_true", help="the last 6,000 training images instead of t10k")
    parser.add_argument("--baseline", help="a run folder or .onnx file to put beside, with plain resizing")
    parser.add_argument("--strokes", type=Path, default=folder / "pen_strokes_train.json.gz", help="pen drawings")
    parser.add_argument(
        "--photos", type=Path, default=folder / "photos", help="photographed 9 x 9 grids, .jpg and .txt"
    )
    parser.add_argument(
        "--envelopes", type=Path, default=folder / "usps_resampled.mat", help="digits from scanned envelopes, 16 x 16"
    )
    parser.add_argument("--fonts", type=Path, nargs="+", help="folders of fonts; left out: the system's")
    parser.add_argument("--limit", type=int, default=2_000, help="pictures in a simulated set")
    parser.add_argument("--threads", type=int, default=min(2, available_cores()))
    parser.add_argument("-o", "--output", type=Path, help="everything as JSON")
    arguments = parser.parse_args()
    if arguments.limit < 1:
        parser.error(f"expected --limit of 1 or more, found {arguments.limit}")
    return arguments


if __name__ == "__main__":
    run(main)
