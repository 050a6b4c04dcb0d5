"""What stands out in a set of digits: planted duplicates, contradictions and strangers are found, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from digit_recognizer.analysis import audit
from digit_recognizer.digits import Digits
from digit_recognizer.errors import InputError, UsageError
from tests.conftest import draw_digits


def test_duplicates_are_those_that_pandas_finds(digits: Digits):
    images = digits.images[[0, 1, 2, 1, 3, 0, 1]]
    found = audit.exact_duplicates(images)
    assert found == [(0, 5), (1, 3, 6)]
    frame = pd.DataFrame(images.reshape(len(images), -1))
    by_pandas = frame.groupby(list(frame.columns), sort=False).groups.values()
    assert found == [tuple(int(i) for i in group) for group in by_pandas if len(group) > 1]


def test_one_grey_level_in_one_pixel_makes_another_image(digits: Digits):
    changed = digits.images[:1].copy()
    changed[0, 14, 14] ^= 1
    assert audit.exact_duplicates(np.concatenate([digits.images[:1], changed])) == []


def test_duplicates_are_found_in_a_view_that_is_not_contiguous(digits: Digits):
    doubled = np.repeat(digits.images[:4], 2, axis=0)
    assert audit.exact_duplicates(doubled[::-1]) == [(0, 1), (2, 3), (4, 5), (6, 7)]


def test_images_shared_by_two_parts_are_named_on_both_sides(digits: Digits):
    train, test = digits.images[[4, 5, 6, 5]], digits.images[[9, 5, 4, 5]]
    assert audit.shared_images(train, test) == [((0,), (2,)), ((1, 3), (1, 3))]
    assert audit.shared_images(train, digits.images[50:60]) == []


def test_only_groups_whose_labels_differ_disagree(digits: Digits):
    images = digits.images[[0, 0, 1, 1]]
    groups = audit.exact_duplicates(images)
    assert audit.disagreements(Digits(images, np.array([0, 0, 1, 7])), groups) == [(2, 3)]
    assert audit.disagreements(Digits(images), groups) == []


def test_a_mislabelled_digit_is_the_furthest_from_its_class():
    digits = draw_digits(400)
    labels = digits.known_labels().copy()
    assert labels[38] == 8
    labels[38] = 1
    first = audit.furthest_from_class(Digits(digits.images, labels), 3)[0]
    assert (first.index, first.label) == (38, 1)


def test_the_distance_is_the_length_in_the_whitened_space_of_scikit_learn():
    digits = draw_digits(600)
    labels = digits.known_labels()
    half = digits.images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(digits), -1) / 255
    means = np.stack([half[labels == digit].mean(axis=0) for digit in range(10)])
    whitened = PCA(40, whiten=True, svd_solver="full").fit_transform(half - means[labels])
    lengths = np.linalg.norm(whitened, axis=1)
    lengths /= np.sqrt(np.square(lengths).mean())
    found = audit.furthest_from_class(digits, 50)
    assert [far.index for far in found] == np.argsort(-lengths)[:50].tolist()
    assert [far.distance for far in found] == pytest.approx(np.sort(lengths)[::-1][:50], rel=1e-3)


def test_outliers_need_labels_and_a_sensible_number(digits: Digits):
    with pytest.raises(InputError, match="expected labelled digits"):
        audit.furthest_from_class(Digits(digits.images))
    with pytest.raises(UsageError, match="at least 0, found -1"):
        audit.furthest_from_class(digits, -1)


def test_few_images_or_none_are_no_trouble(digits: Digits):
    assert audit.furthest_from_class(digits.take(np.zeros(0, np.int64))) == []
    assert audit.furthest_from_class(digits.take([3])) == []
    assert len(audit.furthest_from_class(digits.take([3, 13]))) == 2
    assert audit.exact_duplicates(digits.images[:0]) == []
