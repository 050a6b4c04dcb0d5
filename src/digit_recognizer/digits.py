"""Digits: the one type that every source becomes and everything later takes.

Knows nothing of where images came from or what will be done with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import InputError, UsageError

SIDE = 28
CLASSES = 10

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Digits:
    """Images of single digits, with labels where they are known.

    images: uint8 (N, 28, 28), 0-255, ink bright on black, MNIST's framing.
    labels: int64 (N,), 0-9, or None where unknown.
    names:  N strings (file names, row ids), or None; then the k-th image is named by its number, from "1".

    The arrays are made read-only. Raises InputError where shapes, types or values are not as above.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([7, 0, 7]))
    >>> len(digits), digits.counts().tolist()[:2]
    (3, [1, 0])
    """

    images: Images
    labels: Labels | None = None
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        images = np.asarray(self.images)
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
            raise InputError(
                f"expected images as uint8 (N, {SIDE}, {SIDE}), found {images.dtype} {tuple(images.shape)}"
            )
        object.__setattr__(self, "images", _read_only(images))
        if self.labels is not None:
            labels = np.asarray(self.labels)
            if not np.issubdtype(labels.dtype, np.integer) or labels.shape != (len(images),):
                raise InputError(f"expected {len(images):,} integer labels, found {labels.dtype} {tuple(labels.shape)}")
            if len(labels) and not 0 <= labels.min() <= labels.max() < CLASSES:
                wrong = int(np.flatnonzero((labels < 0) | (labels >= CLASSES))[0])
                raise InputError(f"image {wrong + 1}: expected a label from 0 to 9, found {labels[wrong]}")
            object.__setattr__(self, "labels", _read_only(labels.astype(np.int64)))
        if self.names is not None:
            object.__setattr__(self, "names", tuple(self.names))
            if len(self.names) != len(images):
                raise InputError(f"expected {len(images):,} names, found {len(self.names):,}")

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"Digits({len(self):,} images, {'labelled' if self.labels is not None else 'no labels'})"

    def name(self, index: int) -> str:
        """The name of one image: its own, or its number counted from 1."""
        return self.names[index] if self.names is not None else str(index + 1)

    def known_labels(self) -> Labels:
        """The labels, int64 (N,). Raises InputError where there are none."""
        if self.labels is None:
            raise InputError("expected labelled digits, found images without labels", code="no_labels")
        return self.labels

    def counts(self) -> Labels:
        """How many images each digit has, int64 (10,). Raises InputError where there are no labels."""
        return np.bincount(self.known_labels(), minlength=CLASSES).astype(np.int64)

    def take(self, indices: npt.ArrayLike) -> Digits:
        """The images at ``indices`` (integers or a boolean mask), in that order."""
        chosen = np.asarray(indices)
        if chosen.dtype != bool:
            chosen = chosen.astype(np.int64)  # an empty list would be one of floats
        names = None
        if self.names is not None:
            positions = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
            names = tuple(self.names[int(i)] for i in positions)
        return Digits(self.images[chosen], None if self.labels is None else self.labels[chosen], names)

    def split(self, fraction: float, seed: int) -> tuple[Digits, Digits]:
        """Split at random into (rest, part), ``part`` holding ``round(fraction * N)`` images. See split_indices."""
        rest, part = self.split_indices(fraction, seed)
        return self.take(rest), self.take(part)

    def split_indices(self, fraction: float, seed: int) -> tuple[Indices, Indices]:
        """Indices of a random split, each ascending; stratified by label where labels are known.

        fraction: share of the part, between 0 and 1. seed: same seed, same split.
        Raises UsageError where the fraction is not between 0 and 1, InputError (``too_few``) where it leaves one side
        empty.
        """
        if not 0 < fraction < 1:
            raise UsageError(f"a part of {fraction:g} leaves one side empty; choose between 0 and 1")
        size = round(fraction * len(self))
        if not 0 < size < len(self):
            least = next(n for n in count(2) if 0 < round(fraction * n) < n)
            raise InputError(
                f"a part of {fraction:g} of {len(self):,} image{'' if len(self) == 1 else 's'} leaves one side empty; "
                f"at least {least:,} images are needed for that",
                code="too_few",
            )
        rng = np.random.default_rng(seed)
        shuffled = rng.permutation(len(self))
        if self.labels is None:
            part = shuffled[:size]
        else:
            # Each class gives its share; what rounding leaves over goes to the largest remainders.
            share = self.counts() * (size / len(self))
            quota = np.floor(share).astype(np.int64)
            quota[np.argsort(quota - share, kind="stable")[: size - quota.sum()]] += 1
            by_class = self.labels[shuffled]
            part = np.concatenate([shuffled[by_class == digit][: quota[digit]] for digit in range(CLASSES)])
        in_part = np.zeros(len(self), bool)
        in_part[part] = True
        return np.flatnonzero(~in_part), np.flatnonzero(in_part)

    def fingerprint(self) -> str:
        """SHA-256 over images and labels in order, as hex: equal digits, equal fingerprint."""
        digest = hashlib.sha256(self.images.tobytes())
        digest.update(b"" if self.labels is None else self.labels.astype("<i8").tobytes())
        return digest.hexdigest()

    @staticmethod
    def join(parts: Iterable[Digits]) -> Digits:
        """One Digits holding all ``parts`` in order; labels and names are kept where every part has them."""
        pieces: Sequence[Digits] = list(parts)
        if not pieces:
            return Digits(np.zeros((0, SIDE, SIDE), np.uint8))
        labels = [p.labels for p in pieces if p.labels is not None]
        names = [p.names for p in pieces if p.names is not None]
        return Digits(
            np.concatenate([p.images for p in pieces]),
            np.concatenate(labels) if len(labels) == len(pieces) else None,
            tuple(n for part in names for n in part) if len(names) == len(pieces) else None,
        )


@dataclass(frozen=True)
class Dataset:
    """What a source holds: a part to learn from, a part to predict, or both.

    train: labelled digits, or None. test: digits to predict, labelled or not, or None. left_out: what is wrong with
    each row of the source that was left out, as it was asked for, a sentence each. validation: labelled digits that the
    source itself keeps apart to judge a training by, or None. unread: names of what lies beside these and is not read.
    """

    name: str
    train: Digits | None
    test: Digits | None
    left_out: tuple[str, ...] = ()
    validation: Digits | None = None
    unread: tuple[str, ...] = ()

    def __repr__(self) -> str:
        judged = "" if self.validation is None else f", validation={self.validation}"
        return f"Dataset(name={self.name!r}, train={self.train}{judged}, test={self.test})"

    def parts(self) -> dict[str, Digits]:
        """The parts that exist, "train" before "validation" before "test"."""
        all_parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in all_parts.items() if part is not None}

    def labelled(self, purpose: str = "to learn from") -> Digits:
        """The training part, then the validation part where there is one: see ``held_out``.

        Raises InputError, which says ``purpose``, where there is no training part.
        """
        if self.train is None:
            raise InputError(f"{self.name}: expected labelled digits {purpose}, found none", code="no_labels")
        return self.train if self.validation is None else Digits.join([self.train, self.validation])

    def held_out(self) -> Indices | None:
        """Where in ``labelled()`` the validation part lies, int64 (n,), ascending; None where the source has none."""
        if self.train is None or self.validation is None:
            return None
        return np.arange(len(self.train), len(self.train) + len(self.validation), dtype=np.int64)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


__all__ = ["CLASSES", "SIDE", "Dataset", "Digits"]
