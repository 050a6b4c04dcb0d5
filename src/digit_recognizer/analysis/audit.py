"""Digits -> exact duplicates, labels that contradict each other, and the images furthest from their class.

Says what stands out, changes nothing, and knows nothing of models.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Digits
from digit_recognizer.errors import UsageError

# Each fourfold mean of pixels keeps the shape and drops the noise of single pixels.
_POOL = 2
_COMPONENTS = 40

Group = tuple[int, ...]


@dataclass(frozen=True)
class Outlier:
    """An image far from its class. index: from 0. distance: 1 is the root mean square over all images."""

    index: int
    label: int
    distance: float


def exact_duplicates(images: npt.NDArray[np.uint8]) -> list[Group]:
    """Groups of images equal in every pixel, each of two or more ascending indices, in order of first appearance.

    images: uint8 (N, 28, 28). Compared by a 128-bit BLAKE2b hash.

    >>> exact_duplicates(np.zeros((2, 28, 28), np.uint8))
    [(0, 1)]
    """
    return [tuple(group) for group in _by_hash(images).values() if len(group) > 1]


def shared_images(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> list[tuple[Group, Group]]:
    """Images that stand in both arrays: (indices in ``first``, indices in ``second``) for each, in order of ``first``.

    first, second: uint8 (N, 28, 28) and (M, 28, 28); a training and a test part, say, whose overlap flatters a figure.

    >>> shared_images(np.zeros((2, 28, 28), np.uint8), np.zeros((1, 28, 28), np.uint8))
    [((0, 1), (0,))]
    """
    there = _by_hash(second)
    return [(tuple(group), tuple(there[key])) for key, group in _by_hash(first).items() if key in there]


def disagreements(digits: Digits, groups: Sequence[Group]) -> list[Group]:
    """Those of ``groups`` (as exact_duplicates gives them) whose images bear different labels; none without labels.

    >>> digits = Digits(np.zeros((2, 28, 28), np.uint8), np.array([4, 9]))
    >>> disagreements(digits, exact_duplicates(digits.images))
    [(0, 1)]
    """
    if digits.labels is None:
        return []
    return [group for group in groups if len(set(digits.labels[list(group)].tolist())) > 1]


def furthest_from_class(digits: Digits, count: int = 24) -> list[Outlier]:
    """The images furthest from the mean of their class, furthest first: the misdrawn and the mislabelled.

    Distance: Mahalanobis (1936) to the class mean, with one covariance for all classes as in Lee et al. (2018), in the
    space of the 40 strongest directions of variation within classes of the picture at half size; in units of its root
    mean square over all images. (A unit for each class was tried: slanted 1s then fill the list, for the 1
    varies least.) At most ``count`` are given.
    Raises InputError where there are no labels, UsageError where ``count`` is negative.

    >>> digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([1, 1, 1]))
    >>> furthest_from_class(digits)      # all the same: none is far
    []
    """
    if count < 0:
        raise UsageError(f"expected a number of images of at least 0, found {count}")
    labels = digits.known_labels()
    if not len(digits) or not count:
        return []
    deviations = _half_size(digits.images)
    for digit in np.unique(labels):
        of_class = labels == digit
        deviations[of_class] -= deviations[of_class].mean(axis=0)
    variances, directions = np.linalg.eigh((deviations.T @ deviations).astype(np.float64) / len(digits))
    # Directions without variation carry no distance; a floor keeps rounding noise out.
    strong = np.flatnonzero(variances > max(1e-6 * variances[-1], 1e-9))[-_COMPONENTS:]
    whitening = (directions[:, strong] / np.sqrt(variances[strong])).astype(np.float32)
    squared = np.square(deviations @ whitening).sum(axis=1, dtype=np.float64)
    distances = np.sqrt(squared / (squared.mean() or 1.0))
    order = np.argsort(-distances, kind="stable")[:count]
    return [Outlier(int(i), int(labels[i]), float(distances[i])) for i in order if distances[i] > 0]


def _by_hash(images: npt.NDArray[np.uint8]) -> dict[bytes, list[int]]:
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, image in enumerate(np.ascontiguousarray(images)):
        groups[hashlib.blake2b(image, digest_size=16).digest()].append(index)
    return dict(groups)


def _half_size(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Means of 2 x 2 pixels, float32 (N, 196), 0-1. In slices, so that memory stays small."""
    half = np.empty((len(images), (SIDE // _POOL) ** 2), np.float32)
    for start in range(0, len(images), 4096):
        part = images[start : start + 4096].astype(np.uint16)
        sums = part[:, ::2, ::2] + part[:, 1::2, ::2] + part[:, ::2, 1::2] + part[:, 1::2, 1::2]
        half[start : start + 4096] = sums.reshape(len(part), -1)
    half /= 255 * _POOL**2
    return half


__all__ = ["Group", "Outlier", "disagreements", "exact_duplicates", "furthest_from_class", "shared_images"]
