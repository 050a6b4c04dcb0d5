"""A Dataset -> what there is to know before training: label counts, missing values, pixels, duplicates, outliers.

Gives facts and rows of plain values; draws nothing and knows nothing of terminals or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis import audit
from digit_recognizer.analysis.ground import ground_notes, on_light
from digit_recognizer.digits import SIDE, Dataset, Digits

OUTLIERS = 24
# How many groups of duplicates are named in explore.json; all are counted.
_NAMED = 20
_REASONS = 1000  # rows left out of which explore.json says why; all are counted


@dataclass(frozen=True)
class PixelStatistics:
    """Over every pixel of a part, 0-255: smallest, largest, mean, standard deviation; ``nonzero``: share with ink, 0-1.

    blank_images: images without any ink. on_light: images whose border is light, as if dark on light (ground.py). All 0
    for a part without images.
    """

    min: int
    max: int
    mean: float
    sd: float
    nonzero: float
    blank_images: int
    on_light: int = 0


@dataclass(frozen=True)
class PartExploration:
    """One part, "train", "validation" or "test".

    missing_values: pixels or labels that are missing: always 0, for reading refuses a file with an empty cell.
    label_counts: (digit, count), largest count first, equal counts by digit; None without labels.
    duplicates: groups of names of equal images, the first 20. duplicate_images: images beyond the first of each group,
    counted over all groups. disagreements: every group whose labels differ, as names and labels.
    outliers: the images furthest from their class, furthest first; empty without labels.
    """

    images: int
    size: tuple[int, int]
    missing_values: int
    label_counts: tuple[tuple[int, int], ...] | None
    pixels: PixelStatistics
    duplicate_groups: int
    duplicate_images: int
    duplicates: tuple[tuple[str, ...], ...]
    disagreements: tuple[tuple[tuple[str, int], ...], ...]
    outliers: tuple[audit.Outlier, ...]
    outlier_names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The part as plain JSON values."""
        counts = self.label_counts
        return {
            "images": self.images,
            "size": list(self.size),
            "missing_values": self.missing_values,
            "label_counts": None if counts is None else [{"digit": d, "count": c} for d, c in counts],
            "pixels": asdict(self.pixels),
            "duplicate_groups": self.duplicate_groups,
            "duplicate_images": self.duplicate_images,
            "duplicates": [list(group) for group in self.duplicates],
            "disagreements": [[{"name": n, "label": v} for n, v in group] for group in self.disagreements],
            "outliers": [
                {"name": name, "index": far.index, "label": far.label, "distance": round(far.distance, 4)}
                for far, name in zip(self.outliers, self.outlier_names, strict=True)
            ],
        }


@dataclass(frozen=True)
class Overlap:
    """Images of the training part that stand in another part too.

    groups: different images shared. test_images: how many of the other part are such. examples: (names in train, names
    in the other), the first 20. disagreements: those whose labels differ, where the other part has labels.
    """

    groups: int
    test_images: int
    examples: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    disagreements: int

    def to_dict(self) -> dict[str, Any]:
        """The overlap as plain JSON values."""
        return {
            "groups": self.groups,
            "test_images": self.test_images,
            "examples": [{"train": list(train), "test": list(test)} for train, test in self.examples],
            "disagreements": self.disagreements,
        }


@dataclass(frozen=True)
class Exploration:
    """What ``digits explore`` found. parts: as ``Dataset.parts``; overlap: of train and test, None unless both exist.

    left_out: what is wrong with each row that was left out of the source. unread: names of what was not read there.
    validation_overlap: of train and the validation part that the source brings. notes: sentences on what looks wrong.
    """

    name: str
    parts: dict[str, PartExploration]
    overlap: Overlap | None
    left_out: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    validation_overlap: Overlap | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The content of ``explore.json``, as plain JSON values."""
        return {
            "name": self.name,
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
            "overlap": None if self.overlap is None else self.overlap.to_dict(),
            "validation_overlap": None if self.validation_overlap is None else self.validation_overlap.to_dict(),
            "left_out": {"rows": len(self.left_out), "reasons": list(self.left_out[:_REASONS])},
            "unread": {"count": len(self.unread), "names": list(self.unread[:_REASONS])},
            "notes": list(self.notes),
        }


def explore(dataset: Dataset, outliers: int = OUTLIERS) -> Exploration:
    """Look through every part of ``dataset``. outliers: how many of the furthest images to name in each labelled part.

    >>> blank = Digits(np.zeros((2, 28, 28), np.uint8), np.array([1, 7]))
    >>> found = explore(Dataset("blank", blank, None)).parts["train"]
    >>> found.pixels.blank_images, found.duplicates, found.disagreements
    (2, (('1', '2'),), ((('1', 1), ('2', 7)),))
    """
    parts = {name: _explore_part(part, outliers) for name, part in dataset.parts().items()}
    return Exploration(
        dataset.name,
        parts,
        _explore_overlap(dataset.train, dataset.test),
        dataset.left_out,
        dataset.unread,
        _explore_overlap(dataset.train, dataset.validation),
        ground_notes(dataset),
    )


def pixel_statistics(images: npt.NDArray[np.uint8]) -> PixelStatistics:
    """Statistics over all pixels of uint8 (N, 28, 28), from an exact histogram.

    >>> pixel_statistics(np.full((1, 28, 28), 51, np.uint8)).mean
    51.0
    """
    histogram = np.zeros(256, np.int64)
    for start in range(0, len(images), 1024):  # bincount widens to int64: slices keep that small
        histogram += np.bincount(images[start : start + 1024].ravel(), minlength=256)
    total = int(histogram.sum())
    if not total:
        return PixelStatistics(0, 0, 0.0, 0.0, 0.0, 0)
    values = np.arange(256)
    present = np.flatnonzero(histogram)
    mean = float(histogram @ values) / total
    return PixelStatistics(
        min=int(present[0]),
        max=int(present[-1]),
        mean=mean,
        sd=float(np.sqrt(histogram @ (values - mean) ** 2 / total)),
        nonzero=1 - int(histogram[0]) / total,
        blank_images=int(np.count_nonzero(~images.reshape(len(images), -1).any(axis=1))),
        on_light=on_light(images),
    )


def label_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows (digit, count, share) of each labelled part side by side, in the first one's order, largest count first.

    found: what ``Exploration.to_dict()`` gives and explore.json holds. The header comes first; no rows without labels.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([7, 0, 7]))
    >>> label_rows(explore(Dataset("three", digits, None)).to_dict())[:2]
    [('Digit', 'train', 'share'), ('7', '2', '66.7 %')]
    """
    labelled = {
        name: {row["digit"]: row["count"] for row in part["label_counts"]}
        for name, part in found["parts"].items()
        if part["label_counts"] is not None
    }
    if not labelled:
        return []
    rows: list[tuple[str, ...]] = [("Digit", *(cell for name in labelled for cell in (name, "share")))]
    for digit in next(iter(labelled.values())):
        row = [str(digit)]
        for counts in labelled.values():
            total = sum(counts.values())
            row += [f"{counts[digit]:,}", f"{100 * counts[digit] / total:.1f} %" if total else "-"]
        rows.append(tuple(row))
    return rows


