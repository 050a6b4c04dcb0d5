"""A Dataset -> what there is to know before training: label counts, missing values, pixels, duplicates, outliers.

Gives facts and rows of plain values; draws nothing and knows nothing of terminals or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis import audit
from digit_recognizer.digits import SIDE, Dataset, Digits

OUTLIERS = 24
# How many groups of duplicates are named in explore.json; all are counted.
_NAMED = 20


@dataclass(frozen=True)
class PixelStatistics:
    """Over every pixel of a part, 0-255: smallest, largest, mean, standard deviation; ``nonzero``: share with ink, 0-1.

    blank_images: images without any ink. All 0 for a part without images.
    """

    min: int
    max: int
    mean: float
    sd: float
    nonzero: float
    blank_images: int


@dataclass(frozen=True)
class PartExploration:
    """One part, "train" or "test".

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
    """Images of the training part that stand in the test part too.

    groups: different images shared. test_images: how many test images are such. examples: (names in train, names in
    test), the first 20. disagreements: those whose labels differ, where the test part has labels.
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
    """What ``digits explore`` found. parts: "train" before "test", those that exist; overlap: None unless both do."""

    name: str
    parts: dict[str, PartExploration]
    overlap: Overlap | None

    def to_dict(self) -> dict[str, Any]:
        """The content of ``explore.json``, as plain JSON values."""
        return {
            "name": self.name,
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
            "overlap": None if self.overlap is None else self.overlap.to_dict(),
        }


def explore(dataset: Dataset, outliers: int = OUTLIERS) -> Exploration:
    """Look through every part of ``dataset``. outliers: how many of the furthest images to name in each labelled part.

    >>> blank = Digits(np.zeros((2, 28, 28), np.uint8), np.array([1, 7]))
    >>> found = explore(Dataset("blank", blank, None)).parts["train"]
    >>> found.pixels.blank_images, found.duplicates, found.disagreements
    (2, (('1', '2'),), ((('1', 1), ('2', 7)),))
    """
    parts = {name: _explore_part(part, outliers) for name, part in dataset.parts().items()}
    overlap = None
    if dataset.train is not None and dataset.test is not None:
        overlap = _explore_overlap(dataset.train, dataset.test)
    return Exploration(dataset.name, parts, overlap)


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
    )


def label_rows(exploration: Exploration) -> list[tuple[str, ...]]:
    """Rows (digit, count, share) of each labelled part side by side, in the first one's order, largest count first.

    The header comes first; a terminal table takes the rows as they are.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([7, 0, 7]))
    >>> label_rows(explore(Dataset("three", digits, None)))[:2]
    [('Digit', 'train', 'share'), ('7', '2', '66.7 %')]
    """
    labelled = {name: part.label_counts for name, part in exploration.parts.items() if part.label_counts is not None}
    if not labelled:
        return []
    header = ["Digit"]
    for name in labelled:
        header += [name, "share"]
    rows = [tuple(header)]
    for digit, _ in next(iter(labelled.values())):
        row = [str(digit)]
        for counts in labelled.values():
            count, total = dict(counts)[digit], sum(c for _, c in counts)
            row += [f"{count:,}", f"{100 * count / total:.1f} %" if total else "-"]
        rows.append(tuple(row))
    return rows


def fact_rows(exploration: Exploration) -> list[tuple[str, ...]]:
    """Rows (fact, value in each part), the header first: images, size, missing values, pixels, duplicates.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([7, 0, 7]))
    >>> fact_rows(explore(Dataset("three", digits, None)))[:2]
    [('Fact', 'train'), ('images', '3')]
    """
    parts = exploration.parts.values()

    def row(fact: str, values: Sequence[str]) -> tuple[str, ...]:
        return (fact, *values)

    rows = [
        row("Fact", list(exploration.parts)),
        row("images", [f"{p.images:,}" for p in parts]),
        row("image size", [f"{p.size[0]} x {p.size[1]}" for p in parts]),
        row("labels", ["no" if p.label_counts is None else "yes" for p in parts]),
        row("missing values", ["none" if not p.missing_values else f"{p.missing_values:,}" for p in parts]),
        row("pixel values", [f"{p.pixels.min} to {p.pixels.max}" for p in parts]),
        row("pixel mean, sd", [f"{p.pixels.mean:.2f}, {p.pixels.sd:.2f}" for p in parts]),
        row("pixels with ink", [f"{100 * p.pixels.nonzero:.1f} %" for p in parts]),
        row("blank images", [_count(p.pixels.blank_images) for p in parts]),
        row("exact duplicates", [_count(p.duplicate_images) for p in parts]),
        row(
            "duplicates with other labels",
            ["-" if p.label_counts is None else _count(len(p.disagreements)) for p in parts],
        ),
    ]
    if exploration.overlap is not None:
        shared = exploration.overlap
        rows.append(
            ("also in train", *("-" if n == "train" else _count(shared.test_images) for n in exploration.parts))
        )
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


def _explore_overlap(train: Digits, test: Digits) -> Overlap:
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