def fact_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows (fact, value in each part), the header first: images, size, missing values, pixels, duplicates.

    found: what ``Exploration.to_dict()`` gives and explore.json holds.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([7, 0, 7]))
    >>> fact_rows(explore(Dataset("three", digits, None)).to_dict())[:2]
    [('Fact', 'train'), ('images', '3')]
    """
    parts, overlap = found["parts"], found["overlap"]
    rows: list[tuple[str, ...]] = [("Fact", *parts)]

    def add(fact: str, value: Callable[[dict[str, Any]], str]) -> None:
        rows.append((fact, *(value(part) for part in parts.values())))

    add("images", lambda part: f"{part['images']:,}")
    add("image size", lambda part: "{} x {}".format(*part["size"]))
    add("labels", lambda part: "no" if part["label_counts"] is None else "yes")
    if left_out := found.get("left_out", {}).get("rows"):
        rows.append(("wrong rows left out", *(_count(left_out if name == "train" else 0) for name in parts)))
    add("missing values", lambda part: _count(part["missing_values"]))
    add("pixel values", lambda part: f"{part['pixels']['min']} to {part['pixels']['max']}")
    add("pixel mean", lambda part: f"{part['pixels']['mean']:.2f}")
    add("pixel standard deviation", lambda part: f"{part['pixels']['sd']:.2f}")
    add("pixels with ink", lambda part: f"{100 * part['pixels']['nonzero']:.1f} %")
    add("blank images", lambda part: _count(part["pixels"]["blank_images"]))
    if any(part["pixels"].get("on_light") for part in parts.values()):
        add("images dark on light", lambda part: _count(part["pixels"].get("on_light", 0)))
    add("exact duplicates", lambda part: _count(part["duplicate_images"]))
    add(
        "duplicates with other labels",
        lambda part: "-" if part["label_counts"] is None else _count(len(part["disagreements"])),
    )
    overlaps = {"validation": found.get("validation_overlap"), "test": overlap}
    if any(overlaps.values()):
        shared = (overlaps.get(name) for name in parts)
        rows.append(("also in train", *("-" if other is None else _count(other["test_images"]) for other in shared)))
    return rows


def _explore_part(digits: Digits, outliers: int) -> PartExploration:
    groups = audit.exact_duplicates(digits.images)
    far: list[audit.Outlier] = []
    counts = None
    if digits.labels is not None:
        far = audit.furthest_from_class(digits, outliers)
        by_digit = digits.counts()
        counts = tuple((int(d), int(by_digit[d])) for d in np.argsort(-by_digit, kind="stable"))
    return PartExploration(
        images=len(digits),
        size=(SIDE, SIDE),
        missing_values=0,
        label_counts=counts,
        pixels=pixel_statistics(digits.images),
        duplicate_groups=len(groups),
        duplicate_images=sum(len(group) - 1 for group in groups),
        duplicates=tuple(tuple(digits.name(i) for i in group) for group in groups[:_NAMED]),
        disagreements=tuple(
            tuple((digits.name(i), int(digits.known_labels()[i])) for i in group)
            for group in audit.disagreements(digits, groups)
        ),
        outliers=tuple(far),
        outlier_names=tuple(digits.name(found.index) for found in far),
    )


def _explore_overlap(train: Digits | None, test: Digits | None) -> Overlap | None:
    if train is None or test is None:
        return None
    shared = audit.shared_images(train.images, test.images)
    disagreements = 0
    if train.labels is not None and test.labels is not None:
        for here, there in shared:
            disagreements += len({*train.labels[list(here)].tolist(), *test.labels[list(there)].tolist()}) > 1
    return Overlap(
        groups=len(shared),
        test_images=sum(len(there) for _, there in shared),
        examples=tuple(
            (tuple(train.name(i) for i in here), tuple(test.name(i) for i in there)) for here, there in shared[:_NAMED]
        ),
        disagreements=disagreements,
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else "none"


__all__ = [
    "OUTLIERS",
    "Exploration",
    "Overlap",
    "PartExploration",
    "PixelStatistics",
    "explore",
    "fact_rows",
    "label_rows",
    "pixel_statistics",
]
